"""Drop-out: how many persons are still in treatment at each session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..descriptions import drop_out
from ..errors import PanelError
from ..options import A_WIDTH, PANEL, TEXT, takes, whole_number
from ..panel import Panel
from ..words import counted, percent_words
from .axes import sessions_axis
from .figure import Rows, clean, figure, source, tip

if TYPE_CHECKING:
    import altair as alt


@takes(PanelError, panel=PANEL, fewest=whole_number(1), note=TEXT, width=A_WIDTH)
def dropout(panel: Panel, *, fewest: int = 1, note: str = "", width: int = 640) -> alt.LayerChart:
    """Share of persons still in treatment at each session, with a pointwise 95 % interval.

    A person is in treatment until their last attended session; why it ended is not known here.

    fewest : sessions that fewer persons reach are left out. note : ends the subtitle. width : of the whole figure, in
    pixels.
    """
    curve = drop_out(panel)
    columns = zip(curve.session, curve.share, curve.low, curve.high, curve.persons, strict=True)
    rows: Rows = [
        {"session": int(s), "share": clean(p), "low": clean(a), "high": clean(b), "persons": int(n)}
        for s, p, a, b, n in columns
        if n >= fewest
    ]
    wide: Rows = [{**row, "session": row["session"] + 0.5} for row in rows[-1:]]  # so that the last step has a width
    word = panel.roles.session
    subtitle = [
        f"Line: share of {counted(panel.n_persons, 'person')} whose last attended {word} is this one or later; "
        "band: 95 % interval.",
        "Why they ended (completed or dropped out) is not known here.",
        note,
    ]
    return figure(
        _layers(panel),
        {"share": rows, "steps": [*rows, *wide]},
        title=_title(rows, word),
        subtitle=subtitle,
        seen=_seen(rows, word),
        width=width,
        height=320,
    )


def _layers(panel: Panel) -> list[Any]:
    import altair as alt

    x = sessions_axis(panel)
    share = alt.Y("low:Q", title="still in treatment", axis=alt.Axis(format=".0%"), scale=alt.Scale(domain=[0, 1]))
    base = source("steps").encode(x=x)
    band = base.mark_area(style="average-band", interpolate="step-after").encode(y=share, y2=alt.Y2("high:Q"))
    line = base.mark_line(style="average-line", interpolate="step-after").encode(y=alt.Y("share:Q"))
    tips = [
        tip("session:Q", panel.roles.session),
        alt.Tooltip("persons:Q"),
        *(alt.Tooltip(f"{name}:Q", format=".1%") for name in ("share", "low", "high")),
    ]
    dots = source("share").mark_point(style="average-point").encode(x=x, y=alt.Y("share:Q"), tooltip=tips)
    return [band, line, dots]


def _title(rows: Rows, word: str) -> str:
    if not rows:
        return "No person attended a session"
    half = next((row for row in rows if row["share"] < 0.5), None)
    if half:
        return f"Half of the persons have ended before {word} {half['session']}"
    return f"{percent_words(rows[-1]['share'])} of the persons reach {word} {rows[-1]['session']}"


def _seen(rows: Rows, word: str) -> str:
    """The share at a few sessions."""
    if not rows:
        return ""
    some = [rows[round(i * (len(rows) - 1) / 3)] for i in range(4)]
    told = dict.fromkeys(f"{percent_words(row['share'])} at {word} {row['session']}" for row in some)
    return f"Still in treatment: {'; '.join(told)}"
