"""Scatter: whether sessions after a better process than a person's usual have a better outcome than usual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import PanelError
from ..options import A_DICT, A_NAME, A_SEED, A_WIDTH, PANEL, TEXT, takes, whole_number
from ..panel import Panel
from ..words import counted, figure_interval, figure_number
from .axes import hovered_person, lit, person_tips
from .figure import Row, Rows, along, clean, figure, sample, source, tip, upright
from .within import FEWEST_FOR_A_CLAIM, PersonSlopes, Slope, centred, common_slope, person_slopes
from .words import Labels

if TYPE_CHECKING:
    import altair as alt

#: A line is drawn for a person with at least so many pairs of sessions.
_FEWEST_PAIRS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Sessions with an outcome and a process `lag` sessions before; m pairs.

    rows : int64 (m,), rows of the Panel of the outcome. codes : int64 (m,), positions of persons. x, y : (m,),
    process and outcome less the person's means over these pairs.
    """

    rows: np.ndarray
    codes: np.ndarray
    x: np.ndarray
    y: np.ndarray


@takes(
    PanelError,
    panel=PANEL,
    outcome=A_NAME,
    process=A_NAME,
    lag=whole_number(0),
    persons=whole_number(0),
    points=whole_number(1),
    seed=A_SEED,
    note=TEXT,
    labels=A_DICT,
    width=A_WIDTH,
)
def scatter(
    panel: Panel,
    outcome: str,
    process: str,
    lag: int = 1,
    *,
    persons: int = 40,
    points: int = 1500,
    seed: int = 0,
    note: str = "",
    labels: Labels | None = None,
    width: int = 640,
) -> alt.LayerChart:
    """Within-person scatter: process `lag` sessions before against outcome, both less the person's own mean.

    Parameters
    ----------
    panel : what to draw.
    outcome, process : numeric columns.
    lag : how many session numbers the process lies before the outcome; 0 for the same session.
    persons : how many persons' lines are drawn thin, drawn at random among those with three pairs or more. A line is
        shrunken towards the average as far as the person's data are few.
    points : how many pairs are drawn at most, at random; the average line is of all.
    seed : of these draws.
    note : ends the subtitle.
    labels : column -> what to call it.
    width : of the whole figure, in pixels.

    The average slope is that within persons without other predictors; its interval is clustered by person.

    Raises
    ------
    PanelError : no such numeric column, the same column twice, a lag that is no whole number from 0 on, or no person
        in whom two pairs differ in the process.
    """
    pairs = paired(panel, outcome, process, lag)
    average = common_slope(pairs.codes, pairs.x, pairs.y, panel.n_persons)
    if average is None:
        raise PanelError(
            f"{process} does not vary within persons where {outcome} is known {_place(lag, panel)}.",
            where=f"{counted(len(pairs.rows), 'pair')} of sessions",
            remedy="Choose another lag, or columns that are measured at several sessions of a person.",
        )
    given = labels or {}
    names = given.get(outcome, outcome), given.get(process, process)
    own = person_slopes(pairs.codes, pairs.x, pairs.y, panel.n_persons)
    lines = _person_lines(panel, pairs, own, persons, seed)
    data = {
        "average": _average_rows(pairs, average),
        "pairs": _points(panel, pairs, sample(len(pairs.rows), points, seed)),
        "persons": lines,
    }
    data["last"] = data["average"][-1:]
    drawn = len(data["pairs"]), len(lines) // 2
    return figure(
        _layers(panel, names, lag, len(data["pairs"])),
        data,
        title=_title(average, names, lag, panel.roles.session),
        subtitle=[*_subtitle(panel, pairs, own, drawn), note],
        seen=f"Average slope {figure_number(average.value)}, {figure_interval(average.low, average.high)}",
        width=width,
        height=340,
        heads={
            "process": f"{_before(names[1], lag, panel.roles.session)}, less the mean",
            "outcome": f"{names[0]}, less the mean",
        },
    )


def paired(panel: Panel, outcome: str, process: str, lag: int) -> Pairs:
    """The pairs of sessions; a lag counts session numbers, so a skipped session makes no pair."""
    if outcome == process:
        raise PanelError(f"outcome and process are both {outcome!r}.", remedy="Name two different columns.")
    if isinstance(lag, bool) or not isinstance(lag, int) or lag < 0:
        raise PanelError(f"lag is {lag!r}.", remedy="Give a whole number of sessions: 0, 1, 2, ...")
    y, x = panel[outcome], panel[process]
    codes, sessions = panel.codes, panel.sessions
    span = int(sessions.max(initial=0) - sessions.min(initial=0)) + lag + 1
    key = codes * span + (sessions - sessions.min(initial=0))
    at = np.searchsorted(key, key - lag).clip(0, max(0, len(key) - 1))
    found = (key[at] == key - lag) & (codes[at] == codes) if len(key) else np.zeros(0, bool)
    before = np.where(found, x[at], np.nan) if len(key) else x
    rows = np.flatnonzero(np.isfinite(before) & np.isfinite(y))
    who = codes[rows]
    return Pairs(rows, who, centred(who, before[rows], panel.n_persons), centred(who, y[rows], panel.n_persons))


def _place(lag: int, panel: Panel) -> str:
    word = panel.roles.session
    return {0: f"at the same {word}", 1: f"a {word} later"}.get(lag, f"{lag} {word}s later")


def _before(process: str, lag: int, word: str) -> str:
    when = {0: f"at the same {word}", 1: f"at the previous {word}"}.get(lag, f"{lag} {word}s before")
    return f"{process} {when}"


