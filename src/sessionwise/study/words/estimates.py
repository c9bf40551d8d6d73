"""Numbers in sentences, as APA prints them: enough decimals for two digits, a true minus, no zero before p."""

from __future__ import annotations

import math

from ...show import p_value
from ..records import Estimate
from .phrases import plural_of


def number(value: float, scale: float | None = None) -> str:
    """Two decimals, or as many as give two significant digits of `scale` (the value itself if not given)."""
    size = abs(value if scale is None else scale)
    digits = 2 if size >= 0.1 or size == 0 or not math.isfinite(size) else 1 - math.floor(math.log10(size))
    return signed(f"{value:,.{min(digits, 8)}f}")


def signed(text: str) -> str:
    """A true minus, and none before zero."""
    if not text.strip("-0.,"):
        text = text.lstrip("-")
    return text.replace("-", "−")


def p_words(p: float) -> str:
    """'p < .001', 'p = .034'."""
    shown = p_value(p)
    return f"p < {shown[1:]}" if shown.startswith("<") else f"p = {shown}"


def interval(e: Estimate) -> str:
    """'95 % CI [−1.20, −0.68]', with the decimals of the estimate."""
    scale = max(abs(e.value), e.se)
    return f"95 % CI [{number(e.low, scale)}, {number(e.high, scale)}]"


def full(e: Estimate, symbol: str = "b") -> str:
    """'b = −0.94, 95 % CI [−1.20, −0.68], p < .001'."""
    return f"{symbol} = {number(e.value, max(abs(e.value), e.se))}, {interval(e)}, {p_words(e.p)}"


def plural(n: int, word: str) -> str:
    """'1 patient', '4,340 sessions'."""
    return f"{n:,} {word if n == 1 else plural_of(word)}"


def listed(things: list[str]) -> str:
    """'a, b and c'."""
    return " and ".join([", ".join(things[:-1]), things[-1]] if len(things) > 1 else things)
