"""Satterthwaite's degrees of freedom against lmerTest, against the definition written out, and what must not matter.

Tolerances
----------
LMERTEST 2e-5 relative: df follow from where the criterion is smallest, which the search leaves once the criterion can
    fall by no more than 1e-10, so that parameters are off by 1e-5 of their standard errors; 6e-6 was found at worst,
    and 1e-7 after one more Newton step.
WRITTEN 1e-4 relative: second differences of a criterion with a row for each session.
SAME 2e-5 relative: two searches that end 1e-5 standard errors apart.
"""

from __future__ import annotations

import functools

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.dense import Dense, dense, random_matrix, residual_matrix
from helpers.lme4 import LME4, of_program, stored
from helpers.multilevel import Fitted, fitted
from helpers.sessions import nested, renamed
from sessionwise.mixed import Solution
from sessionwise.mixed.inference.satterthwaite import satterthwaite, satterthwaite_joint, satterthwaite_rows

LMERTEST, WRITTEN, SAME = 2e-5, 1e-4, 2e-5


def df_of(solution: Solution, contrasts: np.ndarray | None = None) -> np.ndarray:
    rows = np.eye(solution.problem.p) if contrasts is None else contrasts
    return satterthwaite_rows(satterthwaite(solution), rows)


@pytest.mark.parametrize("name", [name for name, case in LME4.items() if "satterthwaite" in case])
def test_lmertest(name):
    case = LME4[name]
    np.testing.assert_allclose(df_of(stored(name)), of_program(case, case["satterthwaite"]["df"]), rtol=LMERTEST)


def test_sleepstudy_has_17():
    np.testing.assert_allclose(df_of(stored("sleepstudy-slope-reml")), 17, rtol=LMERTEST)


# --- the definition ----------------------------------------------------------------------------------


def written_out(f: Fitted, contrasts: np.ndarray) -> np.ndarray:
    """2 v^2 / (g' (2 D^-1) g) with D the Hessian in (theta, rho, sigma) of the deviance, all by differences."""
    s = f.solution
    sizes = [b.size for b in s.problem.blocks]
    ends = np.cumsum(sizes, dtype=int)
    x0 = np.concatenate([s.theta, s.residual, [s.sigma]])

    def at(x: np.ndarray) -> Dense:
        factors = []
        for block, theta in zip(s.problem.blocks, np.split(x, ends)[:-1], strict=True):
            lower = np.zeros((block.q, block.q))
            lower[block.places] = theta
            factors.append(lower)
        v = residual_matrix(f.design, s.problem.residual, x[sum(sizes) : -1], f.at)
        return dense(f.design, x[-1] ** 2 * (v + random_matrix(f.design, s.problem, [c @ c.T for c in factors])))

    def deviance(x: np.ndarray) -> float:
        return at(x).deviance(s.reml)

    def variances(x: np.ndarray) -> np.ndarray:
        return np.einsum("ki,ij,kj->k", contrasts, at(x).vcov, contrasts)

    steps = 1e-3 * np.eye(len(x0)) * np.maximum(np.abs(x0), 0.1)
    d = np.empty((len(x0), len(x0)))
    for i, a in enumerate(steps):
        for j, b in enumerate(steps):
            four = deviance(x0 + a + b) - deviance(x0 + a - b) - deviance(x0 - a + b) + deviance(x0 - a - b)
            d[i, j] = four / (4 * a[i] * b[j])
    g = np.array([(variances(x0 + a) - variances(x0 - a)) / (2 * a.sum()) for a in steps])
    return variances(x0) ** 2 / np.einsum("xk,xy,yk->k", g, np.linalg.inv(d), g)


WRITTEN_OUT = [
    ("y ~ x + z + (1 + x | p)", {}),
    ("y ~ x + z + (1 + x || p) + (1 | g)", {"method": "ML"}),
    ("y ~ x + z + (1 | p) + (1 | h)", {}),
    ("y ~ x + z + (1 | p)", {"residual": "ar1"}),
    ("y ~ x + z + (1 | p)", {"residual": "car1", "method": "ML"}),
    ("y ~ x + z + (1 | p) + (1 | h)", {"residual": "ar1", "variance_by": "b"}),
    ("y ~ x + z", {"residual": "ar1"}),
]


