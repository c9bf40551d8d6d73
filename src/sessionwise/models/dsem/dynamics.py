"""Dynamics of the average person: net lagged effects, variances of true scores, responses to an impulse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .paths import Paths
    from .reported import Reported


def reduced_form(paths: Paths, reported: Reported) -> tuple[np.ndarray, np.ndarray]:
    """Of each draw, of the average person: F (draws, P, K, K), z_t = sum over lags of F z_{t-lag} + e, and the
    covariance of e (draws, K, K); within-session paths are taken into both."""
    place = {name: i for i, name in enumerate(paths.variables)}
    k, count = len(place), reported.draws.shape[0] * reported.draws.shape[1]
    matrices = np.zeros((count, paths.lags + 1, k, k))
    for path in paths.paths:
        if path.predictor in place:
            matrices[:, path.lag, place[path.response], place[path.predictor]] = reported[path.name].ravel()
    inverse = np.linalg.inv(np.eye(k) - matrices[:, 0])
    noise = np.zeros((count, k, k))
    names = set(reported.names)
    for i, one in enumerate(paths.variables):
        if f"innovation sd({one})" in names:
            sd = reported[f"innovation sd({one})"].ravel()
        else:
            sd = np.exp(reported[f"log variance({one})"].ravel() / 2)
        noise[:, i, i] = sd
    scale = noise.copy()
    correlation = np.broadcast_to(np.eye(k), (count, k, k)).copy()
    for i, one in enumerate(paths.variables):
        for j, other in enumerate(paths.variables[:i]):
            name = f"innovation cor({other}, {one})"
            if name in names:
                correlation[:, i, j] = correlation[:, j, i] = reported[name].ravel()
    covariance = scale @ correlation @ scale
    lagged = np.einsum("dij,dljk->dlik", inverse, matrices[:, 1:])
    return lagged, inverse @ covariance @ np.swapaxes(inverse, 1, 2)


def net_effects(paths: Paths, reported: Reported) -> dict[tuple[str, str], np.ndarray]:
    """(outcome, predictor) -> draws of the effect at lag 1 by all ways, where the model has one."""
    variables = paths.variables
    first = reduced_form(paths, reported)[0][:, 0]
    out = {}
    for i, outcome in enumerate(variables):
        for j in (i, *(j for j in range(len(variables)) if j != i)):
            if np.any(first[:, i, j]):
                out[outcome, variables[j]] = first[:, i, j]
    return out


def variances(paths: Paths, reported: Reported) -> np.ndarray:
    """(draws, K) stationary variances of true scores within the average person; NaN where the process has none."""
    return stationary_variances(*reduced_form(paths, reported))


def stationary_variances(lagged: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """(n, K) of processes with these matrices, (n, P, K, K) and (n, K, K); NaN where one has none."""
    companion = _companion(lagged)
    count, m, k = len(companion), companion.shape[1], noise.shape[1]
    total = np.zeros((count, m, m))
    total[:, :k, :k] = noise
    step = companion.copy()
    explosive = _explosive(companion)
    step[explosive] = 0.0
    for _ in range(14):  # doubling: terms up to lag 2^14
        total = total + step @ total @ np.swapaxes(step, 1, 2)
        step = step @ step
    out = np.diagonal(total, axis1=1, axis2=2)[:, :k].copy()
    out[explosive] = np.nan
    return out


def _companion(lagged: np.ndarray) -> np.ndarray:
    """(draws, P K, P K): the process as one of lag 1."""
    count, lags, k, _ = lagged.shape
    out = np.zeros((count, k * lags, k * lags))
    out[:, :k] = np.concatenate([lagged[:, lag] for lag in range(lags)], axis=2)
    out[:, k:, : k * (lags - 1)] = np.eye(k * (lags - 1))
    return out


def _explosive(companion: np.ndarray) -> np.ndarray:
    """(draws,) whether the process has no variance that it stays at."""
    return np.asarray(np.abs(np.linalg.eigvals(companion)).max(axis=1) >= 0.999)


def explosive_share(paths: Paths, reported: Reported) -> float:
    """Of draws in which the average person's process is not stationary."""
    return float(np.mean(_explosive(_companion(reduced_form(paths, reported)[0]))))


def long_run(paths: Paths, reported: Reported) -> np.ndarray:
    """(draws, K, K): responses to an impulse, summed over all sessions from it on; NaN where they have no sum."""
    lagged, _ = reduced_form(paths, reported)
    k = lagged.shape[2]
    gap = np.eye(k) - lagged.sum(axis=1)
    explosive = _explosive(_companion(lagged))
    gap[explosive] = np.eye(k)
    out = np.linalg.inv(gap)
    out[explosive] = np.nan
    return np.asarray(out)


def standardised_scale(paths: Paths, reported: Reported) -> dict[str, np.ndarray]:
    """SD of each variable's true score within the average person, by draw."""
    return dict(zip(paths.variables, np.sqrt(variances(paths, reported)).T, strict=True))


def impulse_responses(paths: Paths, reported: Reported, sessions: int) -> np.ndarray:
    """(draws, sessions + 1, K, K): what one more in variable j does to variable i so many sessions later."""
    lagged, _ = reduced_form(paths, reported)
    count, lags, k, _ = lagged.shape
    out = np.zeros((count, sessions + 1, k, k))
    out[:, 0] = np.eye(k)
    for t in range(1, sessions + 1):
        for lag in range(1, min(lags, t) + 1):
            out[:, t] += lagged[:, lag - 1] @ out[:, t - lag]
    return out
