"""Fittable: whether a model can be fitted to so many rows, persons and levels, and what to say where it cannot.

From counts alone, so that it can be asked of a Design and of cross-products that were added.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..errors import DesignError, some
from ..findings import Finding
from ..formula import Expression, Formula, show
from ..words import counted
from .design import RandomColumns

#: Why rows were dropped, and how many.
Why = Sequence[tuple[str, int]]


def none_left(formula: Formula, why: Why) -> DesignError:
    """The error that no row is left."""
    reasons = sorted(why, key=lambda reason: -reason[1])
    return DesignError(
        "no row is left: " + "; ".join(f"{what} ({counted(n, 'row')})" for what, n in reasons[:6]) + ".",
        where=f"formula {formula.text!r}",
        remedy="Check these columns (describe shows how much is missing), or leave out the terms that need them.",
    )


def no_variation(response: Expression, value: float, used: int, given: int, why: Why) -> DesignError:
    """The error that the response has one value only in the rows used, of those given."""
    return DesignError(
        f"the response {show(response)} is {value:.6g} in every row used.",
        where=f"{used:,} of {given:,} rows used" + "".join(f"; {what}: {n:,}" for what, n in why),
        remedy="Choose a response that varies; check that the right rows were read.",
    )


def rows_enough(rows: int, fixed: int, why: Why) -> None:
    """Stop if there are fewer rows than fixed columns."""
    if rows < fixed:
        raise DesignError(
            f"there are fewer rows ({rows:,}) than fixed columns ({fixed:,}).",
            where="; ".join(f"{counted(n, 'row')} dropped: {what}" for what, n in why[:5]),
            remedy="Leave out terms, or use more data.",
        )


def left_out(column: str, of: Sequence[str]) -> Finding:
    """That a fixed column was left out, as a combination of others or as zero."""
    why = f"it is a combination of {some(of, 6)}" if of else "it is zero in every row used"
    what = f"Column {column} was left out: {why}."
    remedy = "Its effect cannot be told from theirs; leave out the term if this was not meant."
    return Finding("warning", "rank-deficient", what, f"column {column}", 1, remedy)


def identified(
    random: Sequence[RandomColumns], names: Sequence[str], levels: Mapping[str, np.ndarray], rows: int
) -> None:
    """Stop at a grouping factor or random term that no data of this size can speak about. levels : by factor."""
    for r in random:
        own = levels[r.group]
        if len(own) < 2:
            raise DesignError(
                f"the grouping factor {r.group} has one level only: {some(own.tolist())}.",
                where=f"{rows:,} rows used",
                remedy="Leave out this random term; variation between groups needs several of them.",
            )
        if len(r.columns) * len(own) >= rows:
            raise DesignError(
                f"{r.group} has {counted(len(r.columns), 'random effect')} for each of "
                f"{len(own):,} levels, as many as there are rows ({rows:,}) or more: they cannot be told "
                "from the residuals.",
                where=f"random term of {r.group}: {some([names[c] for c in r.columns])}",
                remedy="Leave out random slopes, or use more sessions for each group.",
            )
