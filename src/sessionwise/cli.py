"""The command line: one verb for each public function, and no logic of its own.

Everything heavy is imported inside the verb that needs it, so that --help is quick.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .errors import SessionwiseError

if TYPE_CHECKING:
    from .panel import Panel
    from .table import Table

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
Sheet = Annotated[str | None, typer.Option(help="Sheet of an Excel file.", show_default=False)]
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
    missing: Missing = None,
    wide: Wide = None,
    sheet: Sheet = None,
    json_: Json = False,
) -> None:
    """List what is wrong or odd in a file. Ends with status 1 if something must be mended first."""
    from .check import check as run

    with _busy("reading and checking"):
        roles = _roles(person, session, cluster, time, wide)
        table = _read(file, missing, wide, sheet, person)
        findings = run(table, **roles, instruments=instrument or ())
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
    already_reversed: Annotated[bool, typer.Option(help="Reversed items are turned round in the file.")] = False,
    out_of_range: Annotated[str, typer.Option(help="Answers outside the range: 'error' or 'missing'.")] = "error",
    missing: Missing = None,
    wide: Wide = None,
    sheet: Sheet = None,
    json_: Json = False,
) -> None:
    """Turn the items of instruments into scale scores, and say what was pro-rated or could not be scored."""
    from .instruments import score as run

    with _busy("reading and scoring"):
        roles = _roles(person, session, cluster, time, wide)
        panel = _panel(_read(file, missing, wide, sheet, person), roles)
        scored = run(
            panel,
            *(instrument or ()),
            items=_pairs(items, "--items") or None,
            answers={name: _range(text) for name, text in _pairs(answers, "--answers").items()} or None,
            already_reversed=already_reversed,
            out_of_range=_one_of(out_of_range, "--out-of-range", ("error", "missing")),
        )
        if output is not None:
            _write(scored, output)
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
    missing: Missing = None,
    wide: Wide = None,
    sheet: Sheet = None,
    json_: Json = False,
) -> None:
    """Describe the sample, drop-out, missing data, and variation within and between persons.

    Instruments named with -i are scored first.
    """
    from .describe import describe as run
    from .instruments import score

    with _busy("reading and describing"):
        roles = _roles(person, session, cluster, time, wide)
        panel = _panel(_read(file, missing, wide, sheet, person), roles)
        if instrument:
            ranges = {name: _range(text) for name, text in _pairs(answers, "--answers").items()}
            panel = score(panel, *instrument, answers=ranges or None, items=_pairs(items, "--items") or None)
        description = run(panel, column)
        written = _figures(panel, figures, column or ()) if figures else []
    told = {"command": "describe", "file": file.name, **description.to_dict(), "figures": [str(p) for p in written]}
    _print(json_, told, description, *(f"written: {p}" for p in written))


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
    from .read import read

    out.mkdir(parents=True, exist_ok=True)
    file = out / "sessions.csv"
    with _busy("simulating a study"):
        datasets.demo(datasets.SEED if seed is None else seed).frame.write_csv(file)
    with _busy("reading, checking, scoring and describing"):
        panel = Panel(read(file), person="patient", session="session", cluster="therapist", time="date")
        scored = run_score(panel, "core-om", "wai-sr")
        findings = run_check(scored)
        scales = ["core_om", "wai_sr"]
        description = run_describe(scored, scales)
        _write(scored, out / "scored.csv")
    with _busy("drawing"):
        figures = _figures(scored, out / "figures", scales, note="Simulated data.")
    told: dict[str, Any] = {"command": "demo", "simulated": True, "file": str(file), "scored": str(out / "scored.csv")}
    told |= {"figures": [str(p) for p in figures], "findings": findings.to_dicts()}
    told |= {"records": [r.to_dict() for r in scored.records], "description": description.to_dict()}
    again = f"sessionwise describe {file} --person patient --session session -i core-om -i wai-sr"
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
            told = {"what": error.what, "where": error.where, "remedy": error.remedy, "kind": type(error).__name__}
            print(json.dumps({"error": told}, indent=2, ensure_ascii=False))
        else:
            print(f"error: {error}", file=sys.stderr)
        sys.exit(1)


def _read(file: Path, missing: list[str] | None, wide: list[str] | None, sheet: str | None, person: str) -> Table:
    from .read import read

    options: dict[str, Any] = {"person": person} if wide else {}
    return read(file, missing=_codes(missing), wide=wide or None, sheet=sheet, **options)


def _roles(
    person: str, session: str | None, cluster: str | None, time: str | None, wide: list[str] | None
) -> dict[str, Any]:
    if session is None and not wide:
        raise SessionwiseError(
            "no session column was named.", remedy="Add --session, or --wide if each person has one row."
        )
    # A wide file has no session column: turned long, it is called 'session'.
    return {"person": person, "session": session or "session", "cluster": cluster, "time": time}


def _panel(table: Table, roles: dict[str, Any]) -> Panel:
    from .panel import Panel

    return Panel(table, **roles)


def _figures(panel: Panel, folder: Path, columns: list[str] | tuple[str, ...], note: str = "") -> list[Path]:
    """PNG files of the figures that describe a Panel."""
    from . import plot

    folder.mkdir(parents=True, exist_ok=True)
    charts = {f"trajectories-{name}": plot.trajectories(panel, name, note=note) for name in columns}
    charts |= {"drop-out": plot.dropout(panel, note=note), "missing": plot.missing(panel, note=note)}
    paths = []
    for name, chart in charts.items():
        paths.append(folder / f"{name}.png")
        chart.save(paths[-1], scale_factor=2)
    return paths


def _write(panel: Panel, path: Path) -> None:
    frame = panel.to_frame()
    if path.suffix == ".csv":
        frame.write_csv(path)
    elif path.suffix == ".parquet":
        frame.write_parquet(path)
    else:
        what = f"cannot write a {path.suffix or 'file without an ending'}."
        raise SessionwiseError(what, where=str(path), remedy="Name a .csv or .parquet file.")


def _codes(texts: list[str] | None) -> Any:
    """['-9', 'age=999'] as read's `missing`: numbers for all columns, or a dict by column."""
    if not texts:
        return None
    named = [t for t in texts if "=" in t]
    if not named:
        return [_number(t, "--missing") for t in texts]
    if len(named) < len(texts):
        raise SessionwiseError(
            "--missing names a column in one place and none in another.", remedy="Use one form: -9, or column=-9."
        )
    codes: dict[str, list[float]] = {}
    for column, text in (t.rsplit("=", 1) for t in texts):
        codes.setdefault(column, []).append(_number(text, "--missing"))
    return codes


