"""What models have in common: a verdict that carries its remedy, and effects from one session to the next."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum


class State(StrEnum):
    """What became of a fit; `Verdict` says it in words."""

    CONVERGED = "converged"
    #: Converged; a variance is zero, or random effects determine each other.
    SINGULAR = "singular"
    #: Converged; another parameter is at the end of its range.
    BOUNDARY = "boundary"
    #: Converged; no data could have such variances or correlations.
    INADMISSIBLE = "inadmissible"
    #: No optimum was found.
    NOT_CONVERGED = "not-converged"
    #: The data do not determine all parameters.
    NOT_DETERMINED = "not-determined"

    @property
    def converged(self) -> bool:
        """Whether the optimum was reached and is one."""
        return self not in (State.NOT_CONVERGED, State.NOT_DETERMINED)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a fit can be relied on.

    converged : whether the optimum was reached and is one.
    admissible : whether it is a possible one: no negative variance, no correlation beyond 1.
    message : what happened and what it means for the conclusion.
    remedy : what to try; empty if nothing needs to be done.
    state : what happened, for programs; that which fits the others where it does not.
    """

    converged: bool
    message: str
    remedy: str = ""
    admissible: bool = True
    state: State = State.CONVERGED

    @classmethod
    def of(cls, state: State, message: str, remedy: str = "") -> Verdict:
        """Of a state, which says whether the fit converged and is admissible."""
        return cls(state.converged, message, remedy, state is not State.INADMISSIBLE, state)

    def __post_init__(self) -> None:
        if (self.state.converged, self.state is not State.INADMISSIBLE) != (self.converged, self.admissible):
            reached = State.CONVERGED if self.admissible else State.INADMISSIBLE
            object.__setattr__(self, "state", reached if self.converged else State.NOT_CONVERGED)

    def __bool__(self) -> bool:
        return self.converged and self.admissible

    def to_dict(self) -> dict[str, object]:
        return asdict(self) | {"state": self.state.value}

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
