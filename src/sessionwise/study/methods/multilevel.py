"""The multilevel model and its variations: trend, levels, residuals, which sessions and persons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...designs import design
from ...errors import Argument, Wording
from ...words import agree, counted, listed, plural_of
from ..parts.direction import FittedDirection
from ..parts.fits import estimate, tried
from ..records import Assumptions, Estimate, NotAnswered
from ..study_data import free_course
from .method import Estimates, MainModels, Method

if TYPE_CHECKING:
    from ...designs import Design
    from ...models import MLMFit
    from ...panel import Panel
    from ..parts.equation import Equation
    from ..study_data import StudyData

Change = Callable[["Equation"], "Equation"]


# --- assumptions --------------------------------------------------------------------------------


_TRENDS = {
    None: "none",
    "steps": "one course for all, free at each session",
    "spline": "one smooth course for all",
    "linear": "one straight line for all",
    "quadratic": "one parabola for all",
}


def _usual(setting: StudyData, **other: str) -> Assumptions:
    people = setting.person
    said = {
        "means": f"{people} means as observed, so that few sessions bias lagged effects",
        "trend": _TRENDS[setting.course],
        "levels": f"sessions in {people}s" + (f" in {plural_of(setting.clusters)}" if setting.cluster else ""),
        "residuals": "independent",
        "sample": "all usable sessions, missing at random",
        "effects": f"{people}s may differ",
        "covariates": listed(list(setting.study.covariates)) if setting.study.covariates else "none",
    }
    return Assumptions(**(said | other))


def _always(setting: StudyData) -> bool:
    return True


# --- running ------------------------------------------------------------------------------------


def _main(basis: MainModels) -> Estimates:
    forward, reverse = basis.forward, basis.reverse
    bias = _bias(basis, [one if isinstance(one, NotAnswered) else one.made for one in (forward, reverse)])
    counts = (None, None) if isinstance(forward, NotAnswered) else _counts(forward.main)
    return Estimates(_standardised(forward), _standardised(reverse), *bias, *counts, _main_effects(basis))


def _standardised(one: FittedDirection | NotAnswered) -> Estimate | NotAnswered:
    return one if isinstance(one, NotAnswered) else one.direction.standardised


def _main_effects(basis: MainModels) -> str:
    sides = (("forward", basis.forward), ("reverse", basis.reverse))
    slopes = [(side, one.direction.main == "slope") for side, one in sides if isinstance(one, FittedDirection)]
    return _effects(basis.setting, slopes)


def _effects(setting: StudyData, slopes: list[tuple[str, bool]]) -> str:
    """`Assumptions.effects` of models with a random slope, or without."""
    said = {True: f"{setting.person}s may differ", False: f"the same for all {setting.person}s"}
    kinds = {random for _, random in slopes}
    if len(kinds) < 2:
        return said[kinds.pop()] if kinds else ""
    return ", ".join(f"{side}: {said[random]}" for side, random in slopes)


def _net(basis: MainModels) -> Estimates:
    used = basis.net.used
    if isinstance(used, NotAnswered):
        return Estimates(used, used, None, None, None, None)
    both = basis.net.estimates(used)
    trend = (
        f"a straight line of each {basis.setting.person}'s own, and {_TRENDS[basis.setting.course]}"
        if used.line
        else ""
    )
    return Estimates(*both, 0.0, 0.0, used.persons, len(used.made[0].rows), trend=trend)


def _net_assumes(setting: StudyData) -> Assumptions:
    return _usual(
        setting,
        means=f"the bias of {setting.person} means, or own lines, taken out, for one stationary process in all",
        effects="the same for all, with errors that hold where they differ",
        levels=f"sessions in {setting.person}s",
    )


def _varied(
    basis: MainModels,
    change: Change = lambda equation: equation,
    panel: Panel | None = None,
    *,
    line: bool = False,
    known_bias: bool = True,
    **options: Any,
) -> Estimates:
    """Both main models with something changed."""
    setting = basis.setting
    panel = setting.panel if panel is None else panel
    found: list[Estimate | NotAnswered] = []
    made: list[Design | NotAnswered] = []
    counts: tuple[int | None, int | None] = None, None
    slopes: list[tuple[str, bool]] = []
    sides = ((basis.forward, setting.scale_forward), (basis.reverse, setting.scale_reverse))
    for main, scale in sides:
        if isinstance(main, NotAnswered):
            found.append(main)
            made.append(main)
            continue
        equation = change(main.equation)
        fit = _fitted(panel, equation, main.direction.main, setting.arrow(equation), options)
        found.append(fit if isinstance(fit, NotAnswered) else estimate(fit, equation.within).times(scale))
        made.append(fit if isinstance(fit, NotAnswered) else design(panel, equation.effect()))
        if isinstance(fit, NotAnswered):
            continue
        slopes.append((main.direction.key, equation.within in fit.varcorr[equation.person].terms))
        if counts[0] is None:
            counts = _counts(fit)
    bias = _bias(basis, made, line) if known_bias else (None, None)
    return Estimates(found[0], found[1], *bias, *counts, _effects(setting, slopes))


def _fitted(
    panel: Panel, equation: Equation, step: str, question: str, options: dict[str, Any]
) -> MLMFit | NotAnswered:
    """With the random slope that the main model has, or without if that cannot be told from these data."""
    if step == "slope":
        fit = tried(panel, equation.slope(), question, equation.needed, **options)
        if not isinstance(fit, NotAnswered):
            return fit
    return tried(panel, equation.effect(), question, equation.needed, **options)


def _bias(basis: MainModels, made: list[Design | NotAnswered], line: bool = False) -> tuple[float | None, float | None]:
    a, b = made
    if isinstance(basis.net.used, NotAnswered) or isinstance(a, NotAnswered) or isinstance(b, NotAnswered):
        return None, None
    return basis.net.used.bias(a, b, line=line) or (None, None)


def _counts(fit: MLMFit) -> tuple[int | None, int | None]:
    return fit.npersons, fit.nobs


def _without_cluster(setting: StudyData) -> dict[str, str]:
    """Who is in a model without this level only."""
    codes = setting.panel.cluster_codes
    if codes is None or (codes >= 0).all():
        return {}
    return {"sample": f"all usable sessions, those without a {setting.clusters} too, missing at random"}


# --- which sessions -----------------------------------------------------------------------------


def _first(setting: StudyData) -> Panel:
    """Scores after a person's first sessions taken as missing."""
    panel, study = setting.panel, setting.study
    late = panel.sessions - panel.sessions[panel.starts[:-1]][panel.codes] >= setting.first
    return panel.with_columns({name: np.where(late, np.nan, panel[name]) for name in (study.outcome, study.process)})


