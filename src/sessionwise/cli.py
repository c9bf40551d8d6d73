"""The command line: one verb for each public function, and no logic of its own.

Everything heavy is imported inside the verb that needs it, so that --help is quick.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from ._command import (
    answering,
    build_panel,
    degrees,
    load,
    make_folder,
    refuse_output,
    write_figures,
    write_panel,
)
from .errors import SessionwiseError

app = typer.Typer(
    help="Does a change in the process at one session predict the outcome at the next, within the same patient?",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)

File = Annotated[Path, typer.Argument(help="CSV, Excel, SPSS, Stata, SAS or Parquet file.", show_default=False)]
Person = Annotated[str, typer.Option(help="Column that says whose row it is.", show_default=False)]
Session = Annotated[str | None, typer.Option(help="Column with the session number.", show_default=False)]
Cluster = Annotated[str | None, typer.Option(help="Column of therapists, clinics, ...", show_default=False)]
Time = Annotated[str | None, typer.Option(help="Column of dates.", show_default=False)]
Instruments = Annotated[
    list[str] | None,
    typer.Option("--instrument", "-i", help="Name such as core-om, or your own .toml file; repeat for more."),
]
Missing = Annotated[
    list[str] | None,
    typer.Option(help="Code that means missing, such as -9, or column=code; repeat for more.", show_default=False),
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
OutOfRange = Annotated[str, typer.Option(help="Answers outside the range: 'error' or 'missing'.")]
Answers = Annotated[
    list[str] | None,
    typer.Option(help="Other answers than usual, such as wai-sr=1-7; repeat for more.", show_default=False),
]
Items = Annotated[
    list[str] | None,
    typer.Option(help="Names of item columns, such as 'core-om=Q{}'; repeat for more.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print a JSON object instead of tables.")]


@app.command(epilog="Example: sessionwise check sessions.csv --person patient --session session --cluster therapist")
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
    from .check import check as run

    with _busy("reading and checking"):
        how = answering(instrument, items, answers, already_reversed)
        table, roles = load(file, person, session, cluster, time, missing, wide, read, number_by)
        findings = run(table, **roles, instruments=how.keys())
    _print(json_, {"command": "check", "file": file.name, "findings": findings.to_dicts()}, findings)
    if findings.errors:
        raise typer.Exit(1)


@app.command(
    epilog="Example: sessionwise score sessions.csv --person patient --session session -i core-om -o scored.csv"
)
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
    with _busy("reading and scoring"):
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
    _print(json_, told, *shown, *([] if output is None else [f"written: {output}"]))


@app.command(epilog="Example: sessionwise describe sessions.csv --person patient --session session --figures figures")
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
    from .describe import describe as run

    with _busy("reading and describing"):
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
    _print(json_, told, description, *([doubts] if doubts else []), *(f"written: {p}" for p in written))


@app.command(
    epilog="Example: sessionwise fit 'core_om ~ session + within(wai_sr) + between(wai_sr) + (1 + session | patient)' "
    "sessions.csv --person patient --session session -i core-om -i wai-sr"
)
def fit(
    formula: Annotated[str, typer.Argument(help="lme4's, with within, between, lag, ...", show_default=False)],
    file: File,
    person: Person,
    session: Session = None,
    cluster: Cluster = None,
    time: Time = None,
    method: Annotated[str, typer.Option(help="'REML' or 'ML'.")] = "REML",
    residual: Annotated[
        str, typer.Option(help="Of a person's sessions: 'independent', 'ar1' (by session number), 'car1' (by time).")
    ] = "independent",
    variance_by: Annotated[
        str | None, typer.Option(help="Column whose values have residual variances of their own.", show_default=False)
    ] = None,
    df: Annotated[
        str,
        typer.Option(help="Degrees of freedom: 'satterthwaite', 'kenward-roger', 'residual', 'normal', or a number."),
    ] = "satterthwaite",
    instrument: Instruments = None,
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
    """Fit a multilevel model; instruments named with -i are scored first."""
    from .models import MLM
    from .show import rich_group

    model = MLM(formula, method.upper(), residual.lower(), variance_by)  # type: ignore[arg-type]
    by = degrees(df)
    with _busy("reading and fitting"):
        how = answering(instrument, items, answers, already_reversed)
        table, roles = load(file, person, session, cluster, time, missing, wide, read, number_by)
        panel = build_panel(table, roles)
        if instrument:
            panel = how.scored(panel, out_of_range)
        fitted = model.fit(panel)
        told = {"command": "fit", "file": file.name, **fitted.to_dict(by), "read": panel.findings.to_dicts()}
    doubts = panel.findings.warnings
    _print(json_, told, rich_group(fitted.parts(by)), *([doubts] if doubts else []))


@app.command(epilog="Example: sessionwise demo --out sessionwise-demo")
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the demo's files.")] = Path("sessionwise-demo"),
    seed: Annotated[int | None, typer.Option(help="Another simulated study.", show_default="the shipped one")] = None,
    json_: Json = False,
) -> None:
    """Write a simulated study to a file, then check, score and describe it, with figures."""
    from . import datasets
    from .check import check as run_check
    from .describe import describe as run_describe
    from .instruments import score as run_score
    from .panel import Panel
    from .read import read as run_read

    make_folder(out)
    file = out / "sessions.csv"
    with _busy("simulating a study"):
        datasets.demo(datasets.SEED if seed is None else seed).frame.write_csv(file)
    with _busy("reading, checking, scoring and describing"):
        panel = Panel(run_read(file), person="patient", session="session", cluster="therapist", time="date")
        scored = run_score(panel, "core-om", "wai-sr")
        findings = run_check(scored)
        scales = ["core_om", "wai_sr"]
        description = run_describe(scored, scales)
        write_panel(scored, out / "scored.csv")
    with _busy("drawing"):
        figures = write_figures(scored, out / "figures", scales, note="Simulated data.")
    told: dict[str, Any] = {"command": "demo", "simulated": True, "file": str(file), "scored": str(out / "scored.csv")}
    told |= {"figures": [str(p) for p in figures], "findings": findings.to_dicts()}
    told |= {"records": [r.to_dict() for r in scored.records], "description": description.to_dict()}
    program = "sessionwise" if shutil.which("sessionwise") else sys.argv[0]
    roles = f"{file} --person patient --session session -i core-om -i wai-sr"
    formula = "core_om ~ session + within(wai_sr) + between(wai_sr) + (1 + session | patient)"
    again = f'{program} describe {roles}\n  {program} fit "{formula}" {roles}'
    _print(
        json_,
        told,
        "These data are SIMULATED to look like a primary-care psychotherapy study. No person in them is real.\n",
        *scored.records,
        description,
        findings,
        "written:",
        *(f"  {p}" for p in (file, out / "scored.csv", *figures)),
        f"\ntry it yourself:\n  {again}",
    )


def main() -> None:
    """Run the command line; errors of the package become one message and status 1."""
    try:
        app()
    except SessionwiseError as error:
        if "--json" in sys.argv:
            from . import __version__

            told = {"what": error.what, "where": error.where, "remedy": error.remedy, "kind": type(error).__name__}
            verb = next((a for a in sys.argv[1:] if not a.startswith("-")), "")
            print(
                json.dumps({"sessionwise": __version__, "command": verb, "error": told}, indent=2, ensure_ascii=False)
            )
        else:
            print(f"error: {error}", file=sys.stderr)
        sys.exit(1)


@contextmanager
def _busy(what: str) -> Iterator[None]:
    """A spinner on a terminal while something runs; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(what):
        yield


def _print(as_json: bool, told: dict[str, Any], *shown: Any) -> None:
    """One JSON object, or what a person wants to read."""
    if as_json:
        from . import __version__

        print(json.dumps({"sessionwise": __version__, **told}, indent=2, ensure_ascii=False, allow_nan=False))
        return
    from rich.console import Console

    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 100
    console = Console(highlight=False, width=width)
    for thing in shown:
        console.print(thing, markup=False, soft_wrap=isinstance(thing, str))
        if not isinstance(thing, str):
            console.print()
