"""Episodes: small multiples of persons in whom a detector found something, each with the spans of their events."""

from __future__ import annotations

import io
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import PanelError
from ..events import Episodes
from ..options import A_PATH, A_WIDTH, PANEL, TEXT, an_object, takes, whole_number
from ..outputs import Place, write_files
from ..panel import Panel
from ..words import counted, percent
from .figure import Row, Rows, clean, figure, shortened, source, tip

if TYPE_CHECKING:
    import altair as alt

EPISODES = an_object("Episodes")
#: Pixels of one person's row of small figures.
ROW = 110
#: Room between two small figures, as a share of one.
GAP = 0.12


@takes(PanelError, panel=PANEL, found=EPISODES, persons=whole_number(1, 100), note=TEXT, width=A_WIDTH)
def episodes(panel: Panel, found: Episodes, *, persons: int = 12, note: str = "", width: int = 640) -> alt.LayerChart:
    """Courses of the persons with the strongest evidence, their events marked.

    Parameters
    ----------
    panel, found : the data, and what `detect` found in them.
    persons : how many are drawn.
    note : ends the subtitle. width : of the whole figure, in pixels.

    Raises
    ------
    PanelError : nothing was found, or in other data.
    """
    if not len(found):
        raise PanelError("nothing was found that could be drawn.", remedy="Print what was found; or use another rule.")
    column = found.detector.column
    if column not in panel or len(panel.persons) != len(found.persons) or (panel.persons != found.persons).any():
        raise PanelError("these events were found in other data.", remedy="Give the Panel that detect was given.")
    who = _strongest(found, persons)
    across = min(4, len(who), max(1, width // 150))
    frame = _Frame(panel, column, who, across)
    down = -(-len(who) // across)
    counts = found.counts
    title = f"{counted(counts.with_events, 'person')} of {counts.assessed:,} with {_kinds(counts.kinds)}"
    return figure(
        _layers(panel, column, across, down),
        {"ratings": frame.ratings(), "spans": frame.spans(found), "names": frame.names()},
        title=title,
        subtitle=[
            f"{column} over {panel.roles.session}s; the {counted(len(who), 'person')} with the strongest evidence. "
            "Shaded: from before the event to its end; dot: where it turned. All have the same scales.",
            _chance(found),
            f"Rule: {found.detector.rule}.",
            note,
        ],
        seen="Single courses with their events",
        width=width,
        height=ROW * down,
    )


@takes(PanelError, panel=PANEL, found=EPISODES, folder=A_PATH)
def write_episodes(panel: Panel, found: Episodes, folder: str | PathLike[str]) -> tuple[Path, ...]:
    """The figure of `episodes` as FOLDER/KEY-COLUMN.png, or nothing where nothing was found.

    Raises
    ------
    SessionwiseError : the folder holds a file of such a name that this package did not write, or cannot be written.
    """
    from .write import SCALE

    if not len(found):
        return ()
    name = f"{found.detector.key}-{found.detector.column}"
    safe = "".join(c if c.isalnum() or c in "_-." else "_" for c in name)[:80]
    file = io.BytesIO()
    chart: Any = episodes(panel, found)
    chart.save(file, format="png", scale_factor=SCALE)
    return write_files({Place(Path(folder) / f"{safe}.png", named=False, folder=True): file.getvalue()})


def _kinds(kinds: dict[str, int]) -> str:
    return " or ".join(kind for kind, n in kinds.items() if n)


def _chance(found: Episodes) -> str:
    if found.false_alarms is None:
        return ""
    one = found.false_alarms.expected
    course = "courses like these" if one.shape == found.false_alarms.best else "courses without change"
    return (
        f"By chance {percent(one.share)} of persons are found in {course} without any event (95 % interval of the "
        f"simulation ±{percent(1.96 * one.se, 1)})."
    )


def _strongest(found: Episodes, most: int) -> np.ndarray:
    """Positions of the persons with the strongest evidence, ascending."""
    strength = np.zeros(len(found.persons))
    np.maximum.at(strength, found.found.person, np.nan_to_num(found.found.evidence, posinf=1e300))
    able = found.found.persons
    return np.sort(able[np.argsort(-strength[able], kind="stable")][:most])


class _Frame:
    """Where each person's small figure stands: columns and rows of unit squares."""

    def __init__(self, panel: Panel, column: str, who: np.ndarray, across: int) -> None:
        self.panel, self.who, self.across = panel, who, across
        values = panel[column]
        self.rows = [np.arange(panel.starts[i], panel.starts[i + 1]) for i in who]
        self.rows = [rows[np.isfinite(values[rows])] for rows in self.rows]
        self.values = values
        every = np.concatenate(self.rows)
        self.first, last = int(panel.sessions[every].min()), int(panel.sessions[every].max())
        self.length = max(1, last - self.first)
        self.low = float(values[every].min())
        self.span = float(values[every].max()) - self.low or 1.0

    def x(self, k: int, session: float) -> float:
        return k % self.across + (1 - GAP) * (session - self.first) / self.length

    def y(self, k: int, value: float) -> float:
        return -(k // self.across) - 0.25 - 0.68 * (1 - (value - self.low) / self.span)

    def ratings(self) -> Rows:
        return [
            {
                "person": str(self.panel.persons[i]),
                "session": int(self.panel.sessions[r]),
                "value": clean(float(self.values[r])),
                "_x": clean(self.x(k, float(self.panel.sessions[r]))),
                "_y": clean(self.y(k, float(self.values[r]))),
            }
            for k, (i, rows) in enumerate(zip(self.who, self.rows, strict=True))
            for r in rows
        ]

    def spans(self, found: Episodes) -> Rows:
        place = {int(i): k for k, i in enumerate(self.who)}
        f, rows = found.found, []
        for n in range(len(f)):
            if (k := place.get(int(f.person[n]))) is None:
                continue
            own = self.rows[k]
            at = own[self.panel.sessions[own] == f.turning[n]][0]
            start, end = int(f.start[n]), int(f.end[n])
            row: Row = {
                "person": str(self.panel.persons[self.who[k]]),
                "kind": found.detector.kinds[int(f.kind[n])],
                "start": start,
                "turning": int(f.turning[n]),
                "end": end,
                "evidence": clean(float(f.evidence[n])),
                "_x": clean(self.x(k, start)),
                "_x2": clean(self.x(k, end if end > start else start + 0.2)),
                "_y": clean(self.y(k, self.low)),
                "_y2": clean(self.y(k, self.low + self.span)),
                "_xt": clean(self.x(k, float(f.turning[n]))),
                "_yt": clean(self.y(k, float(self.values[at]))),
            }
            rows.append(row)
        return rows

    def names(self) -> Rows:
        return [
            {"person": shortened(str(self.panel.persons[i])), "_x": k % self.across, "_y": -(k // self.across) - 0.12}
            for k, i in enumerate(self.who)
        ]


def _layers(panel: Panel, column: str, across: int, down: int) -> list[Any]:
    import altair as alt

    x = alt.X("_x:Q", axis=None, scale=alt.Scale(domain=[-0.02, across], nice=False))
    y = alt.Y("_y:Q", axis=None, scale=alt.Scale(domain=[-down, 0], nice=False))
    who = tip("person:N", panel.roles.person)
    spans = source("spans")
    shown = [who, tip("kind:N", "kind"), tip("start:Q", "from"), tip("turning:Q", "turning"), tip("end:Q", "to")]
    band = spans.mark_rect(style="above-band").encode(x=x, x2="_x2:Q", y=y, y2="_y2:Q", tooltip=shown)
    ratings = source("ratings").encode(x=x, y=y)
    line = ratings.mark_line(style="average-line", strokeWidth=1.2).encode(detail=alt.Detail("person:N"))
    tips = [who, tip("session:Q", panel.roles.session), tip("value:Q", column, ".3~g")]
    points = ratings.mark_point(style="average-point", size=9).encode(tooltip=tips)
    turning = spans.mark_point(style="above-point").encode(
        x=alt.X("_xt:Q", axis=None), y=alt.Y("_yt:Q", axis=None), tooltip=shown
    )
    names = source("names").mark_text(style="small-text", align="left").encode(x=x, y=y, text=alt.Text("person:N"))
    return [band, line, points, turning, names]
