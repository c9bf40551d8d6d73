"""Likelihood of each person's scores, levels and own coefficients integrated out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from .filtered import AT_ONCE, filtered
from .on_grid import OnGrid, Together
from .parameters import Parameters
from .process import Effects, process
from .quadrature import Place, Rule, moved, put, rule

if TYPE_CHECKING:
    from .fit import DSEMFit

#: Sessions after which nodes are first put where the scores say; then after twice as many, and so on.
FIRST_MOVE = 8


def log_likelihoods(
    fit: DSEMFit, grid: OnGrid, draws: Parameters, told: Callable[[int, int], None] | None = None
) -> np.ndarray:
    """(draws, persons), in the data's units: of the scores that are observed.

    What a person's scores say of the person's coefficients is found once, at the mean of the draws; in each draw it is
    put together with the draw's own distribution of coefficients, and that is where the nodes lie.
    """
    s, paths = fit.kept.structure, fit.model.paths
    n = s.effects - s.levels
    nodes, average = rule(n, any(s.log_variances)), draws.mean()
    effects, middle = Effects.of(draws.omega, s.levels), Effects.of(average.omega, s.levels)
    out = np.empty((draws.count, len(grid.persons)))
    done = 0
    for data in grid.together(max(1, AT_ONCE // len(nodes.weights))):
        place = _found(fit, data, average, middle, nodes) if n else Place.beforehand(0)
        size = max(1, AT_ONCE // (len(nodes.weights) * draws.count))
        for at in range(0, len(data.persons), size):
            part, here = _part(data, slice(at, at + size)), slice(at, at + size)
            own = Place(place.middle[here], place.root[here]) if n else place
            moved_place = _in_each_draw(own, middle, effects, average, draws, part, s.levels) if n else own
            u, weights = put(nodes, moved_place)
            shape = (len(part.persons), len(nodes.weights), draws.count)
            found = filtered(part, process(paths, s, draws, effects, part, u), shape)
            out[:, part.persons] = special.logsumexp(found + weights, axis=1).T
        done += len(data.persons)
        if told is not None:
            told(done, len(grid.persons))
    person = np.repeat(np.arange(len(grid.persons)), np.diff(grid.starts))
    counts = np.stack([np.bincount(person, ~np.isnan(column)) for column in grid.values.T], axis=1)
    return np.asarray(out - counts @ np.log(fit.kept.sd))


def _part(data: Together, rows: slice) -> Together:
    return Together(
        data.persons[rows],
        data.rows[rows],
        data.values[rows],
        None if data.error is None else data.error[rows],
        data.session[rows],
        data.own_course[rows],
        data.covariates[rows],
        data.predictors[rows],
    )


def stages(before: int, sessions: int) -> list[int]:
    """Sessions after which nodes are moved, then all."""
    out, at = [], FIRST_MOVE
    while before + at < sessions:
        out.append(before + at)
        at *= 2
    return [*out, sessions]


def _found(fit: DSEMFit, data: Together, average: Parameters, effects: Effects, nodes: Rule) -> Place:
    """Mean and root of the covariance of each person's u at one draw, (persons, 1, ...)."""
    s, paths = fit.kept.structure, fit.model.paths
    place = Place.beforehand(nodes.nodes.shape[1])
    shape = (len(data.persons), len(nodes.weights), 1)
    until = stages(fit.kept.before, data.values.shape[1])
    for sessions in [*until, until[-1]]:  # the last one twice: from a good place
        u, weights = put(nodes, place)
        found = filtered(data, process(paths, s, average, effects, data, u), shape, sessions)
        place = moved(place, u, found + weights)
    return place


def _in_each_draw(
    found: Place,
    there: Effects,
    effects: Effects,
    average: Parameters,
    draws: Parameters,
    data: Together,
    levels: int,
) -> Place:
    """From one draw to others. The posterior's precision less the prior's, I, is what the scores say, as a normal
    likelihood of c; it goes with another draw's prior as normal densities do."""
    n = found.middle.shape[2]
    precision = np.linalg.inv(found.root @ np.swapaxes(found.root, 2, 3))[:, 0]
    values, vectors = np.linalg.eigh(precision - np.eye(n))
    said = (vectors * np.maximum(values, 0.0)[:, None, :]) @ np.swapaxes(vectors, 1, 2)
    back = np.linalg.inv(there.root[0])
    information = back.T @ said @ back  # of c, (persons, n, n)
    linear = np.einsum("ba,nb->na", back, np.einsum("nab,nb->na", said + np.eye(n), found.middle[:, 0]))
    # the means of c in the two draws
    apart = np.einsum("dqw,nw->ndq", (average.gamma - draws.gamma)[:, levels:], data.predictors)
    linear = linear[:, None] + np.einsum("nab,ndb->nda", information, apart)
    root = effects.root[None]
    whole = np.swapaxes(root, 2, 3) @ information[:, None] @ root + np.eye(n)
    covariance = np.linalg.inv(whole)
    middle = np.einsum(
        "ndab,ndb->nda", covariance, np.einsum("ndba,ndb->nda", np.broadcast_to(root, whole.shape), linear)
    )
    return Place(middle, np.linalg.cholesky(covariance))
