"""Sandwich: single persons' scores, and the chi-square corrected for data that are not normal.

Yuan & Bentler (2000) with Asparouhov & Muthén's (2005) way to the factor, which Mplus and lavaan's MLR use:
c = (tr A1^-1 B1 - tr A0^-1 B0) / df, A the observed information and B the sum of squared scores, of the saturated
model (1) and of the model (0).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .likelihood import Groups, folded, precisions
from .missing_patterns import Patterns, Rows
from .structure import Structure

_BLOCK = 2000  # persons whose cross-products are in memory at once


def meat(groups: Groups, rows: Sequence[Rows], theta: np.ndarray) -> np.ndarray:
    """B (q, q): the sum over persons of squared scores of the log-likelihood."""
    total = np.zeros((len(theta), len(theta)))
    for (structure, data), persons in zip(groups, rows, strict=True):
        score = _scores(structure, data, persons, theta)
        total += score.T @ score
    return total


def scaled(trace: float, above: float, df: int) -> float:
    """The factor c by which chi-square is divided, from the traces of model and saturated model; NaN without df."""
    return (above - trace) / df if df else np.nan


def trace(hessian: np.ndarray, meat: np.ndarray) -> float:
    """tr A^-1 B, from the Hessian of -2 log-likelihood. NaN where it is singular."""
    try:
        return float(np.trace(np.linalg.solve(hessian / 2, meat)))
    except np.linalg.LinAlgError:
        return np.nan


def _scores(structure: Structure, data: Patterns, rows: Rows, theta: np.ndarray) -> np.ndarray:
    """(n, q): of each person, dl = u'dSigma u / 2 - tr W dSigma / 2 + dmu'u with u = W (value - mean)."""
    at = structure.moments(theta)
    weight = precisions(at.covariance, data).weight
    by_covariance, by_mean = structure.jacobian(at)
    lost = folded(weight) @ by_covariance.T
    scores = np.empty((data.n, structure.size))
    for start in range(0, data.n, _BLOCK):
        here = slice(start, start + _BLOCK)
        pattern = rows.pattern[here]
        off = (rows.values[here] - at.mean) * data.observed[pattern]
        u = np.einsum("nij,nj->ni", weight[pattern], off)
        square = folded(u[:, :, None] * u[:, None, :])
        scores[here] = (square @ by_covariance.T - lost[pattern]) / 2 + u @ by_mean.T
    return scores
