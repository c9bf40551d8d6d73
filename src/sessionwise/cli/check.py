"""check: what is wrong or odd in a file."""

from __future__ import annotations

import typer

from .answering import Answering
from .console import busy, print_result
from .files import SessionsFile
from .options import Json, verb

EPILOG = "Example: sessionwise check sessions.csv --person patient --session session --cluster therapist"


@verb
def check(sessions: SessionsFile, answering: Answering, json_: Json = False) -> None:
    """List what is wrong or odd in a file. Ends with status 1 if something must be mended first."""
    from ..checks import check as check_table

    with busy("reading and checking"):
        instruments = answering.checked()
        rows = sessions.long_table()
        findings = check_table(rows.table, **rows.roles.named(), instruments=instruments.keys())
    record = {"command": "check", "file": sessions.file.name, "findings": findings.to_dicts()}
    print_result(json_, record, findings)
    if findings.errors:
        raise typer.Exit(1)
