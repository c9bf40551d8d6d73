"""analyze: a file and settings to a study's result, its report and its tables."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import SessionwiseError
from .console import busy, print_result
from .files import answering, build_panel, can_be_written, load, make_folder, table_columns, writing
from .options import (
    Answers,
    Cluster,
    Instruments,
    Items,
    Json,
    Missing,
    NumberBy,
    OptionalFile,
    OptionalPerson,
    Read,
    Reversed,
    Session,
    Time,
    Wide,
)

if TYPE_CHECKING:
    from ..panel import Panel
    from ..reports import Painter
    from ..study import Study, StudyResult
    from .settings import Settings

#: Called with what is done next.
Say = Callable[[str], None]


EPILOG = (
    "Example: sessionwise analyze sessions.csv --person patient --session session --cluster therapist "
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

    from .settings import settings

    asked = settings(given, config)
    with busy("reading and scoring") as say:
        done = run(asked, say)
    told = {"command": "analyze", "file": asked.file.name if asked.file else "", **done.to_dict()}
    print_result(json_, told, *done.lines())


@dataclass(frozen=True, slots=True, eq=False)
class Analysed:
    """What came out. guessed : option -> column. written : kind -> path or paths, as text."""

    result: StudyResult
    panel: Panel
    guessed: dict[str, str]
    written: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        return {
            "guessed": self.guessed,
            "written": self.written,
            "result": self.result.to_dict(),
            "read": self.panel.findings.to_dicts(),
        }

    def lines(self) -> list[str]:
        """What a person wants to read on a terminal."""
        told = [", ".join(f"{option} = {name}" for option, name in self.guessed.items())]
        told = [f"Not said, so taken by their names: {told[0]}.\n"] if self.guessed else []
        result = self.result
        told += [*([result.caution, ""] if result.caution else []), *result.answer]
        if not result.caution:
            told += ["", *result.sensitivity.words]
        told += ["", *map(str, result.unanswered)] if result.unanswered else []
        told.append("")
        for path in self.written.values():
            several = isinstance(path, list)
            told.append(f"written: {Path(path[0]).parent}/ ({len(path)} tables)" if several else f"written: {path}")
        return told


def run(settings: Settings, say: Say, *, notices: tuple[str, ...] = ()) -> Analysed:
    """All of it. notices : what stands first of all in the report.

    Raises
    ------
    SessionwiseError : what cannot be read, scored or studied, or would overwrite the data.
    """
    from ..reports.painter import Painter
    from .remedies import in_options, options_in_errors

    started = time.perf_counter()
    report = _places(settings)
    with options_in_errors(), Painter() as painter:
        say("reading and scoring")
        panel, full, guessed = _prepared(settings)
        study = _study(full)
        result = in_options(study.run(panel, progress=lambda part, at, of: say(f"{part} ({at + 1} of {of})")))
        say("report")
        written = _written(full, panel, result, report, guessed, notices, started, painter)
    return Analysed(result, panel, guessed, written)


def _places(settings: Settings) -> Path:
    """Where the report goes; refuses, before any work, what could not or should not be written."""
    report, file = settings.output or Path("report.html"), settings.file
    if file is None:
        raise SessionwiseError("no file was named.", remedy="Name it after the verb, or as file = in the settings.")
    if report.suffix.lower() not in (".html", ".htm"):
        raise SessionwiseError(
            f"the report is HTML, not {report.suffix or 'a file without an ending'}.",
            where=str(report),
            remedy=f"Name it {_in_html(report)}; --docx writes a Word file beside it.",
        )
    if report.exists() and file.exists() and report.samefile(file):
        raise SessionwiseError(
            "the report is the input file: that would overwrite your data.", where=str(report), remedy="Name another."
        )
    can_be_written(report)
    if settings.docx:
        _word_place(report.with_suffix(".docx"))
    if settings.results is not None:
        _tables_place(settings.results, file)
    return report


def _in_html(path: Path) -> Path:
    """A folder's report.html, or the file with another ending."""
    return path / "report.html" if path.is_dir() or not path.name else path.with_suffix(".html")


def _word_place(path: Path) -> None:
    """A Word file is there to be edited, so one that exists is left alone."""
    from ..reports.word import docx_module

    docx_module()
    if path.exists():
        raise SessionwiseError(
            "there is a Word file of this name already, which may have been edited.",
            where=str(path),
            remedy="Rename or move it, or name another report with -o.",
        )
    can_be_written(path)


