"""Likelihood: minus twice the normal log-likelihood of observed values, persons with any pattern of missing ones
(full-information maximum likelihood), with exact gradient and Hessian.

Per pattern with inverse covariance W of its variables, d = mean - implied mean, C = covariance + dd':

    criterion = count (k log 2 pi + log|W^-1| + tr WC)
    d tr = tr (W - WCW) dSigma - 2 d'W dmu
    d2 = tr W dSigma (2WCW - W) dSigma + 4 dmu'W dSigma W d + 2 dmu'W dmu
         expected: tr W dSigma W dSigma + 2 dmu'W dmu

In matrices of all k variables W is 0 where a variable is missing, so that all patterns are one array. What the
parameters do is chained on once, after the sum over patterns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .missing_patterns import Patterns
from .structure import Moments, Structure, lower

_LOG_2PI = float(np.log(2 * np.pi))
Groups = Sequence[tuple[Structure, Patterns]]


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """criterion : -2 log-likelihood, inf where the implied covariances are not positive definite.
    gradient : (q,). hessian : (q, q), or its expectation."""

    criterion: float
    gradient: np.ndarray
    hessian: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Precision:
    """weight : W (P, k, k). log_determinant : (P,) of the covariances."""

    weight: np.ndarray
    log_determinant: np.ndarray


def loglik(groups: Groups, theta: np.ndarray) -> float:
    """-2 log-likelihood alone; inf where it has none."""
    total = 0.0
    for structure, data in groups:
        try:
            at = structure.moments(theta)
            precision = precisions(at.covariance, data)
        except np.linalg.LinAlgError:
            return np.inf
        total += _criterion(data, precision, _about(data, at)[1])
    return total if np.isfinite(total) else np.inf


def evaluate(groups: Groups, theta: np.ndarray, *, expected: bool = False) -> Evaluation:
    """With gradient and Hessian; `expected`: its expectation given which values are observed. LinAlgError where there
    is no likelihood."""
    q = len(theta)
    total, gradient, hessian = 0.0, np.zeros(q), np.zeros((q, q))
    for structure, data in groups:
        at = structure.moments(theta)
        precision = precisions(at.covariance, data)
        off, spread = _about(data, at)
        total += _criterion(data, precision, spread)
        by_covariance, by_mean = structure.jacobian(at)
        weight = precision.weight
        pulled = weight @ spread @ weight
        covariance_gradient = np.einsum("p,pij->ij", data.count, weight - pulled)
        lean = np.einsum("pij,pj->pi", weight, off)
        mean_gradient = -2 * data.count @ lean
        gradient += by_covariance @ folded(covariance_gradient) + by_mean @ mean_gradient
        bent = weight if expected else 2 * pulled - weight
        hessian += by_covariance @ _crossed(weight, bent, data.count) @ by_covariance.T
        hessian += 2 * by_mean @ np.einsum("p,pij->ij", data.count, weight) @ by_mean.T
        if not expected:
            k = data.k
            shared = (weight.reshape(-1, k * k).T @ (data.count[:, None] * lean)).reshape(k, k, k)
            both = by_mean @ folded(shared + shared.transpose(0, 2, 1)) @ by_covariance.T
            hessian += both + both.T + structure.second_derivatives(at, covariance_gradient, mean_gradient)
    return Evaluation(total, gradient, (hessian + hessian.T) / 2)


def precisions(covariance: np.ndarray, data: Patterns) -> Precision:
    """LinAlgError where the covariance of a pattern is not positive definite."""
    own = covariance * data.both + data.gaps
    factors = np.linalg.cholesky(own)
    log_determinant = 2 * np.log(np.diagonal(factors, axis1=1, axis2=2)).sum(axis=1)
    return Precision(np.linalg.inv(own) * data.both, log_determinant)


def _about(data: Patterns, at: Moments) -> tuple[np.ndarray, np.ndarray]:
    """d (P, k) and C (P, k, k)."""
    off = (data.mean - at.mean) * data.observed
    return off, data.covariance + off[:, :, None] * off[:, None, :]


def _criterion(data: Patterns, precision: Precision, spread: np.ndarray) -> float:
    sizes = data.observed.sum(axis=1)
    trace = np.einsum("pij,pij->p", precision.weight, spread)
    return float(data.count @ (sizes * _LOG_2PI + precision.log_determinant + trace))


def folded(slope: np.ndarray) -> np.ndarray:
    """For symmetric slopes (..., k, k), so that x'folded = tr(slope X), x the lower triangle of X (..., v)."""
    i, j = lower(slope.shape[-1])
    return np.asarray(slope[..., i, j] * np.where(i == j, 1.0, 2.0))


def _crossed(left: np.ndarray, right: np.ndarray, count: np.ndarray) -> np.ndarray:
    """(v, v) so that x'My = sum over patterns of count tr(left X right Y), x and y the lower triangles of X and Y.

    `left` and `right` (P, k, k) are symmetric, so that their own lower triangles are enough.
    """
    i, j = lower(left.shape[1])
    sums = left[:, i, j].T @ (count[:, None] * right[:, i, j])
    places, often = _places(left.shape[1])
    flat = sums.ravel()
    total = flat[places[0]]
    for place in places[1:]:
        total += flat[place]
    total *= often
    return np.asarray(total)


@lru_cache(maxsize=4)
def _places(k: int) -> tuple[np.ndarray, np.ndarray]:
    """For two places of the lower triangle, (i, j) of X and (l, m) of Y, where in the sums of left and right the four
    products stand that belong to them (4, v, v), and how often each counts (v, v)."""
    i, j = np.tril_indices(k)
    pair = np.empty((k, k), np.intp)
    pair[i, j] = pair[j, i] = np.arange(len(i))
    i, j, el, m = i[:, None], j[:, None], i[None, :], j[None, :]
    swaps = [(m, i, j, el), (m, j, i, el), (el, i, j, m), (el, j, i, m)]
    once = np.where(i == j, 0.5, 1.0)
    return np.stack([pair[a, b] * len(once) + pair[c, d] for a, b, c, d in swaps]), once * once.T
