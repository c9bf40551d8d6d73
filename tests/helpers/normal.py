"""The plain way of a structural equation model: the normal density of each person's values, by SciPy."""

from __future__ import annotations

import numpy as np
from scipy.stats import multivariate_normal


def by_persons(mean: np.ndarray, covariance: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Log-likelihood of each row of values (n, k), of what is there (NaN where missing). mean : (k,). -> (n,)."""
    found = []
    for row in values:
        seen = np.isfinite(row)
        found.append(multivariate_normal(mean[seen], covariance[np.ix_(seen, seen)]).logpdf(row[seen]))
    return np.array(found)
