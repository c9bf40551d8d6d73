"""Panels and results that several tests look at; made once."""

from __future__ import annotations

from functools import cache

import polars as pl

import sessionwise as sw
from sessionwise.study import StudyResult

ROLES = {"person": "patient", "session": "session", "cluster": "therapist"}


@cache
def frame(persons: int = 300) -> pl.DataFrame:
    """True scores of the demo study."""
    return sw.datasets.demo(persons=persons, scale_scores=True).frame


def panel(data: pl.DataFrame | None = None, **roles: str) -> sw.Panel:
    return sw.Panel(frame() if data is None else data, **(ROLES | roles))


def few(persons: int) -> pl.DataFrame:
    """The first persons of the demo."""
    return frame().filter(pl.col("patient").is_in(frame()["patient"].unique().sort()[:persons].to_list()))


@cache
def result() -> StudyResult:
    return sw.Study("core_om", "wai_sr", moderators=["pd", "gender"]).run(panel())
