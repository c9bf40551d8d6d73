"""Bootstrap: the model fitted again to responses drawn from it (parametric), as lme4's bootMer.

A new response changes only cross-products with it; each replicate starts at the estimates, so it costs a few dozen
evaluations of the likelihood. Every replicate has a random stream of its own: the seed alone decides the result.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from ...designs import Design
from ...errors import ModelError
from ...options import valid_level
from ...threads import one_thread
from .. import Solution, optimise, problem, summed
from .parameters import Parameter, estimates, is_singular, parameters
from .simulated_response import TrueParameters, draw_from, truth

#: A variance that was estimated as 0 is no place to start from: there the slope is 0 too.
_FLOOR = 0.05
#: Replicates handed out to each thread ahead of those that are awaited.
_AHEAD = 4


@dataclass(frozen=True, slots=True, eq=False)
class Bootstrap:
    """Replicates of a fit.

    parameters : m of them, see Parameter. estimate : (m,) of the model itself. replicates : (n, m) in the same order;
    NaN for a correlation with an effect whose variance was estimated as 0. criterion : (n,), REML or ML as the model.
    converged, singular : bool (n,); a replicate that did not converge takes no part in intervals and standard errors.
    """

    parameters: tuple[Parameter, ...]
    estimate: np.ndarray
    replicates: np.ndarray
    criterion: np.ndarray
    converged: np.ndarray
    singular: np.ndarray

    @property
    def used(self) -> np.ndarray:
        """Replicates that converged (k, m)."""
        return np.asarray(self.replicates[self.converged])

    @property
    def standard_errors(self) -> np.ndarray:
        """Standard deviations of the replicates (m,); NaN where fewer than two are defined."""
        spread = [np.std(column, ddof=1) if len(column) > 1 else np.nan for column in self._columns()]
        return np.array(spread)

    def percentile(self, level: float = 0.95) -> np.ndarray:
        """Percentile intervals (m, 2): order statistics at (k + 1) alpha (Davison & Hinkley 1997, eq. 5.18)."""
        valid_level(level)
        tails = np.array([(1 - level) / 2, (1 + level) / 2])
        nothing = np.full(2, np.nan)
        return np.array(
            [np.quantile(column, tails, method="weibull") if len(column) else nothing for column in self._columns()]
        )

    def basic(self, level: float = 0.95) -> np.ndarray:
        """Basic intervals (m, 2): the percentile interval mirrored at the estimate (Davison & Hinkley 1997, eq. 5.6),
        cut where the parameter space ends."""
        mirrored = 2 * self.estimate[:, None] - self.percentile(level)[:, ::-1]
        low, high = np.array([p.limits for p in self.parameters]).T
        return np.asarray(np.clip(mirrored, low[:, None], high[:, None]))

    def _columns(self) -> list[np.ndarray]:
        return [column[~np.isnan(column)] for column in self.used.T]


@one_thread()
def bootstrap(
    solution: Solution,
    design: Design,
    n: int = 1000,
    *,
    seed: int,
    threads: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Bootstrap:
    """Parametric bootstrap.

    Parameters
    ----------
    solution : a fitted model. design : the Design it was fitted to.
    n : replicates. seed : of the random numbers.
    threads : replicates fitted at a time, 0 for as many as the machine has; does not change the result.
    progress : called with how many replicates are done, and of how many.

    Raises
    ------
    ModelError : no replicates asked for, a Design of other rows or columns.
    """
    if n < 1:
        raise ModelError(f"{n} replicates were asked for.", remedy="Ask for 1000 or more to get intervals.")
    at, begin = truth(solution), _begin(solution)

    def one(number: int) -> _Replicate:
        own = np.random.SeedSequence(seed, spawn_key=(number,))
        return _replicate(solution, design, at, begin, own)

    fits = []
    for fit in _in_order(one, n, threads or os.cpu_count() or 1):
        fits.append(fit)
        if progress is not None:
            progress(len(fits), n)
    return Bootstrap(
        parameters(solution.problem),
        estimates(solution),
        np.array([f.values for f in fits]),
        np.array([f.criterion for f in fits]),
        np.array([f.converged for f in fits]),
        np.array([f.singular for f in fits]),
    )


def _in_order(work: Callable[[int], _Replicate], n: int, threads: int) -> Iterator[_Replicate]:
    """work(0), work(1), ... Few are handed out ahead, so that Ctrl-C waits for those at work and no others."""
    from concurrent.futures import Future, ThreadPoolExecutor

    pool = ThreadPoolExecutor(threads)
    ahead: deque[Future[_Replicate]] = deque()
    try:
        for number in range(n):
            ahead.append(pool.submit(work, number))
            if len(ahead) > _AHEAD * threads:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@dataclass(frozen=True, slots=True, eq=False)
class _Replicate:
    values: np.ndarray
    criterion: float
    converged: bool
    singular: bool


def _replicate(
    solution: Solution, design: Design, at: TrueParameters, begin: np.ndarray, seed: np.random.SeedSequence
) -> _Replicate:
    residual = solution.problem.residual
    matrix = design.matrix.copy(order="F")
    matrix[:, 0] = draw_from(at, design, residual, np.random.default_rng(seed))
    drawn = problem(summed(replace(design, matrix=matrix), residual), residual)
    optimum = optimise(drawn, reml=solution.reml, begin=begin, threads=1)
    again = Solution(drawn, optimum, solution.reml)
    return _Replicate(estimates(again), again.criterion, optimum.converged, is_singular(drawn, optimum.parameters))


def _begin(solution: Solution) -> np.ndarray:
    """The estimates, no component of a covariance at 0."""
    begin = solution.optimum.parameters.copy()
    for block in solution.problem.blocks:
        rows, columns = block.places
        numbers = block.start + np.flatnonzero(rows == columns)
        own = begin[numbers]
        begin[numbers] = np.where(np.abs(own) < _FLOOR, np.copysign(_FLOOR, own), own)
    return begin
