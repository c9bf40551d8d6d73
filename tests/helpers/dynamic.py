"""Data with gaps for the dynamic model, and a person's scores under it as one normal vector: the oracle of its filter.

Every score is a linear function of independent sources: the person's levels, the first sessions' deviations, the
innovations, the errors. The function is found by running the model's own definition with one source at a time set to 1.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import polars as pl
from scipy import stats

import sessionwise as sw
from sessionwise.models.dsem import DSEMFit
from sessionwise.models.dsem.on_grid import OnGrid
from sessionwise.models.dsem.parameters import Parameters


@cache
def gappy(persons: int = 40, most: int = 9) -> sw.Panel:
    """2 to `most` sessions, some skipped, some scores of y missing; a cluster, a predictor pd, a covariate x."""
    rng = np.random.default_rng(4)
    rows = []
    for i in range(persons):
        level, y, w, pd = rng.normal(size=2), 0.0, 0.0, rng.normal()
        own = rng.normal(-0.2, 0.2)
        for s in range(1, int(rng.integers(2, most + 1)) + 1):
            x = rng.normal()
            w, y = 0.3 * w + rng.normal(), 0.3 * y + own * w + 0.4 * x + rng.normal()
            if rng.random() < 0.85 or s < 3:
                gap = rng.random() < 0.1 and s > 2
                seen = y + level[0] + 0.3 * rng.normal()
                rows.append((i, i % 6, s, None if gap else seen, w + level[1], x, pd))
    frame = pl.DataFrame(rows, schema=["person", "cluster", "session", "y", "w", "x", "pd"], orient="row")
    return sw.Panel(frame, person="person", session="session", cluster="cluster")


@cache
def fitted(model: sw.DSEM) -> DSEMFit:
    """To `gappy()`, by few draws."""
    return model.fit(gappy(), seed=1, size=20, most=200, chains=2)


def coefficients(fit: DSEMFit, draws: Parameters, d: int, c: np.ndarray) -> tuple[Any, np.ndarray]:
    """[A0, A1, ..., AP] and Gamma, and innovation covariance, of a person with these own coefficients."""
    s = fit.kept.structure
    k = s.variables
    a = np.zeros((s.lags + 1, k, k))
    inputs = np.zeros((k, len(fit.model.paths.covariates)))
    random, common = 0, 0
    for term in s.terms:
        if term.random:
            value, random = c[random], random + 1
        else:
            value, common = draws.theta[d, common], common + 1
        if term.covariate is None:
            a[term.lag, term.equation, term.variable] = value
        else:
            inputs[term.equation, term.covariate] = value
    noise = draws.sigma[d].copy()
    for j, log in enumerate(v for v, there in enumerate(s.log_variances) if there):
        noise[log, log] = np.exp(c[random + j])
    return (a, inputs), noise


def scores(
    fit: DSEMFit, grid: OnGrid, draws: Parameters, d: int, person: int, c: np.ndarray, until: int | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means and covariance of the person's observed scores, in standard units, and the scores."""
    s = fit.kept.structure
    k, lags, levels = s.variables, s.lags, s.levels
    rows = np.arange(grid.starts[person], grid.starts[person + 1])[:until]
    (a, inputs), noise = coefficients(fit, draws, d, c)
    mean = draws.gamma[d] @ grid.predictors[person]
    omega = draws.omega[d]
    across = omega[:levels, levels:]
    back = np.linalg.pinv(omega[levels:, levels:]) if len(c) else np.zeros((0, 0))
    level_mean = mean[:levels] + across @ back @ (c - mean[levels:])
    level_covariance = omega[:levels, :levels] - across @ back @ across.T
    t_count, m = len(rows), k * lags

    def run(level: np.ndarray, first: np.ndarray, e: np.ndarray, covariates: bool, course: bool) -> np.ndarray:
        z = np.zeros((max(t_count, lags), k))
        for lag in range(lags):
            z[lags - 1 - lag] = first[lag * k : (lag + 1) * k]
        for t in range(lags, t_count):
            x = e[t] + sum(a[lag] @ z[t - lag] for lag in range(1, lags + 1))
            if covariates:
                x = x + inputs @ grid.covariates[rows[t]]
            z[t] = np.linalg.solve(np.eye(k) - a[0], x)
        y = z[:t_count] + np.stack([grid.own_course[rows] @ row for row in level.reshape(k, -1)], axis=1)
        if course:
            y = y + draws.course[d][np.clip(grid.session[rows], 0, draws.course.shape[1] - 1)]
        return y.ravel()

    none = np.zeros(levels), np.zeros(m), np.zeros((t_count, k))
    middle = run(level_mean, none[1], none[2], True, True)
    total = np.zeros((t_count * k, t_count * k))
    for covariance, build in (
        (level_covariance, lambda x: run(x, none[1], none[2], False, False)),
        (draws.first[d], lambda x: run(none[0], x, none[2], False, False)),
    ):
        map_ = np.stack([build(x) for x in np.eye(len(covariance))], axis=1)
        total += map_ @ covariance @ map_.T
    for t in range(lags, t_count):
        columns = []
        for x in np.eye(k):
            e = np.zeros((t_count, k))
            e[t] = x
            columns.append(run(none[0], none[1], e, False, False))
        map_ = np.stack(columns, axis=1)
        total += map_ @ noise @ map_.T
    if grid.error is not None:
        total += np.diag((grid.error[rows] * draws.error[d]).ravel())
    values = grid.values[rows].ravel()
    there = ~np.isnan(values)
    return middle[there], total[np.ix_(there, there)], values[there]


def log_density(fit: DSEMFit, grid: OnGrid, draws: Parameters, d: int, person: int, c: np.ndarray) -> float:
    """Of the person's scores, in the data's units."""
    mean, covariance, values = scores(fit, grid, draws, d, person, c)
    rows = slice(grid.starts[person], grid.starts[person + 1])
    units = np.log(fit.kept.sd) @ (~np.isnan(grid.values[rows])).sum(axis=0)
    return float(stats.multivariate_normal(mean, covariance).logpdf(values) - units)
