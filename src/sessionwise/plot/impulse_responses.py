"""Impulse responses: what one unit more in a score at one session does to each score at the sessions after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ModelError
from ..models import DSEMFit
from ..options import A_DICT, A_LEVEL, A_WIDTH, TEXT, an_object, takes, valid_level, whole_number
from ..threads import one_thread
from ..words import figure_interval, figure_number, level_percent
from .figure import Rows, clean, figure, source, tip
from .small_multiples import PANELS, Cells, cells, heading_lines, own_scales, panel_rows, zero_line
from .words import Labels

if TYPE_CHECKING:
    import altair as alt

_TALL = 150
#: Level of the inner band.
_HALF = 0.5
#: Numbers of a point, and what they are called where it is pointed at.
_NUMBERS = {
    "median": "median",
    "low": "low",
    "high": "high",
    "low_50": "50 % interval, low",
    "high_50": "50 % interval, high",
}


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """What one unit more of `predictor` does to `outcome` after s sessions, s = 0, 1, ...: medians and ends of
    intervals (sessions + 1,), in units of the outcome. low_half, high_half : of 50 % intervals. level : of the others.
    """

    outcome: str
    predictor: str
    median: np.ndarray
    low: np.ndarray
    high: np.ndarray
    low_half: np.ndarray
    high_half: np.ndarray
    level: float = 0.95

    @property
    def clear(self) -> list[int]:
        """Sessions after the impulse at which the interval leaves out zero."""
        away = (self.low > 0) | (self.high < 0)
        return [s for s in range(1, len(away)) if away[s]]


@takes(
    ModelError,
    fit=an_object("DSEMFit"),
    sessions=whole_number(1, 100),
    level=A_LEVEL,
    note=TEXT,
    labels=A_DICT,
    width=A_WIDTH,
)
def impulse_responses(
    fit: DSEMFit,
    sessions: int = 10,
    *,
    level: float = 0.95,
    note: str = "",
    labels: Labels | None = None,
    width: int = 640,
) -> alt.LayerChart:
    """How far one unit more in a score is still felt in each score, session by session, in the average person.

    A panel for each outcome (rows) and predictor (columns), in units of the outcome for one of the predictor; by all
    ways, those within a session too.

    Parameters
    ----------
    fit : a dynamic model.
    sessions : how many sessions after the impulse.
    level : of the outer bands; the inner ones are 50 % intervals.
    note : ends the subtitle.
    labels : column -> what to call it.
    width : of the whole figure, in pixels.
    """
    variables = fit.model.paths.variables
    names = {v: (labels or {}).get(v, v) for v in variables}
    return draw_responses(responses(fit, int(sessions), level), names, fit.person, note=note, width=width)


@one_thread()
def responses(fit: DSEMFit, sessions: int, level: float = 0.95) -> list[Response]:
    """Of each outcome on each predictor, outcome by outcome."""
    from ..models.dsem.dynamics import impulse_responses as draws_of

    half = (1 - valid_level(level)) / 2
    at = [0.5, half, 1 - half, (1 - _HALF) / 2, (1 + _HALF) / 2]
    median, low, high, low_half, high_half = np.quantile(draws_of(fit.model.paths, fit.reported, sessions), at, axis=0)
    found = []
    for i, outcome in enumerate(variables := fit.model.paths.variables):
        for j, predictor in enumerate(variables):
            bands = median[:, i, j], low[:, i, j], high[:, i, j], low_half[:, i, j], high_half[:, i, j]
            found.append(Response(outcome, predictor, *bands, level=level))
    return found


def draw_responses(
    found: Sequence[Response],
    names: Mapping[str, str],
    person: str,
    *,
    columns: int = 0,
    title: str = "",
    note: str = "",
    width: int = 640,
) -> alt.LayerChart:
    """The figure of responses that are known already. names : what each score is called. columns : of panels; default
    as many as there are scores. title : in place of how long the effects last."""
    columns = columns or len({one.outcome for one in found})
    letters = Cells(columns, 1, _TALL, 0).letters(width)
    called = [f"{names[one.predictor]} → {names[one.outcome]}" for one in found]
    heads = [heading_lines(text, _unit(one, names), letters) for text, one in zip(called, found, strict=True)]
    place = cells([lines for lines, _ in heads], columns, _TALL)
    layers: list[Any] = []
    for i, (one, (lines, small)) in enumerate(zip(found, heads, strict=True)):
        row, column = divmod(i, columns)
        foot = i + columns >= len(found)
        layers += [_panel(one, i, place, row, column, foot), *place.heading_layers(i, row, column, lines, small)]
    chart = figure(
        layers,
        {"responses": _rows(found, names), PANELS: panel_rows(called)},
        title=title or _title(found, called),
        subtitle=[
            f"What follows one unit more at session 0, in the average {person}: medians with 50 % and "
            f"{level_percent(found[0].level)} intervals. Each panel has a scale of its own.",
            note,
        ],
        seen=_seen(found, called),
        width=width,
        height=place.height,
        heads={name: _NUMBERS[name] for name in ("low_50", "high_50")},
    )
    return own_scales(chart)


def _unit(one: Response, names: Mapping[str, str]) -> str:
    return f"units of {names[one.outcome]} for one of {names[one.predictor]}"


def _rows(found: Sequence[Response], names: Mapping[str, str]) -> Rows:
    return [
        {
            "predictor": names[one.predictor],
            "outcome": names[one.outcome],
            "session": s,
            "median": clean(one.median[s]),
            "low": clean(one.low[s]),
            "high": clean(one.high[s]),
            "low_50": clean(one.low_half[s]),
            "high_50": clean(one.high_half[s]),
            "_panel": i,
        }
        for i, one in enumerate(found)
        for s in range(len(one.median))
    ]


def _panel(one: Response, i: int, place: Cells, row: int, column: int, foot: bool) -> Any:
    """Bands and line. foot : whether no panel stands below."""
    import altair as alt

    ends = 0, len(one.median) - 1
    low, high = min(0.0, float(one.low.min())), max(0.0, float(one.high.max()))
    edge = 0.05 * (high - low or 1.0)
    numbers = place.foot(row, tickMinStep=1, tickCount=min(ends[1], 5), format="d", grid=False)
    x = alt.X("session:Q", title="sessions later" if foot else None, scale=place.x(column, ends), axis=numbers)
    side = place.side(column, tickCount=4, grid=True)
    y = alt.Y("low:Q", title=None, scale=place.y(row, (low - edge, high + edge)), axis=side)
    base = source("responses").transform_filter(f"datum._panel === {i}").encode(x=x)
    tips = [tip("session:Q", "sessions later"), *(tip(f"{name}:Q", said, ".3~g") for name, said in _NUMBERS.items())]
    tone = "person" if one.outcome == one.predictor else "average"
    line = base.encode(y=alt.Y("median:Q"))
    return alt.layer(
        base.mark_area(style=f"{tone}-band", opacity=0.18).encode(y=y, y2=alt.Y2("high:Q")),
        base.mark_area(style=f"{tone}-band", opacity=0.3).encode(y=alt.Y("low_50:Q"), y2=alt.Y2("high_50:Q")),
        zero_line(i, ends),
        line.mark_line(style=f"{tone}-line", opacity=1, strokeWidth=2),
        line.mark_point(style=f"{tone}-point", opacity=1, size=26).encode(tooltip=tips),
    )


def _title(found: Sequence[Response], called: Sequence[str]) -> str:
    """How large each score's effects on the others are, and how long they are seen."""
    pairs = list(zip(found, called, strict=True))
    others = [(one, name) for one, name in pairs if one.outcome != one.predictor] or pairs
    if len(others) > 2:
        clear = sum(1 in one.clear for one, _ in others)
        return f"{clear} of {len(others)} effects of one score on another are clear of zero at the next session"
    told = [f"{name}: {figure_number(float(one.median[1]))} at the next session, {_when(one)}" for one, name in others]
    return "; ".join(told)


def _when(one: Response) -> str:
    clear, last = one.clear, len(one.median) - 1
    if not clear:
        return "not clear of zero"
    if clear == list(range(1, len(clear) + 1)):
        return f"clear of zero to session {clear[-1]}" if len(clear) > 1 else "clear of zero then alone"
    return f"clear of zero at {len(clear)} of {last} sessions"


def _seen(found: Sequence[Response], called: Sequence[str]) -> str:
    """The next session's and the last one's."""
    told = []
    for one, name in zip(found, called, strict=True):
        last = len(one.median) - 1
        ends = [_number(one, s) for s in dict.fromkeys((1, last))]
        told.append(f"{name}: {ends[0]} after one session" + (f"; {ends[-1]} after {last}" if last > 1 else ""))
    return ". ".join(told)


def _number(one: Response, s: int) -> str:
    low, high = float(one.low[s]), float(one.high[s])
    return f"{figure_number(float(one.median[s]))}, {figure_interval(low, high, one.level)}"
