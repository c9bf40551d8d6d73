"""Solution: what an Optimum says about the columns and units given. Arrays only; names and words are the models'."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..threads import one_thread
from .optimum import Optimum
from .problem import MixedLikelihood


@dataclass(frozen=True, eq=False)
class Solution:
    """A fitted model in the units of its data.

    problem, optimum : the likelihood and where it is largest. reml : which criterion.
    """

    problem: MixedLikelihood
    optimum: Optimum
    reml: bool

    @cached_property
    @one_thread()
    def beta(self) -> np.ndarray:
        """Coefficients (p,)."""
        t = self.problem.transform
        return np.asarray(t.width * (t.fixed @ self.optimum.evaluation.beta()) + t.shift)

    @cached_property
    def sigma(self) -> float:
        """Residual standard deviation (of the first stratum, where there are strata)."""
        scaled = self.optimum.evaluation.rss / self.problem.nu(self.reml)
        return float(np.sqrt(scaled) * self.problem.transform.width)

    @cached_property
    def unscaled(self) -> np.ndarray:
        """(X'V^-1 X)^-1 relative to sigma^2, float64 (p, p)."""
        return self.unscaled_of(self.optimum.evaluation.table)

    @one_thread()
    def unscaled_of(self, table: np.ndarray) -> np.ndarray:
        """What follows from another table of [X, y] of the scaled columns."""
        c = self.problem.transform.fixed
        made: np.ndarray = c @ np.linalg.solve(table[:-1, :-1], c.T)
        return np.asarray((made + made.T) / 2)

    @cached_property
    def vcov(self) -> np.ndarray:
        """Covariance matrix of the coefficients (p, p)."""
        return np.asarray(self.sigma**2 * self.unscaled)

    @cached_property
    def criterion(self) -> float:
        """-2 log-likelihood, or the REML criterion (lme4's)."""
        return float(self.optimum.evaluation.criterion + self.problem.offset(self.reml))

    @property
    def n_parameters(self) -> int:
        """Coefficients, variance and residual parameters, sigma."""
        return self.problem.p + self.problem.n_theta + self.problem.n_rho + 1

    @cached_property
    @one_thread()
    def factors(self) -> tuple[np.ndarray, ...]:
        """For each random term its relative covariance factor (q, q), lower triangular with diagonal >= 0 (lme4's)."""
        blocks = zip(self.problem.blocks, self.problem.transform.blocks, strict=True)
        return tuple(_triangle(c @ _without_dust(b.factor(self.optimum.parameters))) for b, c in blocks)

    @cached_property
    def theta(self) -> np.ndarray:
        """The factors' entries in lme4's order, term by term."""
        found = [f[b.places] for b, f in zip(self.problem.blocks, self.factors, strict=True)]
        return np.concatenate(found) if found else np.zeros(0)

    @cached_property
    @one_thread()
    def covariances(self) -> tuple[np.ndarray, ...]:
        """For each random term the covariance matrix of its effects (q, q)."""
        return tuple(self.sigma**2 * f @ f.T for f in self.factors)

    @cached_property
    def residual(self) -> np.ndarray:
        """phi per session or unit of time, ratios of standard deviations; see Residual.names."""
        return self.problem.residual.per_unit(self.residual_at_gaps)

    @cached_property
    def residual_at_gaps(self) -> np.ndarray:
        """As `residual`, but phi for a gap of 1 in Residual.gaps. In a long unit of time phi is 0 in doubles."""
        return self.problem.residual.natural(self.optimum.parameters[self.problem.n_theta :])


def _without_dust(factor: np.ndarray) -> np.ndarray:
    """Effects that spread by less than 1e-7 residual standard deviations do not vary: no rounding shown as data."""
    return np.where(np.linalg.norm(factor, axis=1)[:, None] < 1e-7, 0.0, factor)


def _triangle(factor: np.ndarray) -> np.ndarray:
    """The lower triangular factor of factor @ factor.T with diagonal >= 0, also where it is singular."""
    lower = np.asarray(np.linalg.qr(factor.T, mode="r")).T
    return np.asarray(lower * np.where(lower.diagonal() < 0, -1.0, 1.0))