def _points(panel: Panel, pairs: Pairs, chosen: np.ndarray) -> Rows:
    rows = pairs.rows[chosen]
    who, when = panel.persons[pairs.codes[chosen]], panel.sessions[rows]
    made = zip(who, when, pairs.x[chosen], pairs.y[chosen], strict=True)
    return [{"person": str(p), "session": int(s), "process": clean(x), "outcome": clean(y)} for p, s, x, y in made]


def _average_rows(pairs: Pairs, slope: Slope) -> Rows:
    """The average line from the first to the last percent of the process."""
    low, high = np.percentile(pairs.x, [1, 99])
    made: Rows = []
    for x in np.linspace(low, high, 21):
        ends = sorted((slope.low * x, slope.high * x))
        made.append(
            {"process": clean(x), "outcome": clean(slope.value * x), "low": clean(ends[0]), "high": clean(ends[1])}
        )
    return made


def _person_lines(panel: Panel, pairs: Pairs, own: PersonSlopes, persons: int, seed: int) -> Rows:
    """Two ends of each line: the range of the person's process."""
    n = np.bincount(pairs.codes, minlength=panel.n_persons)
    able = np.flatnonzero((n >= _FEWEST_PAIRS) & np.isfinite(own.value))
    made: Rows = []
    for i in able[sample(len(able), persons, seed)]:
        x = pairs.x[pairs.codes == i]
        made += [_end(str(panel.persons[i]), float(end), float(own.value[i])) for end in (x.min(), x.max())]
    return made


def _end(person: str, x: float, slope: float) -> Row:
    return {"person": person, "process": clean(x), "outcome": clean(slope * x), "slope": clean(slope)}


def _layers(panel: Panel, names: tuple[str, str], lag: int, drawn: int) -> list[Any]:
    import altair as alt

    word = panel.roles.session
    free = alt.Scale(nice=False, padding=6)
    x = alt.X(
        "process:Q",
        title=along(f"{_before(names[1], lag, word)}, less the person's mean"),
        scale=free,
        axis=alt.Axis(grid=False),
    )
    y = alt.Y("outcome:Q", title=upright(f"{names[0]}, less the person's mean"), scale=alt.Scale(nice=False, padding=6))
    hovered = hovered_person()
    tips = person_tips(panel, [("process", names[1]), ("outcome", names[0])])
    faint = 0.25 if drawn > 400 else 0.6
    faded = alt.OpacityValue(*lit(1, faint))
    points = source("pairs").mark_point(style="person-point", size=12).encode(x=x, y=y, tooltip=tips, opacity=faded)
    slope = alt.Tooltip("slope:Q", title="slope, shrunken", format=".3~g")
    lines = (
        source("persons")
        .mark_line(style="person-line")
        .encode(
            x=x,
            y=y,
            detail=alt.Detail("person:N"),
            tooltip=[tip("person:N", panel.roles.person), slope],
            opacity=alt.OpacityValue(*lit(1, 0.6)),
            strokeWidth=alt.StrokeWidthValue(*lit(2.5, 1)),
        )
    )
    end = source("last")
    zero = end.mark_rule(style="zero-line").encode(y=alt.YDatum(0))
    base = source("average").encode(x=x)
    band = base.mark_area(style="average-band").encode(y=alt.Y("low:Q"), y2=alt.Y2("high:Q"))
    tips = [alt.Tooltip(f"{name}:Q", format=".3~g") for name in ("process", "outcome", "low", "high")]
    line = base.mark_line(style="average-line").encode(y=alt.Y("outcome:Q"), tooltip=tips)
    label = end.mark_text(style="average-text", align="left", dx=4)
    label = label.encode(x=x, y=alt.Y("outcome:Q"), text=alt.TextValue("average"))
    return [points.add_params(hovered).properties(name="points"), zero, lines, band, line, label]


def _title(slope: Slope, names: tuple[str, str], lag: int, word: str) -> str:
    outcome, process = names
    after = {0: f"at {word}s with", 1: f"after {word}s with"}.get(lag, f"{lag} {word}s after")
    after = f"Before anything is held constant: {after}"
    if not slope.claim:
        return f"{after} more {process} than usual: too few persons to tell whether {outcome} differs"
    if not slope.clear:
        return f"{after} more {process} than usual, {outcome} is neither clearly higher nor lower"
    word = "lower" if slope.value < 0 else "higher"
    limits = figure_interval(*sorted((abs(slope.low), abs(slope.high))))
    size = figure_number(abs(slope.value))
    return f"{after} more {process} than usual, {outcome} is {word}, by {size} a point ({limits})"


def _subtitle(panel: Panel, pairs: Pairs, own: PersonSlopes, drawn: tuple[int, int]) -> list[str]:
    persons = len(np.unique(pairs.codes))
    total = len(pairs.rows)
    among = f"{drawn[0]:,} of {total:,}" if drawn[0] < total else f"all {total:,}"
    dots = f"Dots: {among} pairs of {panel.roles.session}s of {counted(persons, 'person')}."
    if own.sd == 0:
        lines = "Persons' slopes differ no more than chance makes them, so each person's line is the average."
    else:
        lines = (
            f"Thin: lines of {counted(drawn[1], 'person')}, shrunken to the average where data are few "
            f"(SD of slopes {figure_number(own.sd)})."
        )
    few = f" Fewer than {FEWEST_FOR_A_CLAIM} persons: read no sign from it." if persons < FEWEST_FOR_A_CLAIM else ""
    return [
        f"Thick: average slope within persons, band: 95 % interval; nothing is controlled, not even a trend.{few}",
        f"{dots} {lines}",
    ]
