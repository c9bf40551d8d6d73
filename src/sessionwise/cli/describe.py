"""describe: sample, drop-out, missing data, variation within and between persons."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..outputs import check_folder
from .answering import Answering, scored_panel
from .console import busy, print_result
from .files import SessionsFile
from .options import Json, OutOfRange, verb

EPILOG = "Example: sessionwise describe sessions.csv --person patient --session session --figures figures"


@verb
def describe(
    sessions: SessionsFile,
    answering: Answering,
    out_of_range: OutOfRange = None,
    column: Annotated[
        list[str] | None, typer.Option(help="Column to describe; repeat for more.", show_default="all numeric")
    ] = None,
    figures: Annotated[
        Path | None, typer.Option(help="Folder to write figures to, as PNG.", show_default=False)
    ] = None,
    json_: Json = False,
) -> None:
    """Describe the sample, drop-out, missing data, and variation within and between persons.

    Instruments named with -i are scored first.
    """
    from ..descriptions import describe as describe_panel

    written: tuple[Path, ...] = ()
    with busy("reading and describing"):
        if figures is not None:
            check_folder(figures, made=True)
        panel = scored_panel(sessions, answering, out_of_range)
        description = describe_panel(panel, column)
        if figures is not None:
            from ..plot import write_figures

            written = write_figures(panel, figures, column)
    record = {
        "command": "describe",
        "file": sessions.file.name,
        **description.to_dict(),
        "figures": [str(path) for path in written],
        "read": panel.findings.to_dicts(),
    }
    doubts = panel.findings.warnings
    print_result(json_, record, description, *([doubts] if doubts else []), *(f"written: {path}" for path in written))
