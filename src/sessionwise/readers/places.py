"""Places in a file in words: "line 5", "rows 7, 9 and 3 more"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..words import numbered

if TYPE_CHECKING:
    import numpy as np


def placer(word: str, row_numbers: np.ndarray | None) -> Callable[[Sequence[int]], str]:
    """A function that words row indices of a frame as places in its file."""

    def place(rows: Sequence[int]) -> str:
        return numbered(word, [r + 2 if row_numbers is None else int(row_numbers[r]) for r in rows])

    return place
