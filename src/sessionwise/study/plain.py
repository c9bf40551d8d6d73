"""Records as plain dicts, lists, numbers and text, for JSON: NaN and infinity become None."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from ..findings import Findings


def plain(value: Any) -> Any:
    """`value` with nothing but dict, list, str, int, float, bool and None."""
    if isinstance(value, Findings):
        return value.to_dicts()
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
