"""Same labels: where labels of one table stand among those of another, by one rule wherever tables meet.

Labels are compared as values, never as text that was put together. Numbers are numbers whatever their type, 3 and 3.0
the same; text is text. Where one side is numbers and the other text, as a column is when it was read another way, text
that is written as a number is that number ('3', ' 03', '3.0'), unless two labels of the text would become one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Real
from typing import Any

import numpy as np

from ..errors import PanelError, some


def positions(known: Sequence[Any] | np.ndarray, asked: Iterable[Any], what: str) -> np.ndarray:
    """Where each label of `asked` stands in `known`, int64; -1 where it is not there.

    what : whose labels they are, as a message says it: "column 'id'".

    Raises
    ------
    PanelError : numbers are asked among text, or text among numbers, and two labels of the text are one number.
    """
    mine, theirs = _plain(known), _plain(asked)
    if _numeric(mine) != _numeric(theirs) and mine and theirs:
        mine, theirs = _as_numbers(mine, what), _as_numbers(theirs, what)
    at = {label: i for i, label in enumerate(mine)}
    return np.array([at.get(label, -1) for label in theirs], np.int64)


def _plain(labels: Iterable[Any]) -> list[Any]:
    """Python values; whole numbers as integers."""
    values = labels.tolist() if isinstance(labels, np.ndarray) else list(labels)
    values = [v.item() if isinstance(v, np.generic) else v for v in values]
    return [int(v) if isinstance(v, float) and v.is_integer() else v for v in values]


def _numeric(labels: list[Any]) -> bool:
    """Whether none is text."""
    return not any(isinstance(label, str) for label in labels)


def _as_numbers(labels: list[Any], what: str) -> list[Any]:
    """Text that is written as a number as this number; all else as it is."""
    numbers = [_number(label) if isinstance(label, str) else label for label in labels]
    first: dict[Any, Any] = {}
    for label, number in zip(labels, numbers, strict=True):
        if isinstance(number, Real) and first.setdefault(number, label) != label:
            raise PanelError(
                f"{first[number]!r} and {label!r} are one number, and {what} is compared with numbers.",
                where=f"labels {some(labels, 6)}",
                remedy="Give the column as text in both tables, or as numbers in both.",
            )
    return numbers


def _number(text: str) -> Any:
    """The number that is written, or the text; an underline between digits is Python's, not a file's."""
    if "_" in text:
        return text
    try:
        value = float(text)
        return int(text) if "." not in text and "e" not in text.lower() else int(value) if value.is_integer() else value
    except (ValueError, OverflowError):
        return text
