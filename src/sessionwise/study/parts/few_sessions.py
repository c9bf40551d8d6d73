"""Few sessions: the bias that is expected of both main models in the numbers of sessions that persons have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from ...errors import Argument, ModelError, Wording
from ...models.mlm.nickell import nickell_bias
from ...words import apa_number
from ..records import Estimate, ExpectedBias, FewSessions, NotAnswered
from ..words.phrases import following
from .bias import Corrected, Process, Side, corrected, expected, layout
from .fits import in_words

if TYPE_CHECKING:
    from ...designs import Design
    from ..study_data import StudyData
    from .direction import FittedDirection

#: Autoregressions for which Nickell's formula is tabled.
TABLED = (0.1, 0.3, 0.5, 0.7)
_USE_LAG_1 = Wording("Use ", Argument("lag=1", ("--lag", "1")), ".")
_KEYS: tuple[Literal["previous", "effect", "same_session"], ...] = ("previous", "effect", "same_session")


@dataclass(frozen=True, slots=True, eq=False)
class CorrectedProcess:
    """The process behind both main models, in within-person SDs. columns : (variable, sessions before) of both sides;
    variable 0 is the outcome, 1 the process."""

    found: Corrected
    estimated: Process
    columns: tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]

    def bias(self, forward: Design, reverse: Design, line: bool = False) -> tuple[float, float] | None:
        """Expected bias of both standardised effects in other sessions; `line`: with persons' lines taken out."""
        layouts = layout(forward, line), layout(reverse, line)
        if layouts[0] is None or layouts[1] is None:
            return None
        sides = [Side(i, c, at) for i, (c, at) in enumerate(zip(self.columns, layouts, strict=True))]  # type: ignore[arg-type]
        tends = expected(self.found.process, sides)
        if tends is None:
            return None
        off = tends.coefficients - self.found.process.coefficients
        return float(off[1]), float(off[len(self.columns[0]) + 1])

    def effects(self) -> tuple[Estimate, Estimate]:
        """Both standardised effects, corrected."""
        at = (1, len(self.columns[0]) + 1)
        return self._estimate(at[0]), self._estimate(at[1])

    def _estimate(self, at: int) -> Estimate:
        return Estimate.normal(
            float(self.found.process.coefficients[at]), float(np.sqrt(self.found.covariance[at, at]))
        )


def known(
    setting: StudyData, forward: FittedDirection | NotAnswered, reverse: FittedDirection | NotAnswered
) -> CorrectedProcess | NotAnswered:
    """The process whose expectations in these sessions are the estimates of both main models."""
    question = "how much few sessions bias the effects"
    for one in (forward, reverse):
        if isinstance(one, NotAnswered):
            return NotAnswered(question, one.why, one.needed)
    assert not isinstance(forward, NotAnswered)
    assert not isinstance(reverse, NotAnswered)
    if setting.study.lag != 1:
        return NotAnswered(question, f"The formulas are for lag 1, and lag is {setting.study.lag}.", _USE_LAG_1)
    layouts = layout(forward.made), layout(reverse.made)
    if layouts[0] is None or layouts[1] is None:
        return NotAnswered(question, f"{setting.person.capitalize()}s have so many sessions that it is negligible.", "")
    sds = np.array([setting.sd_outcome, setting.sd_process])
    columns, values, blocks, variances = [], [], [], []
    for response, one in enumerate((forward, reverse)):
        terms, own = _columns(one, response)
        rows = [one.main.terms.index(t) for t in terms]
        scale = sds[[v for v, _ in own]] / sds[response]
        values.append(one.main.solution.beta[rows] * scale)
        blocks.append(one.main.vcov[np.ix_(rows, rows)] * np.outer(scale, scale))
        columns.append(own)
        variances.append((one.main.sigma / sds[response]) ** 2)
    correlation = _correlation(setting, forward, reverse) if setting.study.order == "together" else 0.0
    estimated = Process(np.concatenate(values), np.array(variances), correlation)
    n = len(blocks[0])
    covariance = np.zeros((len(estimated.coefficients),) * 2)
    covariance[:n, :n], covariance[n:, n:] = blocks
    sides = [Side(i, c, at) for i, (c, at) in enumerate(zip(columns, layouts, strict=True))]  # type: ignore[arg-type]
    found = corrected(estimated, covariance, sides)
    if found is None:
        why = "No stationary process would be expected to give these estimates in so few sessions."
        return NotAnswered(question, why, f"More sessions for each {setting.person}, or fewer trends within them.")
    return CorrectedProcess(found, estimated, (columns[0], columns[1]))


def few_sessions(
    setting: StudyData,
    forward: FittedDirection | NotAnswered,
    reverse: FittedDirection | NotAnswered,
    process: CorrectedProcess | NotAnswered,
) -> FewSessions | NotAnswered:
    """In numbers and words."""
    if isinstance(forward, NotAnswered):
        return NotAnswered("how much few sessions bias the effects", forward.why, forward.needed)
    if setting.study.lag != 1:
        why = f"The formulas are for lag 1, and lag is {setting.study.lag}."
        return NotAnswered("how much few sessions bias the effects", why, _USE_LAG_1)
    pairs = np.diff(forward.made.starts)
    try:
        table = tuple((rho, nickell_bias(rho, pairs)) for rho in TABLED)
    except ModelError as error:
        return NotAnswered("how much few sessions bias the effects", error.what, error.remedy)
    coefficients = (
        ()
        if isinstance(process, NotAnswered) or isinstance(reverse, NotAnswered)
        else _told(setting, forward, reverse, process)
    )
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


def _told(
    setting: StudyData, forward: FittedDirection, reverse: FittedDirection, process: CorrectedProcess
) -> tuple[ExpectedBias, ...]:
    """Every coefficient of both models in the data's units."""
    sds = (setting.sd_outcome, setting.sd_process)
    told, at = [], 0
    for response, one in enumerate((forward, reverse)):
        terms, own = _columns(one, response)
        for key, term, (variable, _) in zip(_KEYS, terms, own, strict=False):
            unit = sds[response] / sds[variable]
            estimate = process.estimated.coefficients[at] * unit
            bias = (process.estimated.coefficients[at] - process.found.process.coefficients[at]) * unit
            label = in_words(one.main, term, setting, one.equation)
            if key == "effect":
                label = (
                    f"{setting.called(one.equation.predictor)} on {following(setting.called(one.equation.response), 1)}"
                )
            told.append(ExpectedBias(one.direction.key, key, label, float(estimate), float(bias)))
            at += 1
    return tuple(told)


def _columns(one: FittedDirection, response: int) -> tuple[list[str], tuple[tuple[int, int], ...]]:
    """Terms of the lagged and same-session scores: previous, effect, same session; and what they are."""
    equation = one.equation
    terms, own = [equation.previous, equation.within], [(response, 1), (1 - response, 1)]
    if equation.same_session:
        terms.append(equation.same)
        own.append((1 - response, 0))
    return terms, tuple(own)


def _correlation(setting: StudyData, forward: FittedDirection, reverse: FittedDirection) -> float:
    """Of both models' residuals at one session."""
    a, b = (one.main.residuals(setting.panel) for one in (forward, reverse))
    both = np.isfinite(a) & np.isfinite(b)
    return float(np.corrcoef(a[both], b[both])[0, 1])
