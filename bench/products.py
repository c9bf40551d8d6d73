"""Cross-products of 10 columns over 10 million rows in 1.25 million persons, beside NumPy summing each column."""

from __future__ import annotations

import numpy as np

import sessionwise as sw

from .timing import Row, in_turn

TITLE, ABOUT = "Cross-products", ""
ROWS, PERSONS, COLUMNS = 10_000_000, 1_250_000, 10


def rows(*, slow: bool = False) -> list[Row]:
    rng = np.random.default_rng(1)
    columns = {f"x{j}": rng.standard_normal(ROWS) for j in range(COLUMNS)}
    even = np.linspace(0, ROWS, PERSONS + 1).astype(np.int64)
    uneven = np.concatenate([[0], np.sort(rng.choice(np.arange(1, ROWS), PERSONS - 1, replace=False)), [ROWS]])
    brief = np.concatenate([[0], np.cumsum(rng.integers(3, 14, PERSONS))])
    brief = np.minimum(brief, ROWS)
    brief[-1] = ROWS
    persons = np.arange(PERSONS)
    table = []
    for name, starts in (
        ("8 rows each", even),
        ("3 to 13 rows each", brief),
        ("1 to 100 rows each", uneven.astype(np.int64)),
    ):
        ours, theirs, ratio = in_turn(
            lambda s=starts: sw.gram(columns, s, persons), lambda: [x.sum() for x in columns.values()], runs=7
        )
        what = f"cross-products, 10 columns, 10 M rows, 1.25 M persons, {name}"
        table.append(Row(what, ours, "NumPy, sum of each column", theirs, ratio))
    return table
