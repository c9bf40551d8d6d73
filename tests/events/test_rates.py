"""Rates of false alarms and hits against what is known of them, within Monte Carlo error."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

import sessionwise as sw
from sessionwise.events.null_course import NullCourse, drawn, fitted_course
from sessionwise.events.rates import _as_panel
from sessionwise.events.series import Series

#: Monte Carlo errors that a rate may be off.
ERRORS = 4


def grid(persons: int, sessions: int, skipped: float = 0.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Session numbers, and where there are any; persons skip some of them."""
    rng = np.random.default_rng(seed)
    there = rng.random((persons, sessions)) >= skipped
    there[:, 0] = True
    order = np.argsort(~there, axis=1, kind="stable")
    numbers = np.tile(np.arange(1, sessions + 1), (persons, 1))
    return np.take_along_axis(numbers, order, 1), np.take_along_axis(there, order, 1)


def test_reliable_change_by_chance_is_what_its_normal_distribution_says() -> None:
    """Two ratings that differ by error alone, the SD of the norm and the true reliability: 5 % beyond 1.96."""
    for r in (0.7, 0.95):
        rule = sw.ReliableChange("y", reliability=r, norm=(0.0, 1.0))
        (rate,) = sw.error_rates(rule, sw.Setting(sessions=2, reliability=r), size=-1.0, patients=20_000)
        assert abs(rate.false_alarm - 2 * norm.sf(1.96)) < ERRORS * rate.false_alarm_se
        assert math.isnan(rate.hit)  # two sessions have no place for an event


def test_false_alarms_at_the_data_are_the_rate_in_such_data() -> None:
    """A detector on courses without any event: what is expected is what is found, in 3 x 4 cases."""
    sessions, known = grid(3000, 10, 0.1)
    for shape, slope in (("flat", 0.0), ("linear", -0.8), ("log-linear", -3.0)):
        course = NullCourse(shape, 26.0, slope, 5.0, 0.0, 0.0, 3.0, 0.2)  # type: ignore[arg-type]
        panel = _as_panel(drawn(course, sessions, known, np.random.default_rng(5)), "y")
        for rule in (
            sw.SuddenGain("y", cutoff=6.0),
            sw.SuddenGain("y", cutoff=6.0, stability="own-sd"),
            sw.RuptureRepair("y", course="trend"),
            sw.RuptureRepair("y", spread="sample", thresholds=(2.0,)),
        ):
            found = sw.detect(panel, rule, patients=3000)
            assert found.false_alarms is not None
            alarm = found.false_alarms[shape if shape != "flat" else "linear"]
            share = found.counts.with_events / found.counts.persons
            # the parameters are estimated: one Monte Carlo error of each sample, and 1.5 % for them
            assert abs(share - alarm.share) < ERRORS * alarm.se + 0.015


@pytest.mark.parametrize("phi", [-0.2, 0.0, 0.4])
@pytest.mark.parametrize("sessions", [6, 12])
def test_a_course_is_found_again(phi: float, sessions: int) -> None:
    """With few and skipped sessions too; errors are those of 1,500 persons."""
    true = NullCourse("linear", 20.0, -0.5, 5.0, 0.4, -0.3, 3.0, phi)
    numbers, known = grid(1500, sessions, 0.15)
    made, _ = fitted_course(drawn(true, numbers, known, np.random.default_rng(6)), "linear")
    assert made.start == pytest.approx(20, abs=0.6)
    assert made.slope == pytest.approx(-0.5, abs=0.06)
    assert made.sd_start == pytest.approx(5, abs=0.5)
    assert made.sd_slope**2 == pytest.approx(0.16, abs=0.12)  # four errors of it with 6 sessions and φ = .4
    assert made.sd == pytest.approx(3, abs=0.15)
    assert made.autocorrelation == pytest.approx(phi, abs=0.08)


def test_gradual_change_alone_makes_many_gainers() -> None:
    """The order of Vittengl et al. (2015, Table 2): more with less reliability, more sessions, gradual change.

    Their simulation is not known to us: errors independent, BDI 30 (8), no change or a fall of 20. The share of gainers
    by 1.5 own SDs without change, for which nothing else matters much, is near theirs: .106, .348, .520.
    """

    def rate(rule: sw.SuddenGain, **setting: float | str | int) -> float:
        case = sw.Setting(**({"mean": 30.0, "sd": 8.0} | setting))  # type: ignore[arg-type]
        return sw.error_rates(rule, case, size=-10.0, patients=10_000)[0].false_alarm

    own = sw.SuddenGain("bdi", cutoff=7, stability="own-sd")
    for r, theirs in ((0.9, 0.106), (0.8, 0.348), (0.7, 0.520)):
        assert rate(own, reliability=r) == pytest.approx(theirs, abs=0.04)
    usual = sw.SuddenGain("bdi", cutoff=7, stability="t-test")
    assert rate(usual, reliability=0.9) < rate(usual, reliability=0.8) < rate(usual, reliability=0.7)
    assert rate(usual, sessions=10) < rate(usual, sessions=20)
    fall: dict[str, float | str] = {"change": -20.0, "course": "linear"}
    assert rate(usual) < rate(usual, **fall)
    assert rate(usual) < rate(usual, **(fall | {"course": "log-linear"}))


def test_larger_events_are_found_more_often() -> None:
    rules = [sw.SuddenGain("y", cutoff=1.0), sw.RuptureRepair("y")]
    small, large = (sw.error_rates(rules, sw.Setting(), size=-size, patients=2000) for size in (0.5, 2.0))
    for one, other in zip(small, large, strict=True):
        assert one.hit + ERRORS * one.hit_se < other.hit
        assert one.false_alarm == other.false_alarm


def test_many_settings_and_few_sessions() -> None:
    settings = [
        sw.Setting(sessions=n, reliability=r, course=course, change=-1.0)  # type: ignore[arg-type]
        for n in (4, 20)
        for r in (0.7, 0.95)
        for course in ("flat", "linear", "log-linear")
    ]
    rates = sw.error_rates([sw.SuddenGain("y", cutoff=1.0), sw.ControlChart("y")], settings, size=-2.0, patients=200)
    assert len(rates) == 24
    assert all(0 <= rate.false_alarm <= 1 and rate.false_alarm_se > 0 for rate in rates)
    assert {math.isnan(rate.hit) for rate in rates if rate.setting.sessions == 4} == {True}


def test_what_is_no_setting_is_refused() -> None:
    with pytest.raises(sw.ModelError, match="Setting"):
        sw.error_rates(sw.SuddenGain("y", cutoff=1.0), [sw.Setting(), 3], size=1.0)  # type: ignore[list-item]
    with pytest.raises(sw.ModelError, match="reliability"):
        sw.Setting(reliability=2.0)


def test_persons_without_ratings_are_not_drawn() -> None:
    values = np.full((50, 6), np.nan)
    values[:10] = np.random.default_rng(1).standard_normal((10, 6))
    series = Series(values, np.where(np.isfinite(values), np.arange(1, 7), 0))
    found = sw.false_alarms(sw.RuptureRepair("y"), _as_panel(series, "y"), patients=200)
    assert found["flat"].share > 0
