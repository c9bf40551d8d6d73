"""Where a function passes zero, beside SciPy's brentq."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from sessionwise.mixed.inference.crossing import crossing

SHAPES: dict[str, Callable[[float], float]] = {
    "line": lambda x: 2 * x,
    "cubed": lambda x: x**3,
    "flat, then steep": lambda x: math.copysign(abs(x) ** 9, x),
    "steep, then flat": math.cbrt,
    "bent": lambda x: math.expm1(3 * x),
    "level": lambda x: math.atan(50 * x),
    "step": lambda x: math.copysign(1.0, x),
}
numbers = st.floats(-5, 5)


@given(st.sampled_from(sorted(SHAPES)), numbers, st.floats(1e-3, 5), st.floats(1e-3, 5), st.booleans(), st.booleans())
def test_it_is_where_brentq_finds_it(
    name: str, at: float, before: float, after: float, falls: bool, backwards: bool
) -> None:
    shape, sign = SHAPES[name], -1.0 if falls else 1.0

    def function(x: float) -> float:
        return sign * shape(x - at)

    ends = (at + after, at - before) if backwards else (at - before, at + after)
    found = crossing(function, *ends, 1e-11)
    assert found == pytest.approx(brentq(function, *ends, xtol=1e-12, maxiter=2000), abs=2e-11)


@pytest.mark.parametrize("name", SHAPES)
def test_it_needs_no_more_steps_than_halving_would_by_far(name: str) -> None:
    calls = []

    def function(x: float) -> float:
        calls.append(x)
        return SHAPES[name](x - 0.3)

    crossing(function, -1.0, 2.0, 1e-12)
    assert len(calls) <= 1.5 * math.log2(3 / 1e-12)
    assert len(calls) <= 5 or name != "line"


def test_a_value_of_zero_ends_the_search() -> None:
    calls = []

    def function(x: float) -> float:
        calls.append(x)
        return 0.0 if abs(x) < 0.5 else x

    assert abs(crossing(function, -1.0, 3.0, 0.0)) < 0.5
    assert len(calls) < 8
    assert crossing(function, 0.2, 5.0, 0.0) == 0.2
    assert crossing(function, -5.0, 0.1, 0.0) == 0.1


def test_no_tolerance_ends_at_neighbouring_numbers() -> None:
    found = crossing(lambda x: x * x - 2.0, 0.0, 2.0, 0.0)
    assert found == pytest.approx(math.sqrt(2), rel=1e-15)


@pytest.mark.parametrize("ends", [(1.0, 2.0), (-2.0, -1.0), (math.nan, 1.0)])
def test_without_a_change_of_sign_it_stops(ends: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="the sign does not change"):
        crossing(lambda x: x, *ends, 1e-9)
