"""Tables as they are shown: three significant digits, decimal points beneath each other, intervals in brackets.

Points are aligned by spaces as wide as a digit (U+2007) and as a point (U+2008) behind the number, in cells flush to
the right. So a table keeps its alignment when it is copied into a word processor.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..study import StudyTable
from ..study.records import Direction, Step
from ..study.study_table import Cell, Column
from ..study.tables import COMPARABLE, FREE_COURSE
from ..words import P_DECIMALS, decimals, num

_DIGIT, _POINT = "\u2007", "\u2008"


@dataclass(frozen=True, slots=True)
class Head:
    """A column's title; whether it holds numbers, which stand flush to the right."""

    title: str
    number: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """A cell: its lines, and what it is sorted by (None: last)."""

    lines: tuple[str, ...]
    by: str | float | None


@dataclass(frozen=True, slots=True)
class ShownTable:
    """A table as it is shown. foot : how many last rows stay where they are when others are sorted. more : what is told
    on demand, after its heading."""

    name: str
    title: str
    head: tuple[Head, ...]
    rows: tuple[tuple[Shown, ...], ...]
    notes: tuple[str, ...] = ()
    foot: int = 0
    more: tuple[str, ...] = ()

    @property
    def prose(self) -> bool:
        """Whether it holds no numbers; narrow pages set its rows as paragraphs."""
        return not any(head.number for head in self.head)

    @property
    def anchor(self) -> str:
        """Identifier of the table in a page."""
        return "t-" + re.sub(r"\W+", "-", self.name)


def shown(table: StudyTable) -> ShownTable:
    """A table with every interval in one column."""
    columns: list[list[Shown]] = []
    heads: list[Head] = []
    for i, column in enumerate(table.columns):
        values = [row[i] for row in table.rows]
        if column.interval == "low":
            columns.append(_intervals(column, values, [row[i + 1] for row in table.rows]))
            heads.append(Head("95 % interval", True))
        elif column.interval != "high":
            columns.append(_cells(column, values))
            heads.append(Head(column.title, column.kind != "text"))
    return ShownTable(table.name, table.title, tuple(heads), tuple(zip(*columns, strict=True)), table.notes)


def side_by_side(table: StudyTable, one: Direction) -> ShownTable:
    """The models of a direction as journals print them: a column each, intervals below estimates."""
    steps = [step for step in one.steps if isinstance(step, Step)]
    names = [str(row[0]) for row in table.rows]
    coefficients = {c.label for step in steps for c in step.coefficients if not c.course}
    components = {c.label for step in steps for c in step.components}
    aligned = sum(name in coefficients | components for name in names)  # rows above those of whole models
    firsts = [i for i, column in enumerate(table.columns) if i and not column.interval]
    columns = [_model([row[i : i + 3] for row in table.rows], aligned) for i in firsts]
    heads = (Head("", False), *(Head(table.columns[i].title, True) for i in firsts))
    rows = tuple(zip([Shown((name,), name) for name in names], *columns, strict=True))
    notes = [f"{step.label}: {step.verdict}" for step in steps if not step.converged or step.singular]
    notes += [note for note in table.notes if note in (FREE_COURSE, COMPARABLE)]
    formulas = ("Formulas", *(f"{step.label}: {step.formula}" for step in steps))
    return ShownTable(table.name, table.title, heads, rows, tuple(notes), len(names) - len(coefficients), formulas)


def minus(text: str) -> str:
    """A true minus before digits."""
    return re.sub(r"(?<![\w.])-(?=[\d.])", "−", text)


# --- columns ------------------------------------------------------------------------------------


def _cells(column: Column, values: Sequence[Cell]) -> list[Shown]:
    if column.kind == "text":
        return [Shown((column.shown(v),), None if v is None else str(v)) for v in values]
    texts = _aligned([(_text(column, v), _decimals(column, v)) for v in values])
    return [Shown((t,), v) for t, v in zip(texts, values, strict=True)]


def _intervals(column: Column, low: Sequence[Cell], high: Sequence[Cell]) -> list[Shown]:
    return [Shown((_ends(column, v, w),), v) for v, w in zip(low, high, strict=True)]


def _ends(column: Column, low: Cell, high: Cell) -> str:
    """'[−1.20, −0.68]': both with the decimals that the larger needs for three digits."""
    if not isinstance(low, int | float) or not isinstance(high, int | float):
        return ""
    if column.kind == "share":
        return f"[{100 * low:.1f}, {100 * high:.1f}] %"
    most = decimals(max(abs(low), abs(high)))
    if most is None:
        return minus(f"[{num(low)}, {num(high)}]")
    return minus(f"[{low:,.{most}f}, {high:,.{most}f}]")


def _model(rows: Sequence[Sequence[Cell]], aligned: int) -> list[Shown]:
    """One model's column. rows : value, low, high. aligned : how many first rows have their points beneath each other;
    those below are of the whole model: its criterion, its numbers."""
    plain = Column("", "", "number")
    texts = _aligned([("" if v is None else _text(plain, v), _decimals(plain, v)) for v, *_ in rows[:aligned]])
    texts += [_of_model(row[0]) for row in rows[aligned:]]
    ends = [() if low is None else (_ends(plain, low, high),) for _, low, high in rows]
    return [Shown((text, *end), row[0]) for text, end, row in zip(texts, ends, rows, strict=True)]


def _of_model(value: Cell) -> str:
    if not isinstance(value, int | float):
        return value or ""
    return minus(f"{value:,}" if isinstance(value, int) else f"{value:,.1f}")


def _text(column: Column, value: Cell) -> str:
    if column.kind == "share" and isinstance(value, int | float):
        return f"{100 * value:.1f} %"
    return minus(column.shown(value))


def _decimals(column: Column, value: Cell) -> int | None:
    """How many decimals a number is shown with; None for what is no plain number."""
    if not isinstance(value, int | float) or not math.isfinite(value):
        return None
    match column.kind:
        case "number":
            return decimals(value)
        case "p":
            return P_DECIMALS
        case "count":
            return 0
    return None


def _aligned(cells: Sequence[tuple[str, int | None]]) -> list[str]:
    """Numbers, given with their decimals, with room behind them for those that others have."""
    most = max((n for _, n in cells if n is not None), default=0)
    return [text if n is None else text + _room(most, n) for text, n in cells]


def _room(most: int, own: int) -> str:
    if own == most:
        return ""
    return _DIGIT * (most - own) if own else _POINT + _DIGIT * most
