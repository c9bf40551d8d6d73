"""score: items of instruments to scale scores."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..outputs import Place
from .answering import Answering, names
from .console import busy, print_result
from .files import SessionsFile
from .options import Json, OutOfRange, verb
from .places import Overwrite, check_scores, write_panel

EPILOG = (
    "Example: sessionwise score sessions.csv --person patient --session session -i core-om -o scored.csv\n\n"
    f"Instruments: {', '.join(names())}."
)


@verb
def score(
    sessions: SessionsFile,
    answering: Answering,
    out_of_range: OutOfRange = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write, .csv or .parquet.", show_default=False)
    ] = None,
    overwrite: Overwrite = False,
    json_: Json = False,
) -> None:
    """Turn the items of instruments into scale scores, and say what was pro-rated or could not be scored."""
    with busy("reading and scoring"):
        place = None if output is None else Place(output, overwrite=overwrite)
        if place is not None:
            check_scores(place, sessions.file)
        instruments = answering.checked()
        panel = sessions.panel()
        scored = instruments.scored(panel, out_of_range)
        if place is not None:
            write_panel(scored, place, sessions.file)
    record = {
        "command": "score",
        "file": sessions.file.name,
        "columns": [name for name in scored.columns if name not in panel],
        "records": [r.to_dict() for r in scored.records],
        "findings": scored.findings.to_dicts(),
        "output": None if output is None else str(output),
    }
    written = [] if output is None else [f"written: {output}"]
    print_result(json_, record, *scored.records, scored.findings, *written)
