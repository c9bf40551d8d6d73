"""Registry: the methods of the sensitivity table. A method joins by standing in `METHODS` of its file."""

from __future__ import annotations

from . import dynamic_models, multilevel, panel_models
from .method import Method


def methods() -> tuple[Method, ...]:
    """All methods, the main one first."""
    return (*multilevel.METHODS, *panel_models.METHODS, *dynamic_models.METHODS)
