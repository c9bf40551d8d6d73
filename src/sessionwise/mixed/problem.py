"""MixedLikelihood: everything that a fit needs, summed over sessions; made once from a MixedGram.

Columns are centred and scaled before they are multiplied, because cross-products square the condition number.
`Transform` says how coefficients and random effects of those columns become those of the columns given.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np

from .._core import LANES, collect
from ..errors import ModelError
from ..grams import Gram, arranged, filled
from ..threads import one_thread
from .crossed import CrossedSystem, crossed_system
from .mixed_gram import MixedGram, label
from .orthogonal_columns import Basis, is_poor_table
from .random_terms import INTERCEPT, Block, Source, Terms, fixed_sources
from .residuals import Combined, Independent, Products, Residual, Rows, Transformed, products_of
from .structure import Level, Structure, structure


@dataclass(frozen=True, slots=True, eq=False)
class Transform:
    """From centred and scaled columns back.

    fixed : (p, p) C and shift : (p,), so that coefficients are width * C b + shift, with variances width^2 C V C'.
    width : scale of the response, of all random effects and of sigma.
    blocks : for each random term (q, q) C, so that its effects are width * C b and its factor C L.
    log_scale : sum of the log scales of the fixed columns.
    """

    fixed: np.ndarray
    shift: np.ndarray
    width: float
    blocks: tuple[np.ndarray, ...]
    log_scale: float


@dataclass(frozen=True, eq=False)
class MixedLikelihood:
    """A model's likelihood.

    structure : levels and columns. at : int32 (q + r, q + r) of the first level, where products stand (levels.hpp).
    products : cross-products as a function of the residual parameters rho.
    names : fixed columns. n, p : rows, fixed columns. n_theta, n_rho : parameters.
    response : mean and mean square of the response, by which rows are known again.
    crossed : the system of all random effects, where factors cross.
    """

    structure: Structure
    residual: Residual
    products: Products
    at: np.ndarray
    transform: Transform
    names: tuple[str, ...]
    n: int
    response: tuple[float, float]
    crossed: CrossedSystem | None = None

    @property
    def p(self) -> int:
        return len(self.names)

    @property
    def blocks(self) -> tuple[Block, ...]:
        return self.structure.blocks

    @property
    def levels(self) -> tuple[Level, ...]:
        return self.structure.levels

    @cached_property
    def n_theta(self) -> int:
        return sum(b.size for b in self.blocks)

    @cached_property
    def n_rho(self) -> int:
        return len(self.residual.names)

    @cached_property
    def tables(self) -> tuple[np.ndarray, ...]:
        """`at` of each level: the first is given, in the others every product stands once."""
        return (self.at, *(plain_table(level.q + level.r) for level in self.levels[1:]))

    def nu(self, reml: bool) -> int:
        return self.n - self.p if reml else self.n

    def offset(self, reml: bool) -> float:
        """What the criterion of the columns given has more than that of the centred and scaled ones."""
        return 2 * self.nu(reml) * float(np.log(self.transform.width)) + (2 * self.transform.log_scale if reml else 0.0)

    @cached_property
    def fixed_state(self) -> State:
        """The State where rho has no part in it."""
        return self._state(self.products.combined(np.zeros(0)))

    def state(self, rho: np.ndarray) -> State:
        """Products for rho, and the sums of what each level leaves."""
        return self._state(self.products.combined(rho)) if self.n_rho else self.fixed_state

    def with_products(self, products: Products) -> MixedLikelihood:
        """Of other numbers in the same columns."""
        crossed = self.crossed and _system(self.structure, self.residual, self.at, self.p, products)
        return replace(self, products=products, crossed=crossed)

    def _state(self, combined: Combined) -> State:
        first = self.levels[0]
        groups = len(first.labels)
        if self.crossed is not None:
            return State(combined.packed, combined.log_r, self.crossed.values(combined.packed), ())
        above = len(self.levels[1].labels) if first.parent is not None else 0
        pairs = first.r * (first.r + 1) // 2
        base = np.zeros(pairs * (-(-above // LANES) * LANES if above else 1))
        collect(self.at, groups, combined.packed, np.zeros((first.q, first.q)), first.parent, above, base)
        levels = tuple(
            (
                table,
                len(level.labels),
                None if i else combined.packed,
                level.parent,
                level.q,
                level.entries.rows,
                level.entries.columns,
                level.entries.numbers,
            )
            for i, (level, table) in enumerate(zip(self.levels, self.tables, strict=True))
        )
        return State(combined.packed, combined.log_r, base, levels)


# at, groups, products (of the first level), parent, q, and its Entries: see core/bindings.cpp.
_Level = tuple[np.ndarray, int, np.ndarray | None, np.ndarray | None, int, np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """Products packed for the kernel, log det R, and the sum over persons of the products that remain after them, by
    parent or over all; of crossed factors the values of their system. levels : of a chain, as the kernel takes them."""

    packed: np.ndarray
    log_r: float
    base: np.ndarray
    levels: tuple[_Level, ...]


@cache
def upper_pairs(k: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the upper triangle of (k, k), row by row."""
    return np.triu_indices(k)


