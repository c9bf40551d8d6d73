"""Prior and posterior: what was assumed of a number of the dynamic model, and what the data made of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ModelError, nearest, some
from ..models import DSEMFit
from ..models.dsem.reported_priors import ReportedPrior, reported_priors
from ..options import A_DICT, A_WIDTH, NAMES, TEXT, an_object, takes
from ..threads import one_thread
from ..words import counted, figure_interval, figure_number
from .figure import Rows, clean, figure, source, tip
from .small_multiples import (
    PANELS,
    Cells,
    cells,
    columns_of,
    heading_lines,
    own_scales,
    panel_source,
    zero_line,
)
from .words import Labels

if TYPE_CHECKING:
    import altair as alt

_TALL = 90
#: Points of a curve; draws that a density is made of at most.
_POINTS, _DRAWS = 101, 4000
#: Of the axis beyond the posterior, on each side.
_MARGIN = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """One number: its draws, its prior, and between which values it can lie at all."""

    name: str
    draws: np.ndarray
    prior: ReportedPrior
    least: float
    most: float

    @property
    def narrower(self) -> float | None:
        """How many times the middle half of the posterior is narrower than that of the prior; None of a flat one."""
        if self.prior.flat:
            return None
        low, high = np.quantile(self.draws, [0.25, 0.75])
        return (self.prior.quantile(0.75) - self.prior.quantile(0.25)) / max(float(high - low), 1e-300)


@takes(ModelError, fit=an_object("DSEMFit"), names=NAMES, note=TEXT, labels=A_DICT, width=A_WIDTH)
@one_thread()
def prior_posterior(
    fit: DSEMFit,
    names: Iterable[str] | None = None,
    *,
    note: str = "",
    labels: Labels | None = None,
    width: int = 640,
) -> alt.LayerChart:
    """Prior and posterior density of each number, and how much narrower the data made it. A flat prior is said.

    Parameters
    ----------
    fit : a dynamic model.
    names : as in `fit.tidy()`: coefficients, means of levels and effects, what person-level predictors add to them,
        SDs and correlations between persons. Default the effects and their SDs between persons.
    note : ends the subtitle.
    labels : name -> what to call it.
    width : of the whole figure, in pixels.

    Raises
    ------
    ModelError : a number that there is not, or whose prior is one of a matrix with others.
    """
    known = _known(fit, names)
    called = [(labels or {}).get(one.name, one.name) for one in known]
    columns = columns_of(width)
    letters = Cells(columns, 1, _TALL, 0).letters(width)
    heads = [heading_lines(text, _said(one), letters) for text, one in zip(called, known, strict=True)]
    place = cells([lines for lines, _ in heads], columns, _TALL, left=8, beside=28)
    layers: list[Any] = []
    curves: Rows = []
    for i, (one, (lines, small)) in enumerate(zip(known, heads, strict=True)):
        row, column = divmod(i, columns)
        made = _curves(one, called[i], i)
        curves += made
        layers += [_panel(one, made, i, place, row, column), *place.heading_layers(i, row, column, lines, small)]
    chart = figure(
        layers,
        {PANELS: _rows(known, called), "curves": curves},
        title=_title(known),
        subtitle=[
            "Filled: posterior density, with its median and 95 % interval below; dashed: the prior, where it is not "
            "flat. All in the units of the scores; axes end where the posterior does.",
            note,
        ],
        seen=_seen(known, called),
        width=width,
        height=place.height,
        heads={"panel": "number", "narrower": "times narrower than the prior"},
    )
    return own_scales(chart)


def _known(fit: DSEMFit, names: Iterable[str] | None) -> list[_Known]:
    priors = reported_priors(fit.model, fit.effects, fit.reported)
    if names is None:
        spreads = [f"sd({path.name})" for path in fit.effects.random]
        names = [name for name, kind in zip(fit.reported.names, fit.reported.kinds, strict=True) if kind == "effect"]
        names += [name for name in spreads if name in priors]
    chosen = list(dict.fromkeys([names] if isinstance(names, str) else names))
    if not chosen:
        raise ModelError("there are no numbers to draw.", where=fit.title, remedy=f"Use one of {some(list(priors))}.")
    known = []
    for name in chosen:
        if name not in priors:
            fit.draws(name)  # says which numbers there are
            raise ModelError(
                f"the prior of {name!r} is one with others, in a matrix.{nearest(name, list(priors))}",
                where=fit.title,
                remedy=f"Use one of {some(list(priors))}.",
            )
        family = priors[name].family
        least, most = (-1.0, 1.0) if "cor(" in name and family == "uniform" else (-np.inf, np.inf)
        if family == "half-t" or (family == "flat in variances" and "sd(" in name):
            least = 0.0
        known.append(_Known(name, fit.draws(name).ravel(), priors[name], least, most))
    return known


def _prior_said(prior: ReportedPrior) -> str:
    scale = figure_number(prior.scale)
    normal = f"normal, SD {scale}" if prior.mean == 0 else f"normal, mean {figure_number(prior.mean)}, SD {scale}"
    told = {"normal": normal, "half-t": f"half-t(2), scale {scale}"}
    return told.get(prior.family, prior.family)


def _said(one: _Known) -> str:
    """The prior in words, and what became of it."""
    told = f"prior {_prior_said(one.prior)}"
    return told if one.narrower is None else f"{told}; {_times(one.narrower)} × narrower"


def _density(one: _Known, x: np.ndarray) -> np.ndarray:
    """Kernel density of the draws at x, with Silverman's width, mirrored at ends that the number cannot pass."""
    draws = one.draws[:: max(1, len(one.draws) // _DRAWS)]
    low, high = np.quantile(draws, [0.25, 0.75])
    spread = min(float(draws.std()), float(high - low) / 1.349) or float(draws.std()) or 1e-12
    width = 0.9 * spread * len(draws) ** -0.2
    total = np.zeros(len(x))
    for mirrored in (draws, *(2 * end - draws for end in (one.least, one.most) if np.isfinite(end))):
        total += np.exp(-(((x[:, None] - mirrored) / width) ** 2) / 2).sum(axis=1)
    return np.asarray(total / (len(draws) * width * np.sqrt(2 * np.pi)))


def _curves(one: _Known, called: str, i: int) -> Rows:
    low, high = (float(v) for v in np.quantile(one.draws, [0.001, 0.999]))
    edge = _MARGIN * (high - low or 1.0)
    start, end = max(one.least, min(0.0, low) - edge), min(one.most, max(0.0, high) + edge)
    x = np.linspace(start, end, _POINTS)
    prior = [None] * len(x) if one.prior.flat else one.prior.density(x).tolist()
    return [
        {"panel": called, "value": clean(v), "posterior": clean(p), "prior": clean(before), "_panel": i}
        for v, p, before in zip(x, _density(one, x), prior, strict=True)
    ]


def _rows(known: list[_Known], called: list[str]) -> Rows:
    rows: Rows = []
    for i, (one, name) in enumerate(zip(known, called, strict=True)):
        low, median, high = np.quantile(one.draws, [0.025, 0.5, 0.975])
        rows.append(
            {
                "panel": name,
                "median": clean(median),
                "low": clean(low),
                "high": clean(high),
                "prior": _prior_said(one.prior),
                "narrower": clean(one.narrower),
                "_panel": i,
            }
        )
    return rows


def _panel(one: _Known, curves: Rows, i: int, place: Cells, row: int, column: int) -> Any:
    import altair as alt

    ends = curves[0]["value"], curves[-1]["value"]
    top = max(max(point["posterior"], point["prior"] or 0.0) for point in curves)
    x = alt.X("value:Q", title=None, scale=place.x(column, ends), axis=place.foot(row, grid=False, tickCount=4))
    y = alt.Y("posterior:Q", title=None, axis=None, scale=place.y(row, (-0.14 * top, 1.04 * top)))
    base = source("curves").transform_filter(f"datum._panel === {i}").encode(x=x)
    numbers = [tip(f"{name}:Q", name, ".3~g") for name in ("median", "low", "high")]
    tips = [tip("panel:N", "number"), *numbers, tip("prior:N", "prior")]
    known = panel_source(i).encode(y=alt.YDatum(-0.08 * top), tooltip=tips)
    layers = [
        base.mark_area(style="average-band", opacity=0.3).encode(y=y, y2=alt.Y2Datum(0)),
        base.mark_line(style="average-line", strokeWidth=1.5).encode(y=alt.Y("posterior:Q")),
        zero_line(i, ends),
        known.mark_rule(style="average-line", strokeWidth=2).encode(x=alt.X("low:Q"), x2=alt.X2("high:Q")),
        known.mark_point(style="average-point", size=30).encode(x=alt.X("median:Q")),
    ]
    if not one.prior.flat:
        prior = base.mark_line(style="second-line", strokeWidth=1.5, strokeDash=[5, 3])
        layers.append(prior.encode(y=alt.Y("prior:Q")))
    return alt.layer(*layers)


def _title(known: list[_Known]) -> str:
    told = {one.name: one.narrower for one in known if one.narrower is not None}
    if not told:
        return "Flat priors: what is known of these numbers is from the data"
    least = min(told, key=lambda name: told[name])
    low, high = (_times(v) for v in (told[least], max(told.values())))
    if len(told) == 1:
        return f"The data make the prior of {least} {low} times narrower"
    return f"The data make {counted(len(told), 'prior')} {low} to {high} times narrower, least {least}"


def _times(narrower: float) -> str:
    """To two digits: more would say that the prior is known so well."""
    return figure_number(float(f"{narrower:.2g}"))


def _seen(known: list[_Known], called: list[str]) -> str:
    told = []
    for one, name in zip(known, called, strict=True):
        low, median, high = (float(v) for v in np.quantile(one.draws, [0.025, 0.5, 0.975]))
        told.append(f"{name}: {figure_number(median)}, {figure_interval(low, high)}, {_said(one)}")
    return ". ".join(told)
