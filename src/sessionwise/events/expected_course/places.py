"""The ratings of a Panel as the growth model takes them: sessions since the first rating, and columns of the course."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...errors import ModelError
from ..series import Floats, Ints, Series, rated
from .description import Shape

if TYPE_CHECKING:
    from ...panel import Panel
    from .description import ExpectedCourse


@dataclass(frozen=True, slots=True, eq=False)
class Courses:
    """Persons' ratings. series : as they are. known : bool (persons, places). since : int64 (persons, places), sessions
    since the first rating. baseline : (persons,), NaN for nobody's. covariates : (persons, predictors)."""

    series: Series
    known: np.ndarray
    since: Ints
    baseline: Floats
    covariates: Floats


def courses(described: ExpectedCourse, panel: Panel) -> Courses:
    """The ratings and what was known beforehand, as of each person's first row.

    Raises
    ------
    PanelError : no such column, or it is not numeric. ModelError : a predictor that changes within persons.
    """
    series = rated(panel, described.column)
    known = np.isfinite(series.values)
    first = series.sessions[:, :1] if series.sessions.shape[1] else np.zeros((series.persons, 1), np.int64)
    since = np.where(known, series.sessions - first, 0)
    predictors = [_of_persons(panel, name) for name in described.predictors]
    table = np.stack(predictors, axis=1) if predictors else np.zeros((series.persons, 0))
    own = series.values[:, 0] if series.values.shape[1] else np.full(series.persons, np.nan)
    return Courses(series, known, since, own if described.baseline == "first" else table[:, -1], table)


def _of_persons(panel: Panel, name: str) -> Floats:
    values = panel[name]
    if not panel.is_constant(name):
        raise ModelError(
            f"{name!r} changes within persons, and the course is to be known before the first session.",
            where=f"column {name!r}",
            remedy="Use a column with one value a person, such as age or a score at intake.",
        )
    first = np.full(panel.n_persons, np.nan)
    rows = np.flatnonzero(np.isfinite(values))[::-1]
    first[panel.codes[rows]] = values[rows]
    return first


def slope_of(shape: Shape, since: np.ndarray) -> Floats:
    """What a person's slope is of."""
    return since.astype(np.float64) if shape == "linear" else np.log1p(since.astype(np.float64))


def columns(shape: Shape, knots: tuple[int, ...], since: np.ndarray, covariates: Floats) -> Floats:
    """(persons, places, p): intercept, the course, each covariate, and each times the slope's time.

    knots : of a free course, 0 first; between them it is straight. covariates : (persons, q), centred.
    """
    time = slope_of(shape, since)
    if shape == "free":
        at = np.asarray(knots, np.float64)
        hats = [np.interp(since, at, one) for one in np.eye(len(at))[1:]]
    else:
        hats = [time]
    level = [np.broadcast_to(covariates[:, j, None], time.shape) for j in range(covariates.shape[1])]
    return np.stack([np.ones_like(time), *hats, *level, *(one * time for one in level)], axis=2)
