"""Caterpillar: the effect in each person (or therapist), as a multilevel model predicts it, from lowest to highest."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ModelError, nearest, some
from ..formula import show
from ..models import MLMFit
from ..options import A_DICT, A_LEVEL, A_NAME, A_WIDTH, TEXT, an_object, takes, valid_level
from ..words import capital, counted, figure_interval, figure_number, level_percent, listed
from .figure import Rows, along, clean, figure, shortened, source, tip
from .words import Labels, words

if TYPE_CHECKING:
    import altair as alt

#: So many labels are set beside their rows; more would be a wall of text, and the pointer tells them.
_MOST_LABELS = 40
_KINDS = ("below", "neither", "above")


@dataclass(frozen=True, slots=True, eq=False)
class LevelEffects:
    """The effect of a term in each of n levels of a grouping factor, ascending.

    labels : (n,). value, low, high : (n,), average plus deviation, with its interval. average, average_low,
    average_high : the coefficient. sd : estimated standard deviation between levels. level : of the intervals.
    reference : what the levels are compared with: zero, or for the intercept the average. differ : whether a test
    showed that levels differ; if not, no level is counted as one of its own.
    """

    labels: np.ndarray
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    average: float
    average_low: float
    average_high: float
    sd: float
    level: float
    reference: float
    differ: bool = True

    @property
    def kinds(self) -> list[str]:
        """(n,): whether the interval lies 'below' the reference, 'above' it, or 'neither'."""
        if not self.differ:
            return ["neither"] * len(self.labels)
        low, high = self.low - self.reference, self.high - self.reference
        return [str(kind) for kind in np.where(high < 0, "below", np.where(low > 0, "above", "neither"))]


@takes(
    ModelError,
    fit=an_object("MLMFit"),
    group=A_NAME,
    term=A_NAME,
    level=A_LEVEL,
    note=TEXT,
    labels=A_DICT,
    width=A_WIDTH,
)
def caterpillar(
    fit: MLMFit,
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
    fit : a multilevel model with a random effect of `term`.
    group : the grouping factor; may be left out if there is only one.
    term : default the first random effect that is not the intercept, or the intercept.
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
    group, term = _group(fit, group), _term(fit, _group(fit, group), term)
    said = "level" if term == "(Intercept)" else _said(fit, term, labels)
    response = words(fit.recipe.design.formula.response, labels)
    return draw_effects(found, group, said, response, note=note, width=width)


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
    rows = [
        {"level": str(name), "effect": clean(v), "low": clean(a), "high": clean(b), "interval": kind, "_rank": i + 1}
        for i, (name, v, a, b, kind) in enumerate(
            zip(found.labels, found.value, found.low, found.high, found.kinds, strict=True)
        )
    ]
    effect = f"level of {response}" if said == "level" else f"effect of {said} on {response}"
    height = max(120, min(480, 15 * len(rows) + 40))
    return figure(
        _layers(found, group, effect, rows, height),
        {"effects": rows, "average": _average_rows(found)},
        title=title or _title(found, group, said, response),
        subtitle=[_how(found, group), note],
        seen=_seen(found, group),
        width=width,
        height=height,
    )


@takes(ModelError, fit=an_object("MLMFit"), group=A_NAME, term=A_NAME, level=A_LEVEL)
def level_effects(
    fit: MLMFit, group: str | None = None, term: str | None = None, *, level: float = 0.95
) -> LevelEffects:
    """Coefficient plus predicted random effect of each level, with normal intervals.

    The variance of a level's effect is that of the prediction given the coefficients (lme4's condVar) plus that of
    the coefficient, as if their errors were independent: a little wide where levels are few. Levels of the intercept
    are compared with the average, so theirs is of the deviation alone. Variance parameters are taken as known. A
    random effect without a coefficient deviates from zero.

    Raises
    ------
    ModelError : no such grouping factor or term, or no such level.
    """
    from scipy.special import ndtri

    group = _group(fit, group)
    term = _term(fit, group, term)
    valid_level(level)
    k = fit.varcorr[group].terms.index(term)
    effects = fit.effects[group]
    average, error = fit.fixef.get(term, 0.0), fit.se.get(term, 0.0)
    value = average + effects.values[:, k]
    z = float(ndtri((1 + level) / 2))
    apart = term == "(Intercept)"
    half = z * np.sqrt(np.maximum(effects.covariance[:, k, k], 0.0) + (0.0 if apart else error**2))
    order = np.lexsort((np.arange(len(value)), value.round(12)))
    low, high = (value - half)[order], (value + half)[order]
    sd = float(fit.varcorr[group].sd[k])
    ends = average - z * error, average + z * error
    labels, reference = effects.labels[order], average if apart else 0.0
    return LevelEffects(labels, value[order], low, high, average, *ends, sd, level, reference)


def _group(fit: MLMFit, group: str | None) -> str:
    fit.ranef(group)  # says which grouping factors there are
    return next(iter(fit.varcorr)) if group is None else group


def _term(fit: MLMFit, group: str, term: str | None) -> str:
    terms = fit.varcorr[group].terms
    if term is None:
        return next((name for name in terms if name != "(Intercept)"), terms[0])
    if term not in terms:
        raise ModelError(
            f"{term!r} has no random effect over {group}.{nearest(term, terms)}",
            where=f"formula {fit.model.formula!r}",
            remedy=f"Use one of: {some(terms)}.",
        )
    return term


def _said(fit: MLMFit, term: str, labels: Labels | None) -> str:
    variables = {show(v): v for v in fit.recipe.design.formula.variables}
    return words(variables[term], labels) if term in variables else (labels or {}).get(term, term)


def _average_rows(found: LevelEffects) -> Rows:
    ends = {"low": clean(found.average_low), "high": clean(found.average_high)}
    return [{"average": clean(found.average), **ends, "sd between": clean(found.sd)}]


def _layers(found: LevelEffects, group: str, effect: str, rows: Rows, height: int) -> list[Any]:
    import altair as alt

    n = len(rows)
    room = 24 * (n + 1) / (height - 24)  # a label's height in rows, below the lowest
    apart = found.reference != 0
    scale = alt.Scale(domain=[-room, n + 1], nice=False)
    y = alt.Y("_rank:Q", scale=scale, axis=_labels_axis(rows), title=_axis_title(n, group))
    x = alt.X("low:Q", title=along(capital(effect)), scale=alt.Scale(zero=not apart, padding=10))
    tips = [
        tip("level:N", group),
        *(alt.Tooltip(f"{c}:Q", format=".3~g") for c in ("effect", "low", "high")),
    ]
    thick = max(0.6, min(2.5, 0.7 * height / n))
    layers: list[Any] = []
    for kind in [kind for kind in _KINDS if kind in found.kinds]:
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
    side = "left" if found.average <= (found.low.min(initial=0) + found.high.max(initial=0)) / 2 else "right"
    place = {"align": side, "dx": 5 if side == "left" else -5, "y": height - 12}
    label = [
        mean.mark_text(style=look, **place).encode(
            x=alt.X("average:Q"), text=alt.TextValue(f"average {figure_number(found.average)}")
        )
        for look in ("halo", "plain-text")
    ]
    return [*zero, band, *layers, line, *label, *_key(found)]


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


def _key(found: LevelEffects) -> list[Any]:
    """How many lie where, in the colours of the rows, above them; the middle one higher, so that none meet."""
    import altair as alt

    if not found.differ:
        return []
    mark = "zero" if found.reference == 0 else "average"
    counts = {kind: found.kinds.count(kind) for kind in _KINDS}
    said = {"below": f"below {mark}", "neither": f"include {mark}", "above": f"above {mark}"}
    places = {"below": ("left", 0), "neither": ("center", 0.5), "above": ("right", 1)}
    made = []
    for kind, n in counts.items():
        if n:
            align, share = places[kind]
            y = -20 if kind == "neither" and n < len(found.labels) else -5
            place = {"align": align, "baseline": "bottom", "x": {"expr": f"{share} * width"}, "y": y}
            text = source("average").mark_text(style=f"{kind}-text", **place)
            made.append(text.encode(text=alt.TextValue(f"{n:,} {said[kind]}")))
    return made


def _title(found: LevelEffects, group: str, said: str, response: str) -> str:
    what = f"The level of {response}" if said == "level" else f"The effect of {said} on {response}"
    if np.ptp(found.value) < 1e-9 * max(1.0, abs(found.average)):
        return f"{what} differs between {group}s no more than chance: all get the average"
    if said == "level":
        return f"{what} differs between {group}s: SD {figure_number(found.sd)}"
    below, above, of = found.kinds.count("below"), found.kinds.count("above"), counted(len(found.labels), group)
    if not below + above:
        return f"{what} is clear of zero in none of {of}"
    sides = [f"below zero in {below:,}"] * bool(below) + [f"above zero in {above:,}"] * bool(above)
    return f"{what} is clearly {listed(sides)} of {of}"


def _how(found: LevelEffects, group: str) -> str:
    percent = level_percent(found.level)
    return (
        f"Each row one {group}: predicted effect (shrunken to the average where data are few) with {percent} interval. "
        f"Dashed: average, {figure_interval(found.average_low, found.average_high, found.level)}. "
        f"SD between {group}s {figure_number(found.sd)}."
    )


def _seen(found: LevelEffects, group: str) -> str:
    if not len(found.labels):
        return ""
    first, last = found.labels[0], found.labels[-1]
    return (
        f"The lowest is {figure_number(found.value[0])} ({group} {first}), "
        f"the highest {figure_number(found.value[-1])} ({group} {last}), the average {figure_number(found.average)}"
    )
