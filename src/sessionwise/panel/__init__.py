"""The Panel, person × session, and what it is made from: a table, its role columns, their labels."""

from __future__ import annotations

from .number import number_sessions
from .numbered import cluster_numbers, numbered, person_numbers
from .panel import Labels, Panel
from .roles import Roles
from .table import Origin, Table

__all__ = [
    "Labels",
    "Origin",
    "Panel",
    "Roles",
    "Table",
    "cluster_numbers",
    "number_sessions",
    "numbered",
    "person_numbers",
]
