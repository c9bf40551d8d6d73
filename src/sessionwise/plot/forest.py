"""Forest: the same question answered by several methods, on one scale."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from ..errors import ModelError
from ..options import A_LEVEL, A_WIDTH, ESTIMATES, TEXT, takes
from ..words import alike, counted, decimals, level_percent, with_decimals
from .figure import Row, Rows, along, clean, figure, source, wrapped

if TYPE_CHECKING:
    import altair as alt

_LINE = 13  # pixels of a line of text
_LABEL_LETTERS, _REASON_LETTERS, _HEADING_LETTERS = 26, 30, 28
_WIDE = "width > 330"  # a plot with room for numbers beside the intervals
_MOST_DECIMALS = 6
_KINDS = ("below", "neither", "above")


@dataclass(frozen=True, slots=True)
class Estimate:
    """What one method found in one direction.

    label : the method. direction : which effect, such as 'alliance → next symptoms'; estimates of one direction are a
    panel. estimate, low, high : on the scale common to all, with the interval; None (or NaN) where the method could
    not answer. note : a remark, or why it could not.
    """

    label: str
    direction: str
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    note: str = ""

    @property
    def answered(self) -> bool:
        return all(v is not None and math.isfinite(v) for v in (self.estimate, self.low, self.high))

    @property
    def kind(self) -> str:
        """Whether the interval lies 'below' zero, 'above' it, or 'neither'."""
        assert self.low is not None
        assert self.high is not None
        return "below" if self.high < 0 else "above" if self.low > 0 else "neither"


@takes(ModelError, estimates=ESTIMATES, scale=TEXT, level=A_LEVEL, title=TEXT, note=TEXT, width=A_WIDTH)
def forest(
    estimates: Iterable[Estimate | Mapping[str, Any] | Any],
    *,
    scale: str = "standardised effect within persons",
    level: float = 0.95,
    title: str | None = None,
    note: str = "",
    width: int = 640,
) -> alt.LayerChart:
    """Estimates with intervals, methods in rows, one panel a direction, all on one scale with a line at zero.

    Parameters
    ----------
    estimates : Estimate, dicts with its keys, or objects with its attributes, in the order of the rows.
    scale : what the numbers are, for the axis.
    level : of the intervals given.
    title : default how large the estimates are in each direction.
    note : ends the subtitle.
    width : of the whole figure, in pixels.

    Raises
    ------
    ModelError : no estimates, one without label or direction, or whose interval does not hold the estimate.
    """
    records = [_record(e, i) for i, e in enumerate(estimates)]
    if not records:
        raise ModelError("there are no estimates to draw.", remedy="Give at least one.")
    directions = list(dict.fromkeys(e.direction for e in records))
    placed, height = _placed(records, directions)
    unanswered = sum(not e.answered for e in records)
    missing = f" {counted(unanswered, 'answer')} could not be had; the reason stands in the row." if unanswered else ""
    return figure(
        _layers(placed, scale, height),
        {
            "estimates": [row for row in placed if row["_row"] == "estimate"],
            "headings": [row for row in placed if row["_row"] == "heading"],
        },
        title=title or _title(records, directions),
        subtitle=[
            f"Points: estimates; lines: {level_percent(level)} intervals; filled and coloured where clear of zero."
            f"{missing}",
            note,
        ],
        seen=_seen(records, directions),
        width=width,
        height=height,
    )


def _record(given: Any, i: int) -> Estimate:
    names = [f.name for f in fields(Estimate)]
    told = given if isinstance(given, Mapping) else {n: getattr(given, n) for n in names if hasattr(given, n)}
    lacking = [name for name in ("label", "direction") if not told.get(name)]
    if lacking:
        raise ModelError(
            f"an estimate has no {lacking[0]}.",
            where=f"estimate {i + 1}",
            remedy="Give label, direction, estimate, low, high and note.",
        )
    record = Estimate(**{name: told[name] for name in names if name in told})
    if record.answered and not record.low <= record.estimate <= record.high:  # type: ignore[operator]
        raise ModelError(
            f"the interval {record.low} to {record.high} does not hold the estimate {record.estimate}.",
            where=f"estimate {i + 1}, {record.label}",
            remedy="Give low <= estimate <= high.",
        )
    return record


def _placed(records: list[Estimate], directions: list[str]) -> tuple[Rows, int]:
    """Rows of both kinds with their places in pixels, and the height of all."""
    rows: Rows = []
    y = 0.0
    decimals = _decimals(records)
    for direction in directions:
        heading = wrapped(direction, _HEADING_LETTERS)
        foot = y + _LINE * len(heading) + 9
        rows.append({"_row": "heading", "direction": direction, "_text": heading, "_y": y + 12, "_top": foot})
        y = foot + 6
        for e in (e for e in records if e.direction == direction):
            label, reason = wrapped(e.label, _LABEL_LETTERS), [] if e.answered else wrapped(e.note, _REASON_LETTERS)
            tall = max(22, _LINE * max(len(label), len(reason)) + 7)
            rows.append(_row(e, label, reason, y + tall / 2, decimals))
            y += tall
        rows[-1 - sum(r.direction == direction for r in records)]["_foot"] = y
        y += 10
    return rows, round(y)


def _decimals(records: list[Estimate]) -> int:
    """So many that the largest number has three digits, without zeros that all would end with: all rows alike."""
    ends = [v for e in records if e.answered for v in (e.low, e.high) if v is not None]
    largest = max(map(abs, ends), default=0.0)
    most = decimals(largest)
    if most is None:
        most = 0 if largest > 1 else _MOST_DECIMALS
    while most and all(round(v, most - 1) == round(v, most) for v in ends):
        most -= 1
    return most


def _row(e: Estimate, label: list[str], reason: list[str], y: float, decimals: int) -> Row:
    numbers = (e.estimate, e.low, e.high) if e.answered else (None, None, None)
    point, low, high = ("" if v is None else with_decimals(v, decimals) for v in numbers)
    return {
        "direction": e.direction,
        "method": e.label,
        **dict(zip(("estimate", "low", "high"), map(clean, numbers), strict=True)),
        "note": e.note,
        "_row": "estimate",
        "_kind": e.kind if e.answered else "none",
        "_text": f"{point} [{low}, {high}]" if e.answered else "",
        "_label": label,
        "_reason": reason or [""],
        "_y": y,
        "_label_y": y - (len(label) - 1) * _LINE / 2,  # a text of several lines hangs from its first
        "_reason_y": y - (len(reason) - 1) * _LINE / 2,
    }


def _layers(placed: Rows, scale: str, height: int) -> list[Any]:
    import altair as alt

    y = alt.Y("_y:Q", scale=alt.Scale(domain=[height, 0], nice=False), axis=None)
    room = alt.Scale(zero=True, padding=8, range=[0, {"expr": f"{_WIDE} ? width - 120 : width"}])
    x = alt.X("low:Q", title=along(scale), scale=room, axis=alt.Axis(tickCount=5, grid=True))
    numbers = [alt.Tooltip(f"{name}:Q", format=".3~g") for name in ("estimate", "low", "high")]
    tips = [alt.Tooltip("method:N"), alt.Tooltip("direction:N"), *numbers, alt.Tooltip("note:N")]
    head, rows = source("headings"), source("estimates")
    layers: list[Any] = [
        head.mark_text(style="heading", align="left", x=0, lineHeight=_LINE + 1).encode(y=y, text=alt.Text("_text:N")),
        head.mark_rule(style="row-line").encode(y=alt.Y("_top:Q", axis=None)),
        head.mark_rule(style="zero-line").encode(x=alt.XDatum(0), y=alt.Y("_top:Q", axis=None), y2=alt.Y2("_foot:Q")),
    ]
    found = {row.get("_kind") for row in placed}
    for kind in [kind for kind in _KINDS if kind in found]:
        base = rows.transform_filter(f"datum._kind === '{kind}'").encode(y=y, tooltip=tips)
        layers.append(base.mark_rule(style=f"{kind}-line", strokeWidth=2).encode(x=x, x2=alt.X2("high:Q")))
        look = "hollow" if kind == "neither" else f"{kind}-point"
        layers.append(base.mark_circle(style=look, size=54).encode(x=alt.X("estimate:Q")))
    told = rows.mark_text(style="small-text", align="right", x={"expr": "width"}, opacity={"expr": f"{_WIDE} ? 1 : 0"})
    layers.append(told.encode(y=y, text=alt.Text("_text:N")))
    names = rows.mark_text(style="small-text", align="right", x=-8, lineHeight=_LINE)
    layers.append(names.encode(y=alt.Y("_label_y:Q", axis=None), text=alt.Text("_label:N"), tooltip=tips))
    for look in ("halo", "remark"):
        reason = rows.mark_text(style=look, align="left", x=4, lineHeight=_LINE, fontStyle="italic")
        layers.append(reason.encode(y=alt.Y("_reason_y:Q", axis=None), text=alt.Text("_reason:N"), tooltip=tips))
    return layers


def _title(records: list[Estimate], directions: list[str]) -> str:
    """How large the estimates are, by direction; which sides of zero they are on is seen, and is no count of votes."""
    told = []
    for direction in directions:
        found = [e.estimate for e in records if e.direction == direction and e.answered and e.estimate is not None]
        if not found:
            told.append(f"{direction}: no answer")
            continue
        span = " to ".join(dict.fromkeys(alike(min(found), max(found))))
        told.append(f"{direction}: {span} by {counted(len(found), 'method')}")
    return "; ".join(told)


def _seen(records: list[Estimate], directions: list[str]) -> str:
    """The span of the estimates in each direction, and what was not answered."""
    told = []
    for direction in directions:
        found = [e.estimate for e in records if e.direction == direction and e.answered and e.estimate is not None]
        if found:
            told.append(f"{direction}: estimates from {' to '.join(alike(min(found), max(found)))}")
    told += [
        f"{e.direction}, {e.label}, not answered: {e.note or 'no reason given'}" for e in records if not e.answered
    ]
    return "; ".join(told)
