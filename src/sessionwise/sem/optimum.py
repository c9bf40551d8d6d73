"""Optimum: the parameters of largest likelihood, by Newton steps and along valleys, and whether they really are.

The verdict: g'H^-1 g is small (the criterion can fall by no more than half of it) and H is positive definite (see
`curvature`). Where that fails the search starts again elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .identification import curvature
from .likelihood import Groups, evaluate, loglik
from .newton import Point, descend, diagonal
from .valley import along

#: Expected fall of the criterion below which a point is the optimum.
SMALL_DECREMENT = 1e-8
#: Plain steps, most searches end after ten; what is none by then lies in a valley. Starts that lead to no optimum.
_MOST_STEPS, _MOST_STARTS = 40, 4


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """theta : (q,). criterion : -2 log-likelihood there. gradient : (q,). hessian : (q, q).

    converged : the verdict. determined : whether H is positive definite. decrement : g'H^-1 g, inf where it is not.
    flattest, flat : see Curvature. steps : of the search that ended here. starts : how many were tried.
    """

    theta: np.ndarray
    criterion: float
    gradient: np.ndarray
    hessian: np.ndarray
    converged: bool
    determined: bool
    decrement: float
    flattest: float
    flat: np.ndarray
    steps: int
    starts: int


def optimise(groups: Groups, starts: Sequence[np.ndarray], *, least: int = 1) -> Optimum:
    """The lowest optimum from `starts` (each (q,)), of which at least so many are tried, and some more as long as none
    leads to an optimum; the lowest point found if none does.

    LinAlgError where no start has a likelihood.
    """
    best: Optimum | None = None
    tried = failed = 0
    for start in starts:
        tried += 1
        if not np.isfinite(loglik(groups, start)):
            continue
        found = _search(groups, start)
        if best is None or _better(found, best):
            best = found
        failed += not found.converged
        if (best.converged and tried >= least) or (not best.converged and failed >= _MOST_STARTS):
            break
    if best is None:
        raise np.linalg.LinAlgError("no start has a likelihood")
    return replace(best, starts=tried)


def _better(one: Optimum, other: Optimum) -> bool:
    return (one.converged, -one.criterion) > (other.converged, -other.criterion)


def _search(groups: Groups, start: np.ndarray) -> Optimum:
    """Downhill from one start: in a straight line, and along the valley where that does not end."""
    point = descend(groups, Point(start, evaluate(groups, start)), np.arange(len(start)), diagonal, most=_MOST_STEPS)
    found = _judged(groups, point)
    if found.converged:
        return found
    other = along(groups, point)
    return found if other is point else _judged(groups, other)


def _judged(groups: Groups, point: Point) -> Optimum:
    here, bent = point.here, curvature(groups, point.theta, point.here.hessian)
    decrement = float(here.gradient @ bent.inverse @ here.gradient) if bent.determined else np.inf
    return Optimum(
        point.theta,
        here.criterion,
        here.gradient,
        here.hessian,
        bent.determined and decrement <= SMALL_DECREMENT,
        bent.determined,
        decrement,
        bent.flattest,
        bent.flat,
        point.steps,
        1,
    )
