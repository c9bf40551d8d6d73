"""Each diagnostic alarms on data made to have its fault, and not on data made without."""

from __future__ import annotations

from functools import cache

import pytest

import sessionwise as sw
from helpers.two_scores import NULL, Shape, panel_of, two_scores
from sessionwise.study.parts.diagnostics import diagnostics
from sessionwise.study.parts.drop_out import leaving
from sessionwise.study.parts.headline import LEVEL, net_effects
from sessionwise.study.records import Diagnostic, NotAnswered
from sessionwise.study.study_data import StudyData, setting

#: What each diagnostic is to find: the shape of the data, persons, and the trend that the study asks for.
FAULTS = {
    "course": (Shape(course=3.0), 80, "linear"),
    "own-trends": (Shape(own=0.3), 80, "free"),
    "stay": (Shape(stay=-0.5), 150, "free"),
    "drop-out": (Shape(leaving=1.5), 80, "free"),
}
STUDIES = 8


def made_of(given: StudyData) -> tuple[Diagnostic, ...]:
    left = leaving(given)
    return diagnostics(given, net_effects(given, left), left if isinstance(left, NotAnswered) else left.model)


@cache
def seen(seed: int, shape: Shape, persons: int, trend) -> dict[str, Diagnostic]:
    given = setting(
        sw.Study("y", "w", trend=trend, dynamic=False), panel_of(two_scores(seed, shape, persons=persons)), 1
    )
    return {one.key: one for one in made_of(given)}


@pytest.mark.parametrize("key", FAULTS)
def test_alarms_where_the_fault_is(key):
    found = [seen(seed, *FAULTS[key])[key] for seed in range(STUDIES)]
    assert sum(one.alarm for one in found) >= STUDIES - 1
    for one in found:
        assert one.alarm == (one.p < LEVEL)
        assert one.question.endswith("?")
        assert f"χ²({one.df}) = " in one.words


@pytest.mark.parametrize("key", FAULTS)
def test_is_quiet_where_nothing_is_wrong(key):
    """2 of 8 alarms at the level of .01 are 0.3 % by chance."""
    trend = FAULTS[key][2]
    found = [seen(seed, NULL, 80, trend)[key] for seed in range(STUDIES)]
    assert sum(one.alarm for one in found) <= 1
    assert "not shown" in next(one.words for one in found if not one.alarm)


def test_a_free_course_is_not_tested_against_itself():
    assert "course" not in seen(0, NULL, 80, "free")
    assert "course" in seen(0, NULL, 80, "linear")


def test_alarms_say_what_it_means():
    words = {
        key: next(one.words for seed in range(STUDIES) if (one := seen(seed, *fault)[key]).alarm)
        for key, fault in FAULTS.items()
    }
    assert "is not a straight line, and that makes effects" in words["course"]
    assert "Take the course as free" in words["course"]
    assert "deviations from each person's own line" in words["own-trends"]
    assert "Effects go with how long persons stay" in words["stay"]
    assert "Who leaves is told by the last scores" in words["drop-out"]


def test_few_persons_are_not_halved():
    given = setting(sw.Study("y", "w", dynamic=False), panel_of(two_scores(0, NULL, persons=30)), 1)
    assert "stay" not in {one.key for one in made_of(given)}


def test_another_lag_has_drop_out_alone():
    given = setting(sw.Study("y", "w", lag=2, dynamic=False), panel_of(two_scores(0)), 1)
    assert {one.key for one in made_of(given)} == {"drop-out"}
