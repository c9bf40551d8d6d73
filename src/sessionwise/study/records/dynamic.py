"""What the dynamic model found beside the answer: how long effects last, and each person's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .persons import PersonEffects


@dataclass(frozen=True, slots=True)
class ImpulseResponse:
    """What one point more in the predictor of a direction does to its response after so many sessions, in the average
    person, by all ways, in the response's units: posterior median, 95 % interval, 50 % interval."""

    direction: Literal["forward", "reverse"]
    session: int
    median: float
    low: float
    high: float
    low_50: float
    high_50: float


@dataclass(frozen=True, slots=True)
class EffectCount:
    """How many persons' own effects lie between two values; never fewer than five."""

    low: float
    high: float
    persons: int


@dataclass(frozen=True, slots=True)
class DynamicModel:
    """responses : forward, then reverse, session by session from 0. persons : posterior means of persons' own effects
    of the process on the next outcome, with quantiles of their draws; average and SD between persons are medians.
    average_low, average_high, sd_low, sd_high : 95 % intervals of these two. counts : the same effects, counted, in
    order; empty where there are too few."""

    responses: tuple[ImpulseResponse, ...]
    persons: PersonEffects
    average_low: float
    average_high: float
    sd_low: float
    sd_high: float
    counts: tuple[EffectCount, ...]
