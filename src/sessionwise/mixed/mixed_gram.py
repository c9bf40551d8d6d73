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
from ..errors import GramError, ModelError, some
from ..grams import Gram, arranged, changed, gathered, joined, products
from ..threads import one_thread
from .groups import Groups, placed, together
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
        return replace(self, terms=Terms.of(design), aliased=())


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
    kept = design.without(aliased)
    if basis is None and is_poor(kept, INTERCEPT in Terms.of(kept).fixed_names):
        basis = basis_of(kept)
    if basis is not None:
        design = basis.extended(design)
    fitted = terms if basis is None else basis.fitted(terms)
    groups, order = found.groups, np.arange(len(design.persons))
    if partial:
        needed = _columns(terms, groups) + (_columns(fitted, groups) if basis is not None else ())
    else:
        made = structure(fitted, groups, design.persons)
        needed, order = made.columns, made.order
        groups = tuple(g.ordered(order) for g in groups)
    made_of = _Columns(design, fitted, found.of_row, tuple(dict.fromkeys(needed)))
    starts, ends = design.starts[:-1][order], design.starts[1:][order]
    _fits_in_memory(len(order), len(made_of.sources))
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


def _columns(terms: Terms, groups: Sequence[Groups]) -> tuple[Source, ...]:
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
        return _head(self.sources, self.terms, persons, self.center, scale)


def _head(sources: Sequence[Source], terms: Terms, persons: np.ndarray, center: np.ndarray, scale: np.ndarray) -> Gram:
    names = tuple(label(s, terms) for s in sources)
    units = {label(s, terms): unit(s, terms) for s in sources if s.centered}
    nothing = np.zeros((0, 0, LANES))
    return Gram(names, persons, np.zeros(len(persons), np.int64), nothing, center, scale, frozenset(), units)


def _parts(
    columns: _Columns, residual: Residual, starts: np.ndarray, ends: np.ndarray, persons: np.ndarray
) -> tuple[tuple[Part, ...], Rows | None]:
    if residual.kind == "independent" and not residual.labels:
        packed, scale = _scaled_products(columns, starts, ends, persons)
        return (Part("all", 0, (0, 0), columns.head(persons, scale).of(packed, ends - starts)),), None
    arrays = [np.ascontiguousarray(c - m) for c, m in zip(columns.arrays(), columns.left, strict=True)]
    scale = _common(columns.sources, np.array([np.sqrt(c @ c / max(len(c), 1)) for c in arrays]))
    arrays = [c / w for c, w in zip(arrays, scale, strict=True)]
    rows = Rows(columns.head(persons, scale), arrays, starts, ends)
    if needs_rows(residual, len(persons), len(arrays)):
        return (), rows
    return parts_of(residual, rows), None


def _common(sources: tuple[Source, ...], scale: np.ndarray) -> np.ndarray:
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
    scale = _common(columns.sources, np.sqrt(squares / max(len(columns.design.rows), 1)))
    packed *= (1.0 / (scale[i] * scale[j]))[:, None]
    return packed, scale


def _overflow(design: Design, person: object) -> None:
    large = [name for j, name in enumerate(design.names) if np.abs(design.matrix[:, j]).max(initial=0.0) > 1e100]
    raise ModelError(
        "products of the columns overflow: their numbers are too large to be squared.",
        where=f"columns {some(large)}" if large else f"person {person}",
        remedy="Divide these columns by a large number first, or correct the cells.",
    )


def _fits_in_memory(persons: int, columns: int) -> None:
    size = persons * columns * (columns + 1) * 4
    if size > MOST_BYTES:
        raise ModelError(
            f"the cross-products of {columns} columns for {persons:,} persons would take {size / 2**30:,.0f} GB.",
            remedy="Leave out terms; a grouping factor of which one person has many levels takes a column for each.",
        )


# --- from others ------------------------------------------------------------------------------------


