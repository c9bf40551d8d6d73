"""The command line: one file a verb, each over the library; no analysis of its own."""

from __future__ import annotations

from .app import main

__all__ = ["main"]
