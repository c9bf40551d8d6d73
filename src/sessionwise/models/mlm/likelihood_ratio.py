"""Likelihood-ratio tests of multilevel fits, with the distribution that p is by in words.

The mathematics is in mixed.inference.likelihood_ratio.
"""

from __future__ import annotations

from ...errors import ModelError, some
from ...formula import show
from ...mixed.inference import LikelihoodRatio, likelihood_ratio
from ...words import listed
from ..likelihood_ratio import LikelihoodRatioTest
from .estimated import EstimatedMLM

#: Fewer levels of a grouping factor than this are said to be few.
FEW = 50


def of_nested(one: EstimatedMLM, other: EstimatedMLM) -> LikelihoodRatioTest:
    """Of two nested fits, in either order; see `MLMFit.lrt`."""
    if not isinstance(other, EstimatedMLM):
        raise ModelError(
            f"a {type(other).__name__} is no fit of a multilevel model.",
            where="lrt",
            remedy="Give what .fit(panel) of an MLM returned.",
        )
    small, large = sorted((one, other), key=lambda f: f.n_parameters)
    responses = show(small.recipe.design.formula.response), show(large.recipe.design.formula.response)
    names = f"the smaller model ({small.model.formula.strip()})", f"the larger model ({large.model.formula.strip()})"
    return in_words(likelihood_ratio(small.solution, large.solution, responses=responses, names=names))


def in_words(test: LikelihoodRatio) -> LikelihoodRatioTest:
    """The test as a result that says which distribution it is by."""
    words = _distribution(test) + _few_levels(test)
    if test.singular:
        words += " A variance of the smaller model is estimated as 0, which no reference distribution allows for."
    return LikelihoodRatioTest(
        test.chi2,
        test.df,
        test.p,
        words,
        p_naive=test.p_naive,
        weights=tuple(test.weights.tolist()),
        dfs=tuple(test.dfs.tolist()),
        reml=test.reml,
    )


def _distribution(test: LikelihoodRatio) -> str:
    df, names = test.df, some([f"{effect} by {group}" for group, effect in test.at_limit])
    if len(test.weights) == 2:
        return (
            f"a 50:50 mixture of chi-squared with {df - 1} and {df} df, since under the smaller model the variance of "
            f"{names} is at its limit, 0 (Self & Liang 1987; Stram & Lee 1994)."
        )
    if len(test.weights) == 3:
        return (
            f"a 1/4 : 1/2 : 1/4 mixture of chi-squared with {df - 2}, {df - 1} and {df} df, since under the smaller "
            f"model two variances are at their limit, 0 ({names}); it assumes that the estimate of one says nothing "
            "about the other (Self & Liang 1987, case 7)."
        )
    if test.at_limit:
        return (
            f"chi-squared with {df} df, which is conservative: under the smaller model several parameters are at their "
            f"limit ({names}), so p is too large; the right distribution has no simple form."
        )
    if test.phi_at_limit:
        return f"chi-squared with {df} df; phi cannot be below 0, so p is, if anything, too large."
    return f"chi-squared with {df} df: no variance of 0 is tested."


def _few_levels(test: LikelihoodRatio) -> str:
    few = [f"{n} levels of {group}" for group, n in test.levels.items() if n < FEW]
    return f" With only {listed(few)} p is, if anything, too large." if few else ""
