"""REDCap's long export -> one row a session, with an integer session number.

The number comes from the event's name ('session_3_arm_1' -> 3), from the repeat instance, or from a mapping the user
gives. Nothing is filled forward; person-level values are spread only on request.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from ..errors import Argument, Datum, ReadError, Wording, nearest, read_option, some
from ..findings import Finding, Findings
from ..panel.exact import each, exact
from ..panel.table import Table
from ..words import agree, counted
from .headers import must_have
from .wave_words import DURING, LATER, Place, place
from .wide import lost_persons

if TYPE_CHECKING:
    import polars as pl

EVENT, INSTRUMENT, INSTANCE = "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance"
LABELS = {"Event Name": EVENT, "Repeat Instrument": INSTRUMENT, "Repeat Instance": INSTANCE}
"""Its own columns in exports with labels."""
Events = Mapping[str, int | Literal["instance"] | None]

_ARM = re.compile(r"(_arm_\d+|\s*\(arm \d+:.*\))$", re.IGNORECASE)


def is_redcap(table: Table) -> bool:
    """Whether the table has REDCap's own columns."""
    return EVENT in table.columns or INSTANCE in table.columns


def with_own_names(table: Table) -> Table:
    """An export with labels in its header ('Event Name') under REDCap's own names, with a note; others as they are."""
    names = {label: name for label, name in LABELS.items() if label in table.columns and name not in table.columns}
    event_second = table.columns[1:2] == ("Event Name",)
    if not event_second and not {"Repeat Instrument", "Repeat Instance"} <= set(names):
        return table
    said = some([f"{label!r} as {name!r}" for label, name in names.items()])
    note = Finding(
        "note",
        "redcap-labels",
        f"Read as a REDCap export with labels for names: {said}.",
        where=table.source,
        remedy=Wording(
            read_option("redcap", False),
            " reads the columns as they are. The export called raw data has the fields' own names, by which "
            "instruments are found.",
        ),
    )
    return replace(table, frame=table.frame.rename(names), findings=table.findings + Findings([note]))


def from_redcap(table: Table, events: Events, *, person: str | None, spread: Sequence[str]) -> Table:
    """The export with an integer `session` column after the person's.

    Parameters
    ----------
    table : the export as read.
    events : event name -> session number, 'instance' (the repeat instance is the number), or None (rows that belong
        to the person, not to a session: left out after spreading). The key '' is for rows
        without event and repeat instance. Events
        not named take the number in their name.
    person : the column with the record's identifier; None takes the first column, as REDCap writes it.
    spread : columns whose one value a person is filled into all of the person's rows.

    Raises
    ------
    ReadError : no REDCap columns, an event without a number, two values where one is needed.
    """
    import polars as pl

    if not is_redcap(table):
        raise ReadError(
            f"redcap= was given, but the file has neither {EVENT!r} nor {INSTANCE!r}.",
            where=table.source,
            remedy=Wording("Export with the event column, or leave ", read_option("redcap"), " out."),
        )
    who = person or table.columns[0]
    if who.startswith("redcap_"):
        raise ReadError(
            f"The first column is {who!r}, not a record's identifier: nothing says whose rows these are.",
            where=table.source,
            remedy=Wording(
                "Export with the record's identifier, or name the column of persons with ",
                Argument("person=", ("--person",)),
                ".",
            ),
        )
    for name in (who, *spread):
        must_have(table.columns, name, table.source)
    if "session" in table.columns:
        raise ReadError(
            "The file has a column 'session' already, and REDCap's event names would give another.",
            where=table.source,
            remedy=Wording(
                "Read it with ", read_option("redcap", False), " to keep the file's own, or rename that column."
            ),
        )
    session, person_level = _sessions(table, events)
    findings = [_numbered_note(table, session)]
    frame = table.frame.with_columns(session)
    frame = _spread(frame, who, spread, table, findings)
    at = 1 + frame.columns.index(who)
    order = [*frame.columns[:at], "session", *(c for c in frame.columns[at:] if c != "session")]
    frame = frame.select(each(order)).with_row_index("\0row").filter(~pl.Series(person_level))
    findings += _left_out(table, frame, who, int(person_level.sum()))
    frame = _merge_instruments(frame, who, table, findings)
    rows = frame["\0row"].to_numpy().astype("int64")
    numbers = rows + table.first_row if table.row_numbers is None else table.row_numbers[rows]
    return replace(table, frame=frame.drop("\0row"), findings=table.findings + Findings(findings), row_numbers=numbers)


