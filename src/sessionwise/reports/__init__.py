"""The report: a study's result as one HTML file that needs no network, as a Word file, and its tables as CSV.

Each name is loaded when it is first used: the painter begins beside the analysis, long before there is a result.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .csv_files import write_tables
    from .html_file import report
    from .page import html
    from .painter import Painter
    from .word import write_word

__all__ = ["Painter", "html", "report", "write_tables", "write_word"]

_HOME = {"Painter": "painter", "html": "page", "report": "html_file", "write_tables": "csv_files", "write_word": "word"}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOME[name]}", __name__), name)
