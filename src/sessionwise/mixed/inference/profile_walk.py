"""Profile walk: along the profile of one parameter, from its estimate to where the deviance has risen enough.

zeta is the square root of how much the deviance has risen with the parameter held and all others fitted again. It is
nearly a line, so that few points are needed, and each search begins near its end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..descent import Descent, curvature, descend
from .crossing import crossing
from .held_parameter import Held, Value

#: zeta at an interval's end is right to this.
_ZETA = 1e-7
_MOST_PROBES = 60
_MOST_CORRECTIONS = 4
#: Points closer than this have the same minimum near them.
_NEAR = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A profile as far as it was needed: the parameter's values (k,), ascending, and zeta (k,), nearly a line."""

    values: np.ndarray
    zeta: np.ndarray


class Endless(Exception):
    """A profile took as many evaluations as it may."""


class Walk:
    """zeta as a function of the held parameter. It remembers every point, and each search begins where the nearest
    ones say that it should end."""

    def __init__(
        self, h: Held, limits: tuple[float, float], least: float, elsewhere: int, most: float = np.inf
    ) -> None:
        """most : evaluations of the criterion, after which Endless is raised."""
        self.left = most
        h = replace(h, at=self._counted(h.at))
        self.held, self.limits, self.least, self.elsewhere = h, limits, least, elsewhere
        self.lowest, self.converged = np.inf, True
        self.points: list[tuple[float, float, np.ndarray]] = [(h.estimate, 0.0, h.free)]
        hessian = curvature(lambda x: h.at(h.estimate, x), h.free)
        self.hessians = {-1: hessian, 1: hessian}
        self.ceiling = min((self._without(i, hessian) for i in h.without), default=np.inf)

    def _counted(self, at: Callable[[float, np.ndarray], Value]) -> Callable[[float, np.ndarray], Value]:
        def counted(value: float, free: np.ndarray) -> Value:
            self.left -= 1
            if self.left < 0:
                raise Endless
            return at(value, free)

        return counted

    def zeta(self, value: float, side: int) -> float:
        """|zeta| at a value on one side of the estimate."""
        for known, zeta, _ in self.points:
            if known == value:
                return zeta
        ends = [self._descend(value, begin, self.hessians[side]) for begin in self._begins(value, side)]
        found = min(ends, key=lambda d: d.value.criterion)
        self.hessians[side] = found.hessian
        rise = min(found.value.criterion, self.ceiling) - self.least
        self.lowest = min(self.lowest, rise)
        good = any(d.converged and d.value.criterion - self.least < rise + _ZETA for d in ends)
        self.converged &= good or rise == self.ceiling - self.least or not np.isfinite(rise)
        zeta = float(np.sqrt(max(rise, 0.0)))
        self.points.append((value, zeta, found.x))
        return zeta

    def corrected(self, value: float, side: int) -> bool:
        """Whether a search with a Hessian taken anew, or from elsewhere, gets further down at `value`. If so, what was
        found on this side is forgotten, since it is no better.

        BFGS learns curvature only where it goes: at a singular fit it may take a nearly flat direction for a steep one.
        And with few persons there may be several minima, of which the path has followed one.
        """
        if not len(self.held.free):
            return False
        zeta, x = next(p[1:] for p in self.points if p[0] == value)
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            hessian = curvature(lambda x: self.held.at(value, x), x)
        if not np.isfinite(hessian).all():
            return False
        rng, free = np.random.default_rng(1), self.held.free
        begins = [x, *(free + 0.5 * (1 + abs(free)) * rng.standard_normal(len(free)) for _ in range(self.elsewhere))]
        if self.held.valleys is not None:
            begins += self.held.valleys(value, x)
        found = min((self._descend(value, x, hessian) for x in begins), key=lambda d: d.value.criterion)
        rise = found.value.criterion - self.least
        lower = float(np.sqrt(max(rise, 0.0)))
        if lower > zeta - 10 * _ZETA:
            return False
        self.lowest = min(self.lowest, rise)
        middle = self.held.estimate
        self.points = [p for p in self.points if side * (p[0] - middle) <= 0] + [(value, lower, found.x)]
        self.hessians[side] = found.hessian
        return True

    def _descend(self, value: float, begin: np.ndarray, hessian: np.ndarray) -> Descent[Value]:
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
        middle = self.held.estimate
        own = [p for p in self.points if side * (p[0] - middle) >= 0 and np.isfinite(p[1])]
        own.sort(key=lambda p: abs(p[0] - value))
        inward = next(x for v, _, x in own if side * (value - v) >= 0)
        begins = [inward]
        if len(own) > 1 and len(inward):
            (near, _, x), (far, _, other) = own[:2]
            further = x + float(np.clip((value - near) / (near - far), -1, 2)) * (x - other)
            begins = [further] if _is_near(further, inward) else [inward, further]
        return [_nudged(x, self.held) for x in begins]

    def curve(self) -> Curve:
        points = sorted((v, z if v > self.held.estimate else -z) for v, z, _ in self.points if np.isfinite(z))
        return Curve(np.array([self.natural(v) for v, _ in points]), np.array([z for _, z in points]))

    def natural(self, value: float) -> float:
        """The parameter itself, exact at its limits."""
        low, high = self.limits
        return low if value <= self.held.low else high if value >= self.held.high else self.held.natural(value)


def _nudged(x: np.ndarray, h: Held) -> np.ndarray:
    """Away from where the slope is 0 by symmetry."""
    middle = h.turn * np.round(x / h.turn) if h.turn else np.zeros(len(x))
    away = x - middle
    return np.asarray(np.where(np.abs(away) < h.nudges, middle + np.copysign(h.nudges, away), x))


def _is_near(a: np.ndarray, b: np.ndarray) -> bool:
    return bool((np.abs(a - b) < _NEAR * (1 + np.abs(b))).all())


def end(walk: Walk, side: int, target: float) -> float:
    """The parameter where |zeta| reaches the target on one side (-1 or 1), or its limit if it never does."""
    value = _crossing(walk, side, target)
    for _ in range(_MOST_CORRECTIONS):
        if value in (walk.held.low, walk.held.high) or not walk.corrected(value, side):
            break
        value = _crossing(walk, side, target)
    return walk.natural(value)


def _crossing(walk: Walk, side: int, target: float) -> float:
    """The end on the scale of the search: steps outward until the target is passed, then back between the last two."""
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
            return limit
        inner = value
        length *= float(np.clip(1.05 * target / max(zeta, 1e-300), 1.2, 5.0))
    else:
        return limit

    def over(v: float) -> float:
        beyond = min(walk.zeta(v, side), 2 * target) - target
        return 0.0 if abs(beyond) < _ZETA else beyond

    root = crossing(over, inner, value, 1e-12 * max(abs(inner), abs(value)))
    walk.zeta(root, side)
    return root
