"""Missing patterns: persons put together by which variables were observed, with the counts, means and covariances that
the normal likelihood needs of them. After it only robust errors look at single persons."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True, eq=False)
class Patterns:
    """n persons in P patterns of k variables.

    observed : bool (P, k), the most frequent pattern first. count : (P,) persons, float64.
    mean : (P, k). covariance : (P, k, k), divisor `count`. Both are 0 where nothing was observed.
    """

    observed: np.ndarray
    count: np.ndarray
    mean: np.ndarray
    covariance: np.ndarray

    @property
    def n(self) -> int:
        return int(self.count.sum())

    @property
    def k(self) -> int:
        return int(self.observed.shape[1])

    @property
    def complete(self) -> bool:
        return bool(self.observed.all())

    @cached_property
    def pairs(self) -> np.ndarray:
        """How many persons have both of two variables (k, k)."""
        seen = self.observed.astype(np.float64)
        return np.asarray((seen * self.count[:, None]).T @ seen)

    @cached_property
    def both(self) -> np.ndarray:
        """1 where two variables were both observed, by pattern (P, k, k)."""
        return np.asarray((self.observed[:, :, None] & self.observed[:, None, :]).astype(np.float64))

    @cached_property
    def gaps(self) -> np.ndarray:
        """1 on the diagonal where a variable was missing, by pattern (P, k, k)."""
        return np.asarray(np.eye(self.k) * ~self.observed[:, None, :])


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Single persons. values : (n, k), 0 where missing. pattern : int (n,), each person's pattern."""

    values: np.ndarray
    pattern: np.ndarray


def patterns(values: np.ndarray) -> tuple[Patterns, Rows]:
    """From values (n, k), NaN for missing; every person has at least one."""
    seen = np.isfinite(values)
    observed, pattern, count = _grouped(seen)
    filled = np.where(seen, values, 0.0)
    order = np.argsort(pattern, kind="stable")
    starts = np.concatenate([[0], np.cumsum(count)[:-1]])
    weight = count.astype(np.float64)
    mean = np.add.reduceat(filled[order], starts, axis=0) / weight[:, None]
    covariance = np.empty((len(count), values.shape[1], values.shape[1]))
    for p, (start, size) in enumerate(zip(starts.tolist(), count.tolist(), strict=True)):
        centred = (filled[order[start : start + size]] - mean[p]) * observed[p]
        covariance[p] = np.einsum("ij,ik->jk", centred, centred) / size
    return Patterns(observed, weight, mean, covariance), Rows(filled, pattern)


def _grouped(seen: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distinct rows (P, k), the most frequent first, each row's place among them (n,), and how often (P,)."""
    packed = np.packbits(seen, axis=1)
    keys = np.ascontiguousarray(packed).view(f"V{packed.shape[1]}").ravel()
    _, first, inverse, count = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
    # Ties by the pattern itself, never by the order of persons.
    order = np.lexsort((np.arange(len(count)), -count))
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return seen[first[order]], place[inverse.ravel()], count[order]
