"""Tables of a direction: models side by side, effects, how persons differ, for whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...words import apa_number, counted, p_words, percent
from ..records import Coefficient, Direction, Estimate, Heterogeneity, Moderation, Step
from ..study_table import Cell, Column, StudyTable
from ..words.phrases import before
from .estimate_columns import ESTIMATE, STANDARDISED, four

if TYPE_CHECKING:
    from ..result import StudyResult

#: What is told below models side by side.
COMPARABLE = "REML criteria compare models with the same predictors of the same sessions only."
FREE_COURSE = "The free course over sessions is in the models and not listed."


def models(result: StudyResult, one: Direction) -> StudyTable:
    """Models side by side, a row for each parameter."""
    steps = [s for s in one.steps if isinstance(s, Step)]
    columns = [Column("parameter", "")]
    for step in steps:
        columns += [
            Column(step.key, step.label, "number"),
            Column(f"{step.key}_low", f"{step.label}, low", "number", "low"),
            Column(f"{step.key}_high", f"{step.label}, high", "number", "high"),
        ]
    cells = [_parameters(result, step) for step in steps]
    names = list(dict.fromkeys(name for kind in (0, 1, 2) for own in cells for name in own[kind]))
    found = [own[0] | own[1] | own[2] for own in cells]
    rows = tuple((name, *(c for own in found for c in own.get(name, (None, None, None)))) for name in names)
    notes = [f"{step.label}: {step.formula}. {step.verdict}" for step in steps]
    if any(c.course for step in steps for c in step.coefficients):
        notes.append(FREE_COURSE)
    notes.append(COMPARABLE)
    return StudyTable(f"{one.key}_models", f"Models of {result.arrow(one.key)}", tuple(columns), rows, tuple(notes))


def _parameters(result: StudyResult, step: Step) -> tuple[dict[str, tuple[Cell, ...]], ...]:
    """Coefficients, standard deviations, and what is said of the model, each name -> value, low, high."""
    fixed: dict[str, tuple[Cell, ...]] = {c.label: four(c.estimate)[:3] for c in step.coefficients if not c.course}
    sds: dict[str, tuple[Cell, ...]] = {c.label: (c.sd, None, None) for c in step.components}
    counts = {"Sessions": step.sessions, f"{result.person.capitalize()}s": step.persons}
    told = {"REML criterion": step.deviance, **counts}
    return fixed, sds, {name: (value, None, None) for name, value in told.items()}


def effects(result: StudyResult, one: Direction) -> StudyTable:
    names = dict(result.called)
    predictor, response, earlier = names[one.predictor], names[one.response], before(result.study.lag)
    columns = (Column("effect", "Effect"), *ESTIMATE, *STANDARDISED)
    rows: list[tuple[Cell, ...]] = [
        (f"{predictor}, {earlier} (within)", *four(one.within), *four(one.standardised)[:3]),
        (f"{response}, {earlier} (within)", *four(one.previous), *four(one.previous)[:3]),
    ]
    if isinstance(one.between, Estimate):
        rows.append((f"{predictor}, {result.person}'s mean (between)", *four(one.between), None, None, None))
    note = f"{one.sessions:,} sessions of {one.persons:,} {result.person}s. Standardised: in within-person SDs."
    explained = (
        ""
        if one.explained is None
        else (f" Explained within {result.person}s by all predictors, trend included: {percent(one.explained, 1)}.")
    )
    return StudyTable(one.key, f"{result.arrow(one.key)}, multilevel model", columns, tuple(rows), (note + explained,))


def differences(result: StudyResult, one: Direction) -> StudyTable | None:
    h = one.heterogeneity
    if not isinstance(h, Heterogeneity):
        return None
    columns = (
        Column("mean", "Mean", "number"),
        Column("sd", "SD", "number"),
        Column("low", f"95 % of {result.person}s, low", "number"),
        Column("high", f"95 % of {result.person}s, high", "number"),
        Column("expected", f"Share {h.direction}", "share"),
        Column("chi2", "χ²", "number"),
        Column("p", "p", "p"),
    )
    rows = ((h.mean, h.sd, h.low, h.high, h.expected, h.chi2, h.p),)
    title = f"How {result.person}s differ: {result.arrow(one.key)}"
    return StudyTable(f"{one.key}_differences", title, columns, rows, (f"p by {h.reference}",))


def slopes(result: StudyResult, one: Direction) -> StudyTable:
    columns = (Column("moderator", "Moderator"), Column("at", "At"), *ESTIMATE, *STANDARDISED)
    rows: list[tuple[Cell, ...]] = []
    notes = []
    for m in (m for m in one.moderators if isinstance(m, Moderation)):
        rows += [(m.moderator, s.at, *four(s.estimate), *four(s.standardised)[:3]) for s in m.slopes]
        rows += [(m.moderator, _difference(m, c), *four(c.estimate), *(None,) * 3) for c in m.interactions]
        of = f"{counted(m.sessions, 'session')} of {counted(m.persons, result.person)}"
        notes.append(f"{m.moderator}: F({m.df1:.0f}, {m.df2:.0f}) = {apa_number(m.f)}, {p_words(m.p)}, in {of}.")
    return StudyTable(f"{one.key}_slopes", f"For whom: {result.arrow(one.key)}", columns, tuple(rows), tuple(notes))


def _difference(m: Moderation, c: Coefficient) -> str:
    """'difference, pd = 1 minus pd = 0', or of one unit more."""
    ends = [slope.at for slope in m.slopes]
    if len(ends) == 2:
        return f"difference, {ends[1]} minus {ends[0]}"
    if c.category is None:
        return f"for one {m.moderator} more"
    return f"difference, {m.moderator} = {c.category} minus {ends[0]}"