@pytest.mark.parametrize(("formula", "options"), WRITTEN_OUT)
def test_the_definition_written_out(formula, options):
    f = fitted(nested(), formula, **options)
    contrasts = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 4, -0.5]])
    np.testing.assert_allclose(df_of(f.solution, contrasts), written_out(f, contrasts), rtol=WRITTEN)


@pytest.mark.parametrize("method", ["REML", "ML"])
def test_without_random_effects_they_are_the_residual_ones(method):
    f = fitted(nested(), "y ~ x + z", method)
    np.testing.assert_allclose(df_of(f.solution), len(f.x) - 3, rtol=1e-12)


def test_random_effects_that_vanish_leave_the_residual_ones():
    """No variance, two random effects: every direction of theta is flat or without effect."""
    rng = np.random.default_rng(3)
    data = nested().with_columns(y=pl.Series(rng.standard_normal(len(nested()))))
    centred = data.with_columns(y=pl.col("y") - pl.col("y").mean().over("p"))
    f = fitted(centred, "y ~ x + z + (1 | p)")
    assert f.solution.theta[0] < 1e-6
    np.testing.assert_allclose(df_of(f.solution), len(f.x) - 3, rtol=1e-6)


# --- several rows -------------------------------------------------------------------------------------


def test_several_rows_of_equal_df_have_that_df():
    s = satterthwaite(stored("machines-slopes-reml"))
    np.testing.assert_allclose(satterthwaite_joint(s, np.eye(3)[1:], 2), 5, rtol=LMERTEST)


def test_one_row_is_itself():
    s = satterthwaite(stored("slope-reml"))
    row = np.array([[0, 1, 2, 0, -1.0]])
    assert satterthwaite_joint(s, row, 1) == pytest.approx(satterthwaite_rows(s, row)[0], rel=1e-12)


@pytest.mark.parametrize("far", [1e5, 1e9])
def test_rows_in_very_different_units_are_not_lost(far):
    """They go on where lmerTest's rule leads: to rows independent of the larger ones."""
    s = satterthwaite(stored("slope-reml"))
    rows = np.array([[0, 1, 1, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 1, 0.5]])
    units = np.array([[1], [1 / far], [far]])
    nearly = satterthwaite_joint(s, rows * np.array([[1], [1e-3], [1e3]]), 3)
    assert satterthwaite_joint(s, rows * units, 3) == pytest.approx(nearly, rel=1e-4)
    assert satterthwaite_joint(s, np.vstack([rows * units, rows[:1] - rows[1:2]]), 3) == pytest.approx(nearly, rel=1e-4)


# --- what must not matter ------------------------------------------------------------------------------


@functools.cache
def plain(formula: str) -> np.ndarray:
    return df_of(fitted(nested(), formula).solution)


@settings(max_examples=15)
@given(
    scale=st.floats(1e-4, 1e4),
    shift=st.floats(-50, 50),
    width=st.floats(1e-3, 1e5),
    formula=st.sampled_from(["|", "||"]),
)
def test_units_do_not_matter(scale, shift, width, formula):
    """Slopes keep their df; the intercept as well, of the same point. (`||` depends on where zero is.)"""
    shift = 0.0 if formula == "||" else shift
    written = f"y ~ x + z + (1 + x {formula} p) + (1 | g)"
    data = nested()
    moved = data.with_columns(x=scale * pl.col("x") + shift, y=width * pl.col("y") - 3 * width)
    same_point = np.array([[1, shift, 0], [0, 1, 0], [0, 0, 1]])
    ours = df_of(fitted(moved, written).solution, same_point)
    np.testing.assert_allclose(ours, plain(written), rtol=SAME)


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32 - 1))
def test_names_and_order_do_not_matter(seed):
    formula = "y ~ x + z + (1 + x | p) + (1 | g)"
    ours = df_of(fitted(renamed(nested(), seed), formula).solution)
    np.testing.assert_allclose(ours, plain(formula), rtol=SAME)
