"""Profile intervals against lme4, against a likelihood with a row for each session, and at the parameters' limits.

Tolerances
----------
SOLVED 1e-6 of the interval's width: tests/reference/mlm/profile.R solves for the ends as we do; its searches end about
    1e-8 apart from ours.
CONFINT 2e-3 of the width: lme4's confint reads the ends off a spline, and its optimiser stops early. Only cases of
    which lme4 reported no trouble.
DENSE 1e-4 in units of the deviance: an independent search with numerical gradients, by Nelder and Mead.
"""

from __future__ import annotations

import importlib
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from helpers.dense import Dense, persons_of, random_matrix, residual_matrix
from helpers.lme4 import LME4, stored
from helpers.multilevel import Fitted, fitted, setup
from helpers.sessions import nested
from sessionwise.errors import ModelError
from sessionwise.mixed import Solution, evaluate
from sessionwise.mixed.inference import Intervals, profile
from sessionwise.mixed.random_terms import Block

SOLVED, CONFINT, DENSE = 1e-6, 2e-3, 1e-4
RISE = 3.841458820694124  # of the deviance at the end of a 95 % interval
PROFILED = [name for name, case in LME4.items() if "profile" in case]


def by_name(case: dict, kind: str) -> dict[str, np.ndarray]:
    """Stored ends, with names of columns as R writes them."""
    return {name: np.array(ends, float) for name, ends in case["profile"][kind].items()}


def as_r_writes(name: str) -> str:
    return name.replace("[T.", "").replace("[", "").replace("]", "")


@pytest.mark.parametrize("name", PROFILED)
def test_ends_are_those_that_lme4s_deviance_gives(name):
    ours, theirs = profile(stored(name)), by_name(LME4[name], "ends")
    assert {as_r_writes(n) for n in ours.named} == set(theirs)
    assert not ours.findings
    for label, ends in ours.named.items():
        low, high = theirs[as_r_writes(label)]
        assert np.abs(np.subtract(ends, (low, high))).max() <= SOLVED * (high - low), label


@pytest.mark.parametrize("name", [n for n in PROFILED if not LME4[n]["warnings"] and LME4[n]["profile"]["confint"]])
def test_confint(name):
    ours, theirs = profile(stored(name)), by_name(LME4[name], "confint")
    for label, ends in ours.named.items():
        low, high = theirs[as_r_writes(label)]
        assert np.abs(np.subtract(ends, (low, high))).max() <= CONFINT * (high - low), label


# --- a likelihood of all rows -------------------------------------------------------------------


def deviance(f: Fitted, values: dict[str, float]) -> float:
    """-2 log-likelihood from all parameters but the coefficients that `values` leaves out; inf where there is none."""
    problem = f.solution.problem
    covariances = [_covariance(block, values) for block in problem.blocks]
    if any(np.linalg.eigvalsh(c)[0] < -1e-12 * np.trace(c) for c in covariances):
        return np.inf
    natural = np.array([values[n] for n in problem.residual.names])
    v = values["sigma"] ** 2 * residual_matrix(f.design, problem.residual, natural, f.at)
    v += random_matrix(f.design, problem, covariances)
    known = np.array([n in values for n in problem.names])
    y = f.y - f.x[:, known] @ np.array([values[n] for n in problem.names if n in values])
    return Dense(f.x[:, ~known], y, v).deviance(reml=False)


def _covariance(block: Block, values: dict[str, float]) -> np.ndarray:
    """Of a random term, from its standard deviations and correlations."""
    sds = np.array([values[f"sd_{e}|{block.group}"] for e in block.effects])
    cor = np.eye(block.q)
    for j in range(block.q):
        for k in range(j):
            cor[j, k] = cor[k, j] = values[f"cor_{block.effects[j]}.{block.effects[k]}|{block.group}"]
    return cor * np.outer(sds, sds)


def least(f: Fitted, intervals: Intervals, at: str, value: float) -> float:
    """The deviance with one parameter at a value, all others free."""
    from scipy.optimize import minimize

    names = [p.name for p in intervals.parameters if p.kind != "coefficient" and p.name != at]
    start = [float(e) for p, e in zip(intervals.parameters, intervals.estimate, strict=True) if p.name in names]
    held = {at: value} if at else {}

    def of(free: np.ndarray) -> float:
        values = dict(zip(names, free.tolist(), strict=True)) | held
        inside = values["sigma"] > 0 and all(v > 0 for n, v in values.items() if n.startswith("sd"))
        inside &= all(abs(v) < 1 for n, v in values.items() if n == "phi" or n.startswith("cor"))
        return deviance(f, values) if inside else 1e10

    options = {"xatol": 1e-7, "fatol": 1e-9, "maxiter": 4000, "maxfev": 4000, "adaptive": True}
    found = minimize(of, start, method="Nelder-Mead", options=options)
    return float(minimize(of, found.x, method="Nelder-Mead", options=options).fun)


