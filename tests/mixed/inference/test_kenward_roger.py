"""Kenward-Roger against pbkrtest, against the published formulas with matrices of all rows, and what must not matter.

Tolerances
----------
PBKRTEST 2e-6 relative: the same formulas, at optima that are 1e-5 standard errors apart (1e-6 was found at worst, 1e-9
    after one more Newton step).
WRITTEN 1e-9 relative: rounding; both sides are taken at the same variances.
SAME 2e-5 relative: two searches that end 1e-5 standard errors apart.
"""

from __future__ import annotations

import functools

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.dense import changes, dense, gamma
from helpers.lme4 import LME4, of_program, stored
from helpers.multilevel import Fitted, fitted
from helpers.sessions import nested, renamed
from sessionwise.errors import ModelError
from sessionwise.mixed.inference import derivatives
from sessionwise.mixed.inference.kenward_roger import (
    KenwardRoger,
    kenward_roger,
    kenward_roger_joint,
    kenward_roger_rows,
)

PBKRTEST, WRITTEN, SAME = 2e-6, 1e-9, 2e-5


def errors(k: KenwardRoger) -> np.ndarray:
    """Adjusted standard errors (p,)."""
    return np.sqrt((k.transform @ k.adjusted @ k.transform.T).diagonal())


@pytest.mark.parametrize("name", [name for name, case in LME4.items() if "kr" in case])
def test_pbkrtest(name):
    case = LME4[name]
    k = kenward_roger(stored(name))
    np.testing.assert_allclose(errors(k), of_program(case, case["kr"]["se"]), rtol=PBKRTEST)
    df = kenward_roger_rows(k, np.eye(len(k.vcov)))
    np.testing.assert_allclose(df, of_program(case, case["kr"]["df"]), rtol=PBKRTEST)


def test_balanced_data_need_no_approximation():
    """17 for sleepstudy, and no adjustment, as in an analysis of variance."""
    k = kenward_roger(stored("sleepstudy-slope-reml"))
    np.testing.assert_allclose(kenward_roger_rows(k, np.eye(2)), 17, rtol=WRITTEN)
    np.testing.assert_allclose(k.adjusted, k.vcov, rtol=WRITTEN, atol=WRITTEN * np.abs(k.vcov).max())


def test_without_random_effects_it_is_least_squares():
    f = fitted(nested(), "y ~ x + z")
    k = kenward_roger(f.solution)
    np.testing.assert_allclose(kenward_roger_rows(k, np.eye(3)), len(f.x) - 3, rtol=WRITTEN)
    np.testing.assert_allclose(errors(k), np.sqrt(f.solution.vcov.diagonal()), rtol=WRITTEN)
    joint = kenward_roger_joint(k, np.eye(3)[1:])
    assert (joint.scale, joint.df) == pytest.approx((1, len(f.x) - 3), rel=1e-6)


# --- the formulas -------------------------------------------------------------------------------------

WRITTEN_OUT = [
    "y ~ x + z + (1 | p)",
    "y ~ x + z + (1 + x | p)",
    "y ~ x + z + (1 + x || p)",
    "y ~ x + z + (1 + x + z | p) + (1 | g)",
    "y ~ x + z + (1 | p) + (1 + x | g) + (1 | c)",
    "y ~ x + z + (1 | g)",
    "y ~ x + z + (1 | p) + (1 | p:e)",
    "y ~ x + z + (1 | p) + (1 + x | p:e) + (1 | g)",
    "y ~ x + z + (1 + x | p) + (1 | h)",
    "y ~ x + z + (1 | h) + (1 + x | g)",
    "y ~ x + z + (1 | p) + (1 + x | h) + (1 | p:e) + (1 | g)",
]


def adjusted(f: Fitted) -> tuple[np.ndarray, np.ndarray, list[np.ndarray], np.ndarray]:
    """Phi_A, Phi, P and W by Halekoh & Højsgaard (2014), section 2."""
    g = changes(f.design, f.solution.problem)
    whole = dense(f.design, sum(weight * one for weight, one in zip(gamma(f.solution), g, strict=True)))
    inverse, phi = whole.weights, whole.vcov
    left = [inverse @ one for one in g]
    p = [-f.x.T @ one @ inverse @ f.x for one in left]
    q = [[f.x.T @ a @ b @ inverse @ f.x for b in left] for a in left]
    m = len(g)
    half = np.array(
        [
            [
                np.trace(left[r] @ left[s]) - 2 * np.trace(phi @ q[r][s]) + np.trace(phi @ p[r] @ phi @ p[s])
                for s in range(m)
            ]
            for r in range(m)
        ]
    )
    w = 2 * np.linalg.inv(half)
    u = sum(w[r, s] * (q[r][s] - p[r] @ phi @ p[s]) for r in range(m) for s in range(m))
    return phi + 2 * phi @ u @ phi, phi, p, w


def scaled_f(contrasts: np.ndarray, phi: np.ndarray, p: list[np.ndarray], w: np.ndarray, q: int) -> tuple[float, float]:
    """Scale and df, section 2.3: by the expectation and variance that the F statistic is to have."""
    theta = contrasts.T @ np.linalg.solve(contrasts @ phi @ contrasts.T, contrasts)
    u = [theta @ phi @ one @ phi for one in p]
    pairs = [(r, s) for r in range(len(p)) for s in range(len(p))]
    a1 = sum(w[r, s] * np.trace(u[r]) * np.trace(u[s]) for r, s in pairs)
    a2 = sum(w[r, s] * np.trace(u[r] @ u[s]) for r, s in pairs)
    b = (a1 + 6 * a2) / (2 * q)
    g = ((q + 1) * a1 - (q + 4) * a2) / ((q + 2) * a2)
    c = np.array([g, q - g, q + 2 - g]) / (3 * q + 2 * (1 - g))
    expectation = 1 / (1 - a2 / q)
    variance = 2 / q * (1 + c[0] * b) / ((1 - c[1] * b) ** 2 * (1 - c[2] * b))
    rho = variance / (2 * expectation**2)
    df = 4 + (q + 2) / (q * rho - 1)
    return df / (expectation * (df - 2)), df


