"""Likelihood ratio: whether a larger model fits better than one nested in it.

The reference distribution is the one that holds where a variance is at its limit, 0, under the smaller model.

With d parameters more, twice the log-likelihood ratio is chi-squared with d degrees of freedom, unless variances are
among them: under the smaller model these lie on the boundary, and the distribution is a mixture (Self & Liang 1987,
J Am Stat Assoc 82:605; Stram & Lee 1994, Biometrics 50:1171):

- one random effect more, its covariances with others along with it: half chi2(d - 1), half chi2(d);
- two that do not covary with each other: a quarter chi2(d - 2), half chi2(d - 1), a quarter chi2(d), if what the data
  say about the one variance is unrelated to what they say about the other;
- more, or two that covary: no simple form; chi2(d), with which p is too large.

All this is for many levels of the grouping factor. With few, a variance is estimated as 0 in more than half of the
samples of the smaller model, and p is rather too large.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ...errors import ModelError, some
from ...threads import one_thread
from ...words import agree, listed
from .. import MixedLikelihood, Residual, Solution
from .parameters import is_singular

#: The larger model's criterion may be above the smaller one's by this much rounding.
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class LikelihoodRatio:
    """A likelihood-ratio test in numbers.

    chi2 : fall of the criterion. df : parameters more. p : by the mixture. p_naive : by chi2(df), as lme4's anova.
    weights, dfs : (m,) of the mixture; chi2 with 0 degrees of freedom is the point 0. reml : whether REML criteria were
    compared.
    at_limit : variances (grouping factor, effect) that only the larger model has, and that are 0 under the smaller one.
    phi_at_limit : whether phi is at its limit under the smaller model. levels : how many of each factor of `at_limit`.
    singular : whether the smaller model's own estimate has a variance of 0, which no mixture here allows for.
    """

    chi2: float
    df: int
    p: float
    p_naive: float
    weights: np.ndarray
    dfs: np.ndarray
    reml: bool
    at_limit: tuple[tuple[str, str], ...]
    phi_at_limit: bool
    levels: Mapping[str, int]
    singular: bool


@one_thread()
def likelihood_ratio(
    smaller: Solution,
    larger: Solution,
    *,
    responses: tuple[str, str] | None = None,
    rows: tuple[np.ndarray, np.ndarray] | None = None,
    names: tuple[str, str] = ("the smaller model", "the larger model"),
) -> LikelihoodRatio:
    """Compare two models fitted to the same rows.

    Parameters
    ----------
    smaller, larger : each parameter of `smaller` must be one of `larger`; both by ML, or, with the same fixed columns,
        both by REML.
    responses, rows : of the two models, as the caller knows them (a formula's text, numbers of the Panel's rows); they
        must be equal.
    names : what the two are called where one has not converged.

    Raises
    ------
    ModelError : a model that has not converged, different data, models that are not nested or cannot be told to be, or
        are the same, REML with different fixed columns, a larger model that fits worse, which only happens where it is
        not at its optimum.
    """
    _converged((smaller, larger), names)
    _same_data(smaller, larger, responses, rows)
    _comparable(smaller, larger)
    more = _more(smaller.problem, larger.problem)
    df = larger.n_parameters - smaller.n_parameters
    if df == 0:
        raise ModelError("the two models have the same parameters.", remedy="Compare models of which one has more.")
    chi2 = smaller.criterion - larger.criterion
    if chi2 < -_ROUNDING * max(1.0, abs(larger.criterion) * 1e-4):
        raise ModelError(
            f"the larger model fits worse (its deviance is higher by {-chi2:.3g}), so it is not at its optimum.",
            remedy="Look at both verdicts; scale predictors, or simplify the random part.",
        )
    chi2 = max(chi2, 0.0)
    weights, dfs = _mixture(more, df)
    return LikelihoodRatio(
        chi2,
        df,
        _tail(chi2, weights, dfs),
        _tail(chi2, np.ones(1), np.array([df])),
        weights,
        dfs,
        larger.reml,
        more.variances,
        more.bounded,
        _levels(larger.problem, more),
        is_singular(smaller.problem, smaller.optimum.parameters),
    )


def _tail(chi2: float, weights: np.ndarray, dfs: np.ndarray) -> float:
    """The probability of chi2 or more."""
    from scipy.special import chdtrc

    tails = [1.0 if chi2 == 0 else float(chdtrc(df, chi2)) if df else 0.0 for df in dfs.tolist()]
    return float(weights @ np.array(tails))


# --- the reference distribution -----------------------------------------------------------------


def _levels(larger: MixedLikelihood, more: _More) -> dict[str, int]:
    s = larger.structure
    levels = {level.name: len(level.labels) for level in s.levels}
    levels |= {name: len(placed.labels) for name, placed in s.positions.items()}
    return {group: levels[group] for group, _ in more.variances}


def _mixture(more: _More, df: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights and degrees of freedom, as told at the top; chi2(df) where there is no simple form."""
    new = more.variances
    if len(new) == 1 and not more.bounded:
        return np.full(2, 0.5), np.array([df - 1, df])
    if len(new) == 2 and not more.bounded and frozenset(new) not in more.covariances:
        return np.array([0.25, 0.5, 0.25]), np.array([df - 2, df - 1, df])
    return np.ones(1), np.array([df])


