"""What a NullCourse expects of each rating from the person's ratings before it, and nothing later.

State: the person's start, slope and fluctuation, normal; the Kalman filter, one rating after another, all persons at
once (Durbin & Koopman 2012, Time Series Analysis by State Space Methods, ch. 4). Parameters count as known.
"""

from __future__ import annotations

import numpy as np

from .null_course import NullCourse, time_of
from .series import Floats, Series


def one_step(course: NullCourse, series: Series) -> tuple[Floats, Floats]:
    """Mean and SD of the predictive distribution of each rating, float64 (persons, places), NaN where there is none.

    The first of a person is that of the sample. course : its `sd` is above 0.
    """
    y, known = series.values, np.isfinite(series.values)
    persons, width = y.shape
    elapsed = np.where(known, series.sessions - series.sessions[:, :1], 0).astype(np.float64)
    f = time_of(course.shape, elapsed)
    mean, sd = np.full(y.shape, np.nan), np.full(y.shape, np.nan)
    m = np.tile([course.start, course.slope, 0.0], (persons, 1))
    p = np.tile(_beforehand(course), (persons, 1, 1))
    for k in range(width):
        there = known[:, k]
        if k:
            gap = np.where(there, elapsed[:, k] - elapsed[:, k - 1], 1.0)
            carried = course.autocorrelation**gap
            m[:, 2] *= carried
            p[:, 2, :] *= carried[:, None]
            p[:, :, 2] *= carried[:, None]
            p[:, 2, 2] += course.sd**2 * (1 - carried**2)
        h = np.stack([np.ones(persons), f[:, k], np.ones(persons)], axis=1)
        line = np.einsum("pij,pj->pi", p, h)
        variance = (line * h).sum(axis=1)
        expected = (m * h).sum(axis=1)
        mean[there, k], sd[there, k] = expected[there], np.sqrt(variance[there])
        gain = np.where(there[:, None], line / variance[:, None], 0.0)
        m += gain * np.where(there, y[:, k] - expected, 0.0)[:, None]
        p -= gain[:, :, None] * line[:, None, :]
    return mean, sd


def _beforehand(course: NullCourse) -> Floats:
    p = np.zeros((3, 3))
    p[0, 0], p[1, 1], p[2, 2] = course.sd_start**2, course.sd_slope**2, course.sd**2
    p[0, 1] = p[1, 0] = course.together * course.sd_start * course.sd_slope
    return p
