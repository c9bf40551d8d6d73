"""TrackedCourse: persons' ratings against the course that was to be expected."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ModelError
from ...findings import Finding, Findings
from ...panel.frame_kind import TableKind
from ...show import Part, Shown, plain
from ...words import counted, num, percent
from ..series import Floats, Ints
from .gaussian import Expected, Ratings, given, next_rating
from .learned import LearnedCourse
from .places import Courses, columns, courses, slope_of
from .reference_key import key_of

if TYPE_CHECKING:
    from ...panel import Panel

STATUSES = ("baseline", "on track", "not on track", "reliably worse", "not judged")
BASELINE, ON_TRACK, NOT_ON_TRACK, WORSE, NOT_JUDGED = range(5)


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """expected, low, high : float64 (persons, places); NaN where nothing is expected."""

    expected: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, slots=True, eq=False)
class TrackedCourse(Shown):
    """Every rating beside what was to be expected. Prints counts; persons stand in `table` alone.

    course : what it is judged by. made : the ratings. following : the band of each rating, from those before it.
    beforehand : the band of each from what was known before treatment or at the first rating. status : int64 (persons,
    places), position in STATUSES. since : int64 (persons, places), the session at which an unbroken run of alarms
    began; 0 without. persons : (persons,) labels.
    """

    course: LearnedCourse
    made: Courses
    following: Band
    beforehand: Band
    status: Ints
    since: Ints
    persons: np.ndarray
    person: str
    session: str
    findings: Findings
    kind: TableKind

    @property
    def latest(self) -> Ints:
        """Each person's status at their last rating, position in STATUSES, int64 (persons,); -1 without ratings."""
        counts = self.made.series.counts
        at = np.maximum(counts - 1, 0)
        return np.where(counts > 0, self.status[np.arange(len(counts)), at], -1)

    @property
    def alarmed(self) -> np.ndarray:
        """Labels of the persons who are not on track at their last rating, or reliably worse."""
        return np.asarray(self.persons[np.isin(self.latest, (NOT_ON_TRACK, WORSE))])

    @property
    def counts(self) -> dict[str, int]:
        """Status at the last rating -> persons."""
        return {name: int((self.latest == k).sum()) for k, name in enumerate(STATUSES)}

    def columns(self) -> dict[str, list[Any]]:
        """Column -> values of `table`."""
        known = self.made.known
        person, _ = np.nonzero(known)
        since = self.since[known].tolist()
        bands = {"": self.following, "course_": self.beforehand}
        return {
            "person": self.persons[person].tolist(),
            "session": self.made.series.sessions[known].tolist(),
            "rating": self.made.series.values[known].tolist(),
            **{
                prefix + name if name != "expected" or not prefix else "course": getattr(band, name)[known].tolist()
                for prefix, band in bands.items()
                for name in ("expected", "low", "high")
            },
            "status": [STATUSES[k] for k in self.status[known].tolist()],
            "since": [s or None for s in since],
        }

    def table(self) -> Any:
        """One row a rating, a dataframe of the kind that came in.

        Returns
        -------
        person, session, rating; expected, low, high (from the ratings before this one); course, course_low, course_high
        (from the baseline alone); status; since (the session at which the present run of alarms began).
        """
        return self.kind.table(self.columns())

    def parts(self) -> list[Part]:
        d, counts = self.course.described, self.counts
        told = ", ".join(f"{n:,} {name}" for name, n in counts.items() if n and name != "baseline")
        only = counts["baseline"]
        who = counted(len(self.persons), "person")
        return [
            f"{d.column}: {told or 'nobody can be judged'}, at the last rating of {who}",
            f"Not on track: outside the {percent(d.level)} band about the course expected from the baseline, on the "
            f"worse side. Reliably worse: by {num(d.reliable_change)} or more than at baseline.",
            *([f"{counted(only, 'person')} with a first rating only: nothing to judge yet."] if only else []),
            *self.findings.lines(),
        ]

    def to_dict(self, persons: tuple[str, ...] = ()) -> dict[str, Any]:
        """Plain numbers and text; sessions of the persons named only, by their labels as text.

        Raises
        ------
        ModelError : a person who is not there.
        """
        columns, wanted = self.columns(), set(persons)
        if missing := sorted(wanted - {str(label) for label in self.persons}):
            raise ModelError(f"there is no person {missing[0]!r}.", remedy="Use labels as they stand in the data.")
        shown = [i for i, label in enumerate(columns["person"]) if str(label) in wanted]
        made: dict[str, Any] = plain(
            {
                "column": self.course.described.column,
                "settings": self.course.described,
                "reference": {"persons": self.course.persons, "sessions": self.course.sessions},
                "counts": self.counts,
                "sessions": [{name: values[i] for name, values in columns.items()} for i in shown],
                "findings": self.findings,
            }
        )
        return made


