"""Variance shares: how the variance of one response divides within persons, between them, and between groups of them,
with profile likelihood intervals of the shares. By restricted maximum likelihood, from a Gram of exchangeable.py.

With p and g the standard deviations between persons of a group and between groups, relative to that within persons, the
share between persons is (p^2 + g^2) / (1 + p^2 + g^2), the groups' part of it g^2 / (1 + p^2 + g^2). A share s is held
at s = tanh^2 v: v is 0 where the share is, and grows with the logarithm of 1 / (1 - s) where that comes to nothing.

- share between: p = sinh(v) cos(a), g = sinh(v) sin(a); free is the angle a, and a variance is zero at each quarter turn;
- share of groups: g = sinh(v) sqrt(1 + p^2); free is p, as asinh p.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import asinh, atan2, cos, cosh, hypot, pi, sin, sinh, sqrt, tanh
from statistics import NormalDist

import numpy as np

from ...threads import one_thread
from .. import MixedGram, Solution, evaluate, optimise, problem
from ..problem import MixedLikelihood
from .held_parameter import NUDGE, Held, Value
from .profile_walk import Walk, end

Interval = tuple[float, float]

#: v beyond which a share is 1 in doubles, many times over.
_MOST = 40.0
#: Shares that the search looks at before it begins: the likelihood may have more than one maximum.
_LOOKS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98)
#: A spread below this, relative to that within, is rounding: there is none.
_DUST = 1e-7


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
    """(low, high) of `between_share` and of `group_share`, this None without groups; 0 or 1 where the likelihood does not
    fall enough before."""

    between: Interval
    group: Interval | None


@one_thread()
def solved(gram: MixedGram) -> Solution:
    """The model of exchangeable.py fitted by restricted maximum likelihood."""
    likelihood = problem(gram)
    begin = min(_begins(likelihood), key=lambda x: evaluate(likelihood, x, reml=True, gradient=False).criterion)
    return Solution(likelihood, optimise(likelihood, reml=True, begin=begin, starts=1), reml=True)


def variance_shares(solution: Solution) -> VarianceShares:
    """Of a fit by `solved`."""
    person, group = _spreads(solution)
    within, total = solution.sigma**2, 1 + person**2 + group**2
    grouped = solution.problem.n_theta > 0
    return VarianceShares(
        within,
        within * person**2,
        within * group**2 if grouped else None,
        (person**2 + group**2) / total,
        group**2 / total if grouped else None,
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


def _begins(likelihood: MixedLikelihood) -> list[np.ndarray]:
    """Parameters to look at: a share between persons, some of it between groups."""
    spreads = [sqrt(share / (1 - share)) for share in _LOOKS]
    if not likelihood.n_theta:
        return [np.array([asinh(r)]) for r in spreads]
    return [np.array([r * g, asinh(r * sqrt(1 - g * g))]) for r in spreads for g in (0.1, 0.5, 0.9)]


def _spreads(solution: Solution) -> tuple[float, float]:
    """p and g of the module, exactly 0 where they are rounding."""
    person = float(solution.residual[0])
    group = float(solution.theta[0]) if solution.problem.n_theta else 0.0
    return (person if person > _DUST else 0.0), (group if group > _DUST else 0.0)


# --- shares to hold -----------------------------------------------------------------------------------


def _between(solution: Solution) -> Held:
    """Without groups nothing is free."""

    def at(value: float, free: np.ndarray) -> Value:
        return Value(evaluate(solution.problem, np.array([value]), reml=True, gradient=False).criterion, free)

    return _held(solution, asinh(_spreads(solution)[0]), np.ones(1), np.zeros(0), at)


def _between_groups(solution: Solution) -> Held:
    """Free: the angle a."""
    person, group = _spreads(solution)

    def at(value: float, free: np.ndarray) -> Value:
        spread, to_person, to_group = sinh(value), cos(free[0]), sin(free[0])
        point = evaluate(solution.problem, np.array([spread * to_group, asinh(spread * to_person)]), reml=True)
        of_group, of_person = point.gradient
        slope = of_group * to_person - of_person / hypot(1.0, spread * to_person) * to_group
        return Value(point.criterion, np.array([spread * slope]))

    size = hypot(person, group)
    angle = atan2(group, person) if size > 0 else pi / 4
    slopes = np.array([sin(angle), cos(angle) * hypot(1.0, person)]) / hypot(1.0, size)
    return _held(solution, asinh(size), slopes, np.array([angle]), at, turn=pi / 2)


def _of_group(solution: Solution) -> Held:
    """Free: asinh p."""
    person, group = _spreads(solution)

    def at(value: float, free: np.ndarray) -> Value:
        spread, own = sinh(value), float(free[0])
        point = evaluate(solution.problem, np.array([spread * cosh(own), own]), reml=True)
        of_group, of_own = point.gradient
        return Value(point.criterion, np.array([of_own + of_group * spread * sinh(own)]))

    estimate = asinh(group / hypot(1.0, person))
    slopes = np.array([1.0, -sinh(estimate) * person]) / (cosh(estimate) * hypot(1.0, person))
    return _held(solution, estimate, slopes, np.array([asinh(person)]), at)


def _held(
    solution: Solution,
    estimate: float,
    slopes: np.ndarray,
    free: np.ndarray,
    at: Callable[[float, np.ndarray], Value],
    turn: float = 0.0,
) -> Held:
    """slopes : of the estimate, by the fit's parameters; the first step is to where a normal likelihood would end."""
    along = np.linalg.lstsq(solution.optimum.hessian, slopes, rcond=1e-8)[0]
    error = sqrt(2 * max(float(slopes @ along), 0.0))
    step = min(max(1.96 * error, 1e-4 * (estimate + 0.1)), estimate + 1.0)
    nudges = np.full(len(free), NUDGE)
    return Held(estimate, 0.0, _MOST, step, free, nudges, at, lambda v: tanh(v) ** 2, turn=turn)
