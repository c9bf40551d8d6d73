"""The filter against one normal vector of all scores; quadrature over persons' coefficients against fine grids."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import special

import sessionwise as sw
from helpers import dynamic
from helpers.dynamic import fitted, gappy
from sessionwise.models.dsem.filtered import filtered
from sessionwise.models.dsem.on_grid import OnGrid, own_grid
from sessionwise.models.dsem.parameters import Parameters, parameters, spaced
from sessionwise.models.dsem.person_likelihood import log_likelihoods
from sessionwise.models.dsem.process import Effects, process

EXACT: dict[str, Any] = {
    "plain": sw.DSEM.reciprocal("y", "w", random="none", course=None),
    "course, error, trend": sw.DSEM.reciprocal("y", "w", random="none", trend="linear", error={"y": 0.09}),
    "one variable, two lags": sw.DSEM(("y ~ lag(y) + lag(y, 2)",), random="none", trend="quadratic"),
    "covariate, same session": sw.DSEM(("y ~ lag(y) + w + x", "w ~ lag(w) + lag(y)"), random="none", between="~ pd"),
    "stationary, clusters": sw.DSEM.reciprocal("y", "w", random="none", first="stationary", clusters=True),
    "previous, two lags": sw.DSEM(
        ("y ~ lag(y) + lag(w, 2)", "w ~ lag(w)"), random="none", first="previous", treatment_length=True
    ),
}
#: And the largest error that quadrature may make in a person's log-likelihood at any draw.
RANDOM: dict[str, tuple[Any, float]] = {
    "cross": (sw.DSEM.reciprocal("y", "w", error={"y": 0.09, "w": 0.04}), 0.02),
    "one": (sw.DSEM.reciprocal("y", "w", random=("y ~ lag(w)",), course=None, between="~ pd"), 0.001),
    "all correlate": (sw.DSEM.reciprocal("y", "w", correlated="all", course=None), 0.06),
    "factor": (sw.DSEM.reciprocal("y", "w", random=("y ~ lag(w)",), factor=True, course=None), 0.01),
    "log variance": (sw.DSEM(("y ~ lag(y)",), random="all", variances="random"), 0.12),
}


@pytest.mark.parametrize("name", list(EXACT))
def test_without_own_coefficients_it_is_exact(name: str) -> None:
    fit = fitted(EXACT[name])
    grid = own_grid(fit, gappy())
    draws = parameters(fit, spaced(3, 400))
    found = log_likelihoods(fit, grid, draws)
    for person in range(0, len(grid.persons), 5):
        for d in range(3):
            exact = dynamic.log_density(fit, grid, draws, d, person, np.zeros(0))
            assert found[d, person] == pytest.approx(exact, abs=1e-8)


def at_points(fit: sw.DSEMFit, grid: OnGrid, draws: Parameters, points: np.ndarray) -> np.ndarray:
    """(draws, persons, points) the filter's log-likelihood at fixed u, in the data's units."""
    s = fit.kept.structure
    effects = Effects.of(draws.omega, s.levels)
    out = np.empty((draws.count, len(grid.persons), len(points)))
    for data in grid.together(100):
        shape = (len(data.persons), len(points), draws.count)
        u = [np.broadcast_to(points[None, :, j, None], shape) for j in range(points.shape[1])]
        found = filtered(data, process(fit.model.paths, s, draws, effects, data, u), shape)
        out[:, data.persons] = np.moveaxis(found, 2, 0)
    counts = np.stack([np.add.reduceat(~np.isnan(c), grid.starts[:-1]) for c in grid.values.T], axis=1)
    return np.asarray(out - (counts @ np.log(fit.kept.sd))[:, None])


@pytest.mark.parametrize("name", list(RANDOM))
def test_at_given_coefficients_it_is_exact(name: str) -> None:
    fit = fitted(RANDOM[name][0])
    s = fit.kept.structure
    grid, draws = own_grid(fit, gappy()), parameters(fit, spaced(3, 400))
    points = np.random.default_rng(1).normal(size=(2, s.effects - s.levels))
    found = at_points(fit, grid, draws, points)
    for person in range(0, len(grid.persons), 9):
        for d in range(3):
            root = np.linalg.cholesky(draws.omega[d, s.levels :, s.levels :])
            for j, u in enumerate(points):
                c = draws.gamma[d, s.levels :] @ grid.predictors[person] + root @ u
                exact = dynamic.log_density(fit, grid, draws, d, person, c)
                assert found[d, person, j] == pytest.approx(exact, abs=1e-8)


@pytest.mark.parametrize("name", list(RANDOM))
def test_with_own_coefficients_it_is_that_of_a_fine_grid(name: str) -> None:
    """The trapezoid rule on 41 points a coefficient over 5.5 SDs: exact to 1e-6 for what is as smooth. The data are
    few, so that coefficients of some draws have SDs far beyond what is usual: that is where the largest errors are."""
    model, limit = RANDOM[name]
    fit = fitted(model)
    s = fit.kept.structure
    n = s.effects - s.levels
    grid, draws = own_grid(fit, gappy()), parameters(fit, spaced(10, 400))
    found = log_likelihoods(fit, grid, draws)
    axis = np.linspace(-5.5, 5.5, 41)
    points = np.stack(np.meshgrid(*[axis] * n, indexing="ij"), axis=-1).reshape(-1, n)
    weights = -0.5 * np.sum(points**2, axis=1) - n / 2 * np.log(2 * np.pi) + n * np.log(axis[1] - axis[0])
    exact = special.logsumexp(at_points(fit, grid, draws, points) + weights, axis=2)
    error = found - exact
    assert np.abs(error).max() < limit
    assert np.sqrt(np.mean(error**2)) < limit / 8
    assert abs(error.mean()) < limit / 30


def test_many_own_coefficients_are_summed_over_sobol_nodes() -> None:
    """Against simple Monte Carlo with 20,000 draws of the coefficients, whose own errors are stated."""
    fit = fitted(sw.DSEM.reciprocal("y", "w", random="all", course=None))
    s = fit.kept.structure
    grid, draws = own_grid(fit, gappy()), parameters(fit, spaced(2, 400))
    found = log_likelihoods(fit, grid, draws)
    points = np.random.default_rng(2).normal(size=(20_000, s.effects - s.levels))
    few = OnGrid(**{name: getattr(grid, name) for name in grid.__dataclass_fields__})
    logs = at_points(fit, few, draws, points)
    weights = np.exp(logs - logs.max(axis=2, keepdims=True))
    exact = np.log(weights.mean(axis=2)) + logs.max(axis=2)
    error = weights.std(axis=2) / weights.mean(axis=2) / np.sqrt(len(points))
    off = found - exact
    assert np.sqrt(np.mean(off**2)) < 0.05 + np.sqrt(np.mean(error**2))
    assert abs(off.mean()) < 0.01


def test_long_series_are_found_where_their_coefficients_are() -> None:
    """With 150 sessions a coefficient's posterior is far narrower than what is known beforehand."""
    model = sw.DSEM(("y ~ lag(y)",), random="all", course=None)
    panel = model.simulate({"y ~ lag(y)": 0.2, "sd(y ~ lag(y))": 0.2, "sd(y)": 1.0}, 12, 150, seed=2)
    fit = model.fit(panel, seed=1, size=20, most=100, chains=2)
    grid, draws = own_grid(fit, panel), parameters(fit, spaced(4, 200))
    axis = np.linspace(-6, 6, 801)
    exact = special.logsumexp(
        at_points(fit, grid, draws, axis[:, None])
        - 0.5 * axis**2
        - 0.5 * np.log(2 * np.pi)
        + np.log(axis[1] - axis[0]),
        axis=2,
    )
    np.testing.assert_allclose(log_likelihoods(fit, grid, draws), exact, atol=1e-3)
