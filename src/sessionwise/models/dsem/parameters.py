"""Parameters: draws of a fit in the sampler's standard units, as arrays by what they are of."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from .reported import Effects, Reported

if TYPE_CHECKING:
    from .fit import DSEMFit
    from .paths import Paths


@dataclass(frozen=True, slots=True, eq=False)
class Parameters:
    """Of D draws. gamma : (D, q, W) regressions of random effects, the first column their means. omega : (D, q, q)
    covariance of a person's effects around these, in a factor model with what the factor adds, levels with what
    clusters add. tau : (D, L, L) what clusters add. theta : (D, common). sigma : (D, K, K) innovations, zero where a
    log variance is a random effect. first : (D, M, M). course : (D, S, K). error : (D, K) factors of error variances.
    """

    gamma: np.ndarray
    omega: np.ndarray
    tau: np.ndarray
    theta: np.ndarray
    sigma: np.ndarray
    first: np.ndarray
    course: np.ndarray
    error: np.ndarray

    @property
    def count(self) -> int:
        return len(self.gamma)

    def mean(self) -> Parameters:
        """One draw: the mean of all."""
        return Parameters(*(getattr(self, f.name).mean(axis=0, keepdims=True) for f in fields(self)))


def spaced(count: int, total: int) -> np.ndarray:
    """Indices of at most `count` draws of `total`, evenly apart."""
    return np.unique(np.linspace(0, total - 1, min(count, total)).round().astype(int))


def parameters(fit: DSEMFit, which: np.ndarray) -> Parameters:
    """which : indices of draws, chain after chain."""
    model, kept, effects = fit.model, fit.kept, fit.effects
    s, paths = kept.structure, model.paths
    draws = _Draws(fit.reported, which)
    count, k, q = len(which), s.variables, s.effects
    gamma = np.zeros((count, q, 1 + len(kept.predictors)))
    for j, name in enumerate(effects.names):
        if s.regressed[j, 0]:
            gamma[:, j, 0] = (draws[name] - effects.shifts[j]) / effects.units[j]
        for w, predictor in enumerate(kept.predictors, 1):
            gamma[:, j, w] = draws[f"{name} | {predictor}"] / effects.units[j]
    levels = effects.names[: s.levels]
    tau = draws.covariance(levels, "cluster {}") if model.clusters else np.zeros((count, s.levels, s.levels))
    tau = tau / np.outer(effects.units[: s.levels], effects.units[: s.levels])
    omega = _omega(draws, effects, s.factor)
    omega[:, : s.levels, : s.levels] += tau
    theta = np.zeros((count, len(effects.common)))
    sd = dict(zip(paths.variables, kept.sd, strict=True)) | dict(zip(paths.covariates, kept.covariate_sd, strict=True))
    for j, path in enumerate(effects.common):
        theta[:, j] = draws[path.name] * (sd[path.predictor] / sd[path.response])
    common = [v for v, random in zip(paths.variables, s.log_variances, strict=True) if not random]
    at = np.array([paths.variables.index(v) for v in common], dtype=int)
    sigma = np.zeros((count, k, k))
    if common:
        sigma[:, at[:, None], at] = draws.covariance(common, "innovation {}") / np.outer(kept.sd[at], kept.sd[at])
    error = np.ones((count, k))
    if kept.error_mean is not None:
        for i, variable in enumerate(paths.variables):
            if kept.error_mean[i] > 0:
                error[:, i] = draws[f"error sd({variable})"] ** 2 / kept.error_mean[i]
    return Parameters(
        gamma, omega, tau, theta, sigma, _first(draws, paths, s.own_first, kept.sd), _course(draws, fit), error
    )


class _Draws:
    """Draws of some indices by name."""

    def __init__(self, reported: Reported, which: np.ndarray) -> None:
        self.place = {name: j for j, name in reversed(list(enumerate(reported.names)))}
        self.draws = reported.draws.reshape(-1, len(reported.names))[which]

    def __getitem__(self, name: str) -> np.ndarray:
        return np.asarray(self.draws[:, self.place[name]])

    def covariance(self, names: list[str] | tuple[str, ...], form: str) -> np.ndarray:
        """(D, n, n) of SDs and of those correlations that there are."""
        n = len(names)
        sd = np.stack([self[form.format(f"sd({name})")] for name in names], axis=1)
        correlation = np.tile(np.eye(n), (len(self.draws), 1, 1))
        for i in range(n):
            for j in range(i):
                name = form.format(f"cor({names[j]}, {names[i]})")
                if name in self.place:
                    correlation[:, i, j] = correlation[:, j, i] = self[name]
        return np.asarray(correlation * sd[:, :, None] * sd[:, None, :])


def _omega(draws: _Draws, effects: Effects, factor: bool) -> np.ndarray:
    units = effects.units
    out = draws.covariance(effects.names, "{}")
    if factor:
        loading = np.stack([np.ones(len(out)), *(draws[f"loading({name})"] for name in effects.names[1:])], axis=1)
        variance = draws["factor sd"] ** 2
        out = out + variance[:, None, None] * loading[:, :, None] * loading[:, None, :]
    return np.asarray(out / np.outer(units, units))


def _first(draws: _Draws, paths: Paths, own: bool, sd: np.ndarray) -> np.ndarray:
    """(D, M, M), the newest of the first sessions first."""
    states = [v if lag == 0 else f"{v}, {lag} later" for lag in reversed(range(paths.lags)) for v in paths.variables]
    if not own:
        return np.tile(np.eye(len(states)), (len(draws.draws), 1, 1))
    units = np.tile(sd, paths.lags)
    return draws.covariance(states, "first {}") / np.outer(units, units)


def _course(draws: _Draws, fit: DSEMFit) -> np.ndarray:
    """(D, S, K): lines between the session numbers that persons reached, level beyond them."""
    kept, variables = fit.kept, fit.model.paths.variables
    out = np.zeros((len(draws.draws), kept.sessions, len(variables)))
    if fit.model.course is None:
        return out
    places = np.arange(kept.sessions)
    for k, variable in enumerate(variables):
        names = [f"course({variable}, {kept.first + s})" for s in places]
        known = np.array([s for s in places if names[s] in draws.place], dtype=int)
        if not len(known):
            continue
        at = np.concatenate([[kept.before], known])
        values = np.column_stack([np.zeros(len(out)), *(draws[names[s]] / kept.sd[k] for s in known)])
        right = np.clip(np.searchsorted(at, places), 1, len(at) - 1)
        share = np.clip((places - at[right - 1]) / (at[right] - at[right - 1]), 0.0, 1.0)
        out[:, :, k] = values[:, right - 1] * (1 - share) + values[:, right] * share
    return out
