"""Random terms as the likelihood sees them, the columns they take, and where theta stands in a factor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np

from ..designs import Design, RandomColumns

INTERCEPT = "(Intercept)"


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """The columns of a model and what stands on them, without rows.

    formula : as it was written. names : of the columns. response : number of its column. fixed : numbers of the fixed
    columns. random : the random terms and their columns.
    """

    formula: str
    names: tuple[str, ...]
    response: int
    fixed: tuple[int, ...]
    random: tuple[RandomColumns, ...]

    @classmethod
    def of(cls, design: Design) -> Terms:
        return cls(design.formula.text, design.names, 0, design.fixed, design.random)

    @property
    def fixed_names(self) -> tuple[str, ...]:
        return tuple(self.names[c] for c in self.fixed)


class Source(NamedTuple):
    """A column of the likelihood: number of one of the model's columns, whether it is centred, and for which position
    of which grouping factor it is kept (0 elsewhere); `factor` is empty where it is kept everywhere."""

    column: int
    centered: bool
    factor: str = ""
    position: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A random term. theta[start : start + size] holds its relative factor: the lower triangle by columns (lme4's
    order), or the diagonal alone if its effects may not correlate.

    columns : numbers of the model's columns. effects : their names. centered : whether they are centred in the
    likelihood, which leaves the model as it is for correlated effects with an intercept among them, and for no others.
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

    @property
    def sources(self) -> tuple[Source, ...]:
        """Columns of the term in the likelihood."""
        return self.sources_at("", 0)

    def sources_at(self, factor: str, position: int) -> tuple[Source, ...]:
        """Columns of the term for one position of a grouping factor."""
        names = zip(self.columns, self.effects, strict=True)
        return tuple(Source(c, self.centered and name != INTERCEPT, factor, position) for c, name in names)

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
    """Where theta stands in the factor of a level: factor[rows, columns] = theta[numbers]; a number may recur."""

    rows: np.ndarray
    columns: np.ndarray
    numbers: np.ndarray


def random_blocks(terms: Terms) -> tuple[Block, ...]:
    """The random terms, theta numbered through."""
    made: list[Block] = []
    start = 0
    for term in terms.random:
        names = tuple(terms.names[c] for c in term.columns)
        block = Block(term.group, names, term.columns, term.correlated, term.correlated and INTERCEPT in names, start)
        made.append(block)
        start += block.size
    return tuple(made)


def fixed_sources(terms: Terms) -> tuple[Source, ...]:
    """Fixed columns and the response, centred if there is an intercept to take up the difference."""
    names = terms.fixed_names
    with_intercept = INTERCEPT in names
    fixed = [Source(c, with_intercept and n != INTERCEPT) for c, n in zip(terms.fixed, names, strict=True)]
    return (*fixed, Source(terms.response, with_intercept))


def at_positions(own: Sequence[Block], factor: str, most: int) -> list[Source]:
    """Columns of a factor of which a person has up to `most` levels: all its effects at the first position in a person,
    then at the second, ..."""
    if most == 1:
        return [s for b in own for s in b.sources]
    return [s for j in range(most) for b in own for s in b.sources_at(factor, j)]


def diagonal(blocks: Sequence[Block]) -> Entries:
    """Entries of a factor with these blocks one after the other along its diagonal."""
    parts, at = [], 0
    for block in blocks:
        i, j = block.places
        parts.append((at + i, at + j, block.start + np.arange(block.size)))
        at += block.q
    if not parts:
        return Entries(*[np.zeros(0, np.int64)] * 3)
    return Entries(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def factor(entries: Entries, q: int, theta: np.ndarray) -> np.ndarray:
    """A level's relative covariance factor (q, q)."""
    matrix = np.zeros((q, q))
    matrix[entries.rows, entries.columns] = theta[entries.numbers]
    return matrix
