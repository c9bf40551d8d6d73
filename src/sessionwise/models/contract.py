"""What models have in common: a verdict that carries its remedy, and effects from one session to the next."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a fit can be relied on.

    converged : whether the optimum was reached and is one.
    admissible : whether it is a possible one: no negative variance, no correlation beyond 1.
    message : what happened and what it means for the conclusion.
    remedy : what to try; empty if nothing needs to be done.
    """

    converged: bool
    message: str
    remedy: str = ""
    admissible: bool = True

    def __bool__(self) -> bool:
        return self.converged and self.admissible

    def to_dict(self) -> dict[str, object]:
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".rstrip()


@dataclass(frozen=True, slots=True)
class LaggedEffect:
    """An effect from one session to the next, as `compare` puts models side by side.

    outcome, predictor : columns; the same one for an autoregression. wave : of the outcome, None for all. group : None
    for all. estimate, se, low, high, p : in the columns' units. scale : SD of the predictor over that of the outcome,
    both of deviations from person means, at the sessions that the effect is about.
    """

    outcome: str
    predictor: str
    wave: int | None
    group: str | None
    estimate: float
    se: float
    low: float
    high: float
    p: float
    scale: float