@pytest.mark.parametrize("formula", WRITTEN_OUT)
def test_the_formulas_written_out(formula):
    f = fitted(nested(), formula)
    k = kenward_roger(f.solution)
    phi_a, phi, p, w = adjusted(f)
    size = np.sqrt(np.outer(phi_a.diagonal(), phi_a.diagonal()))
    np.testing.assert_allclose((k.transform @ k.adjusted @ k.transform.T) / size, phi_a / size, atol=10 * WRITTEN)
    rows = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 4, -0.5]])
    expected = [scaled_f(row[None], phi, p, w, 1)[1] for row in rows]
    np.testing.assert_allclose(kenward_roger_rows(k, rows), expected, rtol=1e-6)  # cancels in the published form
    for both in (rows[1:3], rows[[0, 3]], rows[:3]):
        found = kenward_roger_joint(k, both)
        assert (found.scale, found.df) == pytest.approx(scaled_f(both, phi, p, w, len(both)), rel=10 * WRITTEN)


# --- what must not matter ------------------------------------------------------------------------------


@functools.cache
def plain(formula: str) -> KenwardRoger:
    return kenward_roger(fitted(nested(), formula).solution)


@settings(max_examples=10)
@given(
    scale=st.floats(1e-4, 1e4),
    shift=st.floats(-50, 50),
    width=st.floats(1e-3, 1e5),
    crossed=st.booleans(),
    bar=st.sampled_from(["|", "||"]),
)
def test_units_do_not_matter(scale, shift, width, crossed, bar):
    shift = 0.0 if bar == "||" else shift
    formula = f"y ~ x + z + (1 + x {bar} p) + (1 | {'h' if crossed else 'g'})"
    data = nested()
    moved = data.with_columns(x=scale * pl.col("x") + shift, y=width * pl.col("y") - 3 * width)
    ours, theirs = kenward_roger(fitted(moved, formula).solution), plain(formula)
    same_point = np.array([[1, shift, 0], [0, 1, 0], [0, 0, 1]])
    np.testing.assert_allclose(kenward_roger_rows(ours, same_point), kenward_roger_rows(theirs, np.eye(3)), rtol=SAME)
    np.testing.assert_allclose(errors(ours)[1:], errors(theirs)[1:] * width / [scale, 1], rtol=SAME)
    one, other = kenward_roger_joint(ours, same_point[1:]), kenward_roger_joint(theirs, np.eye(3)[1:])
    assert (one.scale, one.df) == pytest.approx((other.scale, other.df), rel=SAME)


@settings(max_examples=6)
@given(seed=st.integers(0, 2**32 - 1), group=st.sampled_from(["g", "h"]))
def test_names_and_order_do_not_matter(seed, group):
    formula = f"y ~ x + z + (1 + x | p) + (1 | {group})"
    ours, theirs = kenward_roger(fitted(renamed(nested(), seed), formula).solution), plain(formula)
    np.testing.assert_allclose(kenward_roger_rows(ours, np.eye(3)), kenward_roger_rows(theirs, np.eye(3)), rtol=SAME)


def test_the_basis_of_a_joint_test_does_not_matter():
    k = kenward_roger(stored("moderation-reml"))
    rows = np.eye(len(k.vcov))[[2, 3, 5]]
    mixed = np.array([[1, 2, 0], [0, 1e3, 1], [-1, 0, 4]]) @ rows
    one, other = kenward_roger_joint(k, rows), kenward_roger_joint(k, mixed)
    assert (one.scale, one.df) == pytest.approx((other.scale, other.df), rel=WRITTEN)


# --- where it is not defined ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"method": "ML"}, "for fits by REML"),
        ({"residual": "ar1"}, "independent residuals"),
        ({"variance_by": "b"}, "independent residuals"),
    ],
)
def test_refused(options, says):
    solution = fitted(nested(), "y ~ x + z + (1 | p)", **options).solution
    with pytest.raises(ModelError, match=says) as refused:
        kenward_roger(solution)
    assert "satterthwaite" in refused.value.remedy


def test_crossed_factors_too_large(monkeypatch):
    solution = fitted(nested(), "y ~ x + z + (1 | p) + (1 | h)").solution
    monkeypatch.setattr(derivatives, "MOST_BYTES", 100)
    with pytest.raises(ModelError, match="matrices of order 8") as refused:
        kenward_roger(solution)
    assert "h: 5 levels" in refused.value.where


def of_two_contrasts(other: float, spread: float) -> KenwardRoger:
    """One covariance, known up to `spread`; the second contrast depends on it `other` times as much as the first."""
    return KenwardRoger(np.eye(2), np.eye(2), np.eye(2), np.array([np.diag([1.0, other])]), np.array([[spread]]))


def test_no_degrees_of_freedom():
    with pytest.raises(ModelError, match="these 2 contrasts together"):
        kenward_roger_joint(of_two_contrasts(-0.5, 5.0), np.eye(2))


@pytest.mark.parametrize("df", [1.0, 2.0, 3.0])
def test_few_degrees_of_freedom(df):
    """Where df = 2 the formulas are 0 / 0."""
    found = kenward_roger_joint(of_two_contrasts(1.0, 2 / df), np.eye(2))
    assert (found.scale, found.df) == pytest.approx((1, df), rel=WRITTEN)
