"""Net lagged effects: what each score does to the other at the next session, by all ways from one to the other.

The process within persons is z_t = A z_{t-1} + e_t with z = (outcome, process), e_t correlated within a session, around
a course that all persons share (of any shape, unless another was asked for) and around each person's own mean, or own
line where persons have trends of their own. Both rows of A are estimated by regressions within persons; what few
sessions a person do to these is taken out (see bias.py); errors are robust, with both regressions together.

Two such estimates of A that differ in what is taken out (a line or any course, means or lines, short or long stays) are
compared by the influence of each person on both (Hausman 1978, Econometrica 46, 1251, without his assumption that one
of them is efficient). Where it does not matter what is taken out, they estimate the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import chdtrc

from ...designs import design
from ...errors import DesignError
from ..records import Estimate, NotAnswered
from .bias import Corrected, Process, Side, corrected, expected, layout
from .direction import FEWEST_WITH_CHANGE
from .equation import quoted
from .fits import sentence
from .regression import Regression, regression

if TYPE_CHECKING:
    from ...designs import Design
    from ...panel import Panel

#: Places of A: outcome on its previous value, on the previous process; process on its own, on the previous outcome.
OWN_OUTCOME, FORWARD, OWN_PROCESS, REVERSE = range(4)


@dataclass(frozen=True, slots=True, eq=False)
class NetProcess:
    """A in within-person SDs of both scores, in the order of the places above.

    estimated : with what few sessions do to it. found : without. influence : (n_persons, 4), of each person on the
    latter. persons : who have something left within. made : the designs of both regressions. freedom : left in these,
    of each. line : whether persons' own lines are out.
    """

    estimated: Process
    found: Corrected
    influence: np.ndarray
    persons: int
    made: tuple[Design, Design]
    freedom: tuple[int, int]
    line: bool

    @property
    def coefficients(self) -> np.ndarray:
        return self.found.process.coefficients

    @property
    def covariance(self) -> np.ndarray:
        return np.asarray(self.influence.T @ self.influence)

    def estimate(self, at: int) -> Estimate:
        """A coefficient with its 95 % interval, by t with as many degrees of freedom as persons, less one."""
        return Estimate.t(float(self.coefficients[at]), float(np.sqrt(self.covariance[at, at])), self.persons - 1)

    def bias(self, forward: Design, reverse: Design, *, line: bool = False) -> tuple[float, float] | None:
        """Expected bias of both effects by models of these rows; `line`: with persons' lines taken out."""
        sides = _sides((forward, reverse), line)
        tends = expected(self.found.process, sides) if sides else None
        if tends is None:
            return None
        off = tends.coefficients - self.coefficients
        return float(off[FORWARD]), float(off[REVERSE])


@dataclass(frozen=True, slots=True)
class Contrast:
    """Two estimates compared: chi-square with df degrees of freedom, p."""

    chi2: float
    df: int
    p: float


def net_process(
    panel: Panel,
    columns: tuple[str, str],
    held: tuple[str, ...],
    sds: tuple[float, float],
    question: str,
    *,
    line: bool = False,
) -> NetProcess | NotAnswered:
    """Both regressions and the process behind them.

    columns : outcome, process. held : terms that are held constant: the course, covariates. sds : within-person SDs.
    """
    fitted: list[Regression] = []
    made: list[Design] = []
    for y, x in (columns, columns[::-1]):
        own = [f"lag({quoted(y)})", f"lag({quoted(x)})"]
        try:
            one = design(panel, f"{quoted(y)} ~ {' + '.join([*own, *held])}")
        except DesignError as error:
            return _why_not(panel, f"{quoted(y)} ~ {' + '.join(own)}", error, question)
        found = None if any(t not in one.names for t in own) else regression(one, own, panel, line=line)
        if found is None:
            why = "Scores do not vary enough within persons, or follow from each other without any error."
            return NotAnswered(question, why, "More sessions for each person.")
        fitted.append(found)
        made.append(one)
    persons = max(one.persons for one in fitted)
    if persons < FEWEST_WITH_CHANGE:
        why = f"Errors by the spread over persons cannot be had of {persons}."
        return NotAnswered(question, why, f"At least {FEWEST_WITH_CHANGE} persons with lagged pairs, better 20.")
    sides = _sides((made[0], made[1]), line)
    if sides is None:
        return NotAnswered(question, "Persons have so many sessions that few sessions are no matter.", "")
    scale = np.array([1.0, sds[1] / sds[0], 1.0, sds[0] / sds[1]])
    variances = np.array([one.variance / sd**2 for one, sd in zip(fitted, sds, strict=True)])
    raw = np.concatenate([one.coefficients for one in fitted]) * scale
    influence = np.hstack([one.influence for one in fitted]) * scale
    estimated = Process(raw, variances, _correlation(fitted, made))
    found_process = corrected(estimated, influence.T @ influence, sides)
    if found_process is None:
        why = "No stationary process would be expected to give these estimates in so few sessions."
        return NotAnswered(question, why, "More sessions for each person.")
    return NetProcess(
        estimated,
        found_process,
        influence @ found_process.inverse.T,
        persons,
        (made[0], made[1]),
        (fitted[0].freedom, fitted[1].freedom),
        line,
    )


def compared(one: NetProcess, other: NetProcess, at: tuple[int, ...] = (0, 1, 2, 3)) -> Contrast | None:
    """Whether two estimates of the same persons, or of persons of whom none is in both, are of one process; None where
    they are the same by construction."""
    apart = (other.coefficients - one.coefficients)[list(at)]
    influence = (other.influence - one.influence)[:, list(at)]
    covariance = influence.T @ influence
    sd = np.sqrt(covariance.diagonal())
    if (sd <= 1e-9).any():
        return None
    values, vectors = np.linalg.eigh(covariance / np.outer(sd, sd))
    there = values > 1e-9
    z = (vectors.T @ (apart / sd))[there]
    chi2, df = float((z**2 / values[there]).sum()), int(there.sum())
    return Contrast(chi2, df, float(chdtrc(df, chi2)))


def _why_not(panel: Panel, scores: str, error: DesignError, question: str) -> NotAnswered:
    """What stands against it, few sessions before whatever follows from these."""
    try:
        several = (np.diff(design(panel, scores).starts) >= 2).any()
    except DesignError as first:
        return NotAnswered(question, sentence(first.what), first.remedy)
    if several:
        return NotAnswered(question, sentence(error.what), error.remedy)
    return NotAnswered(question, "Nobody has two lagged pairs of sessions.", "More sessions for each person.")


def _sides(made: tuple[Design, Design], line: bool) -> list[Side] | None:
    layouts = [layout(one, line) for one in made]
    sides = [Side(i, ((i, 1), (1 - i, 1)), at) for i, at in enumerate(layouts) if at is not None]
    return sides if len(sides) == 2 else None


def _correlation(fitted: list[Regression], made: list[Design]) -> float:
    """Of both regressions' residuals at the sessions that both have."""
    _, first, second = np.intersect1d(made[0].rows, made[1].rows, return_indices=True)
    a, b = fitted[0].residuals[first], fitted[1].residuals[second]
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size > 0 else 0.0
