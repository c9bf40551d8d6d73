"""SuddenGain: a large, stable change for the better, or the worse, from one session to the next.

Three criteria (Tang & DeRubeis 1999, J Consult Clin Psychol 67, 894–904, as the R package suddengains states them in
its documentation): the change is large in the measure's units, large beside the score before it, and large beside the
scores around it. A loss is the mirror image of a gain in all three.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from ..errors import ModelError
from ..options import A_NAME, PANEL, a_number, fields_of_kind, one_of, takes, whole_number
from ..words import num, percent
from .contract import Detector, Found, in_order
from .norms import Better, Scales, better_of, reliable_change_of
from .series import SERIES, Floats, Ints, Series, by_session, own_course

if TYPE_CHECKING:
    from ..panel import Panel

Direction = Literal["gain", "loss"]
Stability = Literal["pooled-sd", "t-test", "half-kept", "own-sd", "none"]
DIRECTIONS: tuple[Direction, ...] = ("gain", "loss")
STABILITIES: tuple[Stability, ...] = ("pooled-sd", "t-test", "half-kept", "own-sd", "none")


@dataclass(frozen=True, slots=True)
class SuddenGain(Detector):
    """Sudden gains, or losses, between two sessions that follow each other.

    Parameters
    ----------
    column : the measure.
    direction : 'gain', a change for the better; 'loss', its mirror image.
    better : which scores are better, 'lower' or 'higher'; default what the instrument says, else 'lower'.
    cutoff : criterion 1, the smallest change in the measure's units: 7 on the BDI in Tang & DeRubeis (1999). Default:
        the reliable change of the instrument that the column is a score of.
    share : criterion 2, the smallest change as a share of the distance of the score before it from `best`; .25 there.
        0 leaves it out.
    best : the score of somebody without any symptom, from which shares are counted.
    stability : criterion 3. 'pooled-sd': the means of up to `window` scores on both sides differ by more than the
        critical t times their pooled standard deviation, as suddengains computes it; 't-test': times the standard
        error of a t-test for two groups; 'half-kept': at least `kept` of the change is left at each of the next `over`
        sessions that was rated (Gaynor et al. 2003); 'own-sd': the change is at least `own_sds` standard deviations of
        the person's whole series (Kelly et al. 2005); both as Vittengl et al. (2015) state
        them. 'none': left out.
    window, fewest : sessions on each side that criterion 3 looks at, and how many of them must be rated: 3 and 2.
    alpha : of the critical t, two-sided.
    kept, over, own_sds : of the variants of criterion 3.
    reversal : a gain counts as reversed at the first later session that has lost so much of it: .5 (Tang & DeRubeis
        1999).
    """

    key: ClassVar[str] = "sudden-gain"
    kinds: ClassVar[tuple[str, ...]] = ("sudden gain", "sudden loss")

    column: str
    direction: Direction = "gain"
    better: Better | None = None
    cutoff: float | None = None
    share: float = 0.25
    best: float = 0.0
    stability: Stability = "pooled-sd"
    window: int = 3
    fewest: int = 2
    alpha: float = 0.05
    kept: float = 0.5
    over: int = 2
    own_sds: float = 1.5
    reversal: float = 0.5

    def __post_init__(self) -> None:
        positive, part = a_number(above=0), a_number(above=-1e-300, below=1.0)
        fields_of_kind(
            self,
            column=A_NAME,
            cutoff=positive,
            share=part,
            best=a_number(),
            window=whole_number(1, 100),
            fewest=whole_number(1, 100),
            alpha=a_number(above=0, below=1),
            kept=part,
            over=whole_number(1, 100),
            own_sds=positive,
            reversal=a_number(above=0),
        )
        one_of("direction", self.direction, DIRECTIONS)
        one_of("better", self.better, (None, "lower", "higher"))
        one_of("stability", self.stability, STABILITIES)

    @property
    def rule(self) -> str:
        word = "better" if self.direction == "gain" else "worse"
        size = "its reliable change" if self.cutoff is None else num(self.cutoff)
        parts = [f"{self.column} {word} by {size} or more from one session to the next"]
        if self.share > 0:
            parts.append(f"by {percent(self.share)} or more of the score before")
        return ", ".join([*parts, *self._stability_words()])

    def _stability_words(self) -> list[str]:
        means = f"means of {self.window} sessions before and after differ by more than t({1 - self.alpha / 2:g}) times"
        said = {
            "pooled-sd": f"{means} their pooled SD",
            "t-test": f"{means} its standard error",
            "half-kept": f"{percent(self.kept)} kept at each of the next {self.over} sessions",
            "own-sd": f"by {num(self.own_sds)} SD of the person's series or more",
        }
        return [said[self.stability]] if self.stability != "none" else []

    @takes(ModelError, panel=PANEL, series=SERIES)
    def settled(self, panel: Panel, series: Series) -> SuddenGain:
        """With the direction and the reliable change of the instrument, where the user gave none.

        Raises
        ------
        ModelError : no cutoff was given, and the column is no score of an instrument with a reliable change.
        """
        scales = Scales.of(panel)
        cutoff = reliable_change_of(scales, self.column, "cutoff") if self.cutoff is None else self.cutoff
        return replace(self, better=better_of(scales, self.column, self.better), cutoff=cutoff)

    @takes(ModelError, series=SERIES)
    def find(self, series: Series) -> Found:
        """Gains or losses; `more` has the scores before and after, and the session of a reversal, 0 for none."""
        assert self.cutoff is not None
        places = by_session(series)
        up = (1 if self.better == "higher" else -1) * (1 if self.direction == "gain" else -1)
        x = places.values * up
        if x.shape[1] < 2:
            x = np.full((series.persons, 2), np.nan)
            places = Series(x, np.zeros(x.shape, np.int64))
        change = x[:, 1:] - x[:, :-1]
        distance = np.abs(places.values[:, :-1] - self.best)
        with np.errstate(divide="ignore", invalid="ignore"):
            margin = change / self.cutoff
            if self.share > 0:
                margin = np.minimum(margin, change / (self.share * distance))
            enough = np.isfinite(change)
            steady, known = self._steadiness(x, change, places)
            margin, enough = np.minimum(margin, steady), enough & known
            hits = enough & (margin >= 1.0)
        person, at = np.nonzero(hits)
        return self._found(places, x, person, at, margin[person, at], enough.any(axis=1))

    def _steadiness(self, x: Floats, change: Floats, places: Series) -> tuple[Floats, np.ndarray]:
        """How many times the threshold of criterion 3 is reached, and where it can be told; (persons, places − 1)."""
        if self.stability in ("pooled-sd", "t-test"):
            return _mean_difference(x, self.window, self.fewest, self.alpha, self.stability == "t-test")
        if self.stability == "half-kept":
            return self._half_kept(x, change)
        if self.stability == "own-sd":
            sd = own_course(places, trend=False).sd[:, None]
            return np.where(sd > 0, change / (self.own_sds * sd), -np.inf), np.isfinite(sd) & np.isfinite(change)
        return np.full(change.shape, np.inf), np.ones(change.shape, bool)

    def _half_kept(self, x: Floats, change: Floats) -> tuple[Floats, np.ndarray]:
        """The least that is left of the change at the next ratings; where none follows it cannot be told."""
        least = np.full(change.shape, np.inf)
        known = np.zeros(change.shape, bool)
        for ahead in range(2, self.over + 2):
            later = np.full(change.shape, np.nan)
            if x.shape[1] > ahead:
                later[:, : x.shape[1] - ahead] = x[:, ahead:]
            left = later - x[:, :-1]
            known |= np.isfinite(left)
            ratio = left / (self.kept * change) if self.kept > 0 else np.where(left >= 0, np.inf, -np.inf)
            least = np.fmin(least, np.where(change > 0, ratio, -np.inf))
        return least, known

    def _found(self, places: Series, x: Floats, person: Ints, at: Ints, margin: Floats, assessed: np.ndarray) -> Found:
        width = x.shape[1]
        before, after = x[person, at], x[person, at + 1]
        line = before + (1 - self.reversal) * (after - before)
        columns = np.arange(width)[None, :]
        lost = (columns > (at + 1)[:, None]) & (x[person] <= line[:, None])
        reversed_at = np.where(lost.any(axis=1), lost.argmax(axis=1), -1) if len(person) else at
        sessions = places.sessions
        reversal = np.where(reversed_at >= 0, sessions[person, np.maximum(reversed_at, 0)], 0)
        kind = np.full(len(person), DIRECTIONS.index(self.direction))
        values = places.values
        return in_order(
            Found(
                person=person,
                kind=kind,
                start=sessions[person, at],
                turning=sessions[person, at + 1],
                end=sessions[person, at + 1],
                magnitude=after - before,
                evidence=margin,
                probability=np.full(len(person), np.nan),
                assessed=assessed,
                more={
                    "before": values[person, at],
                    "after": values[person, at + 1],
                    "reversed": reversed_at >= 0,
                    "reversal": reversal,
                },
            )
        )


def _mean_difference(
    x: Floats, window: int, fewest: int, alpha: float, standard_error: bool
) -> tuple[Floats, np.ndarray]:
    """Difference of the means after and before each interval, over the critical t times the spread.

    A spread of zero is exceeded by any difference.
    """
    from scipy.special import stdtrit

    n1, mean1, square1 = _windows(x, window, before=True)
    n2, mean2, square2 = _windows(x, window, before=False)
    free = n1 + n2 - 2
    known = (n1 >= fewest) & (n2 >= fewest) & (free >= 1)
    pooled = np.sqrt((square1 + square2) / np.maximum(free, 1))
    spread = pooled * np.sqrt(1 / np.maximum(n1, 1) + 1 / np.maximum(n2, 1)) if standard_error else pooled
    critical = stdtrit(np.arange(1, 2 * window), 1 - alpha / 2)[np.clip(free, 1, 2 * window - 1) - 1]
    difference = mean2 - mean1
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(difference > 0, difference / (critical * spread), -np.inf)
    return np.where(ratio == 1.0, np.nextafter(1.0, 0), ratio), known  # the threshold itself is not exceeded


def _windows(x: Floats, window: int, before: bool) -> tuple[Ints, Floats, Floats]:
    """Number, mean and sum of squared deviations of the ratings up to, or from, each interval's sessions."""
    persons, width = x.shape
    stack = np.full((window, persons, width - 1), np.nan)
    for k in range(window):
        if before:
            stack[k, :, k:] = x[:, : width - 1 - k] if k < width - 1 else np.nan
        elif k < width - 1:
            stack[k, :, : width - 1 - k] = x[:, 1 + k :]
    known = np.isfinite(stack)
    n = known.sum(axis=0)
    filled = np.where(known, stack, 0.0)
    mean = filled.sum(axis=0) / np.maximum(n, 1)
    squares = (np.where(known, stack - mean, 0.0) ** 2).sum(axis=0)
    return n, mean, squares
