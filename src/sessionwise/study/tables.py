"""The tables of a result, in the order a paper reports them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..errors import some
from ..words import apa_number, counted, p_words, percent, signed
from .methods.registry import methods
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
FREE_COURSE = "The free course over sessions is in the models and not listed."
_ENDS = (Column("low", "Low", "number", "low"), Column("high", "High", "number", "high"))
_ESTIMATE = (Column("estimate", "Estimate", "number"), *_ENDS, Column("p", "p", "p"))
_STANDARDISED = (
    Column("standardised", "Standardised", "number"),
    Column("standardised_low", "Standardised, low", "number", "low"),
    Column("standardised_high", "Standardised, high", "number", "high"),
)


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
    "checklist",
    "not_answered",
)


def tables(result: StudyResult) -> dict[str, StudyTable]:
    """Name -> table; a part that could not be answered has none."""
    found: list[StudyTable | None] = [
        _answer(result),
        _diagnostics(result),
        _compared(result),
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
    found += [
        _sensitivity(result),
        _in_units(result),
        _few_sessions(result),
        _persons(result),
        _checklist(result),
        _unanswered(result),
    ]
    return {table.name: table for table in found if table is not None and table.rows}


# --- the answer ---------------------------------------------------------------------------------


def _answer(result: StudyResult) -> StudyTable:
    """Each estimand on a line of its own."""
    columns = (
        Column("effect", "Effect"),
        Column("held", "Held constant"),
        *_ESTIMATE,
        *_STANDARDISED,
        Column("robustness", "Undone by", "share"),
        Column("robustness_interval", "Unclear by", "share"),
        Column("unseen_leaving", "If leaving is unseen", "number"),
        Column("method", "Method"),
    )
    rows = tuple(
        (
            one.label,
            one.held,
            *_four(one.estimate),
            *_four(one.standardised)[:3],
            one.robustness,
            one.robustness_interval,
            one.unseen_leaving,
            one.method,
        )
        for one in result.estimands
    )
    notes = (
        f"All within {result.person}s. Standardised: in within-person SDs. The answer is the net effect, by all ways "
        "that lead there together; none of the others stands in for it.",
        f"Undone by: the share of what varies within {result.person}s in both scores that an unseen common cause "
        "between sessions would have to explain to leave nothing of the effect; unclear by: to bring zero into its "
        "interval (Cinelli & Hazlett, 2020).",
        "If leaving is unseen: the estimate if leaving depended on the scores that would have come next, not on the "
        "last ones; the interval spans both.",
    )
    return StudyTable("answer", "What is the effect of what", columns, rows, notes)


def _diagnostics(result: StudyResult) -> StudyTable:
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


def _compared(result: StudyResult) -> StudyTable:
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
    if any(c.course for step in steps for c in step.coefficients):
        notes.append(FREE_COURSE)
    notes.append(COMPARABLE)
    return StudyTable(f"{one.key}_models", f"Models of {result.arrow(one.key)}", tuple(columns), rows, tuple(notes))


def _parameters(result: StudyResult, step: Step) -> tuple[dict[str, tuple[Cell, ...]], ...]:
    """Coefficients, standard deviations, and what is said of the model, each name -> value, low, high."""
    fixed: dict[str, tuple[Cell, ...]] = {c.label: _four(c.estimate)[:3] for c in step.coefficients if not c.course}
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
    if isinstance(one.between, Estimate):
        rows.append((f"{predictor}, {result.person}'s mean (between)", *_four(one.between), None, None, None))
    note = f"{one.sessions:,} sessions of {one.persons:,} {result.person}s. Standardised: in within-person SDs."
    explained = (
        ""
        if one.explained is None
        else (f" Explained within {result.person}s by all predictors, trend included: {percent(one.explained, 1)}.")
    )
    return StudyTable(one.key, f"{result.arrow(one.key)}, multilevel model", columns, tuple(rows), (note + explained,))


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


def _in_units(result: StudyResult) -> StudyTable:
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
    return (None, None, None) if isinstance(e, NotAnswered) else _four(e.times(scale))[:3]


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


def _checklist(result: StudyResult) -> StudyTable:
    columns = (Column("rule", "Rule"), Column("kept", "Kept"), Column("done", "What was done"))
    rows = tuple((r.rule, r.kept, r.done) for r in result.checklist)
    return StudyTable("checklist", "Checklist of method", columns, rows)


def _unanswered(result: StudyResult) -> StudyTable:
    columns = (Column("question", "Question"), Column("why", "Why not"), Column("needed", "What would be needed"))
    rows = tuple((n.question, n.why, n.needed) for n in result.unanswered)
    return StudyTable("not_answered", "What these data cannot answer", columns, rows)
