"""Criterion: -2 log-likelihood or REML criterion of a MixedLikelihood at theta and rho, with its exact gradient.

For nested levels the kernel does it all (core/criterion.hpp); for crossed factors see crossed.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._core import evaluate as _chain
from .._core import finish
from ..threads import one_thread
from .crossed import integrated, propagated
from .problem import MixedLikelihood, State


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
    if problem.crossed is None:
        return _nested(problem, state, theta, rho, asked)
    import scipy.linalg  # noqa: F401  # before the line below, which then holds for its BLAS too

    with one_thread():
        return _crossed(problem, state, theta, rho, asked)


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


def _crossed(problem: MixedLikelihood, state: State, theta: np.ndarray, rho: np.ndarray, asked: _Asked) -> Evaluation:
    system = problem.crossed
    assert system is not None
    nothing = np.zeros(problem.n_theta + problem.n_rho if asked.gradient else 0)
    done = integrated(system, state.base, theta)
    if done is None:
        return Evaluation(np.inf, nothing, np.full((system.k, system.k), np.nan), state.log_r, 0.0, 0.0)
    h = np.empty((system.k, system.k))
    log_v = state.log_r + done.log_det
    criterion, log_s, rss = finish(done.table, log_v, asked.reml, asked.nu, asked.sigma2, asked.directions, h)
    if not asked.gradient or not np.isfinite(criterion):
        return Evaluation(criterion, nothing, done.table, log_v, log_s, rss)
    back = propagated(system, state.base, done, h, adjoint=bool(problem.n_rho))
    slopes = np.zeros(problem.n_theta + problem.n_rho)
    system.add_slopes(back.gradient, slopes)
    if back.adjoint is not None:
        of_packed = system.packed(back.adjoint, state.packed.shape)
        slopes[problem.n_theta :] = problem.products.slope(rho, of_packed)
    return Evaluation(criterion, slopes, done.table, log_v, log_s, rss)
