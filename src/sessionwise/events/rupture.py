"""RuptureRepair: a fall below the person's own course, and whether it is made good again.

No standard exists, and published criteria give different counts (Gumz, Brähler, Geyer & Erices 2012, BMC Med Res
Methodol 12:10). From there: a lenient and a strict threshold (1 and 2 SD) side by side; the person's own variability
put together with that of the sample, the stricter taken, so that ripples in a calm course and the usual waves of a
rough one do not count; each crisis told by its size and length; five shapes. How far a repair must go, and by when, is
not agreed: `whole`, `part` and `within` are choices of this package.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from ..errors import ModelError
from ..options import A_NAME, PANEL, Kind, a_number, fields_of_kind, is_number, one_of, takes, whole_number
from ..words import listed, num
from .contract import Detector, Found, in_order
from .norms import Better, Scales, better_of
from .series import SERIES, Floats, Ints, Series, own_course

if TYPE_CHECKING:
    from ..panel import Panel

Course = Literal["level", "trend"]
Spread = Literal["stricter", "own", "sample"]
COURSES: tuple[Course, ...] = ("level", "trend")
SPREADS: tuple[Spread, ...] = ("stricter", "own", "sample")
REPAIRED, PARTLY, UNREPAIRED, OPEN = REPAIRS = ("repaired", "partly repaired", "unrepaired", "open")
#: Below the course by less than this share of the largest rating is rounding.
_ROUNDING = 1e-10
#: By how many ratings the fall and the return took; the first two are the commonest in Gumz et al. (2012).
SHAPES = ("V: one down, one up", "slow fall, sudden return", "sudden fall, slow return", "slow both ways", "no return")

THRESHOLDS = Kind(
    "numbers above 0, ascending, such as (1, 2)",
    lambda value: (
        isinstance(value, tuple | list)
        and len(value) > 0
        and all(is_number(one) and 0 < one < 1e9 for one in value)
        and all(a < b for a, b in pairwise(value))
    ),
)


@dataclass(frozen=True, slots=True)
class RuptureRepair(Detector):
    """Ruptures of a course that is to stay high, such as the alliance, and their repair.

    Parameters
    ----------
    column : the measure.
    better : which scores are better; default what the instrument says, else 'higher'.
    course : what ratings are judged against: the person's own 'level' (mean) or 'trend' (straight line).
    thresholds : in SDs below that course; a rupture reaches the first, and its `sds` is the highest it reaches: (1, 2)
        in Gumz et al. (2012).
    spread : the SD of the thresholds. 'own': of the person's ratings about their course; 'sample': of all persons'
        ratings about theirs, pooled; 'stricter': the larger of the two for each person (Gumz et al. 2012 propose to
        put a person's variability together with that of others and to take the stricter; which SD between persons they
        mean could not be read).
    sample_sd : the SD of 'sample', where it is not to be that of the data.
    within : ratings of so many sessions after the lowest one decide about repair.
    whole, part : share of the fall below the course that is made good in a 'repaired' and in a 'partly repaired'
        rupture.
    """

    key: ClassVar[str] = "rupture-repair"
    lasting: ClassVar[bool] = False
    kinds: ClassVar[tuple[str, ...]] = ("rupture",)

    column: str
    better: Better | None = None
    course: Course = "level"
    thresholds: tuple[float, ...] = (1.0, 2.0)
    spread: Spread = "stricter"
    sample_sd: float | None = None
    within: int = 3
    whole: float = 1.0
    part: float = 0.5

    def __post_init__(self) -> None:
        part = a_number(above=0)
        fields_of_kind(
            self,
            column=A_NAME,
            thresholds=THRESHOLDS,
            sample_sd=a_number(above=0),
            within=whole_number(1, 10_000),
            whole=part,
            part=part,
        )
        one_of("better", self.better, (None, "lower", "higher"))
        one_of("course", self.course, COURSES)
        one_of("spread", self.spread, SPREADS)
        if not isinstance(self.thresholds, tuple):
            object.__setattr__(self, "thresholds", tuple(self.thresholds))
        if self.part > self.whole:
            raise ModelError(
                f"part is {self.part:g}, more than whole ({self.whole:g}).", remedy="Give a part of the repair."
            )

    @property
    def rule(self) -> str:
        sds = listed([num(one) for one in self.thresholds])
        sd = {"own": "own SD", "sample": "SD of the sample", "stricter": "SD, own or of the sample, the larger"}
        return (
            f"{self.column} {sds} or more {sd[self.spread]} worse than the person's own {self.course}; repaired within "
            f"{self.within} sessions"
        )

    @takes(ModelError, panel=PANEL, series=SERIES)
    def settled(self, panel: Panel, series: Series) -> RuptureRepair:
        """With the sample's SD and the instrument's direction, where the user gave none."""
        better: Better = better_of(Scales.of(panel), self.column, self.better, otherwise="higher")
        if self.sample_sd is not None or self.spread == "own":
            return replace(self, better=better)
        own = own_course(series, self.course == "trend")
        free = int(own.free.sum())
        sd = float(np.sqrt(own.squares.sum() / free)) if free else 0.0
        return replace(self, better=better, sample_sd=sd if sd > 0 else np.finfo(float).tiny)

    @takes(ModelError, series=SERIES)
    def find(self, series: Series) -> Found:
        """Ruptures; `more` has `sds` (the highest threshold reached), `repair`, `made_good` (share of it), `shape`."""
        sign = -1.0 if self.better == "lower" else 1.0
        own = own_course(series, self.course == "trend")
        sd = self._sd(own.sd)
        below = sign * (own.expected - series.values)  # how far below the course, positive when worse
        assessed = np.isfinite(sd) & (series.counts >= 3)
        least = _ROUNDING * np.nanmax(np.abs(series.values), axis=1, initial=0.0)
        limit = np.where(assessed, np.fmax(self.thresholds[0] * np.nan_to_num(sd), least), np.inf)
        tracked = _tracked(below, series.sessions, limit, self)
        return in_order(_as_found(tracked, series, below, sd, assessed, self))

    def _sd(self, own: Floats) -> Floats:
        if self.spread == "own":
            return own
        assert self.sample_sd is not None
        return np.full(len(own), self.sample_sd) if self.spread == "sample" else np.fmax(own, self.sample_sd)


@dataclass(frozen=True, slots=True, eq=False)
class _Tracked:
    """Ruptures as places in the series: int64 (n,) person, start, low, end; return_at, the place that was best after
    the lowest. share : float64 (n,) of the fall that was made good there. decided : bool (n,), whether `within`
    sessions passed, or it was repaired before."""

    person: Ints
    start: Ints
    low: Ints
    end: Ints
    share: Floats
    decided: np.ndarray


def _tracked(below: Floats, sessions: Ints, limit: Floats, rule: RuptureRepair) -> _Tracked:
    """One walk over the places for all persons at once. limit : (persons,), how far below a rupture begins."""
    persons, width = below.shape
    rows = np.arange(persons)
    state = {name: np.zeros(persons, np.int64) for name in ("fall", "start", "low", "best")}
    share = np.zeros(persons)
    active = np.zeros(persons, bool)
    closed: list[tuple[np.ndarray, ...]] = []

    def close(who: np.ndarray, decided: bool) -> None:
        at = who.nonzero()[0]
        if len(at):
            kept = [state[name][at] for name in ("start", "low", "best")]
            closed.append((at, *kept, share[at].copy(), np.full(len(at), decided)))
        active[at] = False

    for j in range(1, width):
        known = np.isfinite(below[:, j])
        falling = known & (below[:, j] > below[:, j - 1])
        state["fall"] = np.where(falling, state["fall"], j)
        late = known & active & (sessions[:, j] - sessions[rows, state["low"]] > rule.within)
        close(late, True)
        lower = known & active & (below[:, j] > below[rows, state["low"]])
        new = falling & ~active & (below[:, j] >= limit)
        state["start"] = np.where(new, state["fall"], state["start"])
        active |= new
        for name in ("low", "best"):
            state[name] = np.where(new | lower, j, state[name])
        share[new | lower] = 0.0
        rising = known & active & ~(new | lower)
        depth = below[rows, state["low"]]
        good = np.where(rising, (depth - below[:, j]) / np.where(depth > 0, depth, 1.0), -np.inf)
        better = good > share
        share = np.where(better, good, share)
        state["best"] = np.where(better, j, state["best"])
        close(active & (share >= rule.whole), True)
    last = np.isfinite(below).sum(axis=1) - 1
    elapsed = sessions[rows, np.maximum(last, 0)] - sessions[rows, state["low"]] if width else rows
    close(active & (elapsed >= rule.within), True)
    close(active.copy(), False)
    if not closed:
        none = np.zeros(0, np.int64)
        return _Tracked(none, none, none, none, np.zeros(0), np.zeros(0, bool))
    columns = [np.concatenate(parts) for parts in zip(*closed, strict=True)]
    return _Tracked(*columns)


def _as_found(
    t: _Tracked, series: Series, below: Floats, sd: Floats, assessed: np.ndarray, rule: RuptureRepair
) -> Found:
    depth = below[t.person, t.low]
    size = depth / sd[t.person]
    reached = np.searchsorted(np.array(rule.thresholds), size * (1 + 1e-12), side="right") - 1
    status = np.select([t.share >= rule.whole, t.share >= rule.part, t.decided], [0, 1, 2], 3)
    down, up = t.low - t.start, t.end - t.low
    shape = np.select([status > 1, (down == 1) & (up == 1), up == 1, down == 1], [4, 0, 1, 2], 3)
    return Found(
        person=t.person,
        kind=np.zeros(len(t.person), np.int64),
        start=series.sessions[t.person, t.start],
        turning=series.sessions[t.person, t.low],
        end=series.sessions[t.person, t.end],
        magnitude=depth,
        evidence=np.maximum(size / rule.thresholds[0], 1.0),
        probability=np.full(len(t.person), np.nan),
        assessed=assessed,
        more={
            "sds": np.array(rule.thresholds)[np.maximum(reached, 0)],
            "repair": np.array(REPAIRS)[status],
            "made_good": t.share,
            "shape": np.array(SHAPES)[shape],
        },
    )
