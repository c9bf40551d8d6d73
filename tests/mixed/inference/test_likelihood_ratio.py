"""Likelihood-ratio tests: lme4's and nlme's anova, the mixtures by hand and by simulation, and what is refused.

Tolerances
----------
STATISTIC 5e-6: two criteria that the reference tests hold to 1e-6 each; nlme's own optimum may be 1e-5 away.
ERRORS standard errors of a simulated share.
"""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from helpers.lme4 import LME4, STORED, stored
from helpers.multilevel import Fitted, fitted
from helpers.sessions import nested
from sessionwise.errors import ModelError
from sessionwise.mixed import Residual, Solution, optimise, problem, summed
from sessionwise.mixed.inference import LikelihoodRatio, TrueParameters, draw_from, likelihood_ratio
from sessionwise.models.mlm.likelihood_ratio import in_words
from sessionwise.words import num

STATISTIC, NLME, ERRORS = 5e-6, 5e-4, 4.0


# --- R -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pair", STORED["lrt"], ids=lambda pair: f"{pair['small']} {pair['large']}")
def test_anova(pair):
    tolerance = STATISTIC if pair["small"] in LME4 else NLME
    c = likelihood_ratio(stored(pair["small"]), stored(pair["large"]))
    assert c.chi2 == pytest.approx(pair["chisq"], abs=tolerance)
    assert c.df == pair["df"]
    # where chi2 is 0 lme4's is rounding, of which the square root matters
    assert c.p_naive == pytest.approx(pair["p"], rel=1e-3 if pair["chisq"] > 1e-6 else 1e-2)
    assert c.p <= c.p_naive


# --- which mixture --------------------------------------------------------------------------------

ONE, TWO = [0.5, 0.5], [0.25, 0.5, 0.25]
MIXTURES = [
    # smaller, larger, weights, degrees of freedom
    ("y ~ x", "y ~ x + z", [1], [1]),
    ("y ~ x", "y ~ x + (1 | p)", ONE, [0, 1]),
    ("y ~ x + (1 | p)", "y ~ x + (1 + x | p)", ONE, [1, 2]),
    ("y ~ x + (1 + x | p)", "y ~ x + (1 + x + z | p)", ONE, [2, 3]),
    ("y ~ x + (1 | p)", "y ~ x + (1 + x || p)", ONE, [0, 1]),
    ("y ~ x + (1 | p)", "y ~ x + (1 | p) + (0 + x | p)", ONE, [0, 1]),
    ("y ~ x + (1 + x || p)", "y ~ x + (1 + x | p)", [1], [1]),
    ("y ~ x + (1 + x || p)", "y ~ x + (1 + x + z | p)", ONE, [3, 4]),
    ("y ~ x + (1 | p)", "y ~ x + (1 | p) + (1 | h)", ONE, [0, 1]),
    ("y ~ x + (1 | p)", "y ~ x + z + (1 | p) + (1 | h)", ONE, [1, 2]),
    ("y ~ x + (1 | p)", "y ~ x + (1 | p) + (1 | g) + (1 | h)", TWO, [0, 1, 2]),
    ("y ~ x + (1 | p)", "y ~ x + (1 + x + z || p)", TWO, [0, 1, 2]),
    ("y ~ x + (1 | p)", "y ~ x + (1 + x | p) + (1 | h)", TWO, [1, 2, 3]),
    ("y ~ x + (1 | p)", "y ~ x + (1 + x + z | p)", [1], [5]),
    ("y ~ x + (1 | p)", "y ~ x + (1 + x + z || p) + (1 | h)", [1], [3]),
]


@functools.cache
def model(formula: str, method: str = "ML", residual: str = "independent", by: str | None = None) -> Solution:
    return fitted(nested(), formula, method, residual=residual, variance_by=by).solution


@pytest.mark.parametrize(("smaller", "larger", "weights", "dfs"), MIXTURES)
def test_mixtures(smaller, larger, weights, dfs):
    c = likelihood_ratio(model(smaller), model(larger))
    np.testing.assert_array_equal(c.weights, weights)
    np.testing.assert_array_equal(c.dfs, dfs)
    assert c.df == max(dfs)
    words = in_words(c).words
    assert ("mixture" in words) == (len(weights) > 1)
    assert ("conservative" in words) == (weights == [1] and max(dfs) > 1)
    assert ("assumes" in words) == (weights == TWO)


@pytest.mark.parametrize(
    ("smaller", "larger", "df", "said"),
    [
        (("independent", None), ("ar1", None), 1, "no variance of 0"),
        (("independent", None), ("car1", None), 1, "phi cannot be below 0"),
        (("independent", None), ("independent", "b"), 1, "no variance of 0"),
        (("ar1", None), ("ar1", "b"), 1, "no variance of 0"),
        (("independent", None), ("ar1", "b"), 2, "no variance of 0"),
    ],
)
def test_residuals(smaller, larger, df, said):
    formula = "y ~ x + (1 | p)"
    c = likelihood_ratio(model(formula, "ML", *smaller), model(formula, "ML", *larger))
    np.testing.assert_array_equal(c.dfs, [df])
    assert said in in_words(c).words


