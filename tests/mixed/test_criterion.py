"""Criterion, gradient and predicted random effects against the covariance matrix of all rows; invariants."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sessionwise as sw
from helpers.dense import dense, random_matrix, residual_matrix
from helpers.multilevel import Setup, setup
from helpers.sessions import nested, panel_of, renamed
from sessionwise.mixed import Effects, Solution, effects, evaluate, optimise, problem, summed

CRITERION = 1e-10  # relative: rounding of an n x n factorisation
GRADIENT = 1e-6  # relative to the largest entry: central differences of the criterion are not better


CASES = [
    ("y ~ x + (1 + x | p)", "independent", None),
    ("y ~ x + (1 + x || p)", "independent", None),
    ("y ~ 0 + x + s + (0 + x | p)", "independent", None),
    ("y ~ x + s + (1 + x + z + s | p)", "independent", None),
    ("y ~ x + (1 | p) + (0 + x + z | p)", "independent", None),
    ("y ~ x + (1 + x + z + s + k | p)", "independent", None),
    ("y ~ x + (1 + x + z + s + k + I(x^2) + I(z^2) + I(x*z) | g) + (1 | p)", "independent", None),
    ("y ~ x + (1 + x | p) + (1 | g)", "independent", None),
    ("y ~ x + (1 + x | p) + (1 + z | g) + (1 | c)", "independent", None),
    ("y ~ x + (1 | g)", "independent", None),
    ("y ~ x + (1 + x | p) + (1 + x | h)", "independent", None),
    ("y ~ x + (1 | p) + (1 | h) + (1 + z | k)", "independent", None),
    ("y ~ x + (1 | p) + (1 | p:e)", "independent", None),
    ("y ~ x + (1 | p) + (1 | p:e) + (1 | h)", "independent", None),
    ("y ~ x", "independent", None),
    ("y ~ x", "ar1", None),
    ("y ~ x + (1 | p)", "ar1", None),
    ("y ~ x + (1 + x | p) + (1 | g)", "ar1", "k"),
    ("y ~ x + (1 | p) + (1 | h)", "ar1", "k"),
    ("y ~ x + (1 | p)", "independent", "k"),
    ("y ~ x + (1 + x | p)", "car1", None),
    ("y ~ x + (1 | p) + (1 | g)", "car1", "k"),
]


def table(persons: int = 24) -> pl.DataFrame:
    return nested(3, persons, 7, attended=0.8)


def made(formula: str, kind: str, by: str | None, data: pl.DataFrame | None = None) -> Setup:
    return setup(table() if data is None else data, formula, kind, by=by or "")


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize(("formula", "kind", "by"), CASES)
def test_criterion_and_gradient(formula, kind, by, reml):
    s = made(formula, kind, by)
    p = s.problem
    parameters = np.random.default_rng(1).normal(size=p.n_theta + p.n_rho) * 0.6
    factors = [c @ b.factor(parameters) for b, c in zip(p.blocks, p.transform.blocks, strict=True)]
    r = residual_matrix(s.design, p.residual, p.residual.natural(parameters[p.n_theta :]), s.at)
    plain = dense(s.design, r + random_matrix(s.design, p, [f @ f.T for f in factors]))
    found = evaluate(p, parameters, reml=reml)
    np.testing.assert_allclose(found.criterion + p.offset(reml), plain.criterion(reml), rtol=CRITERION)
    np.testing.assert_allclose(
        p.transform.width * p.transform.fixed @ found.beta() + p.transform.shift, plain.beta, rtol=1e-8
    )
    slopes = [
        (evaluate(p, parameters + h, reml=reml).criterion - evaluate(p, parameters - h, reml=reml).criterion) / 2e-5
        for h in np.eye(len(parameters)) * 1e-5
    ]
    np.testing.assert_allclose(found.gradient, slopes, atol=GRADIENT * (1 + np.abs(found.gradient).max(initial=0.0)))


@pytest.mark.parametrize("sigma2", [0.3, 2.0])
def test_given_sigma(sigma2):
    p = made(*CASES[0]).problem
    theta = np.array([0.5, 0.1, 0.3])
    free = evaluate(p, theta, reml=True)
    given_sigma = evaluate(p, theta, reml=True, sigma2=sigma2)
    nu = p.nu(True)
    expected = free.log_v + free.log_s + nu * np.log(2 * np.pi * sigma2) + free.rss / sigma2
    np.testing.assert_allclose(given_sigma.criterion, expected, rtol=1e-12)
    best = evaluate(p, theta, reml=True, sigma2=free.rss / nu)
    np.testing.assert_allclose(best.criterion, free.criterion, rtol=1e-12)
    np.testing.assert_allclose(best.gradient, free.gradient, rtol=1e-9)


@pytest.mark.parametrize(("formula", "kind", "by"), [CASES[1], CASES[6], CASES[8]])
def test_directions_constrain_coefficients(formula, kind, by):
    """Leaving out the last fixed column by directions is the model without it."""
    p = made(formula, kind, by).problem
    without = np.delete(np.eye(p.p + 1), p.p - 1, axis=1)
    theta = np.random.default_rng(2).normal(size=p.n_theta) * 0.4
    constrained = evaluate(p, theta, reml=False, directions=without)
    full = evaluate(p, theta, reml=False)
    keep = [i for i in range(p.p + 1) if i != p.p - 1]
    s = full.table[np.ix_(keep, keep)]
    rss = s[-1, -1] - s[:-1, -1] @ np.linalg.solve(s[:-1, :-1], s[:-1, -1])
    np.testing.assert_allclose(constrained.rss, rss, rtol=1e-10)
    slopes = [
        (
            evaluate(p, theta + h, reml=False, directions=without).criterion
            - evaluate(p, theta - h, reml=False, directions=without).criterion
        )
        / 2e-5
        for h in np.eye(p.n_theta) * 1e-5
    ]
    np.testing.assert_allclose(constrained.gradient, slopes, atol=GRADIENT * (1 + np.abs(slopes).max()))


@pytest.mark.parametrize(("formula", "kind", "by"), [case for case in CASES if "|" in case[0]])
def test_random_effects(formula, kind, by):
    """BLUPs and their conditional covariances from the normal equations of all rows."""
    s = made(formula, kind, by)
    design, p, solution = s.design, s.problem, s.fit()
    r = residual_matrix(design, p.residual, solution.residual, s.at)
    found: dict[str, Effects] = effects(solution)
    columns, factors, place = [], [], []
    for block, factor in zip(p.blocks, solution.factors, strict=True):
        g = design.grouping(block.group)
        for level in range(len(g.levels)):
            columns.append(design.matrix[:, list(block.columns)] * (g.codes == level)[:, None])
            factors.append(factor)
            place += [(block.group, g.levels[level], block.effects, e) for e in range(block.q)]
    z = np.concatenate(columns, axis=1)
    whole = np.zeros((z.shape[1], z.shape[1]))
    start = 0
    for f in factors:
        whole[start : start + len(f), start : start + len(f)] = f
        start += len(f)
    inverse = np.linalg.inv(r)
    m = whole.T @ z.T @ inverse @ z @ whole + np.eye(len(whole))
    posterior = whole @ np.linalg.solve(m, whole.T)
    e = design.matrix[:, 0] - design.matrix[:, list(design.fixed)] @ solution.beta
    values = posterior @ z.T @ inverse @ e
    for i, (group, label, names, effect) in enumerate(place):
        mine = found[group]
        row = mine.labels.tolist().index(label)
        terms = [x for b in p.blocks if b.group == group for x in b.effects]
        column = terms.index(names[effect])
        np.testing.assert_allclose(mine.values[row, column], values[i], rtol=1e-7, atol=1e-9)
        variance = solution.sigma**2 * posterior[i, i]
        np.testing.assert_allclose(mine.covariance[row, column, column], variance, rtol=1e-7, atol=1e-12)


def test_threads_do_not_change_a_bit():
    data = table(persons=3000)
    for formula in ("y ~ x + s + (1 + x + s | p)", "y ~ x + (1 + x | p) + (1 | g)"):
        p = made(formula, "independent", None, data).problem
        theta = np.random.default_rng(4).normal(size=p.n_theta) * 0.4
        one, many = (evaluate(p, theta, reml=True, threads=n) for n in (1, 5))
        assert one.criterion == many.criterion
        np.testing.assert_array_equal(one.gradient, many.gradient)


FORMULA = "y ~ x + s + (1 + x | p) + (1 | g)"


@settings(max_examples=15)
@given(st.integers(0, 10_000))
def test_order_and_labels_do_not_matter(seed):
    there, here = fit(table()), fit(renamed(table(), seed))
    np.testing.assert_allclose(here.deviance, there.deviance, rtol=1e-11)
    np.testing.assert_allclose(list(here.fixef.values()), list(there.fixef.values()), rtol=1e-6)


@settings(max_examples=15)
@given(st.floats(-1e4, 1e4), st.floats(1e-6, 1e6), st.floats(-1e4, 1e4), st.floats(1e-6, 1e6))
def test_shifting_and_scaling_change_what_they_must(shift, scale, shift_y, scale_y):
    there = fit(table())
    moved = pl.col("x") * scale + shift * scale, pl.col("y") * scale_y + shift_y * scale_y
    here = fit(table().with_columns(moved[0].alias("x"), moved[1].alias("y")))
    nu = there.nobs - 3
    expected = there.deviance + 2 * nu * np.log(scale_y) + 2 * np.log(scale)  # X'V^-1 X scales with x
    np.testing.assert_allclose(here.deviance, expected, rtol=1e-8, atol=1e-6)
    np.testing.assert_allclose(here.fixef["x"] * scale / scale_y, there.fixef["x"], rtol=2e-5)
    np.testing.assert_allclose(here.sigma / scale_y, there.sigma, rtol=1e-5)
    slope = here.varcorr["p"].cov[1, 1] * scale**2 / scale_y**2
    np.testing.assert_allclose(slope, there.varcorr["p"].cov[1, 1], rtol=1e-3)


def fit(data: pl.DataFrame):
    return sw.MLM(FORMULA).fit(panel_of(data))


def test_only_cross_products_matter():
    """A person's rows turned to another basis have the same cross-products, and give the same fit."""
    s = made("y ~ 0 + x + s + (0 + x | p)", "independent", None)  # without an intercept nothing is centred
    design, p = s.design, s.problem
    rng = np.random.default_rng(5)
    matrix = design.matrix.copy(order="F")
    for a, b in zip(design.starts[:-1], design.starts[1:], strict=True):
        matrix[a:b] = np.linalg.qr(rng.standard_normal((b - a, b - a)))[0] @ matrix[a:b]
    turned = problem(summed(replace(design, matrix=matrix), p.residual), p.residual)
    ours, theirs = (Solution(q, optimise(q, reml=True), True) for q in (p, turned))
    np.testing.assert_allclose(theirs.criterion, ours.criterion, rtol=1e-10)
    np.testing.assert_allclose(theirs.beta, ours.beta, rtol=1e-6)


def test_many_groups_within_persons():
    """Twenty episodes a person: their columns stand side by side in the persons' level."""
    rng = np.random.default_rng(6)
    p, s = np.repeat(np.arange(30), 60), np.tile(np.arange(60), 30)
    e = s // 3
    y = rng.standard_normal(30)[p] + 0.7 * rng.standard_normal((30, 20))[p, e] + rng.standard_normal(len(p))
    data = pl.DataFrame({"p": p, "s": s, "e": e, "y": y})
    fit = sw.MLM("y ~ s + (1 | p) + (1 | p:e)").fit(sw.Panel(data, person="p", session="s"))
    assert fit.verdict.converged
    assert fit.nclusters == {"p": 30, "p:e": 600}
    assert 0.5 < fit.varcorr["p:e"].sd[0] < 0.9
