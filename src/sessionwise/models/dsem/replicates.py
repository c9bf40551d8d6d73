"""Replicates: scores drawn from the posterior predictive distribution, of the same persons, sessions and gaps.

Persons' effects are drawn anew, so that what differs between persons is checked too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .on_grid import OnGrid, Together
from .parameters import Parameters
from .process import Effects, process

if TYPE_CHECKING:
    from .filtered import Matrix, Process
    from .fit import DSEMFit

#: Persons at once.
AT_ONCE = 64


def replicates(fit: DSEMFit, grid: OnGrid, draws: Parameters, rng: np.random.Generator) -> np.ndarray:
    """(draws, rows of the grid, K) scores in the data's units, NaN where nothing was observed."""
    s = fit.kept.structure
    effects = Effects.of(draws.omega, s.levels)
    left = np.moveaxis(_root(effects.left), 0, -1)
    out = np.full((draws.count, *grid.values.shape), np.nan)
    for data in grid.together(AT_ONCE):
        shape = (len(data.persons), 1, draws.count)
        u = [rng.standard_normal(shape) for _ in range(s.effects - s.levels)]
        given = process(fit.model.paths, s, draws, effects, data, u)
        noise = rng.standard_normal((s.levels, *shape))
        level = [mean + sum(left[j, i] * noise[i] for i in range(j + 1)) for j, mean in enumerate(given.level)]
        scores = _scores(given, data, shape, [np.broadcast_to(x, shape) for x in level], rng)
        scores = np.where(np.isnan(data.values), np.nan, scores)
        out[:, data.rows] = scores * fit.kept.sd + fit.kept.centre
    return out


def _scores(
    given: Process, data: Together, shape: tuple[int, int, int], level: list[np.ndarray], rng: np.random.Generator
) -> np.ndarray:
    """(draws, persons, T, K) in standard units."""
    k_count, m = len(given.transition), len(given.first)
    lags, width, t_count = m // k_count, data.own_course.shape[2], data.values.shape[1]
    persons, _, draws = shape
    noise = _root(_dense(given.noise, shape))  # (persons, draws, K, K)
    transition = _dense(given.transition, shape)
    first = _root(_dense(given.first, (1, 1, draws)))
    start = np.einsum(
        "pdij,pdj->pdi", np.broadcast_to(first, (persons, draws, m, m)), rng.standard_normal((persons, draws, m))
    )
    z = np.zeros((t_count, persons, draws, k_count))
    for lag in range(lags):
        z[lags - 1 - lag] = start[:, :, lag * k_count : (lag + 1) * k_count]
    for t in range(lags, t_count):
        states = np.concatenate([z[t - lag] for lag in range(1, lags + 1)], axis=2)
        z[t] = np.einsum("pdij,pdj->pdi", transition, states)
        z[t] += np.einsum("pdij,pdj->pdi", noise, rng.standard_normal((persons, draws, k_count)))
        for k, line in enumerate(given.inputs):
            for c, slope in enumerate(line):
                z[t, :, :, k] += np.broadcast_to(slope * data.covariates[:, t, c, None, None], shape)[:, 0]
    session = np.clip(data.session, 0, len(given.course) - 1)
    for k in range(k_count):
        for e in range(width):
            z[..., k] += data.own_course[:, :, e].T[:, :, None] * level[k * width + e][:, 0]
        z[..., k] += given.course[session.T, k]
        if data.error is not None:
            sd = np.sqrt(data.error[:, :, k].T[:, :, None] * given.error[k])
            z[..., k] += sd * rng.standard_normal((t_count, persons, draws))
    return np.moveaxis(z, (0, 1, 2), (2, 1, 0))


def _dense(matrix: Matrix, shape: tuple[int, int, int]) -> np.ndarray:
    """(persons, draws, rows, columns)."""
    return np.stack([np.stack([np.broadcast_to(x, shape)[:, 0] for x in row], axis=-1) for row in matrix], axis=-2)


def _root(covariance: np.ndarray) -> np.ndarray:
    """Lower factors; a variance that is nothing but rounding is taken as such."""
    size = np.maximum(np.trace(covariance, axis1=-2, axis2=-1), 1e-300)
    return np.asarray(np.linalg.cholesky(covariance + 1e-12 * size[..., None, None] * np.eye(covariance.shape[-1])))
