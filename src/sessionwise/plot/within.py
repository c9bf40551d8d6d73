"""Change within persons: deviations from each person's mean, their common slope, and each person's own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..threads import one_thread
from .figure import t975

#: A title claims something only if so many persons show it: with fewer, clustered errors are too small.
FEWEST_FOR_A_CLAIM = 10


@dataclass(frozen=True, slots=True)
class Slope:
    """A slope within persons with its 95 % interval; `claim`: enough persons for a title to state it."""

    value: float
    low: float
    high: float
    claim: bool

    @property
    def clear(self) -> bool:
        """Whether a title may state its sign."""
        return self.claim and self.low * self.high > 0


def centred(codes: np.ndarray, values: np.ndarray, persons: int) -> np.ndarray:
    """`values` (n,) less the mean of each person's, codes (n,) below `persons`."""
    n = np.maximum(np.bincount(codes, minlength=persons), 1)
    return np.asarray(values - (np.bincount(codes, values, persons) / n)[codes])


@one_thread()
def common_slope(codes: np.ndarray, x: np.ndarray, y: np.ndarray, persons: int) -> Slope | None:
    """Slope of y on x, both centred within persons; None if x varies within fewer than two persons.

    Errors are clustered by person, with t of persons − 1 degrees of freedom.
    """
    total = float(x @ x)
    varying = len(np.unique(codes[x != 0]))
    if not total > 0 or varying < 2:
        return None
    slope = float(x @ y) / total
    by_person = np.bincount(codes, x * (y - slope * x), persons)
    half = float(t975(varying - 1) * np.sqrt(by_person @ by_person * varying / (varying - 1)) / total)
    return Slope(slope, slope - half, slope + half, varying >= FEWEST_FOR_A_CLAIM)


@dataclass(frozen=True, slots=True, eq=False)
class PersonSlopes:
    """Slopes of persons, shrunken towards the common one.

    value : (persons,), NaN where x does not vary. sd : estimated standard deviation of the true slopes.
    """

    value: np.ndarray
    sd: float


@one_thread()
def person_slopes(codes: np.ndarray, x: np.ndarray, y: np.ndarray, persons: int) -> PersonSlopes:
    """Each person's slope of y on x, both centred within persons, as far from the common one as its data warrant.

    Best linear prediction: own slopes b_i = x'y / x'x have error variance s² / x'x, s² pooled over persons; the
    variance of the true slopes is estimated by moments (DerSimonian & Laird 1986), 0 if chance alone explains the
    spread.
    """
    xx, xy = np.bincount(codes, x * x, persons), np.bincount(codes, x * y, persons)
    able = xx > 1e-12 * max(1.0, float(xx.max(initial=0)))
    own = np.full(persons, np.nan)
    own[able] = xy[able] / xx[able]
    rest = y - np.nan_to_num(own)[codes] * x
    free = int((np.bincount(codes, minlength=persons)[able] - 2).clip(0).sum())
    if able.sum() < 2 or free == 0:
        return PersonSlopes(np.where(able, xy[able].sum() / max(xx[able].sum(), 1e-300), np.nan), 0.0)
    noise = float(rest[able[codes]] @ rest[able[codes]]) / free
    if noise == 0:
        return PersonSlopes(own, float(np.std(own[able])))
    weight = xx[able] / noise
    mean = float(weight @ own[able] / weight.sum())
    spread = float(weight @ (own[able] - mean) ** 2)
    between = max(0.0, (spread - (able.sum() - 1)) / float(weight.sum() - weight @ weight / weight.sum()))
    kept = between * weight / (between * weight + 1)
    weight = weight / (1 + between * weight)
    mean = float(weight @ own[able] / weight.sum())
    own[able] = mean + kept * (own[able] - mean)
    return PersonSlopes(own, float(np.sqrt(between)))
