"""The contract of models: a Model is a frozen description, a Fit is what came out of it.

A new model joins by two final classes, one of each kind, and a name in `MODELS`; `compare`, the command line and the
test of the contract then know it. Nothing here knows a model.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import Field, asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

from ..findings import Findings
from ..show import Shown

if TYPE_CHECKING:
    from ..panel import Panel


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


class Model(ABC):
    """A description of a model: a frozen dataclass that can be hashed and pickled, and holds no data.

    tests : of a whole fit that can be asked for by name (`sessionwise fit --test`).
    """

    __slots__ = ()
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    tests: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def fit(self, panel: Panel) -> Fit:
        """Estimate the model.

        Raises
        ------
        ModelError : no Panel, or a model that cannot be fitted to these data.
        """

    @abstractmethod
    def simulate(self, *args: Any, **options: Any) -> Panel:
        """A Panel drawn from the model, so that it can be tried where the truth is known.

        What must be given differs from model to model; each takes a `seed`, and equal seeds give equal data.
        """


class Fit(Shown):
    """What came out of a model: a frozen record that prints itself and holds no session row.

    model : its description. verdict : whether it can be relied on. findings : rows and persons left out, and whatever
    else was odd.
    """

    __slots__ = ()
    model: Model
    verdict: Verdict
    findings: Findings

    @property
    @abstractmethod
    def label(self) -> str:
        """What the model is called beside others, such as 'MLM'."""

    @property
    @abstractmethod
    def title(self) -> str:
        """The label and what was fitted, in one line."""

    @property
    @abstractmethod
    def nobs(self) -> int:
        """Observations used, as the model counts them."""

    @property
    @abstractmethod
    def npersons(self) -> int:
        """Persons used."""

    @property
    def cautions(self) -> Findings:
        """What a reader must know beside the verdict: the findings that are warnings."""
        return self.findings.warnings

    @abstractmethod
    def lagged_effects(self, level: float = 0.95) -> tuple[LaggedEffect, ...]:
        """Effects from one session to the next, for `compare`.

        Raises
        ------
        ModelError : no such effect.
        """

    @abstractmethod
    def tidy(self) -> Any:
        """Estimates as a dataframe of the kind that came in, one row a parameter."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and text, as `sessionwise fit --json` prints them; unknown is None."""
