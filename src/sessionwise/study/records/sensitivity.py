"""Both directions by every method, and what few sessions do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .estimate import Estimate, NotAnswered


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What a method takes for granted, in words, one phrase for each point in which methods can differ.

    effects : whether persons share one effect. covariates : which are held constant.
    """

    means: str
    trend: str
    levels: str
    residuals: str
    sample: str
    effects: str = "the same for all"
    covariates: str = "none"


@dataclass(frozen=True, slots=True)
class SensitivityRow:
    """Both directions by one method, in within-person SDs; the same SDs for every method.

    bias_forward, bias_reverse : what is expected to be off because persons have few sessions, in the same units; None
    where it is not known, 0 where the method is free of it. said : what the methods section says of how it was fitted.
    apart_forward, apart_reverse : from the first row, in standard errors of a difference in the same data; None for
    that row and where there is no estimate.
    """

    key: str
    label: str
    assumes: Assumptions
    forward: Estimate | NotAnswered
    reverse: Estimate | NotAnswered
    bias_forward: float | None
    bias_reverse: float | None
    persons: int | None
    sessions: int | None
    said: str = ""
    apart_forward: float | None = None
    apart_reverse: float | None = None


@dataclass(frozen=True, slots=True)
class ExpectedBias:
    """A coefficient of the regressions within persons, in the data's units: as estimated, what is expected to be off
    in these numbers of sessions, and what remains. key : 'previous' (the response's own), or 'effect'."""

    direction: Literal["forward", "reverse"]
    key: Literal["previous", "effect"]
    label: str
    estimate: float
    bias: float

    @property
    def without(self) -> float:
        return self.estimate - self.bias


@dataclass(frozen=True, slots=True)
class FewSessions:
    """What few sessions a person do to models with person means and a lagged response (Nickell 1981).

    pairs : average number of lagged pairs a person. table : (true autoregression, expected bias) by Nickell's formula,
    averaged over persons. coefficients : the expected bias of both directions together; empty where it could not be
    computed. words : what it means.
    """

    pairs: float
    table: tuple[tuple[float, float], ...]
    coefficients: tuple[ExpectedBias, ...]
    words: str


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """Both directions by every method.

    reference : key of the row that the others are compared with. agree : whether methods say the same in both
    directions. words : of both directions, one where they disagree first. disagree : these alone. sd_outcome,
    sd_process : the within-person SDs used. first : the number of first sessions that
    'first sessions' and 'complete cases' look at.
    """

    rows: tuple[SensitivityRow, ...]
    reference: str
    agree: bool
    words: tuple[str, ...]
    disagree: tuple[str, ...]
    sd_outcome: float
    sd_process: float
    first: int
