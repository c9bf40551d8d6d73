"""The residuals of a model, for the rows of its Design: how far apart they are in time, and their strata."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from ...designs import Design
from ...errors import ModelError, some
from ...mixed import Residual, Solution, in_continuous_time
from ...options import known_name
from ...words import counted

if TYPE_CHECKING:
    from ...panel import Panel

ResidualKind = Literal["independent", "ar1", "car1"]
#: Strata of the residual variance: more than this is no stratification.
MOST_STRATA = 20


class ResidualOptions(Protocol):
    """What a description says of its residuals; see MLM."""

    @property
    def residual(self) -> ResidualKind: ...

    @property
    def variance_by(self) -> str | None: ...


def residual_of(model: ResidualOptions, panel: Panel, made: Design, *, partial: bool = False) -> Residual:
    """Gaps and strata of the rows used.

    partial : these are the rows of some persons only; whether there are enough is not judged.

    Raises
    ------
    ModelError : no time, or two sessions at one time, for continuous time; a column of strata with missing values, one
        value, or very many.
    """
    strata, labels = _strata(model.variance_by, panel, made)
    if not partial:
        strata_can_be_told(model.variance_by, labels, np.bincount(strata, minlength=len(labels)))
    gaps: np.ndarray = np.broadcast_to(np.nan, len(made.rows))  # takes no memory
    if model.residual != "independent":
        gaps = gaps.copy()
        at = made.sessions.astype(np.float64) if model.residual == "ar1" else row_times(panel, made)
        gaps[1:] = np.diff(at)
        gaps[made.starts[:-1]] = np.nan
        if not partial:
            correlation_can_be_told(model.residual, np.diff(made.starts), any(g.is_person for g in made.groupings))
        must_ascend(gaps, panel, made)
    if model.residual == "car1":
        return in_continuous_time(gaps, strata, labels)
    return Residual(model.residual, gaps, strata, labels)


def with_rows(solution: Solution, model: ResidualOptions, panel: Panel, made: Design) -> Solution:
    """The solution with what its residuals are in the rows of the fit's Panel, which a fit of Grams has not."""
    if len(solution.problem.residual.strata) == len(made.rows):
        return solution
    residual = residual_of(model, panel, made)
    return replace(solution, problem=replace(solution.problem, residual=residual))


def correlation_can_be_told(residual: str, n: np.ndarray, of_persons: bool) -> None:
    """Stop where no person has two rows, or none has three and persons have random effects: two sessions have one
    covariance, and nothing says whether it is a random intercept's or the residuals'. n : rows of each person."""
    most = int(n.max())
    if most < 2:
        raise ModelError(
            f"residual={residual!r} needs persons with several sessions, and every person has one row left.",
            remedy='Use residual="independent".',
        )
    if most == 2 and of_persons:
        raise ModelError(
            f"with two sessions a person, residual={residual!r} cannot be told from random effects of persons.",
            where=f"{len(n):,} persons, {int(n.sum()):,} rows used",
            remedy='Use residual="independent", or leave out the random term of persons.',
        )


def strata_can_be_told(name: str | None, labels: tuple[str, ...], sizes: np.ndarray) -> None:
    """Stop where a column of strata has one value, or very many, or one row only of a value. sizes : rows of each."""
    if name is None:
        return
    if not 2 <= len(labels) <= MOST_STRATA:
        raise ModelError(
            f"variance_by={name!r} has {counted(len(labels), 'value')} in the rows used.",
            where=f"column {name!r}",
            remedy=f"Use a column with 2 to {MOST_STRATA} values, such as a group.",
        )
    few = [label for label, n in zip(labels, sizes.tolist(), strict=True) if n < 2]
    if few:
        raise ModelError(
            f"variance_by={name!r} has one row only for {some(few)}, and a variance needs several.",
            where=f"column {name!r}",
            remedy="Join values, or leave out these rows.",
        )


def must_ascend(gaps: np.ndarray, panel: Panel, made: Design) -> None:
    """Stop if a session is not later than the person's session before; `gaps` (n_rows,), NaN at first sessions.

    Raises
    ------
    ModelError : two sessions at one time, or times against the session numbers.
    """
    same = np.flatnonzero(gaps <= 0)
    if len(same):
        raise ModelError(
            f"{len(same):,} sessions are not later than the person's session before.",
            where=panel.where(made.rows[same]),
            remedy='Correct their times, or use residual="ar1", which goes by session number.',
        )


def row_times(panel: Panel, made: Design) -> np.ndarray:
    """When each row used took place, float64 (n_rows,).

    Raises
    ------
    ModelError : the Panel does not say, or not for every row.
    """
    if panel.times is None:
        raise ModelError(
            'residual="car1" needs to know when each session took place.',
            remedy='Build the Panel with time=..., or use residual="ar1", which goes by session number.',
        )
    times: np.ndarray = panel.times[made.rows]
    missing = np.flatnonzero(np.isnan(times))
    if len(missing):
        raise ModelError(
            f"the time is missing in {len(missing):,} of the rows used.",
            where=panel.where(made.rows[missing]),
            remedy='Fill them in, leave out these rows, or use residual="ar1".',
        )
    return times


def _strata(name: str | None, panel: Panel, made: Design) -> tuple[np.ndarray, tuple[str, ...]]:
    if name is None:
        return np.broadcast_to(np.int64(0), len(made.rows)), ()
    known_name("column", name, panel.columns, where="variance_by")
    labels = panel.labels(name)
    codes = labels.codes[made.rows]
    missing = np.flatnonzero(codes < 0)
    if len(missing):
        raise ModelError(
            f"variance_by={name!r} is missing in {len(missing):,} of the rows used.",
            where=panel.where(made.rows[missing]),
            remedy="Fill it in, or leave out these rows.",
        )
    used, strata = np.unique(codes, return_inverse=True)
    return strata.astype(np.int64), tuple(f"{name}={labels.levels[u]}" for u in used)
