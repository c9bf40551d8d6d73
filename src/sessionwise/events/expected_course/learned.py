"""LearnedCourse: what a reference sample teaches, without a row of it."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ModelError
from ...findings import Findings
from ...options import A_PATH, PANEL, YES_OR_NO, takes
from ...show import Part, Shown
from ...threads import one_thread
from ...words import num, percent
from .description import ExpectedCourse
from .gaussian import Growth

if TYPE_CHECKING:
    from ...panel import Panel
    from .tracked import TrackedCourse


@dataclass(frozen=True, slots=True, eq=False)
class LearnedCourse(Shown):
    """A course learned from a reference sample: numbers of the sample, none of a person.

    described : as it was used, nothing left to the data. growth : the model's numbers. knots : of a free course. last :
    sessions since the first up to which the reference reaches. means : of the predictors. ranges : of the baseline and
    each predictor, means over the five lowest and five highest persons. persons, sessions : learned from. key : of the
    instrument, see `key_of`; None where the column is of none. findings : what a reader must know.
    """

    described: ExpectedCourse
    growth: Growth
    knots: tuple[int, ...]
    last: int
    means: tuple[float, ...]
    ranges: tuple[tuple[float, float], ...]
    persons: int
    sessions: int
    key: dict[str, Any] | None
    findings: Findings

    @takes(ModelError, panel=PANEL)
    @one_thread()
    def track(self, panel: Panel) -> TrackedCourse:
        """Every session of every person against what was to be expected.

        Raises
        ------
        PanelError : no such column, or it is not numeric. ModelError : scores of another instrument; no ratings.
        """
        from .tracked import tracked

        return tracked(self, panel)

    @takes(ModelError, path=A_PATH, overwrite=YES_OR_NO)
    def save(self, path: str | PathLike[str], *, overwrite: bool = False) -> Path:
        """Write it as a small JSON file; `read_course` reads it.

        Raises
        ------
        SessionwiseError : a file that this package did not write stands there, or nothing can be written.
        """
        from .saved import written

        return written(self, path, overwrite)

    @property
    @one_thread()
    def mean_course(self) -> np.ndarray:
        """The mean course at the predictors' means, float64 (last + 1,)."""
        from .places import columns

        x = columns(self.described.shape, self.knots, np.arange(self.last + 1)[None], np.zeros((1, len(self.means))))
        return np.asarray((x @ self.growth.beta)[0])

    def parts(self) -> list[Part]:
        d, mean = self.described, self.mean_course
        correlation = f", correlation of neighbours {num(self.growth.phi)}" if d.residual == "ar1" else ""
        low, high = self.ranges[0]
        return [
            f"Expected course of {d.column}, learned from {self.persons:,} persons and {self.sessions:,} sessions",
            f"Shape {d.shape}; on average {num(mean[0])} at first and {num(mean[-1])} after {self.last} sessions.",
            f"Persons differ in level (SD {num(self.growth.between[0, 0] ** 0.5)}) and slope "
            f"(SD {num(self.growth.between[1, 1] ** 0.5)}); residual SD {num(self.growth.sigma)}{correlation}.",
            f"Bands hold {percent(d.level)}; {d.better} is better; reliable change {num(d.reliable_change)}.",
            f"For a baseline from {num(low)} to {num(high)}; beyond it nobody is judged.",
            *self.findings.lines(),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and text, as they are saved."""
        from .saved import as_dict

        return as_dict(self)