@cache
def plain_table(k: int) -> np.ndarray:
    """int32 (k, k): where the product of columns i and j stands if every pair stands once, row by row."""
    table = np.zeros((k, k), np.int32)
    i, j = upper_pairs(k)
    table[i, j] = table[j, i] = np.arange(len(i))
    return table


@one_thread()
def problem(gram: MixedGram, residual: Residual | None = None) -> MixedLikelihood:
    """The likelihood of what was summed.

    residual : which residuals, with their rows, for what is to be computed of single rows afterwards; default without.

    Raises
    ------
    ModelError : grouping factors that cross too much; fixed columns that nearly depend on each other, in a sum.
    """
    s = structure(gram.fitted, gram.groups, gram.persons)
    residual = gram.residual if residual is None else residual
    names = tuple(label(source, gram.fitted) for source in s.columns)
    if gram.rows is None:
        parts = [replace(p, gram=_arranged(p.gram, names, s.order)) for p in gram.parts]
        made = products_of(residual, parts)
        head = parts[0].gram
    else:
        rows = _arranged_rows(gram.rows, names, s.order)
        made, head = Transformed(residual, rows), rows.head
    unique = s.columns
    where = np.array([unique.index(source) for source in s.sources])
    at = np.ascontiguousarray(plain_table(len(unique))[np.ix_(where, where)])
    if gram.added and gram.basis is None:
        _trustworthy(gram, names)
    transform = _transform(gram.fitted, s, unique, head.center, head.scale)
    if gram.basis is not None:
        transform = _to_given(transform, gram.basis)
    fixed = gram.terms.fixed_names
    crossed = _system(s, residual, at, len(fixed), made) if s.crossed is not None else None
    return MixedLikelihood(s, residual, made, at, transform, fixed, gram.n_rows, gram.response, crossed)


def _system(s: Structure, residual: Residual, at: np.ndarray, p: int, products: Products) -> CrossedSystem:
    return crossed_system(s, at, p, products.combined(residual.start()).packed, fixed=not residual.names)


def _to_given(t: Transform, basis: Basis) -> Transform:
    """From the basis of the fixed columns to themselves."""
    back = basis.back @ t.fixed
    log_scale = -float(np.linalg.slogdet(back)[1])
    return replace(t, fixed=back, shift=basis.shift + basis.back @ t.shift, log_scale=log_scale)


def _arranged(gram: Gram, names: tuple[str, ...], order: np.ndarray) -> Gram:
    """Columns and persons as the structure has them; the Gram itself where they are."""
    gram = gram if gram.columns == names else gram.select(names)
    if _is_identity(order):
        return gram
    packed = arranged([gram.packed], [gram.n_persons], order)
    return filled(replace(gram, persons=gram.persons[order]), packed, gram.n[order])


def _arranged_rows(rows: Rows, names: tuple[str, ...], order: np.ndarray) -> Rows:
    at = [rows.head.columns.index(name) for name in names]
    head = replace(
        rows.head, columns=names, persons=rows.head.persons[order], center=rows.head.center[at],
        scale=rows.head.scale[at],
    )  # fmt: skip
    return Rows(head, [rows.columns[i] for i in at], rows.starts[order], rows.ends[order])


