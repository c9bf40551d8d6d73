"""Column names: every reader hands them to `check_names` first."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..errors import ReadError, nearest, some
from ..findings import Finding
from ..panel.frames import is_pattern
from ..words import agree, counted, numbered

if TYPE_CHECKING:
    import polars as pl

_PERSONS = re.compile(
    r"^(.*[_. -])?(id|ident|pid|patient|person|subject|client|case|participant|code)(([_. -]|no|nr).*|id)?$",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"^[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?$")


def names_persons(name: str) -> bool:
    """Whether a column's name is one usual for identifiers: 'id', 'patient', 'case_no', ..."""
    return _PERSONS.match(name) is not None


def is_number(text: str) -> bool:
    """Whether a name or cell is a number as people write them."""
    return _NUMBER.match(text) is not None


def must_have(columns: Sequence[str], name: str, source: str) -> None:
    """Raise ReadError if there is no column of that name."""
    if name not in columns:
        raise ReadError(
            f"There is no column {name!r}.{nearest(name, columns)}",
            where=source,
            remedy=f"The columns are {some(columns, 12)}.",
        )


def row_names(names: Sequence[str], first: Callable[[], pl.Series], where: str) -> Finding | None:
    """A note if the first column, the only one without a name, holds row names, which R and pandas write.

    `first` gives the column's cells. They are row names if each is there and differs from all others.
    """
    if len(names) < 3 or names[0] or not all(names[1:]):
        return None
    cells = first()
    if cells.null_count() or cells.n_unique() < len(cells):
        return None
    what = (
        f"The first column has no name and {counted(len(cells), 'different value')}: taken for row names and left out."
    )
    remedy = "If it identifies persons, give it a name in the file."
    return Finding("note", "row-names", what, where, len(cells), remedy)


def check_names(names: Sequence[str], where: str, word: str = "line") -> None:
    """Raise ReadError if a name is empty or stands twice, or if the names are data."""
    double = [name for name, n in Counter(names).items() if n > 1 and name]
    if double:
        places = [i + 1 for i, name in enumerate(names) if name == double[0]]
        raise ReadError(
            f"{numbered('Column name', map(repr, double))} {agree(len(double), 'stands', 'stand')} more than once"
            f" ({double[0]!r} in columns {some(places)}).",
            where=where,
            remedy="These seem to be REDCap's labels: export the raw data, in which every column has a name of its own."
            if {"Event Name", "Repeat Instance"} & set(names)
            else "Give every column a name of its own in the file.",
        )
    pattern = next((name for name in names if is_pattern(name)), None)
    if pattern is not None:
        raise ReadError(
            f"The column name {pattern!r} begins with ^ and ends with $, as patterns of names do.",
            where=where,
            remedy="Rename the column in the file.",
        )
    empty = [i + 1 for i, name in enumerate(names) if not name]
    if empty:
        hint = " R writes such a column of row names; write.csv(..., row.names = FALSE) does not." * (empty[0] == 1)
        raise ReadError(
            f"{numbered('Column', empty)} {agree(len(empty), 'has', 'have')} no name but "
            f"{agree(len(empty), 'has', 'have')} cells.",
            where=where,
            remedy=f"Name the column in the file, or take it out.{hint}",
        )
    if all(map(is_number, names)):
        raise ReadError(
            f"The first {word} should hold the column names, but holds numbers only ({some(names)}).",
            where=where,
            remedy=f"Put a {word} with column names on top of the file.",
        )
