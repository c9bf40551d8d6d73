"""Where chains begin: moments of the data, scattered so that chains that agree have come from different places."""

from __future__ import annotations

from typing import Any

import numpy as np

from .specification import Specification


def start(spec: Specification, seed: int, chain: int, first: np.ndarray | None = None) -> dict[str, Any]:
    """A state by the names of core/dsem/state.hpp. first : (states, states) covariance of the first sessions."""
    rng = np.random.default_rng([seed, chain, 7])
    grid, s = spec.grid, spec.structure
    k, q, w = s.variables, s.effects, grid.predictors.shape[1]
    person, counts = grid.person, np.diff(grid.starts)
    values = grid.values
    overall = np.nanmean(values, axis=0)
    filled = np.where(np.isnan(values), overall, values)
    # person means shrunken by half towards that of all
    sums = np.zeros((grid.persons, k))
    np.add.at(sums, person, filled - overall)
    means = overall + sums / (counts[:, None] + 2.0)
    deviations = filled - means[person]
    variance = np.maximum(deviations.var(axis=0), 1e-6)
    between = np.maximum(means.var(axis=0), 0.05 * variance)
    effects = np.zeros((grid.persons, q))
    effects[:, : s.levels : s.own_columns] = means
    log_places = [i for i, random in enumerate(s.log_variances) if random]
    for place, variable in enumerate(log_places):
        effects[:, q - len(log_places) + place] = np.log(variance[variable])
    spread = np.full(q, 0.01)
    spread[: s.levels] = np.repeat(variance * 1e-2, s.own_columns)
    spread[: s.levels : s.own_columns] = between
    spread[q - len(log_places) :] = 0.1
    scatter = rng.uniform(0.5, 2.0, q)
    gamma = np.zeros((q, w))
    gamma[:, 0] = effects.mean(axis=0)
    states = k * s.lags
    wide = spec.priors.error_sd
    inflated = np.repeat(variance[None], s.lags, axis=0).ravel() * rng.uniform(0.7, 1.4, states)
    return {
        "theta": rng.uniform(-0.1, 0.3, len(s.common_terms)),
        "gamma": np.ascontiguousarray(gamma),
        "omega": np.diag(spread * scatter),
        "b": np.ascontiguousarray(effects),
        "sigma": np.diag(variance * rng.uniform(0.5, 1.2, k)),
        "first": np.ascontiguousarray(first if first is not None else np.diag(inflated)),
        "delta": np.zeros((grid.basis.shape[1], k)),
        "kappa": np.ones(k) if wide is None else rng.uniform(0.1, 0.4, k) * np.minimum(1.0, 2 * wide) ** 2,
        "tau_cov": np.diag(spread[: s.levels] * 0.1 * rng.uniform(0.5, 2.0, s.levels)),
        "outcome_var": np.nanvar(grid.outcomes, axis=0) if grid.outcomes is not None else np.zeros(0),
        "z": np.ascontiguousarray(filled),
    }
