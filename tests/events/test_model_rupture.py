"""ModelRupture: its predictions, its false-alarm rate, online."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from sessionwise.events.null_course import NullCourse, time_of
from sessionwise.events.one_step import one_step
from sessionwise.events.rates import false_alarms
from sessionwise.events.series import Series, rated

COURSE = NullCourse("linear", 20.0, -0.5, 4.0, 0.4, -0.3, 2.5, 0.4)


def panel(rows: list[tuple[int, int, float]]) -> sw.Panel:
    table = pl.DataFrame(rows, schema=["person", "session", "y"], orient="row")
    return sw.Panel(table, person="person", session="session")


def one(values: list[float], sessions: list[int]) -> Series:
    return Series(np.array([values], float), np.array([sessions], np.int64))


def test_predictions_are_those_of_the_joint_normal_distribution() -> None:
    values, sessions = [22.0, 18.0, 25.0, 15.0, 16.0], np.array([2, 3, 6, 7, 9])
    mean, sd = one_step(COURSE, one(values, sessions.tolist()))
    elapsed = (sessions - 2).astype(float)
    z = np.column_stack([np.ones(5), time_of("linear", elapsed)])
    cross = COURSE.together * COURSE.sd_start * COURSE.sd_slope
    between = np.array([[COURSE.sd_start**2, cross], [cross, COURSE.sd_slope**2]])
    v = z @ between @ z.T + COURSE.sd**2 * COURSE.autocorrelation ** np.abs(elapsed[:, None] - elapsed)
    m = z @ [COURSE.start, COURSE.slope]
    for k in range(5):
        weights = np.linalg.solve(v[:k, :k], v[:k, k])
        assert mean[0, k] == pytest.approx(m[k] + weights @ (np.array(values)[:k] - m[:k]))
        assert sd[0, k] ** 2 == pytest.approx(v[k, k] - weights @ v[:k, k])


def test_what_it_says_of_a_session_needs_no_later_one() -> None:
    rng = np.random.default_rng(4)
    values = 20 + 3 * rng.standard_normal((200, 1)) + 2 * rng.standard_normal((200, 10))
    series = Series(values, np.tile(np.arange(1, 11), (200, 1)))
    detector = sw.ModelRupture("y", better="higher", reference=replace(COURSE, slope=0.0), least_bits=6.0)
    whole, early = (detector.find(s) for s in (series, series.rows(slice(None))))
    early = detector.find(Series(values[:, :6], series.sessions[:, :6]))
    there = whole.turning <= 6
    assert 0 < there.sum() < len(whole)
    np.testing.assert_array_equal(whole.turning[there], early.turning)
    np.testing.assert_allclose(whole.more["bits"][there], early.more["bits"])


@pytest.mark.parametrize(
    ("after", "repair", "end"),
    [([20.0, 20.0], "repaired", 5), ([15.5, 15.0], "partly repaired", 5), ([10.5, 10.5, 10.5], "unrepaired", 5),
     ([10.0], "open", 4)],
)  # fmt: skip
def test_repair(after: list[float], repair: str, end: int) -> None:
    values = [20.0, 20.0, 20.0, 10.0, *after]
    course = NullCourse("flat", 20.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0)
    detector = sw.ModelRupture("y", better="higher", reference=course, least_bits=8.0, within=2)
    found = detector.find(one(values, list(range(1, len(values) + 1))))
    assert found.turning[0] == 4
    assert found.start[0] == 3
    assert found.end[0] == end
    assert found.more["repair"][0] == repair
    assert found.magnitude[0] == pytest.approx(10.0)


@pytest.mark.parametrize("bounded", [False, True])
def test_false_alarms_are_as_many_as_asked_for(bounded: bool) -> None:
    """Flat, whole numbers, a fifth at the ceiling or none: 8 to 12 % of treatments at a nominal 10 %."""
    rng = np.random.default_rng(11)
    y = 45 + 6 * rng.standard_normal((800, 1)) + 4 * rng.standard_normal((800, 8))
    y = np.minimum(np.round(y), 52.0) if bounded else y
    person, place = np.divmod(np.arange(y.size), 8)
    data = panel(list(zip(person.tolist(), (place + 1).tolist(), y.ravel().tolist(), strict=True)))
    settled = sw.ModelRupture("y", better="higher").settled(data, rated(data, "y"))
    share = len(settled.find(rated(data, "y")).persons) / 800
    assert abs(share - 0.10) < 0.03  # three Monte Carlo errors of 800 persons, .011
    alarms = false_alarms(settled, data, patients=4000)
    assert all(0.08 < alarm.share < 0.12 for alarm in alarms.alarms)


def test_impossible_settings_are_refused() -> None:
    for wrong in ({"false_alarms": 0.0}, {"false_alarms": 1.0}, {"part": 2.0}, {"better": "up"}, {"within": 0}):
        with pytest.raises(sw.ModelError):
            sw.ModelRupture("y", **wrong)
