"""Show: results as lines and grids, on a terminal (80 columns) and in a notebook, and as plain values for JSON."""

from __future__ import annotations

import html
import io
import math
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, time, timedelta
from enum import Enum
from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

WIDTH = 80
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


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal or in a notebook for what takes over two seconds: call it with (done, of how many)."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, transient=True, console=_console())
    task = bar.add_task(what, total=None)
    began = monotonic()
    started = False

    def told(done: int, total: int) -> None:
        nonlocal started
        if not started and monotonic() - began > PATIENCE:
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


def text(thing: object, width: int = WIDTH) -> str:
    """Printed without colour, 80 columns wide, in a notebook as elsewhere: there Rich would show it at once, and leave
    nothing to be returned."""
    from rich.console import Console

    out = io.StringIO()
    Console(file=out, width=width, color_system=None, force_jupyter=False).print(thing)
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


def plain(value: Any, drop: Collection[str] = ()) -> Any:
    """A result as JSON takes it: nothing but dict, list, str, int, float, bool and None.

    NaN, infinities and NaT become None; records and mappings dicts, with text for keys; arrays, tuples and lists lists;
    NumPy's scalars Python's; dates and times text (ISO 8601); an Enum its value; Findings a list.

    Parameters
    ----------
    drop : fields of records that are left out, at every level; so is a field whose metadata say `json` is False.

    Raises
    ------
    TypeError : a value of another type, which has no form in JSON.
    """
    import numpy as np

    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, np.datetime64 | np.timedelta64):
        return None if np.isnat(value) else str(value)
    if isinstance(value, np.ndarray) and value.dtype.kind in "mM" and value.ndim:
        return [plain(v) for v in value]  # .tolist() makes whole numbers of nanoseconds
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if hasattr(value, "to_dicts"):  # Findings, which are made of what is here
        return plain(value.to_dicts())
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {k if type(k) is str else str(plain(k)): plain(v, drop) for k, v in value.items()}
        case list() | tuple():
            return [plain(v, drop) for v in value]
        case date() | time():
            return value.isoformat()
        case timedelta():
            return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        kept = [f.name for f in fields(value) if f.name not in drop and f.metadata.get("json", True)]
        return {name: plain(getattr(value, name), drop) for name in kept}
    raise TypeError(f"a {type(value).__name__} has no form in JSON: {value!r}")


def plain_dict(value: Any, drop: Collection[str] = ()) -> dict[str, Any]:
    """`plain` of a record or a mapping."""
    made: dict[str, Any] = plain(value, drop)
    return made
