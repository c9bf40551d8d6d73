"""Constancy: whether a column has one value within each person, and which.

One rule for all of the package: what is missing (null, NaN, blank text) does not count against it. So a characteristic
that was asked at the first session only is constant, and persons without any value make no difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .labels import run_starts

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True, eq=False)
class OwnValues:
    """Where the values of persons stand.

    first : int64 (n_persons,), the first row with a value; -1 for a person without any.
    changing : int64 (k,), positions of the persons with two different values, ascending.
    """

    first: np.ndarray
    changing: np.ndarray


def own_values(series: pl.Series, starts: np.ndarray) -> OwnValues:
    """Of a column (n_rows,) in a Panel's order; starts : int64 (n_persons + 1,), as `Panel.starts`.

    Values are compared as they are: 1 and 1.0 are the same, 'a' and 'A' are not.
    """
    import polars as pl

    persons = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    known = series.is_not_null()
    if series.dtype in (pl.String, pl.Categorical):
        known &= (series.cast(pl.String).str.strip_chars() != "").fill_null(False)
    rows = known.arg_true().to_numpy().astype(np.int64)
    new = np.zeros(len(rows), bool)  # differs from the value before it
    new[run_starts(series.gather(rows))[1:-1]] = True
    own = persons[rows]
    first = np.full(len(starts) - 1, -1, np.int64)
    first[own[::-1]] = rows[::-1]  # the last that is put there is the first row
    return OwnValues(first, np.unique(own[1:][new[1:] & (own[1:] == own[:-1])]))


def gathered(series: pl.Series, rows: np.ndarray) -> pl.Series:
    """The values in some rows; null where the row is -1."""
    import polars as pl

    at = pl.Series(rows, dtype=pl.Int64)
    return series.gather(at.set(at < 0, None))
