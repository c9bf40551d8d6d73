"""Records as plain dicts, lists and numbers, for JSON: NaN and infinity become None."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from ..findings import Findings


def plain(value: Any, drop: tuple[str, ...] = ()) -> Any:
    """`value` with nothing but dict, list, str, int, float, bool and None; fields named in `drop` left out."""
    if isinstance(value, Findings):
        return value.to_dicts()
    if is_dataclass(value) and not isinstance(value, type):
        names = [f.name for f in fields(value) if f.name not in drop]
        return {name: plain(getattr(value, name), drop) for name in names}
    if isinstance(value, Mapping):
        return {str(k): plain(v, drop) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist(), drop)
    if isinstance(value, list | tuple):
        return [plain(v, drop) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
