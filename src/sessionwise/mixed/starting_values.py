"""Starting values: where the search begins, and how far apart the parameters' units are.

Starting values of the persons' covariances are moments: with c_i = Z_i'(y_i - X_i b) for the least-squares b,
E c_i c_i' = sigma^2 A_i + A_i Psi A_i (A_i = Z_i'Z_i), summed over persons and solved for Psi and sigma^2 (Rao's
MINQUE with prior 0). Other factors start at a small variance. `curvature` is the expected Hessian of the criterion if
every group were the average one: good enough to make one unit of each parameter about one standard error.
"""

from __future__ import annotations

import numpy as np

from .._core import LANES
from .problem import MixedLikelihood, State
from .random_terms import Block, Entries

#: Groups that the moments are taken from: they need be no better than a start.
MOST_GROUPS = 256
#: Columns of the persons' level up to which they are taken: they need this number to the fourth power.
MOST_EFFECTS = 16
_OTHER = 0.3  # start of other factors, relative to the residual standard deviation of the scaled response
_FLOOR = 0.05  # a start has no component smaller than this, so that none begins at its boundary


def start(problem: MixedLikelihood) -> np.ndarray:
    """theta and rho to begin with."""
    theta = np.zeros(problem.n_theta)
    for block in problem.blocks:
        rows, columns = block.places
        theta[block.start : block.start + block.size] = np.where(rows == columns, _OTHER, 0.0)
    rho = problem.residual.start()
    _moments(problem, problem.state(rho), theta)
    return np.concatenate([theta, rho])


def curvature(problem: MixedLikelihood, parameters: np.ndarray) -> np.ndarray:
    """Expected Hessian for average groups, float64 (n, n), positive definite."""
    theta, rho = parameters[: problem.n_theta], parameters[problem.n_theta :]
    size = len(parameters)
    expected = np.zeros((size, size))
    state = problem.state(rho)
    first = problem.levels[0]
    for entries, q, mean, groups in _averages(problem, state):
        lower = np.zeros((q, q))
        lower[entries.rows, entries.columns] = theta[entries.numbers]
        p = np.linalg.solve(np.eye(q) + mean @ lower @ lower.T, mean)
        each = np.arange(len(entries.numbers))
        changes = np.zeros((len(each), q, q))
        changes[each, entries.rows, :] += lower[:, entries.columns].T
        changes += changes.transpose(0, 2, 1)
        pe = p @ changes
        of_number = np.zeros((len(each), size))  # a number may recur
        of_number[each, entries.numbers] = 1.0
        expected += groups * (of_number.T @ np.einsum("aij,bji->ab", pe, pe) @ of_number)
    diagonal = expected.diagonal().copy()
    if problem.n_rho:
        sensitivity = np.maximum(problem.residual.sensitivity(rho), 0.03)
        diagonal[problem.n_theta :] = 2.0 * problem.n / problem.n_rho * sensitivity**2
        expected.flat[:: size + 1] = diagonal
    # A component at its boundary has no first-order effect: give it a unit all the same.
    least = 0.05 * max(float(diagonal.max(initial=0.0)), 0.1 * len(first.labels), 1e-8)
    expected.flat[:: size + 1] += np.maximum(least - diagonal, 1e-6 * diagonal.max(initial=1.0))
    expected = (expected + expected.T) / 2
    try:
        np.linalg.cholesky(expected)
    except np.linalg.LinAlgError:  # factors so large that nothing is left of P but rounding
        return np.diag(np.maximum(diagonal, least))
    return expected


