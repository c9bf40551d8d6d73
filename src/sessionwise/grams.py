"""Gram: for each person the cross-products of a model's columns. All that fitting a linear model needs.

A person with 8 or 800 sessions costs one k × k matrix; Grams of two clinics add up without either
showing a row. The kernel is core/gram.hpp.

Cross-products square the condition number, so columns should be centred and scaled before they are
multiplied: z = (x − center) / scale. `recenter` moves between such choices exactly (for a Gram that
holds the constant column), which is also how Grams made with different centres are added.

All of these are linear changes of the columns, and functions at the end of this file make them on the packed
products: `gathered` takes columns, `changed` combines them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ._core import LANES
from ._core import gram as _kernel
from .errors import GramError, nearest, some
from .options import A_DICT, LABELS, MASK, NAMES, NUMBERS, takes, whole_number
from .threads import one_thread
from .words import agree, counted


@dataclass(frozen=True, slots=True, eq=False)
class Gram:
    """Cross-products of k columns for each of n_persons persons.

    columns : k names.
    persons : (n_persons,) labels, each once; ascending as `gram` and `+` make them.
    n : int64 (n_persons,), rows of each person.
    packed : float64 (ceil(n_persons / 8), k (k + 1) / 2, 8), the upper triangles row by row, persons
        innermost; read-only.
    center, scale : (k,), the products are those of (x − center) / scale.
    constants : the columns that are 1 in every row and not centred.
    units : for columns that are 0 outside some of the rows: the column that is 1 in those rows and 0 elsewhere, which
        takes the place of the constant where their centres move: z = (x − center × unit) / scale.
    """

    columns: tuple[str, ...]
    persons: np.ndarray
    n: np.ndarray
    packed: np.ndarray
    center: np.ndarray
    scale: np.ndarray
    constants: frozenset[str] = frozenset()
    units: Mapping[str, str] = field(default_factory=dict)

    @property
    def n_persons(self) -> int:
        return len(self.persons)

    @property
    def n_rows(self) -> int:
        return int(self.n.sum())

    def matrices(self) -> np.ndarray:
        """The symmetric matrices, float64 (n_persons, k, k)."""
        return _square(self._by_person(), len(self.columns))

    def total(self) -> np.ndarray:
        """The sum over persons, float64 (k, k)."""
        total: np.ndarray = _square(self.packed.sum(axis=(0, 2))[None], len(self.columns))[0]
        return total

    @takes(GramError, columns=NAMES)
    def select(self, columns: Iterable[str]) -> Gram:
        """The Gram of some of the columns, in the order given.

        Raises
        ------
        GramError : an unknown column, or one named twice.
        """
        columns = tuple(columns)
        for name in columns:
            if name not in self.columns:
                raise GramError(
                    f"this Gram has no column {name!r}.{nearest(name, self.columns)}",
                    where=f"columns: {some(self.columns, 12)}",
                    remedy="Make the Gram with every column that is needed.",
                )
        _names_unique(columns)
        at = np.array([self.columns.index(name) for name in columns], dtype=np.int64)
        units = {name: unit for name, unit in self.units.items() if name in columns}
        return _made(
            columns, self.persons, self.n, gathered(self.packed, at), self.center[at], self.scale[at],
            self.constants.intersection(columns), units,
        )  # fmt: skip

    @takes(GramError, center=NUMBERS, scale=NUMBERS)
    @one_thread()
    def recenter(self, center: np.ndarray, scale: np.ndarray) -> Gram:
        """The Gram of (x − center) / scale instead, without the rows.

        Raises
        ------
        GramError : a centre is to move and there is no constant column to move it with; lengths that do
            not fit, a scale that is not positive.
        """
        center, scale = _center_scale(len(self.columns), center, scale)
        if np.array_equal(center, self.center) and np.array_equal(scale, self.scale):
            return self
        ones = frozenset(c for c in self.constants if center[self.columns.index(c)] == 0)
        packed = changed(self.packed, self._change(center, scale))
        return _made(self.columns, self.persons, self.n, packed, center, scale, ones, self.units)

    def _change(self, center: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """(k, k) M, so that z M are the columns with another centre and scale.

        Raises
        ------
        GramError : a centre moves and there is no column to move it with.
        """
        change = np.diag(self.scale / scale)
        shift = (self.center - center) / scale
        for j in np.flatnonzero(shift).tolist():
            unit = self.units.get(self.columns[j], min(self.constants, default=""))
            if unit not in self.columns:
                raise GramError(
                    "the centre of a Gram can only move if it holds the constant column.",
                    where=f"columns: {some(self.columns, 12)}",
                    remedy="Include a column of ones, or make both Grams with the same center and scale.",
                )
            one = self.columns.index(unit)
            change[one, j] += shift[j] * self.scale[one]
        return change

    def __add__(self, other: Gram) -> Gram:
        """The Gram of both; their persons must differ.

        Columns must be the same, in any order. Where centres or scales differ, `other` is moved to ours.

        Raises
        ------
        GramError : different columns, or a person in both.
        """
        if not isinstance(other, Gram):
            return NotImplemented
        if set(other.columns) != set(self.columns):
            odd = sorted(set(other.columns) ^ set(self.columns))
            raise GramError(
                f"the two Grams have different columns: {some(odd)} in one only.",
                remedy="Make both from the same formula.",
            )
        persons = joined([self.persons, other.persons])
        other = other.select(self.columns).recenter(self.center, self.scale)
        order = np.argsort(persons, kind="stable")
        packed = arranged([self.packed, other.packed], [self.n_persons, other.n_persons], order)
        n = np.concatenate([self.n, other.n])[order]
        mine, theirs = (g.constants if g.n_rows else frozenset(g.columns) for g in (self, other))
        return _made(self.columns, persons[order], n, packed, self.center, self.scale, mine & theirs, self.units)

    @takes(GramError, mask=MASK)
    def subset(self, mask: np.ndarray) -> Gram:
        """The Gram of the persons where `mask`, bool (n_persons,), is true."""
        packed = _pack(self._by_person()[mask])
        return _made(
            self.columns, self.persons[mask], self.n[mask], packed, self.center, self.scale, self.constants, self.units
        )

    def _by_person(self) -> np.ndarray:
        """(n_persons, pairs)."""
        return _rows(self.packed, self.n_persons)

    def __repr__(self) -> str:
        return f"<Gram of {some(self.columns, 8)}; {self.n_persons:,} persons, {self.n_rows:,} rows>"


@takes(
    GramError, columns=A_DICT, starts=NUMBERS, persons=LABELS, center=NUMBERS, scale=NUMBERS, threads=whole_number(0)
)
def gram(
    columns: Mapping[str, np.ndarray],
    starts: np.ndarray,
    persons: np.ndarray,
    *,
    center: Sequence[float] | np.ndarray | None = None,
    scale: Sequence[float] | np.ndarray | None = None,
    threads: int = 0,
) -> Gram:
    """Cross-products of columns within each person.

    Parameters
    ----------
    columns : name -> numbers (n_rows,), rows sorted by person; no missing values.
    starts : int64 (n_persons + 1,), rows starts[i]:starts[i + 1] belong to persons[i].
    persons : (n_persons,) labels, ascending (as `Panel.persons`).
    center, scale : (k,), default 0 and 1; see the module.
    threads : how many; 0 for as many as the machine has. Does not change the result.

    Raises
    ------
    GramError : lengths that do not fit, a scale that is not positive, a missing or infinite cell.
    """
    names = tuple(columns)
    arrays = [np.ascontiguousarray(columns[name], dtype=np.float64) for name in names]
    starts = np.ascontiguousarray(starts, dtype=np.int64)
    k, rows = len(names), int(starts[-1]) if len(starts) else 0
    for name, array in zip(names, arrays, strict=True):
        if array.shape != (rows,):
            raise GramError(
                f"column {name!r} has shape {array.shape}, the persons have {rows:,} rows.",
                remedy="Give one number for each row.",
            )
    if len(persons) != len(starts) - 1:
        raise GramError(
            f"{len(persons):,} persons, but starts for {len(starts) - 1:,}.", remedy="starts has one number more."
        )
    if len(starts) and (starts[0] != 0 or (np.diff(starts) < 0).any()):
        raise GramError(
            "starts must ascend from 0.", remedy="Row starts[i] is the first of persons[i]; see Panel.starts."
        )
    middle, width = _center_scale(k, center, scale)
    packed, bad = products(arrays, starts[:-1], starts[1:], middle, width, threads)
    if bad >= 0:
        _not_finite(names, arrays, starts, persons, bad)
    constants = frozenset(
        name
        for name, x, m in zip(names, arrays, middle, strict=True)
        if rows and m == 0 and (x[:100] == 1).all() and (x == 1).all()
    )
    return _made(names, np.asarray(persons), np.diff(starts), packed, middle, width, constants)


def products(
    columns: Sequence[np.ndarray],
    starts: np.ndarray,
    ends: np.ndarray,
    center: np.ndarray,
    scale: np.ndarray,
    threads: int = 0,
) -> tuple[np.ndarray, int]:
    """What a Gram is made of: products packed as in `Gram`, and the first person whose are not finite, or -1.

    columns : k contiguous float64 arrays. starts, ends : int64 (n_persons,), person i has rows starts[i]:ends[i], in
    any order of persons. center, scale : float64 (k,).
    """
    k = len(columns)
    packed = np.empty((-(-len(starts) // LANES), k * (k + 1) // 2, LANES))
    starts, ends = np.ascontiguousarray(starts), np.ascontiguousarray(ends)
    return packed, _kernel(columns, starts, ends, center, 1.0 / scale, packed, threads)


def _center_scale(k: int, center: Any, scale: Any) -> tuple[np.ndarray, np.ndarray]:
    """Both as (k,), 0 and 1 where not given."""
    middle = np.zeros(k) if center is None else np.array(center, np.float64)
    width = np.ones(k) if scale is None else np.array(scale, np.float64)
    fits = middle.shape == width.shape == (k,)
    if not (fits and (np.isfinite(middle) & np.isfinite(width) & (width > 0)).all()):
        raise GramError(
            f"center and scale need {k} finite numbers each, one for each column, scale above zero.",
            remedy="A constant column has center 0 and scale 1.",
        )
    return middle, width


def _not_finite(names: tuple[str, ...], arrays: list[np.ndarray], starts: np.ndarray, persons: Any, bad: int) -> None:
    rows = slice(int(starts[bad]), int(starts[bad + 1]))
    for name, array in zip(names, arrays, strict=True):
        if not np.isfinite(array[rows]).all():
            row = int(np.flatnonzero(~np.isfinite(array[rows]))[0])
            raise GramError(
                f"column {name!r} has a missing or infinite cell.",
                where=f"person {persons[bad]}, row {row} of theirs (counted from 0)",
                remedy="Drop rows with missing cells first; the Design does, and counts them.",
            )
    raise GramError(
        "products overflow.", where=f"person {persons[bad]}", remedy="Give center and scale: the numbers are too large."
    )


def _made(
    columns: tuple[str, ...],
    persons: np.ndarray,
    n: np.ndarray,
    packed: np.ndarray,
    center: np.ndarray,
    scale: np.ndarray,
    constants: frozenset[str],
    units: Mapping[str, str] | None = None,
) -> Gram:
    for array in (n, packed, center, scale):
        array.flags.writeable = False
    return Gram(columns, persons, n, packed, center, scale, constants, units or {})


# --- persons and columns of packed products ---------------------------------------------------------

#: Matrices (k, k) held at a time where columns are combined: so many numbers.
_AT_ONCE = 2_000_000


def filled(head: Gram, packed: np.ndarray, n: np.ndarray) -> Gram:
    """Other products of the same columns and persons; n : rows of each person."""
    return _made(head.columns, head.persons, n, packed, head.center, head.scale, head.constants, head.units)


def joined(labels: Sequence[np.ndarray]) -> np.ndarray:
    """Labels of the persons of several Grams, one after the other.

    Raises
    ------
    GramError : numbers in one and text in another, a person in two.
    """
    own = [each for each in labels if len(each)]
    if not own:
        return labels[0]
    if not all(_same_kind(own[0], other) for other in own[1:]):
        raise GramError("persons are numbers in one Gram and text in another.", remedy="Label persons alike in all.")
    persons = np.concatenate(own)
    found, counts = np.unique(persons, return_counts=True)
    if len(twice := found[counts > 1]):
        raise GramError(
            f"{counted(len(twice), 'person')} {agree(len(twice), 'is', 'are')} in more than one Gram: "
            f"{some(twice.tolist())}.",
            remedy="A person's sessions must all be in one Gram: put them into one table. If they are different "
            "people with the same label, put the site's name before all labels of persons.",
        )
    return persons


def gathered(packed: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Packed products of the columns numbered `at`, int64 (m,); -1 for a column of zeros. A column may recur."""
    k = (int(np.sqrt(8 * packed.shape[1] + 1)) - 1) // 2
    rows, cols = np.triu_indices(len(at))
    low, high = np.minimum(at[rows], at[cols]), np.maximum(at[rows], at[cols])
    pairs = low * k - low * (low - 1) // 2 + high - low
    found = np.ascontiguousarray(packed[:, np.where(low < 0, 0, pairs), :])
    found[:, low < 0, :] = 0.0
    return found


