"""Tables of what the dynamic model found: how long effects last, and persons' own effects, one by one and counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..records import DynamicModel
from ..study_table import Column, StudyTable
from .estimate_columns import ENDS

if TYPE_CHECKING:
    from ..result import StudyResult


def responses(result: StudyResult) -> StudyTable | None:
    found = result.dynamic
    if not isinstance(found, DynamicModel):
        return None
    columns = (
        Column("direction", "Effect"),
        Column("session", "Sessions later", "count"),
        Column("median", "Median", "number"),
        *ENDS,
        Column("low_50", "50 % interval, low", "number"),
        Column("high_50", "50 % interval, high", "number"),
    )
    rows = tuple(
        (result.arrow(r.direction), r.session, r.median, r.low, r.high, r.low_50, r.high_50) for r in found.responses
    )
    note = f"What one point more at session 0 does in the average {result.person}, by all ways, in points."
    return StudyTable("dynamic_responses", "How long effects last, by the dynamic model", columns, rows, (note,))


def persons(result: StudyResult) -> StudyTable | None:
    found = result.dynamic
    if not isinstance(found, DynamicModel):
        return None
    columns = (
        Column("person", result.person.capitalize()),
        Column("effect", "Effect", "number"),
        *ENDS,
        Column("pairs", "Lagged pairs", "count"),
    )
    rows = tuple((str(p.person), p.value, p.low, p.high, p.pairs) for p in found.persons.effects)
    title = f"{result.arrow('forward')} of each {result.person}, by the dynamic model"
    return StudyTable("dynamic_person_effects", title, columns, rows, (_note(result, found),))


def counts(result: StudyResult) -> StudyTable | None:
    found = result.dynamic
    if not isinstance(found, DynamicModel):
        return None
    columns = (
        Column("low", "From", "number"),
        Column("high", "To", "number"),
        Column("persons", f"{result.person.capitalize()}s", "count"),
    )
    rows = tuple((c.low, c.high, c.persons) for c in found.counts)
    title = f"{result.arrow('forward')} by the dynamic model: {result.person}s counted by their own effect"
    return StudyTable("dynamic_effect_counts", title, columns, rows, (_note(result, found),))


def _note(result: StudyResult, found: DynamicModel) -> str:
    p = found.persons
    return (
        f"Posterior means, shrunken to the average of {p.average:.3g} where data are few; SD between {result.person}s "
        f"{p.sd:.3g}, 95 % interval {found.sd_low:.3g} to {found.sd_high:.3g}."
    )
