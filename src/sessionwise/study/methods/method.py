"""Method: what every method of the sensitivity table is, what it is given and what it gives.

Every method answers both directions on one scale: within-person SDs of the response for one within-person SD of the
predictor (`StudyData.scale_forward`, `scale_reverse` turn coefficients in the data's units into it; the SDs are the
same for all methods), or says why it cannot. Where one score of a session is rated before the other (`Study.order`),
the effect on the later one is that given the same session's earlier one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..parts.direction import FittedDirection
from ..parts.few_sessions import CorrectedProcess
from ..records import Assumptions, Estimate, NotAnswered
from ..study_data import StudyData


@dataclass(frozen=True, slots=True, eq=False)
class MainModels:
    """What is known when methods are run: the setting, both main models, the process behind them."""

    setting: StudyData
    forward: FittedDirection | NotAnswered
    reverse: FittedDirection | NotAnswered
    process: CorrectedProcess | NotAnswered


@dataclass(frozen=True, slots=True)
class Estimates:
    """Both directions, standardised. bias_* : expected because of few sessions, None if not known, 0 if free of it.
    effects : whether persons share one effect, if that is known only now (`Assumptions.effects`). said : what the
    methods section says of how it was fitted."""

    forward: Estimate | NotAnswered
    reverse: Estimate | NotAnswered
    bias_forward: float | None
    bias_reverse: float | None
    persons: int | None
    sessions: int | None
    effects: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class Method:
    """key : short and stable. label : as the table prints it. run : both directions. assumes : what it takes for
    granted. applies : whether it says anything that the others do not (no therapists: nothing to leave out).
    references : in APA style. trend : whether it takes another trend out than the main model."""

    key: str
    label: str
    run: Callable[[MainModels], Estimates]
    assumes: Callable[[StudyData], Assumptions]
    applies: Callable[[StudyData], bool]
    references: tuple[str, ...] = ()
    trend: bool = False
