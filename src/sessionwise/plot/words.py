"""Numbers and terms as a figure's title says them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ..formula import Call, Expression, Name, Number, show
from ..show import num
from ..show import percent as in_percent

Labels = Mapping[str, str]


def number(value: float | None) -> str:
    """Three significant digits with a proper minus, no zeros at the end: '−0.5'."""
    text = num(value)
    if "." in text and "e" not in text:
        text = text.rstrip("0").rstrip(".")
    return text.replace("-", "−")


def interval(low: float, high: float, level: float = 0.95) -> str:
    """'95 % interval −0.5 to −0.1'."""
    return f"{100 * level:g} % interval {' to '.join(alike(low, high))}"


def alike(*values: float) -> list[str]:
    """Numbers with as many decimals as the largest needs for three digits: '0.430', '0.497'."""
    largest = max((abs(v) for v in values if math.isfinite(v)), default=0.0)
    if not 1e-4 <= largest < 1e6:
        return [number(v) for v in values]
    decimals = max(0, 2 - math.floor(math.log10(float(f"{largest:.3g}"))))
    texts = [f"{v:,.{decimals}f}" for v in values]
    while decimals and all(text.endswith("0") for text in texts):
        texts, decimals = [text[:-1] for text in texts], decimals - 1
    return [("−" if float(t.replace(",", "")) < 0 else "") + t.lstrip("-").removesuffix(".") for t in texts]


def percent(share: float) -> str:
    """'None', 'Under 0.1 %', '2.5 %', '40 %'."""
    if share == 0:
        return "None"
    return "Under 0.1 %" if share < 0.001 else in_percent(share)


def count(n: int, one: str, many: str = "") -> str:
    """'1 person', '1,200 persons'."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def capital(text: str) -> str:
    """First letter large; the rest, which may be column names, as it is."""
    return text[:1].upper() + text[1:]


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
        return f"previous {inner}" if shift == 1 else f"{inner} {shift} sessions before"
    if e.function == "lead" and shift:
        return f"next {inner}" if shift == 1 else f"{inner} {shift} sessions later"
    said = {"within": f"{inner} within persons", "between": f"{inner} of persons", "detrend": f"detrended {inner}"}
    return said.get(e.function, inner if e.function == "C" else text)


def _sessions_away(e: Call) -> int | None:
    """k of a lag or lead by session; None for anything out of the ordinary."""
    given = [*e.args[1:2], *(value for name, value in e.named if name == "k")]
    if any(name not in ("k", "by") for name, _ in e.named) or len(given) > 1:
        return None
    if not given:
        return 1
    return int(given[0].value) if isinstance(given[0], Number) else None


def listed(things: Sequence[str]) -> str:
    """'a', 'a and b', 'a, b and c'."""
    return " and ".join([", ".join(things[:-1]), things[-1]]) if len(things) > 1 else "".join(things)