def _sessions(table: Table, events: Events) -> tuple[pl.Series, pl.Series]:
    """The session number of each row, and which rows are the person's."""
    import polars as pl

    n = len(table)
    names = table[EVENT].cast(pl.String).fill_null("").to_list() if EVENT in table.columns else [""] * n
    instances = table[INSTANCE].to_list() if INSTANCE in table.columns else [None] * n
    unknown = sorted(set(events) - set(names))
    if unknown:
        raise ReadError(
            f"redcap= names event {unknown[0]!r}, which the file does not have.{nearest(unknown[0], set(names))}",
            where=table.source,
            remedy=f"Its events are {some(sorted(set(names)), 12)}.",
        )
    plan = {name: events.get(name, _number(name)) for name in set(names)}
    open_events = [n for n in dict.fromkeys(names) if n and n not in events]
    _same_unit(table, [n for n in open_events if isinstance(plan[n], int)], open_events)
    session: list[int | None] = []
    unnumbered: dict[str, list[int]] = {}
    for row, (name, instance) in enumerate(zip(names, instances, strict=True)):
        number = plan[name]
        of_person = name == "" and number is None  # a project without events: rows without an instance
        if number == "instance" or (instance is not None and (number == "?" or of_person)):
            number = instance if isinstance(instance, int) else "?"
        elif name not in events and instance is not None and instance != 1:
            number = "?"  # the event's number and the instance would both be the session
        if number == "?":
            unnumbered.setdefault(name, []).append(row)
        session.append(number if isinstance(number, int) else None)
    if unnumbered:
        raise _no_number(table, unnumbered)
    person_level = pl.Series([s is None for s in session], dtype=pl.Boolean)
    return pl.Series("session", session, dtype=pl.Int64), person_level


def _left_out(table: Table, kept: pl.DataFrame, who: str, count: int) -> list[Finding]:
    """What was lost with the rows that belong to persons: how many, and who has none left."""
    if not count:
        return []
    what = f"{counted(count, 'row')} that {agree(count, 'belongs', 'belong')} to a person and not to a session "
    what += f"{agree(count, 'was', 'were')} left out, as redcap= says."
    note = Finding("note", "redcap-person-rows", what, table.source, count)
    gone = lost_persons(table.frame, kept, who)
    if not gone:
        return [note]
    n = len(gone)
    before = (
        f"{counted(n, 'person')} {agree(n, 'has', 'have')} no session and {agree(n, 'is', 'are')} no longer in the "
    )
    what = Wording(f"{before}table: ", Datum(some(gone)), ".")
    remedy = Wording("Give these events a session number in ", read_option("redcap"), " to keep their rows.")
    return [note, Finding("warning", "redcap-person-lost", what, table.source, n, remedy)]


def _number(event: str) -> int | Literal["?"]:
    found = re.findall(r"\d+", _ARM.sub("", event))
    return int(found[0]) if len(found) == 1 and len(found[0]) < 10 else "?"


def _same_unit(table: Table, numbered: list[str], every: list[str]) -> None:
    """ReadError if the numbers in the events' names count different things: week 4 comes before month 3."""
    words = {name: re.sub(r"[\W\d_]+", " ", _ARM.sub("", name)).strip().lower() for name in numbered}
    if len(set(words.values())) < 2:
        return
    first = numbered[0]
    other = next(n for n in numbered if words[n] != words[first])
    example = read_option("redcap", {n: i for i, n in enumerate(_in_order(every), 1)})
    raise ReadError(
        f"The numbers in the events' names count different things: {first!r} and {other!r}.",
        where=f"{table.source}, column {EVENT}",
        remedy=Wording(
            "Number them as sessions, for example ", example, "; or read with ", read_option("redcap", False), "."
        ),
    )


def _no_number(table: Table, unnumbered: Mapping[str, list[int]]) -> ReadError:
    import polars as pl

    names = list(unnumbered)
    every = (
        [*table[EVENT].cast(pl.String).drop_nulls().unique(maintain_order=True)] if EVENT in table.columns else names
    )
    numbers = _numbers(names, every)
    column = EVENT if EVENT in table.columns else INSTANCE
    which = f"the events {some([repr(n) for n in names])}" if column == EVENT else "rows without a repeat instance"
    return ReadError(
        f"No session number can be told for {which}.",
        where=f"{table.origin.say(unnumbered[names[0]])}, column {column}",
        remedy=Wording(
            "Give the numbers, for example ",
            read_option("redcap", numbers),
            "; in the place of the number, 'instance' takes the repeat instance, and None is for rows that belong to "
            "the person; or read with ",
            read_option("redcap", False),
            ".",
        ),
    )


def _numbers(names: list[str], every: list[str]) -> dict[str, int]:
    """Numbers to offer for events that have none, in the order of their waves.

    every : all events of the file. If none has a number, or a follow-up has one that is not a session's, all are
    numbered from 1. Otherwise numbers that no session of the file is likely to have: 0 for the one before treatment,
    from 101 on.
    """
    before = [n for n in _in_order(names) if (at := _wave(n)) and at.rank < DURING][:1]
    late = any((at := _wave(n)) and at.rank == LATER for n in every if n not in names)
    if (len(names) == len(every) and all(map(_wave, names))) or (late and names != before):
        return {n: i for i, n in enumerate(_in_order(every), 1)}
    rest = [n for n in _in_order(names) if n not in before]
    return {**dict.fromkeys(before, 0), **{n: 101 + i for i, n in enumerate(rest)}}