def _is_identity(order: np.ndarray) -> bool:
    return bool((order == np.arange(len(order))).all())


def _trustworthy(gram: MixedGram, names: tuple[str, ...]) -> None:
    """Stop where a sum of cross-products has lost the digits that its rows had."""
    own = [names.index(label(s, gram.terms)) for s in fixed_sources(gram.terms)]
    at = np.array([gram.head.columns.index(names[i]) for i in own])
    table = gram.total[np.ix_(at, at)] / max(gram.n_rows, 1)
    varies = table.diagonal() > 0.5  # 1 of every column that is not 0 throughout
    if INTERCEPT in gram.terms.fixed_names:
        varies[gram.terms.fixed_names.index(INTERCEPT)] = False  # the others have no part in it
    if is_poor_table(table[np.ix_(varies, varies)]):
        raise ModelError(
            "fixed columns nearly depend on each other, or give the response, and cross-products that were added have "
            "lost what is left of them.",
            where=f"formula {gram.terms.formula!r}",
            remedy="Centre or rescale the terms, or make all Grams like one of persons in whom these columns vary: "
            "model.gram(panel, like=that).",
        )


def sample(whole: MixedLikelihood, persons: int) -> MixedLikelihood | None:
    """About so many of the persons, evenly over the groups of the last level; None where that makes no sense.

    For a start close to the end of a large fit, at a small part of its cost.
    """
    s = whole.structure
    total = len(s.levels[0].labels)
    if whole.crossed is not None or whole.n_rho or total < 4 * persons or len(s.levels[-1].labels) < 40:
        return None
    kept = [np.zeros(0, np.int64)] * len(s.levels)
    top = len(s.levels[-1].labels)
    kept[-1] = np.unique(np.linspace(0, top - 1, max(20, top * persons // total)).astype(np.int64))
    for i in range(len(s.levels) - 2, -1, -1):
        parent = s.levels[i].parent
        assert parent is not None
        kept[i] = np.flatnonzero(np.isin(parent, kept[i + 1]))
    levels = []
    for i, level in enumerate(s.levels):
        parent = None if level.parent is None else np.searchsorted(kept[i + 1], level.parent[kept[i]]).astype(np.int32)
        levels.append(replace(level, labels=level.labels[kept[i]], parent=parent))
    packed = whole.fixed_state.packed
    chosen = kept[0]
    blocks = -(-len(chosen) // LANES)
    few = np.zeros((blocks * LANES, packed.shape[1]))
    few[: len(chosen)] = packed[chosen // LANES, :, chosen % LANES]
    few = np.ascontiguousarray(few.reshape(blocks, LANES, -1).transpose(0, 2, 1))
    # Its number of rows is only a scale of the criterion here: near enough in proportion.
    n = max(round(whole.n * len(chosen) / total), whole.p + 2)
    return replace(whole, structure=replace(s, levels=tuple(levels)), products=Independent(few), n=n)


# --- the way back -------------------------------------------------------------------------------


def _transform(
    terms: Terms, s: Structure, sources: tuple[Source, ...], center: np.ndarray, scale: np.ndarray
) -> Transform:
    at = {source: i for i, source in enumerate(sources)}
    names = terms.fixed_names
    response = s.sources[-1]
    fixed = s.sources[len(s.sources) - 1 - len(names) : -1]
    width = float(scale[at[response]])
    widths = np.array([scale[at[f]] for f in fixed])
    back, shift = np.diag(1 / widths), np.zeros(len(names))
    if INTERCEPT in names:
        one = names.index(INTERCEPT)
        means = np.array([center[at[f]] for f in fixed])
        back[one] -= means / widths
        shift[one] = center[at[response]]
    blocks = []
    for block in s.blocks:
        # At whichever position: a column has one mean and one scale.
        own = [next(i for i, x in enumerate(sources) if x[:2] == source[:2]) for source in block.sources]
        matrix = np.diag(1 / scale[own])
        if block.centered:
            matrix[block.effects.index(INTERCEPT)] -= center[own] / scale[own]
        blocks.append(matrix)
    return Transform(back, shift, width, tuple(blocks), float(np.log(widths).sum()))
