"""Held parameter: the model with one parameter held at a value, as a function of coordinates that are free.

Every parameter becomes a coordinate of its own, so that the others are free of constraints: SDs and correlations in a
gauge (gauge.py) with sigma free or profiled, sigma and residual parameters as they are, a coefficient through the
columns that remain when it is known. All by maximum likelihood.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .. import MixedLikelihood, Solution, evaluate
from .covariance_coordinates import coordinates, gauge, pulled, turned
from .parameters import Parameter

#: A free SD, relative to sigma and for scaled columns, starts no closer to 0 than this: at 0 the slope is 0 by
#: symmetry even where the criterion falls away from it.
NUDGE = 0.03
#: A search that takes log sigma so far from the estimate has lost its way.
_FAR = 20.0


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """The ML criterion (inf where there is none) and its gradient for the free coordinates."""

    criterion: float
    gradient: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """A parameter to hold.

    estimate, low, high, step : where the likelihood is largest, limits, a first step, all on the scale of the search.
    free : (m,) free coordinates at the optimum. nudges : (m,) least size to start from.
    without : free coordinates that, at 0, leave the parameter without meaning: the fit is the same at any value of it.
    valleys : at a value, points from which each minimum over the free coordinates is reached but the one known; None
        where nobody can tell.
    turn : above 0, the free coordinates are angles, and what is so at 0 is so at every multiple of it.
    at : criterion with the parameter at a value. natural : from the scale of the search to the parameter itself.
    """

    estimate: float
    low: float
    high: float
    step: float
    free: np.ndarray
    nudges: np.ndarray
    at: Callable[[float, np.ndarray], Value]
    natural: Callable[[float], float]
    without: tuple[int, ...] = ()
    turn: float = 0.0
    valleys: Callable[[float, np.ndarray], list[np.ndarray]] | None = None


def held(solution: Solution, parameter: Parameter) -> Held:
    """`parameter` of a solution by ML, ready to be held."""
    return _HOLD[parameter.kind](solution, parameter)


def _same(value: float) -> float:
    return value


def _sd(solution: Solution, parameter: Parameter) -> Held:
    """Coordinates: parameters of other terms, G but for G_00, log sigma; G_00 = SD / (sigma w_0)."""
    problem, optimum = solution.problem, solution.optimum
    g = gauge(problem, parameter.number, parameter.places)
    others = np.setdiff1d(np.arange(len(optimum.parameters)), g.numbers)
    rows, columns = np.tril_indices(g.q)
    rows, columns = rows[1:], columns[1:]
    start, unit, middle = coordinates(g, optimum.parameters), float(g.widths[0]), float(np.log(solution.sigma))

    def at(value: float, free: np.ndarray) -> Value:
        if abs(free[-1] - middle) > _FAR:
            return Value(np.inf, free)
        sigma = float(np.exp(free[-1]))
        matrix = np.zeros((g.q, g.q))
        matrix[rows, columns] = free[len(others) : -1]
        matrix[0, 0] = value / (sigma * unit)
        t = turned(g, matrix)
        sigma2 = (sigma / problem.transform.width) ** 2
        point = evaluate(problem, _joined(others, free, g.numbers, t.theta), reml=False, sigma2=sigma2)
        if not np.isfinite(point.criterion):
            return Value(np.inf, free)
        slopes = pulled(g, t, point.gradient[g.numbers])
        of_sigma = 2 * (problem.n - point.rss / sigma2) - slopes[0, 0] * matrix[0, 0]
        return Value(
            point.criterion, np.concatenate([point.gradient[others], slopes[rows, columns], np.array([of_sigma])])
        )

    estimate = float(start[0, 0] * unit * solution.sigma)
    free = np.concatenate([optimum.parameters[others], start[rows, columns], [middle]])
    nudges = np.concatenate([_nudges(problem)[others], np.where(rows == columns, NUDGE, 0.0), [0.0]])
    step = 0.15 * (estimate + 0.1 * unit * solution.sigma)
    return Held(estimate, 0.0, np.inf, step, free, nudges, at, _same)


def _correlation(solution: Solution, parameter: Parameter) -> Held:
    """Coordinates: parameters of other terms, G but for its first two rows, and the square roots of the two effects'
    relative SDs, which must not change sign but may become 0."""
    problem, optimum = solution.problem, solution.optimum
    g = gauge(problem, parameter.number, parameter.places)
    others = np.setdiff1d(np.arange(len(optimum.parameters)), g.numbers)
    rows, columns = np.tril_indices(g.q)
    rows, columns = rows[3:], columns[3:]
    start = coordinates(g, optimum.parameters)

    def at(value: float, free: np.ndarray) -> Value:
        rest = np.sqrt(1 - value * value)
        matrix = np.zeros((g.q, g.q))
        matrix[rows, columns] = free[len(others) : -2]
        first, second = free[-2:] ** 2
        matrix[0, 0], matrix[1, 0], matrix[1, 1] = first, value * second, rest * second
        t = turned(g, matrix)
        point = evaluate(problem, _joined(others, free, g.numbers, t.theta), reml=False)
        if not np.isfinite(point.criterion):
            return Value(np.inf, free)
        slopes = pulled(g, t, point.gradient[g.numbers])
        of_sds = 2 * free[-2:] * np.array([slopes[0, 0], value * slopes[1, 0] + rest * slopes[1, 1]])
        return Value(point.criterion, np.concatenate([point.gradient[others], slopes[rows, columns], of_sds]))

    sds = np.array([start[0, 0], np.hypot(start[1, 0], start[1, 1])])
    estimate = float(start[1, 0] / sds[1]) if sds.min() > 0 else 0.0
    free = np.concatenate([optimum.parameters[others], start[rows, columns], np.sqrt(sds)])
    own = np.concatenate([np.where(rows == columns, NUDGE, 0.0), np.full(2, np.sqrt(NUDGE))])
    nudges = np.concatenate([_nudges(problem)[others], own])
    estimate, without = float(np.clip(estimate, -1, 1)), (len(free) - 2, len(free) - 1)
    return Held(estimate, -1.0, 1.0, 0.1, free, nudges, at, _same, without)


def _sigma(solution: Solution, parameter: Parameter) -> Held:
    """On the scale of its logarithm."""
    problem, width = solution.problem, solution.problem.transform.width

    def at(value: float, free: np.ndarray) -> Value:
        point = evaluate(problem, free, reml=False, sigma2=float(np.exp(2 * value)) / width**2)
        return Value(point.criterion, point.gradient)

    estimate, step = float(np.log(solution.sigma)), 1 / np.sqrt(2 * problem.n)
    free = solution.optimum.parameters
    return Held(estimate, -np.inf, np.inf, step, free, _nudges(problem), at, lambda v: float(np.exp(v)))


#: Where phi ends on the scale of the search; beyond, it no longer changes to any effect.
_ENDS = {"ar1": (-9.0, 9.0), "car1": (-12.0, 30.0)}


def _residual(solution: Solution, parameter: Parameter) -> Held:
    """On the scale of the likelihood's rho, turned where phi falls with it."""
    problem, number = solution.problem, parameter.number
    kind, i, best = problem.residual.kind, solution.problem.n_theta + parameter.number, solution.optimum.parameters
    is_phi = parameter.name == "phi"
    low, high = _ENDS[kind] if is_phi else (-np.inf, np.inf)
    sign = -1.0 if is_phi and kind == "car1" else 1.0

    def at(value: float, free: np.ndarray) -> Value:
        point = evaluate(problem, np.insert(free, i, sign * value), reml=False)
        if not np.isfinite(point.criterion):
            return Value(np.inf, free)
        return Value(point.criterion, np.delete(point.gradient, i))

    def natural(value: float) -> float:
        rho = np.zeros(problem.n_rho)
        rho[number] = sign * value
        return float(problem.residual.per_unit(problem.residual.natural(rho))[number])

    estimate, nudges = float(np.clip(sign * best[i], low, high)), np.delete(_nudges(problem), i)
    return Held(estimate, low, high, 0.1, np.delete(best, i), nudges, at, natural)


