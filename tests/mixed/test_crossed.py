"""Crossed factors: against the covariance matrix of all rows, in whatever order effects are eliminated.

Tolerances
----------
CRITERION 1e-9 relative: rounding of an n x n factorisation.
GRADIENT 1e-6 relative to the largest entry: central differences of the criterion are not better.
"""

from __future__ import annotations

import pickle

import numpy as np
import polars as pl
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

import sessionwise as sw
from helpers.dense import dense, random_matrix, residual_matrix
from helpers.multilevel import Setup, setup
from helpers.sessions import changing, panel_of, renamed
from sessionwise._core import elimination_order
from sessionwise.mixed import crossed, effects, evaluate
from sessionwise.mixed.inference.satterthwaite import satterthwaite, satterthwaite_rows

CRITERION, GRADIENT = 1e-9, 1e-6

FORMULAS = [
    "y ~ x + (1 | p) + (1 | h)",
    "y ~ x + (1 + x | p) + (1 + z | h)",
    "y ~ x + z + (1 + x + z | p) + (1 + z | h) + (1 + x | k)",
    "y ~ x + (1 + x + z + b | h) + (1 | k)",
    "y ~ 0 + x + (0 + x | p) + (1 | h) + (1 | p:e) + (1 | g)",
]
RESIDUALS = [("independent", ""), ("ar1", ""), ("car1", "b"), ("independent", "b")]


def check_criterion_and_gradient(s: Setup, reml: bool, seed: int = 1) -> None:
    p = s.problem
    assert p.crossed is not None
    parameters = np.random.default_rng(seed).normal(size=p.n_theta + p.n_rho) * 0.6
    factors = [c @ b.factor(parameters) for b, c in zip(p.blocks, p.transform.blocks, strict=True)]
    r = residual_matrix(s.design, p.residual, p.residual.natural(parameters[p.n_theta :]), s.at)
    plain = dense(s.design, r + random_matrix(s.design, p, [f @ f.T for f in factors]))
    found = evaluate(p, parameters, reml=reml)
    np.testing.assert_allclose(found.criterion + p.offset(reml), plain.criterion(reml), rtol=CRITERION)
    slopes = [
        (evaluate(p, parameters + h, reml=reml).criterion - evaluate(p, parameters - h, reml=reml).criterion) / 2e-5
        for h in np.eye(len(parameters)) * 1e-5
    ]
    np.testing.assert_allclose(found.gradient, slopes, atol=GRADIENT * (1 + np.abs(found.gradient).max(initial=0.0)))


# --- the criterion and its gradient -----------------------------------------------------------------


@pytest.mark.parametrize("near", [True, False])
@pytest.mark.parametrize(("kind", "by"), RESIDUALS)
@pytest.mark.parametrize("formula", FORMULAS)
def test_against_all_rows(formula, kind, by, near):
    check_criterion_and_gradient(setup(changing(3, 30, 12, near=near), formula, kind, by=by), reml=True)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(20, 40), st.integers(3, 25), st.booleans(), st.sampled_from(FORMULAS[:4]))
def test_any_size(seed, persons, therapists, near, formula):
    """More persons than therapists, or fewer: whichever are eliminated first."""
    s = setup(changing(seed, persons, therapists, 10, near=near), formula)
    check_criterion_and_gradient(s, reml=bool(seed % 2), seed=seed)


@pytest.mark.parametrize("near", [True, False])
@pytest.mark.parametrize("part", [0.0, 1.0])
def test_any_part_of_the_effects_may_be_the_tail(part, near, monkeypatch):
    """All dense, or all sparse: how effects are eliminated is no part of the answer."""
    table, formula = changing(4, 40, 30, near=near), "y ~ x + z + (1 + x + z | p) + (1 + z | h) + (1 + x | k)"
    usual = setup(table, formula, "ar1").problem
    monkeypatch.setattr(crossed, "TAIL_PART", part)
    other = setup(table, formula, "ar1").problem
    assert usual.crossed is not None
    assert other.crossed is not None
    assert 0 < usual.crossed.tail < usual.crossed.effect[-1]
    assert other.crossed.tail == (usual.crossed.effect[-1] if part == 0 else 0)
    parameters = np.random.default_rng(2).normal(size=usual.n_theta + usual.n_rho) * 0.6
    one, two = (evaluate(p, parameters, reml=True) for p in (usual, other))
    np.testing.assert_allclose(one.criterion, two.criterion, rtol=1e-12)
    np.testing.assert_allclose(one.gradient, two.gradient, atol=1e-8 * np.abs(two.gradient).max())


