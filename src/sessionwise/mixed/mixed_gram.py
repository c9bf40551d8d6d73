"""MixedGram: all that a multilevel model's likelihood takes of the sessions, and no session row.

The cross-products of the model's columns for each person, and how persons lie in groups. Those of other persons are
added, from batches, clinics, whatever: the columns of each are centred and scaled on the way to the means and sizes of
all, which moves a Gram exactly (grams.py), so that a sum is the Gram of the whole to rounding.

Three things take rows: continuous-time residuals (and AR(1) with very many different gaps), whose columns are kept as
they are in `rows`; fixed columns that nearly depend on each other, of which a basis is taken row by row (`basis`,
orthogonal_columns.py); and positions of levels within persons, which are columns of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from .._core import LANES
from ..designs import Design
from ..designs.design import without
from ..errors import ModelError, some
from ..grams import Gram, filled, products
from ..threads import one_thread
from .groups import Groups, placed
from .orthogonal_columns import Basis, basis_of, is_poor
from .random_terms import INTERCEPT, Source, Terms, at_positions, fixed_sources, random_blocks
from .residuals import Part, Residual, Rows, needs_rows, parts_of
from .structure import structure

#: Roles of parts that hold every row once.
_OF_ROWS = ("all", "within", "means")
#: Cross-products may take this many bytes.
MOST_BYTES = 16 * 2**30


@dataclass(frozen=True, eq=False)
class MixedGram:
    """Cross-products of a model's columns for each person.

    terms : the columns and the random terms on them. persons : (persons,) labels, in the order of the products.
    n : int64 (persons,), rows of each. groups : of each grouping factor.
    residual : which residuals. parts : the products, one part if residuals are independent with one variance.
    rows : the columns themselves where residuals need them; `residual` has its rows then too, and there are no parts.
    response : mean and mean square, by which rows are known again.
    basis : of fixed columns that nearly depend on each other.
    aliased : fixed columns that are combinations of others in these rows, but are among the columns all the same.
    added : whether it is the sum of several.
    """

    terms: Terms
    persons: np.ndarray
    n: np.ndarray
    groups: tuple[Groups, ...]
    residual: Residual
    parts: tuple[Part, ...]
    rows: Rows | None
    response: tuple[float, float]
    basis: Basis | None = None
    aliased: tuple[str, ...] = ()
    added: bool = False

    @property
    def head(self) -> Gram:
        """Names, centres and scales of the columns."""
        return self.parts[0].gram if self.rows is None else self.rows.head

    @property
    def n_rows(self) -> int:
        return int(self.n.sum())

    @cached_property
    def total(self) -> np.ndarray:
        """Products of all rows of all persons (k, k), residuals taken as independent; of centred and scaled columns."""
        return np.asarray(sum(part.gram.total() for part in self.parts if part.role in _OF_ROWS))

    @property
    def fitted(self) -> Terms:
        """The terms as they are fitted: with the basis in place of the fixed columns, where there is one."""
        return self.terms if self.basis is None else self.basis.fitted(self.terms)

    def without(self, design: Design) -> MixedGram:
        """With the terms of `design`, which lacks the columns that turned out to be combinations of others."""
        terms = Terms.of(design)
        basis = self.basis if self.basis is not None and self.basis.of == terms.fixed_names else None
        return replace(self, terms=terms, basis=basis, aliased=())


def label(source: Source, terms: Terms) -> str:
    """The name of a column of the products. The response, column 0, may have the name of another."""
    name = terms.names[source.column] + ("" if source.column else " ~")
    name += " - mean" if source.centered else ""
    return f"{name} | {source.factor} {source.position}" if source.factor else name


def unit(source: Source, terms: Terms) -> str:
    """The name of the column by which the centre of another moves."""
    one = source._replace(column=terms.names.index(INTERCEPT, 1), centered=False)
    return label(one, terms)


# --- from rows --------------------------------------------------------------------------------------


@one_thread()
def summed(
    design: Design,
    residual: Residual,
    *,
    partial: bool = False,
    aliased: tuple[str, ...] = (),
    basis: Basis | None = None,
) -> MixedGram:
    """The MixedGram of a Design.

    partial : it will be added to others, which may have levels and columns that are not here. aliased : fixed columns
    that are combinations of others in these rows. basis : the one to be used, of another Design.

    Raises
    ------
    ModelError : grouping factors that cross too much, numbers too large to be multiplied.
    """
    terms, found = Terms.of(design), placed(design)
    kept = without(design, aliased)
    if basis is None and is_poor(kept, INTERCEPT in Terms.of(kept).fixed_names):
        basis = basis_of(kept)
    if basis is not None:
        design = basis.extended(design)
    fitted = terms if basis is None else basis.fitted(terms)
    groups, order = found.groups, np.arange(len(design.persons))
    if partial:
        needed = needed_columns(terms, groups) + (needed_columns(fitted, groups) if basis is not None else ())
    else:
        made = structure(fitted, groups, design.persons)
        needed, order = made.columns, made.order
        groups = tuple(g.ordered(order) for g in groups)
    made_of = _Columns(design, fitted, found.of_row, tuple(dict.fromkeys(needed)))
    starts, ends = design.starts[:-1][order], design.starts[1:][order]
    fits_in_memory(len(order), len(made_of.sources))
    parts, rows = _parts(made_of, residual, starts, ends, design.persons[order])
    return MixedGram(
        terms, design.persons[order], ends - starts, groups, residual if rows is not None else residual.without_rows,
        parts, rows, moments(design),
        None if basis is None else basis.without_rows, aliased,
    )  # fmt: skip


@one_thread()
def moments(design: Design) -> tuple[float, float]:
    """Mean and mean square of the response; 0 of no rows."""
    y = design.matrix[:, 0]
    return (float(y.mean()), float(y @ y) / len(y)) if len(y) else (0.0, 0.0)


def needed_columns(terms: Terms, groups: Sequence[Groups]) -> tuple[Source, ...]:
    """What a model's products need, whatever its structure turns out to be."""
    blocks, most = random_blocks(terms), {g.name: g.most for g in groups}
    of_random = [s for b in blocks for s in at_positions([b], b.group, most[b.group])]
    return (*of_random, *fixed_sources(terms))


