"""Trajectories: the average course of a column over sessions, and a sample of persons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import PanelError
from ..options import A_DICT, A_NAME, A_SEED, A_WIDTH, PANEL, TEXT, takes, whole_number
from ..panel import Panel
from ..words import counted, figure_interval, figure_number
from .axes import hovered_person, lit, person_tips, sessions_axis
from .figure import Row, Rows, clean, figure, source, t975, tip, upright
from .within import Slope, centred, common_slope
from .words import Labels

if TYPE_CHECKING:
    import altair as alt

#: An average is drawn where at least so many persons are left: fewer make a wild line.
FEWEST = 20


@takes(
    PanelError,
    panel=PANEL,
    column=A_NAME,
    persons=whole_number(0),
    seed=A_SEED,
    note=TEXT,
    labels=A_DICT,
    width=A_WIDTH,
)
def trajectories(
    panel: Panel,
    column: str,
    *,
    persons: int = 40,
    seed: int = 0,
    note: str = "",
    labels: Labels | None = None,
    width: int = 640,
) -> alt.LayerChart:
    """Average course of a column over sessions with its 95 % interval, and a sample of persons.

    Parameters
    ----------
    panel, column : what to draw.
    persons : how many single persons are drawn thin, drawn at random among those with two sessions or more.
    seed : of that draw.
    note : ends the subtitle.
    labels : column -> what to call it.
    width : of the whole figure, in pixels.

    Raises
    ------
    PanelError : no such numeric column, or no value in it.
    """
    values = panel[column]
    known = np.isfinite(values)
    if not known.any():
        raise PanelError(f"column {column!r} has no value to draw.", remedy="Choose another column.")
    said = (labels or {}).get(column, column)
    mean = average(panel.sessions[known], values[known])
    picked = _pick(panel, values, known, persons, seed)
    title, subtitle = _in_words(panel, said, column, mean, len({row["person"] for row in picked}))
    return figure(
        _layers(panel, said),
        {"average": mean, "persons": picked, "last": mean[-1:]},
        title=title,
        subtitle=[*subtitle, note],
        seen=_seen(panel, mean),
        width=width,
        height=320,
    )


def average(sessions: np.ndarray, values: np.ndarray) -> Rows:
    """Mean and 95 % interval (t) at each session number with enough persons; no interval for a single value."""
    numbers, codes, n = np.unique(sessions, return_inverse=True, return_counts=True)
    mean = np.bincount(codes, values) / n
    spread = np.sqrt(np.bincount(codes, (values - mean[codes]) ** 2) / np.maximum(n - 1, 1) / n)
    enough = n >= min(FEWEST, int(n.max()))
    half = t975(np.maximum(n - 1, 1)) * np.where(n > 1, spread, np.nan)
    rows = zip(numbers[enough], mean[enough], half[enough], n[enough], strict=True)
    return [
        {"session": int(s), "mean": clean(m), "low": clean(m - h), "high": clean(m + h), "n": int(k)}
        for s, m, h, k in rows
    ]


def slope_over_sessions(panel: Panel, column: str) -> Slope | None:
    """Change a session within persons; None if none can be had.

    Both are centred on the person's mean, so persons who leave early or late do not make a trend.
    """
    known = np.isfinite(panel[column])
    codes, persons = panel.codes[known], panel.n_persons
    x = centred(codes, panel.sessions[known].astype(np.float64), persons)
    return common_slope(codes, x, centred(codes, panel[column][known], persons), persons)


def _layers(panel: Panel, said: str) -> list[Any]:
    import altair as alt

    x = sessions_axis(panel)
    y = alt.Y("value:Q", title=upright(said), scale=alt.Scale(zero=False))
    hovered = hovered_person()
    tips = person_tips(panel, [("value", said)])
    single = source("persons").encode(x=x, y=y, detail=alt.Detail("person:N"))
    lines = single.mark_line(style="person-line").encode(
        opacity=alt.OpacityValue(*lit(1, 0.4)),
        strokeWidth=alt.StrokeWidthValue(*lit(2, 0.8)),
    )
    points = single.mark_point(style="person-point").encode(tooltip=tips)
    base = source("average").encode(x=x)
    band = base.mark_area(style="average-band").encode(y=alt.Y("low:Q"), y2=alt.Y2("high:Q"))
    numbers = [alt.Tooltip(f"{name}:Q", format=".3~g") for name in ("mean", "low", "high")]
    tips = [tip("session:Q", panel.roles.session), *numbers, alt.Tooltip("n:Q", title="persons")]
    mean = base.mark_line(style="average-line").encode(y=alt.Y("mean:Q"))
    dots = base.mark_point(style="average-point").encode(y=alt.Y("mean:Q"), tooltip=tips)
    end = source("last").mark_text(style="average-text", align="left", dx=8)
    label = end.encode(x=x, y=alt.Y("mean:Q"), text=alt.TextValue("mean"))
    return [lines, points.add_params(hovered).properties(name="single"), band, mean, dots, label]


def _in_words(panel: Panel, said: str, column: str, mean: Rows, drawn: int) -> tuple[str, list[str]]:
    """Title and subtitle of the average course."""
    first, last = mean[0], mean[-1]
    change = slope_over_sessions(panel, column)
    per = f"a {panel.roles.session} within persons"
    if change is None or not change.claim:
        title = f"{said} is {figure_number(first['mean'])} on average at {panel.roles.session} {first['session']}"
    elif not change.clear:
        title = f"{said} does not clearly rise or fall over {panel.roles.session}s"
    else:
        verb = "falls" if change.value < 0 else "rises"
        limits = figure_interval(*sorted((abs(change.low), abs(change.high))))
        title = f"{said} {verb} {figure_number(abs(change.value))} {per} ({limits})"
    cut = last["session"] < panel.sessions.max()
    shown = ", band: 95 % interval" if any(row["low"] is not None for row in mean) else ""
    until = f", drawn where at least {min(FEWEST, max(row['n'] for row in mean))} attend" if cut else ""
    return title, [
        f"Thick: mean of those attending{shown}{until} ({first['n']:,} at first, {last['n']:,} at last).",
        (f"Thin: {drawn} of {counted(panel.n_persons, 'person')}. " if drawn else "")
        + "Who leaves early is not in the later means.",
    ]


def _seen(panel: Panel, mean: Rows) -> str:
    first, last = mean[0], mean[-1]
    word = panel.roles.session
    if first is last:
        return ""
    return (
        f"The mean goes from {figure_number(first['mean'])} at {word} {first['session']} "
        f"to {figure_number(last['mean'])} at {word} {last['session']}"
    )


def _pick(panel: Panel, values: np.ndarray, known: np.ndarray, persons: int, seed: int) -> Rows:
    """Rows of some persons with two or more values."""
    codes = panel.codes[known]
    able = np.flatnonzero(np.bincount(codes, minlength=panel.n_persons) >= 2)
    chosen = np.random.default_rng(seed).choice(able, min(persons, len(able)), replace=False)
    rows = np.flatnonzero(known)[np.isin(codes, chosen)]
    labels = panel.persons[panel.codes[rows]]
    made = zip(labels, panel.sessions[rows], values[rows], strict=True)
    return [_row(str(p), int(s), float(v)) for p, s, v in made]


def _row(person: str, session: int, value: float) -> Row:
    return {"person": person, "session": session, "value": clean(value)}
