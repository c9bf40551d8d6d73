"""Added Grams: the MixedGram of the persons of several, from batches of a file or from clinics.

Each one's columns are moved to the means and sizes that all rows together have, a linear change of its products, and
its persons put beside the others. Where a person has more levels of a factor than anybody in another Gram, that one has
zeros at these positions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .._core import LANES
from ..errors import GramError, ModelError, some
from ..grams import Gram, arranged, changed, filled, gathered, joined
from ..threads import one_thread
from .groups import together
from .mixed_gram import MixedGram, common_scale, fits_in_memory, headed, label, needed_columns, unit
from .orthogonal_columns import Basis
from .random_terms import Source, Terms
from .residuals import Part, Residual, parts_too_large


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
    by_name = [{own.name: own for own in g.groups} for g in grams]
    groups = tuple(together([own[name] for own in by_name]).ordered(order) for name in by_name[0])
    needed = needed_columns(terms, groups) + (needed_columns(fitted, groups) if basis is not None else ())
    sources = tuple(dict.fromkeys(needed))
    fits_in_memory(len(persons), len(sources))
    pieces = [_Piece(g, sources, fitted) for g in grams]
    center = _pooled_means(pieces, sources)
    n = sum(g.n_rows for g in grams)
    scale = common_scale(sources, np.sqrt(np.maximum(_pooled_squares(pieces, center), 0.0) / max(n, 1)))
    head = headed(sources, fitted, persons[order], center, scale)
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
                remedy="Make both from the same formula, and where one lacks values of a category, like the other.",
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
    keys = sorted({key for own in held for key in own}, key=_place)
    if parts_too_large(len(keys), len(order), len(head.columns)):
        raise ModelError(
            "sessions lie so many different gaps apart that their cross-products would take too much memory.",
            where=f"residual={residual.kind!r}, {len({gap for _, gap, _ in keys if gap}):,} lengths of gaps",
            remedy="Fit one Panel of all persons, or leave out the terms that are needed least.",
        )
    counts = [len(p.gram.persons) for p in pieces]
    pairs = len(head.columns) * (len(head.columns) + 1) // 2
    made = []
    for key in keys:
        packed, n = [], []
        for piece, change, own, persons in zip(pieces, changes, held, counts, strict=True):
            gram = own.get(key)
            if gram is None:
                packed.append(np.zeros((-(-persons // LANES), pairs, LANES)))
                n.append(np.zeros(persons, np.int64))
            else:
                packed.append(changed(gathered(gram.packed, piece.at), change))
                n.append(gram.n)
        made.append(Part(*key, filled(head, arranged(packed, counts, order), np.concatenate(n)[order])))
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
