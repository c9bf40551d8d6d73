"""Expected course: small multiples of persons, each with the band expected beforehand and where they left it."""

from __future__ import annotations

import io
from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import PanelError
from ..events import TrackedCourse
from ..options import A_PATH, A_WIDTH, PERSONS, TEXT, an_object, takes
from ..outputs import Place, write_files
from ..words import counted, num, percent
from .figure import Rows, clean, figure, source, tip

TRACKED = an_object("TrackedCourse")
#: Persons drawn where nobody is asked for.
MOST = 12
#: Pixels of one person's row of small figures.
ROW = 120
ALARMS = ("not on track", "reliably worse")


@takes(PanelError, tracked=TRACKED, persons=PERSONS, note=TEXT, width=A_WIDTH)
def expected_course(
    tracked: TrackedCourse, *, persons: Iterable[Any] | None = None, note: str = "", width: int = 640
) -> Any:
    """Courses of persons beside the course that was expected from their baseline.

    Parameters
    ----------
    tracked : what `LearnedCourse.track` gave.
    persons : labels of those to be drawn; None: the first 12 who are not on track at their last rating.
    note : ends the subtitle. width : of the whole figure, in pixels.

    Raises
    ------
    PanelError : nobody to draw, or no such person.
    """
    import altair as alt

    wanted = [str(label) for label in (tracked.alarmed[:MOST] if persons is None else persons)]
    if not wanted:
        remedy = "Name the persons who are to be drawn: persons=[...]."
        raise PanelError("everybody who can be judged is on track.", remedy=remedy)
    rows = _rows(tracked, wanted)
    d, across = tracked.course.described, min(4, len(wanted), max(1, width // 150))
    down = -(-len(wanted) // across)
    counts = tracked.counts
    frame = _placed(rows, wanted, across)
    x = alt.X("_x:Q", axis=None, scale=alt.Scale(domain=[-0.02, across], nice=False))
    y = alt.Y("_y:Q", axis=None, scale=alt.Scale(domain=[-down, 0], nice=False))
    shown = [tip("person:N", tracked.person), tip("session:Q", tracked.session), tip("rating:Q", d.column, ".3~g")]
    shown += [tip("course:Q", "expected", ".3~g"), tip("low:Q", "low", ".3~g"), tip("high:Q", "high", ".3~g")]
    shown += [tip("status:N", "status")]
    who = alt.Detail("person:N")
    ratings = source("ratings").encode(x=x, y=y)
    layers = [
        source("bands")
        .mark_area(style="above-band")
        .encode(x=x, y=alt.Y("_low:Q", axis=None), y2="_high:Q", detail=who),
        ratings.mark_line(style="average-line", strokeWidth=1.2).encode(detail=who),
        ratings.mark_point(style="average-point", size=9).encode(tooltip=shown),
        source("alarms").mark_point(style="above-point").encode(x=x, y=y, tooltip=shown),
        source("names").mark_text(style="small-text", align="left").encode(x=x, y=y, text=alt.Text("person:N")),
    ]
    names: Rows = [
        {"person": label[:18], "_x": k % across, "_y": -(k // across) - 0.12} for k, label in enumerate(wanted)
    ]
    off = counts["not on track"] + counts["reliably worse"]
    return figure(
        layers,
        {
            "ratings": frame,
            "bands": [row for row in frame if row["_low"] is not None],
            "alarms": [row for row in frame if row["status"] in ALARMS],
            "names": names,
        },
        title=f"{counted(off, 'person')} of {len(tracked.persons):,} not on track at the last rating",
        subtitle=[
            f"{d.column} over {tracked.session}s, {counted(len(wanted), 'person')}. Shade: {percent(d.level)} interval "
            f"from baseline; marked: beyond it on the worse side, or worse by {num(d.reliable_change)}. "
            f"{_scales(rows, tracked.session, d.column)}",
            note,
        ],
        seen="Single courses beside the course expected",
        width=width,
        height=ROW * down,
    )


@takes(PanelError, tracked=TRACKED, folder=A_PATH, persons=PERSONS)
def write_expected_course(
    tracked: TrackedCourse, folder: str | PathLike[str], persons: Iterable[Any] | None = None
) -> tuple[Path, ...]:
    """The figure of `expected_course` as FOLDER/track-COLUMN.png, or nothing where there is nobody to draw.

    Raises
    ------
    SessionwiseError : the folder holds a file of such a name that this package did not write, or cannot be written.
    """
    from .write import SCALE

    if persons is None and not len(tracked.alarmed):
        return ()
    safe = "".join(c if c.isalnum() or c in "_-." else "_" for c in tracked.course.described.column)[:80]
    file = io.BytesIO()
    chart: Any = expected_course(tracked, persons=persons)
    chart.save(file, format="png", scale_factor=SCALE)
    return write_files({Place(Path(folder) / f"track-{safe}.png", named=False, folder=True): file.getvalue()})


def _rows(tracked: TrackedCourse, wanted: list[str]) -> list[dict[str, Any]]:
    columns = tracked.columns()
    labels = [str(label) for label in columns["person"]]
    if missing := sorted(set(wanted) - set(labels)):
        raise PanelError(f"there is no person {missing[0]!r} with ratings.", remedy="Use labels as in the data.")
    keep = set(wanted)
    return [
        {
            "person": labels[i],
            "session": columns["session"][i],
            "rating": columns["rating"][i],
            "course": columns["course"][i],
            "low": columns["course_low"][i],
            "high": columns["course_high"][i],
            "status": columns["status"][i],
        }
        for i in range(len(labels))
        if labels[i] in keep
    ]


def _scales(rows: list[dict[str, Any]], session: str, column: str) -> str:
    """What all panels reach over."""
    low, high = (num(end) for end in _reach(rows))
    sessions = [row["session"] for row in rows]
    return f"Each from {session} {min(sessions):g} to {max(sessions):g} and {column} {low} to {high}."


def _reach(rows: list[dict[str, Any]]) -> tuple[float, float]:
    """Least and greatest of ratings and bands."""
    numbers = np.array([[row[name] for name in ("rating", "low", "high")] for row in rows], np.float64)
    return float(np.nanmin(numbers)), float(np.nanmax(numbers))


def _placed(rows: list[dict[str, Any]], wanted: list[str], across: int) -> Rows:
    """The rows with their places in unit squares, column by column; all persons have the same scales."""
    low, high = _reach(rows)
    sessions = [row["session"] for row in rows]
    first, length = min(sessions), max(1, max(sessions) - min(sessions))
    place = {label: k for k, label in enumerate(wanted)}

    def up(k: int, value: float) -> float:
        return -(k // across) - 0.25 - 0.68 * (1 - (value - low) / ((high - low) or 1.0))

    judged = {row["person"] for row in rows if np.isfinite(row["low"])}
    made: Rows = []
    for row in rows:
        k = place[row["person"]]
        known = bool(np.isfinite(row["low"]))
        # the band opens from the rating that it is expected from
        band = (row["low"], row["high"]) if known else (row["rating"],) * 2 if row["person"] in judged else None
        made.append(
            {name: clean(value) if isinstance(value, float) else value for name, value in row.items()}
            | {
                "low": clean(row["low"]) if known else None,
                "_x": clean(k % across + 0.88 * (row["session"] - first) / length),
                "_y": clean(up(k, row["rating"])),
                "_low": None if band is None else clean(up(k, band[0])),
                "_high": None if band is None else clean(up(k, band[1])),
            }
        )
    return made
