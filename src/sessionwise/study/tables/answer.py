"""Tables of the answer: each effect on a line of its own, and what would make it wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..study_table import Column, StudyTable
from .estimate_columns import ESTIMATE, STANDARDISED, four

if TYPE_CHECKING:
    from ..result import StudyResult

_UNSEEN = (
    "If leaving is unseen: the estimate if leaving depended on the scores that would have come next, not on the last "
    "ones; the interval spans both."
)


def answer(result: StudyResult) -> StudyTable:
    """Each estimand on a line of its own."""
    columns = (
        Column("effect", "Effect"),
        Column("held", "Held constant"),
        *ESTIMATE,
        *STANDARDISED,
        Column("robustness", "Undone by", "share"),
        Column("robustness_interval", "Unclear by", "share"),
        Column("unseen_leaving", "If leaving is unseen", "number"),
        Column("method", "Method"),
    )
    rows = tuple(
        (
            one.label,
            one.held,
            *four(one.estimate),
            *four(one.standardised)[:3],
            one.robustness,
            one.robustness_interval,
            one.unseen_leaving,
            one.method,
        )
        for one in result.estimands
    )
    notes: tuple[str, ...] = (
        f"All within {result.person}s. Standardised: in within-person SDs. The answer is the net effect, by all ways "
        "that lead there together; none of the others stands in for it.",
        f"Undone by: the share of what varies within {result.person}s in both scores that an unseen common cause "
        "between sessions would have to explain to leave nothing of the effect; unclear by: to bring zero into its "
        "interval (Cinelli & Hazlett, 2020).",
    )
    if any(one.unseen_leaving is not None for one in result.estimands):
        notes = (*notes, _UNSEEN)
    return StudyTable("answer", "What is the effect of what", columns, rows, notes)


def diagnostics(result: StudyResult) -> StudyTable:
    columns = (
        Column("question", "Question"),
        Column("chi2", "χ²", "number"),
        Column("df", "df", "count"),
        Column("p", "p", "p"),
        Column("alarm", "Alarm"),
        Column("found", "What it says"),
    )
    rows = tuple(
        (one.question, one.chi2, one.df, one.p, "yes" if one.alarm else "no", one.words) for one in result.diagnostics
    )
    return StudyTable("diagnostics", "What would make the answer wrong", columns, rows)


def diagnostic_effects(result: StudyResult) -> StudyTable:
    """What diagnostics compared."""
    columns = (
        Column("question", "Question"),
        Column("of", "Effects with"),
        Column("forward", "Forward", "number"),
        Column("reverse", "Reverse", "number"),
    )
    rows = tuple((one.question, *effects) for one in result.diagnostics for effects in one.effects)
    note = f"Forward: {result.arrow('forward')}. Reverse: {result.arrow('reverse')}. In within-person SDs."
    return StudyTable("diagnostic_effects", "What was compared for that", columns, rows, (note,))
