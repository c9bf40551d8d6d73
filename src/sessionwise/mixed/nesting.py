"""Nesting: how the grouping factors of a model lie to persons and to each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np

from ..errors import ModelError
from .groups import Groups


@dataclass(frozen=True, slots=True, eq=False)
class Nesting:
    """Grouping factors with random terms.

    persons : name of the one that is the person, '' if there is none. inside : those whose levels lie within persons.
    others : the rest, most levels first. is_chain : whether each of them is constant within the one before, the first
    within persons.
    """

    persons: str
    inside: tuple[Groups, ...]
    others: tuple[Groups, ...]
    is_chain: bool


@dataclass(frozen=True, slots=True, eq=False)
class Sorted:
    """A factor of a chain with its levels sorted by their parents.

    labels : (levels,). of_person : int64 (persons,), each person's place among them. parent : int32 (levels,),
    ascending places in the next factor; None for the last.
    """

    labels: np.ndarray
    of_person: np.ndarray
    parent: np.ndarray | None


def nesting(factors: Sequence[Groups], formula: str) -> Nesting:
    """How the grouping factors lie. formula : for the message.

    Raises
    ------
    ModelError : two of them divide the rows alike.
    """
    for a, b in combinations(factors, 2):
        if _divide_alike(a, b):
            raise ModelError(
                f"the grouping factors {a.name} and {b.name} divide the rows in the same way.",
                where=f"formula {formula!r}",
                remedy="Keep one of them: how the variance divides between them cannot be told.",
            )
    persons = [g.name for g in factors if g.is_person]
    rest = sorted((g for g in factors if not g.is_person), key=lambda g: (-len(g.labels), g.name))
    inside = tuple(g for g in rest if not g.constant and g.within_persons)
    others = tuple(g for g in rest if g not in inside)
    is_chain = all(g.constant for g in others) and all(_constant_within(a, b) for a, b in pairwise(others))
    return Nesting(persons[0] if persons else "", inside, others, is_chain)


def _divide_alike(a: Groups, b: Groups) -> bool:
    """One that changes within persons divides no rows as one that does not."""
    if a.constant and b.constant:
        return len(a.labels) == len(b.labels) and _constant_within(a, b) and _constant_within(b, a)
    return b.name in a.alike


def _constant_within(inner: Groups, outer: Groups) -> bool:
    """Of two factors that are constant within persons."""
    of_level = np.zeros(len(inner.labels), np.int64)
    of_level[inner.of_person] = outer.of_person
    return bool((of_level[inner.of_person] == outer.of_person).all())


def sorted_chain(factors: Sequence[Groups]) -> list[Sorted]:
    """The factors of a chain, from the innermost on, each sorted by its parents."""
    made: list[Sorted] = []
    above: np.ndarray | None = None
    for g in reversed(factors):
        of_person = g.of_person
        order, parent = np.arange(len(g.labels)), None
        if above is not None:
            of_level = np.zeros(len(g.labels), np.int64)
            of_level[of_person] = above
            order = np.argsort(of_level, kind="stable")
            parent = of_level[order].astype(np.int32)
            rank = np.empty_like(order)
            rank[order] = np.arange(len(order))
            of_person = rank[of_person]
        made.insert(0, Sorted(g.labels[order], of_person, parent))
        above = of_person
    return made
