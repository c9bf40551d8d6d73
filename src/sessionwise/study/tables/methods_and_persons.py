"""Tables of methods side by side, of few sessions, of persons, of the checklist, of what cannot be answered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...errors import some
from ...words import apa_number, signed
from ..methods.registry import methods
from ..records import (
    Direction,
    Estimate,
    FewSessions,
    Heterogeneity,
    NotAnswered,
    PersonEffects,
    SensitivityRow,
)
from ..study_table import Cell, Column, StudyTable
from .estimate_columns import ENDS, four

if TYPE_CHECKING:
    from ..result import StudyResult


def sensitivity(result: StudyResult) -> StudyTable:
    columns = (
        Column("method", "Method"),
        Column("forward", "Forward", "number"),
        Column("forward_low", "Forward, low", "number", "low"),
        Column("forward_high", "Forward, high", "number", "high"),
        Column("forward_bias", "Bias, forward", "number"),
        Column("reverse", "Reverse", "number"),
        Column("reverse_low", "Reverse, low", "number", "low"),
        Column("reverse_high", "Reverse, high", "number", "high"),
        Column("reverse_bias", "Bias, reverse", "number"),
        Column("persons", f"{result.person.capitalize()}s", "count"),
        Column("forward_apart", "Apart, forward", "number"),
        Column("reverse_apart", "Apart, reverse", "number"),
    )
    rows = tuple(
        (
            row.label,
            *_side(row, "forward"),
            *_side(row, "reverse"),
            row.persons,
            row.apart_forward,
            row.apart_reverse,
        )
        for row in result.sensitivity.rows
    )
    s = result.sensitivity
    known = any(row.bias_forward is not None or row.bias_reverse is not None for row in s.rows)
    notes = [
        f"Forward: {result.arrow('forward')}. Reverse: {result.arrow('reverse')}. In within-person SDs "
        f"({s.sd_outcome:.3g} and {s.sd_process:.3g}). First sessions: {s.first}."
        + (" Bias: expected because of few sessions." if known else "")
        + " Apart: from the first row, without these biases, in standard errors of a difference in the same data.",
        *_not_judged(s.rows),
        *(str(e) for row in s.rows for e in dict.fromkeys((row.forward, row.reverse)) if isinstance(e, NotAnswered)),
    ]
    return StudyTable("sensitivity", "Both directions by every method", columns, rows, tuple(dict.fromkeys(notes)))


def _not_judged(rows: tuple[SensitivityRow, ...]) -> Iterator[str]:
    shown = {method.key for method in methods() if not method.judged}
    labels = [row.label for row in rows if row.key in shown]
    if labels:
        yield f"Shown for what taking less out does, and not judged: {some(labels, 12)}."


def in_units(result: StudyResult) -> StudyTable:
    """The rows of the sensitivity table that have an estimate, as the answer tells them."""
    columns = (
        Column("method", "Method"),
        Column("forward", "Forward", "number"),
        Column("forward_low", "Forward, low", "number", "low"),
        Column("forward_high", "Forward, high", "number", "high"),
        Column("reverse", "Reverse", "number"),
        Column("reverse_low", "Reverse, low", "number", "low"),
        Column("reverse_high", "Reverse, high", "number", "high"),
    )
    s = result.sensitivity
    scales = {"forward": s.sd_outcome / s.sd_process, "reverse": s.sd_process / s.sd_outcome}
    rows = []
    for row in s.rows:
        sides = [(getattr(row, side), scale) for side, scale in scales.items()]
        if any(isinstance(e, Estimate) for e, _ in sides):
            rows.append((row.label, *(cell for e, scale in sides for cell in _scaled(e, scale))))
    note = f"Forward: {result.arrow('forward')}. Reverse: {result.arrow('reverse')}. For one point more."
    return StudyTable("sensitivity_units", "The same in the units of the scores", columns, tuple(rows), (note,))


def _scaled(e: Estimate | NotAnswered, scale: float) -> tuple[Cell, ...]:
    return (None, None, None) if isinstance(e, NotAnswered) else four(e.times(scale))[:3]


def _side(row: SensitivityRow, side: str) -> tuple[Cell, ...]:
    e = getattr(row, side)
    if isinstance(e, NotAnswered):
        return None, None, None, None
    return e.value, e.low, e.high, getattr(row, f"bias_{side}")


def few_sessions(result: StudyResult) -> StudyTable | None:
    few = result.few_sessions
    if not isinstance(few, FewSessions):
        return None
    columns = (
        Column("coefficient", "Coefficient"),
        Column("direction", "Model"),
        Column("estimate", "Estimate", "number"),
        Column("bias", "Expected bias", "number"),
        Column("without", "Without", "number"),
    )
    rows: list[tuple[Cell, ...]] = [(c.label, c.direction, c.estimate, c.bias, c.without) for c in few.coefficients]
    rows += [
        (f"an autoregression of {rho:.2f} alone", "Nickell (1981)", rho + bias, bias, rho) for rho, bias in few.table
    ]
    return StudyTable("few_sessions", "What few sessions do", columns, tuple(rows), (few.words,))


def persons(result: StudyResult) -> StudyTable | None:
    e = result.persons
    if not isinstance(e, PersonEffects):
        return None
    columns = (
        Column("person", result.person.capitalize()),
        Column("effect", "Effect", "number"),
        *ENDS,
        Column("pairs", "Lagged pairs", "count"),
    )
    rows = tuple((str(p.person), p.value, p.low, p.high, p.pairs) for p in e.effects)
    h = result.forward.heterogeneity if isinstance(result.forward, Direction) else None
    apart = (
        f"{e.apart:,} of {len(e.effects):,} differ from the average by more than their error. "
        if isinstance(h, Heterogeneity) and h.p < 0.05
        else f"{result.person.capitalize()}s were not shown to differ. "
    )
    note = (
        f"Shrunken towards the average, {signed(f'{e.average:.3g}')}; SD {e.sd:.3g}, reliability {e.reliability:.2f}. "
        f"{apart}Intervals take the variances as known."
    )
    if e.correlation is not None:
        note += f" Effects and levels correlate by {apa_number(e.correlation)}."
    title = f"{result.arrow('forward')}, each {result.person}"
    return StudyTable("person_effects", title, columns, rows, (note,))


def checklist(result: StudyResult) -> StudyTable:
    columns = (Column("rule", "Rule"), Column("kept", "Kept"), Column("done", "What was done"))
    rows = tuple((r.rule, r.kept, r.done) for r in result.checklist)
    return StudyTable("checklist", "Checklist of method", columns, rows)


def unanswered(result: StudyResult) -> StudyTable:
    columns = (Column("question", "Question"), Column("why", "Why not"), Column("needed", "What would be needed"))
    rows = tuple((n.question, n.why, n.needed) for n in result.unanswered)
    return StudyTable("not_answered", "What these data cannot answer", columns, rows)
