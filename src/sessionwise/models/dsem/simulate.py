"""Simulate: a Panel drawn from a DSEM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ...errors import ModelError, some
from ...panel import Panel
from ...threads import one_thread
from .paths import Paths

if TYPE_CHECKING:
    from .model import DSEM

#: Sessions drawn before the first, so that the process has forgotten where it began.
BURN_IN = 50


@one_thread()
def simulate(model: DSEM, parameters: Mapping[str, float], persons: int, sessions: int, seed: int) -> Panel:
    """See `DSEM.simulate`."""
    paths = model.paths
    value = _known(model, paths, parameters)
    if paths.covariates:
        raise ModelError(
            f"The model has covariates ({some(paths.covariates)}), whose values are not drawn.",
            where=model.title,
            remedy="Simulate from the formulas without them.",
        )
    usual = {"between": "~ 1", "variances": "common", "trend": None, "clusters": False, "outcomes": (), "factor": False}
    for option, value_of in usual.items():
        if getattr(model, option) != value_of:
            raise ModelError(
                f"{option} is not drawn: only levels, coefficients, innovations and errors are.",
                where=model.title,
                remedy=f"Simulate from the model without {option}.",
            )
    rng = np.random.default_rng(seed)
    names, k = paths.variables, len(paths.variables)
    place = {name: i for i, name in enumerate(names)}
    innovation = _innovations(names, value, model)
    coefficients = np.zeros((persons, paths.lags + 1, k, k))
    for path in paths.paths:
        own = value.get(path.name, 0.0) + value.get(f"sd({path.name})", 0.0) * rng.standard_normal(persons)
        coefficients[:, path.lag, place[path.response], place[path.predictor]] = own
    levels = np.array([value.get(v, 0.0) for v in names]) + rng.standard_normal((persons, k)) * np.array(
        [value.get(f"sd({v})", 0.0) for v in names]
    )
    inverse = np.linalg.inv(np.eye(k) - coefficients[:, 0])
    z = np.zeros((persons, BURN_IN + sessions, k))
    for t in range(paths.lags, z.shape[1]):
        e = rng.standard_normal((persons, k)) @ innovation.T
        for lag in range(1, paths.lags + 1):
            e += np.einsum("pij,pj->pi", coefficients[:, lag], z[:, t - lag])
        z[:, t] = np.einsum("pij,pj->pi", inverse, e)
    if not np.isfinite(z).all() or np.abs(z).max() > 1e100:
        raise ModelError(
            "The process runs away: no session's scores would be finite.",
            where=model.title,
            remedy="Give smaller coefficients, or smaller SDs of them.",
        )
    errors = np.array([value.get(f"error sd({v})", 0.0) for v in names])
    scores = levels[:, None] + z[:, BURN_IN:] + errors * rng.standard_normal((persons, sessions, k))
    table = {
        "person": np.repeat(np.arange(1, persons + 1), sessions),
        "session": np.tile(np.arange(1, sessions + 1), persons),
        **{name: scores[:, :, i].ravel() for i, name in enumerate(names)},
    }
    import polars as pl

    return Panel(pl.DataFrame(table), person="person", session="session")


def _innovations(names: tuple[str, ...], value: Mapping[str, float], model: DSEM) -> np.ndarray:
    """(K, K) factor of their covariance."""
    k = len(names)
    sd = np.array([value.get(f"innovation sd({v})", 1.0) for v in names])
    correlation = np.eye(k)
    for i, one in enumerate(names):
        for j, other in enumerate(names[:i]):
            r = value.get(f"innovation cor({other}, {one})", value.get(f"innovation cor({one}, {other})", 0.0))
            correlation[i, j] = correlation[j, i] = r
    try:
        return np.asarray(np.linalg.cholesky(correlation) * sd[:, None])
    except np.linalg.LinAlgError:
        raise ModelError(
            "The innovations' correlations are impossible together.",
            where=model.title,
            remedy="Give correlations between -1 and 1 that a matrix can have.",
        ) from None


def _known(model: DSEM, paths: Paths, parameters: Mapping[str, float]) -> dict[str, float]:
    names = [*paths.variables, *(p.name for p in paths.paths)]
    allowed = {
        *names,
        *(f"sd({n})" for n in names),
        *(f"{kind} sd({v})" for kind in ("innovation", "error") for v in paths.variables),
    }
    allowed |= {f"innovation cor({a}, {b})" for a in paths.variables for b in paths.variables if a != b}
    spreads = {name for name in allowed if "sd(" in name}
    for name, number in parameters.items():
        if name not in allowed:
            raise ModelError(
                f"There is no parameter {name!r}.", where=model.title, remedy=f"Use {some(sorted(allowed))}."
            )
        if not np.isfinite(number) or (name in spreads and number < 0):
            raise ModelError(
                f"{name} is {number!r}.", where=model.title, remedy="Give a finite number; an SD is 0 or more."
            )
    return {name: float(number) for name, number in parameters.items()}
