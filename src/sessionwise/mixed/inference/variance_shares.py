"""Variance shares: how the variance of one response divides within persons, between them, and between groups of them,
with profile likelihood intervals of the shares. By restricted maximum likelihood, from a Gram of exchangeable.py.

The fit's parameters are rho, with tanh^2 rho the persons' part of the variance within groups, and g, the standard
deviation between groups relative to that within them. A share s is held at s = tanh^2 v: v is 0 where the share is, and
grows with the logarithm of 1 / (1 - s) where that comes to nothing.

- share between: sinh(rho) = sinh(v) cos(a), g cosh(rho) = sinh(v) sin(a); free is the angle a, at each quarter turn of
  which a variance is zero;
- share of groups: g = sinh(v); free is rho.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import asin, asinh, atan2, cos, cosh, hypot, pi, sin, sinh, sqrt, tanh
from statistics import NormalDist

import numpy as np

from ...threads import one_thread
from .. import MixedGram, Optimum, Solution, evaluate, optimise, problem
from ..problem import MixedLikelihood
from .held_parameter import NUDGE, Held, Value
from .profile_walk import Walk, end

Interval = tuple[float, float]

#: v beyond which a share is 1 in doubles, many times over.
_MOST = 40.0
#: Shares between persons that the search looks at before it begins, beside that which the sums of squares suggest: the
#: likelihood may have more than one maximum.
_LOOKS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98)
#: Groups' parts in them.
_PARTS = (0.0, 0.1, 0.35, 0.7, 1.0)
#: The largest share that it begins at.
_LARGEST = 1 - 1e-12
#: A parameter below this is rounding: there is no such variance.
_DUST = 1e-7
#: A parameter small enough to be compared with none.
_SMALL = 0.05
#: Criteria that differ by this part of them are the same.
_SAME = 1e-12
#: Decrement (optimum.py) from which the optimum is looked for once more.
_EXACT = 1e-15


@dataclass(frozen=True, slots=True)
class VarianceShares:
    """Variances in squared units of the response, and their shares.

    within : between sessions of a person. person : between persons, of the same group. group : between groups, None
    without groups. A variance of exactly 0 is an estimate at the boundary. between_share : (person + group) / total.
    group_share : group / total, None without groups.
    """

    within: float
    person: float
    group: float | None
    between_share: float
    group_share: float | None


@dataclass(frozen=True, slots=True)
class ShareIntervals:
    """(low, high) of `between_share` and of `group_share`, the latter None without groups; 0 or 1 where the likelihood
    does not fall enough before."""

    between: Interval
    group: Interval | None


@one_thread()
def solved(gram: MixedGram) -> Solution:
    """The model of exchangeable.py fitted by restricted maximum likelihood."""
    likelihood = problem(gram)
    within = sum(part.gram.total()[1, 1] for part in gram.parts if part.role == "within")
    persons = sum(part.gram.n_rows for part in gram.parts if part.role == "means")
    share = 1 - float(within) / max(likelihood.n - persons, 1)  # of a total that is 1
    begins = _begins(likelihood, sorted([*_LOOKS, min(max(share, 0.01), _LARGEST)]))
    best = min((_optimum(likelihood, begin) for begin in begins), key=lambda found: found.evaluation.criterion)
    return Solution(likelihood, best, reml=True)


def _optimum(likelihood: MixedLikelihood, begin: np.ndarray) -> Optimum:
    """Where the criterion is smallest, to the last digits; where a variance of zero is no worse, there."""
    best = optimise(likelihood, reml=True, begin=begin, starts=1)
    if best.decrement > _EXACT:
        best = optimise(likelihood, reml=True, begin=best.parameters, starts=1)
    for i in np.flatnonzero(np.abs(best.parameters) < _SMALL):
        without = best.parameters.copy()
        without[i] = 0.0  # from where no search leaves 0, since the slope there is 0 by symmetry
        criterion = best.evaluation.criterion
        if _criterion(likelihood, without) <= criterion + _SAME * max(1.0, abs(criterion)):
            best = optimise(likelihood, reml=True, begin=without, starts=1)
    return best


def _criterion(likelihood: MixedLikelihood, parameters: np.ndarray) -> float:
    return evaluate(likelihood, parameters, reml=True, gradient=False).criterion


def variance_shares(solution: Solution) -> VarianceShares:
    """Of a fit by `solved`."""
    rho, g = _parameters(solution)
    total, grouped = 1 + g * g, solution.problem.n_theta > 0
    return VarianceShares(
        solution.sigma**2 / cosh(rho) ** 2,
        solution.sigma**2 * tanh(rho) ** 2,
        solution.sigma**2 * g * g if grouped else None,
        (tanh(rho) ** 2 + g * g) / total,
        g * g / total if grouped else None,
    )


@one_thread()
def share_intervals(solution: Solution, level: float = 0.95) -> ShareIntervals:
    """Profile likelihood intervals at a level of confidence, of a fit by `solved`."""
    between = _between_groups(solution) if solution.problem.n_theta else _between(solution)
    of_group = _of_group(solution) if solution.problem.n_theta else None
    return ShareIntervals(
        _interval(solution, between, level), None if of_group is None else _interval(solution, of_group, level)
    )


def _interval(solution: Solution, share: Held, level: float) -> Interval:
    walk = Walk(share, (0.0, 1.0), solution.optimum.evaluation.criterion, elsewhere=0)
    target = NormalDist().inv_cdf((1 + level) / 2)
    return end(walk, -1, target), end(walk, 1, target)


def _begins(likelihood: MixedLikelihood, shares: Sequence[float]) -> list[np.ndarray]:
    """Parameters from which each minimum is reached: where the criterion is no higher than all around, on a grid of
    shares between, ascending, and of the groups' part in them. Of equal ones the first."""
    parts = _PARTS if likelihood.n_theta else (0.0,)
    points = [[_point(likelihood, share, part) for part in parts] for share in shares]
    heights = np.array([[_criterion(likelihood, point) for point in row] for row in points])
    around = np.pad(heights, 1, constant_values=np.inf)
    low = np.ones(heights.shape, bool)
    for i, j in ((0, 1), (1, 0), (0, 0), (0, 2)):
        low &= heights < around[i : i + len(shares), j : j + len(parts)]
        low &= heights <= around[2 - i : 2 - i + len(shares), 2 - j : 2 - j + len(parts)]
    return [points[i][j] for i, j in np.argwhere(low).tolist()]


