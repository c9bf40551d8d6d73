"""Newton: damped steps downhill with the exact Hessian (Marquardt 1963), of all parameters or of some.

Not SciPy's trust-exact: it asks for the Hessian wherever it looks, also where the covariances are not positive definite
and there is no likelihood.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .likelihood import Evaluation, Groups, evaluate

#: Steps end where the criterion is expected to fall by less than this: errors and tests are more sensitive than it is.
EXACT = 1e-13
#: Expected falls that rounding can hide, relative to the criterion.
ROUNDING = 1e-10
#: Fall, of that expected, with which a step is taken.
ENOUGH = 0.1
#: Of the metric, added to the Hessian where it does not lead down.
_LEAST_DAMPING, _MOST_DAMPING = 1e-4, 1e8
#: From what is to be damped and the point, a positive definite matrix (f, f): how far a step may go in each direction.
Metric = Callable[[Groups, "Point", np.ndarray], np.ndarray]


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """theta : (q,). here : criterion, gradient and Hessian there. steps : that led to it."""

    theta: np.ndarray
    here: Evaluation
    steps: int = 0


def diagonal(groups: Groups, point: Point, free: np.ndarray) -> np.ndarray:
    """The Hessian's own diagonal: it costs nothing."""
    size = np.abs(point.here.hessian.diagonal()[free])
    return np.diag(np.maximum(size, 1e-8 * size.max()))


def expected(groups: Groups, point: Point, free: np.ndarray) -> np.ndarray:
    """The expected information: steps do not depend on how the parameters are written down."""
    whole = evaluate(groups, point.theta, expected=True).hessian[np.ix_(free, free)]
    return np.asarray(whole + 1e-10 * np.diag(whole.diagonal()))


def descend(
    groups: Groups, point: Point, free: np.ndarray, metric: Metric, *, most: int, small: float = EXACT
) -> Point:
    """The lowest point that so many steps of the parameters `free` (places, (f,)) lead to; they end where the criterion
    is expected to fall by less than `small`."""
    damping, steps = 0.0, 0
    while steps < most:
        found, damping = _step(groups, point, free, metric, damping, small)
        if found is None:
            break
        point, steps = found, steps + 1
        damping = damping / 10 if damping > _LEAST_DAMPING else 0.0
    return point


def _step(
    groups: Groups, point: Point, free: np.ndarray, metric: Metric, damping: float, small: float
) -> tuple[Point | None, float]:
    """A point where the criterion is lower, with the damping that it took; None where nothing is left to gain.

    Nearly all first tries are taken, so that gradient and Hessian are computed with the criterion.
    """
    here = point.here
    hessian, gradient = here.hessian[np.ix_(free, free)], here.gradient[free]
    held: np.ndarray | None = None
    while damping < _MOST_DAMPING:
        if damping and held is None:
            held = metric(groups, point, free)
        try:
            damped = hessian if held is None else hessian + damping * held
            np.linalg.cholesky(damped)
            step = -np.linalg.solve(damped, gradient)
        except np.linalg.LinAlgError:
            damping = max(4 * damping, 10 * _LEAST_DAMPING)
            continue
        fall = float(-gradient @ step - step @ hessian @ step / 2)
        if fall < small:
            return None, damping
        theta = point.theta.copy()
        theta[free] += step
        try:
            there = evaluate(groups, theta)
        except np.linalg.LinAlgError:
            there = None
        if there is not None and here.criterion - there.criterion >= ENOUGH * fall:
            return Point(theta, there, point.steps + 1), damping
        if fall < ROUNDING * abs(here.criterion):
            return None, damping
        damping = max(4 * damping, 10 * _LEAST_DAMPING)
    return None, damping
