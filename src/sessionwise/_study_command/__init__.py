"""What `sessionwise analyze` and `sessionwise demo` do: options to a study, files out. No analysis."""

from __future__ import annotations

from .analyze import analyze
from .demo import demo
from .settings import Settings, settings

__all__ = ["Settings", "analyze", "demo", "settings"]
