"""Covariance coordinates: a random term's covariance in coordinates of which one is the parameter to be held.

The likelihood wants the factor L of the effects of centred and scaled columns, lower triangular. Take the one or two
effects of interest as users see them (MixedLikelihood.transform), then combinations of effects at right angles to
these: T times the effects, with covariance sigma^2 W G G' W, G lower triangular, W a fixed scale for each row. Then
the SD of the first effect is sigma w_0 G_00, and the correlation of the first two lies in G_00, G_10, G_11. There is a
rotation Q with T^-1 W G = L Q. It leaves the covariance as it is, so with f the criterion, d f / d (L Q) = (d f / d L)
Q.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import MixedLikelihood

#: Smallest diagonal entry of L. At 0 its gradient does not say how the criterion changes with other coordinates; this
#: is an SD of a ten-millionth of sigma, which changes no digit of the criterion that could be trusted.
_LEAST = 1e-7


@dataclass(frozen=True, slots=True, eq=False)
class Gauge:
    """Coordinates for one set of effects that may correlate: a random term, or one effect of an uncorrelated term.

    numbers : where its entries stand in theta, lower triangle by columns. change : (q, q) T. inverse : (q, q) T^-1.
    widths : (q,) W.
    """

    numbers: np.ndarray
    change: np.ndarray
    inverse: np.ndarray
    widths: np.ndarray

    @property
    def q(self) -> int:
        return len(self.widths)


@dataclass(frozen=True, slots=True, eq=False)
class Turned:
    """theta's part (m,), its factor L and the rotation Q, both (q, q)."""

    theta: np.ndarray
    lower: np.ndarray
    rotation: np.ndarray


def gauge(problem: MixedLikelihood, number: int, first: tuple[int, ...]) -> Gauge:
    """Coordinates of random term `number` with its effects `first` before the others."""
    block, c = problem.blocks[number], problem.transform.blocks[number]
    if not block.correlated:
        (k,) = first
        own = c[k : k + 1, k : k + 1]
        return Gauge(np.array([block.start + k]), own, 1 / own, np.abs(own[0]))
    own = c[list(first)]
    change = np.concatenate([own, np.linalg.qr(own.T, mode="complete")[0].T[len(first) :]])
    widths = np.sqrt((change**2).sum(axis=1))
    return Gauge(block.start + np.arange(block.size), change, np.linalg.inv(change), widths)


def coordinates(g: Gauge, parameters: np.ndarray) -> np.ndarray:
    """G (q, q) from theta, its diagonal >= 0."""
    lower = np.zeros((g.q, g.q))
    lower[_places(g.q)] = parameters[g.numbers]
    return _triangle(g.change @ lower / g.widths[:, None])[0]


def turned(g: Gauge, of_gauge: np.ndarray) -> Turned:
    """theta's part from G."""
    lower, rotation = _triangle(g.inverse @ (g.widths[:, None] * of_gauge))
    diagonal = np.diag_indices(g.q)
    lower[diagonal] = np.maximum(lower[diagonal], _LEAST)
    return Turned(lower[_places(g.q)], lower, rotation)


def pulled(g: Gauge, t: Turned, slopes: np.ndarray) -> np.ndarray:
    """The gradient for G (q, q) from that for theta's part (m,).

    With S = d f / d (L L'), d f / d L = 2 S L, of which the lower triangle is known. L'(2 S L) is symmetric and its
    lower triangle needs no more than that, so all of 2 S L can be had.
    """
    known = np.zeros((g.q, g.q))
    known[_places(g.q)] = slopes
    half = np.tril(t.lower.T @ known)
    whole = np.linalg.solve(t.lower.T, half + np.tril(half, -1).T)
    return np.asarray(g.widths[:, None] * (g.inverse.T @ whole @ t.rotation))


def _places(q: int) -> tuple[np.ndarray, np.ndarray]:
    columns, rows = np.triu_indices(q)
    return rows, columns


def _triangle(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """matrix = lower @ rotation, the diagonal of `lower` >= 0."""
    rotation, upper = np.linalg.qr(matrix.T)
    signs = np.where(upper.diagonal() < 0, -1.0, 1.0)
    return np.asarray(upper.T * signs), np.asarray((rotation * signs).T)
