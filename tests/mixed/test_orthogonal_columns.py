"""Large means without an intercept and columns that nearly depend on each other keep their digits."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from helpers.sessions import nested
from sessionwise.mixed.orthogonal_columns import basis_of, is_poor


def table() -> pl.DataFrame:
    return nested(0, 60, 8, attended=1).with_columns(q=pl.col("s") ** 2.0)


def fit(formula: str, data: pl.DataFrame, **options):
    return sw.MLM(formula, **options).fit(sw.Panel(data, person="p", session="s"))


@pytest.mark.parametrize("offset", [1e3, 1e5, 1e7])
def test_a_large_mean_without_an_intercept(offset):
    """The criterion is to lose no more than the doubles of y + offset do: about offset * 2e-16 a row."""
    formula = "y ~ 0 + arm + x + (1 | p)"
    there, here = fit(formula, table()), fit(formula, table().with_columns(pl.col("y") + offset))
    assert here.verdict.converged
    np.testing.assert_allclose(here.deviance, there.deviance, atol=1e-9 * offset / 1e3 + 1e-7)
    np.testing.assert_allclose(here.fixef["x"], there.fixef["x"], rtol=1e-8)
    np.testing.assert_allclose(here.se["x"], there.se["x"], rtol=1e-8)
    np.testing.assert_allclose(here.fixef["arm[a]"] - offset, there.fixef["arm[a]"], atol=1e-8 * offset / 1e3)


@pytest.mark.parametrize("apart", [1e-3, 1e-5, 3e-7])
@pytest.mark.parametrize("options", [{}, {"method": "ML"}, {"residual": "ar1"}])
def test_nearly_dependent_columns(apart, options):
    """x2 = x + apart q spans what q does: the same model, its coefficient q's divided by `apart`."""
    data = table().with_columns((pl.col("x") + apart * pl.col("q")).alias("x2"))
    there = fit("y ~ x + q + s + (1 + x | p)", data, **options)
    here = fit("y ~ x + x2 + s + (1 + x | p)", data, **options)
    scale = 2 * np.log(apart) if "method" not in options else 0.0  # log det X'V^-1 X of REML
    np.testing.assert_allclose(here.deviance, there.deviance + scale, atol=1e-6)
    np.testing.assert_allclose(here.fixef["x2"] * apart, there.fixef["q"], rtol=1e-6)
    np.testing.assert_allclose(here.se["x2"] * apart, there.se["q"], rtol=1e-6)
    np.testing.assert_allclose(here.varcorr["p"].cov, there.varcorr["p"].cov, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(here.df["x2"], there.df["q"], rtol=1e-3)


def test_the_way_back_is_exact():
    data = table().with_columns((pl.col("x") + 1e-5 * pl.col("q")).alias("x2"), pl.col("y") + 1e4)
    design = sw.design(sw.Panel(data, person="p", session="s"), "y ~ x + x2 + s")
    assert is_poor(design, centered=True)
    basis = basis_of(design)
    q, rest = basis.made[:, :-1], basis.made[:, -1]
    np.testing.assert_allclose(q.T @ q / len(q), np.eye(4), atol=1e-12)
    np.testing.assert_allclose(q.T @ rest, 0, atol=1e-8)
    x = design.matrix[:, list(design.fixed)]
    np.testing.assert_allclose(x @ basis.back, q, atol=1e-9)


def test_ordinary_columns_are_left_as_they_are():
    design = sw.design(sw.Panel(table(), person="p", session="s"), "y ~ x + q + s + arm + (1 | p)")
    assert not is_poor(design, centered=True)
