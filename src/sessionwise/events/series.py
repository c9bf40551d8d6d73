"""Series: one column of a Panel as a padded matrix, persons × sessions, so that a rule runs over all at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..options import an_object

if TYPE_CHECKING:
    from ..panel import Panel

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SERIES = an_object("Series")
#: A longer gap between two sessions is kept as one of so many places: no rule looks over more.
LONGEST_GAP = 32
#: Cells of a matrix that is worked on at once: four megabytes of float64 stay near the processor.
CELLS = 1 << 19


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """The ratings of persons, each in the order of their sessions: the k-th stands at place k, as `rated` makes it.

    values : float64 (persons, places), NaN behind a person's last rating.
    sessions : int64 (persons, places), the session number of each rating; 0 where there is none.
    """

    values: Floats
    sessions: Ints

    @property
    def persons(self) -> int:
        return len(self.values)

    @property
    def counts(self) -> Ints:
        """int64 (persons,): ratings of each."""
        return np.asarray(np.isfinite(self.values).sum(axis=1), np.int64)

    def rows(self, persons: slice) -> Series:
        """The series of some persons, no wider than they need."""
        values, sessions = self.values[persons], self.sessions[persons]
        used = np.isfinite(values).any(axis=0)
        width = int(np.flatnonzero(used).max(initial=-1)) + 1
        return Series(values[:, :width], sessions[:, :width])


def rated(panel: Panel, column: str) -> Series:
    """The ratings of a column, one beside the other: a skipped session leaves no place.

    Values that are not finite count as missing.

    Raises
    ------
    PanelError : no such column, or one that is not numeric.
    """
    values = panel[column]
    known = np.isfinite(values)
    codes = panel.codes[known]
    counts = np.bincount(codes, minlength=panel.n_persons)
    place = np.arange(len(codes)) - np.repeat(np.cumsum(counts) - counts, counts)
    return _placed(codes, place, values[known], panel.sessions[known], panel.n_persons)


def by_session(series: Series) -> Series:
    """The series with a place for each session number from the person's first on, NaN where nothing was rated, so that
    neighbours are sessions that follow each other.

    A gap of more than `LONGEST_GAP` sessions takes that many places.
    """
    known = np.isfinite(series.values)
    codes, places = np.nonzero(known)
    if not len(codes):
        return series
    gap = np.zeros(series.values.shape, np.int64)
    gap[:, 1:] = np.where(known[:, 1:], np.diff(series.sessions, axis=1), 0)
    place = np.cumsum(np.minimum(gap, LONGEST_GAP), axis=1)[codes, places]
    return _placed(codes, place, series.values[known], series.sessions[known], series.persons)


def _placed(codes: Ints, place: Ints, values: Floats, sessions: Ints, persons: int) -> Series:
    width = int(place.max(initial=-1)) + 1
    at = codes * width + place
    matrix, numbers = np.full(persons * width, np.nan), np.zeros(persons * width, np.int64)
    matrix[at], numbers[at] = values, sessions
    return Series(matrix.reshape(persons, width), numbers.reshape(persons, width))


@dataclass(frozen=True, slots=True, eq=False)
class OwnCourse:
    """What each person's ratings are judged against.

    expected : float64 (persons, places), the course at each rating, NaN where there is none.
    sd : float64 (persons,), standard deviation of the ratings about it; NaN where it takes all degrees of freedom.
    squares : float64 (persons,), sum of squared deviations. free : int64 (persons,), degrees of freedom, 0 or more.
    """

    expected: Floats
    sd: Floats
    squares: Floats
    free: Ints


def own_course(series: Series, trend: bool) -> OwnCourse:
    """Each person's mean, or with `trend` their own straight line over session numbers, by least squares.

    A person whose ratings are of one session number has a line of slope zero.
    """
    known = np.isfinite(series.values)
    n = known.sum(axis=1)
    y = np.where(known, series.values, 0.0)
    mean = y.sum(axis=1) / np.maximum(n, 1)
    rest = np.where(known, series.values - mean[:, None], 0.0)
    expected = np.broadcast_to(mean[:, None], y.shape)
    used = np.ones(series.persons, np.int64)
    if trend:
        t = series.sessions.astype(np.float64)
        t = np.where(known, t - (np.where(known, t, 0.0).sum(axis=1) / np.maximum(n, 1))[:, None], 0.0)
        tt = (t * t).sum(axis=1)
        slope = (t * rest).sum(axis=1) / np.where(tt > 0, tt, 1.0)
        expected = expected + slope[:, None] * t
        rest = np.where(known, rest - slope[:, None] * t, 0.0)
        used = used + (tt > 0)
    squares = (rest * rest).sum(axis=1)
    free = np.maximum(n - used, 0)
    sd = np.full(series.persons, np.nan)
    sd[free > 0] = np.sqrt(squares[free > 0] / free[free > 0])
    return OwnCourse(np.where(known, expected, np.nan), sd, squares, free)


def first_and_last(series: Series) -> tuple[Floats, Floats]:
    """Each person's first and last rating, float64 (persons,); NaN for a person with fewer than two."""
    last = series.counts - 1
    if not series.values.shape[1]:
        return np.full(series.persons, np.nan), np.full(series.persons, np.nan)
    rows = np.arange(series.persons)
    pre = np.where(last > 0, series.values[:, 0], np.nan)
    return pre, np.where(last > 0, series.values[rows, np.maximum(last, 0)], np.nan)
