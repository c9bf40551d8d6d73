"""Reliable and clinically significant change."""

from __future__ import annotations

from .model import ReliableChange

__all__ = ["ReliableChange"]
