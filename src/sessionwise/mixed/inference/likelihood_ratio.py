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

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ...errors import ModelError, some
from ...show import Grid, Part, Shown, num, p_value
from ...threads import one_thread
from .. import MixedLikelihood, Residual, Solution
from .parameters import is_singular

#: Fewer levels of a grouping factor than this are said to be few.
_FEW = 50
#: The larger model's criterion may be above the smaller one's by this much rounding.
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Comparison(Shown):
    """A likelihood-ratio test.

    chi2 : fall of the criterion. df : parameters more. p : by the mixture. p_naive : by chi2(df), as lme4's anova.
    weights, dfs : (m,) of the mixture; chi2 with 0 degrees of freedom is the point 0.
    reml : whether REML criteria were compared. words : which distribution, and why.
    """

    chi2: float
    df: int
    p: float
    p_naive: float
    weights: np.ndarray
    dfs: np.ndarray
    reml: bool
    words: str

    def parts(self) -> list[Part]:
        """What is shown of it: lines and a table."""
        head = ("", "chi2", "df", "p", f"p by chi2({self.df})")
        row = ("larger against smaller", num(self.chi2), f"{self.df}", p_value(self.p), p_value(self.p_naive))
        title = f"Fall of {'the REML criterion' if self.reml else '-2 log-likelihood'}"
        return ["Likelihood-ratio test", Grid(title, head, (row,)), f"p by {self.words}"]


@one_thread()
def likelihood_ratio(
    smaller: Solution,
    larger: Solution,
    *,
    responses: tuple[str, str] | None = None,
    rows: tuple[np.ndarray, np.ndarray] | None = None,
    names: tuple[str, str] = ("the smaller model", "the larger model"),
) -> Comparison:
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
    mixture = _mixture(more, df)
    words = mixture.words + _few_levels(larger.problem, more)
    if is_singular(smaller.problem, smaller.optimum.parameters):
        words += " A variance of the smaller model is estimated as 0, which no reference distribution allows for."
    p, naive = _tail(chi2, mixture.weights, mixture.dfs), _tail(chi2, np.ones(1), np.array([df]))
    return Comparison(chi2, df, p, naive, mixture.weights, mixture.dfs, larger.reml, words)


def _tail(chi2: float, weights: np.ndarray, dfs: np.ndarray) -> float:
    """The probability of chi2 or more."""
    from scipy.special import chdtrc

    tails = [1.0 if chi2 == 0 else float(chdtrc(df, chi2)) if df else 0.0 for df in dfs.tolist()]
    return float(weights @ np.array(tails))


# --- the reference distribution -----------------------------------------------------------------


def _few_levels(larger: MixedLikelihood, more: _More) -> str:
    s = larger.structure
    levels = {level.name: len(level.labels) for level in s.levels}
    levels |= {name: len(placed.labels) for name, placed in s.positions.items()}
    few = [f"{levels[g]} levels of {g}" for g in dict.fromkeys(g for g, _ in more.variances) if levels[g] < _FEW]
    return f" With only {' and '.join(few)} p is, if anything, too large." if few else ""


class _Mixture(NamedTuple):
    weights: np.ndarray
    dfs: np.ndarray
    words: str


def _mixture(more: _More, df: int) -> _Mixture:
    new = list(more.variances)
    names = some([f"{effect} by {group}" for group, effect in new])
    if not new:
        words = f"chi-squared with {df} df: no variance of 0 is tested."
        if more.bounded:
            words = f"chi-squared with {df} df; phi cannot be below 0, so p is, if anything, too large."
        return _Mixture(np.ones(1), np.array([df]), words)
    if len(new) == 1 and not more.bounded:
        words = (
            f"a 50:50 mixture of chi-squared with {df - 1} and {df} df, since under the smaller model the variance of "
            f"{names} is at its limit, 0 (Self & Liang 1987; Stram & Lee 1994)."
        )
        return _Mixture(np.full(2, 0.5), np.array([df - 1, df]), words)
    if len(new) == 2 and not more.bounded and frozenset(new) not in more.covariances:
        words = (
            f"a 1/4 : 1/2 : 1/4 mixture of chi-squared with {df - 2}, {df - 1} and {df} df, since under the smaller "
            f"model two variances are at their limit, 0 ({names}); it assumes that the estimate of one says nothing "
            "about the other (Self & Liang 1987, case 7)."
        )
        return _Mixture(np.array([0.25, 0.5, 0.25]), np.array([df - 2, df - 1, df]), words)
    words = (
        f"chi-squared with {df} df, which is conservative: under the smaller model several parameters are at their "
        f"limit ({names}), so p is too large; the right distribution has no simple form."
    )
    return _Mixture(np.ones(1), np.array([df]), words)


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
        has = "has" if len(wrong) == 1 else "have"
        raise ModelError(
            f"{' and '.join(wrong)} {has} not converged, so that the criteria cannot be compared.",
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
