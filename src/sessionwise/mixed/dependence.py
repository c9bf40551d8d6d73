"""Dependence: what cross-products say of columns that may follow from others.

They have half the digits that rows have. So they are asked only about what the rows of every part have answered with
yes: in all rows together a column follows from others only if it does in each part, and whether it does in the same way
shows in its length outside the others, which is then zero or far from it.
"""

from __future__ import annotations

import numpy as np

from ..designs.combination import Combination
from .mixed_gram import MixedGram, label, unit
from .random_terms import INTERCEPT, fixed_sources, random_blocks

#: Squared length of a column outside the others, relative to its own, below which it is rounding.
NOTHING = 1e-12
#: A standard deviation below this part of the mean is rounding.
CONSTANT = 1e-13
#: A weight below this, of standardised columns, is none.
_NO_WEIGHT = 1e-6


def combinations(gram: MixedGram) -> tuple[Combination, ...]:
    """The fixed columns that are combinations of others before them, of those that are in every part; of none where a
    column is 0 in every row."""
    names = gram.terms.fixed_names
    kept: list[str] = []
    found = []
    for name in names:
        one = _combination(gram, name, kept) if name in gram.aliased else None
        if one is None:
            kept.append(name)
        else:
            found.append(one)
    return tuple(found)


def _combination(gram: MixedGram, name: str, earlier: list[str]) -> Combination | None:
    sources = dict(zip(gram.terms.fixed_names, fixed_sources(gram.terms), strict=False))  # the response is left over
    place = {n: gram.head.columns.index(label(sources[n], gram.terms)) for n in (*earlier, name)}
    table, center, scale = gram.total, gram.head.center, gram.head.scale
    own, centered = place[name], sources[name].centered
    if not table[own, own] or scale[own] <= CONSTANT * abs(center[own]):
        return Combination(name, (INTERCEPT,) * bool(center[own]), (float(center[own]),) * bool(center[own]), 0.0)
    others = [n for n in earlier if not (centered and n == INTERCEPT)]
    at = np.array([place[n] for n in others], np.int64)
    within, cross = table[np.ix_(at, at)], table[at, own]
    weights = np.linalg.lstsq(within, cross, rcond=None)[0]
    if table[own, own] - weights @ (2 * cross - within @ weights) > NOTHING * table[own, own]:
        return None
    shares = np.append(-weights * scale[own] / scale[at] * center[at], center[own])
    told = {INTERCEPT: float(shares.sum())} if centered and abs(shares.sum()) > 1e-9 * np.abs(shares).max() else {}
    each = zip(others, weights, weights * scale[own] / scale[at], strict=True)
    told |= {n: float(own_units) for n, w, own_units in each if abs(w) > _NO_WEIGHT}
    return Combination(name, tuple(told), tuple(told.values()), float(scale[own]))


def varies_within(gram: MixedGram, group: str, name: str) -> bool:
    """Whether a column of a random term with an intercept varies within levels of its grouping factor."""
    factor = next(g for g in gram.groups if g.name == group)
    block = next(b for b in random_blocks(gram.terms) if b.group == group and {name, INTERCEPT} <= set(b.effects))
    squares, sums, counts = np.zeros((3, len(factor.labels)))
    for position, codes in enumerate(factor.codes.T):
        source = block.sources_at("" if factor.constant else group, position)[block.effects.index(name)]
        one = gram.head.columns.index(unit(source, gram.terms))
        z = gram.head.columns.index(label(source, gram.terms))
        there = codes >= 0
        for total, pair in ((squares, (z, z)), (sums, (z, one)), (counts, (one, one))):
            total += np.bincount(codes[there], _products(gram, *pair)[there], len(factor.labels))
    within = squares - np.divide(sums**2, counts, out=np.zeros_like(sums), where=counts > 0)
    return bool(within.sum() > NOTHING * squares.sum())


def _products(gram: MixedGram, i: int, j: int) -> np.ndarray:
    """Of two columns over all rows, for each person."""
    k, (low, high) = len(gram.head.columns), sorted((i, j))
    pair = low * k - low * (low - 1) // 2 + high - low
    each = [p.gram.packed[:, pair, :].ravel()[: len(gram.persons)] for p in gram.parts if p.role == "all"]
    return np.asarray(sum(each))
