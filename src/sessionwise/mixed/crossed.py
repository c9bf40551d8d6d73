"""Crossed: one sparse system of all random effects, where persons meet several levels of a grouping factor.

Levels (of persons too, if they have effects of their own) are eliminated in an order of minimum degree, each with what
it meets, as long as that is little; what is left, the tail, is one dense matrix for LAPACK. So neither many persons nor
many levels take memory for a square of their number, unless they all meet each other. See core/crossed.hpp for the
algebra and core/ordering.hpp for the order.

The order is found once for a model (`crossed_system`); at each point `integrated` eliminates all effects and
`propagated` goes the same way back, to the gradient and to the inverse where it is needed.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from .._core import back_propagate_system, eliminate_head, elimination_order, place_products
from ..errors import ModelError
from .random_terms import Entries, factor
from .structure import CrossedFactors, Level, Structure

#: Effects in the dense tail, and products that are kept of the others: beyond these a fit would not end, or not fit
#: into the memory of an ordinary machine (0.5 and 1.6 GB).
MOST_DENSE = 8000
MOST_PRODUCTS = 200_000_000
#: The tail begins where even the next level meets more than this part of the effects left. Of n effects left the next
#: one costs its pairs, some 6 ns each there and back, if it is eliminated the sparse way; the dense way n^2 products of
#: 0.1 ns (a third of n^3 for the factor, twice that for the inverse).
TAIL_PART = 0.2
#: Order of a matrix up to which its inverse is had faster without LAPACK's own function.
SMALL_MATRIX = 100


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """Levels that share a covariance factor: those of a grouping factor, or the persons.

    name : of the grouping factor. count : levels. first : the number of the first level, through all kinds.
    """

    name: str
    q: int
    count: int
    first: int
    entries: Entries


@dataclass(frozen=True, eq=False)
class CrossedSystem:
    """Where everything stands; the same whatever the parameters.

    kinds : of levels, those of persons first if they have effects. k : columns besides, [X, y].
    size : of values. fixed : these (size,), where residual parameters have no part in them; else origin, target :
    int64, from which number of the packed products to which value they are added.
    order : int32 (levels,), in which they are eliminated. head : how many before the tail.
    starts : int64 (head + 1,), columns : int32, the later effects that each level of the head meets, numbered in that
    order. joined : int32 (pairs, 2), levels that have products together; their blocks stand at the end of the values,
    after the levels' own blocks, the effects' products with [X, y], and the table of [X, y].
    """

    kinds: tuple[Kind, ...]
    k: int
    size: int
    fixed: np.ndarray | None
    origin: np.ndarray
    target: np.ndarray
    order: np.ndarray
    head: int
    starts: np.ndarray
    columns: np.ndarray
    joined: np.ndarray

    def __getstate__(self) -> dict[str, object]:
        """Without what follows from the fields."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    def values(self, packed: np.ndarray) -> np.ndarray:
        """Of the system (size,), from packed products."""
        return _summed(packed, self.origin, self.target, self.size) if self.fixed is None else self.fixed

    def packed(self, adjoint: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """d criterion / d packed products, from that of the values."""
        return np.bincount(self.origin, adjoint[self.target], minlength=int(np.prod(shape))).reshape(shape)

    def factors(self, theta: np.ndarray) -> np.ndarray:
        """The kinds' relative covariance factors, (q, q) by rows one after the other."""
        return np.concatenate([factor(kind.entries, kind.q, theta).ravel() for kind in self.kinds])

    def add_slopes(self, gradient: np.ndarray, slopes: np.ndarray) -> None:
        """Add a gradient, laid out like `factors`, to that of theta."""
        at = 0
        for kind in self.kinds:
            own = gradient[at : at + kind.q**2].reshape(kind.q, kind.q)
            np.add.at(slopes, kind.entries.numbers, own[kind.entries.rows, kind.entries.columns])
            at += kind.q**2

    @cached_property
    def width(self) -> np.ndarray:
        """int64 (levels,), effects of each level in order."""
        return np.asarray(self._of_levels([kind.q for kind in self.kinds])[self.order])

    @cached_property
    def effect(self) -> np.ndarray:
        """int64 (levels + 1,), the first effect of each level in order."""
        return _from_zero(self.width)

    @property
    def tail(self) -> int:
        """Effects in the dense tail."""
        return int(self.effect[-1] - self.effect[self.head])

    @cached_property
    def position(self) -> np.ndarray:
        """int64 (levels,), where each level stands in the order."""
        place = np.empty(len(self.order), np.int64)
        place[self.order] = np.arange(len(self.order))
        return place

    @cached_property
    def own_at(self) -> np.ndarray:
        """int64 (head + 1,), where the own block of each level of the head begins."""
        return _from_zero(self.width[: self.head] ** 2)

    @cached_property
    def c_at(self) -> np.ndarray:
        """int64 (head + 1,), where products of each level of the head with later effects begin."""
        return _from_zero(self.width[: self.head] * np.diff(self.starts))

    @cached_property
    def tables(self) -> tuple[int | np.ndarray, ...]:
        """For the kernel: `System` of core/crossed.hpp."""
        q = np.array([kind.q for kind in self.kinds], np.int32)
        kind = self._of_levels(list(range(len(q))))
        width = self._of_levels(q.tolist())
        block = _from_zero(width**2)
        x = block[-1] + _from_zero(width) * self.k
        table = x[-1]  # right after them
        pairs = self.position[self.joined]
        turned = pairs[:, 0] > pairs[:, 1]
        earlier, later = pairs.min(axis=1), pairs.max(axis=1)
        blocks = table + self.k**2 + _from_zero(width[self.joined[:, 0]] * width[self.joined[:, 1]])[:-1]
        return (
            self.k, kind[self.order].astype(np.int32), self.effect, block[:-1][self.order],
            np.append(x[:-1][self.order], table), self.starts, self.columns, earlier.astype(np.int32),
            later.astype(np.int32), blocks, self._slots(earlier, later), turned.astype(np.int8), q,
            _from_zero(q.astype(np.int64) ** 2)[:-1],
        )  # fmt: skip

    def _slots(self, earlier: np.ndarray, later: np.ndarray) -> np.ndarray:
        """Which of the columns that a level of the head meets is the first effect of the later level; 0 elsewhere."""
        slot = np.zeros(len(earlier), np.int64)
        inside = np.flatnonzero(earlier < self.head)
        effects = int(self.effect[-1])
        keys = np.repeat(np.arange(self.head), np.diff(self.starts)) * effects + self.columns
        wanted = earlier[inside] * effects + self.effect[later[inside]]
        slot[inside] = np.searchsorted(keys, wanted) - self.starts[earlier[inside]]
        return slot

    def _of_levels(self, each: list[int]) -> np.ndarray:
        return np.repeat(np.array(each, np.int64), [kind.count for kind in self.kinds])


def _summed(packed: np.ndarray, origin: np.ndarray, target: np.ndarray, size: int) -> np.ndarray:
    return np.bincount(target, packed.ravel()[origin], minlength=size)


def _from_zero(counts: np.ndarray) -> np.ndarray:
    """Running sums, 0 first."""
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def crossed_system(s: Structure, at: np.ndarray, p: int, packed: np.ndarray, fixed: bool) -> CrossedSystem:
    """The system of a structure with crossed factors.

    at, packed : products of the persons' columns; p : fixed columns. fixed : whether these are the products whatever
    the residual parameters; else what is 0 in them may be another number elsewhere.

    Raises
    ------
    ModelError : the factors meet so much that the system would be too large.
    """
    first, factors = s.levels[0], s.crossed
    assert factors is not None
    kinds = _kinds(first, factors)
    counts = np.array([kind.count for kind in kinds], np.int64)
    effects = np.array([kind.q for kind in kinds], np.int32)
    k = p + 1
    origin, target, joined, size = place_products(counts, effects, at, first.q, k, packed, factors.map, not fixed)
    order, head, starts, columns, tail, products = elimination_order(
        np.repeat(effects, counts), joined, TAIL_PART, MOST_PRODUCTS
    )
    if products > MOST_PRODUCTS or tail > MOST_DENSE:
        raise ModelError(
            "crossed grouping factors meet too often: "
            + (
                f"{tail:,} random effects would have to be solved for at once, more than {MOST_DENSE:,}."
                if products <= MOST_PRODUCTS
                else f"more than {MOST_PRODUCTS:,} products of their random effects would have to be kept."
            ),
            where=", ".join(f"{kind.name}: {kind.count:,} levels" for kind in kinds),
            remedy="Leave out a random term, or use a factor in which persons are nested.",
        )
    values = _summed(packed, origin, target, size) if fixed else None
    if fixed:
        origin = target = np.zeros(0, np.int64)
    joined = joined.reshape(-1, 2)
    return CrossedSystem(kinds, k, size, values, origin, target, order, head, starts, columns, joined)


def _kinds(first: Level, crossed: CrossedFactors) -> tuple[Kind, ...]:
    made, at = [], 0
    for one in (*((first,) if first.q else ()), *crossed.factors):
        made.append(Kind(one.name, one.q, len(one.labels), at, one.entries))
        at += len(one.labels)
    return tuple(made)


# --- at one point -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Integrated:
    """All effects integrated out.

    factors : of the kinds, as `CrossedSystem.factors`. own, c, x, dense, border : numbers of the kernel (`Room` in
    core/crossed.hpp), the tail's factored. table : (k, k), [X, y]'V^-1 [X, y]. log_det : of L'AL + I.
    """

    factors: np.ndarray
    own: np.ndarray
    c: np.ndarray
    x: np.ndarray
    dense: np.ndarray
    border: np.ndarray
    table: np.ndarray
    log_det: float


def integrated(system: CrossedSystem, values: np.ndarray, theta: np.ndarray) -> Integrated | None:
    """Eliminate all effects; None where rounding leaves no factor of the tail."""
    from scipy.linalg import blas, lapack

    n, k, inner = system.tail, system.k, int(system.effect[system.head])
    factors = system.factors(theta)
    own, c, x = np.empty(system.own_at[-1]), np.empty(system.c_at[-1]), np.empty(inner * k)
    dense, border, table = np.empty((n, n)), np.empty((k, n)), np.empty((k, k))
    room = (own, c, x, dense, border, table, system.own_at, system.c_at)
    log_det = eliminate_head(system.tables, values, factors, room)
    if n:
        lower, info = lapack.dpotrf(dense.T, lower=1, clean=0, overwrite_a=1)
        if info != 0:
            return None
        w = blas.dtrsm(1.0, lower, border.T, lower=1, overwrite_b=1)
        table -= w.T @ w
        log_det += 2 * float(np.log(lower.diagonal()).sum())
        dense, border = lower.T, w.T
    return Integrated(factors, own, c, x, dense, border, table, log_det)


@dataclass(frozen=True, slots=True, eq=False)
class Propagated:
    """The way back.

    gradient : of the factors, laid out like them. adjoint : of the values, or None. own, x, dense, border : in the
    places of the room, d criterion / d L'AL (of levels of the head, of the tail its upper triangle) and / d L'Z'[X, y].
    """

    gradient: np.ndarray
    adjoint: np.ndarray | None
    own: np.ndarray
    x: np.ndarray
    dense: np.ndarray
    border: np.ndarray

    def of_kind(self, system: CrossedSystem, kind: Kind) -> tuple[np.ndarray, np.ndarray]:
        """Adjoints of L'Z'[X, y] (levels, q, k) and of L'AL at each level's own effects (levels, q, q)."""
        position = system.position[kind.first : kind.first + kind.count]
        inner = int(system.effect[system.head])
        effect = system.effect[position][:, None] + np.arange(kind.q)
        head = position < system.head
        rows = np.empty((kind.count, kind.q, system.k))
        rows[head] = self.x.reshape(-1, system.k)[effect[head]]
        rows[~head] = self.border.T[effect[~head] - inner]
        blocks = np.empty((kind.count, kind.q, kind.q))
        own = np.arange(kind.q**2).reshape(kind.q, kind.q)
        blocks[head] = self.own[system.own_at[position[head]][:, None, None] + own]
        tail = effect[~head] - inner
        upper = np.minimum(tail[:, :, None], tail[:, None, :]), np.maximum(tail[:, :, None], tail[:, None, :])
        blocks[~head] = self.dense[upper]
        return rows, blocks


def propagated(
    system: CrossedSystem, values: np.ndarray, done: Integrated, h: np.ndarray, *, adjoint: bool = False
) -> Propagated:
    """From d / d table = h (k, k) and d / d log_det = 1 back; `done` is used up. adjoint : that of the values too."""
    from scipy.linalg import blas

    dense, border = done.dense, done.border
    if system.tail:
        y = blas.dtrsm(1.0, dense.T, border.T, lower=1, trans_a=1)
        yh = np.asfortranarray(y @ h)
        inverse = blas.dsyr2k(0.5, y, yh, beta=1.0, c=_inverse(dense.T), lower=1, overwrite_c=1)
        dense, border = inverse.T, np.ascontiguousarray(-yh.T)
    gradient = np.zeros(len(done.factors))
    of_values = np.zeros(system.size) if adjoint else None
    room = (done.own, done.c, done.x, dense, border, np.ascontiguousarray(h), system.own_at, system.c_at)
    back_propagate_system(system.tables, values, done.factors, room, gradient, of_values)
    return Propagated(gradient, of_values, done.own, done.x, dense, border)


def _inverse(lower: np.ndarray) -> np.ndarray:
    """Of lower @ lower.T, its lower triangle; `lower` is used up, what is above its diagonal left aside."""
    from scipy.linalg import blas, lapack

    if len(lower) > SMALL_MATRIX:
        return np.asarray(lapack.dpotri(lower, lower=1, overwrite_c=1)[0])
    half = blas.dtrsm(1.0, lower, np.eye(len(lower), order="F"), lower=1, overwrite_b=1)
    return np.asfortranarray(half.T @ half)
