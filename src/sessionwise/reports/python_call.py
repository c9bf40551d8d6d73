"""The call in Python that gives the same study again: Panel, scoring, Study."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import InstrumentError, ScoreError

if TYPE_CHECKING:
    from ..panel import Panel
    from ..study import StudyResult


def python_call(result: StudyResult, panel: Panel | None) -> str:
    """One line. panel : the data, whose records say what was scored; None: nothing is known of that."""
    if panel is None or not panel.records:
        return result.call
    study, _, rest = result.call.partition(".run(")
    made, _, options = rest.rpartition(", ")
    steps = [made, *(_scored(record, panel) for record in panel.records)]
    return "; ".join([*(f"panel = {step}" for step in steps), f"{study}.run(panel, {options}"])


def _scored(record: Any, panel: Panel) -> str:
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
