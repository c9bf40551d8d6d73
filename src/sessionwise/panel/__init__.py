"""The Panel, person × session, and what it is made from: a table, its role columns, their labels."""

from __future__ import annotations

from .number import number_sessions
from .panel import Labels, Panel
from .roles import Roles
from .table import Origin, Table

__all__ = ["Labels", "Origin", "Panel", "Roles", "Table", "number_sessions"]
