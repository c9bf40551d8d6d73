"""Instruments: their keys as data, and where their items are in a table."""

from ._columns import ItemMapping, item_columns
from ._instrument import Band, Instrument, Scale, Source
from ._registry import instrument, instruments

__all__ = ["Band", "Instrument", "ItemMapping", "Scale", "Source", "instrument", "instruments", "item_columns"]
