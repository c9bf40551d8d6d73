"""Valley: the search where lags and variances can hardly be told apart.

With a persistent series the criterion is a long bent valley: a lag that is larger by a little asks for other variances
of what is stable and of what is left over, and no straight step follows it far. Given the paths, the moments are linear
in all other parameters, and these are found in a few steps. So the paths alone are searched, each with the others at
their best (variable projection; Golub & Pereyra 1973, SIAM J Numer Anal 10:413), by a trust region in the paths.
"""

from __future__ import annotations

import numpy as np

from .likelihood import Groups, evaluate, loglik
from .newton import ENOUGH, EXACT, ROUNDING, Point, descend, expected

#: Steps of the paths, and of the others for each of them.
_MOST_STEPS, _MOST_OF_OTHERS = 60, 40
#: How far paths, of variables of SD 1, may go at first.
_RADIUS = 0.5
_LEAST_RADIUS = 1e-8
#: The others' share of the expected fall that is left where they are at their best.
_AT_BEST = 0.01


def along(groups: Groups, point: Point) -> Point:
    """The lowest point that the search of the paths leads to, from a point with a likelihood."""
    size = len(point.theta)
    paths = np.unique(np.concatenate([structure.paths.which for structure, _ in groups]))
    others = np.setdiff1d(np.arange(size), paths)
    if not len(paths) or not len(others):
        return point
    best = descend(groups, point, others, expected, most=_MOST_OF_OTHERS, small=_AT_BEST)
    radius = _RADIUS
    for _ in range(_MOST_STEPS):
        found, radius = _step(groups, best, paths, others, radius)
        if found is None:
            break
        best = found
    return best


def _step(
    groups: Groups, point: Point, paths: np.ndarray, others: np.ndarray, radius: float
) -> tuple[Point | None, float]:
    """A lower point and the radius for the next step; None where nothing is left to gain."""
    here = point.here
    inner, cross = here.hessian[np.ix_(others, others)], here.hessian[np.ix_(others, paths)]
    try:
        np.linalg.cholesky(inner)
    except np.linalg.LinAlgError:  # not at their best yet
        moved = descend(groups, point, others, expected, most=_MOST_OF_OTHERS)
        return (moved if moved is not point else None), radius
    follow = np.linalg.solve(inner, np.column_stack([cross, here.gradient[others]]))
    slope = here.gradient[paths] - cross.T @ follow[:, -1]
    bend = here.hessian[np.ix_(paths, paths)] - cross.T @ follow[:, :-1]
    own = float(here.gradient[others] @ follow[:, -1]) / 2
    while radius > _LEAST_RADIUS:
        step = _within(bend, slope, radius)
        fall = own - float(slope @ step + step @ bend @ step / 2)
        if fall < EXACT:
            return None, radius
        start = _started(groups, point, paths, others, step, follow[:, -1] + follow[:, :-1] @ step)
        there = None
        if start is not None:
            small = max(EXACT, _AT_BEST * fall)
            there = descend(groups, start, others, expected, most=_MOST_OF_OTHERS, small=small)
        gained = -np.inf if there is None else here.criterion - there.here.criterion
        if there is not None and gained >= ENOUGH * fall:
            on_edge = np.linalg.norm(step) > 0.9 * radius
            return there, 2 * radius if on_edge and gained > 0.7 * fall else radius
        if fall < ROUNDING * abs(here.criterion):
            return None, radius
        radius = min(radius, float(np.linalg.norm(step))) / 3
    return None, radius


def _started(
    groups: Groups, point: Point, paths: np.ndarray, others: np.ndarray, step: np.ndarray, move: np.ndarray
) -> Point | None:
    """The step of the paths with as much of the others' as has a likelihood; without any of it nearly all paths do."""
    for share in (1.0, 0.5, 0.25, 0.1, 0.0):
        theta = point.theta.copy()
        theta[paths] += step
        theta[others] -= share * move
        if np.isfinite(loglik(groups, theta)):
            return Point(theta, evaluate(groups, theta), point.steps + 1)
    return None


def _within(bend: np.ndarray, slope: np.ndarray, radius: float) -> np.ndarray:
    """The step at which slope'x + x'bend x / 2 is least, of those no longer than `radius`."""
    from scipy.optimize import brentq

    roots, vectors = np.linalg.eigh(bend)
    lean = vectors.T @ slope
    if roots[0] > 0 and np.linalg.norm(lean / roots) <= radius:
        return np.asarray(-vectors @ (lean / roots))
    least = 1e-10 * max(float(np.linalg.norm(lean)), abs(float(roots[0])) * radius)
    lean[0] = lean[0] if abs(lean[0]) > least else least  # there is a way down also where the slope does not tell it
    low = max(0.0, -float(roots[0]))
    high = low + float(np.linalg.norm(lean)) / radius
    low += 1e-12 * high

    def over(damping: float) -> float:
        return float(np.linalg.norm(lean / (roots + damping))) - radius

    damping = brentq(over, low, high, rtol=1e-6) if over(low) > 0 > over(high) else low if over(low) <= 0 else high
    return np.asarray(-vectors @ (lean / (roots + damping)))
