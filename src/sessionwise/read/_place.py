"""Rows in words: "line 5", "rows 7, 9 and 3 more"."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from ..errors import some

if TYPE_CHECKING:
    import numpy as np


def numbered(word: str, numbers: Iterable[int]) -> str:
    """'line 5' or 'lines 5, 8'."""
    numbers = list(numbers)
    return f"{word}{'s' * (len(numbers) != 1)} {some(numbers)}"


def many(n: int, thing: str) -> str:
    """'1 cell', '1,234 cells'."""
    return f"{n:,} {thing}{'s' * (n != 1)}"


def placer(word: str, row_numbers: np.ndarray | None) -> Callable[[Sequence[int]], str]:
    """A function that words row indices of a frame as places in its file."""

    def place(rows: Sequence[int]) -> str:
        return numbered(word, [r + 2 if row_numbers is None else int(row_numbers[r]) for r in rows])

    return place
