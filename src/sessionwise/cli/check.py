"""check: what is wrong or odd in a file."""

from __future__ import annotations

import typer

from .console import busy, print_result
from .files import answering, load
from .options import (
    Answers,
    Cluster,
    File,
    Instruments,
    Items,
    Json,
    Missing,
    NumberBy,
    Person,
    Read,
    Reversed,
    Session,
    Time,
    Wide,
)

EPILOG = "Example: sessionwise check sessions.csv --person patient --session session --cluster therapist"


def check(
    file: File,
    person: Person,
    session: Session = None,
    cluster: Cluster = None,
    time: Time = None,
    instrument: Instruments = None,
    answers: Answers = None,
    items: Items = None,
    already_reversed: Reversed = False,
    missing: Missing = None,
    wide: Wide = None,
    read: Read = None,
    number_by: NumberBy = None,
    json_: Json = False,
) -> None:
    """List what is wrong or odd in a file. Ends with status 1 if something must be mended first."""
    from ..checks import check as run

    with busy("reading and checking"):
        how = answering(instrument, items, answers, already_reversed)
        table, roles = load(file, person, session, cluster, time, missing, wide, read, number_by)
        findings = run(table, **roles, instruments=how.keys())
    print_result(json_, {"command": "check", "file": file.name, "findings": findings.to_dicts()}, findings)
    if findings.errors:
        raise typer.Exit(1)