class _Columns:
    """Columns of a Design as the likelihood takes them. They are centred at the mean of the column, also those of one
    position, which are 0 in the rows of the others."""

    def __init__(
        self, design: Design, terms: Terms, of_row: Mapping[str, np.ndarray], sources: tuple[Source, ...]
    ) -> None:
        self.design, self.terms, self.of_row, self.sources = design, terms, of_row, sources
        used = sorted({s.column for s in sources if s.centered}) if len(design.rows) else []
        means = dict(zip(used, (float(design.matrix[:, c].mean()) for c in used), strict=True))
        self.center = np.array([means.get(s.column, 0.0) if s.centered else 0.0 for s in sources])
        #: What is still to be taken off.
        self.left = np.array([0.0 if s.factor else m for s, m in zip(sources, self.center, strict=True)])

    def arrays(self) -> list[np.ndarray]:
        """Each as an array (n_rows,), not yet centred unless it is of one position."""
        made = []
        for source, mean in zip(self.sources, self.center, strict=True):
            column = self.design.matrix[:, source.column]
            if source.factor:
                column = np.where(self.of_row[source.factor] == source.position, column - mean, 0.0)
            made.append(column)
        return made

    def head(self, persons: np.ndarray, scale: np.ndarray) -> Gram:
        """Names, centres and scales."""
        return headed(self.sources, self.terms, persons, self.center, scale)


def headed(sources: Sequence[Source], terms: Terms, persons: np.ndarray, center: np.ndarray, scale: np.ndarray) -> Gram:
    names = tuple(label(s, terms) for s in sources)
    units = {label(s, terms): unit(s, terms) for s in sources if s.centered}
    nothing = np.zeros((0, 0, LANES))
    return Gram(names, persons, np.zeros(len(persons), np.int64), nothing, center, scale, frozenset(), units)


def _parts(
    columns: _Columns, residual: Residual, starts: np.ndarray, ends: np.ndarray, persons: np.ndarray
) -> tuple[tuple[Part, ...], Rows | None]:
    if residual.kind == "independent" and not residual.labels:
        packed, scale = _scaled_products(columns, starts, ends, persons)
        return (Part("all", 0, (0, 0), filled(columns.head(persons, scale), packed, ends - starts)),), None
    arrays = [np.ascontiguousarray(c - m) for c, m in zip(columns.arrays(), columns.left, strict=True)]
    scale = common_scale(columns.sources, np.array([np.sqrt(c @ c / max(len(c), 1)) for c in arrays]))
    arrays = [c / w for c, w in zip(arrays, scale, strict=True)]
    rows = Rows(columns.head(persons, scale), arrays, starts, ends)
    if needs_rows(residual, len(persons), len(arrays)):
        return (), rows
    return parts_of(residual, rows), None


def common_scale(sources: tuple[Source, ...], scale: np.ndarray) -> np.ndarray:
    """One scale for all positions of a column, and 1 where there is nothing to scale by."""
    common = np.where(scale > 0, scale, 1.0)
    by_column: dict[tuple[int, bool], float] = {}
    for source, width in zip(sources, common, strict=True):
        key = (source.column, source.centered)
        by_column[key] = max(by_column.get(key, 0.0), float(width))
    return np.array([by_column[(source.column, source.centered)] for source in sources])


def _scaled_products(
    columns: _Columns, starts: np.ndarray, ends: np.ndarray, persons: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Products of centred columns, divided by the scales that their own sums of squares give."""
    k = len(columns.sources)
    packed, bad = products(columns.arrays(), starts, ends, columns.left, np.ones(k))
    if bad >= 0:
        _overflow(columns.design, persons[bad])
    i, j = np.triu_indices(k)
    squares = packed[:, i == j, :].sum(axis=(0, 2))
    scale = common_scale(columns.sources, np.sqrt(squares / max(len(columns.design.rows), 1)))
    packed *= (1.0 / (scale[i] * scale[j]))[:, None]
    return packed, scale


def _overflow(design: Design, person: object) -> None:
    large = [name for j, name in enumerate(design.names) if np.abs(design.matrix[:, j]).max(initial=0.0) > 1e100]
    raise ModelError(
        "products of the columns overflow: their numbers are too large to be squared.",
        where=f"columns {some(large)}" if large else f"person {person}",
        remedy="Divide these columns by a large number first, or correct the cells.",
    )


def fits_in_memory(persons: int, columns: int) -> None:
    """Stop where cross-products would take too much memory.

    Raises
    ------
    ModelError : they would.
    """
    size = persons * columns * (columns + 1) * 4
    if size > MOST_BYTES:
        raise ModelError(
            f"the cross-products of {columns} columns for {persons:,} persons would take {size / 2**30:,.0f} GB.",
            remedy="Leave out terms; a grouping factor of which one person has many levels takes a column for each.",
        )
