"""Structure: which random effects are integrated out at which level, and what columns that takes.

Persons come first, always, since residuals may be correlated within them. What remains is one of two things:

- a chain: every other grouping factor is constant within the one before it (persons in therapists in clinics), so
  that a level is eliminated after another, each group by itself;
- a dense system: a person may meet several levels of a factor (a patient who changes therapist). Each factor then has
  as many columns in a person's products as the person with most levels needs, and a map says which level stands where.

A factor whose levels lie within persons (treatment episodes of a patient) joins the persons' own level.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ..design import Design, Grouping
from ..errors import ModelError

#: Columns of one person's products, and order of the dense system: beyond these a fit would not end.
MOST_COLUMNS = 400
MOST_DENSE = 8000


class Source(NamedTuple):
    """A column of the likelihood: number of a Design column, whether it is centred, and for which position of which
    grouping factor it is kept (0 elsewhere); `factor` is empty where it is kept everywhere."""

    column: int
    centered: bool
    factor: str = ""
    position: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A random term. theta[start : start + size] holds its relative factor: the lower triangle by columns (lme4's
    order), or the diagonal alone if its effects may not correlate.

    columns : numbers of Design columns. effects : their names. centered : whether they are centred in the likelihood,
    which leaves the model as it is for correlated effects with an intercept among them, and for no others.
    """

    group: str
    effects: tuple[str, ...]
    columns: tuple[int, ...]
    correlated: bool
    centered: bool
    start: int

    @property
    def q(self) -> int:
        return len(self.columns)

    @property
    def size(self) -> int:
        return self.q * (self.q + 1) // 2 if self.correlated else self.q

    @property
    def places(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows and columns of the factor's entries, in the order of theta."""
        return _places(self.q, self.correlated)

    def factor(self, theta: np.ndarray) -> np.ndarray:
        """The relative covariance factor (q, q) from all of theta."""
        full = np.zeros((self.q, self.q))
        full[self.places] = theta[self.start : self.start + self.size]
        return full


@cache
def _places(q: int, correlated: bool) -> tuple[np.ndarray, np.ndarray]:
    columns, rows = np.triu_indices(q) if correlated else (np.arange(q), np.arange(q))
    return rows, columns


@dataclass(frozen=True, slots=True, eq=False)
class Entries:
    """Where theta stands in a level's factor: factor[rows, columns] = theta[numbers]; the same number may recur."""

    rows: np.ndarray
    columns: np.ndarray
    numbers: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """Groups that are integrated out together.

    name : the grouping factor, or '' for persons without random effects of their own.
    q, r : random-effect columns, and columns that remain afterwards.
    labels : (groups,) in the order of the products.
    parent : int32 (groups,), ascending positions in the next level; None at the last.
    """

    name: str
    q: int
    r: int
    labels: np.ndarray
    entries: Entries
    parent: np.ndarray | None


@dataclass(frozen=True, slots=True, eq=False)
class Factor:
    """A grouping factor of the dense system: its effects are rows start : start + levels * q, level by level."""

    name: str
    q: int
    labels: np.ndarray
    entries: Entries
    start: int


@dataclass(frozen=True, slots=True, eq=False)
class Dense:
    """Factors that are eliminated after persons, all at once.

    map : int32 (persons, r), where a person's remaining column stands in the whole system, [X, y] last.
    size : rows before [X, y].
    """

    factors: tuple[Factor, ...]
    map: np.ndarray
    size: int


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """Levels, and the columns of a person's products: `sources` for random effects, then fixed columns and response.

    order : int64 (persons,), persons of the Design in the order of the products.
    inside : factors that stand in the persons' level with their number of positions.
    positions : for each factor with several positions, int64 (n_rows,) the position of each row's level in its person.
    codes, labels : for each of these, the level at (person, position), int64 (persons, positions), -1 for none; levels.
    """

    blocks: tuple[Block, ...]
    levels: tuple[Level, ...]
    dense: Dense | None
    sources: tuple[Source, ...]
    order: np.ndarray
    inside: tuple[tuple[str, int], ...]
    positions: dict[str, np.ndarray]
    codes: dict[str, np.ndarray]
    labels: dict[str, np.ndarray]


def structure(design: Design) -> Structure:
    """The levels of a Design.

    Raises
    ------
    ModelError : grouping factors that cross so much that the system would be too large.
    """
    blocks = _blocks(design)
    persons, factors = _sorted_factors(design)
    inside = [g for g in factors if not g.constant and _within_persons(g, design)]
    others = [g for g in factors if g not in inside]
    chain = _is_chain(others)
    placed = {g.name: _positions(g, design) for g in (*inside, *(() if chain else others))}
    own = _own_sources(persons, inside, blocks, placed)
    q0 = len(own)
    fixed = _fixed_sources(design)
    if chain:
        parents, order = _orders(design, others)
        remaining = [s for g in others for b in _of(g.name, blocks) for s in _sources(b)]
        levels = _chain_levels(
            design, persons, inside, others, blocks, placed, parents, order, q0, len(remaining) + len(fixed)
        )
        dense = None
    else:
        order = np.arange(len(design.persons))
        remaining = [s for g in others for s in _at_positions(g.name, blocks, placed[g.name].most)]
        r = len(remaining) + len(fixed)
        entries = _person_entries(persons, inside, blocks, placed)
        levels = (Level(persons, q0, r, _person_labels(design, persons), entries, None),)
        dense = _dense(others, blocks, placed, r, len(fixed))
    sources = (*own, *remaining, *fixed)
    if len(sources) > MOST_COLUMNS:
        most = max(placed.values(), key=lambda p: p.most)
        raise ModelError(
            f"a person has up to {most.most} levels of a grouping factor, which makes {len(sources)} columns a person.",
            where=f"grouping factors: {', '.join(placed)}",
            remedy="Leave out this random term, or use a factor that changes less often within persons.",
        )
    return Structure(
        blocks,
        levels,
        dense,
        sources,
        order,
        tuple((g.name, placed[g.name].most) for g in inside),
        {name: p.of_row for name, p in placed.items()},
        {name: p.codes for name, p in placed.items()},
        {g.name: g.levels for g in factors if g.name in placed},
    )


# --- blocks and sources -------------------------------------------------------------------------


def _blocks(design: Design) -> tuple[Block, ...]:
    made: list[Block] = []
    start = 0
    for term in design.random:
        names = tuple(design.names[c] for c in term.columns)
        block = Block(term.group, names, term.columns, term.correlated, term.correlated and INTERCEPT in names, start)
        made.append(block)
        start += block.size
    return tuple(made)


INTERCEPT = "(Intercept)"


def _of(group: str, blocks: Sequence[Block]) -> list[Block]:
    return [b for b in blocks if b.group == group]


def _sources(block: Block, factor: str = "", position: int = 0) -> list[Source]:
    names = zip(block.columns, block.effects, strict=True)
    return [Source(c, block.centered and name != INTERCEPT, factor, position) for c, name in names]


def _at_positions(group: str, blocks: Sequence[Block], most: int) -> list[Source]:
    """Columns of a factor: all effects at its first position in a person, then at the second, ..."""
    at = range(most)
    masked = most > 1
    return [s for j in at for b in _of(group, blocks) for s in _sources(b, group if masked else "", j)]


def _fixed_sources(design: Design) -> list[Source]:
    """Fixed columns and the response, centred if there is an intercept to take up the difference."""
    names = [design.names[c] for c in design.fixed]
    with_intercept = INTERCEPT in names
    fixed = [Source(c, with_intercept and n != INTERCEPT) for c, n in zip(design.fixed, names, strict=True)]
    return [*fixed, Source(0, with_intercept)]


def _own_sources(
    persons: str, inside: Sequence[Grouping], blocks: Sequence[Block], placed: dict[str, _Placed]
) -> list[Source]:
    own = [s for b in _of(persons, blocks) for s in _sources(b)] if persons else []
    return own + [s for g in inside for s in _at_positions(g.name, blocks, placed[g.name].most)]


# --- levels -------------------------------------------------------------------------------------


class _Placed(NamedTuple):
    """Levels of a factor by position within persons; see Structure."""

    of_row: np.ndarray
    codes: np.ndarray
    most: int


def _sorted_factors(design: Design) -> tuple[str, list[Grouping]]:
    """Name of the grouping factor that is the person ('' if there is none), and the others, most levels first."""
    persons = [g.name for g in design.groupings if g.is_person]
    used = {t.group for t in design.random}
    others = [g for g in design.groupings if g.name in used and not g.is_person]
    if len(persons) > 1:
        raise ModelError(
            f"the grouping factors {' and '.join(persons)} divide the rows in the same way.",
            where=f"formula {design.formula.text!r}",
            remedy="Keep one of them.",
        )
    return (persons[0] if persons else ""), sorted(others, key=lambda g: (-len(g.levels), g.name))


def _person_labels(design: Design, persons: str) -> np.ndarray:
    """Labels of the grouping factor that is the person: the person's own, or such as 'T01:12'."""
    return design.grouping(persons).levels if persons else design.persons


def _within_persons(g: Grouping, design: Design) -> bool:
    """Whether every level belongs to one person."""
    person = np.repeat(np.arange(len(design.persons)), np.diff(design.starts))
    first = np.full(len(g.levels), -1, np.int64)
    first[g.codes[::-1]] = person[::-1]
    return bool((first[g.codes] == person).all())


def _is_chain(factors: Sequence[Grouping]) -> bool:
    if not all(g.constant for g in factors):
        return False
    for inner, outer in pairwise(factors):
        of_level = np.zeros(len(inner.levels), np.int64)
        of_level[inner.codes] = outer.codes
        if not (of_level[inner.codes] == outer.codes).all():
            return False
    return True


def _positions(g: Grouping, design: Design) -> _Placed:
    """Which of the person's levels of g, in ascending order, each row has."""
    n = len(design.persons)
    person = np.repeat(np.arange(n), np.diff(design.starts))
    pairs, inverse = np.unique(person * len(g.levels) + g.codes, return_inverse=True)
    owner, code = pairs // len(g.levels), pairs % len(g.levels)
    first = np.searchsorted(owner, np.arange(n))
    position = np.arange(len(pairs)) - first[owner]
    most = int(position.max()) + 1
    if n * most > 50_000_000:
        raise ModelError(
            f"a person has up to {most} levels of {g.name}, too many to keep for {n:,} persons.",
            remedy="Leave out this random term.",
        )
    codes = np.full((n, most), -1, np.int64)
    codes[owner, position] = code
    return _Placed(position[inverse], codes, most)


def _entries(blocks: Sequence[Block], times: int = 1) -> Entries:
    """Blocks of one factor along the diagonal, the whole repeated `times`."""
    rows, columns, numbers, at = [], [], [], 0
    for _ in range(times):
        for b in blocks:
            i, j = b.places
            rows.append(at + i)
            columns.append(at + j)
            numbers.append(b.start + np.arange(b.size))
            at += b.q
    return Entries(*(np.concatenate(x) if x else np.zeros(0, np.int64) for x in (rows, columns, numbers)))


def _person_entries(
    persons: str, inside: Sequence[Grouping], blocks: Sequence[Block], placed: dict[str, _Placed]
) -> Entries:
    made = [_entries(_of(persons, blocks))] if persons else []
    made += [_entries(_of(g.name, blocks), placed[g.name].most) for g in inside]
    at = [sum(b.q for b in _of(persons, blocks))] if persons else []
    at += [sum(b.q for b in _of(g.name, blocks)) * placed[g.name].most for g in inside]
    offsets = np.concatenate([[0], np.cumsum(at)])
    moved = [Entries(e.rows + o, e.columns + o, e.numbers) for e, o in zip(made, offsets, strict=False)]
    if not moved:
        return _entries([])
    return Entries(*(np.concatenate(x) for x in zip(*((e.rows, e.columns, e.numbers) for e in moved), strict=True)))


class _Parents(NamedTuple):
    """A factor of a chain: labels in the order of its level, and for each person of the Design the position there."""

    labels: np.ndarray
    of_person: np.ndarray


def _orders(design: Design, factors: Sequence[Grouping]) -> tuple[list[_Parents], np.ndarray]:
    """Each factor's levels sorted by their parents, and persons sorted by theirs."""
    first = design.starts[:-1]
    made: list[_Parents] = []
    above: np.ndarray | None = None
    for g in reversed(factors):
        of_person = g.codes[first].astype(np.int64)
        order = np.arange(len(g.levels))
        if above is not None:
            parent = np.zeros(len(g.levels), np.int64)
            parent[of_person] = above
            order = np.argsort(parent, kind="stable")
            rank = np.empty_like(order)
            rank[order] = np.arange(len(order))
            of_person = rank[of_person]
        made.insert(0, _Parents(g.levels[order], of_person))
        above = of_person
    persons = np.arange(len(design.persons)) if above is None else np.argsort(above, kind="stable")
    return made, persons


def _chain_levels(
    design: Design,
    persons: str,
    inside: Sequence[Grouping],
    factors: Sequence[Grouping],
    blocks: Sequence[Block],
    placed: dict[str, _Placed],
    parents: Sequence[_Parents],
    order: np.ndarray,
    q0: int,
    r: int,
) -> tuple[Level, ...]:
    up = parents[0].of_person[order].astype(np.int32) if parents else None
    entries = _person_entries(persons, inside, blocks, placed)
    levels = [Level(persons, q0, r, _person_labels(design, persons)[order], entries, up)]
    for i, g in enumerate(factors):
        own = _of(g.name, blocks)
        q = sum(b.q for b in own)
        r -= q
        up = None
        if i + 1 < len(factors):
            up = np.zeros(len(g.levels), np.int32)
            up[parents[i].of_person] = parents[i + 1].of_person
        levels.append(Level(g.name, q, r, parents[i].labels, _entries(own), up))
    return tuple(levels)


def _dense(
    factors: Sequence[Grouping], blocks: Sequence[Block], placed: dict[str, _Placed], r: int, fixed: int
) -> Dense:
    made, maps, start = [], [], 0
    for g in factors:
        own = _of(g.name, blocks)
        q = sum(b.q for b in own)
        made.append(Factor(g.name, q, g.levels, _entries(own), start))
        codes = np.maximum(placed[g.name].codes, 0)  # a column of a position that is not there is zero
        maps.append((start + codes[:, :, None] * q + np.arange(q)).reshape(len(codes), -1))
        start += len(g.levels) * q
    if start > MOST_DENSE:
        raise ModelError(
            f"crossed grouping factors have {start:,} random effects together, more than {MOST_DENSE:,}.",
            where=", ".join(f"{g.name}: {len(g.levels):,} levels" for g in factors),
            remedy="Leave out a random term, or use a factor in which persons are nested.",
        )
    n = len(maps[0])
    last = np.broadcast_to(start + np.arange(fixed), (n, fixed))
    return Dense(tuple(made), np.ascontiguousarray(np.concatenate([*maps, last], axis=1), dtype=np.int32), start)
