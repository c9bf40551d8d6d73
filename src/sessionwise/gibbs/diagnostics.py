"""Convergence of chains: rank-normalised split R-hat, bulk and tail effective sample sizes.

Vehtari, Gelman, Simpson, Carpenter & Bürkner (2021), Bayesian Analysis 16, 667-718. The definitions are
those that ArviZ follows (tests compare with it where it is installed).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import fft, special


@dataclass(frozen=True, slots=True, eq=False)
class Convergence:
    """rhat, bulk, tail : (parameters,) each; NaN where a parameter never moved."""

    rhat: np.ndarray
    bulk: np.ndarray
    tail: np.ndarray

    def met(self, rhat: float, size: float) -> bool:
        """Whether all parameters that move are beyond both limits."""
        with np.errstate(invalid="ignore"):
            return not bool(np.any((self.rhat >= rhat) | (self.bulk <= size) | (self.tail <= size)))

    @property
    def smallest(self) -> float:
        """Of both effective sizes, over the parameters."""
        sizes = np.concatenate([self.bulk, self.tail])
        return float(np.nanmin(sizes)) if np.isfinite(sizes).any() else float("nan")

    @property
    def largest_rhat(self) -> float:
        return float(np.nanmax(self.rhat)) if np.isfinite(self.rhat).any() else float("nan")


def convergence(draws: np.ndarray) -> Convergence:
    """Of draws (chains, kept, parameters), at least four kept."""
    halves = split(draws)
    constant = np.all(halves == halves[:1, :1], axis=(0, 1))
    ranked = rank_normalised(halves)
    folded = rank_normalised(np.abs(halves - np.median(halves, axis=(0, 1))))
    rhat = np.maximum(_rhat(ranked), _rhat(folded))
    bulk = effective_size(ranked)
    low, high = np.quantile(halves, [0.05, 0.95], axis=(0, 1))
    tail = np.minimum(effective_size((halves <= low).astype(float)), effective_size((halves <= high).astype(float)))
    for values in (rhat, bulk, tail):
        values[constant] = np.nan
    return Convergence(rhat, bulk, tail)


def split(draws: np.ndarray) -> np.ndarray:
    """Each chain's halves as chains of their own; the middle draw of an odd number is left out."""
    half = draws.shape[1] // 2
    return np.concatenate([draws[:, :half], draws[:, draws.shape[1] - half :]])


def rank_normalised(draws: np.ndarray) -> np.ndarray:
    """Normal scores of the ranks over all chains (Blom's offsets); ties share their mean rank."""
    chains, kept, parameters = draws.shape
    flat = draws.reshape(chains * kept, parameters)
    order = np.argsort(flat, axis=0, kind="stable")
    ranks = np.empty(flat.shape)
    np.put_along_axis(ranks, order, np.arange(1.0, len(flat) + 1.0)[:, None], axis=0)
    ordered = np.take_along_axis(flat, order, axis=0)
    for j in np.flatnonzero((ordered[1:] == ordered[:-1]).any(axis=0)):
        _, inverse, counts = np.unique(flat[:, j], return_inverse=True, return_counts=True)
        last = np.cumsum(counts)
        ranks[:, j] = ((last - counts + 1 + last) / 2)[inverse]
    return np.asarray(special.ndtri((ranks - 0.375) / (len(flat) + 0.25))).reshape(draws.shape)


def _rhat(draws: np.ndarray) -> np.ndarray:
    kept = draws.shape[1]
    within = draws.var(axis=1, ddof=1).mean(axis=0)
    between = kept * draws.mean(axis=1).var(axis=0, ddof=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.sqrt((between / within + kept - 1) / kept))


def effective_size(draws: np.ndarray) -> np.ndarray:
    """(parameters,): Geyer's initial monotone sequence on autocorrelations averaged over chains."""
    chains, kept, parameters = draws.shape
    padded = fft.next_fast_len(2 * kept)
    centred = draws - draws.mean(axis=1, keepdims=True)
    spectrum = fft.rfft(centred, n=padded, axis=1)
    covariance = fft.irfft(spectrum * np.conj(spectrum), n=padded, axis=1)[:, :kept] / kept
    within = (covariance[:, 0] * kept / (kept - 1)).mean(axis=0)
    plus = within * (kept - 1) / kept
    if chains > 1:
        plus = plus + draws.mean(axis=1).var(axis=0, ddof=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        rho = 1.0 - (within - covariance.mean(axis=0)) / plus  # (kept, parameters)
    rho[0] = 1.0
    pairs = rho[: kept // 2 * 2].reshape(kept // 2, 2, parameters).sum(axis=1)
    positive = np.logical_and.accumulate(pairs > 0, axis=0)
    monotone = np.minimum.accumulate(pairs, axis=0)
    time = -1.0 + 2.0 * np.sum(np.where(positive, monotone, 0.0), axis=0)
    total = chains * kept
    return np.asarray(total / np.maximum(time, 1.0 / np.log10(total)))
