"""Derivatives: S = X'V^-1 X and log det V with exact first and second derivatives in the covariances.

V is linear in gamma: the entries of each random term's covariance matrix, then sigma^2. Derivatives in the entries come
from elimination.py, level by level, so that no matrix has a row for each session. Those in sigma^2 follow from Euler's
theorem, since S and the gradient of log det V have degree -1 in gamma. In units where sigma^2 = 1, with l = log det V,

    S_sigma = -S - sum_r gamma_r S_r,    S_sigma,s = -2 S_s - sum_r gamma_r S_rs  (also for s = sigma),
    l_sigma = n - sum_r gamma_r l_r,     l_sigma,s = -l_s - sum_r gamma_r l_rs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..._core import LANES
from ...errors import ModelError
from .. import MixedLikelihood
from ..random_terms import Entries
from ..structure import CrossedFactors
from .level_derivatives import Expansion, Total, integrated

#: Matrices of all effects of crossed factors may take this many bytes.
MOST_BYTES = 4_000_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Derivatives:
    """Of S (p, p) for centred and scaled columns with independent residuals, in units where sigma^2 = 1.

    value : (p, p). first : (m, p, p). second : (m, m, p, p). information : (m, m), tr(V^-1 V_r V^-1 V_s), which is
    minus the second derivative of log det V. The m parameters are gamma, sigma^2 last.
    """

    value: np.ndarray
    first: np.ndarray
    second: np.ndarray
    information: np.ndarray


def derivatives(problem: MixedLikelihood, theta: np.ndarray) -> Derivatives:
    """S and its derivatives where the relative covariance factors are those of theta.

    Raises
    ------
    ModelError : crossed factors with too many levels.
    """
    m, p = problem.n_theta, problem.p
    first, second = np.empty((m + 1, p, p)), np.empty((m + 1, m + 1, p, p))
    log_first, log_second = np.empty(m + 1), np.empty((m + 1, m + 1))
    found = _expansion(problem, theta)
    for f in found.first:
        first[f.number], log_first[f.number] = f.matrix[0], f.log
    for (x, y), of_both in found.second.items():
        r, s = found.first[x].number, found.first[y].number
        second[r, s] = second[s, r] = of_both.matrix[0]
        log_second[r, s] = log_second[s, r] = of_both.log
    gamma = _entries(problem, theta)
    first[m] = -found.value[0] - np.tensordot(gamma, first[:m], 1)
    log_first[m] = problem.n - gamma @ log_first[:m]
    for s in range(m + 1):
        second[m, s] = second[s, m] = -2 * first[s] - np.tensordot(gamma, second[:m, s], 1)
        log_second[m, s] = log_second[s, m] = -log_first[s] - gamma @ log_second[:m, s]
    return Derivatives(found.value[0], first, second, -log_second)


def _entries(problem: MixedLikelihood, theta: np.ndarray) -> np.ndarray:
    """Entries of the relative covariance matrices (n_theta,), each where its factor's entry stands in theta."""
    gamma = np.zeros(problem.n_theta)
    for block in problem.blocks:
        lower = block.factor(theta)
        gamma[block.start : block.start + block.size] = (lower @ lower.T)[block.places]
    return gamma


def _expansion(problem: MixedLikelihood, theta: np.ndarray) -> Expansion:
    """S (1, p, p), all random effects integrated out."""
    first, crossed = problem.levels[0], problem.structure.crossed
    here = Expansion(_products(problem))
    if crossed is not None:
        size = crossed.size + problem.p
        _check(crossed, size, len(np.unique(first.entries.numbers)))
        here = integrated(here, first.entries, first.q, theta, _mapped(np.maximum(crossed.map[:, :-1], 0), size))
        return integrated(here, _all_levels(crossed), crossed.size, theta, _over_all)
    for level in problem.levels:
        total = _over_all if level.parent is None else _by_parent(level.parent)
        here = integrated(here, level.entries, level.q, theta, total)
    return here


def _products(problem: MixedLikelihood) -> np.ndarray:
    """(groups, k, k): products of the first level's columns, without the response."""
    packed, groups = problem.fixed_state.packed, len(problem.levels[0].labels)
    by_group = packed.transpose(0, 2, 1).reshape(len(packed) * LANES, -1)[:groups]
    return np.asarray(by_group[:, problem.at[:-1, :-1]])


def _check(crossed: CrossedFactors, size: int, m: int) -> None:
    matrices = 6 + 3 * m + m * (m + 1) // 2
    if 8 * size**2 * matrices > MOST_BYTES:
        raise ModelError(
            f"Kenward-Roger degrees of freedom need {matrices} matrices of order {size:,} here, too many to keep.",
            where=", ".join(f"{f.name}: {len(f.labels):,} levels" for f in crossed.factors),
            remedy='Use degrees="satterthwaite", which differs little with so many levels.',
        )


def _all_levels(crossed: CrossedFactors) -> Entries:
    """Where theta stands in the covariance factor of all effects of all factors."""
    rows, columns, numbers = [], [], []
    for f in crossed.factors:
        start = f.start + f.q * np.arange(len(f.labels))[:, None]
        rows.append((start + f.entries.rows).ravel())
        columns.append((start + f.entries.columns).ravel())
        numbers.append(np.tile(f.entries.numbers, len(f.labels)))
    return Entries(np.concatenate(rows), np.concatenate(columns), np.concatenate(numbers))


# --- sums over groups -----------------------------------------------------------------------------


def _over_all(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    summed: np.ndarray = x.reshape(-1, x.shape[2]).T @ y.reshape(-1, y.shape[2])
    return summed[None]


def _by_parent(parent: np.ndarray) -> Total:
    """Parents ascend, and each has a group."""
    starts = np.flatnonzero(np.diff(parent, prepend=-1))

    def total(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.add.reduceat(x.transpose(0, 2, 1) @ y, starts, axis=0)

    return total


def _mapped(at: np.ndarray, size: int) -> Total:
    """A group's columns (groups, r) are columns `at` of one matrix of order `size`."""
    where = (at[:, :, None].astype(np.int64) * size + at[:, None, :]).ravel()

    def total(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        each = (x.transpose(0, 2, 1) @ y).ravel()
        return np.bincount(where, each, minlength=size * size).reshape(1, size, size)

    return total