@pytest.mark.parametrize(
    ("formula", "options"),
    [
        ("y ~ x + (1 + x | p)", {}),
        ("y ~ x + (1 | p) + (1 | h)", {}),
        ("y ~ x + (1 | p)", {"residual": "ar1", "variance_by": "b"}),
        ("y ~ x + (0 + x | p)", {"residual": "car1"}),
        ("y ~ x", {"residual": "ar1"}),
    ],
)
def test_deviance_of_all_rows_rises_as_it_should(formula, options):
    f = fitted(nested(seed=8, persons=12, sessions=5), formula, **options)
    intervals = profile(f.solution)
    floor = least(f, intervals, "", 0.0)
    for parameter, *ends in zip(intervals.parameters, intervals.low, intervals.high, strict=True):
        for end in ends:
            if end not in parameter.limits:
                assert abs(least(f, intervals, parameter.name, float(end)) - floor - RISE) < DENSE, parameter.name


def test_curve_of_a_grid():
    """zeta over a grid of an SD: two other parameters, each by brute force on a fine grid of its own."""
    f = fitted(nested(seed=2, persons=12, sessions=4), "y ~ x + (1 | p)", "ML")
    (curve,) = profile(f.solution, which=["sd_(Intercept)|p"]).curves
    sigmas = f.solution.sigma * np.linspace(0.7, 1.4, 4001)

    def brute(sd: float) -> float:  # V has the same eigenvectors whatever the parameters
        ratio = sd / sigmas
        n, person = len(f.x), persons_of(f.design)
        roots, vectors = np.linalg.eigh((person[:, None] == person[None, :]).astype(float))
        x, y = vectors.T @ f.x, vectors.T @ f.y
        values = []
        for r, s in zip(ratio, sigmas, strict=True):
            w = 1 / (1 + r * r * roots)
            e = y - x @ np.linalg.solve(x.T @ (w[:, None] * x), x.T @ (w * y))
            values.append(-np.log(w).sum() + n * np.log(2 * np.pi * s * s) + (w * e) @ e / s**2)
        return min(values)

    for sd, zeta in zip(curve.values, curve.zeta, strict=True):
        assert abs(brute(float(sd)) - f.solution.criterion - zeta**2) < 1e-5


# --- models without random effects: closed forms --------------------------------------------------


def test_regression():
    f = fitted(nested(), "y ~ x + z")
    y, x = f.y, f.x
    n, (beta, rss, *_) = len(y), np.linalg.lstsq(x, y, rcond=None)
    intervals = profile(f.solution)
    half = np.sqrt(np.linalg.inv(x.T @ x).diagonal() * rss * np.expm1(RISE / n))
    np.testing.assert_allclose(intervals.low[1:], beta - half, rtol=1e-7)
    np.testing.assert_allclose(intervals.high[1:], beta + half, rtol=1e-7)
    for sigma in (intervals.low[0], intervals.high[0]):
        rise = n * np.log(sigma**2 / (rss / n)) + rss / sigma**2 - n
        assert rise == pytest.approx(RISE, abs=1e-6)


# --- what must not matter, and what must hold -----------------------------------------------------


def test_reml_or_ml_makes_no_difference():
    data, formula = nested(), "y ~ x + z + (1 + x | p)"
    reml, ml = (profile(fitted(data, formula, m).solution) for m in ("REML", "ML"))
    np.testing.assert_allclose(reml.estimate, ml.estimate, rtol=1e-5)
    np.testing.assert_allclose(reml.low, ml.low, atol=1e-6)
    np.testing.assert_allclose(reml.high, ml.high, atol=1e-6)


def test_where_a_predictor_is_zero_makes_no_difference_to_its_slope():
    data = nested(seed=11, persons=60)
    moved = data.with_columns(x=pl.col("x") / 365 + 2020)  # such as years
    a, b = (profile(fitted(d, "y ~ x + (1 + x | p)").solution, which=["sd", "sigma", "x"]).named for d in (data, moved))
    assert a["sd_x|p"][0] > 0
    for name in ("sd_x|p", "x"):
        np.testing.assert_allclose(np.array(a[name]) * 365, b[name], rtol=1e-5)
    np.testing.assert_allclose(a["sigma"], b["sigma"], rtol=1e-6)