@one_thread()
def added(grams: Sequence[MixedGram]) -> MixedGram:
    """The MixedGram of all their persons, who must differ, centred and scaled anew.

    Raises
    ------
    GramError : other columns, random terms or residuals, a person in two of them, labels of two kinds.
    ModelError : residuals that need the rows.
    """
    if len(grams) == 1:
        return grams[0]
    _belong_together(grams)
    terms, basis = grams[0].terms, _same_basis(grams)
    fitted = terms if basis is None else basis.fitted(terms)
    persons = joined([g.persons for g in grams])
    order = np.argsort(persons, kind="stable")
    groups = tuple(together([g.groups[i] for g in grams]).ordered(order) for i in range(len(grams[0].groups)))
    needed = _columns(terms, groups) + (_columns(fitted, groups) if basis is not None else ())
    sources = tuple(dict.fromkeys(needed))
    _fits_in_memory(len(persons), len(sources))
    pieces = [_Piece(g, sources, fitted) for g in grams]
    center = _pooled_means(pieces, sources)
    n = sum(g.n_rows for g in grams)
    scale = _common(sources, np.sqrt(np.maximum(_pooled_squares(pieces, center), 0.0) / max(n, 1)))
    head = _head(sources, fitted, persons[order], center, scale)
    residual = replace(grams[0].residual, labels=_strata(grams))
    parts = _added_parts(pieces, residual, head, order)
    response = np.array([np.array(g.response) * g.n_rows for g in grams]).sum(axis=0) / max(n, 1)
    return MixedGram(
        terms, persons[order], np.concatenate([g.n for g in grams])[order], groups, residual, parts, None,
        (float(response[0]), float(response[1])), basis, _aliased_in_all(grams), True,
    )  # fmt: skip


def _belong_together(grams: Sequence[MixedGram]) -> None:
    first = grams[0]
    for other in grams:
        if other.rows is not None:
            raise ModelError(
                "these residuals need the sessions themselves, so that nothing can be added.",
                where=f"residual={other.residual.kind!r}",
                remedy='Fit one Panel, or use residual="ar1" or "independent".',
            )
        if other.terms.names != first.terms.names or other.terms.fixed != first.terms.fixed:
            odd = sorted(set(first.terms.names) ^ set(other.terms.names)) or list(other.terms.names)
            raise GramError(
                f"the two Grams have different columns: {some(odd)} in one only.",
                remedy="Make both from the same formula; where one lacks values of a category, make it like=the other.",
            )
        if other.residual.kind != first.residual.kind or bool(other.residual.labels) != bool(first.residual.labels):
            raise GramError("the two Grams have different residuals.", remedy="Make both from the same model.")


def _same_basis(grams: Sequence[MixedGram]) -> Basis | None:
    """The basis that all of them were made with."""
    first = grams[0].basis
    return first if first is not None and all(g.basis is not None and g.basis.same(first) for g in grams) else None


def _aliased_in_all(grams: Sequence[MixedGram]) -> tuple[str, ...]:
    """What is a combination of others in the whole is one in every part."""
    return tuple(name for name in grams[0].aliased if all(name in g.aliased for g in grams))


def _strata(grams: Sequence[MixedGram]) -> tuple[str, ...]:
    """The strata of all, ascending where those of each Gram are."""
    labels = tuple(dict.fromkeys(name for g in grams for name in g.residual.labels))
    try:
        value = {name: float(name.partition("=")[2]) for name in labels}
        key = value.__getitem__
    except ValueError:  # text
        key = str  # type: ignore[assignment]
    ascending = all(list(g.residual.labels) == sorted(g.residual.labels, key=key) for g in grams)
    return tuple(sorted(labels, key=key)) if ascending else labels


