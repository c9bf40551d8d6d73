"""Net lagged effects: what each score does to the other at the next session, all ways from the one to the other together.

The process within persons is z_t = A z_{t-1} + e_t with z = (outcome, process), e_t correlated within a session, around
a course that is common to all persons and free (a step for each session number, or a spline where there are many), and
around each person's own mean, or own line where the data show that persons have trends of their own. Both rows of A are
estimated by regressions within persons; what few sessions a person do to these is taken out (see bias.py); errors are
robust, with both regressions together.

Whether persons have trends of their own is tested by what it would matter for: A with persons' lines taken out against
A with means alone (Hausman 1978, Econometrica 46, 1251). Without such trends both estimate the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import chdtrc, stdtr, stdtrit

from ...designs import design
from ...errors import DesignError
from ..records import Estimate, NotAnswered
from .bias import Corrected, Process, Side, corrected, layout
from .equation import quoted
from .fits import sentence
from .regression import Regression, regression

if TYPE_CHECKING:
    from ...designs import Design
    from ...panel import Panel

#: At this level persons' own trends are taken out.
OWN_TRENDS_LEVEL = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class NetProcess:
    """The process in the data's units. coefficients : (4,), outcome on its own previous value, outcome on the previous
    process, process on its own, process on the previous outcome. influence : (n_persons, 4). persons : who have
    something left within. pairs : rows of both regressions. made : their designs. line : whether own lines are out."""

    coefficients: np.ndarray
    influence: np.ndarray
    raw: np.ndarray
    persons: int
    pairs: tuple[int, int]
    made: tuple[Design, Design]
    found: Corrected
    line: bool

    @property
    def covariance(self) -> np.ndarray:
        return np.asarray(self.influence.T @ self.influence)

    def estimate(self, at: int) -> Estimate:
        """One coefficient with its 95 % interval, by t with as many degrees of freedom as persons, less one."""
        return t_estimate(float(self.coefficients[at]), float(np.sqrt(self.covariance[at, at])), self.persons - 1)


def t_estimate(value: float, se: float, df: int) -> Estimate:
    half = float(stdtrit(df, 0.975)) * se
    return Estimate(value, se, value - half, value + half, float(df), float(2 * stdtr(df, -abs(value / se))))


def net_process(
    panel: Panel,
    outcome: str,
    process: str,
    held: tuple[str, ...],
    sds: tuple[float, float],
    question: str,
    *,
    line: bool,
) -> NetProcess | NotAnswered:
    """Both regressions and the process behind them.

    held : terms that are held constant: the course, covariates. sds : units in which the process is looked for, so that
    both scores are of one size.
    """
    fitted: list[Regression] = []
    made: list[Design] = []
    for y, x in ((outcome, process), (process, outcome)):
        own = [f"lag({quoted(y)})", f"lag({quoted(x)})"]
        try:
            one = design(panel, f"{quoted(y)} ~ {' + '.join([*own, *held])}")
        except DesignError as error:
            return NotAnswered(question, sentence(error.what), error.remedy)
        positions = panel.codes[one.rows[one.starts[:-1]]]
        found = (
            None
            if any(t not in one.names for t in own)
            else regression(one, own, positions, panel.n_persons, line=line)
        )
        if found is None:
            return NotAnswered(question, "Scores do not vary enough within persons.", "More sessions for each person.")
        fitted.append(found)
        made.append(one)
    scale = np.array([1.0, sds[1] / sds[0], 1.0, sds[0] / sds[1]])
    layouts = [layout(one, line) for one in made]
    raw = np.concatenate([one.coefficients for one in fitted])
    influence = np.hstack([one.influence for one in fitted])
    if layouts[0] is None or layouts[1] is None:
        return NotAnswered(question, "Persons have very many sessions.", "")
    sides = [Side(i, ((i, 1), (1 - i, 1)), at) for i, at in enumerate(layouts) if at is not None]
    variances = np.array([one.variance / sd**2 for one, sd in zip(fitted, sds, strict=True)])
    estimated = Process(raw * scale, variances, _correlation(fitted, made))
    scaled = influence * scale
    found_process = corrected(estimated, scaled.T @ scaled, sides)
    if found_process is None:
        why = "No stationary process would be expected to give these estimates in so few sessions."
        return NotAnswered(question, why, "More sessions for each person.")
    coefficients = found_process.process.coefficients / scale
    moved = (scaled @ found_process.inverse.T) / scale
    persons = max(one.persons for one in fitted)
    pairs = len(made[0].rows), len(made[1].rows)
    return NetProcess(coefficients, moved, raw, persons, pairs, (made[0], made[1]), found_process, line)


def own_trends(mean: NetProcess, line: NetProcess) -> tuple[float, float]:
    """Hausman's test: chi-square with 4 degrees of freedom, p."""
    apart = line.coefficients - mean.coefficients
    influence = line.influence - mean.influence
    covariance = influence.T @ influence
    chi2 = float(apart @ np.linalg.solve(covariance, apart))
    return chi2, float(chdtrc(4, chi2))


def differs_by_stay(short: NetProcess, long: NetProcess) -> tuple[float, float]:
    """Whether both effects of the one score on the other are the same in persons who stay short and long: chi-square
    with 2 degrees of freedom, p. The two groups have no person in common."""
    apart = (long.coefficients - short.coefficients)[[1, 3]]
    covariance = (long.covariance + short.covariance)[np.ix_([1, 3], [1, 3])]
    chi2 = float(apart @ np.linalg.solve(covariance, apart))
    return chi2, float(chdtrc(2, chi2))


def _correlation(fitted: list[Regression], made: list[Design]) -> float:
    """Of both regressions' residuals at the sessions that both have."""
    _, first, second = np.intersect1d(made[0].rows, made[1].rows, return_indices=True)
    a, b = fitted[0].residuals[first], fitted[1].residuals[second]
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size > 0 else 0.0
