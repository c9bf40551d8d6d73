"""Pictures: a figure as the page and the Word file hold it. Words are text, marks are drawn."""

from __future__ import annotations

import re
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..plot import embed, style
from ..words import capital, num
from .parts import FigurePart, Section
from .printed_tables import Head, Shown, ShownTable, minus

if TYPE_CHECKING:
    from .painter import Format, Painter

#: Pixels of a still picture; it is stretched to where it stands.
WIDTH = 680


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A figure taken apart. spec : Vega-Lite without title and colours. still : SVG or PNG, when it is painted."""

    name: str
    title: str
    subtitle: str
    description: str
    spec: dict[str, Any]
    table: ShownTable
    still: Future[bytes]

    @property
    def svg(self) -> str:
        """The still picture as part of a page."""
        return _tidy(self.still.result().decode(), self.name)


def pictured(
    sections: Iterable[Section], painter: Painter, kind: Format = "svg"
) -> tuple[list[Section], dict[str, Picture]]:
    """The sections, and the pictures of their figures by name; those of one are painted while the next is made."""
    made: list[Section] = []
    pictures: dict[str, Picture] = {}
    for section in sections:
        made.append(section)
        pictures |= {p.name: picture(p, painter, kind) for p in section.parts if isinstance(p, FigurePart)}
    return made, pictures


def picture(part: FigurePart, painter: Painter, kind: Format = "svg") -> Picture:
    """Ask for its painting, and go on."""
    taken = embed(part.chart)
    still = {**taken.spec, "width": WIDTH, "background": "white" if kind == "png" else None, "config": style()}
    table = part.table or _table(f"figure-{part.name}", taken.title, taken.rows, taken.heads)
    painted = painter.paint(still, kind)
    name = re.sub(r"\W+", "-", part.name).strip("-")
    return Picture(name, taken.title, taken.subtitle, taken.description, taken.spec, table, painted)


def _table(name: str, title: str, rows: list[dict[str, Any]], called: dict[str, str]) -> ShownTable:
    """The rows behind a figure as a table. called : key -> head, where the key alone does not say it."""
    keys = list(dict.fromkeys(key for row in rows for key in row))
    keys = [key for key in keys if any(row.get(key) not in (None, "") for row in rows)]
    numbers = {key: all(isinstance(row.get(key), int | float | None) for row in rows) for key in keys}
    heads = tuple(Head(called.get(key, capital(key)), numbers[key]) for key in keys)
    shown = tuple(tuple(_cell(row.get(key)) for key in keys) for row in rows)
    return ShownTable(name, title, heads, shown)


def _cell(value: Any) -> Shown:
    if isinstance(value, float):
        return Shown((minus(num(value)),), value)
    return Shown(("" if value is None else str(value),), value)


def _tidy(svg: str, name: str) -> str:
    """No size of its own, identifiers of its own, counted from 0; what it shows is told once, by the figure."""
    svg = re.sub(r' (?:aria-[a-z]+|role)="[^"]*"', "", svg)
    names: dict[str, str] = {}
    for found in re.findall(r'\bid="([^"]+)"', svg):
        names.setdefault(found, f"{name}-{len(names)}")
    svg = re.sub(r'\bid="([^"]+)"', lambda m: f'id="{names[m[1]]}"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", lambda m: f"url(#{names.get(m[1], m[1])})", svg)
    head, rest = svg.split(">", 1)
    head = re.sub(r' (?:width|height|class)="[^"]*"', "", head)
    return f'{head} aria-hidden="true" focusable="false">{rest}'
