"""Simulate: persons drawn from a panel model, with drop-out and skipped sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ModelError, nearest, some
from ...threads import one_thread
from .blueprint import Blueprint, Grouped, Parameter, at_wave, grouped

if TYPE_CHECKING:
    from ...panel import Panel

_ROUNDING = 1e-10


@one_thread()
def from_parameters(
    blueprint: Blueprint,
    parameters: Mapping[str, float],
    persons: int,
    seed: int,
    dropout: float,
    skipped: float,
) -> Panel:
    """From a blueprint and values of its parameters by name; see `RICLPM.simulate`."""
    values = _completed(blueprint, dict(parameters))
    theta = np.array([values[name] for name in blueprint.names])
    one = np.ones(1)
    return simulated(grouped(blueprint, (), ()), theta, persons, one, seed, dropout, skipped, "person", "session", None)


@one_thread()
def simulated(
    parts: Grouped,
    theta: np.ndarray,
    persons: int,
    shares: np.ndarray,
    seed: int,
    dropout: float,
    skipped: float,
    person: str,
    session: str,
    group: str | None,
) -> Panel:
    """From parameters (q,). shares : of the persons that each group has, (groups,), of sum 1.

    Raises
    ------
    ModelError : parameters that give no covariance matrix, shares that are no probabilities.
    """
    from ...panel import Panel

    for what, share in (("dropout", dropout), ("skipped", skipped)):
        if not 0 <= share < 1:
            raise ModelError(f"{what} is {share}.", remedy="Give a probability from 0 up to, not including, 1.")
    if persons < 1:
        raise ModelError(f"persons is {persons}.", remedy="Give how many are to be simulated.")
    rng = np.random.default_rng(seed)
    labels: Sequence[str | None] = parts.labels or (None,)
    which = np.searchsorted(np.cumsum(shares)[:-1], (np.arange(persons) + 0.5) / persons)
    values = np.empty((persons, len(parts.blueprint.columns)))
    for g, structure in enumerate(parts.structures()):
        own = which == g
        moments = structure.moments(theta)
        values[own] = moments.mean + rng.standard_normal((own.sum(), structure.k)) @ _root(moments.covariance).T
    waves = parts.blueprint.waves
    attended = _attended(rng, persons, len(waves), dropout, skipped)
    # Counted from the end, the last wave is the one that everybody has.
    table = _long(parts.blueprint, values, attended[:, ::-1] if waves[-1] == 0 else attended)
    who = table.pop("person")
    columns: dict[str, Any] = {person: who + 1, session: table.pop("session"), **table}
    if group is not None:
        columns[group] = [labels[g] for g in which[who]]
    import polars as pl

    return Panel(pl.DataFrame(columns), person=person, session=session)


def _completed(blueprint: Blueprint, given: dict[str, float]) -> dict[str, float]:
    """A value for each parameter: by its own name, or by that without the wave; first-wave moments from the lags."""
    values, used = {}, set()
    for p in blueprint.parameters:
        found = [name for name in given if p.name in (name, at_wave(name, p.wave))]
        if found:
            name = p.name if p.name in found else found[0]
            values[p.name] = _number(name, given[name])
            used.add(name)
    unknown = [name for name in given if name not in used]
    if unknown:
        known = blueprint.names
        raise ModelError(
            f"there is no parameter {unknown[0]!r}.{nearest(unknown[0], known)}",
            remedy=f"Parameters: {some(known, 20)}.",
        )
    missing = [p for p in blueprint.parameters if p.name not in values]
    if any(p.kind != "first" for p in missing):
        raise ModelError(
            f"parameters without a value: {some([p.name for p in missing if p.kind != 'first'])}.",
            remedy="Give each a value; a name without its wave, such as 'residual var(x)', counts for all waves.",
        )
    return values | _stationary(blueprint, missing, values)


def _number(name: str, value: object) -> float:
    if not isinstance(value, int | float | np.number) or not np.isfinite(value):
        raise ModelError(f"{name} is {value!r}.", remedy="Give a finite number.")
    return float(value)


def _stationary(blueprint: Blueprint, missing: Sequence[Parameter], values: Mapping[str, float]) -> dict[str, float]:
    """Variances and covariances that the lags and residuals of the second wave keep as they are."""
    if not missing:
        return {}
    from scipy.linalg import solve_discrete_lyapunov

    names, second = blueprint.variables, blueprint.waves[1]
    place = {name: i for i, name in enumerate(names)}
    lags, left = np.zeros((len(names), len(names))), np.zeros((len(names), len(names)))
    for p in blueprint.parameters:
        if p.wave not in (None, second) or p.kind not in ("lag", "residual"):
            continue
        i, j = place[p.outcome], place[p.predictor]
        if p.kind == "lag":
            lags[i, j] = values[p.name]
        else:
            left[i, j] = left[j, i] = values[p.name]
    if np.abs(np.linalg.eigvals(lags)).max() >= 1:
        raise ModelError(
            "with these lags the variables vary more and more: no variance at the first wave follows from them.",
            remedy="Give the 'var' and 'cov' of the first wave, or smaller lags.",
        )
    found = solve_discrete_lyapunov(lags, left)
    return {p.name: float(found[place[p.outcome], place[p.predictor]]) for p in missing}


def _root(covariance: np.ndarray) -> np.ndarray:
    roots, vectors = np.linalg.eigh(covariance)
    if roots[0] < -_ROUNDING * roots[-1]:
        raise ModelError(
            "no data can have these parameters: the covariances that they imply are impossible.",
            remedy="Use positive variances, and covariances smaller than the two SDs allow.",
        )
    return np.asarray(vectors * np.sqrt(np.maximum(roots, 0.0)))


def _attended(rng: np.random.Generator, persons: int, waves: int, dropout: float, skipped: float) -> np.ndarray:
    """bool (persons, waves); the first wave always."""
    stays = rng.random((persons, waves - 1)) >= dropout
    there = rng.random((persons, waves - 1)) >= skipped
    return np.concatenate([np.ones((persons, 1), bool), np.cumprod(stays, axis=1).astype(bool) & there], axis=1)


def _long(blueprint: Blueprint, values: np.ndarray, attended: np.ndarray) -> dict[str, np.ndarray]:
    """One row for each wave attended; negative waves (from the end) become sessions from 1 on."""
    who, when = np.nonzero(attended)
    waves = np.array(blueprint.waves)
    sessions = waves - waves[0] + 1 if waves[0] < 0 else waves
    out = {"person": who, "session": sessions[when]}
    for name in dict.fromkeys(c.variable for c in blueprint.columns):
        own = {c.wave: i for i, c in enumerate(blueprint.columns) if c.variable == name}
        if None in own:
            out[name] = values[who, own[None]]
            continue
        column = np.full(attended.shape, np.nan)
        for t, wave in enumerate(blueprint.waves):
            if wave in own:
                column[:, t] = values[:, own[wave]]
        out[name] = column[who, when]
    return out