class _Piece:
    """One of several Grams: where its columns stand among those of all.

    at : int64 (columns,), numbers of its columns, -1 for those that it lacks. center, scale, total : of them.
    """

    def __init__(self, gram: MixedGram, sources: Sequence[Source], terms: Terms) -> None:
        self.gram, self.sources = gram, sources
        names = gram.head.columns
        known = {name: i for i, name in enumerate(names)}
        most = {g.name: g.most for g in gram.groups}
        found = []
        for s in sources:
            alone = s._replace(factor="", position=0)
            own = alone if s.factor and most[s.factor] == 1 and s.position == 0 else s
            found.append(known.get(label(own, terms), -1))
        self.at = np.array(found, np.int64)
        self.center = np.where(self.at < 0, 0.0, gram.head.center[self.at])
        self.scale = np.where(self.at < 0, 1.0, gram.head.scale[self.at])
        there = (self.at >= 0).astype(float)
        self.total = gram.total[np.ix_(self.at, self.at)] * np.outer(there, there)
        place = {label(s, terms): i for i, s in enumerate(sources)}
        #: The column by which each one's centre moves, itself where it has none.
        self.unit = np.array([place[unit(s, terms)] if s.centered else i for i, s in enumerate(sources)])

    def change(self, center: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """M (k, k), so that z M are its columns with another centre and scale."""
        change = np.diag(self.scale / scale)
        for j, source in enumerate(self.sources):
            if source.centered and self.at[j] >= 0:
                change[self.unit[j], j] += (self.center[j] - center[j]) / scale[j] * self.scale[self.unit[j]]
        return change

    def sums(self) -> np.ndarray:
        """Sums over the rows of each column less its centre, (k,); of centred ones."""
        each = np.arange(len(self.sources))
        return np.asarray(self.total[each, self.unit] * self.scale * self.scale[self.unit])


def _pooled_means(pieces: Sequence[_Piece], sources: Sequence[Source]) -> np.ndarray:
    """The mean of each centred column over all rows, 0 for the others."""
    n = max(sum(p.gram.n_rows for p in pieces), 1)
    center = np.zeros(len(sources))
    for column in {s.column for s in sources if s.centered}:
        own = [j for j, s in enumerate(sources) if s.column == column and s.centered]
        factor = min(sources[j].factor for j in own)
        carriers = [j for j in own if sources[j].factor == factor]  # the positions of one factor hold every row once
        begin = next((p.center[carriers[0]] for p in pieces if p.gram.n_rows), 0.0)
        away = sum(
            p.gram.n_rows * (p.center[carriers[0]] - begin) + p.sums()[carriers].sum() for p in pieces if p.gram.n_rows
        )
        center[own] = begin + away / n
    return center


def _pooled_squares(pieces: Sequence[_Piece], center: np.ndarray) -> np.ndarray:
    """Sums of squares about these centres."""
    squares = np.zeros(len(center))
    for piece in pieces:
        change = piece.change(center, np.ones(len(center)))
        squares += np.einsum("ij,ik,kj->j", change, piece.total, change, optimize=True)
    return squares


def _added_parts(pieces: Sequence[_Piece], residual: Residual, head: Gram, order: np.ndarray) -> tuple[Part, ...]:
    """Part by part, those that a Gram lacks being zero."""
    changes = [p.change(head.center, head.scale) for p in pieces]
    held = [_by_key(p.gram, residual.labels) for p in pieces]
    counts = [len(p.gram.persons) for p in pieces]
    pairs = len(head.columns) * (len(head.columns) + 1) // 2
    made = []
    for key in sorted({key for own in held for key in own}, key=_place):
        packed, n = [], []
        for piece, change, own, persons in zip(pieces, changes, held, counts, strict=True):
            gram = own.get(key)
            if gram is None:
                packed.append(np.zeros((-(-persons // LANES), pairs, LANES)))
                n.append(np.zeros(persons, np.int64))
            else:
                packed.append(changed(gathered(gram.packed, piece.at), change))
                n.append(gram.n)
        made.append(Part(*key, head.of(arranged(packed, counts, order), np.concatenate(n)[order])))
    return tuple(made)


_Key = tuple[str, int, tuple[int, int]]


def _by_key(gram: MixedGram, labels: tuple[str, ...]) -> dict[_Key, Gram]:
    """A Gram's parts by role, gap and strata, which are numbered as in all."""
    number = [labels.index(name) for name in gram.residual.labels] or [0]

    def strata(part: Part) -> tuple[int, int]:
        s, t = sorted(number[i] for i in part.strata)
        return s, t

    return {(p.role, p.gap, strata(p)): p.gram for p in gram.parts}


def _place(key: _Key) -> tuple[int, tuple[int, int], str]:
    """The order in which parts stand, that of one Gram."""
    role, gap, (s, t) = key
    return gap, (s, -1 if role == "square" else t), role
