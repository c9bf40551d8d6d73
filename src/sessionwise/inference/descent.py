"""Descent: a minimum near a good start, by BFGS with a Hessian to begin with that is handed on to the next search.

SciPy's BFGS forgets what it learned between two searches; along a profile, where each search begins next to the end of
the one before, most of an evaluation's worth is in that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .held import Value

#: Expected fall of the criterion, doubled, at which a search ends.
_SMALL = 1e-9
#: What it may be if rounding errors allow no further step: that much moves the end of a 95 % interval by a
#: ten-thousandth of a standard error.
_SMALL_ENOUGH = 1e-3
_MOST_STEPS = 100
_DIFFERENCE = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class Descent:
    """Where a search ended.

    x : (m,). value : there. hessian : (m, m), positive definite, as far as it was learned. converged : whether the
    criterion can fall no further by the Hessian learned.
    """

    x: np.ndarray
    value: Value
    hessian: np.ndarray
    converged: bool


def descend(function: Callable[[np.ndarray], Value], begin: np.ndarray, hessian: np.ndarray) -> Descent:
    """The minimum of `function` near `begin`."""
    x, here = begin, function(begin)
    if not len(x) or not np.isfinite(here.criterion):
        return Descent(x, here, hessian, not len(x))
    for _ in range(_MOST_STEPS):
        step = -np.linalg.solve(hessian, here.gradient)
        decrement = float(-here.gradient @ step)
        if decrement < _SMALL:
            return Descent(x, here, hessian, True)
        length, there = _line(function, x, here, step, decrement)
        if there is None:
            return Descent(x, here, hessian, decrement < _SMALL_ENOUGH)
        hessian = _learned(hessian, length * step, there.gradient - here.gradient)
        x, here = x + length * step, there
    return Descent(x, here, hessian, False)


def curvature(function: Callable[[np.ndarray], Value], x: np.ndarray) -> np.ndarray:
    """A positive definite Hessian (m, m) for `descend`, by differences; flat and falling directions get a small one."""
    here = function(x).gradient
    rows = [(function(x + h).gradient - here) / _DIFFERENCE for h in _DIFFERENCE * np.eye(len(x))]
    hessian = np.array(rows).reshape(len(x), len(x))
    roots, vectors = np.linalg.eigh((hessian + hessian.T) / 2)
    least = 1e-4 * max(float(np.abs(roots).max(initial=0.0)), 1e-300)
    return np.asarray((vectors * np.maximum(np.abs(roots), least)) @ vectors.T)


def _line(
    function: Callable[[np.ndarray], Value], x: np.ndarray, here: Value, step: np.ndarray, decrement: float
) -> tuple[float, Value | None]:
    """A length at which the criterion is enough lower, by halving, or None."""
    length = 1.0
    for _ in range(30):
        there = function(x + length * step)
        if there.criterion <= here.criterion - 1e-4 * length * decrement:
            return length, there
        length /= 2
    return 0.0, None


def _learned(hessian: np.ndarray, step: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Powell's damped BFGS update, positive definite whatever the change of the gradient."""
    bent = hessian @ step
    expected = float(step @ bent)
    found = float(step @ change)
    if found < 0.1 * expected:
        part = 0.9 * expected / (expected - found)
        change = part * change + (1 - part) * bent
        found = float(step @ change)
    return np.asarray(hessian + np.outer(change, change) / found - np.outer(bent, bent) / expected)
