"""Persistent series: what carries over and what is stable in persons can hardly be told apart, the criterion is a long
bent valley, and waves go together so closely that directions look flat. The optimum is reached, and what is wrong with
it is said."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from helpers.structures import setup
from sessionwise.sem import Cells, Structure, curvature, evaluate, optimise, patterns, saturated
from sessionwise.sem.identification import information_root
from sessionwise.sem.newton import Point
from sessionwise.sem.valley import along

BEATEN = 1e-4  # log-likelihood
RESTARTS = 20


def persistent(seed: int, persons: int, waves: int, carried: float, noise: float = 0.3) -> sw.Panel:
    """y with so large an autoregression, x with .8 and an effect of -.1."""
    rng, rows = np.random.default_rng(seed), []
    for p in range(persons):
        level = 0.3 * rng.normal()
        x, y = rng.normal(), rng.normal() + level
        for s in range(1, waves + 1):
            rows.append((p, s, y, x))
            after = carried * y + (1 - carried) * level - 0.1 * x + noise * rng.normal()
            x, y = 0.8 * x + 0.4 * rng.normal(), after
    return sw.Panel(pl.DataFrame(rows, schema=["p", "s", "y", "x"], orient="row"), person="p", session="s")


def restarted(fit: sw.SEMFit, rng: np.random.Generator) -> list[float]:
    """-2 log-likelihoods of optima that random lags and variances lead to; every such start has a likelihood."""
    solution, found = fit.solution, []
    usual = solution.grouped.blueprint.started(np.eye(solution.data[0].k))
    for _ in range(RESTARTS):
        start = usual.copy()
        for i, p in enumerate(solution.parameters):
            if p.kind == "lag":
                start[i] = rng.normal(0.5, 0.6)
            elif p.kind in ("intercept", "residual"):
                start[i] = rng.uniform(0.05, 1.0) if p.variance else 0.0
            elif p.kind == "mean":
                start[i] = rng.normal(0, 0.5)
        other = optimise(solution.groups, [start])
        if other.converged:
            found.append(other.criterion)
    return found


@pytest.mark.parametrize("carried", [0.8, 0.9, 0.95, 0.99])
@pytest.mark.parametrize(("persons", "waves"), [(30, 4), (60, 6)])
def test_no_restart_beats_a_good_verdict(carried: float, persons: int, waves: int) -> None:
    fit = sw.DPM("y ~ pre(lag(x))", waves=waves).fit(persistent(int(1000 * carried) + persons, persons, waves, carried))
    others = restarted(fit, np.random.default_rng(0))
    assert len(others) > RESTARTS / 2
    assert fit.verdict.converged
    assert fit.solution.optimum.criterion - min(others) <= 2 * BEATEN


@pytest.mark.parametrize("seed", range(2))
def test_waves_that_are_nearly_the_same_leave_the_optimum_determined(seed: int) -> None:
    """Levels of firms: waves with correlations of .999. The plain search took thousands of steps, and what it led to
    was said not to be determined, whose errors are small."""
    rng, rows = np.random.default_rng(seed), []
    for p in range(140):
        z, y = 1.5 * rng.normal(), 1.3 * rng.normal()
        w = 0.25 * rng.normal()
        for s in range(1, 7):
            rows.append((p, s, y, w, z))
            ahead = 0.08 * rng.normal()
            y, w, z = 1.1 * y - 0.1 * z + ahead, 0.95 * w + 0.05 * rng.normal(), z + 0.05 * ahead + 0.08 * rng.normal()
    panel = sw.Panel(pl.DataFrame(rows, schema=["p", "s", "y", "w", "z"], orient="row"), person="p", session="s")
    fit = sw.DPM("y ~ pre(lag(w)) + lag(z)", waves=6).fit(panel)
    assert fit.verdict.converged
    assert fit.indices is not None
    assert fit.solution.optimum.flattest < 1e-6
    assert fit.se["y ~ lag(y)"] < 0.2
    others = restarted(fit, np.random.default_rng(seed))
    assert fit.solution.optimum.criterion - min(others) <= 2 * BEATEN


def test_along_the_valley_leads_where_plain_steps_do() -> None:
    fit = sw.DPM("y ~ pre(lag(x))", waves=5).fit(persistent(1, 100, 5, 0.9))
    solution = fit.solution
    start = solution.grouped.blueprint.started(np.eye(solution.data[0].k))
    end = along(solution.groups, Point(start, evaluate(solution.groups, start)))
    assert end.here.criterion == pytest.approx(solution.optimum.criterion, abs=1e-9)
    np.testing.assert_allclose(end.theta, solution.optimum.theta, atol=1e-5)


def test_an_effect_that_goes_with_its_predictors_more_than_fully_is_said() -> None:
    found = [sw.DPM("y ~ pre(lag(x))", waves=4).fit(persistent(seed, 60, 4, 0.97, 0.15)) for seed in range(20)]
    said = [f.verdict for f in found if f.verdict.state == "inadmissible" and "R squared" in f.verdict.message]
    assert said
    for verdict in said:
        assert "the person's effect of y would go with y, x more than fully (R squared" in verdict.message
        assert "without" not in verdict.remedy  # which this model has not
        assert "residuals='equal'" in verdict.remedy
        assert "lags='equal'" not in verdict.remedy  # as they are


@pytest.mark.parametrize("seed", range(4))
def test_the_root_of_the_information(seed: int) -> None:
    what, theta, data, _, _ = setup(seed)
    root = information_root([(what, data)], theta)
    wanted = evaluate([(what, data)], theta, expected=True).hessian
    np.testing.assert_allclose(root.T @ root, wanted, atol=1e-10 * np.abs(wanted).max())


def test_close_columns_are_told_from_what_nothing_tells() -> None:
    """Both have a curvature of 1e-8 and less; the one is determined, the other is not."""
    rng = np.random.default_rng(0)
    base = rng.standard_normal((200, 1))
    close = base + 1e-3 * rng.standard_normal((200, 3))
    data, _ = patterns(close / close.std())
    found = saturated(data)
    assert found is not None
    groups = [(found.structure, data)]
    bent = curvature(groups, found.theta, evaluate(groups, found.theta).hessian)
    assert bent.flattest < 1e-7
    assert bent.determined
    # One variance as the sum of two: nothing tells them apart.
    spread = Cells.of([(0, 0, 0), (1, 1, 1), (2, 2, 2), (3, 3, 3)])
    base_paths = np.zeros((4, 4))
    base_paths[0, 3] = 1.0
    twice = Structure(base_paths, 3, Cells.of([]), spread, Cells.of([(i, 0, 4 + i) for i in range(3)]), 7)
    theta = np.array([0.5, 1.0, 1.0, 0.5, 0.0, 0.0, 0.0])
    bent = curvature([(twice, data)], theta, evaluate([(twice, data)], theta, expected=True).hessian)
    assert not bent.determined
    np.testing.assert_allclose(np.abs(bent.flat[[0, 3]]), np.sqrt(0.5), atol=1e-6)
    assert np.isnan(bent.inverse).all()
