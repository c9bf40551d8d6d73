"""Optimum: the parameters of largest likelihood, by damped Newton steps with the exact Hessian, and whether they really
are.

Not SciPy's trust-exact: it asks for the Hessian wherever it looks, also where the covariances are not positive definite
and there is no likelihood.

The verdict: g'H^-1 g is small (the criterion can fall by no more than half of it) and H is positive definite, on the
scale of the expected information (so that units do not count). Where that fails the search starts again elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .likelihood import Evaluation, Groups, evaluate, loglik

#: Expected fall of the criterion below which a point is the optimum.
SMALL_DECREMENT = 1e-8
#: Curvature, relative to the average of its direction's variables, below which a direction is flat.
FLAT = 1e-7
#: From one start, and from all: a likelihood without an optimum is seen long before.
_MOST_STEPS, _MOST_OF_ALL = 200, 600
#: Steps end where the criterion is expected to fall by less than this: errors and tests are more sensitive than it is.
_EXACT = 1e-13
#: Expected falls that rounding can hide, relative to the criterion.
_ROUNDING = 1e-10
#: Of the Hessian's diagonal, added to it where it does not lead down.
_LEAST_DAMPING, _MOST_DAMPING = 1e-4, 1e8


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """theta : (q,). criterion : -2 log-likelihood there. gradient : (q,). hessian : (q, q).

    converged : the verdict. decrement : g'H^-1 g, inf where H is not positive definite.
    flattest : smallest curvature of H with its diagonal scaled to one. flat : that direction (q,), same scale.
    steps : of the search that ended here. starts : how many were tried.
    """

    theta: np.ndarray
    criterion: float
    gradient: np.ndarray
    hessian: np.ndarray
    converged: bool
    decrement: float
    flattest: float
    flat: np.ndarray
    steps: int
    starts: int


def optimise(groups: Groups, starts: Sequence[np.ndarray], *, least: int = 1) -> Optimum:
    """The lowest optimum from `starts` (each (q,)), of which at least so many are tried, and more as long as none leads
    to an optimum; the lowest point found if none does.

    LinAlgError where no start has a likelihood.
    """
    best: Optimum | None = None
    tried = steps = 0
    for start in starts:
        tried += 1
        if not np.isfinite(loglik(groups, start)):
            continue
        found = _search(groups, start)
        if best is None or _better(found, best):
            best = found
        steps += found.steps
        if (best.converged and tried >= least) or steps >= _MOST_OF_ALL:
            break
    if best is None:
        raise np.linalg.LinAlgError("no start has a likelihood")
    return replace(best, starts=tried)


def _better(one: Optimum, other: Optimum) -> bool:
    return (one.converged, -one.criterion) > (other.converged, -other.criterion)


def _search(groups: Groups, start: np.ndarray) -> Optimum:
    """Downhill from one start, damped where the plain Newton step does not lead down (Marquardt 1963)."""
    theta, here, damping = start, evaluate(groups, start), 0.0
    steps = 0
    while steps < _MOST_STEPS:
        found, damping = _step(groups, theta, here, damping)
        if found is None:
            break
        steps += 1
        theta, here = found
        damping = damping / 10 if damping > _LEAST_DAMPING else 0.0
    return _judged(theta, here, steps)


def _step(
    groups: Groups, theta: np.ndarray, here: Evaluation, damping: float
) -> tuple[tuple[np.ndarray, Evaluation] | None, float]:
    """A point where the criterion is lower, with the damping that it took; None where nothing is left to gain.

    Nearly all first tries are taken, so that gradient and Hessian are computed with the criterion.
    """
    hessian, gradient = here.hessian, here.gradient
    diagonal = np.abs(hessian.diagonal())
    scale = np.maximum(diagonal, 1e-8 * diagonal.max())
    while damping < _MOST_DAMPING:
        try:
            damped = hessian + np.diag(damping * scale)
            np.linalg.cholesky(damped)
            step = -np.linalg.solve(damped, gradient)
        except np.linalg.LinAlgError:
            damping = max(4 * damping, 10 * _LEAST_DAMPING)
            continue
        expected = float(-gradient @ step - step @ hessian @ step / 2)
        if expected < _EXACT:
            return None, damping
        try:
            there = evaluate(groups, theta + step)
        except np.linalg.LinAlgError:
            there = None
        if there is not None and here.criterion - there.criterion >= 0.1 * expected:
            return (theta + step, there), damping
        if expected < _ROUNDING * abs(here.criterion):
            return None, damping
        damping = max(4 * damping, 10 * _LEAST_DAMPING)
    return None, damping


def _judged(theta: np.ndarray, here: Evaluation, steps: int) -> Optimum:
    diagonal = here.hessian.diagonal()
    scale = 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    roots, vectors = np.linalg.eigh(here.hessian * np.outer(scale, scale))
    flattest = float(roots[0]) if len(roots) else 1.0
    decrement = np.inf
    if flattest > FLAT:
        decrement = float(here.gradient @ np.linalg.solve(here.hessian, here.gradient))
    converged = flattest > FLAT and decrement <= SMALL_DECREMENT
    flat = vectors[:, 0] if len(roots) else theta
    return Optimum(theta, here.criterion, here.gradient, here.hessian, converged, decrement, flattest, flat, steps, 1)
