"""What was done: the checklist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of method, whether it was kept, and what was done for it."""

    rule: str
    kept: Literal["yes", "partly", "no"]
    done: str
