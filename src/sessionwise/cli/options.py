"""Options that the verbs of the command line share, with their help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .files import out_of_range

File = Annotated[Path, typer.Argument(help="CSV, Excel, SPSS, Stata, SAS or Parquet file.", show_default=False)]
Person = Annotated[str, typer.Option(help="Column that says whose row it is.", show_default=False)]
OptionalFile = Annotated[
    Path | None, typer.Argument(help="CSV, Excel, SPSS, Stata, SAS or Parquet file.", show_default=False)
]
OptionalPerson = Annotated[str | None, typer.Option(help="Column that says whose row it is.", show_default=False)]
Session = Annotated[str | None, typer.Option(help="Column with the session number.", show_default=False)]
Cluster = Annotated[str | None, typer.Option(help="Column of therapists, clinics, ...", show_default=False)]
Time = Annotated[str | None, typer.Option(help="Column of dates.", show_default=False)]
Instruments = Annotated[
    list[str] | None,
    typer.Option("--instrument", "-i", help="Name such as core-om, or your own .toml file; repeat for more."),
]
Missing = Annotated[
    list[str] | None,
    typer.Option(
        help="Code that means missing, such as -9 or '#NULL!', or column=code; repeat for more.", show_default=False
    ),
]
Wide = Annotated[
    list[str] | None,
    typer.Option(help="Pattern of columns to turn into rows, such as 'core_{}'; repeat for more.", show_default=False),
]
Read = Annotated[
    list[str] | None,
    typer.Option(
        "--read",
        help="Any other option of read, such as sheet=Data, header_row=4, decimal=, or dates.seen=%d.%m.%Y; "
        "repeat for more.",
        show_default=False,
    ),
]
NumberBy = Annotated[
    str | None,
    typer.Option(help="Number each person's sessions by this column of dates.", show_default=False),
]
Reversed = Annotated[bool, typer.Option("--already-reversed", help="Reversed items are turned round in the file.")]
OutOfRange = Annotated[
    str, typer.Option(help="Answers outside the range: 'error' or 'missing'.", callback=out_of_range)
]
Answers = Annotated[
    list[str] | None,
    typer.Option(help="Other answers than usual, such as wai-sr=1-7; repeat for more.", show_default=False),
]
Items = Annotated[
    list[str] | None,
    typer.Option(help="Names of item columns, such as 'core-om=Q{}'; repeat for more.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print a JSON object instead of tables.")]
