"""The demo study as several tests look at it, each made once in a process."""

from __future__ import annotations

from functools import cache

import polars as pl

import sessionwise as sw
from sessionwise.study import StudyResult

ROLES = {"person": "patient", "session": "session", "cluster": "therapist"}


@cache
def frame(persons: int = 300) -> pl.DataFrame:
    """True scores."""
    return sw.datasets.demo(persons=persons, scale_scores=True).frame


def panel(data: pl.DataFrame | None = None, **roles: str) -> sw.Panel:
    """If no data are given, of 300 persons' true scores."""
    return sw.Panel(frame() if data is None else data, **(ROLES | roles))


@cache
def scored(persons: int, **roles: str) -> sw.Panel:
    """Scores of the items that persons answered."""
    return sw.score(panel(sw.datasets.demo(persons=persons), **roles), "core-om", "wai-sr")


def few(persons: int) -> pl.DataFrame:
    """True scores of the first persons."""
    return frame().filter(pl.col("patient").is_in(frame()["patient"].unique().sort()[:persons].to_list()))


@cache
def result() -> StudyResult:
    """Of 300 persons, with two moderators."""
    return sw.Study("core_om", "wai_sr", moderators=["pd", "gender"], dynamic=False).run(panel())
