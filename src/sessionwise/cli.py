"""The command line: one verb for each public function, and no logic of its own.

Everything heavy is imported inside the verb that needs it, so that --help is quick.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Annotated, Any

import typer

from ._command import answering, build_panel, degrees, load, refuse_output, write_figures, write_panel
from ._options import (
    Answers,
    Cluster,
    File,
    Instruments,
    Items,
    Json,
    Missing,
    NumberBy,
    OptionalFile,
    OptionalPerson,
    OutOfRange,
    Person,
    Read,
    Reversed,
    Session,
    Time,
    Wide,
)
from .errors import SessionwiseError

app = typer.Typer(
    help="Does a change in the process at one session predict the outcome at the next, within the same patient?",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


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
    from .checks import check as run

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
    from .descriptions import describe as run

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
    "sessions.csv --person patient --session session -i core-om -i wai-sr\n\n"
    "Example: sessionwise fit --model riclpm --outcome core_om --process wai_sr sessions.csv "
    "--person patient --session session --waves 6 -i core-om -i wai-sr"
)
def fit(
    arguments: Annotated[
        list[str], typer.Argument(metavar="[FORMULA] FILE", help="A formula (mlm, dpm), and the file.")
    ],
    person: Person,
    session: Session = None,
    cluster: Cluster = None,
    time: Time = None,
    model: Annotated[
        str, typer.Option(help="'mlm' (multilevel), 'riclpm', 'clpm' (cross-lagged panel), 'dpm' (dynamic panel).")
    ] = "mlm",
    outcome: Annotated[
        list[str] | None, typer.Option(help="riclpm, clpm: column of the outcome; repeat for indicators.")
    ] = None,
    process: Annotated[
        list[str] | None, typer.Option(help="riclpm, clpm: column of the process; repeat for indicators.")
    ] = None,
    third: Annotated[list[str] | None, typer.Option(help="riclpm, clpm: a third variable.")] = None,
    waves: Annotated[str | None, typer.Option(help="Panel models: how many sessions (6), or which (1,2,4).")] = None,
    from_end: Annotated[bool, typer.Option("--from-end", help="Panel models: count from the last session.")] = False,
    lags: Annotated[str | None, typer.Option(help="Panel models: 'equal' (default) or 'free' over waves.")] = None,
    means: Annotated[str | None, typer.Option(help="riclpm, clpm: 'free' (default), 'equal' or 'linear'.")] = None,
    residuals: Annotated[str | None, typer.Option(help="Panel models: 'free' (default) or 'equal'.")] = None,
    covariate: Annotated[list[str] | None, typer.Option(help="riclpm, clpm: a person's covariate; repeat.")] = None,
    group: Annotated[str | None, typer.Option(help="riclpm, clpm: column of groups.")] = None,
    same: Annotated[list[str] | None, typer.Option(help="riclpm, clpm: what groups share, such as 'lag'.")] = None,
    without: Annotated[list[str] | None, typer.Option(help="riclpm: no random intercept of this variable.")] = None,
    same_wave: Annotated[bool, typer.Option("--same-wave", help="dpm: residuals go with pre() of their wave.")] = False,
    errors: Annotated[
        str | None,
        typer.Option(help="Panel models: 'expected', 'observed', 'robust', 'auto' (default; dpm: observed)."),
    ] = None,
    test: Annotated[
        list[str] | None,
        typer.Option(help="Panel models: 'stationarity' (lags equal over waves), 'lags', 'groups'; repeat for more."),
    ] = None,
    method: Annotated[str | None, typer.Option(help="mlm: 'REML' (default) or 'ML'.")] = None,
    residual: Annotated[
        str | None, typer.Option(help="mlm: 'independent' (default), 'ar1' (by session number), 'car1' (by time).")
    ] = None,
    variance_by: Annotated[
        str | None, typer.Option(help="mlm: column whose values have residual variances of their own.")
    ] = None,
    df: Annotated[
        str | None,
        typer.Option(help="mlm: 'satterthwaite' (default), 'kenward-roger', 'residual', 'normal', or a number."),
    ] = None,
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
    """Fit a model; instruments named with -i are scored first."""
    from ._fit_command import described, positional, tested
    from .show import rich_group

    given = {
        "outcome": outcome, "process": process, "third": third, "waves": waves, "from-end": from_end, "lags": lags,
        "means": means, "residuals": residuals, "covariate": covariate, "group": group, "same": same,
        "without": without, "same-wave": same_wave, "errors": errors, "method": method, "residual": residual,
        "variance-by": variance_by, "df": df,
    }  # fmt: skip
    kind = model.lower()
    formula, file = positional(arguments, kind)
    used = {name: value for name, value in given.items() if value not in (None, False, [])}
    description = described(kind, formula, used)
    by = {"df": degrees("satterthwaite" if df is None else df)} if kind == "mlm" else {}
    with _busy("reading and fitting"):
        how = answering(instrument, items, answers, already_reversed)
        table, roles = load(file, person, session, cluster, time, missing, wide, read, number_by)
        panel = build_panel(table, roles)
        if instrument:
            panel = how.scored(panel, out_of_range)
        fitted = description.fit(panel)
        told = {"command": "fit", "file": file.name, **fitted.to_dict(**by), "read": panel.findings.to_dicts()}
        tests, shown = tested(fitted, panel, test or [])
        told |= {"tests": tests} if tests else {}
    doubts = panel.findings.warnings
    _print(json_, told, rich_group(fitted.parts(**by)), *shown, *([doubts] if doubts else []))


@app.command(
    epilog="Example: sessionwise analyze sessions.csv --person patient --session session --cluster therapist "
    "-i core-om -i wai-sr --outcome core_om --process wai_sr --moderator pd -o report.html"
)
def analyze(
    file: OptionalFile = None,
    person: OptionalPerson = None,
    session: Session = None,
    cluster: Cluster = None,
    time: Time = None,
    outcome: Annotated[str | None, typer.Option(help="What treatment is to change, such as core_om.")] = None,
    process: Annotated[str | None, typer.Option(help="What is thought to change it, such as wai_sr.")] = None,
    moderator: Annotated[list[str] | None, typer.Option(help="Does the effect depend on it? Repeat for more.")] = None,
    covariate: Annotated[list[str] | None, typer.Option(help="Held constant; repeat for more.")] = None,
    trend: Annotated[str | None, typer.Option(help="Over sessions: 'linear' (default), 'quadratic', 'none'.")] = None,
    lag: Annotated[int | None, typer.Option(help="Sessions from predictor to response (default 1).")] = None,
    order: Annotated[
        str | None, typer.Option(help="In a session: 'outcome first' (default), 'process first', 'together'.")
    ] = None,
    expected: Annotated[
        str | None, typer.Option(help="Direction of the effect: 'negative', 'positive'; default from the instruments.")
    ] = None,
    first_sessions: Annotated[int | None, typer.Option(help="How many, for analyses of first sessions.")] = None,
    as_scored: Annotated[
        list[str] | None, typer.Option(help="Outcome or process whose values are scores however odd; repeat for both.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="A study.toml with these options.", show_default=False)] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The report.", show_default="report.html")
    ] = None,
    results: Annotated[Path | None, typer.Option(help="Folder for every table as CSV.", show_default=False)] = None,
    docx: Annotated[bool, typer.Option("--docx", help="A Word file beside the report.")] = False,
    instrument: Instruments = None,
    answers: Answers = None,
    items: Items = None,
    already_reversed: Reversed = False,
    out_of_range: Annotated[
        str | None, typer.Option(help="Answers outside the range: 'error' (default) or 'missing'.")
    ] = None,
    missing: Missing = None,
    wide: Wide = None,
    read: Read = None,
    number_by: NumberBy = None,
    json_: Json = False,
) -> None:
    """Does a change in the process predict the outcome at the next session, and back? Writes the report.

    Instruments named with -i are scored first. Columns that are not named are taken by their names if only one can be
    meant, and told.
    """
    given = {name: value for name, value in locals().items() if name not in ("config", "json_")}
    from ._study_command import analyze as run
    from ._study_command import settings

    asked = settings(given, config)
    with _busy("reading and scoring") as say:
        done = run(asked, say)
    told = {"command": "analyze", "file": asked.file.name if asked.file else "", **done.to_dict()}
    _print(json_, told, *done.lines())


@app.command(epilog="Example: sessionwise demo --out sessionwise-demo")
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the demo's files.")] = Path("sessionwise-demo"),
    seed: Annotated[int | None, typer.Option(help="Another simulated study.", show_default="the shipped one")] = None,
    json_: Json = False,
) -> None:
    """Simulate a study, analyze it, write its report, and say what was found beside what is true."""
    from ._study_command import demo as run

    with _busy("simulating a study") as say:
        done = run(out, seed, say)
    program = "sessionwise" if shutil.which("sessionwise") else sys.argv[0]
    _print(json_, {"command": "demo", **done.to_dict()}, *done.shown(program))


def main() -> None:
    """Run the command line; errors of the package become one message and status 1."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # matrices are small here: more threads only wait for each other
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
def _busy(what: str) -> Iterator[Callable[[str], None]]:
    """On a terminal a spinner with what runs, and a line with its time for what has run; nothing elsewhere.

    Call it with what is done next.
    """
    if not sys.stderr.isatty():
        yield lambda what: None
        return
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    since = [monotonic()]
    with console.status(what) as status:

        def say(then: str) -> None:
            nonlocal what
            if then != what:
                console.print(f"{what}: {monotonic() - since[0]:.1f} s", style="dim")
                what, since[0] = then, monotonic()
                status.update(then)

        yield say
        say("")


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
