"""Descent: a minimum near a good start, by BFGS with a Hessian to begin with that is handed on to the next search.

Not SciPy's: its BFGS takes several times as long for its own bookkeeping as a fit of 646 persons needs for all else,
and forgets what it learned between two searches, which along a profile is most of what an evaluation is worth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np

#: Expected fall of the criterion, doubled, at which a search ends.
_SMALL = 1e-9
#: What it may be if rounding errors allow no further step: that much moves the end of a 95 % interval by a
#: ten-thousandth of a standard error.
_SMALL_ENOUGH = 1e-3
_MOST_STEPS = 200
_DIFFERENCE = 1e-4


class Point(Protocol):
    """A criterion, inf where there is none, and its gradient (m,)."""

    @property
    def criterion(self) -> float: ...

    @property
    def gradient(self) -> np.ndarray: ...


P = TypeVar("P", bound=Point)


@dataclass(frozen=True, slots=True, eq=False)
class Descent(Generic[P]):
    """Where a search ended.

    x : (m,). value : there. hessian : (m, m), positive definite, as far as it was learned. converged : whether the
    criterion can fall no further by the Hessian learned.
    """

    x: np.ndarray
    value: P
    hessian: np.ndarray
    converged: bool


def descend(
    function: Callable[[np.ndarray], P],
    begin: np.ndarray,
    hessian: np.ndarray,
    *,
    here: P | None = None,
    small: float = _SMALL,
) -> Descent[P]:
    """The minimum of `function` near `begin`. `here`: its value there, if known. `small`: when to stop, see _SMALL."""
    x, here = begin, function(begin) if here is None else here
    if not len(x) or not np.isfinite(here.criterion):
        return Descent(x, here, hessian, not len(x))
    for _ in range(_MOST_STEPS):
        try:
            step = -np.linalg.solve(hessian, here.gradient)
        except np.linalg.LinAlgError:  # a criterion without a minimum leads there
            return Descent(x, here, hessian, False)
        decrement = float(-here.gradient @ step)
        if decrement < small:
            return Descent(x, here, hessian, True)
        length, there = _line(function, x, here, step, decrement)
        if there is None:
            return Descent(x, here, hessian, decrement < _SMALL_ENOUGH)
        hessian = _learned(hessian, length * step, there.gradient - here.gradient)
        x, here = x + length * step, there
    return Descent(x, here, hessian, False)


def curvature(function: Callable[[np.ndarray], Point], x: np.ndarray) -> np.ndarray:
    """A positive definite Hessian (m, m) for `descend`, by differences; flat and falling directions get a small one,
    or 1 where all are flat."""
    here = function(x).gradient
    rows = [(function(x + h).gradient - here) / _DIFFERENCE for h in _DIFFERENCE * np.eye(len(x))]
    hessian = np.array(rows).reshape(len(x), len(x))
    roots, vectors = np.linalg.eigh((hessian + hessian.T) / 2)
    largest = float(np.abs(roots).max(initial=0.0))
    if largest == 0:
        return np.eye(len(x))
    least = 1e-4 * largest
    return np.asarray((vectors * np.maximum(np.abs(roots), least)) @ vectors.T)


def _line(
    function: Callable[[np.ndarray], P], x: np.ndarray, here: P, step: np.ndarray, decrement: float
) -> tuple[float, P | None]:
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
    return np.asarray(hessian + change[:, None] * change / found - bent[:, None] * bent / expected)
