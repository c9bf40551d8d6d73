"""Priors: of a description's parameters, in standard units (SDs within persons).

weak : regressions of effects are flat; common coefficients are N(0, 1); SDs between persons are half-t with 2 degrees
of freedom (correlations uniform, Huang & Wand 2013) with the scales below; innovations and first sessions inverse
Wishart with K + 1 degrees and half the variance within persons. mplus : the defaults of that program (Asparouhov &
Muthén 2010): all uniform, covariance matrices inverse Wishart(0, -K - 1), variances inverse gamma(-1, 0); clusters
keep the weak one.
"""

from __future__ import annotations

import numpy as np

from ...gibbs.specification import Priors, Structure, VariancePrior

#: Scales of the half-t priors of SDs between persons: levels, own courses, log innovation variances, clusters' levels.
LEVEL, COURSE, LOG_VARIANCE, CLUSTER = 1.5, 0.5, 1.0, 0.5
#: Of the half-t prior of the SD of an error that is estimated beside the process; its median share of the variance
#: within persons is .17.
ERROR = 0.5
#: Below so many sessions (median of persons) such an error and the process are not told apart: 6 studies each of 100
#: persons, 5, 8, 12, 20, 40 sessions, autoregressions of .3 and .6, an SD of the error that is .55 of that within; its
#: posterior median was .84, .78, .78, .64, .63 for .3 and .72, .69, .62, .59, .56 for .6 (docs/dsem.md).
FEWEST_SESSIONS = 20
DEGREES = 2.0


def spread_scales(variables: int, own_columns: int, coefficients: int, logs: int, effect_sd: float) -> np.ndarray:
    """(q,) scales of the half-t priors of random effects' SDs between persons, in the order of these: levels and own
    courses, coefficients, log variances. effect_sd : of coefficients."""
    own = np.tile([LEVEL] + [COURSE] * (own_columns - 1), variables)
    return np.concatenate([own, np.full(coefficients, effect_sd), np.full(logs, LOG_VARIANCE)])


def priors(kind: str, structure: Structure, effect_sd: float, freedom: np.ndarray) -> Priors:
    """kind : 'weak' or 'mplus'. freedom : (K,) degrees of freedom behind each error variance, infinite where known."""
    s = structure
    k, q, common, states = s.variables, s.effects, len(s.common_terms), s.variables * s.lags
    width = s.regressed.shape[1]
    flat = np.zeros((q, width)), np.zeros((q, width))
    known = np.isinf(freedom)
    # a factor with mean 1 and the error of a variance with these degrees of freedom
    shape = np.where(known, 0.0, np.where(known, 1.0, freedom) / 2 + 2)
    error = shape, np.where(known, 0.0, shape - 1)
    clusters = VariancePrior(True, DEGREES, np.full(s.levels, CLUSTER))
    if kind == "mplus":
        group = q if s.effects_correlate == "all" and not s.factor else 1
        omega = VariancePrior(False, -group - 1.0, np.zeros((q, q)))
        sigma = VariancePrior(False, -k - 1.0 if s.correlated else -2.0, np.zeros((k, k)))
        first = VariancePrior(False, -states - 1.0, np.zeros((states, states)))
        return Priors((np.zeros(common), np.zeros(common)), flat, sigma, first, omega, clusters, error)
    scales = spread_scales(k, s.own_columns, len(s.random_terms), sum(s.log_variances), effect_sd)
    return Priors(
        (np.zeros(common), np.ones(common)),
        flat,
        VariancePrior(False, k + 1.0, 0.5 * np.eye(k)),
        VariancePrior(False, states + 1.0, 0.5 * np.eye(states)),
        VariancePrior(True, DEGREES, scales),
        clusters,
        error,
        outcome=(1e-6, 0.01, 0.01),
        factor=(0.01, 0.01),
    )
