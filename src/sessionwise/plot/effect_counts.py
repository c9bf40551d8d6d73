"""Effect counts: how many persons have which effect, where single persons are not to be seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from ..words import capital, counted, figure_interval, figure_number
from .figure import Rows, along, clean, figure, source, tip

if TYPE_CHECKING:
    import altair as alt


class Count(Protocol):
    """How many persons have an effect between two values."""

    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def persons(self) -> int: ...


def draw_counts(
    counts: Sequence[Count],
    average: tuple[float, float, float],
    sd: tuple[float, float, float],
    person: str,
    effect: str,
    *,
    width: int = 640,
) -> alt.LayerChart:
    """A histogram with classes of unequal width: areas are persons. average, sd : value with the ends of its 95 %
    interval. effect : what the effect is called, as in 'effect of alliance on symptoms'."""
    n = sum(one.persons for one in counts)
    rows: Rows = [
        {
            "low": clean(one.low),
            "high": clean(one.high),
            "persons": one.persons,
            "_density": clean(one.persons / (one.high - one.low) / n),
        }
        for one in counts
    ]
    spread = f"{figure_number(sd[0])}, {figure_interval(sd[1], sd[2])}"
    return figure(
        _layers(average, effect, person),
        {
            "counts": rows,
            "average": [{"average": clean(average[0]), "low": clean(average[1]), "high": clean(average[2])}],
        },
        title=f"The {effect} is {figure_number(average[0])} in the average {person}; SD between {person}s "
        f"{figure_number(sd[0])}",
        subtitle=[
            f"Area: {counted(n, person)} by predicted effect, shrunken to the average where data are few, so that they "
            f"vary less than {person}s do. Classes of fewer than five are joined to the next. Dashed: average, "
            f"{figure_interval(average[1], average[2])}. SD between {person}s {spread}."
        ],
        seen=f"Predicted effects lie between {figure_number(counts[0].low)} and {figure_number(counts[-1].high)}",
        width=width,
        height=220,
    )


def _layers(average: tuple[float, float, float], effect: str, person: str) -> list[Any]:
    import altair as alt

    x = alt.X("low:Q", title=along(capital(effect)), scale=alt.Scale(zero=True, padding=10), axis=alt.Axis(grid=False))
    y = alt.Y("_density:Q", title=f"share of {person}s", axis=alt.Axis(labels=False, ticks=False, grid=False))
    tips = [tip("low:Q", "from", ".3~g"), tip("high:Q", "to", ".3~g"), tip("persons:Q", f"{person}s")]
    bars = source("counts").mark_rect(style="average-band", opacity=0.5, strokeWidth=0.5)
    mean = source("average")
    return [
        bars.encode(x=x, x2=alt.X2("high:Q"), y=y, y2=alt.Y2Datum(0), tooltip=tips),
        mean.mark_rule(style="zero-line").encode(x=alt.XDatum(0)),
        mean.mark_rect(style="plain-band", opacity=0.15).encode(x=alt.X("low:Q"), x2=alt.X2("high:Q")),
        mean.mark_rule(style="plain-line", strokeWidth=1.5, strokeDash=[5, 3]).encode(x=alt.X("average:Q")),
    ]
