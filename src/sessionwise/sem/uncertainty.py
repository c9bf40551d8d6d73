"""Uncertainty: covariance matrices of the estimates, from expected, observed or robust information."""

from __future__ import annotations

import numpy as np

from .identification import curvature
from .likelihood import Groups


def covariance(groups: Groups, theta: np.ndarray, hessian: np.ndarray, meat: np.ndarray | None = None) -> np.ndarray:
    """Covariance matrix (q, q) of estimates (q,), from the Hessian of -2 log-likelihood there; NaN where that is flat
    in some direction. `meat`: the persons' squared scores, for robust errors.

    The expected Hessian is right for complete data and values missing completely at random, the observed one also for
    values missing at random (Kenward & Molenberghs 1998), the robust one also without normality (Huber 1967, White
    1982; MLR).
    """
    inverse = 2 * curvature(groups, theta, hessian).inverse
    if meat is not None:
        inverse = inverse @ meat @ inverse
    return np.asarray((inverse + inverse.T) / 2)
