"""Whether methods agree on a direction, and if not, in which assumptions they differ."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from ...errors import some
from ..numbers import number
from ..records import Assumptions, Estimate, NotAnswered, SensitivityRow

if TYPE_CHECKING:
    from ..setting import Setting

_POINTS = {
    "means": "person means",
    "trend": "trend",
    "levels": "levels",
    "residuals": "residuals",
    "sample": "sessions and persons",
}


@dataclass(frozen=True, slots=True)
class Agreement:
    """agree : whether all methods say what the main one says. words : whether they do comes first."""

    agree: bool
    words: str


def agreement(setting: Setting, rows: tuple[SensitivityRow, ...]) -> tuple[Agreement, Agreement]:
    """Of the forward and the reverse direction."""
    process, outcome = setting.process, setting.outcome
    return (
        _judged(rows, "forward", f"{process} → next {outcome}"),
        _judged(rows, "reverse", f"{outcome} → next {process}"),
    )


def _judged(rows: tuple[SensitivityRow, ...], side: str, arrow: str) -> Agreement:
    answered = [(row, e) for row in rows if isinstance(e := getattr(row, side), Estimate)]
    missing = [row.label for row in rows if isinstance(getattr(row, side), NotAnswered)]
    tail = f" Not answered: {some(missing, 12)}." if missing else ""
    if len(answered) < 2:
        words = f"No comparison of methods for {arrow}: {len(answered)} of {len(rows)} could be estimated.{tail}"
        return Agreement(True, words)
    reference, main = answered[0]
    apart = [(row, e, how) for row, e in answered[1:] if (how := _differs(main, e))]
    if not apart:
        return Agreement(True, f"Methods agree on {arrow}: {_common(answered)}.{tail}")
    said = [
        f"{row.label} gives {_shown(e)}{_bias(row, side)}, {how}; it differs in {_difference(reference, row)}"
        for row, e, how in apart
    ]
    words = (
        f"Methods disagree on {arrow}: {reference.label} gives {_shown(main)}{_bias(reference, side)}. "
        f"{'. '.join(said)}.{tail}"
    )
    return Agreement(False, words)


def _differs(a: Estimate, b: Estimate) -> str:
    """How b contradicts a; '' if it does not."""
    if a.significant and b.significant and a.value * b.value < 0:
        return "clearly in the other direction"
    if a.high < b.low or b.high < a.low:
        return "and the intervals do not overlap"
    if a.significant and not b.significant:
        return "not distinguishable from zero"
    if b.significant and not a.significant:
        return "which leaves out zero where the main model does not"
    return ""


def _common(answered: list[tuple[SensitivityRow, Estimate]]) -> str:
    values = [e.value for _, e in answered]
    scale = max(map(abs, values))
    span = f"{number(min(values), scale)} to {number(max(values), scale)} within-person SDs in {len(answered)} analyses"
    if answered[0][1].significant:
        sign = "negative" if answered[0][1].value < 0 else "positive"
        return f"the effect is {sign} in all, {span}, and every interval leaves out zero"
    return f"{span}, and no interval leaves out zero"


def _bias(row: SensitivityRow, side: str) -> str:
    bias: float | None = getattr(row, f"bias_{side}")
    return f" (expected to be off by {number(bias)} because of few sessions)" if bias else ""


def _difference(a: SensitivityRow, b: SensitivityRow) -> str:
    """The points in which assumptions differ, with both."""
    pairs = [(f.name, getattr(a.assumes, f.name), getattr(b.assumes, f.name)) for f in fields(Assumptions)]
    said = [f"{_POINTS[name]} ({theirs}, not {mine})" for name, mine, theirs in pairs if mine != theirs]
    return some(said, len(pairs)) or "nothing that is named"


def _shown(e: Estimate) -> str:
    scale = max(abs(e.value), e.se)
    return f"{number(e.value, scale)} [{number(e.low, scale)}, {number(e.high, scale)}]"
