"""Tables of the sample: from the file to the model, scales, course, who leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..records import DropOutModel
from ..study_table import Cell, Column, StudyTable
from .estimate_columns import ENDS

if TYPE_CHECKING:
    from ..result import StudyResult


def flow(result: StudyResult) -> StudyTable:
    columns = (
        Column("step", "Step"),
        Column("persons", f"{result.person.capitalize()}s", "count"),
        Column("sessions", "Sessions", "count"),
        Column("why", "Left out"),
    )
    rows = tuple((s.what, s.persons, s.sessions, s.why) for s in result.flow)
    return StudyTable("flow", "From the file to the main model", columns, rows)


def sessions(result: StudyResult) -> StudyTable:
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


def scales(result: StudyResult) -> StudyTable:
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


def reliability(result: StudyResult) -> StudyTable:
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


def course(result: StudyResult) -> StudyTable:
    columns = (
        Column("variable", "Variable"),
        Column("session", "Session", "count"),
        Column("persons", f"{result.person.capitalize()}s", "count"),
        Column("mean", "Mean", "number"),
        *ENDS,
    )
    names = dict(result.called)
    rows = tuple((names[p.column], p.session, p.persons, p.mean, p.low, p.high) for p in result.course)
    return StudyTable("course", "Averages by session", columns, rows, ("Who is left changes from session to session.",))


def drop_out(result: StudyResult) -> StudyTable | None:
    d = result.drop_out
    if not isinstance(d, DropOutModel):
        return None
    columns = (
        Column("predictor", "Predictor"),
        Column("sd", "SD", "number"),
        Column("odds_ratio", "Odds ratio", "number"),
        *ENDS,
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
