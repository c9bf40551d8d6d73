"""A figure put together: its words, its data, its size; and taken apart again for a page.

Every figure is one view of layers (no facets), so that it can be as wide as the page it stands in. `width` is that of
the whole figure in pixels, axis titles included. Data are named sets of plain rows, each once, the first of them the
one a reader would want as a table.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ModelError, PanelError, nearest, some
from ..options import A_CHART, TEXT, takes
from ..words import printable
from .style import style

if TYPE_CHECKING:
    import altair as alt

Row = dict[str, Any]
Rows = list[Row]
#: Pixels around every figure.
EDGE = 10
#: Narrower than this nothing can be read.
NARROWEST = 240
#: Names that mean something else to the program that shows tooltips.
_SPECIAL = {
    *("title", "image", "constructor", "prototype", "__proto__", "hasownproperty", "isprototypeof", "tostring"),
    *("propertyisenumerable", "tolocalestring", "valueof", "__definegetter__", "__definesetter__"),
    *("__lookupgetter__", "__lookupsetter__"),
}
_TITLE_PIXELS, _SUBTITLE_PIXELS = 8.1, 5.3  # of an average letter


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """A figure for a page: its words as text, its marks as a Vega-Lite specification without colours.

    title, subtitle : one string each. description : alternative text. spec : without title, config and background,
    as wide as its container; add `style(dark)` as its config. rows : the data table behind it. heads : key of a row ->
    what its column is called, where the key alone does not say it.
    """

    title: str
    subtitle: str
    description: str
    spec: dict[str, Any]
    rows: Rows
    heads: dict[str, str]


def figure(
    layers: Sequence[Any],
    data: dict[str, Rows],
    *,
    title: str,
    subtitle: Sequence[str],
    width: int,
    height: int,
    seen: str = "",
    heads: Mapping[str, str] | None = None,
) -> alt.LayerChart:
    """Layers over named data as one chart in the house style.

    seen : what can be seen and the title does not say, for the alternative text. heads : of the columns of the data
    table, by key. Labels beside the axes need no room of their own: Vega counts them when it fits the view into
    `width`.

    Raises
    ------
    PanelError : too narrow to be read.
    """
    import altair as alt

    if not width >= NARROWEST:
        raise PanelError(
            f"a figure {width} pixels wide cannot be read.", remedy=f"Give a width of {NARROWEST} or more."
        )
    title, seen = printable(title), printable(seen)
    told = [printable(line) for line in subtitle if line]
    layered: Any = alt.layer(*layers, datasets={name: list(map(_clean_row, rows)) for name, rows in data.items()})
    chart: alt.LayerChart = layered.properties(
        width=width,
        height=height,
        autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
        padding=EDGE,
        title=_head(title, told, width),
        description=" ".join(_ended(part) for part in (title, *told, seen) if part),
        usermeta={
            "sessionwise": {
                "title": title,
                "subtitle": " ".join(told),
                "table": next(iter(data)),
                "heads": {key: printable(head) for key, head in (heads or {}).items()},
            }
        },
    )
    chart.config = alt.Config(**style())
    return chart


def source(name: str) -> Any:
    """A layer's data: the named set of the figure."""
    import altair as alt

    return alt.Chart(alt.NamedData(name=name))


def tip(field: str, title: str, form: str = "") -> Any:
    """A line of a tooltip: a field of the rows ('session:Q'), under a name from outside.

    Vega makes a program of the name. So nothing in it may end a text there, and none may be a name that every object
    has or that the tooltip would take for a picture.
    """
    import altair as alt

    name = printable(title).replace("\\", "\u2216")
    if name.strip().lower() in _SPECIAL:
        name += "\u00a0"
    return alt.Tooltip(field, title=name, format=form) if form else alt.Tooltip(field, title=name)


@takes(ModelError, chart=A_CHART)
def alt_text(chart: Any) -> str:
    """What is seen in a figure, in words, for those who cannot see it.

    Raises
    ------
    ModelError : not a figure of this package.
    """
    _meta(chart)
    return str(chart.description)


