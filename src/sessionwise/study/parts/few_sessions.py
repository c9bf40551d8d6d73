"""Few sessions: the bias that is expected of lagged models in the numbers of sessions that persons have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...errors import Argument, ModelError, Wording
from ...models.mlm.nickell import nickell_bias
from ...words import apa_number
from ..records import ExpectedBias, FewSessions, NotAnswered
from ..words.phrases import following

if TYPE_CHECKING:
    from ..study_data import StudyData
    from .direction import FittedDirection
    from .net_effects import NetProcess

#: Autoregressions for which Nickell's formula is tabled.
TABLED = (0.1, 0.3, 0.5, 0.7)
#: What the formulas are for.
USE_LAG_1 = Wording("Use ", Argument("lag=1", ("--lag", "1")), ".")


def few_sessions(
    setting: StudyData,
    forward: FittedDirection | NotAnswered,
    process: NetProcess | NotAnswered,
) -> FewSessions | NotAnswered:
    """In numbers and words."""
    if isinstance(forward, NotAnswered):
        return NotAnswered("how much few sessions bias the effects", forward.why, forward.needed)
    if setting.study.lag != 1:
        why = f"The formulas are for lag 1, and lag is {setting.study.lag}."
        return NotAnswered("how much few sessions bias the effects", why, USE_LAG_1)
    pairs = np.diff(forward.made.starts)
    try:
        table = tuple((rho, nickell_bias(rho, pairs)) for rho in TABLED)
    except ModelError as error:
        return NotAnswered("how much few sessions bias the effects", error.what, error.remedy)
    coefficients = () if isinstance(process, NotAnswered) else _told(setting, process)
    people = setting.person.capitalize()
    words = (
        f"{people}s have {pairs.mean():.1f} lagged pairs of sessions on average. {people} means over few sessions let "
        "an autoregression come out too low, and lagged effects with it (Nickell, 1981): here one of .30 by about "
        f"{apa_number(-table[1][1])}."
    )
    for one in (c for c in coefficients if c.key == "effect"):
        scale = abs(one.estimate)
        words += (
            f" The effect of {one.label} is expected to be off by {apa_number(one.bias)}: "
            f"{apa_number(one.estimate, scale)} as estimated, {apa_number(one.without, scale)} without."
        )
    return FewSessions(float(pairs.mean()), table, coefficients, words)


def _told(setting: StudyData, process: NetProcess) -> tuple[ExpectedBias, ...]:
    """All coefficients in the data's units."""
    sds = (setting.sd_outcome, setting.sd_process)
    raw, found = process.estimated.coefficients, process.coefficients
    told: list[ExpectedBias] = []
    for response, (key, equation) in enumerate((("forward", setting.forward), ("reverse", setting.reverse))):
        outcome, predictor = setting.called(equation.response), setting.called(equation.predictor)
        own, effect = 2 * response, 2 * response + 1
        unit = sds[response] / sds[1 - response]
        labels = f"{outcome} on the next {outcome}", f"{predictor} on {following(outcome, 1)}"
        for kind, label, at, scale in (("previous", labels[0], own, 1.0), ("effect", labels[1], effect, unit)):
            bias = float((raw[at] - found[at]) * scale)
            told.append(ExpectedBias(key, kind, label, float(raw[at] * scale), bias))  # type: ignore[arg-type]
    return tuple(told)
