"""The answer: one sentence for each direction, in plain language, with its number and interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import Argument, Datum, Wording
from ...words import apa_number
from ..records import Direction, Estimate, NotAnswered, Sensitivity
from .estimates import full, interval, magnitude, point

if TYPE_CHECKING:
    from ..parts.equation import Equation
    from ..study_data import StudyData


def answers(
    setting: StudyData, forward: Direction | NotAnswered, reverse: Direction | NotAnswered, compared: Sensitivity
) -> tuple[str, str]:
    """Forward, reverse."""
    first = _said(setting, forward, compared, setting.forward)
    second = _said(setting, reverse, compared, setting.reverse)
    if not isinstance(reverse, NotAnswered) and not isinstance(forward, NotAnswered):
        second = "The other way round, " + second[:1].lower() + second[1:]
    return first, second


def _said(setting: StudyData, one: Direction | NotAnswered, compared: Sensitivity, equation: Equation) -> str:
    predictor, response = setting.called(equation.predictor), setting.called(equation.response)
    if isinstance(one, NotAnswered):
        then = setting.following(equation.response)
        return Wording(f"Whether {predictor} predicts {then} cannot be told from these data: ", _joined(one))
    e, person = one.within, setting.person
    free = _of(compared, "mlm-corrected", one)
    when = setting.later + (f", given the {predictor} rated just before it" if one.same_session else "")
    numbers = f"{full(e)}; {_beside(one, free, _of(compared, 'riclpm', one))}"
    if e.significant:
        size = magnitude(e)
        usual = f"{predictor} one point above a {person}'s usual level was followed by {response} {size} points "
        usual += "higher" if e.value > 0 else "lower"
    else:
        usual = f"{predictor} above or below a {person}'s usual level did not clearly predict {response}"
    return f"Within {person}s, {usual} {when} ({numbers}){_doubt(e, free)}."


def _of(compared: Sensitivity, key: str, one: Direction) -> Estimate | None:
    """A method's estimate in the data's units."""
    row = next((row for row in compared.rows if row.key == key), None)
    e = getattr(row, one.key) if row else None
    scale = one.standardised.value / one.within.value if one.within.value else 0.0
    return e.times(1 / scale) if isinstance(e, Estimate) and scale else None


def _beside(one: Direction, free: Estimate | None, latent: Estimate | None) -> str:
    """The effect without what few sessions do to it, and by a model without that bias; or else standardised."""
    others = [("corrected for few sessions", free), ("RI-CLPM", latent)]
    said = [f"{name} {point(e)}, {interval(e)}" for name, e in others if e]
    return "; ".join(said) or f"{apa_number(one.standardised.value)} in within-person SDs"


def _doubt(e: Estimate, free: Estimate | None) -> str:
    """Where the correction changes what is to be said."""
    if free is None or (e.significant == free.significant and (not e.significant or e.value * free.value > 0)):
        return ""
    if not free.significant:
        return "; corrected for few sessions, it cannot be told from zero"
    way = "higher" if free.value > 0 else "lower"
    return f"; corrected for few sessions, it was followed by {way} scores"


def _joined(one: NotAnswered) -> Wording:
    why = one.why[:1].lower() + one.why[1:]
    return Wording(f"{why} Needed: ", *_small(one.needed)) if one.needed else Wording(why)


def _small(text: str) -> tuple[str | Argument | Datum, ...]:
    """The parts of a sentence that goes on within another."""
    first, *rest = text.parts if isinstance(text, Wording) else (text,)
    return (first[:1].lower() + first[1:] if isinstance(first, str) else first, *rest)
