"""What every model's fit has: a verdict that carries its remedy."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import narwhals as nw

if TYPE_CHECKING:
    from ..panel import Panel


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


#: What columns hold that may be empty, so that tables of several fits can be put together.
_TYPES: dict[str, Any] = {"wave": nw.Int64, "group": nw.String, "predictor": nw.String}


@dataclass(frozen=True, slots=True)
class TableKind:
    """The kind of dataframe that came in. backend : its library. lazy : what to go back to, if it was lazy."""

    backend: nw.Implementation
    lazy: nw.Implementation | None

    @classmethod
    def of(cls, panel: Panel) -> TableKind:
        return cls(panel._frame.implementation, panel._parts.lazy)

    def table(self, columns: dict[str, Any]) -> Any:
        """A dataframe of that kind."""
        native = nw.from_dict(columns, backend=self.backend)  # type: ignore[arg-type]
        empty = [name for name in _TYPES if name in columns and all(x is None for x in columns[name])]
        if empty and not self.backend.is_pandas_like():
            native = native.with_columns(nw.col(name).cast(_TYPES[name]) for name in empty)
        return native.to_native() if self.lazy is None else native.lazy(backend=self.lazy).to_native()  # type: ignore[arg-type]


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
