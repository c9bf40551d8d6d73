"""Random effects: predicted random effects (BLUPs) and how sure they are, from cross-products alone.

From the last level down. With h the weights of the columns that remain at a level (coefficients with their sign
turned, 1 for the response; for columns of a higher level the effects found there, turned) the effects of a group are
P Gzr h, P = L M^-1 L'. Their covariance given the parameters is sigma^2 P, and what is not known of higher levels adds
P Gzc (its covariance) Gcz P (Bates et al. 2015, eq. 58, by blocks).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._core import LANES
from ..threads import one_thread
from .crossed import CrossedSystem, integrated, propagated
from .problem import State
from .random_terms import factor
from .solution import Solution
from .structure import Level


@dataclass(frozen=True, slots=True, eq=False)
class Effects:
    """Random effects of one grouping factor, its terms one after the other, in the units of the data.

    values : (levels, q). covariance : (levels, q, q), given the estimated parameters, the coefficients among them (as
    lme4's condVar). labels : (levels,).
    """

    labels: np.ndarray
    values: np.ndarray
    covariance: np.ndarray


@one_thread()
def effects(solution: Solution) -> dict[str, Effects]:
    """The random effects of every grouping factor."""
    problem = solution.problem
    theta, rho = np.split(solution.optimum.parameters, [problem.n_theta])
    state = problem.state(rho)
    above = np.append(-solution.optimum.evaluation.beta(), 1.0)  # weights of [X, y]
    if problem.crossed is not None:
        found = _crossed(solution, problem.crossed, state, theta, above)
    else:
        found = _nested(solution, state, theta, above)
    return {name: _in_units(solution, name, e) for name, e in found.items() if e.values.shape[1]}


def _in_units(solution: Solution, name: str, e: Effects) -> Effects:
    """Effects of centred and scaled columns as those of the columns given."""
    problem = solution.problem
    matrices = [c for b, c in zip(problem.blocks, problem.transform.blocks, strict=True) if b.group == name]
    q = sum(len(m) for m in matrices)
    back, at = np.zeros((q, q)), 0
    for m in matrices:
        back[at : at + len(m), at : at + len(m)] = m
        at += len(m)
    values = problem.transform.width * e.values @ back.T
    covariance = solution.sigma**2 * np.einsum("ij,njk,lk->nil", back, e.covariance, back, optimize=True)
    return Effects(e.labels, values, covariance)


def _square(packed: np.ndarray, groups: int, table: np.ndarray) -> np.ndarray:
    """(groups, rows, columns) products that stand at `table`."""
    by_group = packed.transpose(0, 2, 1).reshape(-1, packed.shape[1])[:groups]
    return by_group[:, table]


@dataclass(frozen=True, slots=True, eq=False)
class _Solved:
    """P (groups, q, q) and U = P Gzr (groups, q, r)."""

    p: np.ndarray
    u: np.ndarray


def _solved(lower: np.ndarray, zz: np.ndarray, zr: np.ndarray) -> _Solved:
    m = np.einsum("ki,nkl,lj->nij", lower, zz, lower, optimize=True) + np.eye(len(lower))
    p = lower @ np.linalg.solve(m, np.broadcast_to(lower.T, m.shape))
    return _Solved(p, p @ zr)


def _reduced(
    packed: np.ndarray, level: Level, table: np.ndarray, solved: _Solved, zr: np.ndarray, groups: int
) -> np.ndarray:
    """Products of the parents' columns after this level, packed."""
    rr = _square(packed, len(level.labels), table[level.q :, level.q :]) - zr.transpose(0, 2, 1) @ solved.u
    i, j = np.triu_indices(level.r)
    blocks = -(-groups // LANES)
    sums = np.zeros((blocks * LANES, len(i)))
    assert level.parent is not None
    np.add.at(sums, level.parent, rr[:, i, j])
    return sums.reshape(blocks, LANES, -1).transpose(0, 2, 1)


def _nested(solution: Solution, state: State, theta: np.ndarray, above: np.ndarray) -> dict[str, Effects]:
    levels, tables = solution.problem.levels, solution.problem.tables
    packed, solved = state.packed, []
    for i, (level, table) in enumerate(zip(levels, tables, strict=True)):
        groups, q = len(level.labels), level.q
        zr = _square(packed, groups, table[:q, q:])
        solved.append(_solved(factor(level.entries, q, theta), _square(packed, groups, table[:q, :q]), zr))
        if level.parent is not None:
            packed = _reduced(packed, level, table, solved[-1], zr, len(levels[i + 1].labels))
    found: dict[str, Effects] = {}
    weights = above[None, :]  # for each group of the level above those of the columns that remain below it
    covariance = np.zeros((1, 0, 0))  # of the effects of all levels above
    for level, s in zip(reversed(levels), reversed(solved), strict=True):
        own = np.zeros(len(level.labels), np.int64) if level.parent is None else level.parent
        values = np.einsum("nqr,nr->nq", s.u, weights[own])
        higher = covariance.shape[1]
        through = s.u[:, :, :higher]
        spread = s.p + through @ covariance[own] @ through.transpose(0, 2, 1)
        found |= _by_factor(solution, level, values, spread)
        weights = np.concatenate([-values, weights[own]], axis=1)
        joint = np.empty((len(values), level.q + higher, level.q + higher))
        joint[:, : level.q, : level.q] = spread
        joint[:, : level.q, level.q :] = -through @ covariance[own]
        joint[:, level.q :, : level.q] = joint[:, : level.q, level.q :].transpose(0, 2, 1)
        joint[:, level.q :, level.q :] = covariance[own]
        covariance = joint
    return found


def _by_factor(solution: Solution, level: Level, values: np.ndarray, spread: np.ndarray) -> dict[str, Effects]:
    """The persons' level may hold factors whose levels lie within persons, at several positions."""
    s = solution.problem.structure
    own = sum(b.q for b in s.blocks if b.group == level.name)
    found = {level.name: Effects(level.labels, values[:, :own], spread[:, :own, :own])}
    at = own
    for name in s.inside if level is solution.problem.levels[0] else ():
        placed = s.positions[name]
        q = sum(b.q for b in s.blocks if b.group == name)
        codes = placed.codes[s.order]
        person, position = np.nonzero(codes >= 0)
        order = np.argsort(codes[person, position])
        person, position = person[order], position[order]
        columns = at + position[:, None] * q + np.arange(q)
        found[name] = Effects(
            placed.labels,
            values[person[:, None], columns],
            spread[person[:, None, None], columns[:, :, None], columns[:, None, :]],
        )
        at += placed.most * q
    return found


def _crossed(
    solution: Solution, system: CrossedSystem, state: State, theta: np.ndarray, above: np.ndarray
) -> dict[str, Effects]:
    """By the way back to the gradient: with M of crossed.py, the derivative of log det M in L'AL is its inverse, and
    that of above' [X, y]'V^-1 [X, y] above in L'Z'y is minus the scaled effects."""
    weights, nothing = np.outer(above, above), np.zeros((system.k, system.k))
    import scipy.linalg  # noqa: F401  # before the line below, which then holds for its BLAS too

    adjoints = []
    with one_thread():
        for h in (weights, nothing):
            done = integrated(system, state.base, theta)
            assert done is not None  # it is at the optimum
            adjoints.append(propagated(system, state.base, done, h))
    factors, level = solution.problem.structure.crossed, solution.problem.levels[0]
    assert factors is not None
    labels = {f.name: f.labels for f in factors.factors}
    found: dict[str, Effects] = {}
    for kind in system.kinds:
        lower = factor(kind.entries, kind.q, theta)
        values = -adjoints[0].of_kind(system, kind)[0][:, :, -1] @ lower.T
        spread = lower @ adjoints[1].of_kind(system, kind)[1] @ lower.T
        if kind.name == level.name:
            found |= _by_factor(solution, level, values, spread)
        else:
            found[kind.name] = Effects(labels[kind.name], values, spread)
    return found