def _number(text: str, option: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise SessionwiseError(f"{option} needs a number, not {text!r}.", remedy=f"For example {option} -9.") from None
    return int(value) if value.is_integer() else value


def _pairs(texts: list[str] | None, option: str) -> dict[str, str]:
    """['wai-sr=1-7'] as {'wai-sr': '1-7'}."""
    pairs = {}
    for text in texts or ():
        name, sign, value = text.partition("=")
        if not sign or not name or not value:
            raise SessionwiseError(
                f"{option} needs instrument=value, not {text!r}.", remedy=f"For example {option} wai-sr=..."
            )
        pairs[name] = value
    return pairs


def _range(text: str) -> tuple[float, float]:
    low, sign, high = text.partition("-")
    if not sign:
        raise SessionwiseError(f"--answers needs low-high, not {text!r}.", remedy="For example --answers wai-sr=1-7.")
    return _number(low, "--answers"), _number(high, "--answers")


def _one_of(text: str, option: str, choices: tuple[str, ...]) -> Any:
    if text not in choices:
        raise SessionwiseError(f"{option} is one of {', '.join(choices)}, not {text!r}.", remedy="Choose one of them.")
    return text


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

    console = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=100)
    for thing in shown:
        console.print(thing, markup=False, soft_wrap=isinstance(thing, str))
