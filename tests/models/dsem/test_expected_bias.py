"""The frozen table of expected bias: what it has, lines between, and the line of the printout."""

from __future__ import annotations

from itertools import product

import pytest

import sessionwise as sw
from sessionwise.models.dsem.expected_bias import ROWS, expected, expected_bias_said

SESSIONS, FIRST = (4, 6, 8, 12, 20), ("own", "stationary", "previous", "given")


def test_every_cell_is_there_once() -> None:
    cells = [(r.error, r.first, r.sessions) for r in ROWS if r.begins == "stationary"]
    assert sorted(cells) == sorted(product((False, True), FIRST, SESSIONS))
    for row in ROWS:
        for bias in (row.autoregressions, row.forward, row.reverse):
            assert bias.se > 0
            assert 0 <= bias.covers <= 1


def test_the_default_is_the_first_session_that_is_right_wherever_the_process_begins() -> None:
    """The default's autoregressions are within 3 Monte Carlo errors and .03; each other's are off somewhere."""
    own = [r for r in ROWS if r.first == sw.DSEM(("y ~ lag(y)",)).first and not r.error]
    assert all(abs(r.autoregressions.value) < 3 * r.autoregressions.se + 0.03 for r in own)
    for other in FIRST[1:]:
        rows = [r for r in ROWS if r.first == other and not r.error]
        assert any(abs(r.autoregressions.value) > 3 * r.autoregressions.se + 0.03 for r in rows), other


@pytest.mark.parametrize("first", FIRST)
def test_lines_between_and_the_ends_beyond(first: str) -> None:
    rows = {r.sessions: r for r in ROWS if (r.begins, r.error, r.first) == ("stationary", False, first)}
    for sessions, row in rows.items():
        assert expected(first, False, sessions) == pytest.approx((row.autoregressions.value, row.forward.value))
    middle = (rows[8].autoregressions.value + rows[12].autoregressions.value) / 2
    assert expected(first, False, 10)[0] == pytest.approx(middle)
    assert expected(first, False, 2) == expected(first, False, 4)
    assert expected(first, False, 99) == expected(first, False, 20)


def test_the_printout_says_it_of_models_like_those_of_the_study() -> None:
    model = sw.DSEM.reciprocal("y", "w", course=None, random="none", first="given")
    panel = model.simulate({"y ~ lag(y)": 0.3, "sd(y)": 1.0, "sd(w)": 1.0}, 40, 6)
    fit = model.fit(panel, size=10, chains=2, most=100)
    said = expected_bias_said(fit)
    assert said.startswith("With 6.0 sessions a person and first='given', expected bias: autoregressions +0.3")
    assert said in " ".join(str(fit).split())
    assert not expected_bias_said(sw.DSEM.reciprocal("y", "w", priors="mplus").fit(panel, size=10, most=100))
