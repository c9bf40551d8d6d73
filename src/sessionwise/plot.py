"""Figures: each a function of a Panel that returns an Altair chart, for notebook, page and file alike.

One house style: the title states the finding, the subtitle says what is drawn, labels stand at the
marks, uncertainty is always drawn, colours are safe for colour-blind readers (Okabe & Ito 2008).
Save with chart.save("figure.svg") or .png, .pdf, .html; nothing is fetched from a network.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .describe import drop_out, missingness
from .errors import PanelError, nearest, some

if TYPE_CHECKING:
    import altair as alt

    from .panel import Panel

BLUE, GREY, INK = "#0072B2", "#8a8a8a", "#222222"
#: An average is drawn where at least so many persons are left: fewer make a wild line.
FEWEST = 20
#: A title claims a change only if so many persons show it.
FEWEST_FOR_A_CLAIM = 10
_FONT = "Helvetica, Arial, 'Liberation Sans', sans-serif"


def trajectories(panel: Panel, column: str, *, persons: int = 40, seed: int = 0, note: str = "") -> alt.LayerChart:
    """Average course of a column over sessions with its 95 % interval, and a sample of persons.

    Parameters
    ----------
    panel, column : what to draw.
    persons : how many single persons are drawn thin, drawn at random among those with two sessions or more.
    seed : of that draw.
    note : ends the subtitle.

    Raises
    ------
    PanelError : no such numeric column, or no value in it.
    """
    import altair as alt

    values = panel[column]
    known = np.isfinite(values)
    if not known.any():
        raise PanelError(f"column {column!r} has no value to draw.", remedy="Choose another column.")
    average = _average(panel.sessions[known], values[known])
    picked = _pick(panel, column, known, persons, seed)
    title, subtitle = _course_in_words(panel, column, average, len({row["person"] for row in picked}))
    x = _sessions(panel)
    y = alt.Y("value:Q", title=column, scale=alt.Scale(zero=False))
    thin = alt.OverlayMarkDef(size=6, color=GREY, opacity=0.35)
    lines = (
        alt.Chart(_data(picked))
        .mark_line(strokeWidth=0.8, opacity=0.35, color=GREY, point=thin)
        .encode(x=x, y=y, detail="person:N", tooltip=["person:N", "session:Q", alt.Tooltip("value:Q", format=".3~g")])
    )
    base = alt.Chart(_data(average)).encode(x=x)
    band = base.mark_area(opacity=0.25, color=BLUE).encode(y="low:Q", y2="high:Q")
    tips = ["session:Q", *(alt.Tooltip(f"{name}:Q", format=".3~g") for name in ("mean", "low", "high")), "n:Q"]
    bold = alt.OverlayMarkDef(size=30, color=BLUE)
    mean = base.mark_line(strokeWidth=3, color=BLUE, point=bold).encode(y="mean:Q", tooltip=tips)
    label = (
        alt.Chart(_data(average[-1:]))
        .mark_text(align="left", dx=8, color=BLUE, fontWeight="bold", fontSize=12)
        .encode(x=x, y="mean:Q", text=alt.value("mean"))
    )
    return _styled(alt.layer(lines, band, mean, label), title, [*subtitle[:-1], f"{subtitle[-1]} {note}".strip()])


def dropout(panel: Panel, *, note: str = "") -> alt.LayerChart:
    """Share of persons still in treatment at each session, with a pointwise 95 % interval.

    A person is in treatment until their last attended session; why it ended is not known here.
    """
    import altair as alt

    curve = drop_out(panel)
    rows = [
        {"session": int(s), "share": float(p), "low": float(a), "high": float(b), "persons": int(n)}
        for s, p, a, b, n in zip(curve.session, curve.share, curve.low, curve.high, curve.persons, strict=True)
    ]
    if rows:
        rows.append({**rows[-1], "session": rows[-1]["session"] + 0.5})  # so that the last step has a width
    word = panel.roles.session
    half = next((r for r in rows if r["share"] < 0.5), None)
    title = (
        f"Half of the persons have ended before {word} {half['session']}"
        if half
        else f"{rows[-1]['share']:.0%} of the persons reach {word} {int(curve.session[-1])}"
    )
    subtitle = [
        f"Share of {panel.n_persons:,} persons whose last attended {word} is this one or later, with 95 % interval.",
        f"Why they ended (completed or dropped out) is not known here. {note}".strip(),
    ]
    x = _sessions(panel)
    base = alt.Chart(_data(rows)).encode(x=x)
    band = base.mark_area(opacity=0.25, color=BLUE, interpolate="step-after").encode(
        y=alt.Y("low:Q", title="still in treatment", axis=alt.Axis(format=".0%"), scale=alt.Scale(domain=[0, 1])),
        y2="high:Q",
    )
    tips = ["session:Q", "persons:Q", *(alt.Tooltip(f"{name}:Q", format=".1%") for name in ("share", "low", "high"))]
    line = base.mark_line(strokeWidth=2.5, color=BLUE, interpolate="step-after").encode(y="share:Q", tooltip=tips)
    return _styled(alt.layer(band, line), title, subtitle)


def missing(panel: Panel, columns: Sequence[str] | None = None, *, note: str = "") -> alt.LayerChart:
    """Share of missing values by column and session number, for the sessions attended.

    columns : default the numeric columns without a role in which something is missing.

    Raises
    ------
    PanelError : an unknown column.
    """
    import altair as alt

    chosen = tuple(columns) if columns is not None else _numeric(panel)
    for name in chosen:
        if name not in panel:
            raise PanelError(
                f"there is no column {name!r}.{nearest(name, panel.columns)}",
                where=f"columns: {some(panel.columns, 12)}",
                remedy="Name columns of the Panel.",
            )
    gaps = {name: panel.series(name).is_null().to_numpy() for name in chosen}
    if columns is None:
        gaps = {name: gap for name, gap in gaps.items() if gap.any()} or gaps
    table = missingness(gaps, panel.sessions)
    share = table.share_by_session
    rows = [
        {"column": name, "session": int(s), "share": float(share[i, j]), "rows": int(table.rows[j])}
        for i, name in enumerate(gaps)
        for j, s in enumerate(table.session)
    ]
    total = float(table.missing.sum() / max(1, len(panel) * len(chosen)))
    title = f"{_percent(total)} of the values are missing"
    if total:
        worst = int(np.argmax(table.share))
        title += f", most in {table.columns[worst]} ({_percent(float(table.share[worst]))})"
    among = (
        f"{len(gaps)} of {len(chosen)} columns, those with a gap" if len(gaps) < len(chosen) else f"{len(gaps)} columns"
    )
    subtitle = [f"Share missing among the sessions attended; {among}. {note}".strip()]
    shades = alt.Scale(range=["#f2f2f2", BLUE, "#00243a"], domain=_shades(share))
    tips = ["column:N", "session:O", alt.Tooltip("share:Q", format=".1%"), alt.Tooltip("rows:Q", title="sessions")]
    cells = (
        alt.Chart(_data(rows))
        .mark_rect()
        .encode(
            x=alt.X("session:O", title=panel.roles.session, axis=alt.Axis(labelAngle=0)),
            y=alt.Y("column:N", title=None, sort=list(gaps)),
            color=alt.Color(
                "share:Q",
                title="missing",
                scale=shades,
                legend=alt.Legend(format=".1~%"),
            ),
            tooltip=tips,
        )
    )
    return _styled(alt.layer(cells), title, subtitle, height=max(120, 13 * len(gaps)))


def _course_in_words(panel: Panel, column: str, average: list[dict[str, Any]], drawn: int) -> tuple[str, list[str]]:
    """Title and subtitle of the average course."""
    first, last = average[0], average[-1]
    change = _within_slope(panel, column)
    per = f"a {panel.roles.session} within persons"
    if change is None:
        title = f"{column} is {_three(first['mean'])} on average at {panel.roles.session} {first['session']}"
    elif change[1] * change[2] <= 0:
        title = f"{column} does not clearly rise or fall over {panel.roles.session}s"
    else:
        low, high = sorted(abs(limit) for limit in change[1:])
        verb = "falls" if change[0] < 0 else "rises"
        title = f"{column} {verb} {_three(abs(change[0]))} {per} (95 % interval {_three(low)} to {_three(high)})"
    cut = last["session"] < panel.sessions.max()
    interval = ", 95 % interval" if any(row["low"] is not None for row in average) else ""
    until = f", drawn while at least {FEWEST} persons attend" if cut else ""
    return title, [
        f"Blue: mean of those attending{interval}{until} ({first['n']:,} at first, {last['n']:,} at last).",
        (f"Grey: {drawn} of {panel.n_persons:,} persons. " if drawn else "")
        + "Who leaves early is not in the later means.",
    ]


def _within_slope(panel: Panel, column: str) -> tuple[float, float, float] | None:
    """Change a session within persons, with its 95 % interval (errors clustered by person); None if none can be had.

    Both are centred on the person's mean, so persons who leave early or late do not make a trend. Errors
    are clustered by person with t of persons − 1 degrees of freedom; under ten persons they are too small.
    """
    known = np.isfinite(panel[column])
    codes, x, y = panel.codes[known], panel.sessions[known].astype(np.float64), panel[column][known]
    n = np.maximum(np.bincount(codes, minlength=panel.n_persons), 1)
    x, y = (v - (np.bincount(codes, v, panel.n_persons) / n)[codes] for v in (x, y))
    total = float(x @ x)
    persons = len(np.unique(codes[x != 0]))
    if total == 0 or persons < FEWEST_FOR_A_CLAIM:
        return None
    slope = float(x @ y) / total
    by_person = np.bincount(codes, x * (y - slope * x), panel.n_persons)
    error = float(np.sqrt(by_person @ by_person * persons / (persons - 1))) / total
    half = _t975(persons - 1) * error
    return slope, slope - half, slope + half


def _sessions(panel: Panel) -> alt.X:
    import altair as alt

    axis = alt.Axis(tickMinStep=1, format="d", grid=False)
    domain = alt.Scale(zero=False, nice=False, padding=12)
    return alt.X("session:Q", title=panel.roles.session, axis=axis, scale=domain)


def _average(sessions: np.ndarray, values: np.ndarray) -> list[dict[str, Any]]:
    """Mean and 95 % interval (t) at each session number with enough persons; no interval for a single value."""
    numbers, codes, n = np.unique(sessions, return_inverse=True, return_counts=True)
    mean = np.bincount(codes, values) / n
    spread = np.sqrt(np.bincount(codes, (values - mean[codes]) ** 2) / np.maximum(n - 1, 1) / n)
    enough = n >= min(FEWEST, int(n.max()))
    half = _t975(np.maximum(n - 1, 1)) * spread
    rows = zip(numbers[enough], mean[enough], half[enough], n[enough], strict=True)
    return [{"session": int(s), "mean": float(m), **_ends(m, h, k), "n": int(k)} for s, m, h, k in rows]


def _ends(mean: float, half: float, n: int) -> dict[str, float | None]:
    return {"low": float(mean - half), "high": float(mean + half)} if n > 1 else {"low": None, "high": None}


def _t975(df: Any) -> Any:
    """97.5 % point of the t distribution."""
    from scipy.special import stdtrit

    return stdtrit(df, 0.975)


def _pick(panel: Panel, column: str, known: np.ndarray, persons: int, seed: int) -> list[dict[str, Any]]:
    """Rows of some persons with two or more values."""
    codes = panel.codes[known]
    counts = np.bincount(codes, minlength=panel.n_persons)
    able = np.flatnonzero(counts >= 2)
    chosen = np.random.default_rng(seed).choice(able, min(persons, len(able)), replace=False)
    rows = np.flatnonzero(known)[np.isin(codes, chosen)]
    values, sessions = panel[column], panel.sessions
    labels = panel.persons[panel.codes[rows]]
    return [
        {"person": str(p), "session": int(s), "value": float(v)}
        for p, s, v in zip(labels, sessions[rows], values[rows], strict=True)
    ]


def _shades(share: np.ndarray) -> list[float]:
    """Where the colours stand: none, half and most of the largest share (at least 1 %)."""
    most = max(0.01, float(share.max(initial=0)))
    return [0.0, most / 2, most]


def _numeric(panel: Panel) -> tuple[str, ...]:
    roles = panel.roles.named().values()
    return tuple(name for name in panel.columns if name not in roles and panel.is_numeric(name))


def _data(rows: list[dict[str, Any]]) -> alt.InlineData:
    import altair as alt

    return alt.InlineData(values=rows)


def _styled(chart: Any, title: str, subtitle: list[str], height: int = 320) -> alt.LayerChart:
    import altair as alt

    head = alt.TitleParams(title, subtitle=subtitle, anchor="start", fontSize=16, subtitleFontSize=11, offset=12)
    styled: alt.LayerChart = (
        chart.properties(width=620, height=height, title=head, description=f"{title}. {' '.join(subtitle)}")
        .configure(font=_FONT, background="white", padding=12)
        .configure_view(stroke=None)
        .configure_title(color=INK, subtitleColor="#555555")
        .configure_axis(gridColor="#e8e8e8", domainColor="#999999", tickColor="#999999", titleColor=INK, labelColor=INK)
    )
    return styled


def _three(number: float) -> str:
    return f"{number:.3g}"


def _percent(share: float) -> str:
    if share == 0:
        return "None"
    return "Under 0.1 %" if share < 0.001 else f"{100 * share:.2g} %"
