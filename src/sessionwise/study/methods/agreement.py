"""Whether methods agree on a direction, and if not, in which assumptions they differ."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from ...errors import some
from ...words import agree, apa_number, listed
from ..records import Assumptions, Estimate, NotAnswered, SensitivityRow
from ..words.estimates import ends, point

if TYPE_CHECKING:
    from ..study_data import StudyData

_POINTS = {
    "means": "person means",
    "trend": "trend",
    "levels": "levels",
    "residuals": "residuals",
    "sample": "which sessions are used",
    "effects": "whether effects differ",
    "covariates": "covariates",
}
#: The main model itself, less its bias.
_SAME_DATA = "mlm-corrected"


@dataclass(frozen=True, slots=True)
class Agreement:
    """agree : whether all methods say what the main one says. words : whether they do comes first."""

    agree: bool
    words: str


def agreement(setting: StudyData, rows: tuple[SensitivityRow, ...]) -> tuple[Agreement, Agreement]:
    """Of the forward and the reverse direction."""
    return (
        _judged(rows, "forward", setting.arrow(setting.forward)),
        _judged(rows, "reverse", setting.arrow(setting.reverse)),
    )


def _judged(rows: tuple[SensitivityRow, ...], side: str, arrow: str) -> Agreement:
    answered = [(row, e) for row in rows if isinstance(e := getattr(row, side), Estimate)]
    missing = [row.label for row in rows if isinstance(getattr(row, side), NotAnswered)]
    tail = f" Not answered: {some(missing, 12)}." if missing else ""
    if len(answered) < 2:
        words = f"No comparison of methods for {arrow}: {len(answered)} of {len(rows)} could be estimated.{tail}"
        return Agreement(True, words)
    reference, main = answered[0]
    apart = [(row, e, how) for row, e in answered[1:] if (how := _differs(main, e, row.key == _SAME_DATA))]
    if not apart:
        return Agreement(True, f"Methods agree on {arrow}: {_common(answered)}.{_unclear(answered)}{tail}")
    said = [
        f"{row.label} gives {_shown(e)}{_bias(row, side, e)}, {how}; it differs in {_difference(reference, row)}"
        for row, e, how in apart
    ]
    words = (
        f"Methods disagree on {arrow}: {reference.label} gives {_shown(main)}{_bias(reference, side, main)}. "
        f"{'. '.join(said)}.{tail}"
    )
    return Agreement(False, words)


def _differs(a: Estimate, b: Estimate, corrected: bool) -> str:
    """How b contradicts a; '' if it does not.

    That one leaves out zero and the other does not is no contradiction by itself: a less certain estimate may be the
    same (Gelman & Stern 2006). It is one if the more certain estimate is outside the interval of the other, or if b is
    a itself, corrected.
    """
    if a.significant and b.significant and a.value * b.value < 0:
        return "clearly in the other direction"
    if a.high < b.low or b.high < a.low:
        return "and the intervals do not overlap"
    wide, narrow = sorted((a, b), key=lambda e: e.low - e.high)
    outside = corrected or not wide.low <= narrow.value <= wide.high
    if outside and a.significant and not b.significant:
        return "not distinguishable from zero"
    if outside and b.significant and not a.significant:
        return "which leaves out zero where the main model does not"
    return ""


def _common(answered: list[tuple[SensitivityRow, Estimate]]) -> str:
    values = [e.value for _, e in answered]
    scale = max(map(abs, values))
    low, high = (apa_number(v, scale) for v in (min(values), max(values)))
    span = f"{low} to {high} within-person SDs in {len(answered)} analyses"
    signs = {v < 0 for v in values}
    if answered[0][1].significant and len(signs) == 1:
        every = ", and every interval leaves out zero" if all(e.significant for _, e in answered) else ""
        return f"the effect is {'negative' if values[0] < 0 else 'positive'} in all, {span}{every}"
    return span if any(e.significant for _, e in answered) else f"{span}, and no interval leaves out zero"


def _unclear(answered: list[tuple[SensitivityRow, Estimate]]) -> str:
    """Which methods are less certain than the main one, or more."""
    main = answered[0][1].significant
    others = [f"{row.label} ({_shown(e)})" for row, e in answered[1:] if e.significant != main]
    if not others:
        return ""
    what = "Not distinguishable from zero in" if main else "Distinguishable from zero only in"
    tail = agree(len(others), "whose estimate is", "whose estimates are")
    return f" {what} {some(others, 12)}, {tail} not at odds with that of the main model."


def _bias(row: SensitivityRow, side: str, e: Estimate) -> str:
    """Where it is more than a tenth of the standard error."""
    bias: float | None = getattr(row, f"bias_{side}")
    large = bias is not None and abs(bias) > e.se / 10
    return f" (expected to be off by {apa_number(bias)} because of few sessions)" if large and bias is not None else ""


def _difference(a: SensitivityRow, b: SensitivityRow) -> str:
    """The points in which assumptions differ; with both, if there is one."""
    pairs = [(f.name, getattr(a.assumes, f.name), getattr(b.assumes, f.name)) for f in fields(Assumptions)]
    apart = [(_POINTS[name], mine, theirs) for name, mine, theirs in pairs if mine != theirs]
    if len(apart) == 1:
        point, mine, theirs = apart[0]
        return f"{point} ({theirs}, not {mine})"
    return listed([point for point, _, _ in apart]) if apart else "nothing that is named"


def _shown(e: Estimate) -> str:
    return f"{point(e)} {ends(e)}"
