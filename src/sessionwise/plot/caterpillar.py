"""Caterpillar: the effect in each person (or therapist), as a model predicts it, from lowest to highest.

Of many, some are drawn, evenly by rank, and a dot for each hundredth part of all stands above them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ModelError
from ..models import DSEMFit, MLMFit
from ..options import A_DICT, A_LEVEL, A_NAME, A_WIDTH, TEXT, an_object, takes
from ..words import capital, counted, figure_interval, figure_number, level_percent, listed
from .figure import Rows, along, clean, figure, shortened, source, tip
from .level_effects import OF_A_SCORE, LevelEffects, level_effects, named_effect
from .words import Labels

if TYPE_CHECKING:
    import altair as alt

#: So many labels are set beside their rows; more would be a wall of text, and the pointer tells them.
_MOST_LABELS = 40
#: So many rows are drawn; of more, `_DRAWN` are, evenly by rank.
_MOST_ROWS, _DRAWN = 400, 160
#: Dots that stand for all, and their size in pixels.
_DOTS, _DOT = 100, 6
#: Pixels that the dots may stand high above the rows.
_STRIP = 90
_KINDS = ("below", "neither", "above")


@takes(
    ModelError,
    fit=an_object("MLMFit", "DSEMFit"),
    group=A_NAME,
    term=A_NAME,
    level=A_LEVEL,
    note=TEXT,
    labels=A_DICT,
    width=A_WIDTH,
)
def caterpillar(
    fit: MLMFit | DSEMFit,
    group: str | None = None,
    term: str | None = None,
    *,
    level: float = 0.95,
    note: str = "",
    labels: Labels | None = None,
    width: int = 640,
) -> alt.LayerChart:
    """The effect of a term in each level of a grouping factor, shrunken, with intervals; sorted, with the average.

    Parameters
    ----------
    fit : a multilevel model with a random effect of `term`, or a dynamic model.
    group : the grouping factor; may be left out if there is only one, as in a dynamic model, where it is the person.
    term : default the first random effect that is not a level, or the first level.
    level : of the intervals.
    note : ends the subtitle.
    labels : column or expression -> what to call it.
    width : of the whole figure, in pixels.

    See `level_effects` for how the intervals are made.

    Raises
    ------
    ModelError : no such grouping factor or term.
    """
    found = level_effects(fit, group, term, level=level)
    called = named_effect(fit, group, term, labels)
    return draw_effects(found, called.group, called.said, called.response, note=note, width=width)


@takes(
    ModelError,
    found=an_object("LevelEffects"),
    group=TEXT,
    said=TEXT,
    response=TEXT,
    title=TEXT,
    note=TEXT,
    width=A_WIDTH,
)
def draw_effects(
    found: LevelEffects, group: str, said: str, response: str, *, title: str = "", note: str = "", width: int = 640
) -> alt.LayerChart:
    """The figure of effects that are known already. said : what the predictor is called, or 'level'. title : in place
    of how many intervals leave out zero."""
    at = _drawn(len(found.labels))
    kinds = found.kinds
    rows = [
        {
            "level": str(found.labels[i]),
            "effect": clean(found.value[i]),
            "low": clean(found.low[i]),
            "high": clean(found.high[i]),
            "interval": kinds[i],
            "_rank": rank,
        }
        for rank, i in enumerate(at.tolist(), 1)
    ]
    height = max(120, min(480, 15 * len(rows) + 40))
    data = {"effects": rows, "average": _average_rows(found)}
    strip = 0.0
    if len(rows) < len(kinds):
        data["dots"] = _dots(found.value, rows, width)
        strip = max(row["_up"] for row in data["dots"]) + _DOT
    return figure(
        _layers(found, kinds, group, _what(said, response), data, (height, strip)),
        data,
        title=title or _title(found, group, said, response),
        subtitle=[_how(found, group, len(rows)), note],
        seen=_seen(found, group),
        width=width,
        height=height + round(strip),
    )


def _what(said: str, response: str) -> str:
    return f"{said} of {response}" if said in OF_A_SCORE else f"effect of {said} on {response}"


def _drawn(n: int) -> np.ndarray:
    """Which of n rows are drawn: all, or some evenly by rank with the first and the last."""
    return np.arange(n) if n <= _MOST_ROWS else np.linspace(0, n - 1, _DRAWN).round().astype(int)


def _dots(value: np.ndarray, rows: Rows, width: int) -> Rows:
    """Quantile dots (Kay et al. 2016) of all effects, in stacks as wide as a dot; dots of stacks that would be too high
    lie closer. Each is one hundredth part of all."""
    middle = np.quantile(value, (np.arange(_DOTS) + 0.5) / _DOTS)
    low, high = min(row["low"] for row in rows), max(row["high"] for row in rows)
    step = (high - low) * _DOT / (width - 80) or 1.0
    stack = np.round(middle / step)
    place = [int(np.sum(stack[:i] == s)) for i, s in enumerate(stack)]
    pitch = min(float(_DOT), _STRIP / (1 + max(place)))
    size = 0.7 * min(_DOT, pitch + 1) ** 2
    return [
        {"effect": clean(v), "_stack": clean(s * step), "_up": clean(_DOT + pitch * up), "_size": clean(size)}
        for v, s, up in zip(middle, stack, place, strict=True)
    ]


def _average_rows(found: LevelEffects) -> Rows:
    ends = {"low": clean(found.average_low), "high": clean(found.average_high)}
    return [{"average": clean(found.average), **ends, "sd between": clean(found.sd)}]


def _layers(
    found: LevelEffects,
    kinds: list[str],
    group: str,
    effect: str,
    data: dict[str, Rows],
    pixels: tuple[int, float],
) -> list[Any]:
    """pixels : of the rows, and of the dots above them."""
    import altair as alt

    height, strip = pixels

    rows = data["effects"]
    n = len(rows)
    room = 24 * (n + 1) / (height - 24)  # a label's height in rows, below the lowest
    pixel = (n + 1 + room) / height  # in rows
    apart = found.reference != 0
    scale = alt.Scale(domain=[-room, n + 1 + strip * pixel], nice=False)
    y = alt.Y("_rank:Q", scale=scale, axis=_labels_axis(rows), title=_axis_title(len(kinds), group))
    x = alt.X("low:Q", title=along(capital(effect)), scale=alt.Scale(zero=not apart, padding=10))
    tips = [
        tip("level:N", group),
        *(alt.Tooltip(f"{c}:Q", format=".3~g") for c in ("effect", "low", "high")),
    ]
    thick = max(0.6, min(2.5, 0.7 * height / n))
    layers: list[Any] = []
    for kind in [kind for kind in _KINDS if kind in kinds]:
        base = source("effects").transform_filter(f"datum.interval === '{kind}'").encode(y=y, tooltip=tips)
        layers.append(
            base.mark_rule(style=f"{kind}-line", strokeWidth=thick, opacity=0.6).encode(x=x, x2=alt.X2("high:Q"))
        )
        layers.append(
            base.mark_point(style=f"{kind}-point", size=max(5, min(40, 4 * height / n))).encode(x=alt.X("effect:Q"))
        )
    mean = source("average")
    zero = [] if apart else [mean.mark_rule(style="zero-line").encode(x=alt.XDatum(0))]
    band = mean.mark_rect(style="plain-band", opacity=0.15).encode(x=alt.X("low:Q"), x2=alt.X2("high:Q"))
    line = mean.mark_rule(style="plain-line", strokeWidth=1.5, strokeDash=[5, 3]).encode(x=alt.X("average:Q"))
    if "dots" in data:
        layers.append(_dot_layer(data["dots"], n + 1, pixel))
    side = "left" if found.average <= (found.low.min(initial=0) + found.high.max(initial=0)) / 2 else "right"
    place = {"align": side, "dx": 5 if side == "left" else -5, "y": {"expr": "height - 12"}}
    label = [
        mean.mark_text(style=look, **place).encode(
            x=alt.X("average:Q"), text=alt.TextValue(f"average {figure_number(found.average)}")
        )
        for look in ("halo", "plain-text")
    ]
    return [*zero, band, *layers, line, *label, *_key(found, kinds)]


def _dot_layer(dots: Rows, foot: float, pixel: float) -> Any:
    """Stacks of dots above the rows. foot : in rows; pixel : height of one in these."""
    import altair as alt

    base = source("dots").transform_calculate(_y=f"{foot} + datum._up * {pixel}")
    point = base.mark_circle(style="person-point", opacity=1, size=dots[0]["_size"])
    return point.encode(x=alt.X("_stack:Q"), y=alt.Y("_y:Q"), tooltip=[tip("effect:Q", "effect", ".3~g")])


def _labels_axis(rows: Rows) -> Any:
    """Labels beside the rows where there is room for them."""
    import altair as alt

    if len(rows) > _MOST_LABELS:
        return alt.Axis(labels=False, ticks=False, grid=False, domain=False)
    names = json.dumps([shortened(row["level"]) for row in rows])
    values = [row["_rank"] for row in rows]
    return alt.Axis(values=values, labelExpr=f"{names}[datum.value - 1]", ticks=False, grid=False, domain=False)


def _axis_title(n: int, group: str) -> str | None:
    return f"{counted(n, group)}, sorted" if n > _MOST_LABELS else None


def _key(found: LevelEffects, kinds: list[str]) -> list[Any]:
    """How many lie where, in the colours of the rows, above them; the middle one higher, so that none meet."""
    import altair as alt

    if not found.differ:
        return []
    mark = "zero" if found.reference == 0 else "average"
    counts = {kind: kinds.count(kind) for kind in _KINDS}
    said = {"below": f"below {mark}", "neither": f"include {mark}", "above": f"above {mark}"}
    places = {"below": ("left", 0), "neither": ("center", 0.5), "above": ("right", 1)}
    made = []
    for kind, n in counts.items():
        if n:
            align, share = places[kind]
            y = -20 if kind == "neither" and n < len(kinds) else -5
            place = {"align": align, "baseline": "bottom", "x": {"expr": f"{share} * width"}, "y": y}
            text = source("average").mark_text(style=f"{kind}-text", **place)
            made.append(text.encode(text=alt.TextValue(f"{n:,} {said[kind]}")))
    return made


def _title(found: LevelEffects, group: str, said: str, response: str) -> str:
    what = f"The {_what(said, response)}"
    if np.ptp(found.value) < 1e-9 * max(1.0, abs(found.average)):
        return f"{what} differs between {group}s no more than chance: all get the average"
    if said == "level" or found.reference:
        return f"{what} differs between {group}s: SD {figure_number(found.sd)}"
    below, above, of = found.kinds.count("below"), found.kinds.count("above"), counted(len(found.labels), group)
    if not below + above:
        return f"{what} is clear of zero in none of {of}"
    sides = [f"below zero in {below:,}"] * bool(below) + [f"above zero in {above:,}"] * bool(above)
    return f"{what} is clearly {listed(sides)} of {of}"


def _how(found: LevelEffects, group: str, drawn: int) -> str:
    percent, n = level_percent(found.level), len(found.labels)
    sd = figure_number(found.sd)
    if found.sd_low is not None and found.sd_high is not None:
        sd += f", {figure_interval(found.sd_low, found.sd_high, found.level)}"
    some = (
        f" {drawn} of {counted(n, group)} are drawn, evenly by rank; each dot above is 1 % of all." if drawn < n else ""
    )
    return (
        f"Each row one {group}: predicted effect (shrunken to the average where data are few) with {percent} interval."
        f"{some} "
        f"Dashed: average, {figure_interval(found.average_low, found.average_high, found.level)}. "
        f"SD between {group}s {sd}."
    )


def _seen(found: LevelEffects, group: str) -> str:
    if not len(found.labels):
        return ""
    first, last = found.labels[0], found.labels[-1]
    return (
        f"The lowest is {figure_number(found.value[0])} ({group} {first}), "
        f"the highest {figure_number(found.value[-1])} ({group} {last}), the average {figure_number(found.average)}"
    )
