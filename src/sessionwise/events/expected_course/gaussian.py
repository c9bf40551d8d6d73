"""Growth: a Gaussian growth model in numbers, and what it expects of ratings when others of the person are known.

All ratings of a person are jointly normal: X b + Z u + e, u ~ N(0, G) for level and slope, e with variance sigma² and
correlation phi^d between sessions d apart. What is expected of some ratings given others is their conditional
distribution, with the coefficients' errors taken in: variance s - c'S⁻¹c + (x - X'S⁻¹c)' V (x - X'S⁻¹c). Variances and
phi are taken as known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from ..series import CELLS, Floats


@dataclass(frozen=True, slots=True, eq=False)
class Growth:
    """beta : (p,). vcov : (p, p) of beta. between : (2, 2), covariance of level and slope. sigma : of the residuals.
    phi : their correlation between neighbouring sessions."""

    beta: Floats
    vcov: Floats
    between: Floats
    sigma: float
    phi: float


@dataclass(frozen=True, slots=True, eq=False)
class Ratings:
    """y : (persons, places). x : (persons, places, p). time : (persons, places), what the slope is of. session : int64
    (persons, places). known : bool (persons, places), whether there is a session; the rest is 0."""

    y: Floats
    x: Floats
    time: Floats
    session: np.ndarray
    known: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """mean, sd : float64 (persons, places), of the rating; NaN where there is no session."""

    mean: Floats
    sd: Floats


def next_rating(growth: Growth, ratings: Ratings) -> Expected:
    """Each rating from the same person's ratings before it, the first from the model alone."""
    return _in_pieces(lambda part, seen: _next(growth, part), ratings, ratings.known)


def given(growth: Growth, ratings: Ratings, seen: np.ndarray) -> Expected:
    """Each rating from those of the person that are seen, bool (persons, places); a seen one is itself, with SD 0."""
    return _in_pieces(lambda part, some: _given(growth, part, some), ratings, seen)


def _next(growth: Growth, r: Ratings) -> Expected:
    factor = np.linalg.cholesky(_covariance(growth, r))
    own = np.diagonal(factor, axis1=1, axis2=2)
    off = np.where(r.known, r.y - r.x @ growth.beta, 0.0)
    white = np.linalg.solve(factor, np.concatenate([off[..., None], r.x], axis=2))
    variance = 1.0 + np.einsum("nti,ij,ntj->nt", white[..., 1:], growth.vcov, white[..., 1:])
    return Expected(r.y - own * white[..., 0], own * np.sqrt(np.maximum(variance, 0.0)))


def _given(growth: Growth, r: Ratings, seen: np.ndarray) -> Expected:
    whole = _covariance(growth, r)
    both = seen[:, :, None] & seen[:, None, :]
    places = np.arange(seen.shape[1])
    among = np.where(both, whole, 0.0)
    among[:, places, places] += ~seen
    across = np.where(seen[:, None, :], whole, 0.0)
    gain = np.swapaxes(np.linalg.solve(among, np.swapaxes(across, 1, 2)), 1, 2)
    off = np.where(seen, r.y - r.x @ growth.beta, 0.0)
    mean = r.x @ growth.beta + np.einsum("nts,ns->nt", gain, off)
    left = whole[:, places, places] - np.einsum("nts,nts->nt", gain, across)
    x = r.x - gain @ np.where(seen[..., None], r.x, 0.0)
    variance = left + np.einsum("nti,ij,ntj->nt", x, growth.vcov, x)
    return Expected(mean, np.where(seen, 0.0, np.sqrt(np.maximum(variance, 0.0))))


def _covariance(growth: Growth, r: Ratings) -> Floats:
    """(persons, places, places) of the ratings; the identity where there is no session."""
    z = np.stack([np.ones_like(r.time), r.time], axis=2)
    apart = np.abs(r.session[:, :, None] - r.session[:, None, :])
    made = z @ growth.between @ np.swapaxes(z, 1, 2) + growth.sigma**2 * np.power(growth.phi, apart)
    both = r.known[:, :, None] & r.known[:, None, :]
    return np.where(both, made, np.eye(r.y.shape[1]))


def _in_pieces(work: Callable[[Ratings, np.ndarray], Expected], r: Ratings, seen: np.ndarray) -> Expected:
    mean, sd = np.full(r.y.shape, np.nan), np.full(r.y.shape, np.nan)
    for rows in _pieces(r.y.shape):
        part = Ratings(r.y[rows], r.x[rows], r.time[rows], r.session[rows], r.known[rows])
        made = work(part, seen[rows])
        mean[rows], sd[rows] = np.where(part.known, made.mean, np.nan), np.where(part.known, made.sd, np.nan)
    return Expected(mean, sd)


def _pieces(shape: tuple[int, ...]) -> Iterator[slice]:
    size = max(1, CELLS // max(1, shape[1] ** 2))
    return (slice(at, at + size) for at in range(0, shape[0], size))
