"""The slow, plain way: a multilevel model by the covariance matrix of all its rows, for the engine to be compared with.

Nothing is shared with the engine but the Design and the parameters. Covariance matrices are (n, n) over the Design's
rows. `at` : (n,), where each row stands in its person: its session number or its time. `blocks` : the random terms, as
`MixedLikelihood.blocks` has them. The formulas are those of textbooks and of the papers that the tests cite.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

import sessionwise as sw
from sessionwise.mixed import MixedLikelihood, Residual, Solution


@dataclass(frozen=True)
class Dense:
    """Generalised least squares: x (n, p), y (n,) and v (n, n), the covariance of y, or that relative to sigma^2."""

    x: np.ndarray
    y: np.ndarray
    v: np.ndarray

    @cached_property
    def weights(self) -> np.ndarray:
        """The inverse of v."""
        return np.linalg.inv(self.v)

    @cached_property
    def information(self) -> np.ndarray:
        """(p, p), the inverse of the coefficients' covariance."""
        return self.x.T @ self.weights @ self.x

    @cached_property
    def beta(self) -> np.ndarray:
        return np.linalg.solve(self.information, self.x.T @ self.weights @ self.y)

    @cached_property
    def vcov(self) -> np.ndarray:
        return np.linalg.inv(self.information)

    @cached_property
    def quadratic(self) -> float:
        """The residuals' weighted sum of squares."""
        e = self.y - self.x @ self.beta
        return float(e @ self.weights @ e)

    def criterion(self, reml: bool) -> float:
        """-2 log-likelihood with v relative to sigma^2, at the sigma^2 that makes it smallest."""
        nu = len(self.y) - self.x.shape[1] if reml else len(self.y)
        return self._log_determinants(reml) + nu * (1 + np.log(2 * np.pi * self.quadratic / nu))

    def deviance(self, reml: bool) -> float:
        """-2 log-likelihood with v the covariance itself."""
        nu = len(self.y) - self.x.shape[1] if reml else len(self.y)
        return self._log_determinants(reml) + nu * np.log(2 * np.pi) + self.quadratic

    def _log_determinants(self, reml: bool) -> float:
        of_beta = np.linalg.slogdet(self.information)[1] if reml else 0.0
        return float(np.linalg.slogdet(self.v)[1] + of_beta)


def dense(design: sw.Design, v: np.ndarray) -> Dense:
    return Dense(design.matrix[:, list(design.fixed)], design.matrix[:, 0], v)


def covariance(design: sw.Design, solution: Solution, at: np.ndarray) -> np.ndarray:
    """Of the response, in its squared units, at a solution's parameters."""
    own = residual_matrix(design, solution.problem.residual, solution.residual, at)
    return solution.sigma**2 * own + random_matrix(design, solution.problem, solution.covariances)


def random_matrix(design: sw.Design, problem: MixedLikelihood, covariances: Sequence[np.ndarray]) -> np.ndarray:
    """The part of the random effects: a covariance matrix for each random term, of the columns as they are given."""
    n = len(design.rows)
    v = np.zeros((n, n))
    for block, covariance in zip(problem.blocks, covariances, strict=True):
        codes, z = design.grouping(block.group).codes, design.matrix[:, list(block.columns)]
        v += (codes[:, None] == codes[None, :]) * (z @ covariance @ z.T)
    return v


def residual_matrix(design: sw.Design, residual: Residual, natural: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Of the residuals, relative to sigma^2. natural : phi where there is one, and the strata's ratios of SDs."""
    correlation, ratios = np.eye(len(design.rows)), np.asarray(natural, float)
    if residual.kind != "independent":
        phi, ratios = ratios[0], ratios[1:]
        person, apart = persons_of(design), np.abs(at[:, None] - at[None, :])
        sign = np.where(np.round(apart) % 2 == 1, np.sign(phi), 1.0)
        power = sign * np.abs(phi) ** np.maximum(apart, 1e-12)
        correlation = (person[:, None] == person[None, :]) * np.where(apart == 0, 1.0, power)
    sd = np.concatenate([[1.0], ratios])[residual.strata]
    return correlation * np.outer(sd, sd)


def changes(design: sw.Design, problem: MixedLikelihood) -> list[np.ndarray]:
    """dV / dgamma for each entry of each term's covariance matrix, and for sigma^2 of independent residuals."""
    found = []
    for block in problem.blocks:
        codes, z = design.grouping(block.group).codes, design.matrix[:, list(block.columns)]
        same = codes[:, None] == codes[None, :]
        for i, j in zip(*block.places, strict=True):
            one = np.outer(z[:, i], z[:, j])
            found.append(same * (one if i == j else one + one.T))
    return [*found, np.eye(len(design.rows))]


def gamma(solution: Solution) -> np.ndarray:
    """Entries of the terms' covariance matrices, in the order of `changes`, and sigma^2."""
    entries = [c[b.places] for b, c in zip(solution.problem.blocks, solution.covariances, strict=True)]
    return np.append(np.concatenate(entries) if entries else [], solution.sigma**2)


def persons_of(design: sw.Design) -> np.ndarray:
    """The person of each row, 0, 1, ..."""
    return np.repeat(np.arange(len(design.persons)), np.diff(design.starts))
