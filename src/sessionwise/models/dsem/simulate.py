"""Simulate: a Panel drawn from a DSEM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ModelError, some
from ...panel import Panel
from ...threads import one_thread
from .truth import Truth, truth

if TYPE_CHECKING:
    from .model import DSEM

#: Sessions drawn before the first, so that the process has forgotten where it began.
BURN_IN = 50


@one_thread()
def simulate(
    model: DSEM,
    parameters: Mapping[str, float],
    persons: int,
    sessions: int,
    seed: int,
    columns: Mapping[str, Any],
    clusters: int,
) -> Panel:
    """See `DSEM.simulate`."""
    if model.treatment_length:
        raise ModelError(
            "treatment_length is not drawn: all persons have the same number of sessions.",
            where=model.title,
            remedy="Simulate without treatment_length, and leave sessions out of what was drawn.",
        )
    value = truth(model, parameters, sessions)
    rng = np.random.default_rng(seed)
    given = _columns(model, columns, persons, sessions)
    cluster = np.arange(persons) % clusters
    effects = _effects(model, value, rng, persons)
    predictors = {w: given.get(w, _standard(rng, persons)) for w in model.predictors}
    for w, x in predictors.items():
        effects += np.outer(x - x.mean(), value.of(f"{{}} | {w}", value.effects))
    if model.clusters:
        spread = value.of("cluster sd({})", value.levels)
        own = slice(len(value.paths), len(value.paths) + len(value.levels))
        effects[:, own] += (rng.standard_normal((clusters, len(spread))) * spread)[cluster]
    covariates = {x: given.get(x, _standard(rng, persons, sessions)) for x in model.paths.covariates}
    z = _process(model, value, rng, effects, covariates, sessions)
    names = model.paths.variables
    errors = value.of("error sd({})", names)
    noise = errors * rng.standard_normal((persons, sessions, len(names)))
    scores = _courses(model, value, effects, sessions) + z + noise
    table: dict[str, Any] = {
        "person": np.repeat(np.arange(1, persons + 1), sessions),
        "session": np.tile(np.arange(1, sessions + 1), persons),
        **{name: scores[:, :, i].ravel() for i, name in enumerate(names)},
        **{name: np.repeat(x, sessions) for name, x in predictors.items()},
        **{name: x.ravel() for name, x in covariates.items()},
        **{o: np.repeat(_outcome(o, value, rng, effects, predictors), sessions) for o in model.outcomes},
    }
    if model.clusters:
        table["cluster"] = np.repeat(cluster + 1, sessions)
    import polars as pl

    return Panel(pl.DataFrame(table), person="person", session="session", cluster="cluster" if model.clusters else None)


def _standard(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Standard normal values of a column that was not given."""
    return rng.standard_normal(shape)


def _columns(model: DSEM, columns: Mapping[str, Any], persons: int, sessions: int) -> dict[str, np.ndarray]:
    """Person-level predictors (persons,) and covariates (persons, sessions) that were given."""
    wanted = dict.fromkeys(model.predictors, (persons,)) | dict.fromkeys(model.paths.covariates, (persons, sessions))
    out = {}
    for name, values in columns.items():
        if name not in wanted:
            raise ModelError(
                f"{name!r} is no predictor and no covariate of the model.",
                where=model.title,
                remedy=f"Give columns of {some(list(wanted))}." if wanted else "Leave columns out.",
            )
        shape = wanted[name]
        try:
            out[name] = np.asarray(values, dtype=float).reshape(shape)
        except (TypeError, ValueError):
            out[name] = np.array([np.nan])
        if not np.isfinite(out[name]).all():
            raise ModelError(
                f"{name} is not {int(np.prod(shape))} finite numbers.",
                where=model.title,
                remedy=f"Give one number for each person{' and session, by person' if len(shape) == 2 else ''}.",
            )
    return out


