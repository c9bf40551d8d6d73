"""score: items of instruments to scale scores."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .console import busy, print_result
from .files import answering, build_panel, load, refuse_output, write_panel
from .options import (
    Answers,
    Cluster,
    File,
    Instruments,
    Items,
    Json,
    Missing,
    NumberBy,
    OutOfRange,
    Person,
    Read,
    Reversed,
    Session,
    Time,
    Wide,
)

EPILOG = "Example: sessionwise score sessions.csv --person patient --session session -i core-om -o scored.csv"


def score(
    file: File,
    person: Person,
    session: Session = None,
    instrument: Instruments = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write, .csv or .parquet.", show_default=False)
    ] = None,
    cluster: Cluster = None,
    time: Time = None,
    answers: Answers = None,
    items: Items = None,
    already_reversed: Reversed = False,
    out_of_range: OutOfRange = "error",
    missing: Missing = None,
    wide: Wide = None,
    read: Read = None,
    number_by: NumberBy = None,
    json_: Json = False,
) -> None:
    """Turn the items of instruments into scale scores, and say what was pro-rated or could not be scored."""
    with busy("reading and scoring"):
        if output is not None:
            refuse_output(output, file)
        how = answering(instrument, items, answers, already_reversed)
        table, roles = load(file, person, session, cluster, time, missing, wide, read, number_by)
        panel = build_panel(table, roles)
        scored = how.scored(panel, out_of_range)
        if output is not None:
            write_panel(scored, output)
    new = [name for name in scored.columns if name not in panel]
    told: dict[str, Any] = {"command": "score", "file": file.name, "columns": new}
    told |= {"records": [r.to_dict() for r in scored.records], "findings": scored.findings.to_dicts()}
    told |= {"output": None if output is None else str(output)}
    shown = [*scored.records, scored.findings]
    print_result(json_, told, *shown, *([] if output is None else [f"written: {output}"]))
