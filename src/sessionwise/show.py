"""Show: results as lines and grids, on a terminal (80 columns) and in a notebook; numbers as text."""

from __future__ import annotations

import html
import io
import math
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

WIDTH = 80
#: Of a p-value.
P_DECIMALS = 3
#: Seconds after which a wait is shown.
PATIENCE = 2.0


@dataclass(frozen=True, slots=True)
class Grid:
    """A small table: title, column heads, rows of text; the first column is a name. `dense`: columns close together."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    dense: bool = False


class Note(str):
    """A line about what was done, beside the result: shown dim."""

    __slots__ = ()


Part = str | Grid


class Shown(ABC):
    """A result that shows itself on a terminal and in a notebook, from its parts: the first line is its headline."""

    __slots__ = ()

    @abstractmethod
    def parts(self) -> list[Part]:
        """What is shown of it: lines and tables."""

    def __rich__(self) -> object:
        return rich_group(self.parts())

    def __str__(self) -> str:
        return text(self)

    def _repr_html_(self) -> str:
        return html_parts(self.parts())


def num(value: float | None) -> str:
    """Three significant digits; '–' for unknown."""
    if value is None or not math.isfinite(value):
        return "–"
    digits = decimals(value)
    return f"{value:.2e}" if digits is None else f"{value:,.{digits}f}"


def decimals(value: float | None) -> int | None:
    """How many `num` prints; None where it prints no decimal number: unknown, or with an exponent."""
    if value is None or not math.isfinite(value) or abs(value) >= 1e6 or 0 < abs(value) < 1e-4:
        return None
    if value == 0:
        return 0
    return max(0, 2 - math.floor(math.log10(abs(float(f"{value:.3g}")))))


def percent(share: float, sign: str = " %") -> str:
    """Whole percents, one decimal below ten."""
    value = 100 * share
    return f"{value:.1f}{sign}" if 0 < value < 9.95 else f"{value:.0f}{sign}"


def p_value(p: float) -> str:
    """As journals print it: '.034', '<.001'."""
    if not math.isfinite(p):
        return "–"
    return "<.001" if p < 0.0005 else f"{p:.{P_DECIMALS}f}".removeprefix("0")


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal or in a notebook for what takes over two seconds: call it with (done, of how many)."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, transient=True, console=_console())
    task = bar.add_task(what, total=None)
    began = time.monotonic()
    started = False

    def told(done: int, total: int) -> None:
        nonlocal started
        if not started and time.monotonic() - began > PATIENCE:
            started = True
            bar.start()
        bar.update(task, completed=done, total=total)

    try:
        yield told
    finally:
        if started:
            bar.stop()


def _console() -> Console:
    """Standard error, silent where nobody looks at it."""
    from rich.console import Console

    return Console(stderr=True, quiet=not (sys.stderr.isatty() or "ipykernel" in sys.modules))


def rich_group(parts: Sequence[Part]) -> object:
    """For Rich: the first line bold, each Note dim."""
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    out: list[Text | Table] = []
    for i, part in enumerate(parts):
        if isinstance(part, str):
            out.append(Text(part, style="bold" if i == 0 else "dim" if isinstance(part, Note) else ""))
            continue
        out.append(Text(part.title, style="italic"))
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=part.dense)
        for j, head in enumerate(part.head):
            table.add_column(head, justify="right" if j else "left", overflow="fold", no_wrap=j > 0)
        for row in part.rows:
            table.add_row(*(Text(cell) for cell in row))
        out.append(table)
    return Group(*out)


def text(thing: object) -> str:
    """Printed without colour, 80 columns wide."""
    from rich.console import Console

    out = io.StringIO()
    Console(file=out, width=WIDTH, color_system=None).print(thing)
    return "\n".join(line.rstrip() for line in out.getvalue().rstrip().splitlines())


def html_parts(parts: Sequence[Part]) -> str:
    """For a notebook."""
    out = []
    for i, part in enumerate(parts):
        if isinstance(part, str):
            tag = "b" if i == 0 else "span"
            out.append(f"<p><{tag}>{html.escape(part)}</{tag}></p>")
            continue
        head = "".join(f"<th>{html.escape(h)}</th>" for h in part.head)
        rows = "".join("<tr>" + "".join(f"<td>{html.escape(c)}</td>" for c in row) + "</tr>" for row in part.rows)
        out.append(f"<table><caption>{html.escape(part.title)}</caption><tr>{head}</tr>{rows}</table>")
    return "".join(out)