def _moments(problem: MixedLikelihood, state: State, theta: np.ndarray) -> None:
    """Put moment estimates of the persons' covariances into theta, where they can be had."""
    level, at, k = problem.levels[0], problem.at, problem.p + 1
    q = level.q
    if not 0 < q <= MOST_EFFECTS:
        return
    blocks = len(state.packed)
    few = state.packed[:: max(1, blocks * LANES // MOST_GROUPS)]  # lanes beyond the last group add nothing
    own, last = at[:q, :q], at[len(at) - k :, len(at) - k :]
    xy = few.sum(axis=(0, 2))[last]
    e = np.append(-_least_norm(xy[:-1, :-1], xy[:-1, -1]), 1.0)
    a = few[:, own.ravel()].transpose(1, 0, 2).reshape(q * q, -1)
    c = np.einsum("bqkl,k->qbl", few[:, at[:q, len(at) - k :]], e).reshape(q, -1)
    rss, n = float(e @ xy @ e), problem.n * len(few) / blocks
    basis, numbers = _symmetric_basis(level.entries, q)
    pairs = np.einsum("xm,ym->xy", a, a).reshape(q, q, q, q)  # sum of A_jk A_li over groups, at [j, k, l, i]
    pairs = pairs.transpose(3, 0, 1, 2).reshape(q * q, q * q)
    matrix, right = np.empty((len(basis) + 1, len(basis) + 1)), np.empty(len(basis) + 1)
    matrix[:-1, :-1] = basis @ pairs @ basis.T
    matrix[:-1, -1] = matrix[-1, :-1] = basis @ a.sum(axis=1)
    matrix[-1, -1] = n
    right[:-1] = basis @ np.einsum("im,jm->ij", c, c).ravel()
    right[-1] = rss
    solved = _least_norm(matrix, right)
    sigma2 = max(float(solved[-1]), 0.05 * rss / n, 1e-12)
    values = dict(zip(numbers, solved[:-1] / sigma2, strict=True))
    for block in problem.blocks:
        if _is_own(block, level.entries):
            theta[block.start : block.start + block.size] = _factored(block, values)


def _least_norm(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The shortest least-squares solution (m,) of a symmetric, positive semidefinite system."""
    if not len(right):  # no column at all
        return np.zeros(0)
    roots, vectors = np.linalg.eigh(matrix)
    along = np.divide(right @ vectors, roots, out=np.zeros(len(roots)), where=roots > 1e-10 * roots[-1])
    solved: np.ndarray = vectors @ along
    return solved


def _is_own(block: Block, entries: Entries) -> bool:
    return block.start in entries.numbers


def _symmetric_basis(entries: Entries, q: int) -> tuple[np.ndarray, list[int]]:
    """For each number of theta a symmetric matrix of ones and zeros, as a row (q * q,): what it adds to Psi as a
    covariance."""
    numbers = sorted(set(entries.numbers.tolist()))
    basis = np.zeros((len(numbers), q * q))
    at = np.searchsorted(numbers, entries.numbers)
    basis[at, entries.rows * q + entries.columns] = 1.0
    basis[at, entries.columns * q + entries.rows] = 1.0
    return basis, numbers


def _factored(block: Block, values: dict[int, float]) -> np.ndarray:
    """theta of a block whose covariances were estimated: no variance below the floor."""
    rows, columns = block.places
    psi = np.zeros((block.q, block.q))
    psi[rows, columns] = psi[columns, rows] = [values[block.start + i] for i in range(block.size)]
    roots, vectors = np.linalg.eigh(psi)
    psi = (vectors * np.minimum(np.maximum(roots, _FLOOR**2), 100.0)) @ vectors.T
    lower: np.ndarray = np.linalg.cholesky(psi)
    theta: np.ndarray = lower[rows, columns]
    return theta


def _averages(problem: MixedLikelihood, state: State) -> list[tuple[Entries, int, np.ndarray, int]]:
    """For each level or factor: entries, q, the average group's Z'Z, number of groups."""
    found: list[tuple[Entries, int, np.ndarray, int]] = []
    total, table = state.packed.sum(axis=(0, 2)), problem.at
    for level in problem.levels:
        if level.q:
            found.append(
                (level.entries, level.q, total[table[: level.q, : level.q]] / len(level.labels), len(level.labels))
            )
        table = table[level.q :, level.q :]  # what remains, not reduced: near enough
    if problem.crossed is not None:
        at = 0
        for kind in problem.crossed.kinds:
            size = kind.count * kind.q**2
            if kind.name != problem.levels[0].name:
                blocks = state.base[at : at + size].reshape(kind.count, kind.q, kind.q)
                found.append((kind.entries, kind.q, blocks.mean(axis=0), kind.count))
            at += size
    return found
