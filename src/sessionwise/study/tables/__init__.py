"""The tables of a result, in the order a paper reports them: one file for each part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..records import Direction
from ..study_table import StudyTable
from . import answer, directions, dynamic, methods_and_persons, sample
from .directions import COMPARABLE, FREE_COURSE

if TYPE_CHECKING:
    from ..result import StudyResult

__all__ = ["COMPARABLE", "FREE_COURSE", "NAMES", "tables"]

#: Names of all tables that a result can have.
NAMES: tuple[str, ...] = (
    "answer",
    "diagnostics",
    "diagnostic_effects",
    "flow",
    "sessions",
    "scales",
    "reliability",
    "course",
    "drop_out_model",
    *(f"{side}{part}" for side in ("forward", "reverse") for part in ("_models", "", "_differences", "_slopes")),
    "sensitivity",
    "sensitivity_units",
    "few_sessions",
    "person_effects",
    "dynamic_responses",
    "dynamic_person_effects",
    "dynamic_effect_counts",
    "checklist",
    "not_answered",
)


def tables(result: StudyResult) -> dict[str, StudyTable]:
    """Name -> table; a part that could not be answered has none."""
    found: list[StudyTable | None] = [
        answer.answer(result),
        answer.diagnostics(result),
        answer.diagnostic_effects(result),
        sample.flow(result),
        sample.sessions(result),
        sample.scales(result),
        sample.reliability(result),
        sample.course(result),
    ]
    found.append(sample.drop_out(result))
    for one in (result.forward, result.reverse):
        if isinstance(one, Direction):
            parts = (directions.models, directions.effects, directions.differences, directions.slopes)
            found += [part(result, one) for part in parts]
    found += [
        methods_and_persons.sensitivity(result),
        methods_and_persons.in_units(result),
        methods_and_persons.few_sessions(result),
        methods_and_persons.persons(result),
        dynamic.responses(result),
        dynamic.persons(result),
        dynamic.counts(result),
        methods_and_persons.checklist(result),
        methods_and_persons.unanswered(result),
    ]
    return {table.name: table for table in found if table is not None and table.rows}