def _point(likelihood: MixedLikelihood, share: float, part: float) -> np.ndarray:
    """Parameters at a share between and a part of it that is the groups', away from where a slope is 0 by symmetry."""
    rho = asinh(sqrt(share * (1 - part) / (1 - share)))
    g = sqrt(share * part / (1 - share * part))
    return np.maximum([g, rho] if likelihood.n_theta else [rho], NUDGE)


def _parameters(solution: Solution) -> tuple[float, float]:
    """rho and g, both from 0 on, exactly 0 where they are rounding."""
    rho = abs(float(solution.optimum.parameters[-1]))
    g = float(solution.theta[0]) if solution.problem.n_theta else 0.0
    return (rho if rho > _DUST else 0.0), (g if g > _DUST else 0.0)


# --- shares to hold -----------------------------------------------------------------------------------


def _between(solution: Solution) -> Held:
    """Without groups nothing is free."""

    def at(value: float, free: np.ndarray) -> Value:
        return Value(_criterion(solution.problem, np.array([value])), free)

    return _held(solution, _parameters(solution)[0], np.ones(1), np.zeros(0), at)


def _between_groups(solution: Solution) -> Held:
    """Free: the angle a."""
    rho, g = _parameters(solution)

    def point(value: float, a: float) -> np.ndarray:
        own = asinh(sinh(value) * cos(a))
        return np.array([sinh(value) * sin(a) / cosh(own), own])

    def at(value: float, free: np.ndarray) -> Value:
        group, own = parameters = point(value, float(free[0]))
        there = evaluate(solution.problem, parameters, reml=True)
        slope = there.gradient[0] * tanh(own) * (1 + group * group) - there.gradient[1] * group
        return Value(there.criterion, np.array([slope]))

    def valleys(value: float, known: np.ndarray) -> list[np.ndarray]:
        here = abs(asin(sin(known[0])))
        return _valleys(solution.problem, [point(value, a) for a in _ANGLES], _ANGLES, here)

    across, along = g * cosh(rho), sinh(rho)
    angle = atan2(across, along) if rho or g else pi / 4
    slopes = np.array([sin(angle) / hypot(1.0, g), cos(angle) * hypot(1.0, g)])
    held = _held(solution, asinh(hypot(across, along)), slopes, np.array([angle]), at)
    return replace(held, turn=pi / 2, valleys=valleys)


def _of_group(solution: Solution) -> Held:
    """Free: rho."""
    rho, g = _parameters(solution)

    def at(value: float, free: np.ndarray) -> Value:
        there = evaluate(solution.problem, np.array([sinh(value), free[0]]), reml=True)
        return Value(there.criterion, there.gradient[1:])

    def valleys(value: float, known: np.ndarray) -> list[np.ndarray]:
        here = abs(float(known[0]))
        return _valleys(solution.problem, [np.array([sinh(value), own]) for own in _RHOS], _RHOS, here)

    held = _held(solution, asinh(g), np.array([1 / hypot(1.0, g), 0.0]), np.array([rho]), at)
    return replace(held, valleys=valleys)


#: Values of the free coordinate that are looked at for other minima.
_ANGLES = tuple(pi / 2 * i / 10 for i in range(11))
_RHOS = (0.0, 0.15, 0.3, 0.5, 0.7, 1.0, 1.4, 2.0, 3.0)


def _valleys(
    likelihood: MixedLikelihood, points: list[np.ndarray], free: Sequence[float], here: float
) -> list[np.ndarray]:
    """The free values where the criterion is no higher than at their neighbours, but for one around `here`."""
    heights = [np.inf, *(_criterion(likelihood, point) for point in points), np.inf]
    ends = [-np.inf, *free, np.inf]
    return [
        np.array([min(max(value, NUDGE), free[-1] - NUDGE)])
        for i, value in enumerate(free, 1)
        if heights[i] <= min(heights[i - 1], heights[i + 1]) and not ends[i - 1] <= here <= ends[i + 1]
    ]


def _held(
    solution: Solution,
    estimate: float,
    slopes: np.ndarray,
    free: np.ndarray,
    at: Callable[[float, np.ndarray], Value],
) -> Held:
    """slopes : of the estimate, by the fit's parameters; the first step is to where a normal likelihood would end."""
    along = np.linalg.lstsq(solution.optimum.hessian, slopes, rcond=1e-8)[0]
    error = sqrt(2 * max(float(slopes @ along), 0.0))
    step = min(max(1.96 * error, 1e-4 * (estimate + 0.1)), estimate + 1.0)
    return Held(estimate, 0.0, _MOST, step, free, np.full(len(free), NUDGE), at, lambda v: tanh(v) ** 2)
