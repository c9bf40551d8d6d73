"""Likelihood-ratio tests between nested panel models, and the two that are asked for most.

Scaled for data that are not normal: Satorra & Bentler (2001), T = (chi2_0 - chi2_1) / c with
c = (df_0 c_0 - df_1 c_1) / (df_0 - df_1), from the unscaled chi-squares and the scaling factors.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...errors import ModelError, nearest, some
from ...sem import Patterns, optimise
from ...threads import one_thread
from ..likelihood_ratio import LikelihoodRatioTest
from .estimated import EstimatedSEM
from .tables import usable

if TYPE_CHECKING:
    from ...panel import Panel

#: The larger model's criterion may be above the smaller one's by this much rounding.
_ROUNDING = 1e-6
#: Chi-square of the larger model, fitted to what the smaller one implies, up to which they are nested.
_NESTED = 1e-3
#: Means, SDs and criteria without covariances of the same data agree to this.
_SAME = 1e-5


@one_thread()
def of_nested(one: EstimatedSEM, other: EstimatedSEM) -> LikelihoodRatioTest:
    """Of two nested fits, in either order; see `SEMFit.lrt`."""
    for fit in (one, other):
        if not isinstance(fit, EstimatedSEM):
            raise ModelError(
                f"a {type(fit).__name__} is no fit of a panel model.",
                where="lrt",
                remedy="Give what .fit(panel) of an RICLPM, CLPM or DPM returned.",
            )
        usable(fit, "a likelihood-ratio test")
    small, large = sorted((one, other), key=lambda f: f.n_parameters)
    _comparable(small, large)
    if not _nested(small, large):
        raise ModelError(
            "the models are not nested: the larger one cannot be what the smaller one is.",
            where=f"{small.model.title}; {large.model.title}",
            remedy="Compare their AIC or BIC.",
        )
    words = f"smaller: {small.model.title}; larger: {large.model.title}."
    if set(large.solution.grouped.blueprint.persons) > set(small.solution.grouped.blueprint.persons):
        words += (
            " The smaller model lacks random intercepts, whose variances cannot be below zero: p is too large, and the "
            "test rather keeps the smaller model (Stoel, Garre, Dolan & van den Wittenboer 2006)."
        )
    return _test(small, large, words)


def stationarity(fit: EstimatedSEM, panel: Panel) -> LikelihoodRatioTest:
    """Equal against free lags."""
    if len(fit.waves) < 3:
        raise ModelError(
            "there is one step between two waves, whose lags have nothing to be equal to.",
            where=fit.model.title,
            remedy="Use three waves or more.",
        )
    equal = fit.model.lags == "equal"
    other = replace(fit.model, lags="free" if equal else "equal").fit(panel)
    small, large = (fit, other) if equal else (other, fit)
    what = "lags and effects of the same wave" if any(p.kind == "effect" for p in fit.parameters) else "lags"
    return _asked(small, large, f"{what.capitalize()} equal over waves (smaller) or free (larger)")


def same_over_groups(fit: EstimatedSEM, panel: Panel, kind: str) -> LikelihoodRatioTest:
    """Equal over groups against free."""
    kinds = {p.kind for p in fit.parameters}
    if not fit.model.may_have_groups:
        raise ModelError("a dynamic panel model has no groups.", remedy="Use an RICLPM with group=....")
    if not fit.solution.grouped.labels:
        raise ModelError("the fit has no groups.", where=fit.model.title, remedy="Fit the model with group=....")
    if kind not in kinds:
        raise ModelError(
            f"there are no parameters of kind {kind!r}.{nearest(kind, kinds)}",
            remedy=f"Use one of {some(sorted(kinds))}.",
        )
    rest = tuple(k for k in fit.model.shared if k != kind)
    small, large = (replace(fit.model, same=s).fit(panel) for s in ((*rest, kind), rest))
    found = _asked(small, large, f"Parameters of kind '{kind}' equal in all groups (smaller) or free (larger)")
    if "loading" in kinds and not {"loading", kind} <= {*rest, kind}:
        doubt = " Loadings differ between groups in both models, so the factors' units do: add 'loading' to same."
        return replace(found, words=found.words + doubt)
    return found


@one_thread()
def _asked(small: EstimatedSEM, large: EstimatedSEM, question: str) -> LikelihoodRatioTest:
    """The test, with its answer in words."""
    for one in (small, large):
        usable(one, "the test")
    _comparable(small, large)
    found = _test(small, large, "")
    said = "the test speaks against equality" if found.p < 0.05 else "the test does not speak against equality"
    answer = f"{question}: {said}." if np.isfinite(found.p) else f"{question}."
    return replace(found, words=f"{answer} {found.words}".strip())


def _comparable(small: EstimatedSEM, large: EstimatedSEM) -> None:
    same = small.npersons == large.npersons and small.nobs == large.nobs
    columns = [sorted(map(str, f.solution.grouped.blueprint.columns)) for f in (small, large)]
    if not same or columns[0] != columns[1] or not _same_values(small, large):
        raise ModelError(
            "the two fits are not to the same data.",
            where=f"{small.npersons:,} and {large.npersons:,} persons, {small.nobs:,} and {large.nobs:,} values",
            remedy="Fit both models to one Panel with the same variables and waves.",
        )
    if (small.model.errors == "robust") != (large.model.errors == "robust"):
        plain = small if large.model.errors == "robust" else large
        raise ModelError(
            "one of the fits has robust errors and the other has not, so that their test cannot be scaled.",
            where=f"{plain.model.title}: errors={plain.model.errors!r}",
            remedy="Fit both with errors='robust', or neither.",
        )
    if small.n_parameters == large.n_parameters:
        raise ModelError(
            f"both models have {small.n_parameters} parameters, so neither is nested in the other.",
            where=f"{small.model.title}; {large.model.title}",
            remedy="Compare their AIC or BIC.",
        )


def _same_values(one: EstimatedSEM, other: EstimatedSEM) -> bool:
    """Whether means and SDs are the same, and the models without covariances have one likelihood."""
    for name, scale in one.solution.scale.items():
        ratio = other.solution.scale[name] / scale
        moved = (other.solution.centre[name] - one.solution.centre[name]) / scale
        if abs(ratio - 1) + abs(moved) > _SAME:
            return False
    a, b = (sum(s.criterion for s in f.solution.below) for f in (one, other))
    grouped = len(one.solution.data) == len(other.solution.data)
    return not grouped or abs(a - b) <= _SAME * abs(a)


def _nested(small: EstimatedSEM, large: EstimatedSEM) -> bool:
    """Whether the larger model, fitted to the means and covariances that the smaller one implies, implies them too
    (Bentler & Satorra 2010, Psychol Methods 15:111)."""
    order = [small.solution.grouped.blueprint.columns.index(c) for c in large.solution.grouped.blueprint.columns]
    implied = [s.moments(small.solution.optimum.theta) for s in small.solution.structures]
    if len(implied) not in (1, len(large.solution.data)):
        return False
    groups, fitted = [], 0.0
    for g, (structure, data) in enumerate(large.solution.groups):
        at = implied[g % len(implied)]
        covariance, n = at.covariance[np.ix_(order, order)], float(data.n)
        exact = Patterns(np.ones((1, data.k), bool), np.array([n]), at.mean[None, order], covariance[None])
        groups.append((structure, exact))
        fitted += n * (data.k * (1 + np.log(2 * np.pi)) + float(np.linalg.slogdet(covariance)[1]))
    return optimise(groups, [large.solution.optimum.theta]).criterion - fitted <= _NESTED


def _test(small: EstimatedSEM, large: EstimatedSEM, words: str) -> LikelihoodRatioTest:
    from scipy.special import chdtrc

    fall = small.deviance - large.deviance
    if fall < -_ROUNDING * abs(large.deviance):
        raise ModelError(
            "the model with more parameters fits worse: the two are not nested, or one fit ended in the wrong place.",
            where=f"{small.model.title}; {large.model.title}",
            remedy="Compare nested models, and look at both verdicts.",
        )
    df = large.n_parameters - small.n_parameters
    doubts = [words] if words else []
    doubts += [
        f"The verdict on {fit.model.title} is: {fit.verdict.message}" for fit in (small, large) if not fit.verdict
    ]
    factor = _factor(small, large, df)
    if factor is not None and factor <= 0:
        doubts.append(f"The scaling factor is {factor:.3g}, so the scaled test has no value; use the unscaled one.")
        return LikelihoodRatioTest(np.nan, df, np.nan, " ".join(doubts), factor=factor)
    chi2 = max(float(fall), 0.0) / (1.0 if factor is None else factor)
    return LikelihoodRatioTest(chi2, df, float(chdtrc(df, chi2)), " ".join(doubts), factor=factor)


def _factor(small: EstimatedSEM, large: EstimatedSEM, df: int) -> float | None:
    """The scaling factor, in which the saturated model's trace cancels: (tr A1^-1 B1 - tr A0^-1 B0) / df."""
    a, b = small.solution.traces, large.solution.traces
    if a is None or b is None or not np.isfinite([a.model, b.model]).all():
        return None
    return float((b.model - a.model) / df)
