"""Missing values by column and session."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..descriptions import missingness
from ..errors import PanelError
from ..options import A_WIDTH, NAMES, PANEL, TEXT, known_name, takes, whole_number
from ..panel import Panel
from ..words import capital, counted, percent_words
from .figure import Rows, along, clean, figure, source, tip
from .trajectories import FEWEST

if TYPE_CHECKING:
    import altair as alt


@takes(PanelError, panel=PANEL, columns=NAMES, fewest=whole_number(1), note=TEXT, width=A_WIDTH)
def missing(
    panel: Panel, columns: Sequence[str] | None = None, *, fewest: int = 1, note: str = "", width: int = 640
) -> alt.LayerChart:
    """Share of missing values by column and session number, for the sessions attended.

    columns : default the numeric columns without a role in which something is missing. fewest : session numbers that
    fewer attended are left out. note : ends the subtitle. width : of the whole figure, in pixels.

    Raises
    ------
    PanelError : an unknown column.
    """
    chosen = tuple(columns) if columns is not None else _numeric(panel)
    for name in chosen:
        known_name("column", name, panel.columns, PanelError)
    gaps = {name: panel.series(name).is_null().to_numpy() for name in chosen}
    if columns is None:
        gaps = {name: gap for name, gap in gaps.items() if gap.any()} or gaps
    table = missingness(gaps, panel.sessions)
    share = table.share_by_session
    rows = [
        {"column": name, "_place": i, "session": int(s), "share": clean(share[i, j]), "sessions": int(table.rows[j])}
        for i, name in enumerate(gaps)
        for j, s in enumerate(table.session)
        if table.rows[j] >= fewest
    ]
    total = float(table.missing.sum() / max(1, len(panel) * len(chosen)))
    title = f"{percent_words(total)} of the values are missing"
    if total:
        worst = int(np.argmax(table.share))
        title += f", most in {table.columns[worst]} ({percent_words(float(table.share[worst]))})"
    listed = counted(len(gaps), "column")
    among = f"{len(gaps)} of {len(chosen)} columns, those with a gap" if len(gaps) < len(chosen) else listed
    return figure(
        [_cells(panel, _most(share, table.rows), float(share.max(initial=0)))],
        {"missing": rows},
        title=title,
        subtitle=[
            f"Colour: share missing among the sessions attended; {among}. All are counted: no sampling error.",
            note,
        ],
        seen=_seen(rows, panel.roles.session),
        width=width,
        height=max(60, 15 * len(gaps)),
        heads={
            "session": capital(panel.roles.session),
            "share": "Share missing",
            "sessions": f"{capital(panel.roles.session)}s",
        },
    )


def _cells(panel: Panel, most: float, largest: float) -> Any:
    import altair as alt

    shades = alt.Scale(range="ramp", domain=[0.0, most / 2, most], clamp=True)
    above = " or more" if largest > most else ""
    legend = alt.Legend(
        orient="top",
        direction="horizontal",
        gradientLength=140,
        gradientThickness=9,
        values=[0, most / 2, most],
        labelExpr=f"format(datum.value, '.1~%') + (datum.value >= {most} ? '{above}' : '')",
    )
    tips = [
        alt.Tooltip("column:N"),
        tip("session:O", panel.roles.session),
        alt.Tooltip("share:Q", format=".1%", title="missing"),
        alt.Tooltip("sessions:Q", title="of sessions"),
    ]
    x = alt.X(
        "session:O", title=along(panel.roles.session), axis=alt.Axis(labelAngle=0, labelOverlap=True, ticks=False)
    )
    return (
        source("missing")
        .mark_rect()
        .encode(
            x=x,
            y=alt.Y(
                "column:N",
                title=None,
                sort=alt.EncodingSortField("_place", op="min"),
                axis=alt.Axis(labelLimit=130, ticks=False),
            ),
            color=alt.Color("share:Q", title="missing", scale=shades, legend=legend),
            tooltip=tips,
        )
    )


def _seen(rows: Rows, word: str) -> str:
    worst = max(rows, key=lambda row: row["share"], default=None)
    if worst is None or not worst["share"]:
        return ""
    return f"The largest share is {percent_words(worst['share'])}, in {worst['column']} at {word} {worst['session']}"


def _most(share: np.ndarray, attended: np.ndarray) -> float:
    """Share of the darkest colour, 1 % or more: the largest at sessions that enough persons attend, so that one person
    without a value at the last session does not make all else pale."""
    enough = attended >= min(FEWEST, int(attended.max(initial=0)))
    return max(0.01, float(share[:, enough].max(initial=0)))


def _numeric(panel: Panel) -> tuple[str, ...]:
    roles = panel.roles.taken().values()
    return tuple(name for name in panel.columns if name not in roles and panel.is_numeric(name))
