"""An estimate in a sentence, as APA prints it: value, interval and p with the decimals of the value."""

from __future__ import annotations

from ...words import apa_number, p_words
from ..records import Estimate


def point(e: Estimate) -> str:
    """'−0.94'."""
    return apa_number(e.value, _scale(e))


def magnitude(e: Estimate) -> str:
    """Without its sign: '0.94'."""
    return apa_number(abs(e.value), _scale(e))


def ends(e: Estimate) -> str:
    """'[−1.20, −0.68]'."""
    return f"[{apa_number(e.low, _scale(e))}, {apa_number(e.high, _scale(e))}]"


def interval(e: Estimate) -> str:
    """'95 % CI [−1.20, −0.68]'."""
    return f"95 % CI {ends(e)}"


def full(e: Estimate, symbol: str = "b") -> str:
    """'b = −0.94, 95 % CI [−1.20, −0.68], p < .001'."""
    return f"{symbol} = {point(e)}, {interval(e)}, {p_words(e.p)}"


def _scale(e: Estimate) -> float:
    """What decides on decimals: the larger of value and error."""
    return max(abs(e.value), e.se)