@pytest.mark.parametrize("near", [True, False])
def test_variances_of_zero(near):
    s = setup(changing(6, 30, 12, near=near), FORMULAS[1])
    p = s.problem
    for theta in (np.zeros(6), np.array([0.7, 0.2, 0.0, 0.0, 0.0, 0.4]), np.array([0.0, 0.0, 0.0, 1e-7, 0.0, 0.0])):
        factors = [c @ b.factor(theta) for b, c in zip(p.blocks, p.transform.blocks, strict=True)]
        v = np.eye(len(s.y)) + random_matrix(s.design, p, [f @ f.T for f in factors])
        found = evaluate(p, theta, reml=True)
        np.testing.assert_allclose(found.criterion + p.offset(True), dense(s.design, v).criterion(True), rtol=CRITERION)
        ends = [[evaluate(p, theta + sign * h, reml=True).criterion for h in 1e-5 * np.eye(6)] for sign in (1, -1)]
        np.testing.assert_allclose(found.gradient, (np.array(ends[0]) - ends[1]) / 2e-5, atol=1e-4)


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.booleans())
def test_order_and_labels_do_not_matter(seed, near):
    table, formula = changing(5, 40, 15, near=near), "y ~ x + (1 + x | p) + (1 | h)"
    there, here = (sw.MLM(formula).fit(panel_of(t)) for t in (table, renamed(table, seed)))
    np.testing.assert_allclose(here.deviance, there.deviance, rtol=1e-11)
    np.testing.assert_allclose(list(here.fixef.values()), list(there.fixef.values()), rtol=1e-6)
    np.testing.assert_allclose(list(here.df.values()), list(there.df.values()), rtol=1e-4)


@pytest.mark.parametrize("kind", ["independent", "ar1"])
def test_products_may_be_others_and_a_pickle_is_the_same(kind):
    p = setup(changing(12, 30, 12), FORMULAS[1], kind).problem
    parameters = np.full(p.n_theta + p.n_rho, 0.4)
    here = evaluate(p, parameters, reml=True)
    loaded = evaluate(pickle.loads(pickle.dumps(p)), parameters, reml=True)
    assert loaded.criterion == here.criterion
    np.testing.assert_array_equal(loaded.gradient, here.gradient)
    rho = parameters[p.n_theta :]
    before, after = p.state(rho).base, p.with_products(p.products.shaken(np.random.default_rng(0))).state(rho).base
    assert not np.array_equal(before, after)
    np.testing.assert_allclose(after, before, rtol=1e-12, atol=1e-12)


# --- what follows from a fit ------------------------------------------------------------------------


@pytest.mark.parametrize("near", [True, False])
def test_random_effects(near):
    """BLUPs and their conditional covariances from the normal equations of all rows."""
    s = setup(changing(7, 25, 10, near=near), "y ~ x + (1 + x | p) + (1 | h) + (1 | p:e)")
    solution = s.fit()
    columns, priors, places = [], [], {}
    for block, covariance in zip(s.problem.blocks, solution.covariances, strict=True):
        g = s.design.grouping(block.group)
        for level, label in enumerate(g.levels.tolist()):
            places[block.group, label] = slice(sum(map(len, priors)), sum(map(len, priors)) + block.q)
            columns.append(s.design.matrix[:, list(block.columns)] * (g.codes == level)[:, None])
            priors.append(covariance)
    whole, prior = np.concatenate(columns, axis=1), scipy.linalg.block_diag(*priors)
    v = np.linalg.inv(whole @ prior @ whole.T + solution.sigma**2 * np.eye(len(s.y)))
    values = prior @ whole.T @ v @ (s.y - s.x @ solution.beta)
    covariances = prior - prior @ whole.T @ v @ whole @ prior
    for group, one in effects(solution).items():
        for label, value, covariance in zip(one.labels.tolist(), one.values, one.covariance, strict=True):
            at = places[group, label]
            np.testing.assert_allclose(value, values[at], rtol=1e-7, atol=1e-9)
            np.testing.assert_allclose(covariance, covariances[at, at], rtol=1e-6, atol=1e-9)


