"""Method: what every method of the sensitivity table is, what it is given and what it gives.

Every method answers both directions on one scale: within-person SDs of the response for one within-person SD of the
predictor (`StudyData.scale_forward`, `scale_reverse` turn coefficients in the data's units into it; the SDs are the
same for all methods), or says why it cannot. All of them are net lagged effects: what the predictor does to the
response at the next session by whatever way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..parts.direction import FittedDirection
from ..parts.dynamic import Dynamic
from ..parts.headline import NetEffects
from ..records import Assumptions, Estimate, NotAnswered
from ..study_data import StudyData


@dataclass(frozen=True, slots=True, eq=False)
class MainModels:
    """What is known when methods are run: the setting, both main models, the net effects, the dynamic model if it was
    asked for."""

    setting: StudyData
    forward: FittedDirection | NotAnswered
    reverse: FittedDirection | NotAnswered
    net: NetEffects
    dynamic: Dynamic | NotAnswered | None = None


@dataclass(frozen=True, slots=True)
class Estimates:
    """Both directions, standardised. bias_* : expected because of few sessions, None if not known, 0 if free of it.
    effects, trend : whether persons share one effect, which trend is out, if known only now (see `Assumptions`). said :
    what the methods section says of how it was fitted."""

    forward: Estimate | NotAnswered
    reverse: Estimate | NotAnswered
    bias_forward: float | None
    bias_reverse: float | None
    persons: int | None
    sessions: int | None
    effects: str = ""
    said: str = ""
    trend: str = ""


@dataclass(frozen=True, slots=True)
class Method:
    """key : short and stable. label : as the table prints it. run : both directions. assumes : what it takes for
    granted. applies : whether it says anything that the others do not (no therapists: nothing to leave out).
    references : in APA style. trend : whether it takes another trend out than the main model. judged : whether a
    difference from the main method counts as disagreement; it does not where a method takes less out, and is shown for
    what that does."""

    key: str
    label: str
    run: Callable[[MainModels], Estimates]
    assumes: Callable[[StudyData], Assumptions]
    applies: Callable[[StudyData], bool]
    references: tuple[str, ...] = ()
    trend: bool = False
    judged: bool = True
