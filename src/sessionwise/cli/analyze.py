"""analyze: a file and settings to a study's result, its report and its tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..findings import Findings
from .console import busy, print_result
from .options import Json, OptionsOf, Values, verb
from .remedies import in_options
from .settings import Settings, settings

if TYPE_CHECKING:
    from ..outputs import Place
    from ..panel import Panel
    from ..reports import Painter
    from ..reports.passed_on import PassedOn
    from ..study import StudyResult

#: Called with what is done next.
Say = Callable[[str], None]

EPILOG = (
    "Example: sessionwise analyze sessions.csv --person patient --session session --cluster therapist "
    "-i core-om -i wai-sr --outcome core_om --process wai_sr --moderator pd -o report.html"
)


@verb
def analyze(
    given: Annotated[Values, OptionsOf(Settings, optional=True)],
    config: Annotated[Path | None, typer.Option(help="A study.toml with these options.", show_default=False)] = None,
    json_: Json = False,
) -> None:
    """Does a change in the process predict the outcome at the next session, and back? Writes the report.

    Instruments named with -i are scored first. Columns that are not named are taken by their names if only one can be
    meant, and told.
    """
    asked = settings(given, config)
    with busy("reading and scoring") as say:
        analysis = run(asked, say)
    record = {"command": "analyze", "file": asked.sessions.file.name, **analysis.to_dict()}
    print_result(json_, record, *analysis.lines())


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """What is studied. panel : with the scores. settings : with the guesses. guessed : option -> what was taken."""

    panel: Panel
    settings: Settings
    guessed: dict[str, str]

    @property
    def guesses(self) -> str:
        """In one line; empty if nothing was guessed."""
        return ", ".join(f"{option} = {name}" for option, name in self.guessed.items())


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """What came out. told : what files and JSON say of it. written : kind -> path or paths, as text."""

    prepared: Prepared
    result: StudyResult
    told: PassedOn
    written: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        return {
            "guessed": self.prepared.guessed,
            "written": self.written,
            "result": self.told.result.to_dict(),
            "read": Findings(self.told.read).to_dicts(),
        }

    def lines(self) -> list[str]:
        """What a person wants to read on a terminal."""
        guesses, result = self.prepared.guesses, self.result
        lines = [f"Not said, so taken by their names: {guesses}.\n"] if guesses else []
        lines += [*([f"Caution: {result.caution}", ""] if result.caution else []), *result.answer]
        agreed = [told for told in result.sensitivity.words if told not in result.sensitivity.disagree]
        lines += ["", *agreed] if agreed else []
        lines += ["", *map(str, result.unanswered)] if result.unanswered else []
        lines += ["", *self._found()] if not self.prepared.settings.files.labels else []
        lines.append("")
        for path in self.written.values():
            several = isinstance(path, list)
            lines.append(f"written: {Path(path[0]).parent}/ ({len(path)} tables)" if several else f"written: {path}")
        return lines

    def _found(self) -> list[str]:
        """Warnings with their places, which the report does not have."""
        read = in_options(self.prepared.panel.findings.warnings)
        warnings = dict.fromkeys((*read, *self.result.findings.warnings))
        placed = [f"  {f.what} ({f.where})" for f in warnings if f.where]
        return ["What the check found, with its places, which stand here alone:", *placed] if placed else []


def run(settings: Settings, say: Say, *, notices: tuple[str, ...] = ()) -> Analysis:
    """All of it. notices : what stands first of all in the report.

    Raises
    ------
    SessionwiseError : what cannot be read, scored or studied, or would overwrite the data.
    """
    from ..reports.painter import Painter
    from ..reports.passed_on import passed_on
    from .remedies import options_in_errors

    started = perf_counter()
    settings.files.check(settings.sessions.file)
    with options_in_errors(), Painter() as painter:
        say("reading and scoring")
        prepared = prepare(settings)
        study = prepared.settings.study()
        result = in_options(study.run(prepared.panel, progress=lambda part, at, of: say(f"{part} ({at + 1} of {of})")))
        say("report")
        files = prepared.settings.files
        told = in_options(passed_on(result, None, prepared.panel.findings, labels=files.labels, share=files.share))
        written = _written(prepared, result, told, notices, started, painter)
    return Analysis(prepared, result, told, written)


def prepare(settings: Settings) -> Prepared:
    """The file read and scored, and what was not named taken by the names of columns.

    Raises
    ------
    SessionwiseError : what cannot be read or scored, or what was not named and cannot be told.
    """
    from ..study import guess

    sessions, answering = settings.sessions, settings.answering
    roles = guess.roles(
        sessions.columns,
        person=sessions.person,
        session=sessions.session,
        cluster=sessions.cluster,
        wide=bool(sessions.wide),
        dated=bool(sessions.number_by),
        episode=sessions.episode,
        how_to_turn=sessions.how_to_turn,
    )
    sessions = replace(
        sessions, person=roles.person, session=roles.session, cluster=roles.cluster, episode=roles.episode
    )
    panel = sessions.panel()
    guessed = dict(roles.guessed)
    if "episode" in guessed and panel.is_one_treatment_each:
        del guessed["episode"]
        sessions = replace(sessions, episode=None)
        panel = sessions.panel()
    if not answering.instrument:
        names = guess.instruments(panel.columns, settings.outcome, settings.process)
        answering = replace(answering, instrument=names)
        guessed |= {"instrument": " and ".join(names)} if names else {}
    instruments = answering.checked()  # options about an instrument that is not there are refused
    if answering.instrument:
        panel = instruments.scored(panel, settings.out_of_range)
    scales = guess.scales(panel, settings.outcome, settings.process, (*settings.moderator, *settings.covariate))
    full = replace(settings, sessions=sessions, answering=answering, outcome=scales.outcome, process=scales.process)
    return Prepared(panel, full, guessed | dict(scales.guessed))


def _written(
    prepared: Prepared,
    result: StudyResult,
    told: PassedOn,
    notices: tuple[str, ...],
    started: float,
    painter: Painter,
) -> dict[str, Any]:
    """Every file that was asked for, all at once; kind -> path or paths, as text."""
    from ..outputs import write_files
    from ..reports import html

    panel, files = prepared.panel, prepared.settings.files
    facts = [("Command", prepared.settings.command())]
    if prepared.guesses:
        facts.append(("Taken by their names", prepared.guesses))
    how = {"labels": files.labels, "share": files.share}
    contents: dict[Place, bytes] = {}
    written: dict[str, Any] = {"report": str(files.report)}
    if files.results is not None:
        from ..reports.csv_files import table_files

        contents |= table_files(told, files.results)
        written["results"] = [str(place.path) for place in contents]
    if (place := files.word_place) is not None:
        from ..reports.word import word_file

        contents[place] = word_file(result, panel, facts=facts, notices=notices, painter=painter, **how)
        written["docx"] = str(place.path)
    if (place := files.key_place) is not None:
        from ..reports.passed_on import key_file

        contents[place] = key_file(result, panel)
        written["key"] = str(place.path)
    read = in_options(panel.findings)
    page = html(result, panel, facts=facts, notices=notices, read=read, started=started, painter=painter, **how)
    write_files({files.report_place: page.encode(), **contents}, [prepared.settings.sessions.file])
    return written
