"""Columns of an estimate, the same in every table."""

from __future__ import annotations

from ..records import Estimate
from ..study_table import Column

ENDS = (Column("low", "Low", "number", "low"), Column("high", "High", "number", "high"))
ESTIMATE = (Column("estimate", "Estimate", "number"), *ENDS, Column("p", "p", "p"))
STANDARDISED = (
    Column("standardised", "Standardised", "number"),
    Column("standardised_low", "Standardised, low", "number", "low"),
    Column("standardised_high", "Standardised, high", "number", "high"),
)


def four(e: Estimate) -> tuple[float, float, float, float]:
    return e.value, e.low, e.high, e.p
