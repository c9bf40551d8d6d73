"""Nickell: how far an autoregression falls short where each person's mean is taken out of few sessions.

Centred at the person's mean, a lagged score correlates with the error, for the errors of all sessions are part of that
mean. With rho the autoregression and T pairs of a session and the one before it a person, the within estimator
(person-mean-centred lag, or an intercept for each person) tends, with more and more persons, to rho plus

    bias = -(1 + rho) / (T - 1) * A / {1 - 2 rho A / [(1 - rho)(T - 1)]},   A = 1 - (1 - rho^T) / [T (1 - rho)]

(Nickell 1981, Econometrica 49, 1417-1426), whatever the variances. Here A is written as (1 - rho) B and the factor
1 - rho cancelled, so that no digits are lost as rho nears 1:

    bias = -(1 + rho) B / E,   B = sum_j (T - 1 - j) rho^j / T,   E = 2 sum_j (T - 1 - j) (1 + ... + rho^j) / T,

j = 0 .. T - 2. -(1 + rho) B and E are in proportion to the numerator's and denominator's expectations for one person,
so persons with different T are pooled by adding them up.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...errors import ModelError


def nickell_bias(rho: float, pairs: int | Sequence[int] | np.ndarray) -> float:
    """Asymptotic bias (estimate minus rho) of the person-mean-centred autoregression, stationary, no other predictors.

    rho : the true autoregression, between -1 and 1.
    pairs : T, the lagged pairs of each person, without gaps; one number, or a number for each person. A person with
        fewer than 2 tells nothing about rho and does not count.

    Raises
    ------
    ModelError : rho outside -1 to 1, pairs that are not whole, or no person with 2 pairs.

    >>> round(nickell_bias(0.5, 5), 3)
    -0.331
    """
    if not -1 < rho < 1:
        raise ModelError(f"an autoregression of {rho} is not stationary.", remedy="Give rho above -1 and below 1.")
    given = np.atleast_1d(np.asarray(pairs, np.float64))
    if not (np.isfinite(given) & (given == np.floor(given))).all():
        raise ModelError("numbers of lagged pairs must be whole.", remedy="Count each person's pairs.")
    sizes, persons = np.unique(given[given >= 2].astype(np.int64), return_counts=True)
    if not len(sizes):
        raise ModelError(
            "no person has 2 lagged pairs: the within autoregression is not defined.",
            remedy="Use persons with 3 consecutive sessions or more.",
        )
    below, above = np.array([_sums(float(rho), int(t)) for t in sizes]).T
    return float(-(1 + rho) * (persons @ below) / (persons @ above))


def _sums(rho: float, t: int) -> tuple[float, float]:
    """B and E of T = t."""
    powers = rho ** np.arange(t - 1)
    left = np.arange(t - 1, 0, -1) / t
    return float(left @ powers), float(2 * left @ np.cumsum(powers))
