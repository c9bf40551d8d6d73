"""What every model's fit has: a verdict that carries its remedy."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a fit can be relied on.

    converged : whether the optimum was reached and is one.
    message : what happened and what it means for the conclusion.
    remedy : what to try; empty if nothing needs to be done.
    """

    converged: bool
    message: str
    remedy: str = ""

    def __bool__(self) -> bool:
        return self.converged

    def to_dict(self) -> dict[str, object]:
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".rstrip()
