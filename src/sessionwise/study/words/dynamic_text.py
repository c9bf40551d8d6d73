"""What measurement error, few sessions and one effect for all take away, in a sentence for each direction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ...words import percent_words
from ..records import Estimate, HeadlineEffect, NotAnswered
from .estimates import interval, point

if TYPE_CHECKING:
    from ..result import StudyResult


def taken_away(result: StudyResult) -> tuple[str, ...]:
    """Forward and reverse, where the dynamic model gives the answer; else nothing."""
    sides: tuple[Literal["forward", "reverse"], ...] = ("forward", "reverse")
    return tuple(text for side in sides if (text := _said(result, side)))


def _said(result: StudyResult, side: Literal["forward", "reverse"]) -> str:
    found = result.headline
    one: HeadlineEffect | NotAnswered = getattr(found, side)
    usual: HeadlineEffect | None = getattr(found, f"usual_{side}")
    if isinstance(one, NotAnswered) or usual is None:
        return ""
    scores = "of true scores" if found.true_scores else "of scores as they are"
    told = f"{result.arrow(side)}, for one point more: {_number(one.estimate)} by the dynamic model {scores}."
    left = "measurement error left in and the same effect in all" if found.true_scores else "the same effect in all"
    told += f" With {left}: {_number(usual.estimate)} ({usual.method})."
    plain = _multilevel(result, side)
    if plain is None:
        return told
    told += f" With what few sessions do left in too: {_number(plain)} (multilevel model)"
    share = 1 - plain.value / one.value
    if one.estimate.significant and 0 < share < 1:
        told += f", which is {percent_words(share)} nearer to zero"
    return f"{told}."


def _multilevel(result: StudyResult, side: Literal["forward", "reverse"]) -> Estimate | None:
    """In the data's units."""
    s = result.sensitivity
    scale = s.sd_process / s.sd_outcome if side == "forward" else s.sd_outcome / s.sd_process
    found = next((getattr(row, side) for row in s.rows if row.key == "mlm"), None)
    return found.times(1 / scale) if isinstance(found, Estimate) else None


def _number(e: Estimate) -> str:
    return f"{point(e)}, {interval(e)}"
