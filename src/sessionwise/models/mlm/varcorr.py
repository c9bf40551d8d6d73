"""VarCorr: variances and covariances of the random effects of a grouping factor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...mixed import Solution


@dataclass(frozen=True, slots=True, eq=False)
class VarCorr:
    """Random effects of a grouping factor.

    terms : names of its q effects. cov : (q, q). estimated : bool (q, q), false where a covariance is zero because the
    formula says so (`||`, or separate terms).
    """

    terms: tuple[str, ...]
    cov: np.ndarray
    estimated: np.ndarray

    @property
    def sd(self) -> np.ndarray:
        """Standard deviations (q,)."""
        return np.asarray(np.sqrt(self.cov.diagonal()))

    @property
    def corr(self) -> np.ndarray:
        """Correlations (q, q); NaN where a variance is zero."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self.cov / np.outer(self.sd, self.sd))


def varcorr(solution: Solution) -> dict[str, VarCorr]:
    """By grouping factor, its terms one after the other."""
    blocks = list(zip(solution.problem.blocks, solution.covariances, strict=True))
    found = {}
    for group in dict.fromkeys(b.group for b, _ in blocks):
        own = [(b, c) for b, c in blocks if b.group == group]
        q = sum(b.q for b, _ in own)
        cov, estimated, at = np.zeros((q, q)), np.eye(q, dtype=bool), 0
        for b, c in own:
            here = slice(at, at + b.q)
            cov[here, here] = c
            estimated[here, here] |= b.correlated
            at += b.q
        found[group] = VarCorr(tuple(e for b, _ in own for e in b.effects), cov, estimated)
    return found
