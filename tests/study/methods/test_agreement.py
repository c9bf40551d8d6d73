"""Whether methods agree, by distances in standard errors of a difference in the same data, and in words."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

import sessionwise as sw
from helpers.demo import panel, result
from helpers.two_scores import panel_of, two_scores
from sessionwise.study.methods.agreement import LEVEL, MOST_ALIKE, agreement, distance
from sessionwise.study.records import Assumptions, Estimate, NotAnswered, SensitivityRow
from sessionwise.study.study_data import setting

NONE = NotAnswered("it", "It cannot.", "")


@cache
def given():
    return setting(sw.Study("core_om", "wai_sr", dynamic=False), panel(), 1)


def made(i: int, value: float | None, se: float = 0.05, bias: float | None = 0.0) -> SensitivityRow:
    """A method with the same estimate in both directions, or none."""
    e = NONE if value is None else Estimate(value, se, value - 2 * se, value + 2 * se, None, 0.5)
    return SensitivityRow(
        f"m{i}", f"Method {i}", Assumptions(f"means {i}", "t", "l", "r", "s"), e, e, bias, bias, 9, 99
    )


def beside(first: SensitivityRow, *others: SensitivityRow) -> tuple[SensitivityRow, ...]:
    """With their distances."""
    told = (distance(first, row, "forward") for row in others)
    return (first, *(replace(row, apart_forward=d, apart_reverse=d) for row, d in zip(others, told, strict=True)))


# --- distances ----------------------------------------------------------------------------------


def test_the_better_of_two_decides_the_covariance():
    """Var(b - a) = Var(b) - Var(a) where a is as good as can be (Hausman 1978)."""
    far = distance(made(0, -0.2, 0.03), made(1, -0.1, 0.05), "forward")
    assert far == pytest.approx(0.1 / 0.04)
    assert distance(made(0, -0.2, 0.05), made(1, -0.1, 0.03), "forward") == pytest.approx(0.1 / 0.04)


def test_no_two_are_taken_as_all_but_the_same():
    far = distance(made(0, -0.2, 0.05), made(1, -0.1, 0.05), "reverse")
    assert far == pytest.approx(0.1 / (0.05 * math.sqrt(2 - 2 * MOST_ALIKE)))


def test_without_the_bias_that_is_known():
    assert distance(made(0, -0.2), made(1, -0.1, bias=0.1), "forward") == pytest.approx(0, abs=1e-12)
    assert distance(made(0, -0.2, bias=None), made(1, -0.1, bias=None), "forward") > 0
    # what is known of one alone: not of one thing
    assert distance(made(0, -0.2), made(1, -0.1, bias=None), "forward") is None


def test_nothing_to_compare_with():
    assert distance(made(0, -0.2), made(1, None), "forward") is None
    assert distance(made(0, -0.2, 0.0), made(1, -0.1), "forward") is None


# --- in words -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "agree", "words"),
    [
        (((-0.2, 0.05), (-0.25, 0.05)), True, "Methods agree on WAI-SR → next CORE-OM: −0.25 to −0.20 within-person"),
        (((0.01, 0.05), (-0.02, 0.05)), True, "none farther from the first than the same data allow"),
        (((-0.2, 0.05), (0.2, 0.05)), False, "Method 1 gives 0.20 [0.10, 0.30]"),
        # One is clear of zero and the other is not: no contradiction by itself.
        (((-0.2, 0.05), (-0.12, 0.075)), True, "the least certain is Method 1, −0.12 [−0.27, 0.03]"),
        # As near to each other, and both sure of it: a contradiction in the same data.
        (((-0.2, 0.02), (-0.12, 0.021)), False, "standard errors of a difference in the same data away"),
        (((-0.2, 0.025), (-0.5, 0.025)), False, "Method 1 gives −0.50 [−0.55, −0.45]"),
        (((-0.1, 0.075), (-0.2, 0.06)), True, "the least certain is Method 0"),
    ],
)
def test_agreement(values, agree, words):
    rows = beside(*(made(i, *value) for i, value in enumerate(values)))
    for found in agreement(given(), rows):
        assert found.agree is agree
        assert found.words.startswith("Methods agree on" if agree else "Methods disagree on")
    found = agreement(given(), rows)[0]
    assert words in found.words
    if not agree:
        assert "Method 0 gives" in found.words
        assert "it differs in person means (means 1, not means 0)" in found.words


def test_a_known_bias_is_said_beside_a_disagreement():
    rows = beside(made(0, -0.2, 0.02), made(1, 0.2, 0.02, bias=0.01))
    assert "expected to be off by 0.010 because of few sessions" in agreement(given(), rows)[0].words
    small = beside(made(0, -0.2, 0.02), made(1, 0.2, 0.02, bias=0.001))
    assert "expected to be off" not in agreement(given(), small)[0].words


def test_the_level_is_shared_by_all_comparisons():
    """Of two comparisons (one method, both directions) the level is in two halves; of twenty, in twentieths."""
    for others, limit in ((1, 2.8070), (10, 3.4808)):
        for far, agree in ((limit - 0.01, True), (limit + 0.01, False)):
            rows = [made(i, -0.2) for i in range(others + 1)]
            rows = [rows[0], *(replace(row, apart_forward=0.0, apart_reverse=0.0) for row in rows[1:])]
            rows[1] = replace(rows[1], apart_forward=far)
            forward, reverse = agreement(given(), tuple(rows))
            assert forward.agree is agree
            assert reverse.agree
    assert LEVEL == 0.01


def test_nothing_to_compare():
    found = agreement(given(), (made(0, -0.2),))
    assert found[0].agree
    assert found[0].words.startswith("No comparison of methods")
    found = agreement(given(), beside(made(0, -0.2), made(1, None), made(2, -0.21)))
    assert found[0].agree
    assert found[0].words.endswith("Not answered: Method 1.")


# --- in studies ---------------------------------------------------------------------------------


def test_distances_are_those_of_the_table():
    first, *others = result().sensitivity.rows
    for row in others:
        assert row.apart_forward == distance(first, row, "forward")
        assert row.apart_reverse == distance(first, row, "reverse")
    known = {row.key for row in others if row.apart_forward is not None}
    assert known >= {"mlm", "own-trend", "riclpm", "dpm", "first-sessions", "complete-cases", "no-cluster"}


def test_methods_agree_where_nothing_is_wrong():
    """At 5 %, 3 of 12 studies or more by chance: 2 %; the comparisons are of few persons."""
    found = [sw.Study("y", "w", dynamic=False).run(panel_of(two_scores(seed))).sensitivity for seed in range(12)]
    assert np.mean([s.agree for s in found]) >= 9 / 12
