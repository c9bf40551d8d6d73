"""Combination: a fixed column that was left out because it follows from others, and whether it still does elsewhere.

Where it does not, the others' coefficients say nothing about it: with z = 2x in every row of a fit, only the sum of
their effects is known, and a row with x = 1 and z = 5 has no prediction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import DesignError, some
from ..panel import Panel
from ..words import agree, counted

#: Parts of the column's standard deviation: more than rounding and the tolerance of rank leave in a million rows,
#: and less than anybody means.
_TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True)
class Combination:
    """Column `column` is the sum of `weights` times columns `of` in the rows of a design, zero if there are none.
    spread : its standard deviation there."""

    column: str
    of: tuple[str, ...]
    weights: tuple[float, ...]
    spread: float


def must_hold(
    combinations: Sequence[Combination], columns: Mapping[str, np.ndarray], rows: np.ndarray, panel: Panel
) -> None:
    """Stop where a column that was left out does not follow from the others in these rows.

    columns : all fixed columns, those left out among them, (n_rows,) each. rows : their rows of the Panel.

    Raises
    ------
    DesignError : it names the column and the rows.
    """
    for one in combinations:
        ours = columns[one.column]
        parts = [w * columns[name] for name, w in zip(one.of, one.weights, strict=True)]
        size = np.abs(ours) + sum((np.abs(part) for part in parts), np.zeros(len(rows)))
        apart = np.abs(ours - sum(parts, np.zeros(len(rows))))
        odd = rows[apart > np.maximum(_TOLERANCE * one.spread, 1e-9 * size)]
        if len(odd):
            n = len(odd)
            was = f"the sum of {some(one.of, 6)}, each times a number" if len(one.of) > 1 else ""
            was = was or (f"{one.of[0]} times a number" if one.of else "zero")
            raise DesignError(
                f"the column {one.column} was left out of the model, as it was {was} in all its rows; in "
                f"{counted(n, 'row')} here it is not, and nothing is known about {agree(n, 'this row', 'these rows')}.",
                where=panel.where(odd),
                remedy=f"Leave out {agree(n, 'this row', 'these rows')}, or leave out the term with {one.column} and "
                "fit again.",
            )
