"""MixedLikelihood: everything that a fit needs, summed over sessions; made once from a Design.

Columns are centred and scaled before they are multiplied, because cross-products square the condition number.
`Transform` says how coefficients and random effects of those columns become those of the columns given.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np

from .._core import LANES, collect
from ..designs import Design
from ..errors import ModelError, some
from ..grams import products
from ..threads import one_thread
from .orthogonal_columns import conditioned, is_poor
from .random_terms import INTERCEPT, Block, Source
from .residuals import Combined, Independent, Products, Residual, Rows, correlated_products
from .structure import Dense, Level, Structure, structure

#: Cross-products may take this many bytes.
MOST_BYTES = 16 * 2**30


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
    """

    structure: Structure
    residual: Residual
    products: Products
    at: np.ndarray
    transform: Transform
    names: tuple[str, ...]
    n: int
    response: tuple[float, float]

    @property
    def p(self) -> int:
        return len(self.names)

    @property
    def blocks(self) -> tuple[Block, ...]:
        return self.structure.blocks

    @property
    def levels(self) -> tuple[Level, ...]:
        return self.structure.levels

    @property
    def dense(self) -> Dense | None:
        return self.structure.dense

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

    def _state(self, combined: Combined) -> State:
        first = self.levels[0]
        groups = len(first.labels)
        if self.dense is not None:
            order = self.dense.size + self.p + 1
            base = np.zeros(order * order)
            collect(self.at, groups, combined.packed, np.zeros((first.q, first.q)), None, self.dense.map, order, base)
            return State(combined.packed, combined.log_r, base, ())
        above = len(self.levels[1].labels) if first.parent is not None else 0
        pairs = first.r * (first.r + 1) // 2
        base = np.zeros(pairs * (-(-above // LANES) * LANES if above else 1))
        collect(self.at, groups, combined.packed, np.zeros((first.q, first.q)), first.parent, None, above, base)
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
    """Products packed for the kernel, log det R, and the sum over persons of the products that remain after them: by
    parent, as a dense matrix, or over all. levels : of a chain, as the kernel takes them."""

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
def problem(design: Design, residual: Residual) -> MixedLikelihood:
    """The likelihood of a Design.

    Raises
    ------
    ModelError : grouping factors that cross too much.
    """
    names = tuple(design.names[c] for c in design.fixed)
    if not names or not is_poor(design, INTERCEPT in names):
        return _problem(design, residual)
    c = conditioned(design)
    made = _problem(c.design, residual)
    t = made.transform
    back = c.back @ t.fixed
    log_scale = -float(np.linalg.slogdet(back)[1])
    transform = replace(t, fixed=back, shift=c.shift + c.back @ t.shift, log_scale=log_scale)
    return replace(made, names=names, transform=transform, response=moments(design))


@one_thread()
def moments(design: Design) -> tuple[float, float]:
    """Mean and mean square of the response."""
    y = design.matrix[:, 0]
    return float(y.mean()), float(y @ y) / len(y)


def _problem(design: Design, residual: Residual) -> MixedLikelihood:
    s = structure(design)
    unique = tuple(dict.fromkeys(s.sources))
    where = np.array([unique.index(source) for source in s.sources])
    _fits_in_memory(len(design.persons), len(unique))
    at = plain_table(len(unique))[np.ix_(where, where)]
    starts, ends = design.starts[:-1][s.order], design.starts[1:][s.order]
    scaling = _Scaling(design, unique)
    if residual.kind == "independent" and not residual.labels:
        packed, scale = _scaled_products(design, s, unique, scaling, starts, ends)
        made: Products = Independent(packed)
    else:
        columns = [
            np.ascontiguousarray(c - m)
            for c, m in zip(_arrays(design, s, unique, scaling), scaling.center, strict=True)
        ]
        scale = _common(unique, np.array([np.sqrt(c @ c / len(c)) for c in columns]))
        made = correlated_products(residual, Rows([c / w for c, w in zip(columns, scale, strict=True)], starts, ends))
    transform = _transform(design, s, unique, scaling, scale)
    names = tuple(design.names[c] for c in design.fixed)
    return MixedLikelihood(
        s, residual, made, np.ascontiguousarray(at), transform, names, len(design.rows), moments(design)
    )


def sample(whole: MixedLikelihood, persons: int) -> MixedLikelihood | None:
    """About so many of the persons, evenly over the groups of the last level; None where that makes no sense.

    For a start close to the end of a large fit, at a small part of its cost.
    """
    s = whole.structure
    total = len(s.levels[0].labels)
    if s.dense is not None or whole.n_rho or total < 4 * persons or len(s.levels[-1].labels) < 40:
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


def _fits_in_memory(persons: int, columns: int) -> None:
    size = persons * columns * (columns + 1) * 4
    if size > MOST_BYTES:
        raise ModelError(
            f"the cross-products of {columns} columns for {persons:,} persons would take {size / 2**30:,.0f} GB.",
            remedy="Leave out terms; a grouping factor of which one person has many levels takes a column for each.",
        )


# --- centring and scaling -----------------------------------------------------------------------


class _Scaling:
    """Where the columns are centred: the mean of those that are, 0 for the others; and of those with a position,
    which are masked, the mean is taken off before."""

    def __init__(self, design: Design, sources: tuple[Source, ...]) -> None:
        used = sorted({s.column for s in sources if s.centered})
        means = dict(zip(used, (float(design.matrix[:, c].mean()) for c in used), strict=True))
        self.before = np.array([means[s.column] if s.centered else 0.0 for s in sources])
        self.center = np.array([0.0 if s.factor else m for s, m in zip(sources, self.before, strict=True)])


def _arrays(design: Design, s: Structure, sources: tuple[Source, ...], scaling: _Scaling) -> list[np.ndarray]:
    """Each source as an array (n_rows,), not yet centred unless masked."""
    made = []
    for source, mean in zip(sources, scaling.before, strict=True):
        column = design.matrix[:, source.column]
        if source.factor:
            column = np.where(s.positions[source.factor].of_row == source.position, column - mean, 0.0)
        made.append(column)
    return made


def _common(sources: tuple[Source, ...], scale: np.ndarray) -> np.ndarray:
    """One scale for all positions of a column, and 1 where there is nothing to scale by."""
    common = np.where(scale > 0, scale, 1.0)
    by_column: dict[tuple[int, bool], float] = {}
    for source, width in zip(sources, common, strict=True):
        key = (source.column, source.centered)
        by_column[key] = max(by_column.get(key, 0.0), float(width))
    return np.array([by_column[(source.column, source.centered)] for source in sources])


def _scaled_products(
    design: Design, s: Structure, sources: tuple[Source, ...], scaling: _Scaling, starts: np.ndarray, ends: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Products of centred columns, divided by the scales that their own sums of squares give."""
    k = len(sources)
    packed, bad = products(_arrays(design, s, sources, scaling), starts, ends, scaling.center, np.ones(k))
    if bad >= 0:
        _overflow(design, s, bad)
    i, j = upper_pairs(k)
    squares = packed[:, i == j, :].sum(axis=(0, 2))
    scale = _common(sources, np.sqrt(squares / len(design.rows)))
    packed *= (1.0 / (scale[i] * scale[j]))[:, None]
    return packed, scale


def _overflow(design: Design, s: Structure, person: int) -> None:
    large = [name for j, name in enumerate(design.names) if np.abs(design.matrix[:, j]).max(initial=0.0) > 1e100]
    raise ModelError(
        "products of the columns overflow: their numbers are too large to be squared.",
        where=f"columns {some(large)}" if large else f"person {design.persons[s.order[person]]}",
        remedy="Divide these columns by a large number first, or correct the cells.",
    )


def _transform(
    design: Design, s: Structure, sources: tuple[Source, ...], scaling: _Scaling, scale: np.ndarray
) -> Transform:
    at = {source: i for i, source in enumerate(sources)}
    names = [design.names[c] for c in design.fixed]
    response = s.sources[-1]
    fixed = s.sources[len(s.sources) - 1 - len(names) : -1]
    width = float(scale[at[response]])
    widths = np.array([scale[at[f]] for f in fixed])
    back, shift = np.diag(1 / widths), np.zeros(len(names))
    if INTERCEPT in names:
        one = names.index(INTERCEPT)
        means = np.array([scaling.before[at[f]] for f in fixed])
        back[one] -= means / widths
        shift[one] = scaling.before[at[response]]
    blocks = []
    for block in s.blocks:
        # At whichever position: a column has one mean and one scale.
        own = [next(i for i, x in enumerate(sources) if x[:2] == source[:2]) for source in block.sources]
        matrix = np.diag(1 / scale[own])
        if block.centered:
            matrix[block.effects.index(INTERCEPT)] -= scaling.before[own] / scale[own]
        blocks.append(matrix)
    return Transform(back, shift, width, tuple(blocks), float(np.log(widths).sum()))
