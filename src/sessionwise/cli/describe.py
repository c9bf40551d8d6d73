"""describe: sample, drop-out, missing data, variation within and between persons."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .console import busy, print_result
from .files import answering, build_panel, load, write_figures
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

EPILOG = "Example: sessionwise describe sessions.csv --person patient --session session --figures figures"


def describe(
    file: File,
    person: Person,
    session: Session = None,
    cluster: Cluster = None,
    time: Time = None,
    instrument: Instruments = None,
    column: Annotated[
        list[str] | None, typer.Option(help="Column to describe; repeat for more.", show_default="all numeric")
    ] = None,
    figures: Annotated[
        Path | None, typer.Option(help="Folder to write figures to, as PNG.", show_default=False)
    ] = None,
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
    """Describe the sample, drop-out, missing data, and variation within and between persons.

    Instruments named with -i are scored first.
    """
    from ..descriptions import describe as run

    with busy("reading and describing"):
        how = answering(instrument, items, answers, already_reversed)
        table, roles = load(file, person, session, cluster, time, missing, wide, read, number_by)
        panel = build_panel(table, roles)
        if instrument:
            panel = how.scored(panel, out_of_range)
        description = run(panel, column)
        courses = column or [record.key.columns[0] for record in panel.records]
        written = write_figures(panel, figures, courses) if figures else []
    told = {"command": "describe", "file": file.name, **description.to_dict(), "figures": [str(p) for p in written]}
    told["read"] = panel.findings.to_dicts()
    doubts = panel.findings.warnings
    print_result(json_, told, description, *([doubts] if doubts else []), *(f"written: {p}" for p in written))
