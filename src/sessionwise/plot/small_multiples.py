"""Small multiples: panels in rows and columns as layers of one view, which stays as wide as the page it stands in.

Each panel is a group of layers with scales of its own, whose ranges are its place in the view: pixels from the top,
shares of the width from the left.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .figure import EDGE, Rows, source, wrapped

if TYPE_CHECKING:
    import altair as alt

#: Pixels of a line of a heading; between panels, beside and below each other; left of the first column.
LINE, BESIDE, BELOW, LEFT = 15, 46, 32, 40
#: The set of rows that has one for each panel.
PANELS = "panels"
#: A narrower figure has one panel in a row.
_NARROW = 480
_LETTER = 6.6  # pixels of an average letter of a heading
_HEADING_FOOT = 6


@dataclass(frozen=True, slots=True)
class Cells:
    """Where panels stand. columns, rows : how many. tall : pixels of a panel. heading : pixels above each for its
    words. left : pixels before each column, for the numbers of its axis."""

    columns: int
    rows: int
    tall: int
    heading: int
    beside: int = BESIDE
    left: int = LEFT

    @property
    def height(self) -> int:
        """Pixels of all."""
        return self.rows * (self.heading + self.tall + BELOW) - BELOW

    def top(self, row: int) -> int:
        """Pixels from the top of the view to a panel's own top."""
        return self.heading + row * (self.heading + self.tall + BELOW)

    def start(self, column: int) -> str:
        """Expression: pixels from the left of the view to a panel's own left."""
        return f"{self.left} + {column} * (width - {self.left} + {self.beside}) / {self.columns}"

    def end(self, column: int) -> str:
        """Expression: to its right."""
        return f"{self.left} + {column + 1} * (width - {self.left} + {self.beside}) / {self.columns} - {self.beside}"

    def letters(self, width: int) -> int:
        """Letters of a heading in a figure so wide."""
        whole = width - 2 * EDGE - self.left + self.beside
        return max(8, int((whole / self.columns - 8) / _LETTER))

    def x(self, column: int, domain: Sequence[float]) -> alt.Scale:
        """Scale of a panel along the foot."""
        import altair as alt

        ends: Any = [{"expr": self.start(column)}, {"expr": self.end(column)}]
        return alt.Scale(domain=list(domain), range=ends, nice=False, zero=False)

    def y(self, row: int, domain: Sequence[float]) -> alt.Scale:
        """Scale of a panel at the side."""
        import altair as alt

        top = self.top(row)
        return alt.Scale(domain=list(domain), range=[top + self.tall, top], nice=False, zero=False)

    def foot(self, row: int, **how: Any) -> alt.Axis:
        """Axis along a panel's foot."""
        import altair as alt

        return alt.Axis(orient="bottom", offset=self.top(row) + self.tall - self.height, **how)

    def side(self, column: int, **how: Any) -> alt.Axis:
        """Axis at a panel's left."""
        import altair as alt

        away: Any = {"expr": f"-({self.start(column)})"}
        return alt.Axis(orient="left", offset=away, domain=False, ticks=False, labelPadding=4, **how)

    def heading_layers(self, panel: int, row: int, column: int, lines: Sequence[str], small: int) -> list[Any]:
        """A panel's words above it, from its left. small : so many of the last lines are set small."""
        import altair as alt

        first = self.top(row) - _HEADING_FOOT - LINE * (len(lines) - 1)
        large = len(lines) - small
        made = []
        for look, part, at in (("heading", lines[:large], 0), ("small-text", lines[large:], large)):
            if part:
                place: Any = {"x": {"expr": self.start(column)}, "y": first + LINE * at}
                mark = panel_source(panel).mark_text(style=look, align="left", lineHeight=LINE, **place)
                made.append(mark.encode(text=alt.TextValue(list(part))))
        return made


def own_scales(chart: alt.LayerChart) -> alt.LayerChart:
    """The chart with scales of its own for each panel."""
    resolved: alt.LayerChart = chart.resolve_scale(x="independent", y="independent")
    return resolved


def panel_rows(headings: Iterable[str]) -> Rows:
    """The set of rows PANELS: one for each panel."""
    return [{"panel": heading, "_panel": i} for i, heading in enumerate(headings)]


def panel_source(panel: int) -> Any:
    """Data of what is drawn once in a panel."""
    return source(PANELS).transform_filter(f"datum._panel === {panel}")


def zero_line(panel: int, domain: Sequence[float]) -> Any:
    """A panel's line at zero, from one end of it to the other."""
    import altair as alt

    ends = {"x": alt.XDatum(domain[0]), "x2": alt.X2Datum(domain[1])}
    return panel_source(panel).mark_rule(style="zero-line").encode(y=alt.YDatum(0), **ends)


def columns_of(width: int) -> int:
    """How many panels stand beside each other in a figure so wide."""
    return 2 if width >= _NARROW else 1


def cells(
    headings: Sequence[Sequence[str]], columns: int, tall: int, *, left: int = LEFT, beside: int = BESIDE
) -> Cells:
    """Panels in so many columns, as many rows as they need, under headings of so many lines."""
    lines = max(len(lines) for lines in headings)
    rows = -(-len(headings) // columns)
    return Cells(columns, rows, tall, LINE * lines + _HEADING_FOOT, beside, left)


def heading_lines(heading: str, remark: str, letters: int) -> tuple[list[str], int]:
    """Lines of a heading and of what stands small below it, and how many are small."""
    small = wrapped(remark, letters * 1.15) if remark else []
    return [*wrapped(heading, letters), *small], len(small)
