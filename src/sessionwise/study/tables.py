"""The tables of a result, in the order a paper reports them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..words import counted, percent, signed
from .records import (
    Coefficient,
    Direction,
    DropOutModel,
    Estimate,
    FewSessions,
    Heterogeneity,
    Moderation,
    NotAnswered,
    PersonEffects,
    SensitivityRow,
    Step,
)
from .study_table import Cell, Column, StudyTable
from .words.phrases import before

if TYPE_CHECKING:
    from .result import StudyResult

#: What is told below models side by side.
COMPARABLE = "REML criteria compare models with the same predictors of the same sessions only."
_ENDS = (Column("low", "Low", "number", "low"), Column("high", "High", "number", "high"))
_ESTIMATE = (Column("estimate", "Estimate", "number"), *_ENDS, Column("p", "p", "p"))
_STANDARDISED = (
    Column("standardised", "Standardised", "number"),
    Column("standardised_low", "Standardised, low", "number", "low"),
    Column("standardised_high", "Standardised, high", "number", "high"),
)


#: Names of all tables that a result can have.
NAMES: tuple[str, ...] = (
    "flow",
    "sessions",
    "scales",
    "reliability",
    "course",
    "drop_out_model",
    *(f"{side}{part}" for side in ("forward", "reverse") for part in ("_models", "", "_differences", "_slopes")),
    "sensitivity",
    "few_sessions",
    "person_effects",
    "checklist",
    "not_answered",
)


def tables(result: StudyResult) -> dict[str, StudyTable]:
    """Name -> table; a part that could not be answered has none."""
    found: list[StudyTable | None] = [
        _flow(result),
        _sessions(result),
        _scales(result),
        _reliability(result),
        _course(result),
    ]
    found.append(_drop_out(result))
    for one in (result.forward, result.reverse):
        if isinstance(one, Direction):
            found += [_models(result, one), _effects(result, one), _differences(result, one), _slopes(result, one)]
    found += [_sensitivity(result), _few_sessions(result), _persons(result), _checklist(result), _unanswered(result)]
    return {table.name: table for table in found if table is not None and table.rows}


# --- the sample ---------------------------------------------------------------------------------


def _flow(result: StudyResult) -> StudyTable:
    columns = (
        Column("step", "Step"),
        Column("persons", f"{result.person.capitalize()}s", "count"),
        Column("sessions", "Sessions", "count"),
        Column("why", "Left out"),
    )
    rows = tuple((s.what, s.persons, s.sessions, s.why) for s in result.flow)
    return StudyTable("flow", "From the file to the main model", columns, rows)


def _sessions(result: StudyResult) -> StudyTable:
    d = result.description.drop_out
    columns = (
        Column("session", "Session", "count"),
        Column("persons", "Still in treatment", "count"),
        Column("share", "Share", "share"),
        Column("low", "Low", "share", "low"),
        Column("high", "High", "share", "high"),
        Column("ended", "Ended here", "count"),
    )
    parts = (d.session, d.persons, d.share, d.low, d.high, d.ended)
    rows = tuple(zip(*(part.tolist() for part in parts), strict=True))
    note = "Still in treatment: this or a later session attended. Interval by Wilson's method."
    return StudyTable("sessions", "Course of attendance", columns, rows, (note,))


def _scales(result: StudyResult) -> StudyTable:
    columns = (
        Column("variable", "Variable"),
        Column("n", "n", "count"),
        Column("missing", "Missing", "count"),
        Column("mean", "Mean", "number"),
        Column("sd", "SD", "number"),
        Column("sd_within", "SD within", "number"),
        Column("sd_between", "SD between", "number"),
        Column("icc", "ICC", "number"),
        Column("icc_low", "ICC, low", "number", "low"),
        Column("icc_high", "ICC, high", "number", "high"),
    )
    names = dict(result.called)
    rows: list[tuple[Cell, ...]] = []
    for v in result.description.variables:
        ends = v.icc_interval or (None, None)
        rows.append((names.get(v.name, v.name), v.n, v.missing, v.mean, v.sd, v.sd_within, v.sd_between, v.icc, *ends))
    rows += [(p.name, p.n, p.missing, p.mean, p.sd, *(None,) * 5) for p in result.description.persons]
    return StudyTable(
        "scales",
        f"Variables, within and between {result.person}s",
        columns,
        tuple(rows),
        (
            f"n: sessions, or {result.person}s where a value is the same in all sessions. "
            f"ICC: share of variance between {result.person}s.",
        ),
    )


def _reliability(result: StudyResult) -> StudyTable:
    columns = (
        Column("scale", "Scale"),
        Column("items", "Items", "count"),
        Column("sessions", "Sessions", "count"),
        Column("within", f"Within {result.person}s (RCn)", "number"),
        Column("between_one", "Between, one session (R1n)", "number"),
        Column("between_mean", "Between, mean (RkRn)", "number"),
    )
    names = dict(result.called)
    rows = tuple(
        (names[r.name], len(r.items), r.sessions, r.r_cn, r.r_1n, r.r_krn)
        for r in result.description.reliability
        if r.name in names
    )
    note = f"Generalisability theory, sessions nested in {result.person}s (Shrout & Lane, 2012)."
    return StudyTable("reliability", "Reliability of the scales", columns, rows, (note,))


def _course(result: StudyResult) -> StudyTable:
    columns = (
        Column("variable", "Variable"),
        Column("session", "Session", "count"),
        Column("persons", f"{result.person.capitalize()}s", "count"),
        Column("mean", "Mean", "number"),
        *_ENDS,
    )
    names = dict(result.called)
    rows = tuple((names[p.column], p.session, p.persons, p.mean, p.low, p.high) for p in result.course)
    return StudyTable("course", "Averages by session", columns, rows, ("Who is left changes from session to session.",))


def _drop_out(result: StudyResult) -> StudyTable | None:
    d = result.drop_out
    if not isinstance(d, DropOutModel):
        return None
    columns = (
        Column("predictor", "Predictor"),
        Column("sd", "SD", "number"),
        Column("odds_ratio", "Odds ratio", "number"),
        *_ENDS,
        Column("p", "p", "p"),
    )
    rows = tuple(
        (e.label, e.sd, e.odds_ratio.value, e.odds_ratio.low, e.odds_ratio.high, e.odds_ratio.p) for e in d.effects
    )
    note = (
        f"Discrete-time hazard of leaving after a session, for one SD more: {d.events:,} of {d.persons:,} "
        f"{result.person}s at {d.sessions:,} sessions; the hazard has a level of its own in {len(d.baseline)} periods. "
        "Change: from the mean of earlier values."
    )
    return StudyTable("drop_out_model", "Who leaves", columns, rows, (note, d.words))


# --- directions ---------------------------------------------------------------------------------


def _models(result: StudyResult, one: Direction) -> StudyTable:
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
    notes.append(COMPARABLE)
    return StudyTable(f"{one.key}_models", f"Models of {result.arrow(one.key)}", tuple(columns), rows, tuple(notes))


def _parameters(result: StudyResult, step: Step) -> tuple[dict[str, tuple[Cell, ...]], ...]:
    """Coefficients, standard deviations, and what is said of the model, each name -> value, low, high."""
    fixed: dict[str, tuple[Cell, ...]] = {c.label: _four(c.estimate)[:3] for c in step.coefficients}
    sds: dict[str, tuple[Cell, ...]] = {c.label: (c.sd, None, None) for c in step.components}
    counts = {"Sessions": step.sessions, f"{result.person.capitalize()}s": step.persons}
    told = {"REML criterion": step.deviance, **counts}
    return fixed, sds, {name: (value, None, None) for name, value in told.items()}


def _effects(result: StudyResult, one: Direction) -> StudyTable:
    names = dict(result.called)
    predictor, response, earlier = names[one.predictor], names[one.response], before(result.study.lag)
    columns = (Column("effect", "Effect"), *_ESTIMATE, *_STANDARDISED)
    rows: list[tuple[Cell, ...]] = [
        (f"{predictor}, {earlier} (within)", *_four(one.within), *_four(one.standardised)[:3]),
        (f"{response}, {earlier} (within)", *_four(one.previous), *_four(one.previous)[:3]),
    ]
    if one.same_session and one.same_session_standardised:
        ends = _four(one.same_session_standardised)[:3]
        rows.append((f"{predictor}, same session (within)", *_four(one.same_session), *ends))
    if isinstance(one.between, Estimate):
        rows.append((f"{predictor}, {result.person}'s mean (between)", *_four(one.between), None, None, None))
    note = f"{one.sessions:,} sessions of {one.persons:,} {result.person}s. Standardised: in within-person SDs."
    explained = (
        ""
        if one.explained is None
        else (f" Explained within {result.person}s by all predictors, trend included: {percent(one.explained, 1)}.")
    )
    return StudyTable(one.key, result.arrow(one.key), columns, tuple(rows), (note + explained,))


def _differences(result: StudyResult, one: Direction) -> StudyTable | None:
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


def _slopes(result: StudyResult, one: Direction) -> StudyTable:
    columns = (Column("moderator", "Moderator"), Column("at", "At"), *_ESTIMATE, *_STANDARDISED)
    rows: list[tuple[Cell, ...]] = []
    notes = []
    for m in (m for m in one.moderators if isinstance(m, Moderation)):
        rows += [(m.moderator, s.at, *_four(s.estimate), *_four(s.standardised)[:3]) for s in m.slopes]
        rows += [(m.moderator, _difference(m, c), *_four(c.estimate), *(None,) * 3) for c in m.interactions]
        of = f"{counted(m.sessions, 'session')} of {counted(m.persons, result.person)}"
        notes.append(f"{m.moderator}: F({m.df1:.0f}, {m.df2:.0f}) = {m.f:.2f}, in {of}.")
    return StudyTable(f"{one.key}_slopes", f"For whom: {result.arrow(one.key)}", columns, tuple(rows), tuple(notes))


def _difference(m: Moderation, c: Coefficient) -> str:
    """'difference, pd = 1 minus pd = 0', or of one unit more."""
    ends = [slope.at for slope in m.slopes]
    if len(ends) == 2:
        return f"difference, {ends[1]} minus {ends[0]}"
    if c.category is None:
        return f"for one {m.moderator} more"
    return f"difference, {m.moderator} = {c.category} minus {ends[0]}"


def _four(e: Estimate) -> tuple[float, float, float, float]:
    return e.value, e.low, e.high, e.p


# --- sensitivity, persons, method ---------------------------------------------------------------


def _sensitivity(result: StudyResult) -> StudyTable:
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
    )
    rows = tuple(
        (row.label, *_side(row, "forward"), *_side(row, "reverse"), row.persons) for row in result.sensitivity.rows
    )
    s = result.sensitivity
    known = any(row.bias_forward is not None or row.bias_reverse is not None for row in s.rows)
    notes = [
        f"Forward: {result.arrow('forward')}. Reverse: {result.arrow('reverse')}. In within-person SDs "
        f"({s.sd_outcome:.3g} and {s.sd_process:.3g}). First sessions: {s.first}."
        + (" Bias: expected because of few sessions." if known else ""),
        *(str(e) for row in s.rows for e in dict.fromkeys((row.forward, row.reverse)) if isinstance(e, NotAnswered)),
    ]
    return StudyTable("sensitivity", "Both directions by every method", columns, rows, tuple(dict.fromkeys(notes)))


def _side(row: SensitivityRow, side: str) -> tuple[Cell, ...]:
    e = getattr(row, side)
    if isinstance(e, NotAnswered):
        return None, None, None, None
    return e.value, e.low, e.high, getattr(row, f"bias_{side}")


def _few_sessions(result: StudyResult) -> StudyTable | None:
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


def _persons(result: StudyResult) -> StudyTable | None:
    e = result.persons
    if not isinstance(e, PersonEffects):
        return None
    columns = (
        Column("person", result.person.capitalize()),
        Column("effect", "Effect", "number"),
        *_ENDS,
        Column("pairs", "Lagged pairs", "count"),
    )
    rows = tuple((str(p.person), p.value, p.low, p.high, p.pairs) for p in e.effects)
    note = (
        f"Shrunken towards the average, {signed(f'{e.average:.3g}')}; SD {e.sd:.3g}, reliability {e.reliability:.2f}. "
        f"{e.apart:,} of {len(e.effects):,} differ from the average by more than their error. Intervals take the "
        "variances as known."
    )
    title = f"{result.arrow('forward')}, each {result.person}"
    return StudyTable("person_effects", title, columns, rows, (note,))


def _checklist(result: StudyResult) -> StudyTable:
    columns = (Column("rule", "Rule"), Column("kept", "Kept"), Column("done", "What was done"))
    rows = tuple((r.rule, r.kept, r.done) for r in result.checklist)
    return StudyTable("checklist", "Checklist of method", columns, rows)


def _unanswered(result: StudyResult) -> StudyTable:
    columns = (Column("question", "Question"), Column("why", "Why not"), Column("needed", "What would be needed"))
    rows = tuple((n.question, n.why, n.needed) for n in result.unanswered)
    return StudyTable("not_answered", "What these data cannot answer", columns, rows)
