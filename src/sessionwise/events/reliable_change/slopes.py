"""Slopes of persons by a multilevel model, as the hierarchical linear method of reliable change has them.

The score is a line over sessions with random intercepts and slopes; a person's slope is its empirical Bayes estimate,
its error the posterior SD given the fitted variances (Raudenbush & Bryk 2002, Hierarchical Linear Models, ch. 3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import ModelError
from ...models import MLM
from ...panel import Panel
from ..series import Floats, Series

#: Persons with fewer ratings have no line of their own, but do count in the fit.
FEWEST = 3


@dataclass(frozen=True, slots=True)
class Slopes:
    """The fitted model.

    fixed : intercept and mean slope. between : of the persons' intercepts and slopes, (variance of intercepts,
    covariance, variance of slopes). residual : variance. centre : session number that the intercept is at.
    """

    fixed: tuple[float, float]
    between: tuple[float, float, float]
    residual: float
    centre: float


def fitted_slopes(series: Series) -> Slopes:
    """Fit to all ratings.

    Raises
    ------
    ModelError : fewer than two persons with three ratings, or no such model can be fitted.
    """
    import polars as pl

    known = np.isfinite(series.values)
    if (known.sum(axis=1) >= FEWEST).sum() < 2:
        raise ModelError(
            f"fewer than two persons have {FEWEST} ratings: no slopes can be told apart.",
            remedy="Use another method, such as jacobson-truax.",
        )
    person, _ = np.nonzero(known)
    sessions = series.sessions[known].astype(np.float64)
    centre = float(sessions.mean())
    table = pl.DataFrame(
        {"person": person, "session": series.sessions[known], "y": series.values[known], "t": sessions - centre}
    )
    fit = MLM("y ~ t + (1 + t | person)").fit(Panel(table, person="person", session="session"))
    cov = fit.varcorr["person"].cov
    fixed = (float(fit.fixef["(Intercept)"]), float(fit.fixef["t"]))
    return Slopes(fixed, (float(cov[0, 0]), float(cov[0, 1]), float(cov[1, 1])), float(fit.sigma**2), centre)


def own_slopes(series: Series, model: Slopes) -> tuple[Floats, Floats]:
    """Deviation of each person's slope from the mean slope, and its posterior SD; float64 (persons,).

    With S = Σ zz', z = (1, t), and s = Σ z(y − ŷ) over a person's ratings, u = (I·σ² + D S)⁻¹ D s, with covariance
    σ²(I·σ² + D S)⁻¹ D: also where D is singular.
    """
    known = np.isfinite(series.values)
    t = np.where(known, series.sessions - model.centre, 0.0)
    rest = np.where(known, series.values - model.fixed[0] - model.fixed[1] * t, 0.0)
    n, t1, t2 = known.sum(axis=1).astype(np.float64), t.sum(axis=1), (t * t).sum(axis=1)
    s1, s2 = rest.sum(axis=1), (rest * t).sum(axis=1)
    d11, d12, d22 = model.between
    a11 = model.residual + d11 * n + d12 * t1
    a12 = d11 * t1 + d12 * t2
    a21 = d12 * n + d22 * t1
    a22 = model.residual + d12 * t1 + d22 * t2
    determinant = a11 * a22 - a12 * a21
    b1, b2 = d11 * s1 + d12 * s2, d12 * s1 + d22 * s2
    slope = (a11 * b2 - a21 * b1) / determinant
    variance = model.residual * (a11 * d22 - a21 * d12) / determinant
    return slope, np.sqrt(np.maximum(variance, 0.0))
