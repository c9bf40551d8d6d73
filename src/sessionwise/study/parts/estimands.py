"""Estimands: which effect each number is of.

With two scores a session there are three effects of one on the other that are all called lagged, or its effect: from a
session to the next by all ways together (net), within the session from the score that is rated first, and from a
session to the next by ways that do not lead through the predictor's own value of that session (given the same session).
Where nothing lags and the later score follows the earlier one of the session by β, the last is -β times the
autoregression of the predictor, and not zero: a controlled direct effect, which does not answer whether one score
predicts the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from ..records import Direction, Estimand, Headline, HeadlineEffect, NotAnswered

if TYPE_CHECKING:
    from ..study_data import StudyData
    from .equation import Equation

    Side = Literal["forward", "reverse"]


def estimands(
    setting: StudyData, found: Headline, forward: Direction | NotAnswered, reverse: Direction | NotAnswered
) -> tuple[Estimand, ...]:
    """The answer's two first, then what is within a session."""
    sides = (
        (setting.forward, forward, setting.scale_forward),
        (setting.reverse, reverse, setting.scale_reverse),
    )
    net = [
        _net(setting, setting.forward, found.forward, "forward"),
        _net(setting, setting.reverse, found.reverse, "reverse"),
    ]
    within = [
        one
        for equation, direction, scale in sides
        if isinstance(direction, Direction)
        for one in _within(setting, equation, direction, scale)
    ]
    return (*(one for one in net if one is not None), *within)


def _net(setting: StudyData, equation: Equation, effect: HeadlineEffect | NotAnswered, key: Side) -> Estimand | None:
    if isinstance(effect, NotAnswered):
        return None
    held = f"{setting.called(equation.response)}, {setting.before}"
    return Estimand(
        "net",
        key,
        setting.arrow(equation),
        held,
        effect.estimate,
        effect.standardised,
        effect.method,
        effect.robustness,
        effect.robustness_interval,
        effect.unseen_leaving,
    )


def _within(setting: StudyData, equation: Equation, one: Direction, scale: float) -> Iterator[Estimand]:
    predictor, response = setting.called(equation.predictor), setting.called(equation.response)
    method = "multilevel model"
    if one.same_session is not None:
        e = one.same_session
        label, held = f"{predictor} → {response}, same session", f"both scores, {setting.before}"
        yield Estimand("same_session", one.key, label, held, e, e.times(scale), method)
    if one.given_same_session is not None:
        e = one.given_same_session
        label = f"{setting.arrow(equation)}, given the same session"
        held = f"{response}, {setting.before}; {predictor}, same session"
        yield Estimand("given_same_session", one.key, label, held, e, e.times(scale), method)
