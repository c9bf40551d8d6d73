"""Treatments of one person, which must follow one another."""

from __future__ import annotations

from ..errors import some
from ..findings import Finding
from ..panel import Panel
from ..words import agree, counted


def check_episodes(panel: Panel) -> list[Finding]:
    """A warning if sessions of one treatment of a person lie between those of another, in time."""
    whole, times = panel.roles.whole_person, panel.times
    if whole is None or times is None:
        return []
    import polars as pl

    spans = (
        pl.DataFrame(
            {"person": panel.labels(whole).codes, "unit": panel.codes, "t": pl.Series(times, nan_to_null=True)}
        )
        .drop_nulls()
        .group_by("person", "unit")
        .agg(first=pl.col("t").min(), last=pl.col("t").max())
        .sort("person", "first", "last")
        .with_columns(before=pl.col("last").cum_max().shift(1).over("person"))
    )
    units = spans.filter(pl.col("first") < pl.col("before"))["unit"].to_list()
    if not units:
        return []
    n = len(units)
    what = f"{counted(n, 'treatment')} {agree(n, 'begins', 'begin')} before another of the same person has ended."
    where = f"{panel.roles.person} {some(panel.persons[sorted(units)].tolist())}"
    remedy = f"Check that column {panel.roles.episode!r} tells treatments apart that follow one another."
    return [Finding("warning", "episodes-overlap", what, where, n, remedy)]
