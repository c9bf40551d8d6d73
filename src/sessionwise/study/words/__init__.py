"""Words: a study's result in sentences."""

from __future__ import annotations

from .answer import answers
from .checklist import checklist
from .methods_text import methods_text
from .references import references
from .results_text import results_text

__all__ = ["answers", "checklist", "methods_text", "references", "results_text"]