def _effects(model: DSEM, value: Truth, rng: np.random.Generator, persons: int) -> np.ndarray:
    """(persons, effects), person-level predictors and clusters left out."""
    n = len(value.paths)
    own = [rng.standard_normal(persons) for _ in value.paths]
    deviations = np.column_stack([*own, rng.standard_normal((persons, len(value.effects) - n))])
    effects = deviations @ value.root(value.of("sd({})", value.effects), "cor({})", value.effects).T
    if model.factor:
        loadings = value.of("loading({})", value.effects)
        loadings[n] = 1.0  # the first level is the marker
        effects += value.values.get("factor sd", 0.0) * np.outer(rng.standard_normal(persons), loadings)
    return np.asarray(effects + value.of("{}", value.effects))


def _process(
    model: DSEM,
    value: Truth,
    rng: np.random.Generator,
    effects: np.ndarray,
    covariates: Mapping[str, np.ndarray],
    sessions: int,
) -> np.ndarray:
    """(persons, sessions, K) deviations. Stationary when it begins, or, where 'first sd(y)' is given, so spread."""
    paths = model.paths
    names, k, persons = paths.variables, len(paths.variables), len(effects)
    place = {name: i for i, name in enumerate(names)}
    coefficients = np.zeros((persons, paths.lags + 1, k, k))
    inputs = np.zeros((persons, sessions, k))
    for j, path in enumerate(paths.paths):
        if path.predictor in place:
            coefficients[:, path.lag, place[path.response], place[path.predictor]] = effects[:, j]
        else:
            x = covariates[path.predictor]
            inputs[:, :, place[path.response]] += effects[:, j, None] * (x - x.mean())
    if value.logs:
        scale = np.exp(effects[:, -k:] / 2)
        root = np.eye(k)
    else:
        scale = np.ones((persons, k))
        root = value.root(value.of("innovation sd({})", names, 1.0), "innovation cor({})", names)
    inverse = np.linalg.inv(np.eye(k) - coefficients[:, 0])
    begins_elsewhere = any(f"first sd({v})" in value.values for v in names)
    before = paths.lags if begins_elsewhere else BURN_IN
    z = np.zeros((persons, before + sessions, k))
    if begins_elsewhere:
        first = value.root(value.of("first sd({})", names), "first cor({})", names)
        z[:, : paths.lags] = rng.standard_normal((persons, paths.lags, k)) @ first.T
        before = 0
    for t in range(paths.lags, z.shape[1]):
        e = scale * (rng.standard_normal((persons, k)) @ root.T)
        if 0 <= t - before < sessions:
            e += inputs[:, t - before]
        for lag in range(1, paths.lags + 1):
            e += np.einsum("pij,pj->pi", coefficients[:, lag], z[:, t - lag])
        z[:, t] = np.einsum("pij,pj->pi", inverse, e)
    if not np.isfinite(z).all() or np.abs(z).max() > 1e100:
        raise ModelError(
            "The process runs away: no session's scores would be finite.",
            where=model.title,
            remedy="Give smaller coefficients, or smaller SDs of them.",
        )
    return z[:, before : before + sessions]


def _courses(model: DSEM, value: Truth, effects: np.ndarray, sessions: int) -> np.ndarray:
    """(persons, sessions, K): levels, own courses about the middle session, the common course."""
    t = np.arange(1, sessions + 1) - (sessions + 1) / 2
    names = model.paths.variables
    width = len(value.levels) // len(names)
    own = effects[:, len(value.paths) : len(value.paths) + len(value.levels)].reshape(len(effects), len(names), width)
    out = np.einsum("pke,te->ptk", own, np.column_stack([t**power for power in range(width)]))
    common = [[value.values.get(f"course({v}, {s})", 0.0) for v in names] for s in range(1, sessions + 1)]
    return np.asarray(out + np.array(common))


def _outcome(
    name: str, value: Truth, rng: np.random.Generator, effects: np.ndarray, predictors: Mapping[str, np.ndarray]
) -> np.ndarray:
    """(persons,): where all effects are 0 and predictors at their means it is 'o ~ 1'."""
    out = value.values.get(f"{name} ~ 1", 0.0) + effects @ value.of(f"{name} ~ {{}}", value.effects)
    for w, x in predictors.items():
        out = out + value.values.get(f"{name} ~ {w}", 0.0) * (x - x.mean())
    return np.asarray(out + value.values.get(f"residual sd({name})", 1.0) * rng.standard_normal(len(out)))
