"""The answer: for each direction what was found, with its number and interval, and what no model here can see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import Argument, Datum, Wording
from ...words import percent
from ..records import Estimate, Headline, HeadlineEffect, NotAnswered, Sensitivity
from .estimates import full, interval, magnitude, point

if TYPE_CHECKING:
    from ..methods.agreement import Side
    from ..parts.equation import Equation
    from ..study_data import StudyData


#: Of an interval's width, by which one half of it is seen to be longer than the other.
_SEEN = 0.1


def answers(setting: StudyData, found: Headline, compared: Sensitivity) -> tuple[str, str]:
    """Forward, reverse."""
    first = _said(setting, found, compared, "forward", setting.forward)
    second = _said(setting, found, compared, "reverse", setting.reverse)
    if not isinstance(found.reverse, NotAnswered) and not isinstance(found.forward, NotAnswered):
        second = "The other way round, " + second[:1].lower() + second[1:]
    return first, second


def _said(setting: StudyData, found: Headline, compared: Sensitivity, side: Side, equation: Equation) -> str:
    one: HeadlineEffect | NotAnswered = getattr(found, side)
    predictor, response = setting.called(equation.predictor), setting.called(equation.response)
    if isinstance(one, NotAnswered):
        then = setting.following(equation.response)
        return Wording(f"Whether {predictor} predicts {then} cannot be told from these data: ", _joined(one))
    e, person = one.estimate, setting.person
    usual = "own line over sessions" if found.own_lines else "usual level"
    scale = setting.scale_forward if side == "forward" else setting.scale_reverse
    lopsided = [] if one.unseen_leaving is None else _lopsided(e)
    numbers = "; ".join([full(e), *lopsided, *_usual(found, side), *_beside(compared, side, scale)])
    if e.significant:
        what = f"{predictor} one point above a {person}'s {usual} was followed by {response} {magnitude(e)} points "
        what += "higher" if e.value > 0 else "lower"
    else:
        what = f"{predictor} above or below a {person}'s {usual} did not clearly predict {response}"
    return f"Within {person}s, {what} {setting.later} ({numbers}). {_unseen(one, person)}"


def _usual(found: Headline, side: Side) -> list[str]:
    """What the answer would be without the dynamic model."""
    one: HeadlineEffect | None = getattr(found, f"usual_{side}")
    if one is None:
        return []
    e = one.estimate
    left_in = (
        "with measurement error left in and the same effect in all"
        if found.true_scores
        else "with the same effect in all"
    )
    return [f"{left_in}, {point(e)}, {interval(e)}"]


def _lopsided(e: Estimate) -> list[str]:
    """Why an interval is not even about its estimate, where that can be seen."""
    uneven = abs((e.high - e.value) - (e.value - e.low)) > _SEEN * (e.high - e.low)
    return ["the interval allows for leaving because of scores that nobody saw"] if uneven else []


def _beside(compared: Sensitivity, side: Side, scale: float) -> list[str]:
    """What methods in use say, in the data's units."""
    rows = {row.key: getattr(row, side) for row in compared.rows if row.key != compared.reference}
    usual = (("mlm", "multilevel model"), ("riclpm", "RI-CLPM"))
    found = [(name, rows[key].times(1 / scale)) for key, name in usual if isinstance(rows.get(key), Estimate)]
    return [f"{name} {point(e)}, {interval(e)}" for name, e in found]


def _unseen(one: HeadlineEffect, person: str) -> str:
    """What the answer leaves open, with how strong it would have to be."""
    if not one.estimate.significant or one.robustness is None or one.robustness_interval is None:
        return "Something between sessions that moves both could hide an effect as well as make one."
    return (
        f"Something between sessions that moves both, which no model here can see, could make this: it would have to "
        f"explain {percent(one.robustness, 1)} of what varies within {person}s in both to leave nothing of it, "
        f"{percent(one.robustness_interval, 1)} to leave it unclear."
    )


def _joined(one: NotAnswered) -> Wording:
    why = one.why[:1].lower() + one.why[1:]
    return Wording(f"{why} Needed: ", *_small(one.needed)) if one.needed else Wording(why)


def _small(text: str) -> tuple[str | Argument | Datum, ...]:
    """The parts of a sentence that goes on within another."""
    first, *rest = text.parts if isinstance(text, Wording) else (text,)
    return (first[:1].lower() + first[1:] if isinstance(first, str) else first, *rest)
