"""ValidatedCourse: how a course serves persons from whom it was not learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...descriptions.sample import wilson
from ...errors import ModelError
from ...show import Grid, Part, Shown, plain
from ...words import num, percent
from .description import BadOutcome, ExpectedCourse
from .learn import learned
from .tracked import BASELINE, NOT_JUDGED, NOT_ON_TRACK, WORSE, Band, TrackedCourse, tracked

if TYPE_CHECKING:
    from ...panel import Panel

Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Rate:
    """A number with its 95 % interval, of n persons (coverage: ratings); NaN where there are none."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{percent(self.value, 1)} [{percent(self.low, 1)}, {percent(self.high, 1)}]" if self.n else "none"


@dataclass(frozen=True, slots=True, eq=False)
class ValidatedCourse(Shown):
    """What cross-validation by persons tells of bands and alarms; intervals of 95 %.

    described, folds, seed, bad : as given. coverage : ratings in the band from the ratings before them; `beforehand`,
    in that from the baseline alone; both with persons as sampling units. by_session : sessions since the first ->
    coverage of the following band (Wilson). sensitivity : persons alarmed before their last rating, of those with a bad
    outcome. specificity : not alarmed, of the others. predictive : bad outcome, of the alarmed. lead : mean sessions
    from the first alarm to the last rating, of those rightly alarmed. late : alarmed, of the late responders: reliably
    improved at the last rating and not yet half way through their ratings. judged : persons with three ratings.
    """

    described: ExpectedCourse
    folds: int
    seed: int
    bad: BadOutcome
    persons: int
    judged: int
    coverage: Rate
    beforehand: Rate
    by_session: dict[int, Rate]
    sensitivity: Rate
    specificity: Rate
    predictive: Rate
    lead: Rate
    late: Rate

    def parts(self) -> list[Part]:
        level = percent(self.described.level)
        lead = f"{num(self.lead.value)} [{num(self.lead.low)}, {num(self.lead.high)}]" if self.lead.n else "none"
        named = (
            ("sensitivity", str(self.sensitivity), self.sensitivity.n),
            ("specificity", str(self.specificity), self.specificity.n),
            ("positive predictive value", str(self.predictive), self.predictive.n),
            ("lead time, sessions", lead, self.lead.n),
            ("late responders alarmed", str(self.late), self.late.n),
        )
        how = f"{self.folds}-fold cross-validation of {self.persons:,} persons"
        return [
            f"Expected course of {self.described.column}, {how}",
            f"The {level} band from the ratings before holds {self.coverage} of {self.coverage.n:,} ratings; that from "
            f"the baseline alone {self.beforehand}.",
            Grid(
                "Coverage by sessions since the first",
                ("since", "coverage", "n"),
                tuple((str(k), str(rate), f"{rate.n:,}") for k, rate in self.by_session.items()),
                dense=True,
            ),
            Grid(
                f"Alarms before the last rating, and the outcome '{self.bad}' ({self.judged:,} persons)",
                ("", "value [95 %]", "persons"),
                tuple((name, value, f"{n:,}") for name, value, n in named),
                dense=True,
            ),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and text; unknown is None."""
        made: dict[str, Any] = plain(
            {name: getattr(self, name) for name in self.__slots__ if name != "by_session"}
            | {"by_session": [{"since": k, "coverage": rate} for k, rate in self.by_session.items()]}
        )
        return made


@dataclass(frozen=True, slots=True, eq=False)
class _Fold:
    """bands : (4, ratings with a band): person, sessions since the first, inside the following band, inside that from
    beforehand. persons : (4, persons judged): alarmed, bad outcome, late responder, sessions from alarm to the end."""

    bands: np.ndarray
    persons: np.ndarray


def validated(described: ExpectedCourse, panel: Panel, folds: int, seed: int, bad: BadOutcome) -> ValidatedCourse:
    """See `ExpectedCourse.validate`."""
    n = panel.n_persons
    if folds > n:
        raise ModelError(f"{folds:,} folds of {n:,} persons.", remedy="Use fewer folds, such as 10.")
    fold = np.random.default_rng(seed).permutation(np.arange(n) % folds)
    done = []
    for k in range(folds):
        course = learned(described, panel.subset(fold != k))
        done.append(_fold(tracked(course, panel.subset(fold == k)), bad))
    size = np.cumsum([0, *(int((fold == k).sum()) for k in range(folds))])
    bands = np.concatenate([f.bands + [[at], [0], [0], [0]] for f, at in zip(done, size[:-1], strict=True)], axis=1)
    alarm, was_bad, late, lead = np.concatenate([f.persons for f in done], axis=1)
    a, b = alarm > 0, was_bad > 0
    since = bands[1].astype(np.int64)
    return ValidatedCourse(
        described=described,
        folds=folds,
        seed=seed,
        bad=bad,
        persons=n,
        judged=len(alarm),
        coverage=_of_ratings(bands[0], bands[2]),
        beforehand=_of_ratings(bands[0], bands[3]),
        by_session={int(k): _share(bands[2][since == k] > 0) for k in np.unique(since)},
        sensitivity=_share(a[b]),
        specificity=_share(~a[~b]),
        predictive=_share(b[a]),
        lead=_mean(lead[a & b]),
        late=_share(a[late > 0]),
    )


def _fold(t: TrackedCourse, bad: BadOutcome) -> _Fold:
    values, counts = t.made.series.values, t.made.series.counts
    with_band = np.isfinite(t.following.low)
    person, _ = np.nonzero(with_band)
    inside = [_inside(values, band)[with_band] for band in (t.following, t.beforehand)]
    bands = np.stack([person, t.made.since[with_band], *inside]).astype(np.float64)
    last = np.maximum(counts - 1, 0)
    rows = np.arange(len(counts))
    able = (counts >= 3) & (t.status[rows, last] != NOT_JUDGED) & (t.status[rows, last] != BASELINE)
    sign = 1.0 if t.course.described.better == "higher" else -1.0
    gained = sign * (values - t.made.baseline[:, None])
    change = t.course.described.reliable_change or np.inf
    final = gained[rows, last]
    places = np.arange(values.shape[1])
    alarms = np.isin(t.status, (NOT_ON_TRACK, WORSE)) & (places < last[:, None])
    alarm = alarms.any(axis=1)
    sessions = t.made.series.sessions
    lead = sessions[rows, last] - sessions[rows, np.argmax(alarms, axis=1)]
    was_bad = final < change if bad == "no reliable improvement" else final <= -change
    early = np.nan_to_num(gained, nan=-np.inf) >= change
    late = (final >= change) & ~(early & (places <= (last // 2)[:, None])).any(axis=1)
    return _Fold(bands, np.stack([alarm, was_bad, late, lead]).astype(np.float64)[:, able])


def _inside(values: np.ndarray, band: Band) -> np.ndarray:
    return np.asarray((values >= band.low) & (values <= band.high))


def _share(held: np.ndarray) -> Rate:
    n = len(held)
    if not n:
        return Rate(np.nan, np.nan, np.nan, 0)
    low, high = wilson(np.array([held.sum()]), n)
    return Rate(float(held.mean()), float(low[0]), float(high[0]), n)


def _of_ratings(person: np.ndarray, held: np.ndarray) -> Rate:
    """A share of ratings, its error from the differences between persons (ratio estimator)."""
    if not len(held):
        return Rate(np.nan, np.nan, np.nan, 0)
    share = float(held.mean())
    off = np.bincount(person.astype(np.int64), held - share)
    error = Z * float(np.sqrt((off**2).sum())) / len(held)
    return Rate(share, max(share - error, 0.0), min(share + error, 1.0), len(held))


def _mean(values: np.ndarray) -> Rate:
    if not len(values):
        return Rate(np.nan, np.nan, np.nan, 0)
    mean = float(values.mean())
    error = Z * float(values.std(ddof=1)) / len(values) ** 0.5 if len(values) > 1 else np.nan
    return Rate(mean, mean - error, mean + error, len(values))