def tracked(course: LearnedCourse, panel: Panel) -> TrackedCourse:
    """See `LearnedCourse.track`."""
    d = course.described
    if d.column not in panel:
        raise ModelError(
            f"this reference is of {d.column!r}, and the data have no such column.",
            remedy="Score the same instrument first, or learn a course of the column that you have.",
        )
    if key_of(panel, d.column) != course.key:
        raise ModelError(
            f"{d.column!r} was scored by another key, or with other answers, than in the reference.",
            remedy="Score it as there, or learn a course from ratings scored like these.",
        )
    made = courses(d, panel)
    if not made.known.any():
        raise ModelError(f"column {d.column!r} has no value.", remedy="Choose another column.")
    able = _within(course, made)
    judged = made.known & able[:, None] & (made.since <= course.last)
    ratings = _ratings(course, made, judged)
    first = np.zeros_like(judged)
    if d.baseline == "first":
        first[:, 0] = judged[:, 0]
    following = _band(course, next_rating(course.growth, ratings), judged & ~first)
    beforehand = _band(course, given(course.growth, ratings, first), judged & ~first)
    status = _status(course, made, beforehand, judged, first)
    return TrackedCourse(
        course=course,
        made=made,
        following=following,
        beforehand=beforehand,
        status=status,
        since=_since(status, made),
        persons=panel.persons,
        person=panel.roles.person,
        session=panel.roles.session,
        findings=Findings(_odd(course, made, able, judged)),
        kind=TableKind.of(panel),
    )


def _within(course: LearnedCourse, made: Courses) -> np.ndarray:
    """bool (persons,): baseline and predictors within the reference's range, and half a percent beyond."""
    inside = np.ones(made.series.persons, bool)
    for values, (low, high) in zip((made.baseline, *made.covariates.T), course.ranges, strict=True):
        room = 0.005 * (high - low) + 1e-12
        inside &= (values >= low - room) & (values <= high + room)
    return inside


def _ratings(course: LearnedCourse, made: Courses, judged: np.ndarray) -> Ratings:
    shape = course.described.shape
    x = columns(shape, course.knots, made.since, np.nan_to_num(made.covariates - np.asarray(course.means)))
    x = np.where(judged[..., None], x, 0.0)
    y = np.where(judged, made.series.values, 0.0)
    return Ratings(y, x, slope_of(shape, made.since), made.since, judged)


def _band(course: LearnedCourse, expected: Expected, where: np.ndarray) -> Band:
    reach = NormalDist().inv_cdf((1 + course.described.level) / 2)
    low, high = course.described.limits or (-np.inf, np.inf)
    made = (expected.mean, expected.mean - reach * expected.sd, expected.mean + reach * expected.sd)
    return Band(*(np.where(where, np.clip(one, low, high), np.nan) for one in made))


def _status(course: LearnedCourse, made: Courses, band: Band, judged: np.ndarray, first: np.ndarray) -> Ints:
    values, change = made.series.values, course.described.reliable_change or np.inf
    if course.described.better == "higher":
        beyond, worsened = values < band.low, made.baseline[:, None] - values
    else:
        beyond, worsened = values > band.high, values - made.baseline[:, None]
    status = np.full(judged.shape, NOT_JUDGED, np.int64)
    status[judged] = ON_TRACK
    status[judged & beyond] = NOT_ON_TRACK
    status[judged & (worsened >= change)] = WORSE
    status[first] = BASELINE
    return status


def _since(status: Ints, made: Courses) -> Ints:
    alarm = np.isin(status, (NOT_ON_TRACK, WORSE))
    since = np.zeros(status.shape, np.int64)
    for k in range(status.shape[1]):
        before = since[:, k - 1] if k else np.zeros(len(since), np.int64)
        since[:, k] = np.where(alarm[:, k], np.where(before > 0, before, made.series.sessions[:, k]), 0)
    return since


def _odd(course: LearnedCourse, made: Courses, able: np.ndarray, judged: np.ndarray) -> list[Finding]:
    found = []
    rated = made.known.any(axis=1)
    if outside := int((rated & ~able).sum()):
        low, high = course.ranges[0]
        what = (
            f"{counted(outside, 'person')} without what the course is expected from, or outside the reference's range "
            f"(baseline {num(low)} to {num(high)}): not judged."
        )
        remedy = "Use a reference with patients like these."
        found.append(Finding("warning", "outside-the-reference", what, remedy=remedy, count=outside))
    if late := int((made.known & able[:, None] & ~judged).sum()):
        what = f"{counted(late, 'rating')} later than the reference reaches ({course.last} sessions after the first)."
        found.append(Finding("note", "beyond-the-reference", what, count=late))
    values = made.series.values[made.known]
    if len(values) > 1 and (values == values[0]).all():
        what = f"All ratings of {course.described.column} are {values[0]:g}."
        found.append(Finding("warning", "all-equal", what, remedy="Check the column.", column=course.described.column))
    return found
