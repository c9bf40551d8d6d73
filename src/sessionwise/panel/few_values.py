"""Few values: scores that are no measure with many steps, but two categories or a few ordered ones."""

from __future__ import annotations

import numpy as np

from ..words import listed

#: So many whole numbers or fewer, in more than so many sessions, are steps and not a score.
MOST_STEPS, FEWEST_SESSIONS = 5, 50
#: Two values are told from so many sessions on.
FEWEST_OF_TWO = 20


def few_values(values: np.ndarray) -> tuple[float, ...]:
    """The distinct values (NaN left out), ascending, if they are two, or a few whole numbers; none otherwise.

    values : float64 (n,).
    """
    there = values[np.isfinite(values)]
    if len(there) < FEWEST_OF_TWO or len(np.unique(there[: 2 * FEWEST_SESSIONS])) > MOST_STEPS:
        return ()
    distinct = np.unique(there)
    if len(distinct) == 2:
        return tuple(distinct.tolist())
    whole = bool((distinct == np.rint(distinct)).all())
    few = 2 < len(distinct) <= MOST_STEPS and len(there) > FEWEST_SESSIONS
    return tuple(distinct.tolist()) if whole and few else ()


def meaning(name: str, few: tuple[float, ...]) -> str:
    """What it means that a response with these values is analysed as a continuous score."""
    values = listed([f"{value:g}" for value in few])
    if len(few) == 2:
        return (
            f"{name} has two values, {values}, and is analysed as a continuous score: coefficients are differences in "
            f"how often it is {few[1]:g}, the same at every level, predictions may lie beyond {values}, and errors and "
            "p, which take residuals as normal with one variance, are approximate."
        )
    return (
        f"{name} has {len(few)} values, {values}, and is analysed as a continuous score: every step counts the same, "
        "and errors and p, which take residuals as normal with one variance, are approximate."
    )


def instead(few: tuple[float, ...]) -> str:
    """What to do about it."""
    logistic, ordinal = "a logistic multilevel model (glmer of lme4 in R)", "an ordinal one (clmm of ordinal in R)"
    beside = logistic if len(few) == 2 else ordinal
    return f"If it was made from a score with more steps, use that score; else set {beside} beside it."
