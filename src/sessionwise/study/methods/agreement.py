"""Whether methods agree on a direction, and if not, in which assumptions they differ.

All methods look at the same data, so that their estimates differ by far less than their intervals are wide. Of two that
estimate the same, one of them as well as can be, the covariance is the variance of the better (Hausman 1978): they
correlate by the ratio of their errors, and are here taken to correlate by no more than `MOST_ALIKE`. A method disagrees
where it is farther from the first, each without the bias that is known of it, than this allows; the level is shared by
all comparisons of both directions. That one interval leaves out zero and the other does not is no disagreement (Gelman
& Stern 2006).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal

from scipy.special import ndtri

from ...errors import some
from ...words import apa_number, listed, num
from ..records import Assumptions, Estimate, NotAnswered, SensitivityRow
from ..words.estimates import ends, point

if TYPE_CHECKING:
    from ..study_data import StudyData

#: Estimates of one effect in the same data are not taken to correlate by more than this.
MOST_ALIKE = 0.9
#: How seldom methods disagree, in either direction, where all of them are right.
LEVEL = 0.01
Side = Literal["forward", "reverse"]

_POINTS = {
    "means": "person means",
    "trend": "trend",
    "levels": "levels",
    "residuals": "residuals",
    "sample": "which sessions are used",
    "effects": "whether effects differ",
    "covariates": "covariates",
}


@dataclass(frozen=True, slots=True)
class Agreement:
    """agree : whether all methods say what the first one says. words : whether they do comes first."""

    agree: bool
    words: str


def distance(first: SensitivityRow, other: SensitivityRow, side: Side) -> float | None:
    """How far apart, in standard errors of a difference in the same data. None where one has no estimate, or where
    what few sessions do is known of one of them alone: they are not of one thing then."""
    a, b = getattr(first, side), getattr(other, side)
    if not isinstance(a, Estimate) or not isinstance(b, Estimate) or a.se <= 0 or b.se <= 0:
        return None
    biases = [getattr(row, f"bias_{side}") for row in (first, other)]
    if biases.count(None) == 1:
        return None
    alike = min(MOST_ALIKE, min(a.se, b.se) / max(a.se, b.se))
    apart = (b.value - (biases[1] or 0.0)) - (a.value - (biases[0] or 0.0))
    return apart / math.sqrt(a.se**2 + b.se**2 - 2 * alike * a.se * b.se)


def agreement(setting: StudyData, rows: tuple[SensitivityRow, ...]) -> tuple[Agreement, Agreement]:
    """Of the forward and the reverse direction; rows : of the methods that are judged."""
    pairs = sum(getattr(row, f"apart_{side}") is not None for row in rows[1:] for side in ("forward", "reverse"))
    most = float(ndtri(1 - LEVEL / max(2 * pairs, 2)))
    return (
        _judged(rows, "forward", setting.arrow(setting.forward), most),
        _judged(rows, "reverse", setting.arrow(setting.reverse), most),
    )


def _judged(rows: tuple[SensitivityRow, ...], side: Side, arrow: str, most: float) -> Agreement:
    answered = [(row, e) for row in rows if isinstance(e := getattr(row, side), Estimate)]
    missing = [row.label for row in rows if isinstance(getattr(row, side), NotAnswered)]
    tail = f" Not answered: {some(missing, 12)}." if missing else ""
    if len(answered) < 2:
        words = f"No comparison of methods for {arrow}: {len(answered)} of {len(rows)} could be estimated.{tail}"
        return Agreement(True, words)
    reference, main = answered[0]
    apart = [(row, e, far) for row, e in answered[1:] if abs(far := getattr(row, f"apart_{side}") or 0.0) > most]
    if not apart:
        return Agreement(True, f"Methods agree on {arrow}: {_common(answered)}.{tail}")
    said = [
        f"{row.label} gives {_shown(e)}{_bias(row, side, e)}, {num(abs(far))} standard errors of a difference in the "
        f"same data away; it differs in {_difference(reference, row)}"
        for row, e, far in apart
    ]
    words = f"Methods disagree on {arrow}: {reference.label} gives {_shown(main)}. {'. '.join(said)}.{tail}"
    return Agreement(False, words)


def _common(answered: list[tuple[SensitivityRow, Estimate]]) -> str:
    """How far estimates go, and the least certain one."""
    values = [e.value for _, e in answered]
    scale = max(map(abs, values))
    low, high = (apa_number(v, scale) for v in (min(values), max(values)))
    row, least = max(answered, key=lambda pair: pair[1].high - pair[1].low)
    return (
        f"{low} to {high} within-person SDs in {len(answered)} analyses, none farther from the first than the same "
        f"data allow; the least certain is {row.label}, {_shown(least)}"
    )


def _bias(row: SensitivityRow, side: Side, e: Estimate) -> str:
    """Where it is more than a tenth of the standard error."""
    bias: float = getattr(row, f"bias_{side}") or 0.0
    large = abs(bias) > e.se / 10
    return f" (expected to be off by {apa_number(bias)} because of few sessions)" if large else ""


def _difference(a: SensitivityRow, b: SensitivityRow) -> str:
    """The points in which assumptions differ; with both, if there is one."""
    pairs = [(f.name, getattr(a.assumes, f.name), getattr(b.assumes, f.name)) for f in fields(Assumptions)]
    apart = [(_POINTS[name], mine, theirs) for name, mine, theirs in pairs if mine != theirs]
    if len(apart) == 1:
        point_, mine, theirs = apart[0]
        return f"{point_} ({theirs}, not {mine})"
    return listed([name for name, _, _ in apart]) if apart else "nothing that is named"


def _shown(e: Estimate) -> str:
    return f"{point(e)} {ends(e)}"
