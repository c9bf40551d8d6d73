"""StudyTable: a small table of plain numbers and text, from which terminal, HTML, CSV and Word are all made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from ..show import Grid
from ..words import UNKNOWN, num, p_value, percent

#: text; count, a whole number; number, three significant digits; share, a percentage; p, a p-value.
Kind = Literal["text", "count", "number", "share", "p"]
Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its key (for CSV and JSON), its title (for people), what it holds.

    interval : 'low' or 'high' where the column is the end of a 95 % interval; the two stand next to each other and are
        shown as one, 'low, high'.
    """

    key: str
    title: str
    kind: Kind = "text"
    interval: Literal["", "low", "high"] = ""

    def shown(self, value: Cell) -> str:
        """A value as it is printed; '' for text that is missing, '–' for a number that is."""
        if isinstance(value, str):
            return value
        if value is None:
            return "" if self.kind == "text" else UNKNOWN
        match self.kind:
            case "count":
                return f"{value:,.0f}"
            case "share":
                return percent(value)
            case "p":
                return p_value(value)
            case _:
                return num(value)


@dataclass(frozen=True, slots=True)
class StudyTable:
    """A table of the result.

    name : short and stable, the file's name as CSV. title : what a paper prints above it. notes : what it prints below.
    columns, rows : each row has one cell for each column; None is missing.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        assert all(len(row) == len(self.columns) for row in self.rows), self.name

    @property
    def head(self) -> tuple[str, ...]:
        """Titles as shown, intervals joined."""
        return tuple("95 % interval" if c.interval == "low" else c.title for c in self.columns if c.interval != "high")

    @property
    def shown(self) -> tuple[tuple[str, ...], ...]:
        """Cells as printed, intervals joined; as many to a row as `head` has."""
        return tuple(self._row(row) for row in self.rows)

    def grid(self, *keys: str) -> Grid:
        """For terminal and notebook; `keys` of columns in which to show it, all if not given."""
        part = self.only(*keys) if keys else self
        return Grid(part.title, part.head, part.shown, dense=True)

    def only(self, *keys: str) -> StudyTable:
        """With these columns alone, in the table's order."""
        at = [i for i, c in enumerate(self.columns) if c.key in keys]
        rows = tuple(tuple(row[i] for i in at) for row in self.rows)
        return replace(self, columns=tuple(self.columns[i] for i in at), rows=rows)

    def to_dicts(self) -> list[dict[str, Cell]]:
        """One dict a row, by the columns' keys, for JSON and CSV."""
        keys = [c.key for c in self.columns]
        return [dict(zip(keys, row, strict=True)) for row in self.rows]

    def _row(self, row: tuple[Cell, ...]) -> tuple[str, ...]:
        cells: list[str] = []
        for i, (column, value) in enumerate(zip(self.columns, row, strict=True)):
            if column.interval == "low":
                ends = column.shown(value), self.columns[i + 1].shown(row[i + 1])
                cells.append("" if value is None else ", ".join(ends))
            elif column.interval != "high":
                cells.append(column.shown(value))
        return tuple(cells)