def test_order_of_the_effects_makes_no_difference():
    data = nested(seed=11, persons=60)
    one, other = (fitted(data, f"y ~ x + z + ({effects} | p)") for effects in ("1 + x + z", "1 + z + x"))
    a, b = profile(one.solution).named, profile(other.solution).named
    for name in a:
        same = {"cor_z.x|p": "cor_x.z|p"}.get(name, name)
        np.testing.assert_allclose(a[name], b[same], rtol=1e-6, atol=1e-6)


def test_curves_rise_through_the_estimate():
    intervals = profile(fitted(nested(persons=40), "y ~ x + (1 + x | p)").solution)
    for curve, estimate in zip(intervals.curves, intervals.estimate, strict=True):
        assert (np.diff(curve.values) > 0).all()
        assert (np.diff(curve.zeta) > 0).all()
        assert curve.zeta[np.abs(curve.values - estimate).argmin()] == 0
        assert curve.zeta[0] <= -1.9599 < 1.9599 <= curve.zeta[-1]


def test_level_which_and_progress():
    solution, told = stored("slope-ml"), []
    intervals = profile(solution, 0.5, ["sd_xw|person", "coefficient"], lambda *now: told.append(now))
    assert [p.name for p in intervals.parameters] == ["sd_xw|person", *solution.problem.names]
    assert told == [(i + 1, 6) for i in range(6)]
    wide = profile(solution, which=["xw"])
    at = intervals.parameters.index(wide.parameters[0])
    assert wide.low[0] < intervals.low[at] < intervals.estimate[at] < intervals.high[at] < wide.high[0]


@pytest.mark.parametrize("level", [0, 1, 95])
def test_no_such_level(level):
    with pytest.raises(ModelError, match="between 0 and 1"):
        profile(stored("slope-ml"), level)


def test_no_such_parameter():
    with pytest.raises(ModelError, match="Did you mean 'sigma'"):
        profile(stored("slope-ml"), which=["sgima"])


# --- at the limits -------------------------------------------------------------------------------


def test_a_variance_of_zero():
    intervals = profile(stored("dyestuff2-ml"), which=["sd"])
    assert intervals.low[0] == 0
    assert intervals.estimate[0] < 1e-4 < intervals.high[0]
    curve = intervals.curves[0]
    assert curve.values[0] == pytest.approx(intervals.estimate[0])


def test_a_correlation_without_a_variance_can_be_anything():
    named = profile(stored("zero-slope-correlated-ml")).named
    assert named["cor_z.(Intercept)|person"] == (-1, 1)
    assert named["sd_z|person"][0] == 0


def test_phi_of_continuous_time_ends_at_zero():
    """Residuals drawn independently: phi is 0 or little, and no negative phi is possible."""
    low = [
        profile(fitted(nested(seed=s), "y ~ x + (1 + x | p)", residual="car1").solution, which=["phi"]).low[0]
        for s in (1, 5, 6)
    ]
    assert min(low) == 0


# --- trouble is told -------------------------------------------------------------------------------


def test_a_lower_deviance_on_the_way_is_told():
    solution = stored("slope-ml")
    off = solution.optimum.parameters + np.array([0.1, 0.0, 0.0])
    there = replace(solution.optimum, parameters=off, evaluation=evaluate(solution.problem, off, reml=False))
    findings = profile(Solution(solution.problem, there, reml=False), which=["sigma"]).findings
    assert [f.code for f in findings] == ["profile-lower-deviance"]
    assert "fit the model again" in findings.items[0].remedy


def test_a_fit_that_did_not_converge_is_told():
    solution = stored("slope-ml")
    there = replace(solution.optimum, converged=False)
    findings = profile(Solution(solution.problem, there, reml=False), which=["sigma"]).findings
    assert [f.code for f in findings] == ["profile-of-no-optimum"]


def test_a_profile_without_an_end_is_left_out(monkeypatch):
    """Its neighbours are given, and a finding names it."""
    module = importlib.import_module("sessionwise.mixed.inference.profile")
    s = setup(nested(), "y ~ x + (1 | p)").fit(reml=False)
    whole = profile(s, which=["sigma", "x"])
    assert np.isfinite([whole.low, whole.high]).all()
    monkeypatch.setattr(module, "MOST_EVALUATIONS", {True: 5, False: 1})
    told: list[tuple[int, int]] = []
    cut = profile(s, which=["sigma", "x"], progress=lambda *done: told.append(done))
    assert np.isnan([cut.low, cut.high]).all()
    assert [f.code for f in cut.findings] == ["profile-endless"] * 2
    assert told == [(1, 2), (2, 2)]
