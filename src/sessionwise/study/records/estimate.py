"""What everything is made of: an estimate, and what stands where there is none."""

from __future__ import annotations

from dataclasses import dataclass, replace

from scipy.special import ndtr, stdtr, stdtrit

from ...errors import Wording

Label = str | int | float
#: Of the normal distribution, for 95 % intervals.
Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class NotAnswered:
    """A question that these data cannot answer. question : which; why : what stands against it; needed : what would
    answer it."""

    question: str
    why: str
    needed: str

    @property
    def words(self) -> str:
        """All of it in one text; a Wording where `needed` is one."""
        told = f"Not answered: {self.question}. {self.why}"
        return Wording(f"{told} ", self.needed) if self.needed else told

    def __str__(self) -> str:
        return str(self.words)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its standard error and 95 % interval; df is None for a normal reference distribution, p is that
    of the hypothesis that the number is zero."""

    value: float
    se: float
    low: float
    high: float
    df: float | None
    p: float

    @classmethod
    def normal(cls, value: float, se: float) -> Estimate:
        """With a normal reference distribution."""
        return cls(value, se, value - Z * se, value + Z * se, None, float(2 * ndtr(-abs(value / se))))

    @classmethod
    def t(cls, value: float, se: float, df: int) -> Estimate:
        """With a t distribution."""
        half = float(stdtrit(df, 0.975)) * se
        return cls(value, se, value - half, value + half, float(df), float(2 * stdtr(df, -abs(value / se))))

    def spanning(self, shift: float) -> Estimate:
        """With an interval that spans its own and that of the value less `shift`; p is the larger of both, 1 where zero
        lies between."""
        other = self.value - shift
        if self.value * other <= 0 and shift:
            p = 1.0
        else:
            nearest = min(abs(self.value), abs(other))
            p = 2 * (ndtr(-nearest / self.se) if self.df is None else stdtr(self.df, -nearest / self.se))
        return replace(self, low=min(self.low, self.low - shift), high=max(self.high, self.high - shift), p=float(p))

    @property
    def significant(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0

    def times(self, k: float) -> Estimate:
        """In other units: all of it multiplied by k."""
        low, high = sorted((self.low * k, self.high * k))
        return Estimate(self.value * k, self.se * abs(k), low, high, self.df, self.p)
