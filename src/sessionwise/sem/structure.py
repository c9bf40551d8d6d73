"""Structure: from parameters to the means and covariances they imply, with first and second derivatives.

Reticular action model (McArdle & McDonald 1984): nodes, observed or latent, with directed paths A, variances and
covariances S of what the paths leave over, and intercepts v. With B = (I - A)^-1 and E its rows of observed nodes,

    covariance = E S E'        mean = E v

Every model here is one of these; a parameter may stand in several cells, which are then equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Where parameters stand: cell (row, column) holds parameter `which`; int arrays (c,)."""

    row: np.ndarray
    column: np.ndarray
    which: np.ndarray

    def __len__(self) -> int:
        return len(self.which)

    @classmethod
    def of(cls, places: list[tuple[int, int, int]]) -> Cells:
        row, column, which = np.array(places, np.intp).reshape(-1, 3).T
        return cls(row, column, which)


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """What a structure implies. covariance : (k, k). mean : (k,).

    to, full, left : E (k, m), B and S (m, m). latent : covariance of all nodes (m, m). level : their means (m,).
    """

    covariance: np.ndarray
    mean: np.ndarray
    to: np.ndarray
    full: np.ndarray
    left: np.ndarray
    latent: np.ndarray
    level: np.ndarray


@dataclass(frozen=True, eq=False)
class Structure:
    """m nodes, the first k of them observed, and q parameters.

    base : (m, m), paths that are fixed. paths : cells of A, to `row` from `column`. spread : cells of S, each once.
    intercepts : cells of v; their columns say nothing. size : q.
    """

    base: np.ndarray
    k: int
    paths: Cells
    spread: Cells
    intercepts: Cells
    size: int

    def moments(self, theta: np.ndarray) -> Moments:
        """At parameters (q,). LinAlgError where a loop of paths has no solution."""
        m = len(self.base)
        a, s, v = self.base.copy(), np.zeros((m, m)), np.zeros(m)
        a[self.paths.row, self.paths.column] = theta[self.paths.which]
        s[self.spread.row, self.spread.column] = theta[self.spread.which]
        s[self.spread.column, self.spread.row] = theta[self.spread.which]
        v[self.intercepts.row] = theta[self.intercepts.which]
        full = np.linalg.inv(np.eye(m) - a)
        to = full[: self.k]
        latent = full @ s @ full.T
        level = full @ v
        return Moments(latent[: self.k, : self.k], level[: self.k], to, full, s, latent, level)

    def jacobian(self, at: Moments) -> tuple[np.ndarray, np.ndarray]:
        """Derivatives of the covariance's lower triangle, by rows (q, k (k + 1) / 2), and of the mean (q, k)."""
        return self._constant if not len(self.paths) else self._jacobian(at)

    @cached_property
    def _constant(self) -> tuple[np.ndarray, np.ndarray]:
        """Without free paths the moments are linear in the parameters."""
        return self._jacobian(self.moments(np.zeros(self.size)))

    def _jacobian(self, at: Moments) -> tuple[np.ndarray, np.ndarray]:
        i, j = lower(self.k)
        covariance = np.zeros((self.size, len(i)))
        mean = np.zeros((self.size, self.k))
        p, s, v = self.paths, self.spread, self.intercepts
        there, onward = at.to[:, p.row].T, at.latent[p.column, : self.k]
        np.add.at(covariance, p.which, there[:, i] * onward[:, j] + there[:, j] * onward[:, i])
        np.add.at(mean, p.which, there * at.level[p.column, None])
        one, two = at.to[:, s.row].T, at.to[:, s.column].T
        both = one[:, i] * two[:, j] + one[:, j] * two[:, i]
        both[s.row == s.column] /= 2
        np.add.at(covariance, s.which, both)
        np.add.at(mean, v.which, at.to[:, v.row].T)
        return covariance, mean

    def second_derivatives(self, at: Moments, by_covariance: np.ndarray, by_mean: np.ndarray) -> np.ndarray:
        """Second derivatives (q, q) of tr(by_covariance covariance) + by_mean'mean.

        by_covariance : (k, k) symmetric. by_mean : (k,).
        """
        p, s, v = self.paths, self.spread, self.intercepts
        if not len(p):
            return np.zeros((self.size, self.size))
        between = at.to.T @ by_covariance @ at.to
        mixed = at.latent[:, : self.k] @ by_covariance @ at.to
        pull = at.to.T @ by_mean
        onward = at.full[np.ix_(p.column, p.row)]
        # Two paths, to r from c and to r' from c'.
        one = (2 * mixed[np.ix_(p.column, p.row)].T + pull[p.row, None] * at.level[p.column]) * onward
        two = 2 * between[np.ix_(p.row, p.row)] * at.latent[np.ix_(p.column, p.column)]
        pairs = one + one.T + two
        # A path and a (co)variance, a path and an intercept.
        first = at.full[np.ix_(p.column, s.row)] * between[np.ix_(p.row, s.column)]
        second = at.full[np.ix_(p.column, s.column)] * between[np.ix_(p.row, s.row)]
        spread = 2 * (first + second)
        spread[:, s.row == s.column] /= 2
        level = pull[p.row, None] * at.full[np.ix_(p.column, v.row)]
        half = self._of_paths.T @ (0.5 * pairs @ self._of_paths + spread @ self._of_spread + level @ self._of_level)
        return np.asarray(half + half.T)

    @cached_property
    def _of_paths(self) -> np.ndarray:
        return _incidence(self.paths, self.size)

    @cached_property
    def _of_spread(self) -> np.ndarray:
        return _incidence(self.spread, self.size)

    @cached_property
    def _of_level(self) -> np.ndarray:
        return _incidence(self.intercepts, self.size)


@cache
def lower(k: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of a lower triangle."""
    return np.tril_indices(k)


def _incidence(cells: Cells, size: int) -> np.ndarray:
    """Which parameter stands in which cell, 0 or 1 (c, q)."""
    return np.asarray((cells.which[:, None] == np.arange(size)).astype(np.float64))
