"""The call in Python that gives the same study again: Panel, scoring, Study."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import InstrumentError, ScoreError

if TYPE_CHECKING:
    from ..panel import Panel
    from ..scoring.score import ScoreRecord
    from ..study import StudyResult


def python_call(result: StudyResult, panel: Panel | None) -> str:
    """One line. panel : the data, whose columns say whether items go by their usual names; without them nothing is said
    of scoring."""
    asked = result.asked
    if panel is None or not asked.scored:
        return result.call
    steps = [asked.panel, *(_scored(record, panel) for record in asked.scored)]
    return "; ".join([*(f"panel = {step}" for step in steps), asked.run("panel")])


def _scored(record: ScoreRecord, panel: Panel) -> str:
    """What scored an instrument, with the options that were not as usual."""
    from ..scoring import instrument, item_columns

    told = [repr(record.instrument)]
    try:
        usual = item_columns(record.key, panel.columns) == dict(record.items)
    except ScoreError:  # columns of other names
        usual = False
    if not usual:
        told.append(f"items={list(record.items.values())}")
    try:
        key = instrument(record.instrument)
    except InstrumentError:  # one's own
        key = record.key
    if (key.low, key.high) != record.answers:
        told.append("answers=({:g}, {:g})".format(*record.answers))
    if record.already_reversed:
        told.append("already_reversed=True")
    if record.out_of_range:
        told.append("out_of_range='missing'")
    return f"score(panel, {', '.join(told)})"
