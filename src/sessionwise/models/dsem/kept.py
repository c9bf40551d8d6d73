"""Kept: what a fit keeps of the grid that it was made from: structure, units, session numbers. No session row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...gibbs.specification import Structure
from .data import Scaled
from .person_columns import Source


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """structure : the model's arrays. centre, sd : (K,). predictors, sources : names of person-level columns and where
    they come from. predictor_means : (W,). trend_unit, before, first, sessions : of the grid (`Scaled`), and how many
    session numbers it has. covariate_centre, covariate_sd : (X,). error_mean, error_complete : (K,) mean error
    variance, and that of a score all of whose items are answered, in squared units; None for none. items : (K,) of
    each scale, 0 where the variance was given."""

    structure: Structure
    centre: np.ndarray
    sd: np.ndarray
    predictors: tuple[str, ...]
    sources: tuple[Source, ...]
    predictor_means: np.ndarray
    trend_unit: float
    before: int
    first: int
    sessions: int
    covariate_centre: np.ndarray
    covariate_sd: np.ndarray
    error_mean: np.ndarray | None
    error_complete: np.ndarray | None
    items: np.ndarray

    @classmethod
    def of(cls, data: Scaled, structure: Structure) -> Kept:
        """Of what a fit was given."""
        errors = data.errors
        return cls(
            structure,
            data.centre,
            data.sd,
            data.predictors,
            data.sources,
            data.predictor_means,
            data.trend_unit,
            data.before,
            data.first,
            len(data.grid.own_course),
            data.covariate_centre,
            data.covariate_sd,
            None if errors is None else np.array([np.nanmean(e.variance) for e in errors]),
            None if errors is None else np.array([np.nanmin(e.variance) for e in errors]),
            np.zeros(len(data.sd), int) if errors is None else np.array([e.items or 0 for e in errors]),
        )
