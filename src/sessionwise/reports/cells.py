"""Cells of tables that a spreadsheet opens: text that it would run as a formula is kept from that."""

from __future__ import annotations

import math

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def guarded(text: str) -> str:
    """Text as it is, with an apostrophe before it if a spreadsheet would take it for a formula. A number is none."""
    if len(text) < 2 or not text.startswith(_FORMULA) or _is_number(text):
        return text
    return f"'{text}"


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
