"""NullCourse: courses without any event, like those of the data, to be drawn from.

A person's ratings are a line over the sessions since the first (or over the log of one more), with an intercept and a
slope of their own, and fluctuation about it: normal, with one SD for all, correlated φ^d at d sessions' distance. What
is drawn is cut at the data's smallest and largest rating, and whole where all ratings are.

The parameters are moments: mean and covariance of the persons' least-squares lines less what their errors add; the
fluctuation's variance from the sum of squares about the lines, and φ from the squared differences of sessions that
follow each other, each with the expectation that these have for lines that were fitted. So few sessions hardly
bias them. Real events in the data do: they add to the fluctuation, and what is expected by chance comes out too large.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ..threads import one_thread
from .series import Floats, Series

Shape = Literal["flat", "linear", "log-linear"]
SHAPES: tuple[Shape, ...] = ("flat", "linear", "log-linear")
#: Numbers held at once where each person has a matrix, sessions × sessions.
_NUMBERS = 4_000_000
_MOST_PERSONS = 1_500
_ROUNDS = 30


@dataclass(frozen=True, slots=True)
class NullCourse:
    """Parameters, in the column's units and sessions.

    shape : of the courses. start, slope : means of the persons' intercepts (at their first session) and slopes.
    sd_start, sd_slope, together : SDs and correlation of these. sd : of the fluctuation. autocorrelation : φ.
    low, high : limits. whole : whether ratings are whole numbers.
    """

    shape: Shape
    start: float
    slope: float
    sd_start: float
    sd_slope: float
    together: float
    sd: float
    autocorrelation: float
    low: float = -np.inf
    high: float = np.inf
    whole: bool = False

    @property
    def reliability(self) -> float:
        """Share of the variance at the first session that lies between persons: the retest correlation without any
        change."""
        total = self.sd_start**2 + self.sd**2
        return self.sd_start**2 / total if total > 0 else np.nan

    def flat(self) -> NullCourse:
        """The same persons and fluctuation, and no change."""
        return replace(self, shape="flat", slope=0.0, sd_slope=0.0, together=0.0)


def time_of(shape: Shape, elapsed: Floats) -> Floats:
    """What the slope is multiplied by. elapsed : sessions since the first."""
    if shape == "flat":
        return np.zeros(elapsed.shape)
    return np.log1p(elapsed) if shape == "log-linear" else elapsed


@one_thread()
def fitted_course(series: Series, shape: Shape, seed: int = 0) -> tuple[NullCourse, float]:
    """The course of the data, of a shape, and the variance about the persons' own lines.

    At most some 1,500 persons, drawn at random, are looked at.
    """
    s = _some(series, seed)
    known = np.isfinite(s.values)
    elapsed = np.where(known, s.sessions - s.sessions[:, :1], 0).astype(np.float64)
    f = np.where(known, time_of(shape, elapsed), 0.0)
    lines = _lines(s, known, f, shape)
    sd2, phi, spread = _moments(s, known, elapsed, f, lines)
    values = series.values[np.isfinite(series.values)]
    start, slope = _means(lines)
    cov = spread
    sd_start, sd_slope = float(np.sqrt(cov[0, 0])), float(np.sqrt(cov[1, 1]))
    together = float(cov[0, 1] / (sd_start * sd_slope)) if sd_start > 0 and sd_slope > 0 else 0.0
    whole = bool(len(values)) and bool((values == np.round(values)).all())
    low, high = (float(values.min()), float(values.max())) if len(values) else (-np.inf, np.inf)
    course = NullCourse(shape, start, slope, sd_start, sd_slope, together, float(np.sqrt(sd2)), phi, low, high, whole)
    return course, lines.squares.sum() / max(1, lines.free.sum())


def drawn(course: NullCourse, sessions: np.ndarray, known: np.ndarray, rng: np.random.Generator) -> Series:
    """Ratings of persons at given sessions; sessions, known : (persons, places), as in a Series."""
    persons, width = sessions.shape
    a, b = rng.standard_normal((2, persons))
    slope = course.sd_slope * (course.together * a + np.sqrt(max(0.0, 1 - course.together**2)) * b)
    elapsed = np.where(known, sessions - sessions[:, :1], 0).astype(np.float64)
    y = (course.start + course.sd_start * a)[:, None]
    y = y + (course.slope + slope)[:, None] * time_of(course.shape, elapsed)
    noise = rng.standard_normal((persons, width))
    phi = course.autocorrelation
    for k in range(1, width):
        if phi:
            carried = np.where(known[:, k], phi ** np.clip(sessions[:, k] - sessions[:, k - 1], 1, 1000), 0.0)
            noise[:, k] = carried * noise[:, k - 1] + np.sqrt(1 - carried**2) * noise[:, k]
    y = np.clip(y + course.sd * noise, course.low, course.high)
    y = np.round(y) if course.whole else y
    return Series(np.where(known, y, np.nan), np.where(known, sessions, 0))


def _some(series: Series, seed: int) -> Series:
    able = (series.counts > 0).nonzero()[0]
    width = max(1, series.values.shape[1])
    most = max(50, min(_MOST_PERSONS, _NUMBERS // width**2))
    if len(able) > most:
        able = np.sort(np.random.default_rng(seed).choice(able, most, replace=False))
    return Series(series.values[able], series.sessions[able]).rows(slice(None))


@dataclass(frozen=True, slots=True, eq=False)
class _Lines:
    """Each person's least squares: coefficients (persons, 2); z (persons, places, 2), zero where unrated; inverse
    (persons, 2, 2) of z'z; rest (persons, places); squares, free (persons,). own : bool, who has a line and a degree of
    freedom left."""

    coefficients: Floats
    z: Floats
    inverse: Floats
    rest: Floats
    squares: Floats
    free: np.ndarray
    own: np.ndarray


def _lines(s: Series, known: np.ndarray, f: Floats, shape: Shape) -> _Lines:
    n = known.sum(axis=1)
    one = known.astype(np.float64)
    z = np.stack([one, f], axis=2)
    m = np.einsum("pki,pkj->pij", z, z)
    determinant = m[:, 0, 0] * m[:, 1, 1] - m[:, 0, 1] ** 2
    line = determinant > 1e-9 * np.maximum(1.0, m[:, 0, 0] * m[:, 1, 1])
    inverse = np.zeros_like(m)
    safe = np.where(line, determinant, 1.0)
    inverse[:, 0, 0] = np.where(line, m[:, 1, 1] / safe, 1 / np.maximum(n, 1))
    inverse[:, 1, 1] = np.where(line, m[:, 0, 0] / safe, 0.0)
    inverse[:, 0, 1] = inverse[:, 1, 0] = np.where(line, -m[:, 0, 1] / safe, 0.0)
    y = np.where(known, s.values, 0.0)
    coefficients = np.einsum("pij,pkj,pk->pi", inverse, z, y)
    rest = np.where(known, y - np.einsum("pki,pi->pk", z, coefficients), 0.0)
    free = np.maximum(n - 1 - line, 0)
    own = (line | (shape == "flat")) & (free > 0)
    return _Lines(coefficients, z, inverse, rest, (rest**2).sum(axis=1), free, own)


def _means(lines: _Lines) -> tuple[float, float]:
    """Mean start and slope: of those with a line, or of all starts if there is none."""
    if not lines.own.any():
        return (float(lines.coefficients[:, 0].mean()) if len(lines.own) else 0.0), 0.0
    start, slope = lines.coefficients[lines.own].mean(axis=0)
    return float(start), float(slope)


def _moments(s: Series, known: np.ndarray, elapsed: Floats, f: Floats, lines: _Lines) -> tuple[float, float, Floats]:
    """Variance of the fluctuation, φ, and covariance (2, 2) of the persons' starts and slopes."""
    own = lines.own
    if not own.any() or not lines.squares[own].sum() > 0:
        starts = lines.coefficients[:, 0]
        between = float(starts.var(ddof=1)) if len(starts) > 1 else 0.0
        return 0.0, 0.0, np.array([[between, 0.0], [0.0, 0.0]])
    z, inverse = lines.z[own], lines.inverse[own]
    distance = np.abs(elapsed[own][:, :, None] - elapsed[own][:, None, :])
    both = known[own][:, :, None] & known[own][:, None, :]
    gap = (np.diff(elapsed, axis=1) == 1) & known[:, 1:]
    differences, steps = np.diff(np.where(known, s.values, 0.0), axis=1)[gap], np.diff(f, axis=1)[gap]
    spread = np.cov(lines.coefficients[own].T) if own.sum() > 1 else np.zeros((2, 2))
    mean_slope = _means(lines)[1]
    apart = float(((differences - mean_slope * steps) ** 2).mean()) if len(differences) else np.nan
    projector = inverse @ z.transpose(0, 2, 1)  # coefficients = projector · y
    phi, total = 0.0, float(lines.squares[own].sum())
    covariance: Floats = np.zeros((2, 2))
    for _ in range(_ROUNDS):
        correlation = np.where(both, _power(phi, distance), 0.0)
        carried = projector @ correlation
        about = carried @ projector.transpose(0, 2, 1)  # covariance of the coefficients, in σ²
        rated = known[own].sum()
        fitted = (about * (z.transpose(0, 2, 1) @ z)).sum()
        cross = (carried * z.transpose(0, 2, 1)).sum()
        sd2 = total / max(rated - 2 * cross + fitted, 1e-12)
        covariance = _possible(spread - sd2 * about.mean(axis=0))
        if not np.isfinite(apart):
            return float(sd2), 0.0, covariance
        new = 1 - (apart - covariance[1, 1] * float((steps**2).mean())) / (2 * sd2)
        new = float(np.clip(new, -0.5, 0.95))
        if abs(new - phi) < 1e-6:
            break
        phi = 0.5 * phi + 0.5 * new
    return float(sd2), round(phi, 6), covariance


def _power(phi: float, distance: Floats) -> Floats:
    size = np.power(abs(phi), distance) if phi else (distance == 0).astype(np.float64)
    return np.where((distance % 2 == 1) & (phi < 0), -size, size)


def _possible(cov: Floats) -> Floats:
    """The nearest covariance matrix: negative eigenvalues are zero."""
    values, vectors = np.linalg.eigh((cov + cov.T) / 2)
    made: Floats = (vectors * np.maximum(values, 0.0)) @ vectors.T
    return made
