"""A formula's variables as a figure's title says them."""

from __future__ import annotations

from collections.abc import Mapping

from ..formula import Call, Expression, Name, Number, show

Labels = Mapping[str, str]


def words(e: Expression | None, labels: Labels | None = None) -> str:
    """A variable of a formula as a reader says it: `lag(within(x))` is 'previous x within persons'.

    labels : column name, or the whole expression as the formula shows it, -> what to call it.
    """
    given = labels or {}
    if e is None:
        return ""
    if (text := show(e)) in given:
        return given[text]
    if isinstance(e, Name):
        return given.get(e.name, e.name)
    if not isinstance(e, Call) or not e.args:
        return text
    inner = words(e.args[0], given)
    shift = _sessions_away(e)
    if e.function == "lag" and shift:
        return before(inner, shift)
    if e.function == "lead" and shift:
        return f"next {inner}" if shift == 1 else f"{inner} {shift} sessions later"
    said = {"within": f"{inner} within persons", "between": f"{inner} of persons", "detrend": f"detrended {inner}"}
    return said.get(e.function, inner if e.function == "C" else text)


def before(said: str, sessions: int) -> str:
    """A score so many sessions before; 0 for the same."""
    return {0: said, 1: f"previous {said}"}.get(sessions, f"{said} {sessions} sessions before")


def _sessions_away(e: Call) -> int | None:
    """k of a lag or lead by session; None for anything out of the ordinary."""
    given = [*e.args[1:2], *(value for name, value in e.named if name == "k")]
    if any(name not in ("k", "by") for name, _ in e.named) or len(given) > 1:
        return None
    if not given:
        return 1
    return int(given[0].value) if isinstance(given[0], Number) else None
