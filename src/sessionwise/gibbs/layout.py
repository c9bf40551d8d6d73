"""Layout: which numbers a kept sweep holds, and where, in the order of core/dsem/chain.hpp."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from .specification import Specification


@dataclass(frozen=True, slots=True)
class Layout:
    """Slices of a kept sweep.

    theta : common coefficients. gamma : regressions of the effects, by effect, those that there are. sigma : innovation
    variances (and covariances, lower triangle by rows) that are common. omega : covariance of effects, lower triangle
    by rows, without those that are held at zero. first : covariance of the first sessions, lower triangle.
    course : (B, K). error : (K,) factors.
    clusters : lower triangle. outcomes : for each its coefficients, then its residual variance. factor : loadings but
    the first, variance. means : (q,) effects' means over the persons.
    """

    theta: slice
    gamma: slice
    sigma: slice
    omega: slice
    first: slice
    course: slice
    error: slice
    clusters: slice
    outcomes: slice
    factor: slice
    means: slice

    @classmethod
    def of(cls, spec: Specification) -> Self:
        s, grid = spec.structure, spec.grid
        k, q, states = s.variables, s.effects, s.variables * s.lags
        common = k - sum(s.log_variances)
        sizes = (
            len(s.common_terms),
            int(np.sum(s.regressed)),
            _triangle(k) if s.correlated else common,
            sum(j - s.group_start(j) + 1 for j in range(q)),
            _triangle(states) if s.own_first else 0,
            grid.basis.shape[1] * k,
            0 if grid.error is None else k,
            0 if grid.clusters is None else _triangle(s.levels),
            int(s.outcome_on_predictors.sum() + s.outcome_on_effects.sum()) + len(s.outcome_on_effects),
            q if s.factor else 0,
            q,
        )
        ends = np.cumsum(sizes)
        return cls(*(slice(int(end - size), int(end)) for end, size in zip(ends, sizes, strict=True)))

    @property
    def size(self) -> int:
        return int(self.means.stop)


def _triangle(n: int) -> int:
    return n * (n + 1) // 2
