"""Nesting: how the grouping factors of a Design lie to persons and to each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np

from ..designs import Design, Grouping
from ..errors import ModelError

#: Positions kept for all persons together: beyond this a factor changes too often within persons.
MOST_POSITIONS = 50_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Nesting:
    """Grouping factors with random terms.

    persons : name of the one that is the person, '' if there is none. inside : those whose levels lie within persons.
    others : the rest, most levels first. is_chain : whether each of them is constant within the one before, the first
    within persons.
    """

    persons: str
    inside: tuple[Grouping, ...]
    others: tuple[Grouping, ...]
    is_chain: bool


@dataclass(frozen=True, slots=True, eq=False)
class Positions:
    """A factor that may change within persons: its levels numbered within each person.

    of_row : int64 (n_rows,), the position of each row's level in its person.
    codes : int64 (persons, most), the level at each position, -1 for none. labels : (levels,).
    """

    of_row: np.ndarray
    codes: np.ndarray
    labels: np.ndarray

    @property
    def most(self) -> int:
        return int(self.codes.shape[1])


@dataclass(frozen=True, slots=True, eq=False)
class Sorted:
    """A factor of a chain with its levels sorted by their parents.

    labels : (levels,). of_person : int64 (persons,), each person's place among them. parent : int32 (levels,),
    ascending places in the next factor; None for the last.
    """

    labels: np.ndarray
    of_person: np.ndarray
    parent: np.ndarray | None


def nesting(design: Design) -> Nesting:
    """How the grouping factors lie.

    Raises
    ------
    ModelError : two of them divide the rows alike.
    """
    used = {t.group for t in design.random}
    factors = [g for g in design.groupings if g.name in used]
    for a, b in combinations(factors, 2):
        if len(a.levels) == len(b.levels) and _constant_within(a, b) and _constant_within(b, a):
            raise ModelError(
                f"the grouping factors {a.name} and {b.name} divide the rows in the same way.",
                where=f"formula {design.formula.text!r}",
                remedy="Keep one of them: how the variance divides between them cannot be told.",
            )
    persons = [g.name for g in factors if g.is_person]
    rest = sorted((g for g in factors if not g.is_person), key=lambda g: (-len(g.levels), g.name))
    inside = tuple(g for g in rest if not g.constant and _within_persons(g, design))
    others = tuple(g for g in rest if g not in inside)
    is_chain = all(g.constant for g in others) and all(_constant_within(a, b) for a, b in pairwise(others))
    return Nesting(persons[0] if persons else "", inside, others, is_chain)


def _within_persons(g: Grouping, design: Design) -> bool:
    """Whether every level belongs to one person."""
    person = person_of_row(design)
    of_level = np.full(len(g.levels), -1, np.int64)
    of_level[g.codes] = person
    return bool((of_level[g.codes] == person).all())


def _constant_within(inner: Grouping, outer: Grouping) -> bool:
    of_level = np.zeros(len(inner.levels), np.int64)
    of_level[inner.codes] = outer.codes
    return bool((of_level[inner.codes] == outer.codes).all())


def person_of_row(design: Design) -> np.ndarray:
    """int64 (n_rows,)."""
    return np.repeat(np.arange(len(design.persons)), np.diff(design.starts))


def positions(g: Grouping, design: Design) -> Positions:
    """Levels of a factor numbered within persons, in ascending order.

    Raises
    ------
    ModelError : more than can be kept.
    """
    n = len(design.persons)
    pairs, inverse = np.unique(person_of_row(design) * len(g.levels) + g.codes, return_inverse=True)
    owner, code = pairs // len(g.levels), pairs % len(g.levels)
    position = np.arange(len(pairs)) - np.searchsorted(owner, np.arange(n))[owner]
    most = int(position.max()) + 1
    if n * most > MOST_POSITIONS:
        raise ModelError(
            f"a person has up to {most} levels of {g.name}, too many to keep for {n:,} persons.",
            remedy="Leave out this random term.",
        )
    codes = np.full((n, most), -1, np.int64)
    codes[owner, position] = code
    return Positions(position[inverse], codes, g.levels)


def sorted_chain(factors: Sequence[Grouping], design: Design) -> list[Sorted]:
    """The factors of a chain, from the innermost on, each sorted by its parents."""
    first = design.starts[:-1]
    made: list[Sorted] = []
    above: np.ndarray | None = None
    for g in reversed(factors):
        of_person = g.codes[first].astype(np.int64)
        order, parent = np.arange(len(g.levels)), None
        if above is not None:
            of_level = np.zeros(len(g.levels), np.int64)
            of_level[of_person] = above
            order = np.argsort(of_level, kind="stable")
            parent = of_level[order].astype(np.int32)
            rank = np.empty_like(order)
            rank[order] = np.arange(len(order))
            of_person = rank[of_person]
        made.insert(0, Sorted(g.levels[order], of_person, parent))
        above = of_person
    return made