def _complete(setting: StudyData) -> Panel | NotAnswered:
    """Of the first sessions, the persons who have both scores in each."""
    panel, study = _first(setting), setting.study
    both = ~np.isnan(panel[study.outcome]) & ~np.isnan(panel[study.process])
    there = np.add.reduceat(both, panel.starts[:-1], dtype=np.int64) == setting.first
    n = int(there.sum())
    if n < 2:
        what = f"the effects in {setting.person}s with all of the first {setting.first} sessions"
        needed = Wording("A smaller number, ", Argument("first_sessions=", ("--first-sessions",)), ".")
        return NotAnswered(what, f"{counted(n, setting.person)} {agree(n, 'has', 'have')} them.", needed)
    return panel.subset(there)


def _of_complete(basis: MainModels) -> Estimates:
    panel = _complete(basis.setting)
    if isinstance(panel, NotAnswered):
        return Estimates(panel, panel, None, None, None, None)
    return _varied(basis, panel=panel)


# --- the registry's entries ---------------------------------------------------------------------

METHODS = (
    Method("net", "Corrected for few sessions", _net, _net_assumes, lambda s: s.study.lag == 1),
    Method("mlm", "Multilevel model (main)", _main, _usual, _always),
    Method(
        "no-trend",
        "No trend taken out",
        lambda b: _varied(b, lambda e: replace(e, course=None), known_bias=False),
        lambda s: _usual(s, trend="none"),
        lambda s: s.study.trend is not None,
        trend=True,
        judged=False,
    ),
    Method(
        "linear-trend",
        "Linear trend taken out",
        lambda b: _varied(b, lambda e: replace(e, course="linear")),
        lambda s: _usual(s, trend="one straight line for all"),
        lambda s: s.study.trend != "linear",
        trend=True,
        judged=False,
    ),
    Method(
        "free-trend",
        "Free course taken out",
        lambda b: _varied(b, lambda e: replace(e, course=free_course(b.setting.panel))),
        lambda s: _usual(s, trend=_TRENDS[free_course(s.panel)]),
        lambda s: s.study.trend != "free",
        trend=True,
    ),
    Method(
        "own-trend",
        "Own trends taken out",
        lambda b: _varied(b, lambda e: replace(e, centring="own line"), line=True),
        lambda s: _usual(s, trend=f"a straight line of each {s.person}'s own, which bias lagged effects more"),
        _always,
        trend=True,
    ),
    Method(
        "no-cluster",
        "Two levels",
        lambda b: _varied(b, lambda e: e.without_cluster()),
        lambda s: _usual(s, levels=f"sessions in {s.person}s", **_without_cluster(s)),
        lambda s: s.cluster is not None,
    ),
    Method(
        "ar1",
        "AR(1) residuals",
        lambda b: _varied(b, known_bias=False, residual="ar1"),
        lambda s: _usual(s, residuals="correlated from session to session"),
        _always,
    ),
    Method(
        "first-sessions",
        "First sessions only",
        lambda b: _varied(b, panel=_first(b.setting)),
        lambda s: _usual(s, sample=f"the first {s.first} session numbers of each {s.person}"),
        _always,
    ),
    Method(
        "complete-cases",
        "Complete cases",
        _of_complete,
        lambda s: _usual(s, sample=f"{s.person}s with all of the first {s.first} sessions, these sessions only"),
        _always,
    ),
)
