"""Instruments: their keys as data, where their items are in a table, and scoring."""

from .answered import Answered, Wanted, answered
from .instrument import Answers, Band, Instrument, Scale, Source
from .item_columns import ItemMapping, item_columns
from .registry import instrument, instruments
from .score import ScaleRecord, ScoreRecord, score

__all__ = [
    "Answered",
    "Answers",
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