# --- which parameters there are more ------------------------------------------------------------

_Effect = tuple[str, str]  # grouping factor, effect


@dataclass(frozen=True, slots=True)
class _More:
    """Variances and covariances of the larger model that the smaller one has not; whether phi >= 0 is new as well."""

    variances: tuple[_Effect, ...]
    covariances: frozenset[frozenset[_Effect]]
    bounded: bool


def _more(smaller: MixedLikelihood, larger: MixedLikelihood) -> _More:
    missing = [name for name in smaller.names if name not in larger.names]
    if missing:
        raise _not_told(f"the larger one lacks the coefficients {some(missing)}")
    mine, theirs = _effects(smaller), _effects(larger)
    lost = [f"{effect} by {group}" for group, effect in mine.variances if (group, effect) not in theirs.variances]
    if lost:
        raise _not_told(f"the larger one lacks the random effects {some(lost)}")
    if not mine.covariances <= theirs.covariances:
        pairs = [" and ".join(sorted(e for _, e in pair)) for pair in mine.covariances - theirs.covariances]
        raise _not_told(f"in the larger one these effects may not covary: {some(sorted(pairs))}")
    a, b = smaller.residual, larger.residual
    if not _residuals_nested(a, b):
        raise ModelError(
            "the models are not nested: the residuals of the smaller one are no special case of those of the larger.",
            remedy="Compare them by AIC.",
        )
    variances = tuple(v for v in theirs.variances if v not in mine.variances)
    return _More(variances, theirs.covariances - mine.covariances, a.kind != b.kind and b.kind == "car1")


class _Effects(NamedTuple):
    variances: tuple[_Effect, ...]
    covariances: frozenset[frozenset[_Effect]]


def _effects(problem: MixedLikelihood) -> _Effects:
    variances: dict[_Effect, None] = {}
    covariances: set[frozenset[_Effect]] = set()
    for block in problem.blocks:
        own = [(block.group, effect) for effect in block.effects]
        variances |= dict.fromkeys(own)
        if block.correlated:
            covariances |= {frozenset((a, b)) for i, a in enumerate(own) for b in own[:i]}
    return _Effects(tuple(variances), frozenset(covariances))


def _residuals_nested(a: Residual, b: Residual) -> bool:
    kinds = a.kind in (b.kind, "independent")
    rows_known = len(a.strata) and len(b.strata)
    strata = a.labels == b.labels and (not rows_known or bool(np.array_equal(a.strata, b.strata)))
    return kinds and (not a.labels or strata)


def _not_told(why: str) -> ModelError:
    """Only names of columns are known: others may say the same."""
    return ModelError(
        f"the models cannot be told to be nested: {why}.",
        remedy="Write the terms that both have in the same way; models that are not nested can be compared by AIC (of "
        'fits with method="ML").',
    )


# --- may they be compared -----------------------------------------------------------------------


def _converged(solutions: tuple[Solution, Solution], names: tuple[str, str]) -> None:
    wrong = [name for s, name in zip(solutions, names, strict=True) if not s.optimum.converged]
    if wrong:
        has = agree(len(wrong), "has", "have")
        raise ModelError(
            f"{listed(wrong)} {has} not converged, so that the criteria cannot be compared.",
            remedy="Scale predictors, or simplify the random part, until both converge.",
        )


def _same_data(
    smaller: Solution,
    larger: Solution,
    responses: tuple[str, str] | None,
    rows: tuple[np.ndarray, np.ndarray] | None,
) -> None:
    a, b = smaller.problem, larger.problem
    if a.n != b.n or (rows is not None and not np.array_equal(*rows)):
        raise ModelError(
            f"the models were fitted to different rows ({a.n:,} and {b.n:,} of them).",
            remedy="Leave out rows with a missing value in any variable of either model, and fit both again.",
        )
    if responses is not None and responses[0] != responses[1]:
        raise ModelError(
            f"the models have different responses: {responses[0]!r} and {responses[1]!r}.",
            remedy="Compare models of the same response.",
        )
    if not np.allclose(a.response, b.response, rtol=1e-9, atol=0.0):
        why = "have different responses, or" if responses is None else "were fitted to different rows:"
        also = "were fitted to different rows" if responses is None else f"{responses[0]!r} has other values in them"
        raise ModelError(
            f"the models {why} {also}.", remedy="Fit both to the same rows of one Panel, with the same response."
        )


def _comparable(smaller: Solution, larger: Solution) -> None:
    if smaller.reml != larger.reml:
        raise ModelError("one model was fitted by REML, the other by ML.", remedy='Fit both with method="ML".')
    if larger.reml and smaller.problem.names != larger.problem.names:
        raise ModelError(
            "REML criteria of models with different coefficients cannot be compared.",
            remedy='Fit both with method="ML".',
        )
