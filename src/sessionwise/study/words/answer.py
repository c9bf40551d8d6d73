"""The answer: one sentence for each direction, in plain language, with its number and interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..numbers import full, interval, number
from ..records import Direction, Estimate, NotAnswered, Sensitivity

if TYPE_CHECKING:
    from ..setting import Setting


def answers(
    setting: Setting, forward: Direction | NotAnswered, reverse: Direction | NotAnswered, compared: Sensitivity
) -> tuple[str, str]:
    """Forward, reverse."""
    free = next((row for row in compared.rows if row.key == "mlm-corrected"), None)
    first = _said(setting, forward, free.forward if free else None, setting.process, setting.outcome)
    second = _said(setting, reverse, free.reverse if free else None, setting.outcome, setting.process)
    if not isinstance(reverse, NotAnswered) and not isinstance(forward, NotAnswered):
        second = "The other way round, " + second[:1].lower() + second[1:]
    return first, second


def _said(
    setting: Setting,
    one: Direction | NotAnswered,
    free: Estimate | NotAnswered | None,
    predictor: str,
    response: str,
) -> str:
    if isinstance(one, NotAnswered):
        return f"Whether {predictor} predicts the next {response} cannot be told from these data: {_joined(one)}"
    e, person = one.within, setting.person
    later = "at the next session" if setting.study.lag == 1 else f"{setting.study.lag} sessions later"
    given = f", given the {predictor} rated just before it" if one.same_session else ""
    numbers = f"{full(e)}; {_beside(one, free)}"
    if not e.significant:
        usual = f"{predictor} above or below a {person}'s usual level did not clearly predict {response}"
        return f"Within {person}s, {usual} {later}{given} ({numbers})."
    size = number(abs(e.value), max(abs(e.value), e.se))
    more = "higher" if e.value > 0 else "lower"
    usual = f"{predictor} one point above a {person}'s usual level was followed by {response} {size} points {more}"
    return f"Within {person}s, {usual} {later}{given} ({numbers})."


def _beside(one: Direction, free: Estimate | NotAnswered | None) -> str:
    """The effect without what few sessions do to it, or else standardised."""
    scale = one.standardised.value / one.within.value if one.within.value else 0.0
    if isinstance(free, Estimate) and scale:
        e = free.times(1 / scale)
        return f"corrected for few sessions {number(e.value, max(abs(e.value), e.se))}, {interval(e)}"
    return f"{number(one.standardised.value)} in within-person SDs"


def _joined(one: NotAnswered) -> str:
    why = one.why[:1].lower() + one.why[1:]
    return f"{why} Needed: {one.needed[:1].lower() + one.needed[1:]}" if one.needed else why
