"""Criterion: -2 log-likelihood or REML criterion of a MixedLikelihood at theta and rho, with its exact gradient.

For nested levels the kernel does it all (core/criterion.hpp). For crossed factors the kernel eliminates persons into a
dense matrix, LAPACK factors what is left, and the kernel carries the gradient back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .._core import back_propagate, eliminate, finish
from .._core import evaluate as _chain
from ..threads import one_thread
from .problem import MixedLikelihood, State
from .random_terms import Entries
from .structure import Dense

#: Order of a dense matrix up to which its inverse is had faster without LAPACK's own function.
SMALL_MATRIX = 100


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """The likelihood at one point, for centred and scaled columns.

    criterion : inf where X'V^-1 X cannot be factored. gradient : (n_theta + n_rho,), empty if not asked for.
    table : (p + 1, p + 1), [X, y]'V^-1 [X, y] relative to sigma^2.
    log_v : log det V relative to sigma^2. log_s : log det X'V^-1 X. rss : residual sum of squares.
    """

    criterion: float
    gradient: np.ndarray
    table: np.ndarray
    log_v: float
    log_s: float
    rss: float

    def beta(self) -> np.ndarray:
        """Coefficients (p,)."""
        solved: np.ndarray = np.linalg.solve(self.table[:-1, :-1], self.table[:-1, -1])
        return solved


def evaluate(
    problem: MixedLikelihood,
    parameters: np.ndarray,
    *,
    reml: bool,
    sigma2: float = 0.0,
    directions: np.ndarray | None = None,
    gradient: bool = True,
    threads: int = 0,
) -> Evaluation:
    """The likelihood at `parameters`, theta and then rho.

    sigma2 : given rather than profiled, if above 0 (in units of the scaled response).
    directions : (p + 1, columns + 1), the model is fitted to [X, y] times this; for constrained coefficients.
    """
    theta, rho = parameters[: problem.n_theta], parameters[problem.n_theta :]
    state = problem.state(rho)
    columns = problem.p if directions is None else directions.shape[1] - 1
    nu = problem.n - columns if reml else problem.n
    asked = _Asked(reml, nu, sigma2, directions, gradient, threads)
    if problem.dense is None:
        return _nested(problem, state, theta, rho, asked)
    import scipy.linalg  # noqa: F401  # before the line below, which then holds for its BLAS too

    with one_thread():
        return _crossed(problem, state, theta, rho, asked)


def factor(entries: Entries, q: int, theta: np.ndarray) -> np.ndarray:
    """A level's relative covariance factor (q, q)."""
    matrix = np.zeros((q, q))
    matrix[entries.rows, entries.columns] = theta[entries.numbers]
    return matrix


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    reml: bool
    nu: int
    sigma2: float
    directions: np.ndarray | None
    gradient: bool
    threads: int


def _nested(problem: MixedLikelihood, state: State, theta: np.ndarray, rho: np.ndarray, asked: _Asked) -> Evaluation:
    k = problem.p + 1
    table = np.empty((k, k))
    slopes = np.zeros(problem.n_theta + problem.n_rho if asked.gradient else 0)
    adjoint = np.zeros_like(state.packed) if asked.gradient and problem.n_rho else None
    criterion, log_v, log_s, rss = _chain(
        state.levels, theta, state.base, state.log_r, asked.reml, asked.nu, asked.sigma2, asked.directions, table,
        slopes if asked.gradient else None, adjoint, asked.threads,
    )  # fmt: skip
    if adjoint is not None:
        slopes[problem.n_theta :] = problem.products.slope(rho, adjoint)
    return Evaluation(criterion, slopes, table, log_v, log_s, rss)


