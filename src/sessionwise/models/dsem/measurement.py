"""Measurement error of scores, from how far the items of one session disagree beyond what is the person's own.

For a person's complete sessions x items table, the residual of both means has variance s2 (the item by session part of
the reliability of change, r_cn of `reliability`); the mean of k answered items then has error variance s2 / k.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import Argument, ModelError, Wording

if TYPE_CHECKING:
    from ...panel import Panel


@dataclass(frozen=True, slots=True, eq=False)
class ErrorVariance:
    """variance : (rows,) of each score, NaN where it is not observed. freedom : degrees of freedom behind it, infinite
    where it was given. said : where it comes from. items : of the scale, None where it was given."""

    variance: np.ndarray
    freedom: float
    said: str
    items: int | None = None


def from_items(panel: Panel, column: str) -> ErrorVariance:
    """Of a scale that `score` made.

    Raises
    ------
    ModelError : the column was not scored here, or has fewer than two items, or no person has two complete sessions.
    """
    items, scale, reversing = _items(panel, column)
    answers = np.column_stack([panel[name] for name in items])
    score = panel[column]
    complete = ~np.isnan(answers).any(axis=1)
    person = np.repeat(np.arange(panel.n_persons), np.diff(panel.starts))[complete]
    rows = answers[complete] * reversing
    _, place, counts = np.unique(person, return_inverse=True, return_counts=True)
    k = rows.shape[1]
    freedom = float((k - 1) * np.sum(counts - 1))
    if k < 2 or freedom < 1:
        raise ModelError(
            f"The measurement error of {column} cannot be told from its items: no person has two sessions with all of "
            f"{k} items answered.",
            remedy="Give the error variances yourself, as error={'column': variance}, or error=None.",
        )
    deviations = rows - rows.mean(axis=1, keepdims=True)
    sums = np.zeros((len(counts), k))
    np.add.at(sums, place, deviations)
    residual = deviations - (sums / counts[:, None])[place]
    variance = float(np.sum(residual**2) / freedom)
    answered = (~np.isnan(answers)).sum(axis=1)
    with np.errstate(divide="ignore"):
        each = np.where(np.isnan(score), np.nan, scale**2 * variance / answered)
    return ErrorVariance(each, freedom, f"from {k} items", k)


def answered(panel: Panel, column: str) -> np.ndarray:
    """(rows,) how many items of a scale that `score` made were answered.

    Raises
    ------
    ModelError : the column was not scored here.
    """
    items, _, _ = _items(panel, column)
    return np.asarray((~np.isnan(np.column_stack([panel[name] for name in items]))).sum(axis=1))


def _items(panel: Panel, column: str) -> tuple[list[str], float, np.ndarray]:
    """Columns of the scale's items; what the mean of items is multiplied by to give the score; signs of the items."""
    for record in panel.records:
        key: Any = getattr(record, "key", None)
        for scale in () if key is None else key.scales:
            if key.column(scale) != column:
                continue
            reversed_items = set() if record.already_reversed else set(key.reversed)
            signs = np.array([-1.0 if item in reversed_items else 1.0 for item in scale.items])
            return [record.items[item] for item in scale.items], scale.limits(0.0, 1.0)[1], signs
    raise ModelError(
        f"error='items' needs the items of {column}, and no instrument that was scored made this column.",
        remedy=Wording(
            "Score the instrument first, give the error variance as ",
            Argument(f"error={{{column!r}: variance}}", ("--error", f"{column}=variance")),
            ", or leave measurement error out.",
        ),
    )


def estimated(panel: Panel, column: str, within: float) -> ErrorVariance:
    """The whole variance within persons, of which the sampler's factor is the share that is error."""
    return ErrorVariance(np.where(np.isnan(panel[column]), np.nan, within), np.inf, "estimated beside the process")


def given(panel: Panel, column: str, value: float, within: float) -> ErrorVariance:
    """A known error variance; it must be smaller than the variance within persons.

    Raises
    ------
    ModelError : it is not.
    """
    if not 0 <= value < within:
        raise ModelError(
            f"The error variance of {column} is {value:.4g}, and all that varies within persons is {within:.4g}.",
            remedy="Give a variance from 0 to below that within persons: (1 - reliability of change) times it.",
        )
    score = panel[column]
    return ErrorVariance(np.where(np.isnan(score), np.nan, value), np.inf, "as given")
