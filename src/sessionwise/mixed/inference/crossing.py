"""Crossing: where a continuous function of one number passes zero, between two points on either side of it.

Chandrupatla's method (1997, Adv Eng Softw 28(3), 145-149): inverse quadratic interpolation through the last three
points where these lie so that it can be trusted, halving where they do not. It is here because SciPy's brentq brings
SciPy, which a description of the data does without.
"""

from __future__ import annotations

import math
from collections.abc import Callable

#: Halving alone needs no more for any two numbers and any tolerance that can be reached.
_MOST_STEPS = 2200


def crossing(function: Callable[[float], float], low: float, high: float, tolerance: float) -> float:
    """A zero of `function` between `low` and `high`, or a point no further than `tolerance` from one.

    A value of exactly 0 ends the search at once, so that a function may call what is small enough 0.

    Raises
    ------
    ValueError : no change of sign between the two, or no number at one of them.
    """
    new, at_new, other, at_other = low, function(low), high, function(high)
    if at_new == 0 or at_other == 0:
        return new if at_new == 0 else other
    if math.isnan(at_new + at_other) or (at_new < 0) == (at_other < 0):
        raise ValueError(f"the sign does not change between {low} and {high}: {at_new} and {at_other}.")
    part = at_new / (at_new - at_other)  # of the way from the newest point to the other: first by the secant
    for _ in range(_MOST_STEPS):
        width = abs(other - new)
        least = max(tolerance, 4 * math.ulp(max(abs(new), abs(other)))) / width
        if least >= 0.5:
            break
        point = new + min(max(part, least), 1 - least) * (other - new)
        at_point = function(point)
        if at_point == 0:
            return point
        if (at_point < 0) == (at_new < 0):
            before, at_before = new, at_new
        else:
            before, at_before, other, at_other = other, at_other, new, at_new
        new, at_new = point, at_point
        part = _part((new, at_new), (other, at_other), (before, at_before))
    return new if abs(at_new) < abs(at_other) else other


_Point = tuple[float, float]


def _part(new: _Point, other: _Point, before: _Point) -> float:
    """How far to go from the newest point towards the other, on whose side of zero `before` is not or was not."""
    (a, fa), (b, fb), (c, fc) = new, other, before
    xi, phi = (a - b) / (c - b), (fa - fb) / (fc - fb)
    if not (phi * phi < xi and (1 - phi) ** 2 < 1 - xi):  # nor is it with a number that is not finite
        return 0.5
    return fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
