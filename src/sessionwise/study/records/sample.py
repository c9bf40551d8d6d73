"""The sample: who is in it, how scores go, who leaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .estimate import Estimate


@dataclass(frozen=True, slots=True)
class FlowStep:
    """Who is left after a step, from the file to the main model; `why` the others are not in it."""

    what: str
    persons: int
    sessions: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class CoursePoint:
    """The average of a column at a session number, over the persons who have a value, with its 95 % interval (None for
    one person). Who is left changes from session to session."""

    column: str
    session: int
    persons: int
    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class DropOutEffect:
    """What one SD more of a predictor does to the odds of leaving after a session. odds_ratio.p : of a ratio of 1."""

    key: Literal["outcome_level", "outcome_change", "process_level", "process_change"]
    label: str
    sd: float
    odds_ratio: Estimate


@dataclass(frozen=True, slots=True)
class DropOutModel:
    """Whether leaving goes with the last observed scores: a discrete-time hazard model.

    persons, sessions, events : persons at risk, sessions after which they could have left, how many did.
    effects : odds ratios. chi2, df, p : the test that none of them is at work (Wald). baseline : share who leave after
    sessions first..last (first, last, at risk, left). words : what was found.
    """

    persons: int
    sessions: int
    events: int
    effects: tuple[DropOutEffect, ...]
    baseline: tuple[tuple[int, int, int, int], ...]
    words: str
    chi2: float
    df: int
    p: float
