"""Start: where the search begins, and how far apart the parameters' units are.

Starting values of the persons' covariances are moments: with c_i = Z_i'(y_i - X_i b) for the least-squares b,
E c_i c_i' = sigma^2 A_i + A_i Psi A_i (A_i = Z_i'Z_i), summed over persons and solved for Psi and sigma^2 (Rao's
MINQUE with prior 0). Other factors start at a small variance. `curvature` is the expected Hessian of the criterion if
every group were the average one: good enough to make one unit of each parameter about one standard error.
"""

from __future__ import annotations

import numpy as np

from .._core import LANES
from .blocks import Block, Entries
from .problem import Problem, State

#: Groups that the moments are taken from: they need be no better than a start.
MOST_GROUPS = 256
#: Columns of the persons' level up to which they are taken: they need this number to the fourth power.
MOST_EFFECTS = 16
_OTHER = 0.3  # start of other factors, relative to the residual standard deviation of the scaled response
_FLOOR = 0.05  # a start has no component smaller than this, so that none begins at its boundary


def start(problem: Problem) -> np.ndarray:
    """theta and rho to begin with."""
    theta = np.zeros(problem.n_theta)
    for block in problem.blocks:
        rows, columns = block.places
        theta[block.start : block.start + block.size] = np.where(rows == columns, _OTHER, 0.0)
    rho = problem.residual.start()
    _moments(problem, problem.state(rho), theta)
    return np.concatenate([theta, rho])


def curvature(problem: Problem, parameters: np.ndarray) -> np.ndarray:
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
        changes = np.zeros((len(entries.numbers), q, q))
        each = np.arange(len(entries.numbers))
        changes[each, entries.rows, :] += lower[:, entries.columns].T
        changes += changes.transpose(0, 2, 1)
        pe = p @ changes
        np.add.at(expected, np.ix_(entries.numbers, entries.numbers), groups * np.einsum("aij,bji->ab", pe, pe))
    of_rho = 2.0 * problem.n / max(problem.n_rho, 1) * np.maximum(problem.residual.sensitivity(rho), 0.03) ** 2
    expected[range(problem.n_theta, size), range(problem.n_theta, size)] = of_rho
    diagonal = expected.diagonal().copy()
    # A component at its boundary has no first-order effect: give it a unit all the same.
    least = 0.05 * max(float(diagonal.max(initial=0.0)), 0.1 * len(first.labels), 1e-8)
    expected[np.diag_indices(size)] += np.maximum(least - diagonal, 1e-6 * diagonal.max(initial=1.0))
    expected = (expected + expected.T) / 2
    try:
        np.linalg.cholesky(expected)
    except np.linalg.LinAlgError:  # factors so large that nothing is left of P but rounding
        return np.diag(np.maximum(diagonal, least))
    return expected


def _moments(problem: Problem, state: State, theta: np.ndarray) -> None:
    """Put moment estimates of the persons' covariances into theta, where they can be had."""
    level, at, k = problem.levels[0], problem.at, problem.p + 1
    q = level.q
    if not 0 < q <= MOST_EFFECTS:
        return
    blocks = len(state.packed)
    few = state.packed[:: max(1, blocks * LANES // MOST_GROUPS)]  # lanes beyond the last group add nothing
    own, last = at[:q, :q], at[len(at) - k :, len(at) - k :]
    xy = few.sum(axis=(0, 2))[last]
    beta = np.linalg.lstsq(xy[:-1, :-1], xy[:-1, -1], rcond=None)[0]
    e = np.append(-beta, 1.0)
    a = few[:, own.ravel()].transpose(1, 0, 2).reshape(q * q, -1)
    c = np.einsum("bqkl,k->qbl", few[:, at[:q, len(at) - k :]], e).reshape(q, -1)
    rss, n = float(e @ xy @ e), problem.n * len(few) / blocks
    basis, numbers = _symmetric_basis(level.entries, q)
    pairs = np.einsum("xm,ym->xy", a, a).reshape(q, q, q, q)  # sum of A_jk A_li over groups, at [j, k, l, i]
    left = np.einsum("aij,bkl,jkli->ab", basis, basis, pairs)
    of_a = np.einsum("aij,ij->a", basis, a.sum(axis=1).reshape(q, q))
    matrix = np.block([[left, of_a[:, None]], [of_a[None, :], np.array([[n]])]])
    right = np.append(np.einsum("aij,im,jm->a", basis, c, c), rss)
    solved = np.linalg.lstsq(matrix, right, rcond=1e-10)[0]
    sigma2 = max(float(solved[-1]), 0.05 * rss / n, 1e-12)
    values = dict(zip(numbers, solved[:-1] / sigma2, strict=True))
    for block in problem.blocks:
        if _is_own(block, level.entries):
            theta[block.start : block.start + block.size] = _factored(block, values)


def _is_own(block: Block, entries: Entries) -> bool:
    return block.start in entries.numbers


def _symmetric_basis(entries: Entries, q: int) -> tuple[np.ndarray, list[int]]:
    """A symmetric (q, q) matrix of ones and zeros for each number of theta: what it adds to Psi as a covariance."""
    numbers = sorted(set(entries.numbers.tolist()))
    basis = np.zeros((len(numbers), q, q))
    at = np.searchsorted(numbers, entries.numbers)
    basis[at, entries.rows, entries.columns] = 1.0
    basis[at, entries.columns, entries.rows] = 1.0
    return basis, numbers


def _factored(block: Block, values: dict[int, float]) -> np.ndarray:
    """theta of a block whose covariances were estimated: no variance below the floor."""
    rows, columns = block.places
    psi = np.zeros((block.q, block.q))
    psi[rows, columns] = psi[columns, rows] = [values[block.start + i] for i in range(block.size)]
    roots, vectors = np.linalg.eigh(psi)
    psi = (vectors * np.clip(roots, _FLOOR**2, 100.0)) @ vectors.T
    lower: np.ndarray = np.linalg.cholesky(psi)
    theta: np.ndarray = lower[rows, columns]
    return theta


def _averages(problem: Problem, state: State) -> list[tuple[Entries, int, np.ndarray, int]]:
    """For each level or factor: entries, q, the average group's Z'Z, number of groups."""
    found: list[tuple[Entries, int, np.ndarray, int]] = []
    total, table = state.packed.sum(axis=(0, 2)), problem.at
    for level in problem.levels:
        if level.q:
            found.append(
                (level.entries, level.q, total[table[: level.q, : level.q]] / len(level.labels), len(level.labels))
            )
        table = table[level.q :, level.q :]  # what remains, not reduced: near enough
    if problem.dense is not None:
        order = problem.dense.size + problem.p + 1
        whole = state.base.reshape(order, order)
        for f in problem.dense.factors:
            rows = slice(f.start, f.start + len(f.labels) * f.q)
            blocks = whole[rows, rows].reshape(len(f.labels), f.q, len(f.labels), f.q)
            found.append((f.entries, f.q, np.einsum("aiaj->ij", blocks) / len(f.labels), len(f.labels)))
    return found
