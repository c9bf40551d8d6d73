"""What is nothing but rounding of the numbers it was made from is zero, however it was made."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sessionwise as sw
from sessionwise.designs.values import Source, value
from sessionwise.formula import parse_formula

#: Expressions that are zero, or the same in all sessions of a person, whatever x is; base does not change within
#: persons, line is a line over sessions.
ZERO = (
    "within(base)",
    "within(between(x))",
    "between(within(x))",
    "between(detrend(x))",
    "detrend(line)",
    "detrend(base)",
    "within(within(between(x)))",
    "within(I(base * 3))",
    "within(log(base))",
    "within(I(base - between(base)))",
    "I(x + base - base - x)",
    "within(I(within(x) - within(x)))",
    "lag(within(base))",
    "within(lag(base))",
    "within(sqrt(base))",
    "within(I(base^2))",
    "within(I(1 / base))",
    "within(I(1 / (base + 1)))",
)


def _panel(offset: float, scale: float, seed: int) -> sw.Panel:
    rng = np.random.default_rng(seed)
    n, t = 12, 7
    p, s = np.repeat(np.arange(n), t), np.tile(np.arange(1, t + 1), n)
    base = (abs(offset) + 1 + rng.random(n)) * scale
    own = rng.normal(size=n)
    columns = {
        "p": p,
        "s": s,
        "x": (offset + rng.normal(size=len(p))) * scale,
        "base": base[p],
        "line": (offset + own[p] + 0.1 * own[::-1][p] * s) * scale,
        "y": rng.normal(size=len(p)),
    }
    return sw.Panel(pl.DataFrame(columns), person="p", session="s")


@pytest.mark.parametrize("text", ZERO)
@given(
    offset=st.sampled_from([0.0, 0.1, 17.3, 1e4, -1e6]), scale=st.sampled_from([1e-6, 1.0, 1e5]), seed=st.integers(0, 5)
)
def test_is_zero(text: str, offset: float, scale: float, seed: int) -> None:
    panel = _panel(offset, scale, seed)
    expression = parse_formula(f"y ~ {text}").variables[1]
    found = np.asarray(value(expression, Source(panel)))
    assert np.all((found == 0) | np.isnan(found))


@given(offset=st.sampled_from([0.0, 17.3, 1e4]), scale=st.sampled_from([1e-6, 1.0, 1e5]), seed=st.integers(0, 5))
def test_what_varies_is_kept(offset: float, scale: float, seed: int) -> None:
    panel = _panel(offset, scale, seed)
    for text in ("within(x)", "detrend(x)", "I(x - base)", "within(lag(x))", "within(I(x * base))"):
        found = np.asarray(value(parse_formula(f"y ~ {text}").variables[1], Source(panel)))
        assert np.count_nonzero(found[~np.isnan(found)]) == np.count_nonzero(~np.isnan(found))


@pytest.mark.parametrize("text", [*ZERO[:9], "x:within(base)", "C(s):within(base)"])
def test_no_coefficient_of_rounding(text: str) -> None:
    panel = _panel(17.3, 1.0, 3)
    fit = sw.MLM(f"y ~ x + {text} + (1 | p)").fit(panel)
    plain = sw.MLM("y ~ x + (1 | p)").fit(panel)
    if text.startswith(("lag", "within(lag")):  # other rows
        assert text not in fit.terms
        return
    assert fit.terms == plain.terms
    assert fit.aic == pytest.approx(plain.aic)


def test_large_session_numbers_lose_no_digit() -> None:
    x = np.random.default_rng(1).normal(size=84)
    p, s = np.repeat(np.arange(12), 7), np.tile(np.arange(1, 8), 12)
    panels = [sw.Panel(pl.DataFrame({"p": p, "s": s + far, "x": x}), person="p", session="s") for far in (0, 90_000)]
    found = [np.asarray(value(parse_formula("y ~ detrend(x)").variables[1], Source(one))) for one in panels]
    np.testing.assert_array_equal(found[0], found[1])
