"""Uncertainty: covariance matrices of the estimates, from expected, observed or robust information."""

from __future__ import annotations

import numpy as np

from .optimum import FLAT


def covariance(hessian: np.ndarray, meat: np.ndarray | None = None) -> np.ndarray:
    """Covariance matrix (q, q) of estimates, from the Hessian of -2 log-likelihood; NaN where that is flat in some
    direction. `meat`: the persons' squared scores, for robust errors.

    The expected Hessian is right for complete data and values missing completely at random, the observed one also for
    values missing at random (Kenward & Molenberghs 1998), the robust one also without normality (Huber 1967, White
    1982; MLR).
    """
    diagonal = hessian.diagonal()
    scale = 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    even = hessian * np.outer(scale, scale)
    if not np.linalg.eigvalsh(even)[0] > FLAT:
        return np.full(hessian.shape, np.nan)
    inverse = 2 * np.linalg.inv(even) * np.outer(scale, scale)
    if meat is not None:
        inverse = inverse @ meat @ inverse
    return np.asarray((inverse + inverse.T) / 2)
