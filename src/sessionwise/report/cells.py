"""Tables as they are shown: three significant digits, decimal points beneath each other, intervals in brackets.

Points are aligned by spaces as wide as a digit (U+2007) and as a point (U+2008) behind the number, in cells flush to
the right. So a table keeps its alignment when it is copied into a word processor.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..show import num
from ..study import StudyTable
from ..study.records import Component, Direction, Step
from ..study.tables import Cell, Column

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
        """Its name in a page."""
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


def side_by_side(one: Direction, title: str, person: str) -> ShownTable:
    """The models of a direction as journals print them: a column each, intervals below estimates."""
    steps = [step for step in one.steps if isinstance(step, Step)]
    fixed = dict.fromkeys(c.label for step in steps for c in step.coefficients)
    random = dict.fromkeys(_component(c) for step in steps for c in step.components)
    columns = [_model(step, list(fixed), list(random)) for step in steps]
    last = ("REML criterion", "AIC", "Sessions", f"{person.capitalize()}s")
    names = [Shown((name,), name) for name in (*fixed, *random, *last)]
    heads = (Head("", False), *(Head(step.label, True) for step in steps))
    notes = tuple(f"{step.label}: {step.verdict}" for step in steps if not step.converged or "singular" in step.verdict)
    formulas = ("Formulas", *(f"{step.label}: {step.formula}" for step in steps))
    rows = tuple(zip(names, *columns, strict=True))
    return ShownTable(f"{one.key}_models", title, heads, rows, notes, len(random) + len(last), formulas)


def minus(text: str) -> str:
    """A true minus before digits."""
    return re.sub(r"(?<![\w.])-(?=[\d.])", "−", text)


# --- columns ------------------------------------------------------------------------------------


def _cells(column: Column, values: Sequence[Cell]) -> list[Shown]:
    if column.kind == "text":
        return [Shown((column.shown(v),), None if v is None else str(v)) for v in values]
    texts = _aligned(_text(column, v) for v in values)
    return [Shown((t,), v) for t, v in zip(texts, values, strict=True)]


def _intervals(column: Column, low: Sequence[Cell], high: Sequence[Cell]) -> list[Shown]:
    return [Shown((_ends(column, v, w),), v) for v, w in zip(low, high, strict=True)]


def _ends(column: Column, low: Cell, high: Cell) -> str:
    """'[−1.20, −0.68]': both with the decimals that the larger needs for three digits."""
    if not isinstance(low, int | float) or not isinstance(high, int | float):
        return ""
    if column.kind == "share":
        return f"[{100 * low:.1f}, {100 * high:.1f}] %"
    largest = max(abs(low), abs(high))
    text = num(largest)
    if "e" in text or not math.isfinite(largest):
        return minus(f"[{num(low)}, {num(high)}]")
    decimals = len(text.partition(".")[2])
    return minus(f"[{low:,.{decimals}f}, {high:,.{decimals}f}]")


def _model(step: Step, fixed: list[str], random: list[str]) -> list[Shown]:
    """One model's column."""
    plain, count = Column("", "", "number"), Column("", "", "count")
    found = {c.label: c.estimate for c in step.coefficients}
    sds = {_component(c): c.sd for c in step.components}
    estimates = [found[label].value if label in found else sds.get(label) for label in (*fixed, *random)]
    texts = _aligned("" if v is None else minus(plain.shown(v)) for v in estimates)
    cells = []
    for label, text, value in zip((*fixed, *random), texts, estimates, strict=True):
        e = found.get(label)
        ends = (_ends(plain, e.low, e.high),) if e else ()
        cells.append(Shown((text, *ends), value))
    tail = [(f"{v:,.1f}", v) for v in (step.deviance, step.aic)]
    tail += [(count.shown(n), float(n)) for n in (step.sessions, step.persons)]
    return [*cells, *(Shown((minus(text),), v) for text, v in tail)]


def _component(c: Component) -> str:
    return f"SD {c.group}: {c.effect}" if c.group else "SD residual"


def _text(column: Column, value: Cell) -> str:
    if column.kind == "share" and isinstance(value, int | float):
        return f"{100 * value:.1f} %"
    return minus(column.shown(value))


def _aligned(texts: Iterable[str]) -> list[str]:
    """Numbers with room behind them for the decimals that others have."""
    parts = [(text, _decimals(text)) for text in texts]
    most = max((len(decimals) for _, decimals in parts if decimals is not None), default=0)
    return [text if decimals is None else text + _room(most, decimals) for text, decimals in parts]


def _room(most: int, decimals: str) -> str:
    room = most - len(decimals)
    return _DIGIT * room if decimals or not room else _POINT + _DIGIT * (room - 1)


def _decimals(text: str) -> str | None:
    """The point with what follows; None for what is no plain number."""
    match = re.fullmatch(r"[−<]?[\d,]*(\.\d+)?", text)
    return match[1] or "" if match and text else None
