"""The expected course: against the normal distribution written out, what it says of itself, and bad input."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from sessionwise.events.expected_course.gaussian import Growth, Ratings, given, next_rating


def simulated(persons: int, seed: int, *, sessions: int = 10, drop: bool = False) -> sw.Panel:
    """A growth model in log time with AR(1); with `drop`, who was rated ill is more likely to stay away."""
    rng = np.random.default_rng(seed)
    u = rng.multivariate_normal([0, 0], [[25, -4], [-4, 4]], persons)
    e = np.zeros((persons, sessions))
    e[:, 0] = rng.normal(0, 3.5, persons)
    for k in range(1, sessions):
        e[:, k] = 0.3 * e[:, k - 1] + rng.normal(0, 3.5 * np.sqrt(1 - 0.3**2), persons)
    y = 20 + u[:, :1] + (-3 + u[:, 1:]) * np.log1p(np.arange(sessions)) + e
    keep = np.ones(y.shape, bool)
    for k in range(2, sessions if drop else 0):
        keep[:, k] = keep[:, k - 1] & (rng.random(persons) > 1 / (1 + np.exp(2.2 - 0.12 * (y[:, k - 1] - 16))))
    who, at = np.nonzero(keep)
    frame = pl.DataFrame({"person": who, "session": at + 1, "y": y[keep], "age": rng.normal(40, 9, persons)[who]})
    return sw.Panel(frame, person="person", session="session")


def of(ratings: list[float], person: int = 1, column: str = "y") -> sw.Panel:
    frame = pl.DataFrame(
        {"person": person, "session": range(1, len(ratings) + 1), column: np.asarray(ratings, np.float64)}
    )
    return sw.Panel(frame, person="person", session="session")


@pytest.fixture(scope="module")
def reference() -> sw.Panel:
    return simulated(300, 1)


@pytest.fixture(scope="module")
def course(reference: sw.Panel) -> sw.LearnedCourse:
    return sw.ExpectedCourse("y").fit(reference)


# --- the numbers -------------------------------------------------------------------------------------


def test_conditioning_is_that_of_the_normal_distribution_with_the_errors_of_coefficients() -> None:
    """Errors of the coefficients as one more random effect: the whole covariance, conditioned by Schur complement."""
    session = np.array([[0, 1, 3, 4]])
    time = np.log1p(session.astype(float))
    x = np.stack([np.ones_like(time), time], axis=2)
    y = np.array([[21.0, 19.0, 20.0, 14.0]])
    vcov = np.array([[0.4, -0.1], [-0.1, 0.2]])
    growth = Growth(np.array([20.0, -3.0]), vcov, np.array([[25.0, -4.0], [-4.0, 4.0]]), 3.0, -0.4)
    apart = np.abs(session[0][:, None] - session[0])
    whole = x[0] @ (growth.between + vcov) @ x[0].T + 9.0 * (-0.4) ** apart
    # known coefficients for the mean: errors enter the variance alone
    sure = x[0] @ growth.between @ x[0].T + 9.0 * (-0.4) ** apart
    ratings = Ratings(y, x, time, session, np.ones((1, 4), bool))
    found = next_rating(growth, ratings)
    for k in range(4):
        gain = sure[k, :k] @ np.linalg.inv(sure[:k, :k]) if k else np.zeros(0)
        assert found.mean[0, k] == pytest.approx(x[0, k] @ growth.beta + gain @ (y[0, :k] - x[0, :k] @ growth.beta))
        weights = np.zeros(4)
        weights[k], weights[:k] = 1.0, -gain
        assert found.sd[0, k] ** 2 == pytest.approx(weights @ whole @ weights)
        seen = np.arange(4)[None] < k
        again = given(growth, ratings, seen)
        assert again.mean[0, k] == pytest.approx(found.mean[0, k])
        assert again.sd[0, k] == pytest.approx(found.sd[0, k])
        assert (again.sd[0, :k] == 0).all()


def test_the_simulated_growth_is_found(course: sw.LearnedCourse) -> None:
    g = course.growth
    assert np.abs(g.beta - [20, -3]).max() < 4 * np.sqrt(g.vcov.diagonal()).max()
    assert g.sigma == pytest.approx(3.5, rel=0.15)
    assert g.phi == pytest.approx(0.3, abs=0.15)


@pytest.mark.parametrize("drop", [False, True])
def test_bands_hold_what_they_say(drop: bool) -> None:
    """400 persons: standard error of the coverage below .01, four of them allowed."""
    found = sw.ExpectedCourse("y").validate(simulated(400, 2, drop=drop), folds=5)
    error = (found.coverage.high - found.coverage.low) / 3.92
    assert error < 0.01
    assert abs(found.coverage.value - 0.80) < 4 * error


@pytest.mark.slow
@pytest.mark.parametrize("drop", [False, True])
@pytest.mark.parametrize("seed", [11, 12, 13])
@pytest.mark.parametrize("shape", ["log", "free"])
def test_bands_of_2000_patients_hold_78_to_82_percent(drop: bool, seed: int, shape: str) -> None:
    found = sw.ExpectedCourse("y", shape=shape).validate(simulated(2000, seed, sessions=12, drop=drop))
    assert 0.78 <= found.coverage.value <= 0.82


@pytest.mark.parametrize("options", [{"shape": "linear"}, {"shape": "free"}, {"covariates": ("age",)}])
def test_shapes_and_covariates(reference: sw.Panel, options: dict[str, object]) -> None:
    course = sw.ExpectedCourse("y", residual="independent", **options).fit(reference)
    assert course.mean_course[0] > course.mean_course[-1]
    assert course.track(reference).counts["on track"] > 150


# --- status ------------------------------------------------------------------------------------------


def test_status_and_since(course: sw.LearnedCourse) -> None:
    change = course.described.reliable_change
    assert change is not None
    tracked = course.track(of([20, 17, 20 + change, 20 + change + 1, 12]))
    columns = tracked.columns()
    assert columns["status"] == ["baseline", "on track", "reliably worse", "reliably worse", "on track"]
    assert columns["since"] == [None, None, 3, 3, None]
    assert columns["low"][1] < 17 < columns["high"][1]
    assert np.isnan(columns["low"][0])
    between = columns["course_high"][3] + 0.1
    assert course.track(of([20, 17, 16, between])).columns()["status"][-1] == "not on track"


def test_higher_may_be_better(reference: sw.Panel, course: sw.LearnedCourse) -> None:
    frame = reference.to_frame().with_columns(y=-pl.col("y"))
    mirror = sw.ExpectedCourse("y", better="higher").fit(sw.Panel(frame, person="person", session="session"))
    ratings = [20.0, 25.0, 30.0, 18.0, 15.0]
    one, other = course.track(of(ratings)).columns(), mirror.track(of([-r for r in ratings])).columns()
    assert one["status"] == other["status"]
    assert np.allclose(np.array(one["high"][1:]), -np.array(other["low"][1:]), rtol=1e-4)


def test_a_band_does_not_know_later_ratings(course: sw.LearnedCourse) -> None:
    short, long = course.track(of([20, 18, 17])).columns(), course.track(of([20, 18, 17, 30, 2])).columns()
    for name in ("expected", "low", "high", "course", "course_low", "course_high"):
        assert np.allclose(long[name][1:3], short[name][1:])


def test_bands_stay_within_the_scale(reference: sw.Panel) -> None:
    tracked = sw.ExpectedCourse("y", limits=(10.0, 22.0)).fit(reference).track(reference)
    low, high = tracked.following.low, tracked.following.high
    assert np.nanmin(low) == 10.0
    assert np.nanmax(high) == 22.0


def test_skipped_sessions_count(course: sw.LearnedCourse) -> None:
    frame = pl.DataFrame({"person": 1, "session": [3, 4, 8], "y": [20.0, 18.0, 17.0]})
    skipped = course.track(sw.Panel(frame, person="person", session="session")).columns()
    whole = course.track(of([20, 18, 17, 17, 17, 17])).columns()
    assert skipped["course"][1:] == pytest.approx([whole["course"][1], whole["course"][5]])


def test_treatments_of_one_person_are_apart(course: sw.LearnedCourse) -> None:
    frame = pl.DataFrame({"person": 1, "t": [1, 1, 2, 2], "session": [1, 2, 1, 2], "y": [20.0, 18.0, 15.0, 12.0]})
    tracked = course.track(sw.Panel(frame, person="person", session="session", episode="t"))
    assert tracked.columns()["status"] == ["baseline", "on track"] * 2


# --- the file ----------------------------------------------------------------------------------------


def test_it_is_read_as_it_was_saved(course: sw.LearnedCourse, reference: sw.Panel, tmp_path: Path) -> None:
    path = course.save(tmp_path / "course.json")
    again = sw.read_course(path)
    assert again.described == course.described
    assert str(again) == str(course)
    assert again.track(reference).to_dict() == course.track(reference).to_dict()
    assert path.stat().st_size < 5000
    ratings = set(reference["y"].tolist())
    assert not ratings & {x for pair in course.ranges for x in pair}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 2}, "of version 2"),
        ({"format": "other"}, "no expected course"),
        ({"extra": 1}, "missing or unknown"),
        ({"means": [1.0]}, "not what was saved"),
        ({"growth": {}}, "not what was saved"),
    ],
)
def test_another_file_is_refused(
    course: sw.LearnedCourse, tmp_path: Path, change: dict[str, object], said: str
) -> None:
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(course.to_dict() | change))
    with pytest.raises(sw.ModelError, match=said) as caught:
        sw.read_course(path)
    assert caught.value.remedy


def test_another_instrument_is_refused(course: sw.LearnedCourse) -> None:
    with pytest.raises(sw.ModelError, match="no such column"):
        course.track(of([1.0, 2.0], column="z"))
    other = replace(course, key={"instrument": "core-om", "answers": [0, 4], "scoring": "0"})
    with pytest.raises(sw.ModelError, match="another key"):
        other.track(of([20.0, 18.0]))


# --- bad input ---------------------------------------------------------------------------------------


def test_outside_the_reference_nobody_is_judged(course: sw.LearnedCourse) -> None:
    tracked = course.track(of([90.0, 80.0]))
    assert tracked.columns()["status"] == ["not judged"] * 2
    assert np.isnan(tracked.columns()["course_low"]).all()
    assert "outside the reference's range" in " ".join(str(tracked).split())
    late = course.track(of([20.0] * 12))
    assert late.columns()["status"][-2:] == ["not judged"] * 2
    assert "later than the reference reaches" in " ".join(str(late).split())


def test_one_session_and_equal_ratings(course: sw.LearnedCourse) -> None:
    assert "first rating only" in str(course.track(of([20.0])))
    assert "All ratings of y are 20" in str(course.track(of([20.0, 20.0])))


@pytest.mark.parametrize(
    ("panel", "said"),
    [
        (lambda: simulated(20, 1), "needs 30 persons"),
        (lambda: simulated(60, 1, sessions=2), "one or two ratings"),
        (lambda: _equal(), "all ratings of 'y' are 3"),
    ],
)
def test_what_teaches_nothing(panel: object, said: str) -> None:
    with pytest.raises(sw.ModelError, match=said) as caught:
        sw.ExpectedCourse("y").fit(panel())  # type: ignore[operator]
    assert caught.value.remedy


def _equal() -> sw.Panel:
    frame = simulated(60, 1).to_frame().with_columns(y=pl.lit(3.0))
    return sw.Panel(frame, person="person", session="session")


def test_what_cannot_be_meant(reference: sw.Panel) -> None:
    with pytest.raises(sw.ModelError, match="changes within persons"):
        sw.ExpectedCourse("y", covariates=("session",)).fit(reference)
    with pytest.raises(sw.ModelError, match="folds"):
        sw.ExpectedCourse("y").validate(reference, folds=301)
    for options in ({"shape": "cubic"}, {"level": 80}, {"limits": (3, 1)}, {"baseline": ""}):
        with pytest.raises(sw.ModelError):
            sw.ExpectedCourse("y", **options)  # type: ignore[arg-type]
    course = sw.ExpectedCourse("y").fit(reference)
    with pytest.raises(sw.ModelError, match="there is no person"):
        course.track(reference).to_dict(("nobody",))


def test_validation_counts_what_it_says(reference: sw.Panel) -> None:
    found = sw.ExpectedCourse("y", reliable_change=3.0).validate(reference, folds=3, bad="deteriorated")
    assert found.sensitivity.n + found.specificity.n == found.judged
    assert found.lead.n == round(found.sensitivity.value * found.sensitivity.n)
    assert found.predictive.value * found.predictive.n == pytest.approx(found.lead.n)
    assert "late responders alarmed" in str(found)
    json.dumps(found.to_dict(), allow_nan=False)