def _in_order(names: list[str]) -> list[str]:
    """Events in the order of their waves; as in the file, where their names do not tell."""
    waves = {name: _wave(name) for name in names}
    units = {at.unit for at in waves.values() if at is not None and at.rank == DURING}
    told = None not in waves.values() and len(units) < 2

    def key(name: str) -> tuple[int, int]:
        at = waves[name] or Place(DURING, 0)
        return at.rank, at.number if told or at.rank != DURING else 0

    return sorted(names, key=key)


def _wave(event: str) -> Place | None:
    return place(_ARM.sub("", event))


def _numbered_note(table: Table, session: pl.Series) -> Finding:
    found = session.drop_nulls().unique().sort().to_list()
    return Finding(
        "note",
        "redcap",
        f"Read as a REDCap export: sessions {some(found, 12)} are numbered by event and repeat instance.",
        where=table.source,
        count=len(found),
        remedy=Wording(read_option("redcap", False), " reads the columns as they are."),
    )


def _spread(
    frame: pl.DataFrame, who: str, spread: Sequence[str], table: Table, findings: list[Finding]
) -> pl.DataFrame:
    import polars as pl

    for column in spread:
        values = frame.group_by(exact(who), maintain_order=True).agg(
            exact(column).drop_nulls().unique().alias("values of one person")
        )
        several = values.filter(pl.col("values of one person").list.len() > 1)
        if several.height:
            raise ReadError(
                f"spread= needs one value of {column!r} a person, but person {several[who][0]!r} has "
                f"{some(several['values of one person'][0].sort().to_list())}.",
                where=f"{table.source}, column {column}",
                remedy=Wording("Correct it in the file, or leave the column out of ", read_option("spread"), "."),
            )
        before = frame[column].null_count()
        frame = frame.with_columns(exact(column).drop_nulls().first().over(exact(who)).alias(column))
        filled = before - frame[column].null_count()
        what = f"Column {column!r}: the person's value was filled into {counted(filled, 'other row')}."
        findings.append(Finding("note", "spread", what, f"column {column}", filled))
    return frame


def _one_event_each(frame: pl.DataFrame, who: str, table: Table) -> None:
    """ReadError if two events of a person have one session number: they are two sessions, not one."""

    if EVENT not in frame.columns:
        return
    groups = frame.group_by(exact(who), "session", maintain_order=True).agg(
        exact(EVENT).unique(maintain_order=True), "\0row"
    )
    wrong = groups.filter(exact(EVENT).list.len() > 1)
    if wrong.height:
        events, session = wrong[EVENT][0].to_list(), wrong["session"][0]
        raise ReadError(
            f"The events {some([repr(e) for e in events])} of one person both have session number {session}.",
            where=table.origin.say(wrong["\0row"][0].to_list()),
            remedy=Wording(
                "Give each event a number of its own in ",
                Argument("redcap={event: number}", ("--read", "redcap.EVENT=NUMBER")),
                ", one that no repeated session has.",
            ),
        )


def _merge_instruments(frame: pl.DataFrame, who: str, table: Table, findings: list[Finding]) -> pl.DataFrame:
    """Rows of one person and session that hold different instruments, as one row; ReadError if cells contradict."""
    import polars as pl

    if INSTRUMENT not in frame.columns or not frame.height:
        return frame
    double = frame.select(b=pl.struct(exact(who), "session").is_duplicated())["b"]
    same = frame.select(b=pl.struct(exact(who), "session", INSTRUMENT).is_duplicated())["b"]
    if not double.any() or same.any():
        return frame  # a session that stands twice is for `check` to report
    _one_event_each(frame, who, table)
    cells = [c for c in frame.columns if c not in (who, "session", "\0row", EVENT, INSTRUMENT, INSTANCE)]
    groups = frame.group_by(exact(who), "session", maintain_order=True)
    counts = groups.agg(*(c.drop_nulls().n_unique() for c in each(cells)), pl.col("\0row"))
    for column in cells:
        wrong = counts.filter(counts[column] > 1)
        if wrong.height:
            raise ReadError(
                f"Two instruments of one session have different values of {column!r}.",
                where=table.origin.say(wrong["\0row"][0].to_list()),
                remedy=Wording("Correct one of them in the file, or read with ", read_option("redcap", False), "."),
            )
    merged = groups.agg(
        pl.col("\0row").first(),
        *(c.drop_nulls().first() for c in each(cells)),
        *(exact(c).first() for c in (EVENT, INSTRUMENT, INSTANCE) if c in frame.columns),
    )
    gone = frame.height - merged.height
    what = f"{counted(gone, 'row')} with further instruments of a session {agree(gone, 'was', 'were')} joined to that "
    what += "session's row."
    findings.append(Finding("note", "redcap-instruments-joined", what, table.source, gone))
    return merged.select(each(frame.columns))