def changed(packed: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Packed products of the columns z M; `change`: M (k, m)."""
    k, m = change.shape
    upper = np.triu_indices(m)
    found = np.empty((len(packed), len(upper[0]), LANES))
    step = max(1, _AT_ONCE // (LANES * max(k, m) ** 2))
    for first in range(0, len(packed), step):
        blocks = packed[first : first + step]
        full = change.T @ _square(_rows(blocks, len(blocks) * LANES), k) @ change
        found[first : first + step] = full[:, *upper].reshape(len(blocks), LANES, -1).transpose(0, 2, 1)
    return found


def arranged(packed: Sequence[np.ndarray], persons: Sequence[int], order: np.ndarray) -> np.ndarray:
    """Packed products of several Grams' persons, so many each, in another order: person order[i] of them all first."""
    together = np.concatenate([_rows(own, n) for own, n in zip(packed, persons, strict=True)])
    return _pack(together[order])


def _rows(packed: np.ndarray, persons: int) -> np.ndarray:
    """(persons, pairs)."""
    return packed.transpose(0, 2, 1).reshape(-1, packed.shape[1])[:persons]


def _pack(rows: np.ndarray) -> np.ndarray:
    """(n_persons, pairs) to (blocks, pairs, LANES), zeros beyond the last person."""
    persons, pairs = rows.shape
    blocks = -(-persons // LANES)
    padded = np.zeros((blocks * LANES, pairs))
    padded[:persons] = rows
    return np.ascontiguousarray(padded.reshape(blocks, LANES, pairs).transpose(0, 2, 1))


def _square(upper: np.ndarray, k: int) -> np.ndarray:
    """(m, pairs) to symmetric (m, k, k)."""
    full = np.empty((len(upper), k, k))
    i, j = np.triu_indices(k)
    full[:, i, j] = upper
    full[:, j, i] = upper
    return full


def _names_unique(names: Sequence[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise GramError(f"columns named twice: {some(twice)}.", remedy="Name each column once.")


def _same_kind(a: np.ndarray, b: np.ndarray) -> bool:
    if not len(a) or not len(b):
        return True
    return isinstance(a[:1].tolist()[0], str) == isinstance(b[:1].tolist()[0], str)
