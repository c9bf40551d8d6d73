"""Profile: intervals by the likelihood itself, for every parameter of the model, as lme4's confint(method="profile").

A parameter is held at a value and all others are fitted again by maximum likelihood; zeta is the signed square root of
how much the deviance has risen (Bates, Maechler, Bolker & Walker 2015, J Stat Softw 67(1), section 5.1). An interval
holds the values with |zeta| below the normal quantile. A model that was fitted by REML is fitted by ML first: REML
criteria with different coefficients cannot be compared.

lme4 walks along the profile in fixed steps and reads the ends off a spline; here the ends are solved for, so they
differ from lme4's in the fourth or fifth digit and are the more exact ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import ModelError
from ..findings import Finding, Findings
from ..likelihood import Solution, optimise
from .descent import Descent, curvature, descend
from .held import Held, Value, held
from .parameters import Parameter, chosen, estimates, parameters

#: zeta at an interval's end is right to this.
_ZETA = 1e-7
#: A deviance so much below that of the optimum is a lower one, and not rounding.
_LOWER = 1e-5
_MOST_PROBES = 60


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A profile as far as it was needed: the parameter's values (k,), ascending, and zeta (k,), nearly a line."""

    values: np.ndarray
    zeta: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Intervals:
    """Profile-likelihood intervals.

    parameters : m of them, see Parameter. level : of confidence.
    estimate : (m,) by maximum likelihood, also for a model fitted by REML; NaN for a correlation with an effect
        without variance.
    low, high : (m,). Where the deviance does not rise enough before the parameter space ends, the limit itself: 0 for
        an SD, -1 and 1 for a correlation or phi (0 and 1 for phi of continuous time); infinite if it has no limit.
    curves : m, for plots. findings : what a reader must know: a lower deviance on the way, a search that did not end.
    """

    parameters: tuple[Parameter, ...]
    level: float
    estimate: np.ndarray
    low: np.ndarray
    high: np.ndarray
    curves: tuple[Curve, ...]
    findings: Findings

    @property
    def named(self) -> dict[str, tuple[float, float]]:
        """Name -> (low, high)."""
        ends = zip(self.low.tolist(), self.high.tolist(), strict=True)
        return {p.name: e for p, e in zip(self.parameters, ends, strict=True)}