def _tables_place(folder: Path, file: Path) -> None:
    make_folder(folder)
    if file.suffix.lower() == ".csv" and file.exists() and folder.samefile(file.parent):
        raise SessionwiseError(
            "the tables would stand beside your data, and one of the same name would overwrite them.",
            where=str(folder),
            remedy="Name a folder of its own, such as --results results.",
        )
    with writing(folder), TemporaryFile(dir=folder):
        pass


# --- data and question --------------------------------------------------------------------------


def _prepared(given: Settings) -> tuple[Panel, Settings, dict[str, str]]:
    """The scored Panel, the settings with what was guessed, and what that was."""
    from ..study import guess

    guessed: dict[str, str] = {}
    full = _roles(given, guessed)
    assert full.file is not None
    table, roles = load(
        full.file,
        full.person,
        full.session,
        full.cluster,
        full.time,
        list(full.missing),
        list(full.wide),
        list(full.read),
        full.number_by,
    )
    panel = build_panel(table, roles)
    if not full.instrument and not (full.outcome and full.process):
        named = guess.instruments_in(panel.columns)
        if len(named) == 2:
            full = replace(full, instrument=named)
            guessed["instrument"] = " and ".join(named)
    if full.instrument:
        how = answering(list(full.instrument), list(full.items), list(full.answers), full.already_reversed)
        panel = how.scored(panel, full.out_of_range or "error")
    guess.not_scored(panel, [n for n in (full.outcome, full.process, *full.moderator, *full.covariate) if n])
    outcome, process = guess.scales(panel, full.outcome, full.process)
    guessed |= {} if full.outcome else {"outcome": outcome}
    guessed |= {} if full.process else {"process": process}
    full = replace(full, outcome=outcome, process=process)
    guess.no_numbers(panel, {"outcome": outcome, "process": process})
    return panel, full, guessed


def _roles(given: Settings, guessed: dict[str, str]) -> Settings:
    """Person, session and cluster by the names of columns, where they are not given."""
    from ..study import guess

    dated = given.session or given.wide or given.number_by
    if given.person and dated:
        return given
    columns = _columns(given)
    found = {"person": given.person, "session": given.session, "cluster": given.cluster}
    for what in ("person", "session", "cluster"):
        if found[what] or (what == "session" and dated):
            continue
        column = guess.role(what, [c for c in columns if c not in found.values()])
        if column is None and what == "person" and given.wide:
            guessed[what] = "each row"
        elif column is None and what != "cluster":
            raise guess.no_role(what, columns)
        if column is not None:
            found[what] = guessed[what] = column
    return replace(given, person=found["person"], session=found["session"], cluster=found["cluster"])


def _columns(given: Settings) -> tuple[str, ...]:
    """The columns of the file, as it is read."""
    assert given.file is not None
    return table_columns(given.file, list(given.missing), list(given.read))


def _study(full: Settings) -> Study:
    from ..study import Study

    options: dict[str, Any] = {
        name: value
        for name in ("lag", "order", "expected", "first_sessions", "as_scored")
        if (value := getattr(full, name)) is not None
    }
    if full.trend is not None:
        options["trend"] = None if full.trend == "none" else full.trend
    assert full.outcome is not None
    assert full.process is not None
    return Study(full.outcome, full.process, moderators=full.moderator, covariates=full.covariate, **options)


# --- files --------------------------------------------------------------------------------------


def _written(
    full: Settings,
    panel: Panel,
    result: StudyResult,
    report: Path,
    guessed: dict[str, str],
    notices: tuple[str, ...],
    started: float,
    painter: Painter,
) -> dict[str, Any]:
    from ..reports import report as write_report
    from ..reports import write_tables, write_word
    from .remedies import in_options

    told = [("Command", full.command())]
    if guessed:
        told.append(("Taken by their names", ", ".join(f"{option} = {name}" for option, name in guessed.items())))
    written: dict[str, Any] = {}
    if full.results is not None:
        with writing(full.results):
            written["results"] = [str(path) for path in write_tables(result, full.results)]
    if full.docx:
        word = report.with_suffix(".docx")
        with writing(word):
            written["docx"] = str(write_word(result, word, panel, facts=told, notices=notices, painter=painter))
    with writing(report):
        read = tuple(in_options(panel.findings))
        write_report(result, report, panel, facts=told, notices=notices, read=read, started=started, painter=painter)
    return {"report": str(report), **written}