def test_by_hand():
    """2.7055 is the 90 % point of chi2(1): half of it is left of the 95 % point of the mixture."""
    smaller, larger = model("y ~ x"), model("y ~ x + (1 | p)")
    gain = 2.705543454095404 - (smaller.criterion - larger.criterion)
    there = smaller.optimum.evaluation
    off = replace(smaller.optimum, evaluation=replace(there, criterion=there.criterion + gain))
    c = likelihood_ratio(Solution(smaller.problem, off, reml=False), larger)
    assert c.chi2 == pytest.approx(2.705543454095404)
    assert c.p == pytest.approx(0.05)
    assert c.p_naive == pytest.approx(0.1)


def test_nothing_gained():
    """Variance of 0: chi2 is 0 and p is 1, or 1/2 where rounding leaves more than 0."""
    c = likelihood_ratio(stored("intercept-ml"), stored("zero-slope-ml"))
    assert c.chi2 == pytest.approx(0, abs=1e-7)
    assert c.p > 0.499
    assert c.p_naive == pytest.approx(1, abs=1e-3)


def test_a_variance_of_zero_in_the_smaller_model_is_said():
    c = likelihood_ratio(stored("zero-slope-ml"), stored("zero-slope-correlated-ml"))
    assert "estimated as 0" in in_words(c).words


def test_few_levels_are_said():
    few = likelihood_ratio(model("y ~ x + (1 | p)"), model("y ~ x + (1 | p) + (1 | h)"))
    assert "only 5 levels of h" in in_words(few).words
    nested = likelihood_ratio(model("y ~ x + (1 | p)"), model("y ~ x + (1 | p) + (1 | c)"))
    assert "only 3 levels of c" in in_words(nested).words
    many = likelihood_ratio(stored("intercept-ml"), stored("slope-ml"))
    assert "only" not in in_words(many).words


def test_reml_with_the_same_coefficients():
    c = likelihood_ratio(model("y ~ x + (1 | p)", "REML"), model("y ~ x + (1 + x | p)", "REML"))
    assert c.reml
    np.testing.assert_array_equal(c.dfs, [1, 2])


# --- refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("smaller", "larger", "said"),
    [
        ("y ~ x + (1 | p)", "y ~ z + (1 | p) + (1 | h)", "lacks the coefficients x"),
        ("y ~ x + (1 + x | p)", "y ~ x + (1 | p) + (1 | g) + (1 | h)", "lacks the random effects x by p"),
        ("y ~ x + (1 + x | p)", "y ~ x + (1 + x + z || p)", r"may not covary: \(Intercept\) and x"),
        ("y ~ x + (1 | p)", "y ~ x + (1 | p)", "same parameters"),
        ("y ~ x + (1 | p)", "I(2 * y) ~ x + (1 | p) + (1 | h)", "different responses"),
    ],
)
def test_not_nested(smaller, larger, said):
    with pytest.raises(ModelError, match=said):
        likelihood_ratio(model(smaller), model(larger))


def test_residuals_that_are_not_nested():
    formula = "y ~ x + (1 | p)"
    for smaller, larger in (("ar1", "car1"), ("ar1", "independent")):
        with pytest.raises(ModelError, match="no special case"):
            likelihood_ratio(model(formula, "ML", smaller), model(formula, "ML", larger))


def test_different_data():
    small, large = model("y ~ x + (1 | p)"), model("y ~ x + (1 + x | p)")
    fewer = fitted(nested().head(80), "y ~ x + (1 | p)", "ML").solution
    with pytest.raises(ModelError, match="different rows"):
        likelihood_ratio(fewer, large)
    with pytest.raises(ModelError, match="different rows"):
        likelihood_ratio(small, large, rows=(np.arange(3), np.arange(1, 4)))
    with pytest.raises(ModelError, match="'y' and 'log"):
        likelihood_ratio(small, large, responses=("y", "log(y)"))


def test_different_rows_are_not_called_different_responses():
    """As many rows, the same name, other values."""
    small = model("y ~ x + (1 | p)")
    other = fitted(nested().with_columns(pl.col("y") * 2), "y ~ x + (1 + x | p)", "ML").solution
    with pytest.raises(ModelError, match="fitted to different rows: 'y' has other values"):
        likelihood_ratio(small, other, responses=("y", "y"))
    with pytest.raises(ModelError, match="different responses, or were fitted to different rows"):
        likelihood_ratio(small, other)


def test_a_model_that_has_not_converged():
    small, large = model("y ~ x + (1 | p)"), model("y ~ x + (1 + x | p)")
    bad_small, bad_large = (replace(s, optimum=replace(s.optimum, converged=False)) for s in (small, large))
    with pytest.raises(ModelError, match="the smaller model has not converged") as caught:
        likelihood_ratio(bad_small, large)
    assert caught.value.remedy
    with pytest.raises(ModelError, match="the larger model has not converged"):
        likelihood_ratio(small, bad_large)
    with pytest.raises(ModelError, match="A and B have not converged"):
        likelihood_ratio(bad_small, bad_large, names=("A", "B"))


