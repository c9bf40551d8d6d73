"""Instruments: their keys as data, where their items are in a table, and scoring."""

from ._answered import Answered, Wanted, answered
from ._columns import ItemMapping, item_columns
from ._instrument import Band, Instrument, Scale, Source
from ._registry import instrument, instruments
from .score import ScaleRecord, ScoreRecord, score

__all__ = [
    "Answered",
    "Band",
    "Instrument",
    "ItemMapping",
    "Scale",
    "ScaleRecord",
    "ScoreRecord",
    "Source",
    "Wanted",
    "answered",
    "instrument",
    "instruments",
    "item_columns",
    "score",
]
