"""The study: the whole analysis of one question, from a Panel to the answer."""

from __future__ import annotations

from .result import StudyResult
from .study import Study
from .study_table import StudyTable

__all__ = ["Study", "StudyResult", "StudyTable"]
