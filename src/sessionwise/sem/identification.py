"""Curvature: whether a point is a minimum of the criterion in every direction, and the inverse of its Hessian.

Columns that go together closely, as those of a series that hardly changes do, make directions that look flat beside
their neighbours and yet are determined well: with correlations of .999 a Hessian of diagonal one has eigenvalues of
1e-8. Where the plain eigenvalues leave a doubt, the Hessian is judged in the metric of the expected information J'J,
which no such correlation changes; J, the Jacobian of the moments in units of their own errors, has the square root of
its condition, so that what the data do not determine stands out from what they determine hardly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .likelihood import Groups
from .missing_patterns import Patterns
from .structure import Structure, lower

#: Curvature, relative to the average of its direction's variables, above which there is no doubt.
FLAT = 1e-7
#: Smallest singular value of J, its columns of length one, that rounding cannot make.
_RANK = 1e-7
#: Curvature relative to that expected, below which it is none.
_OF_EXPECTED = 1e-3
#: Standard error, in SDs of what the parameter is about, beyond which the data do not determine it.
_UNKNOWN = 100.0
#: Rows of J taken up at once.
_ROWS = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Curvature:
    """determined : positive in every direction. flattest : smallest curvature of the Hessian with its diagonal scaled
    to one. flat : the direction that the data tell least about (q,), same scale. inverse : of the Hessian (q, q), NaN
    unless determined.
    """

    determined: bool
    flattest: float
    flat: np.ndarray
    inverse: np.ndarray


def curvature(groups: Groups, theta: np.ndarray, hessian: np.ndarray) -> Curvature:
    """Of a Hessian of -2 log-likelihood (q, q), observed or expected, at parameters (q,) with a likelihood."""
    diagonal = hessian.diagonal()
    scale = 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    even = hessian * np.outer(scale, scale)
    roots, vectors = np.linalg.eigh(even)
    flattest, flat = (float(roots[0]), vectors[:, 0]) if len(roots) else (1.0, theta)
    if flattest > FLAT:
        return Curvature(True, flattest, flat, _symmetric(np.linalg.inv(even) * np.outer(scale, scale)))
    unknown = np.full(hessian.shape, np.nan)
    if flattest < -FLAT:
        return Curvature(False, flattest, flat, unknown)
    root = information_root(groups, theta)
    size = np.sqrt((root**2).sum(axis=0))
    if size.min() == 0:
        return Curvature(False, flattest, np.asarray(size == 0, np.float64), unknown)
    _, singular, right = np.linalg.svd(root / size)
    if singular[-1] <= _RANK:
        return Curvature(False, flattest, right[-1], unknown)
    back = np.linalg.inv(root)
    roots, vectors = np.linalg.eigh(_symmetric(back.T @ hessian @ back))
    if roots[0] <= _OF_EXPECTED:
        least = back @ vectors[:, 0] * size
        return Curvature(False, flattest, least / np.linalg.norm(least), unknown)
    half = back @ vectors / np.sqrt(roots)
    inverse = _symmetric(half @ half.T)
    errors = np.sqrt(2 * inverse.diagonal()) / _units(groups, theta)
    if errors.max() > _UNKNOWN:
        return Curvature(False, flattest, right[-1], unknown)
    return Curvature(True, flattest, flat, inverse)


def information_root(groups: Groups, theta: np.ndarray) -> np.ndarray:
    """R (q, q) so that R'R is the expected Hessian of -2 log-likelihood, given which values are observed."""
    held = np.zeros((len(theta), len(theta)))
    waiting: list[np.ndarray] = []
    for structure, data in groups:
        for rows in _whitened(structure, data, theta):
            waiting.append(rows)
            if sum(map(len, waiting)) > _ROWS:
                held, waiting = _triangle(held, waiting), []
    return _triangle(held, waiting)


def _triangle(held: np.ndarray, rows: list[np.ndarray]) -> np.ndarray:
    """R of all these rows, (q, q) as `held` is."""
    return np.asarray(np.linalg.qr(np.concatenate([held, *rows]), mode="r"))


def _whitened(structure: Structure, data: Patterns, theta: np.ndarray) -> list[np.ndarray]:
    """For each pattern, with Sigma = LL': the lower triangle of L^-1 dSigma L^-T, and L^-1 dmu, by parameter."""
    at = structure.moments(theta)
    by_covariance, by_mean = structure.jacobian(at)
    i, j = lower(data.k)
    slopes = np.empty((len(theta), data.k, data.k))
    slopes[:, i, j] = slopes[:, j, i] = by_covariance
    found = []
    for seen, count in zip(data.observed, data.count, strict=True):
        own = np.flatnonzero(seen)
        white = np.linalg.inv(np.linalg.cholesky(at.covariance[np.ix_(own, own)]))
        here = white @ slopes[:, own[:, None], own] @ white.T
        i, j = lower(len(own))
        of_covariance = here[:, i, j] * np.where(i == j, 1.0, np.sqrt(2))
        of_mean = np.sqrt(2) * by_mean[:, own] @ white.T
        found.append(np.sqrt(count) * np.concatenate([of_covariance, of_mean], axis=1).T)
    return found


def _units(groups: Groups, theta: np.ndarray) -> np.ndarray:
    """What each parameter is measured in (q,): SDs of the nodes that it is about, the largest of its places."""
    units = np.zeros(len(theta))
    for structure, _ in groups:
        sd = np.sqrt(np.abs(structure.moments(theta).latent.diagonal()))
        sd = np.where(sd > 0, sd, 1.0)
        p, s, v = structure.paths, structure.spread, structure.intercepts
        np.maximum.at(units, p.which, sd[p.row] / sd[p.column])
        np.maximum.at(units, s.which, sd[s.row] * sd[s.column])
        np.maximum.at(units, v.which, sd[v.row])
    return np.where(units > 0, units, 1.0)


def _symmetric(matrix: np.ndarray) -> np.ndarray:
    return np.asarray((matrix + matrix.T) / 2)
