"""Each person's own effect."""

from __future__ import annotations

from dataclasses import dataclass

from .estimate import Label


@dataclass(frozen=True, slots=True)
class PersonEffect:
    """A person's own within effect, shrunken towards the average, with its 95 % interval. pairs : usable sessions.
    number : what stands for the person's label in files that are passed on, see `panel.person_numbers`."""

    person: Label
    value: float
    low: float
    high: float
    pairs: int
    number: int


@dataclass(frozen=True, slots=True)
class PersonEffects:
    """Effects of the process on the outcome of persons with two lagged pairs or more, lowest first.

    average, sd : of the distribution they come from; its variance is taken as known. clear : how many intervals leave
    out zero. apart : how many effects differ from the average by more than their error. reliability : of the shrunken
    effects, 1 - mean error variance / sd². correlation : of persons' effects with their levels of the response.
    """

    effects: tuple[PersonEffect, ...]
    average: float
    sd: float
    clear: int
    reliability: float
    apart: int = 0
    correlation: float | None = None