def test_names_alone_do_not_tell():
    with pytest.raises(ModelError, match="cannot be told to be nested") as caught:
        likelihood_ratio(model("y ~ x + (1 | p)"), model("y ~ I(x) + (1 + z | p)"))
    assert "smaller model first" not in str(caught.value)
    with pytest.raises(ModelError, match="are not nested") as caught:
        likelihood_ratio(model("y ~ x", "ML", "ar1"), model("y ~ x", "ML", "car1"))
    assert "smaller model first" not in str(caught.value)


def test_it_prints_itself():
    c = in_words(likelihood_ratio(model("y ~ x + (1 | p)"), model("y ~ x + (1 + x | p)")))
    lines = str(c).splitlines()
    assert lines[0] == "Likelihood-ratio test"
    assert max(map(len, lines)) <= 80
    assert "-2 log-likelihood" in str(c)
    assert "p by a 50:50 mixture" in str(c)
    assert num(c.chi2) in str(c)
    assert "chi2(2)" in str(c)
    html = c._repr_html_()
    assert "<table>" in html
    assert num(c.chi2) in html
    reml = likelihood_ratio(model("y ~ x + (1 | p)", "REML"), model("y ~ x + (1 + x | p)", "REML"))
    assert "REML criterion" in str(in_words(reml))


def test_reml_and_coefficients():
    with pytest.raises(ModelError, match="by REML, the other by ML"):
        likelihood_ratio(model("y ~ x + (1 | p)"), model("y ~ x + (1 + x | p)", "REML"))
    with pytest.raises(ModelError, match="different coefficients"):
        likelihood_ratio(model("y ~ x + (1 | p)", "REML"), model("y ~ x + z + (1 | p)", "REML"))


def test_a_larger_model_that_fits_worse():
    large = model("y ~ x + (1 + x | p)")
    there = large.optimum.evaluation
    off = replace(large.optimum, evaluation=replace(there, criterion=there.criterion + 20))
    with pytest.raises(ModelError, match="not at its optimum"):
        likelihood_ratio(model("y ~ x + (1 | p)"), Solution(large.problem, off, reml=False))


# --- p under the null -----------------------------------------------------------------------------


def simulated(smaller: str, larger: str, truth: TrueParameters, persons: int, n: int) -> list[LikelihoodRatio]:
    """Comparisons of two models of responses drawn from the smaller, six sessions a person."""
    both = [fitted(nested(seed=7, persons=persons), formula, "ML") for formula in (smaller, larger)]
    residual = both[0].solution.problem.residual
    found = []
    for seed in np.random.SeedSequence(5).spawn(n):
        y = draw_from(truth, both[0].design, residual, np.random.default_rng(seed))
        found.append(likelihood_ratio(*(_refitted(f, y, residual) for f in both)))
    return found


def _refitted(f: Fitted, y: np.ndarray, residual: Residual) -> Solution:
    matrix = f.design.matrix.copy(order="F")
    matrix[:, 0] = y
    made = problem(summed(replace(f.design, matrix=matrix), residual), residual)
    return Solution(made, optimise(made, reml=False), reml=False)


def is_uniform(found: list[LikelihoodRatio], below: tuple[float, ...]) -> None:
    p = np.array([c.p for c in found])
    for share in below:
        assert abs((p <= share).mean() - share) < ERRORS * np.sqrt(share * (1 - share) / len(p)), share


def null(persons: int, n: int) -> None:
    """The mixtures hold for many persons: with 60, more than half of samples have a variance of 0."""
    nothing = TrueParameters(np.array([20.0, 1.0]), 1.5, (), np.zeros(0))
    intercepts = TrueParameters(np.array([20.0, 1.0]), 1.5, (np.array([[2.0]]),), np.zeros(0))
    # p is 1 in half of the samples, those without variance
    found = simulated("y ~ x", "y ~ x + (1 | p)", nothing, persons, n)
    is_uniform(found, (0.05, 0.2, 0.4))
    found = simulated("y ~ x + (1 | p)", "y ~ x + (1 + z | p)", intercepts, persons, n)
    is_uniform(found, (0.05, 0.2, 0.5, 0.8))
    naive = np.array([c.p_naive for c in found])
    assert (naive <= 0.2).mean() < 0.2
    is_uniform(simulated("y ~ x + (1 | p)", "y ~ x + z + (1 + z | p)", intercepts, persons, n), (0.05, 0.2, 0.5, 0.8))
    is_uniform(simulated("y ~ x + (1 | p)", "y ~ x + (1 + x + z || p)", intercepts, persons, n), (0.05, 0.2, 0.5))


def test_p_is_uniform_under_the_null():
    null(60, 150)


@pytest.mark.slow
def test_p_is_uniform_under_the_null_at_full_size():
    null(500, 2000)