def _add_lower(slopes: np.ndarray, entries: Entries, of_factor: np.ndarray) -> None:
    """Add the gradient of a factor, its lower triangle by rows, to that of theta."""
    np.add.at(slopes, entries.numbers, of_factor[entries.rows * (entries.rows + 1) // 2 + entries.columns])


# --- crossed factors ----------------------------------------------------------------------------


def _crossed(problem: MixedLikelihood, state: State, theta: np.ndarray, rho: np.ndarray, asked: _Asked) -> Evaluation:
    """Eliminate persons, then all other factors at once; notation and gradient as in core/levels.hpp."""
    from scipy.linalg import blas, lapack

    dense, first = problem.dense, problem.levels[0]
    assert dense is not None
    own = factor(first.entries, first.q, theta)
    n, k = dense.size, problem.p + 1
    whole = state.base.reshape(n + k, n + k).copy()
    groups = len(first.labels)
    log_v = state.log_r + eliminate(problem.at, groups, state.packed, own, dense.map, whole, asked.threads)
    a, b = whole[:n, :n], whole[:n, n:]
    al = _times_factors(a, dense, theta)
    m = _times_factors(al.T, dense, theta)
    m.flat[:: n + 1] += 1.0
    lower, info = lapack.dpotrf(m, lower=1, clean=1)
    h = np.empty((k, k))
    if info != 0:
        return Evaluation(np.inf, np.zeros(problem.n_theta + problem.n_rho), whole[n:, n:], log_v, 0.0, 0.0)
    w = blas.dtrsm(1.0, lower, _times_factors(b.T, dense, theta).T, lower=1)
    table = np.ascontiguousarray(whole[n:, n:] - w.T @ w)
    log_v += 2 * float(np.log(lower.diagonal()).sum())
    criterion, log_s, rss = finish(table, log_v, asked.reml, asked.nu, asked.sigma2, asked.directions, h)
    if not asked.gradient or not np.isfinite(criterion):
        nothing = np.zeros(problem.n_theta + problem.n_rho if asked.gradient else 0)
        return Evaluation(criterion, nothing, table, log_v, log_s, rss)
    inverse = _inverse(lower)
    y = blas.dtrsm(1.0, lower, w, lower=1, trans_a=1)
    u = _factors_times(y, dense, theta)
    c, t = b - a @ u, y @ h
    slopes = np.zeros(problem.n_theta + problem.n_rho)
    for f in dense.factors:
        rows = slice(f.start, f.start + len(f.labels) * f.q)
        levels = (len(f.labels), f.q, -1)
        of_al, of_inverse = al[rows].reshape(levels), inverse[rows].reshape(levels)
        of_c, of_t = c[rows].reshape(levels), t[rows].reshape(levels)
        of_factor = 2 * (np.einsum("len,lfn->ef", of_al, of_inverse) - np.einsum("len,lfn->ef", of_c, of_t))
        np.add.at(slopes, f.entries.numbers, of_factor[f.entries.rows, f.entries.columns])
    back = np.empty_like(whole)
    uh = u @ h
    back[:n, :n] = _factors_times(_factors_times(inverse, dense, theta).T, dense, theta) + uh @ u.T
    back[:n, n:] = -uh
    back[n:, :n] = -uh.T
    back[n:, n:] = h
    of_own = np.zeros(first.q * (first.q + 1) // 2)
    adjoint = np.zeros_like(state.packed) if problem.n_rho else None
    back_propagate(problem.at, groups, state.packed, own, dense.map, back, of_own, adjoint, asked.threads)
    _add_lower(slopes, first.entries, of_own)
    if adjoint is not None:
        slopes[problem.n_theta :] = problem.products.slope(rho, adjoint)
    return Evaluation(criterion, slopes, table, log_v, log_s, rss)


def _inverse(lower: np.ndarray) -> np.ndarray:
    """Of lower @ lower.T. LAPACK's own takes two to three times as long for a small matrix."""
    from scipy.linalg import blas, lapack

    if len(lower) <= SMALL_MATRIX:
        half = blas.dtrsm(1.0, lower, np.eye(len(lower)), lower=1)
        return np.asarray(half.T @ half)
    half = np.asarray(lapack.dpotri(lower, lower=1)[0])
    return np.asarray(np.tril(half) + np.tril(half, -1).T)


def _times_factors(matrix: np.ndarray, dense: Dense, theta: np.ndarray) -> np.ndarray:
    """matrix @ L with L block-diagonal over all levels of all factors."""
    return _over_factors(matrix, dense, [factor(f.entries, f.q, theta) for f in dense.factors])


def _factors_times(matrix: np.ndarray, dense: Dense, theta: np.ndarray) -> np.ndarray:
    """L @ matrix."""
    return _over_factors(matrix.T, dense, [factor(f.entries, f.q, theta).T for f in dense.factors]).T


def _over_factors(matrix: np.ndarray, dense: Dense, factors: Sequence[np.ndarray]) -> np.ndarray:
    parts = []
    for f, small in zip(dense.factors, factors, strict=True):
        own = matrix[:, f.start : f.start + len(f.labels) * f.q]
        parts.append((own.reshape(len(matrix), -1, f.q) @ small).reshape(len(matrix), -1))
    return np.concatenate(parts, axis=1)
