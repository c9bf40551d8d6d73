"""ModelRupture: a rating far below what the person's ratings before it let one expect, at a stated false-alarm rate.

Expected is what a multilevel model with AR(1) says one step ahead: a start, a slope and a fluctuation for each person,
estimated by moments (`NullCourse`), taken in rating by rating. The surprise of a rating is -log2 of the predictive
probability of one as low. The threshold is found by simulation: persons without any event, with the sessions of the
data, drawn from that model within the data's limits and whole numbers (where many ratings are at a limit, from the
course that looks like the data once it is cut there); it is exceeded at one session or more by the stated share of
them. One threshold holds at all sessions, since online nobody knows how many will come: a longer treatment has more
than that share, a shorter one less.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from scipy import special

from ..errors import ModelError
from ..options import A_NAME, PANEL, YES_OR_NO, a_number, an_object, fields_of_kind, one_of, takes, whole_number
from ..words import num, percent
from .contract import Detector, Found, in_order
from .norms import Better, Scales, better_of
from .null_course import SHAPES, NullCourse, drawn, fitted_course
from .one_step import one_step
from .rupture import REPAIRS
from .series import SERIES, Floats, Ints, Series

if TYPE_CHECKING:
    from ..panel import Panel

#: Simulated persons for the threshold: the rate's Monte Carlo error is .002 at a rate of .10.
_SIMULATED = 20_000
_MOST = 1e100
#: From so many ratings at one limit on, the course behind the limit is looked for, in so many rounds.
_AT_LIMIT = 0.02
_ROUNDS = 6
#: Fluctuation of less than this share of the largest rating is rounding.
_ROUNDING = 1e-10


@dataclass(frozen=True, slots=True)
class ModelRupture(Detector):
    """Ruptures by surprise: online, with a stated share of false alarms.

    Parameters
    ----------
    column : the measure.
    better : which scores are better; default what the instrument says, else 'higher'. A rupture is a fall to the worse.
    false_alarms : share of treatments without any event, of the lengths in the data, that are to get an alarm.
    within : ratings of so many sessions after the rupture decide about repair.
    whole, part : share of the fall below what was expected that is made good in a 'repaired' and in a 'partly repaired'
        rupture.
    reference : the model of another sample, `found.detector.reference` there; default that of the data. It is of scores
        of which higher is better: of the turned scores, where lower is better.
    least_bits : surprise from which on it is a rupture; default as `false_alarms` asks.
    of_sample : whether `reference` is from the data at hand; set by `settled`.
    """

    key: ClassVar[str] = "model-rupture"
    lasting: ClassVar[bool] = False
    kinds: ClassVar[tuple[str, ...]] = ("rupture",)

    column: str
    better: Better | None = None
    false_alarms: float = 0.10
    within: int = 3
    whole: float = 1.0
    part: float = 0.5
    reference: NullCourse | None = None
    least_bits: float | None = None
    of_sample: bool = False

    def __post_init__(self) -> None:
        fields_of_kind(
            self,
            column=A_NAME,
            false_alarms=a_number(above=0, below=1),
            within=whole_number(1, 10_000),
            whole=a_number(above=0),
            part=a_number(above=0),
            reference=an_object("NullCourse"),
            least_bits=a_number(above=0),
            of_sample=YES_OR_NO,
        )
        one_of("better", self.better, (None, "lower", "higher"))
        if self.part > self.whole:
            raise ModelError(
                f"part is {self.part:g}, more than whole ({self.whole:g}).", remedy="Give a part of the repair."
            )

    @property
    def rule(self) -> str:
        bits = "" if self.least_bits is None else f", {num(self.least_bits)} bits or more"
        return (
            f"{self.column} worse than the person's earlier sessions let one expect, by a surprise{bits} that "
            f"{percent(self.false_alarms)} of treatments without any event reach; repaired within {self.within} "
            "sessions; the model: own start and slope, AR(1), by moments"
        )

    @takes(ModelError, panel=PANEL, series=SERIES)
    def settled(self, panel: Panel, series: Series) -> ModelRupture:
        """With the instrument's direction, the data's model and the threshold, where the user gave none.

        Raises
        ------
        ModelError : values beyond the range that can be squared.
        """
        better = better_of(Scales.of(panel), self.column, self.better, otherwise="higher")
        return replace(self, better=better)._fitted(series, self.reference, self.least_bits)

    @takes(ModelError, series=SERIES)
    def refitted(self, series: Series) -> ModelRupture:
        """With the model and the threshold of other ratings, where the model was that of the data."""
        return self._fitted(series, None, None) if self.of_sample else self

    def _fitted(self, series: Series, reference: NullCourse | None, bits: float | None) -> ModelRupture:
        if np.nanmax(np.abs(series.values), initial=0.0) > _MOST:
            raise ModelError(f"{self.column} has values too large to be squared.", remedy="Rescale the column.")
        turned = self._turned(series)
        course = _course(turned) if reference is None else reference
        if bits is None:
            bits = _threshold(course, turned, self.false_alarms)
        return replace(self, reference=course, least_bits=bits, of_sample=self.of_sample or reference is None)

    def _turned(self, series: Series) -> Series:
        return replace(series, values=-series.values) if self.better == "lower" else series

    @takes(ModelError, series=SERIES)
    def find(self, series: Series) -> Found:
        """Ruptures; `more` has `bits` (surprise), `sds` (of the predictive distribution), `repair`, `made_good`.

        `probability` is the predictive probability of a rating as low or lower.
        """
        assert self.reference is not None
        assert self.least_bits is not None
        turned = self._turned(series)
        assessed = (series.counts >= 2) & (self.reference.sd > 0)
        if not assessed.any():
            return _as_found(turned, np.zeros((0, 2), np.int64), np.zeros((3, 0)), assessed, self)
        mean, sd = one_step(self.reference, turned)
        bits = _bits(turned, mean, sd)
        at = np.argwhere(bits >= self.least_bits)
        numbers = np.stack([a[at[:, 0], at[:, 1]] for a in (mean, sd, bits)])
        return _as_found(turned, at, numbers, assessed, self)


def _course(series: Series) -> NullCourse:
    """Of the shape that the data are nearest to; flat where persons have too few ratings for lines."""
    fits = [fitted_course(series, shape) for shape in SHAPES]
    rounding = _ROUNDING * np.nanmax(np.abs(series.values), initial=0.0)
    able = [(rest, i) for i, (course, rest) in enumerate(fits) if course.sd > rounding]
    return fits[min(able)[1]][0] if able else replace(fits[0][0], sd=0.0)


def _threshold(course: NullCourse, series: Series, share: float) -> float:
    """Bits that a share of simulated persons reach at one session or more; 1 or more, so that a rupture is a fall."""
    able = np.flatnonzero(series.counts >= 2)
    if not len(able) or not course.sd > 0:
        return 1.0
    known = np.isfinite(series.values[able])
    elapsed = np.where(known, series.sessions[able] - series.sessions[able, :1], -1)
    order = np.lexsort(elapsed.T)  # so that the order of the persons does not matter
    rng = np.random.default_rng(0)
    who = order[rng.integers(0, len(order), _SIMULATED)]
    simulated = drawn(_behind_limits(course, series, elapsed[who], known[who]), elapsed[who], known[who], rng)
    most = np.nanmax(_bits(simulated, *one_step(course, simulated)), axis=1)
    return max(1.0, float(np.quantile(most, 1 - share, method="higher")))


def _behind_limits(course: NullCourse, series: Series, elapsed: Ints, known: np.ndarray) -> NullCourse:
    """The course that, cut at the scale's limits, looks like `course`, which was fitted to ratings that were cut.

    Indirect inference: what is drawn from a course is fitted as the data were, and the course moved by the difference.
    """
    values = series.values[np.isfinite(series.values)]
    if max((values <= course.low).mean(), (values >= course.high).mean()) < _AT_LIMIT:
        return course
    behind = course
    for _ in range(_ROUNDS):
        seen, _rest = fitted_course(drawn(behind, elapsed, known, np.random.default_rng(1)), course.shape)
        if not seen.sd > 0:
            return behind
        grown = {
            name: getattr(behind, name) * float(np.clip(getattr(course, name) / getattr(seen, name), 0.5, 2.0))
            for name in ("sd_start", "sd_slope", "sd")
            if getattr(seen, name) > 0
        }
        moved = {n: getattr(behind, n) + getattr(course, n) - getattr(seen, n) for n in ("start", "slope")}
        phi = float(np.clip(behind.autocorrelation + course.autocorrelation - seen.autocorrelation, -0.5, 0.95))
        behind = replace(behind, **grown, **moved, autocorrelation=phi)
    return behind


def _bits(series: Series, mean: Floats, sd: Floats) -> Floats:
    """Surprise of each rating; NaN where there is none, 0 for the first, before which nothing is known of a person."""
    bits = np.asarray(-special.log_ndtr((series.values - mean) / sd) / np.log(2))
    bits[:, :1] = 0.0
    return bits


def _as_found(series: Series, at: Ints, numbers: Floats, assessed: np.ndarray, rule: ModelRupture) -> Found:
    """at : int64 (n, 2), person and place of the alarms. numbers : (3, n), mean, SD and bits there."""
    best, share, decided = _repair(series, at, numbers[0], rule)
    kept = _apart(at, best)
    at, best, share, decided, (mean, sd, bits) = at[kept], best[kept], share[kept], decided[kept], numbers[:, kept]
    person, place = at[:, 0], at[:, 1]
    fall = mean - series.values[person, place]
    status = np.select([share >= rule.whole, share >= rule.part, decided], [0, 1, 2], 3)
    return in_order(
        Found(
            person=person,
            kind=np.zeros(len(at), np.int64),
            start=series.sessions[person, place - 1],
            turning=series.sessions[person, place],
            end=series.sessions[person, best],
            magnitude=fall,
            evidence=bits / (rule.least_bits or 1.0),
            probability=np.exp2(-bits),
            assessed=assessed,
            more={"bits": bits, "sds": fall / sd, "repair": np.array(REPAIRS)[status], "made_good": share},
        )
    )


def _repair(series: Series, at: Ints, mean: Floats, rule: ModelRupture) -> tuple[Ints, Floats, np.ndarray]:
    """Place of the best rating within the sessions that decide, share of the fall made good there, and whether all of
    these sessions have passed. What is made good is judged by what was expected when the rupture came."""
    person, place = at[:, 0], at[:, 1]
    fall = mean - series.values[person, place]
    best, share = place.copy(), np.zeros(len(at))
    for d in range(1, min(rule.within, series.values.shape[1] - 1) + 1):
        there = np.minimum(place + d, series.values.shape[1] - 1)
        late = series.sessions[person, there] - series.sessions[person, place] > rule.within
        value = np.where(late | (there == place), np.nan, series.values[person, there])
        good = 1 - (mean - value) / fall
        better = (good > share) & (share < rule.whole)
        best, share = np.where(better, there, best), np.where(better, good, share)
    last = series.counts[person] - 1
    passed = series.sessions[person, last] - series.sessions[person, place] >= rule.within
    return best, share, passed | (share >= rule.whole)


def _apart(at: Ints, best: Ints) -> np.ndarray:
    """Alarms that do not belong to the rupture before them: bool (n,)."""
    kept, person, until = np.zeros(len(at), bool), -1, -1
    for i, (who, place) in enumerate(at.tolist()):
        kept[i] = who != person or place > until
        if kept[i]:
            person, until = who, int(best[i])
    return kept
