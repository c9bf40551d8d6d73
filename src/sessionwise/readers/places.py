"""Rows, counts and codes in words: "line 5", "rows 7, 9 and 3 more", "1 cell was"."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
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


def agree(n: int, one: str, more: str) -> str:
    """`one` if n is 1, otherwise `more`: agree(n, 'was', 'were')."""
    return one if n == 1 else more


def written(number: float) -> str:
    """A number with all its digits and no exponent: '9999999', '-0.5'."""
    if math.isfinite(number) and number == int(number):
        return str(int(number))
    return f"{Decimal(repr(float(number))):f}"


def placer(word: str, row_numbers: np.ndarray | None) -> Callable[[Sequence[int]], str]:
    """A function that words row indices of a frame as places in its file."""

    def place(rows: Sequence[int]) -> str:
        return numbered(word, [r + 2 if row_numbers is None else int(row_numbers[r]) for r in rows])

    return place