@takes(ModelError, chart=A_CHART)
def figure_parts(chart: Any) -> tuple[str, ...]:
    """Names of the sets of rows behind a figure, the main one first."""
    main = _meta(chart)["table"]
    return (main, *(name for name in chart.datasets if name != main))


@takes(ModelError, chart=A_CHART, part=TEXT)
def figure_table(chart: Any, part: str | None = None) -> Rows:
    """The rows behind a figure as plain dicts of numbers and text.

    part : one of `figure_parts(chart)`; default the first.

    Raises
    ------
    ModelError : not a figure of this package, or no such part.
    """
    parts = figure_parts(chart)
    name = parts[0] if part is None else part
    if name not in parts:
        raise ModelError(f"the figure has no part {name!r}.{nearest(name, parts)}", remedy=f"Parts: {some(parts)}.")
    return [_plain(row) for row in chart.datasets[name]]


@takes(ModelError, chart=A_CHART)
def embed(chart: Any) -> Embedded:
    """A figure taken apart for a page: words to be set as text, marks as wide as their container.

    Raises
    ------
    ModelError : not a figure of this package.
    """
    told = _meta(chart)
    spec = chart.to_dict(validate=False)  # the tests validate every figure
    for name in ("title", "config", "background", "usermeta"):
        spec.pop(name, None)
    spec |= {"width": "container", "background": "transparent"}
    return Embedded(told["title"], told["subtitle"], alt_text(chart), spec, figure_table(chart), told["heads"])


def clean(value: float | None) -> float | None:
    """A number as JSON takes it: None for NaN and infinities; seven digits are more than can be seen."""
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.7g}")


def wrapped(text: str, width: float) -> list[str]:
    """Lines of at most `width` letters; a longer word, such as a column name, is divided."""
    return textwrap.wrap(printable(text), max(4, int(width)), break_on_hyphens=False) or [""]


def along(text: str) -> str | list[str]:
    """Title of an axis along the foot, in lines that fit a phone."""
    return _lines(text, 44)


def upright(text: str) -> str | list[str]:
    """Title of an axis at the side, in lines that fit the height."""
    return _lines(text, 48)


def _lines(text: str, letters: int) -> str | list[str]:
    lines = wrapped(text, letters)
    return lines[0] if len(lines) == 1 else lines


def shortened(text: str, most: int = 20) -> str:
    """A label of at most `most` letters; its end is kept, since labels often differ there alone."""
    text = printable(text)
    if len(text) <= most:
        return text
    tail = most // 2
    return f"{text[: most - tail - 1]}…{text[-tail:]}"


def t975(df: Any) -> Any:
    """97.5 % point of the t distribution."""
    from scipy.special import stdtrit

    return stdtrit(df, 0.975)


def sample(n: int, most: int, seed: int) -> np.ndarray:
    """Positions, ascending, of at most `most` of n things drawn at random."""
    return np.sort(np.random.default_rng(seed).choice(n, min(most, n), replace=False))


def _head(title: str, subtitle: list[str], width: int) -> alt.TitleParams:
    import altair as alt

    room = width - 2 * EDGE
    lines = _lines(title, int(room / _TITLE_PIXELS))
    small = [line for text in subtitle for line in wrapped(text, room / _SUBTITLE_PIXELS)]
    return alt.TitleParams(lines, subtitle=small)


def _meta(chart: Any) -> dict[str, Any]:
    meta = getattr(chart, "usermeta", None)
    if not isinstance(meta, dict) or "sessionwise" not in meta:
        raise ModelError(
            f"a {type(chart).__name__} that this package did not draw has no table or text here.",
            remedy="Give a chart of sessionwise.plot, as it came.",
        )
    found: dict[str, Any] = meta["sessionwise"]
    return found


def _clean_row(row: Row) -> Row:
    return {key: printable(value) if isinstance(value, str) else value for key, value in row.items()}


def _plain(row: Row) -> Row:
    """Without what only places marks."""
    return {name: value for name, value in row.items() if not name.startswith("_")}


def _ended(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
