"""ControlChart: an individuals (XmR) chart for each person, with how uncertain its limits are.

Limits are the mean ± `width` SDs, where the SD is the mean moving range over d2 = 2/√π (Shewhart's chart for single
values: with three SDs, the mean ± 2.66 mean moving ranges). With the ratings of one treatment that SD is a rough guess:
for independent normal ratings, m moving ranges have a mean whose variance is (m·v + 2(m − 1)·c)/m² with
v = 2 − 4/π and c = (4/π)(√¾ + π/12 − 1), the (co)variance of one range and of neighbours (Cryer & Ryan 1990, J Qual
Technol 22, 187–192, give the same numbers as .8264n − 1.082). That SD is taken as chi with as many degrees of freedom
as have that variance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ..errors import ModelError
from ..options import A_LEVEL, A_NAME, PANEL, a_number, fields_of_kind, one_of, takes, whole_number
from ..words import num
from .contract import Detector, Found, in_order
from .norms import Better, Scales, better_of
from .series import SERIES, Floats, Series, rated

if TYPE_CHECKING:
    from ..panel import Panel

Side = Literal["worse", "both"]
SIDES: tuple[Side, ...] = ("worse", "both")
D2 = 2 / math.sqrt(math.pi)
_RANGE_VARIANCE = 2 - 4 / math.pi
_RANGE_COVARIANCE = 4 / math.pi * (math.sqrt(0.75) + math.pi / 12 - 1)


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """A chart's centre and SD for each person; float64 (persons,), NaN where a person has too few ratings.

    free : degrees of freedom of the SD. relative : variance of the SD, over its square. n : int64, ratings.
    """

    centre: Floats
    sd: Floats
    free: Floats
    relative: Floats
    n: np.ndarray


@dataclass(frozen=True, slots=True)
class ControlChart(Detector):
    """Ratings beyond the limits of the person's own control chart.

    Parameters
    ----------
    column : the measure.
    better : which scores are better; default what the instrument says, else 'lower'.
    side : which limits count, 'worse' or 'both'.
    width : of the limits, in SDs: 3 (Shewhart).
    fewest : ratings that a person must have: 5.
    """

    key: ClassVar[str] = "control-chart"
    lasting: ClassVar[bool] = False
    kinds: ClassVar[tuple[str, ...]] = ("beyond limits, worse", "beyond limits, better")
    event_free: ClassVar[tuple[str, ...]] = ("flat",)

    column: str
    better: Better | None = None
    side: Side = "worse"
    width: float = 3.0
    fewest: int = 5

    def __post_init__(self) -> None:
        fields_of_kind(self, column=A_NAME, width=a_number(above=0), fewest=whole_number(3, 10_000))
        one_of("better", self.better, (None, "lower", "higher"))
        one_of("side", self.side, SIDES)

    @property
    def rule(self) -> str:
        word = "worse" if self.side == "worse" else "worse or better"
        return (
            f"{self.column} {word} than the person's mean by {num(self.width)} SD (of moving ranges) or more; "
            f"{self.fewest} ratings or more"
        )

    @takes(ModelError, panel=PANEL, series=SERIES)
    def settled(self, panel: Panel, series: Series) -> ControlChart:
        """With the instrument's direction, where the user gave none."""
        return replace(self, better=better_of(Scales.of(panel), self.column, self.better))

    @takes(ModelError, series=SERIES)
    def find(self, series: Series) -> Found:
        """Runs of ratings beyond one limit; the probability is that of a single rating as far off, by Student's t."""
        limits = self.limits(series)
        sign = 1.0 if self.better == "higher" else -1.0
        off = sign * (series.values - limits.centre[:, None])
        reach = self.width * limits.sd[:, None]
        kinds = [(0, -off)] + ([(1, off)] if self.side == "both" else [])
        assessed = np.isfinite(limits.sd)
        with np.errstate(invalid="ignore"):
            found = [self._runs(series, limits, far, (far > reach) & (reach > 0), kind) for kind, far in kinds]
        joined: dict[str, Any] = {
            name: np.concatenate([getattr(one, name) for one in found])
            for name in ("person", "kind", "start", "turning", "end", "magnitude", "evidence", "probability")
        }
        return in_order(Found(**joined, assessed=assessed))

    def _runs(self, series: Series, limits: Limits, far: Floats, beyond: np.ndarray, kind: int) -> Found:
        from scipy.special import stdtr

        persons, width = beyond.shape
        before, after = np.zeros((persons, width), bool), np.zeros((persons, width), bool)
        before[:, 1:], after[:, :-1] = beyond[:, :-1], beyond[:, 1:]
        person, first = np.nonzero(beyond & ~before)
        last = np.nonzero(beyond & ~after)[1]
        lowest = first.copy()
        for step in range(1, int((last - first).max(initial=0)) + 1):
            at = np.minimum(first + step, last)
            lowest = np.where(far[person, at] > far[person, lowest], at, lowest)
        size = far[person, lowest]
        sd, n = limits.sd[person], limits.n[person]
        t = size / (sd * np.sqrt(1 - 1 / np.maximum(n, 2)))
        return Found(
            person=person,
            kind=np.full(len(person), kind),
            start=series.sessions[person, np.maximum(first - 1, 0)],
            turning=series.sessions[person, lowest],
            end=series.sessions[person, last],
            magnitude=size,
            evidence=size / (self.width * sd),
            probability=2 * stdtr(limits.free[person], -t),
            assessed=np.isfinite(limits.sd),
        )

    @takes(ModelError, series=SERIES)
    def limits(self, series: Series) -> Limits:
        """Centre and SD of each person's chart."""
        known = np.isfinite(series.values)
        n = known.sum(axis=1)
        m = np.maximum(n - 1, 1)
        centre = np.where(known, series.values, 0.0).sum(axis=1) / np.maximum(n, 1)
        ranges = np.abs(np.diff(series.values, axis=1)) if known.shape[1] > 1 else np.zeros((len(n), 1))
        mean = np.nansum(ranges, axis=1) / m
        relative = (m * _RANGE_VARIANCE + 2 * (m - 1) * _RANGE_COVARIANCE) / m**2 / D2**2
        enough = n >= self.fewest
        return Limits(
            np.where(enough, centre, np.nan), np.where(enough, mean / D2, np.nan), 1 / (2 * relative), relative, n
        )

    @takes(ModelError, panel=PANEL, level=A_LEVEL)
    def chart(self, panel: Panel, level: float = 0.95) -> Any:
        """Each person's chart with an interval for each limit, a dataframe of the kind that came in.

        level : of the intervals; they hold for independent, normal ratings without a trend.

        Returns
        -------
        person, ratings, centre, lower, upper, and `lower_from`, `lower_to`, `upper_from`, `upper_to`; one row for each
        person with `fewest` ratings or more.
        """
        from scipy.special import stdtrit

        from ..panel.frame_kind import TableKind

        limits = self.limits(rated(panel, self.column))
        at = np.isfinite(limits.sd).nonzero()[0]
        centre, sd, n = limits.centre[at], limits.sd[at], limits.n[at]
        half = stdtrit(limits.free[at], (1 + level) / 2) * sd * np.sqrt(1 / n + self.width**2 * limits.relative[at])
        lower, upper = centre - self.width * sd, centre + self.width * sd
        return TableKind.of(panel).table(
            {
                "person": panel.persons[at].tolist(),
                "ratings": n.tolist(),
                "centre": centre.tolist(),
                "lower": lower.tolist(),
                "upper": upper.tolist(),
                "lower_from": (lower - half).tolist(),
                "lower_to": (lower + half).tolist(),
                "upper_from": (upper - half).tolist(),
                "upper_to": (upper + half).tolist(),
            }
        )