def test_satterthwaite_is_that_of_the_dense_system(monkeypatch):
    table, formula = changing(8, 40, 30, near=True), "y ~ x + z + (1 | p) + (1 | h)"
    found = []
    for part in (0.0, 0.2, 1.0):
        monkeypatch.setattr(crossed, "TAIL_PART", part)
        found.append(satterthwaite_rows(satterthwaite(setup(table, formula).fit()), np.eye(3)))
    np.testing.assert_allclose(found[1:], [found[0]] * 2, rtol=1e-6)


# --- the order --------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(
    st.integers(0, 10_000),
    st.integers(2, 40) | st.just(150),
    st.integers(0, 120),
    st.integers(0, 2),
    st.sampled_from([0.05, 0.2, 0.6, 1.0]),
)
def test_what_each_level_meets_is_what_elimination_joins(seed, n, edges, hubs, part):
    """hubs : levels that are joined to all others, whose lists are too long to be looked through at every step."""
    rng = np.random.default_rng(seed)
    effects_of = rng.integers(1, 4, n).astype(np.int32)
    drawn = [rng.integers(0, n, (edges, 2)), *(np.column_stack([np.full(n, h), np.arange(n)]) for h in range(hubs))]
    pairs = np.unique(np.sort(np.concatenate(drawn), axis=1), axis=0)
    pairs = np.ascontiguousarray(pairs[pairs[:, 0] < pairs[:, 1]].astype(np.int32))
    order, head, starts, columns, tail, products = elimination_order(effects_of, pairs.ravel(), part, 10**9)
    assert sorted(order.tolist()) == list(range(n))
    first = np.concatenate([[0], np.cumsum(effects_of[order])])
    assert tail == first[-1] - first[head]
    joined: list[set[int]] = [set() for _ in range(n)]
    for a, b in pairs.tolist():
        joined[a].add(b)
        joined[b].add(a)
    kept = 0
    for i, level in enumerate(order[:head].tolist()):
        met = joined[level]
        expected = [e for j in range(n) if order[j] in met for e in range(first[j], first[j + 1])]
        assert columns[starts[i] : starts[i + 1]].tolist() == expected
        assert len(expected) <= part * (first[-1] - first[i])
        kept += len(expected) * int(effects_of[level])
        for other in met:
            joined[other] |= met
            joined[other] -= {other, level}
    assert products == kept


def test_therapists_who_share_no_patients_are_not_solved_for_at_once():
    """Therapists in clinics: of 300 at most some dozens meet each other."""
    rng = np.random.default_rng(9)
    p, s = np.repeat(np.arange(900), 4), np.tile(np.arange(4), 900)
    h = (p % 60) * 5 + rng.integers(0, 5, (900, 2))[p, s // 2]
    table = pl.DataFrame({"p": p, "s": s, "h": h, "y": rng.standard_normal(len(p))})
    system = setup(table, "y ~ 1 + (1 | p) + (1 | h)").problem.crossed
    assert system is not None
    assert system.tail < 40
    assert len(system.columns) < 3 * len(system.order)


@pytest.mark.parametrize(
    ("limit", "number", "what"),
    [("MOST_DENSE", 3, "more than 3"), ("MOST_PRODUCTS", 30, "more than 30 products")],
)
def test_too_much_to_solve_is_refused(limit, number, what, monkeypatch):
    monkeypatch.setattr(crossed, limit, number)
    with pytest.raises(sw.ModelError, match=what) as error:
        sw.MLM("y ~ x + (1 | p) + (1 | h)").fit(panel_of(changing(10, 60, 60, near=True)))
    assert "h: 60 levels" in str(error.value)


def test_more_levels_than_rows_of_a_square_would_allow():
    """30,000 persons and as many therapists, each of whom has two: no matrix has a row and a column for each."""
    n = 30_000
    p, s = np.repeat(np.arange(n), 2), np.tile(np.arange(2), n)
    rng = np.random.default_rng(11)
    y = rng.standard_normal(n)[p] + rng.standard_normal(n)[(p + s) % n] + rng.standard_normal(len(p))
    fit = sw.MLM("y ~ 1 + (1 | p) + (1 | h)").fit(panel_of(pl.DataFrame({"p": p, "s": s, "h": (p + s) % n, "y": y})))
    assert fit.verdict.converged
    assert 0.8 < fit.varcorr["h"].sd[0] < 1.2