def profile(
    solution: Solution,
    level: float = 0.95,
    which: Sequence[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Intervals:
    """Profile-likelihood intervals.

    Parameters
    ----------
    solution : a fitted model; by REML, it is fitted again by ML.
    level : of confidence, between 0 and 1.
    which : names or kinds of parameters (parameters.py), default all.
    progress : called with how many parameters are done, and of how many.

    Raises
    ------
    ModelError : a level outside (0, 1), an unknown parameter.
    """
    from scipy.special import ndtri

    if not 0 < level < 1:
        raise ModelError(f"level is {level}.", remedy="Give a level of confidence between 0 and 1, such as 0.95.")
    wanted = chosen(solution.problem, which)
    best = by_likelihood(solution)
    target = float(ndtri((1 + level) / 2))
    ends, curves = [], []
    findings = [] if best.optimum.converged else [_NOT_CONVERGED]
    for done, parameter in enumerate(wanted):
        walk = _Walk(held(best, parameter), parameter.limits, best.optimum.evaluation.criterion)
        ends.append((_end(walk, -1, target), _end(walk, 1, target)))
        curves.append(walk.curve())
        findings += _findings(walk, parameter)
        if progress is not None:
            progress(done + 1, len(wanted))
    of_all = dict(zip((p.name for p in parameters(best.problem)), estimates(best), strict=True))
    estimate = np.array([of_all[p.name] for p in wanted])
    low, high = np.array(ends).reshape(-1, 2).T
    return Intervals(wanted, level, estimate, low, high, tuple(curves), Findings(findings))


_NOT_CONVERGED = Finding(
    "warning",
    "profile-of-no-optimum",
    "the model did not converge by maximum likelihood, so its profiles may be wrong.",
    remedy="Simplify the random part.",
)


def by_likelihood(solution: Solution) -> Solution:
    """The same model fitted by maximum likelihood."""
    if not solution.reml:
        return solution
    problem = solution.problem
    return Solution(problem, optimise(problem, reml=False, begin=solution.optimum.parameters), reml=False)


class _Walk:
    """zeta as a function of the held parameter. It remembers every point, and each search begins where the nearest
    ones say that it should end."""

    def __init__(self, h: Held, limits: tuple[float, float], least: float) -> None:
        self.held, self.limits, self.least = h, limits, least
        self.lowest, self.converged = np.inf, True
        self.points: list[tuple[float, float, np.ndarray]] = [(h.estimate, 0.0, h.free)]
        hessian = curvature(lambda x: h.at(h.estimate, x), h.free)
        self.hessians = {-1: hessian, 1: hessian}
        self.ceiling = min((self._without(i, hessian) for i in h.without), default=np.inf)

    def zeta(self, value: float, side: int) -> float:
        """|zeta| at a value on one side of the estimate."""
        for known, zeta, _ in self.points:
            if known == value:
                return zeta
        found = min(
            (self._descend(value, begin, self.hessians[side]) for begin in self._begins(value, side)),
            key=lambda d: d.value.criterion,
        )
        self.hessians[side] = found.hessian
        rise = min(found.value.criterion, self.ceiling) - self.least
        self.lowest = min(self.lowest, rise)
        self.converged &= found.converged or not np.isfinite(rise)
        zeta = float(np.sqrt(max(rise, 0.0)))
        self.points.append((value, zeta, found.x))
        return zeta

    def _descend(self, value: float, begin: np.ndarray, hessian: np.ndarray) -> Descent:
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):  # of far-off steps, which are not taken
            return descend(lambda x: self.held.at(value, x), begin, hessian)

    def _without(self, i: int, hessian: np.ndarray) -> float:
        """The criterion of the model in which free coordinate i is 0, and the parameter means nothing."""

        def at(x: np.ndarray) -> Value:
            point = self.held.at(self.held.estimate, np.insert(x, i, 0.0))
            return Value(point.criterion, np.delete(point.gradient, i))

        small = np.delete(np.delete(hessian, i, 0), i, 1)
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            return descend(at, np.delete(self.held.free, i), small).value.criterion

    def _begins(self, value: float, side: int) -> list[np.ndarray]:
        """On the line through the two nearest points, without going far beyond them; and the nearest point inward,
        lest a search that went astray take the later ones with it."""
        middle, nudges = self.held.estimate, self.held.nudges
        own = [p for p in self.points if side * (p[0] - middle) >= 0 and np.isfinite(p[1])]
        own.sort(key=lambda p: abs(p[0] - value))
        inward = next(x for v, _, x in own if side * (value - v) >= 0)
        begins = [inward]
        if len(own) > 1:
            (near, _, x), (far, _, other) = own[:2]
            begins.append(x + float(np.clip((value - near) / (near - far), -1, 2)) * (x - other))
        return [np.where(np.abs(x) < nudges, np.copysign(nudges, x), x) for x in begins]

    def curve(self) -> Curve:
        points = sorted((v, z if v > self.held.estimate else -z) for v, z, _ in self.points if np.isfinite(z))
        return Curve(np.array([self.natural(v) for v, _ in points]), np.array([z for _, z in points]))

    def natural(self, value: float) -> float:
        """The parameter itself, exact at its limits."""
        low, high = self.limits
        return low if value <= self.held.low else high if value >= self.held.high else self.held.natural(value)


def _end(walk: _Walk, side: int, target: float) -> float:
    """Where |zeta| reaches the target on one side: steps outward until it does, then Brent's method."""
    from scipy.optimize import brentq

    h = walk.held
    limit = h.high if side > 0 else h.low
    inner, length = h.estimate, h.step
    for _ in range(_MOST_PROBES):
        value = h.estimate + side * length
        value = min(value, limit) if side > 0 else max(value, limit)
        zeta = walk.zeta(value, side) if value != inner else 0.0
        if zeta >= target:
            break
        if value == limit:
            return walk.natural(limit)
        inner = value
        length *= float(np.clip(1.05 * target / max(zeta, 1e-300), 1.2, 5.0))
    else:
        return walk.natural(limit)

    def over(v: float) -> float:
        beyond = min(walk.zeta(v, side), 2 * target) - target
        return 0.0 if abs(beyond) < _ZETA else beyond

    return walk.natural(float(brentq(over, inner, value, xtol=1e-12 * max(abs(inner), abs(value)), rtol=1e-14)))


def _findings(walk: _Walk, parameter: Parameter) -> list[Finding]:
    found = []
    if walk.lowest < -_LOWER:
        what = f"the profile of {parameter.name} met a deviance lower by {-walk.lowest:.3g} than that of the fit."
        remedy = (
            "The fit is not at its optimum, and its intervals are not right: fit the model again from another start."
        )
        found.append(Finding("warning", "profile-lower-deviance", what, remedy=remedy))
    if not walk.converged:
        what = f"a search on the profile of {parameter.name} did not end at an optimum."
        remedy = "Look at its curve, or use the bootstrap."
        found.append(Finding("warning", "profile-not-converged", what, remedy=remedy))
    return found