def _coefficient(solution: Solution, parameter: Parameter) -> Held:
    """Coefficients b of scaled columns with a'b = t are b = N z + t a / a'a, N a basis of what is orthogonal to a: the
    model is fitted to [X N, y - t X a / a'a]."""
    problem, j = solution.problem, parameter.number
    transform, p = problem.transform, problem.p
    a = transform.fixed[j]
    directions = np.zeros((p + 1, p))
    directions[:p, : p - 1] = np.linalg.qr(a[:, None], mode="complete")[0][:, 1:]
    directions[p, p - 1] = 1.0

    def at(value: float, free: np.ndarray) -> Value:
        t = (value - transform.shift[j]) / transform.width
        directions[:p, p - 1] = -t * a / (a @ a)
        point = evaluate(problem, free, reml=False, directions=directions)
        return Value(point.criterion, point.gradient)

    step, free = float(np.sqrt(solution.vcov[j, j])), solution.optimum.parameters
    return Held(float(solution.beta[j]), -np.inf, np.inf, step, free, _nudges(problem), at, _same)


_HOLD: dict[str, Callable[[Solution, Parameter], Held]] = {
    "sd": _sd,
    "correlation": _correlation,
    "sigma": _sigma,
    "residual": _residual,
    "coefficient": _coefficient,
}


def _joined(others: np.ndarray, free: np.ndarray, numbers: np.ndarray, theta: np.ndarray) -> np.ndarray:
    whole = np.empty(len(others) + len(numbers))
    whole[others], whole[numbers] = free[: len(others)], theta
    return whole


def _nudges(problem: MixedLikelihood) -> np.ndarray:
    """Least size of each of theta and rho to start from."""
    nudges = np.zeros(problem.n_theta + problem.n_rho)
    for block in problem.blocks:
        rows, columns = block.places
        nudges[block.start : block.start + block.size] = np.where(rows == columns, NUDGE, 0.0)
    return nudges
