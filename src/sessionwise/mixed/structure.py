"""Structure: which random effects are integrated out at which level, and what columns that takes.

Persons come first, always, since residuals may be correlated within them. What remains is one of two things:

- a chain: every other grouping factor is constant within the one before it (persons in therapists in clinics), so
  that a level is eliminated after another, each group by itself;
- a crossed system: a person may meet several levels of a factor (a patient who changes therapist). Each factor then has
  as many columns in a person's products as the person with most levels needs, and a map says which level stands where.
  What is eliminated first, crossed.py decides.

A factor whose levels lie within persons (treatment episodes of a patient) joins the persons' own level.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import ModelError
from .groups import Groups
from .nesting import Nesting, nesting, sorted_chain
from .random_terms import Block, Entries, Source, Terms, at_positions, diagonal, fixed_sources, random_blocks

#: Columns of one person's products: beyond these a fit would not end.
MOST_COLUMNS = 400


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
    """A crossed grouping factor: its effects are numbers start : start + levels * q, level by level."""

    name: str
    q: int
    labels: np.ndarray
    entries: Entries
    start: int


@dataclass(frozen=True, slots=True, eq=False)
class CrossedFactors:
    """All factors but those within persons, where a person meets several levels of one.

    map : int32 (persons, r), the effect that a person's remaining column is of, -1 for a position that the person has
    no level at; [X, y] last.
    size : effects.
    """

    factors: tuple[Factor, ...]
    map: np.ndarray
    size: int


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """Levels, and the columns of a person's products: `sources` for random effects, then fixed columns and response.

    order : int64 (persons,), the persons given in the order of the products.
    inside : names of the factors that stand in the persons' level, after the persons' own effects.
    positions : for each factor that may change within persons, its levels by position, persons as they were given.
    """

    blocks: tuple[Block, ...]
    levels: tuple[Level, ...]
    crossed: CrossedFactors | None
    sources: tuple[Source, ...]
    order: np.ndarray
    inside: tuple[str, ...]
    positions: dict[str, Groups]

    @property
    def columns(self) -> tuple[Source, ...]:
        """The sources, each once."""
        return tuple(dict.fromkeys(self.sources))


def structure(terms: Terms, groups: Sequence[Groups], persons: np.ndarray) -> Structure:
    """The levels of a model.

    groups : of each grouping factor. persons : (persons,) labels.

    Raises
    ------
    ModelError : grouping factors that cross so much that the system would be too large.
    """
    blocks, nested = random_blocks(terms), nesting(groups, terms.formula)
    placed = {g.name: g for g in (*nested.inside, *(() if nested.is_chain else nested.others))}
    own = [b for b in blocks if b.group == nested.persons]
    own_sources = [s for b in own for s in b.sources]
    repeated = list(own)
    for g in nested.inside:
        inner = [b for b in blocks if b.group == g.name]
        repeated += inner * placed[g.name].most
        own_sources += at_positions(inner, g.name, g.most)
    labels = next((g.labels for g in groups if g.name == nested.persons), persons)
    person = _Person(nested.persons, len(own_sources), diagonal(repeated), labels)
    fixed = fixed_sources(terms)
    made = _chain if nested.is_chain else _crossed
    levels, crossed, remaining, order = made(nested, blocks, person, len(fixed))
    sources = (*own_sources, *remaining, *fixed)
    _not_too_many(sources, placed)
    inside = tuple(g.name for g in nested.inside)
    return Structure(blocks, levels, crossed, sources, order, inside, placed)


@dataclass(frozen=True, slots=True, eq=False)
class _Person:
    """The persons' level before it is known what remains after it."""

    name: str
    q: int
    entries: Entries
    labels: np.ndarray

    def level(self, r: int, order: np.ndarray, parent: np.ndarray | None) -> Level:
        return Level(self.name, self.q, r, self.labels[order], self.entries, parent)


_Made = tuple[tuple[Level, ...], CrossedFactors | None, list[Source], np.ndarray]


def _chain(nested: Nesting, blocks: Sequence[Block], person: _Person, fixed: int) -> _Made:
    """Levels one after the other."""
    factors = sorted_chain(nested.others)
    of_factor = [[b for b in blocks if b.group == g.name] for g in nested.others]
    remaining = [s for own in of_factor for b in own for s in b.sources]
    order, parent = np.arange(len(person.labels)), None
    if factors:
        order = np.argsort(factors[0].of_person, kind="stable")
        parent = factors[0].of_person[order].astype(np.int32)
    r = len(remaining) + fixed
    levels = [person.level(r, order, parent)]
    for g, f, own in zip(nested.others, factors, of_factor, strict=True):
        q = sum(b.q for b in own)
        r -= q
        levels.append(Level(g.name, q, r, f.labels, diagonal(own), f.parent))
    return tuple(levels), None, remaining, order


def _crossed(nested: Nesting, blocks: Sequence[Block], person: _Person, fixed: int) -> _Made:
    """Persons, and then everything else at once."""
    remaining: list[Source] = []
    factors, maps, start = [], [], 0
    for g in nested.others:
        own = [b for b in blocks if b.group == g.name]
        q = sum(b.q for b in own)
        remaining += at_positions(own, g.name, g.most)
        factors.append(Factor(g.name, q, g.labels, diagonal(own), start))
        places = np.where(g.codes[:, :, None] < 0, -1, start + g.codes[:, :, None] * q + np.arange(q))
        maps.append(places.reshape(len(places), -1))
        start += len(g.labels) * q
    n = len(person.labels)
    last = np.broadcast_to(start + np.arange(fixed), (n, fixed))
    places = np.ascontiguousarray(np.concatenate([*maps, last], axis=1), np.int32)
    crossed = CrossedFactors(tuple(factors), places, start)
    order = np.arange(n)
    return (person.level(len(remaining) + fixed, order, None),), crossed, remaining, order


def _not_too_many(sources: Sequence[Source], placed: dict[str, Groups]) -> None:
    if len(sources) <= MOST_COLUMNS:
        return
    most = max((p.most for p in placed.values()), default=1)
    raise ModelError(
        f"a person has up to {most} levels of a grouping factor, which makes {len(sources)} columns a person.",
        where=f"grouping factors: {', '.join(placed)}",
        remedy="Leave out this random term, or use a factor that changes less often within persons.",
    )
