"""Pareto-smoothed importance sampling.

Vehtari, Simpson, Gelman, Yao & Gabry (2024), JMLR 25(72); the generalised Pareto distribution is fitted to the largest
weights as Zhang & Stephens (2009), Technometrics 51, 316-325, with the weak prior on k of the former.
"""

from __future__ import annotations

import numpy as np
from scipy import special


def smoothed(logs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """logs : (S, n) log importance ratios, S draws of each of n. Log weights (S, n) that add up to 1, and (n,) k:
    infinite where all of the largest are alike, -infinite where all draws are."""
    count = len(logs)
    tail = int(np.ceil(min(0.2 * count, 3 * np.sqrt(count))))
    shifted = logs - logs.max(axis=0)
    order = np.argsort(shifted, axis=0)
    ordered = np.take_along_axis(shifted, order, axis=0)
    cutoff = np.exp(np.maximum(ordered[-tail - 1], np.log(np.finfo(float).tiny)))
    beyond = np.exp(ordered[-tail:]) - cutoff
    k, sigma = pareto(np.maximum(beyond, 0.0))
    there = np.isfinite(k) & (tail >= 5)
    quantiles = (np.arange(tail) + 0.5) / tail
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = -sigma * np.log1p(-quantiles)[:, None]
        curved = sigma * np.expm1(-k * np.log1p(-quantiles)[:, None]) / k
        values = np.minimum(np.log(np.where(np.abs(k) < 1e-30, inverse, curved) + cutoff), 0.0)
    ordered[-tail:] = np.where(there, values, ordered[-tail:])
    out = np.empty_like(ordered)
    np.put_along_axis(out, order, ordered, axis=0)
    k = np.where(np.ptp(logs, axis=0) == 0, -np.inf, k)
    return out - special.logsumexp(out, axis=0), k


def pareto(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """k and sigma (n,) of exceedances x (N, n), ascending; k infinite where they cannot tell it."""
    n = len(x)
    grid = 30 + int(np.sqrt(n))
    quarter = x[int(n / 4 + 0.5) - 1]
    usable = (quarter > 0) & np.isfinite(x[-1])
    largest, quarter = np.where(usable, x[-1], 1.0), np.where(usable, quarter, 1.0)
    x = np.where(usable, x, 1.0)
    steps = 1.0 - np.sqrt(grid / (np.arange(1, grid + 1) - 0.5))
    b = 1.0 / largest + steps[:, None] / (3.0 * quarter)  # (grid, n)
    k = np.mean(np.log1p(-b[:, None] * x), axis=1)
    likelihood = n * (np.log(-b / k) - k - 1.0)
    weights = special.softmax(likelihood, axis=0)
    mean = np.sum(b * weights, axis=0)
    k_found = np.mean(np.log1p(-mean * x), axis=0)
    sigma = -k_found / mean
    k_found = (k_found * n + 0.5 * 10) / (n + 10)
    return np.where(usable, k_found, np.inf), sigma


def reliable_below(count: int) -> float:
    """The largest k at which as many draws are enough (Vehtari et al. 2024)."""
    return float(min(1.0 - 1.0 / np.log10(count), 0.7))
