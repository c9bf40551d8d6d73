"""Persons: how many, how often seen, and labels that may mean the same person."""

from __future__ import annotations

import numpy as np

from ..errors import some
from ..findings import Finding
from ..panel import Panel
from ..words import agree, counted
from .sheet import Sheet

#: Below this, between-person variances and their standard errors mean little.
FEW_PERSONS = 20


def check_persons(panel: Panel) -> list[Finding]:
    """Findings on the number of persons and of their sessions."""
    found = []
    if panel.n_persons < FEW_PERSONS:
        what = f"There {agree(panel.n_persons, 'is', 'are')} only {counted(panel.n_persons, 'person')}."
        remedy = "Read between-person variances and standard errors with caution; use restricted maximum likelihood."
        found.append(Finding("warning", "few-persons", what, "", panel.n_persons, remedy))
    single = np.flatnonzero(panel.sessions_per_person == 1)
    if len(single):
        share = 100 * len(single) / panel.n_persons
        has = agree(len(single), "has", "have")
        what = f"{len(single):,} of {counted(panel.n_persons, 'person')} ({share:.0f} %) {has} one session only."
        where = f"{panel.roles.person} {some(panel.persons[single].tolist())}"
        remedy = "They tell nothing about change within persons; models keep them for the between-person part."
        found.append(Finding("note", "single-session", what, where, len(single), remedy))
    return found


def check_labels(sheet: Sheet) -> list[Finding]:
    """A Finding on person labels that differ only in case, spaces or leading zeros."""
    import polars as pl

    name = sheet.roles.get("person")
    if name is None or sheet.series(name).dtype not in (pl.String, pl.Categorical, pl.Enum):
        return []
    labels = sheet.series(name).cast(pl.String).drop_nulls().unique().sort()
    plain = labels.str.strip_chars().str.to_lowercase().str.replace_all(r"\s+", " ")
    plain = plain.str.replace(r"^(\D*)0+(\d)", "${1}${2}")
    alike = (
        pl.DataFrame({"label": labels, "plain": plain})
        .filter(pl.col("plain").is_duplicated())
        .group_by("plain", maintain_order=True)
        .agg("label")
    )
    if not alike.height:
        return []
    groups = alike["label"].to_list()
    what = f"{counted(len(groups), 'group')} of person labels differ only in case, spaces or leading zeros."
    where = f"column {name!r}: " + some([" and ".join(repr(label) for label in group) for group in groups])
    remedy = "If they are the same person, write the label in one way; they count as different persons now."
    return [Finding("warning", "person-spelling", what, where, len(groups), remedy)]
