"""Sections: one function for each, in the order a paper reports them. A section without parts is not in the report.

To add one, write its function and put it into `SECTIONS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..scoring.instrument import FACTS
from ..scoring.score import ScoreRecord, unverified_finding
from ..study import StudyTable
from ..study.records import Direction, DropOutModel, DynamicModel, FewSessions, HeadlineEffect, Moderation, NotAnswered
from ..study.study_table import Column
from ..study.words.dynamic_text import taken_away
from . import figures
from .parts import Caution, Copyable, Facts, Part, Section, TablePart, Text, Unanswered, Warnings
from .printed_tables import ShownTable, shown, side_by_side
from .python_call import python_call

if TYPE_CHECKING:
    from ..findings import Finding
    from ..panel import Panel
    from ..study import StudyResult


#: Facts of an instrument's key that a study uses: scores, but no cut-off, band or reliable change.
_USED = FACTS.keys() - {"cutoff", "bands", "reliable_change"}

_LEAVING = (
    "The intervals of the answer also allow for leaving because of scores that nobody saw; those of this figure do not."
)


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """What sections are made of. panel : the data, or None; tables : those of the result. facts : further ones, such
    as the command. notices : what stands before all else, such as that data are simulated. read : findings of reading
    and scoring. share : whether nothing of single persons is told."""

    result: StudyResult
    panel: Panel | None
    tables: dict[str, StudyTable]
    facts: tuple[tuple[str, str], ...] = ()
    notices: tuple[str, ...] = ()
    read: tuple[Finding, ...] = ()
    share: bool = False

    @property
    def title(self) -> str:
        """Of the whole report."""
        outcome, process = (name for _, name in self.result.called)
        return f"{process} and {outcome}, session by session"

    def shown(self, name: str) -> ShownTable | None:
        """A table of the result, if there is one."""
        return shown(self.tables[name]) if name in self.tables else None

    def table(self, name: str, folded: str = "") -> list[Part]:
        """The section as a part."""
        found = self.shown(name)
        return [TablePart(found, folded)] if found else []


def sections(given: Given) -> Iterator[Section]:
    """All that have something to say, one by one."""
    for key, title, write in SECTIONS:
        parts = tuple(write(given))
        if parts:
            yield Section(key, title(given), parts)


def answer(given: Given) -> list[Part]:
    """Two sentences and one figure; before them what must be known first."""
    result = given.result
    parts: list[Part] = [Text(note, "note") for note in given.notices]
    if result.caution:
        parts.append(Caution("Caution", result.caution))
    parts += [Text(sentence, "lead") for sentence in result.answer]
    parts += [*figures.estimands(result), *_estimands(given)]
    if "diagnostics" in given.tables:  # what an alarm says stands before the answer, what the others say in the results
        parts.append(TablePart(shown(given.tables["diagnostics"].only("question", "chi2", "df", "p", "alarm"))))
    parts += given.table("diagnostic_effects", "What was compared for that")
    figure = figures.forest(result)
    return [*parts, figure] if figure else parts


def _estimands(given: Given) -> list[Part]:
    """The answer's table in two that fit a page: how large, and what it rests on."""
    if "answer" not in given.tables:
        return []
    whole = given.tables["answer"]
    size, *base = whole.notes
    beside = ("held", "robustness", "robustness_interval", "unseen_leaving", "method")
    sizes = whole.only(*(c.key for c in whole.columns if c.key not in beside))
    rests = replace(
        whole.only("effect", *beside), name="answer_base", title="What it holds constant, what would undo it"
    )
    return [TablePart(shown(replace(sizes, notes=(size,)))), TablePart(shown(replace(rests, notes=tuple(base))))]


def sample(given: Given) -> list[Part]:
    """Who is in the analysis, what was measured, who left."""
    result = given.result
    warnings = dict.fromkeys((*given.read, *result.findings.errors, *result.findings.warnings))
    records = result.asked.scored if given.panel is None else given.panel.records
    doubts = _used((f for f in warnings if f.severity != "note"), records)
    parts = given.table("flow")
    if result.no_cluster:
        parts.append(Unanswered(result.no_cluster))
    parts += [*given.table("scales"), *given.table("reliability")]
    if doubts:
        parts.append(Warnings("What the check of the data found", doubts))
    parts += figures.courses(result, given.panel, given.shown("course"), share=given.share)
    if given.panel is None:
        parts += given.table("course", "Averages by session")
    parts += figures.attendance(given.panel, given.shown("sessions"), share=given.share) or given.table(
        "sessions", "Course of attendance"
    )
    if isinstance(result.drop_out, DropOutModel):
        parts += given.table("drop_out_model")
    else:
        parts.append(Unanswered(result.drop_out))
    return [*parts, *figures.gaps(result, given.panel, share=given.share)]


def _used(findings: Iterable[Finding], records: Iterable[Any]) -> tuple[Finding, ...]:
    """Findings about what a study uses; of the keys of the instruments that were scored, that alone."""
    keys = [record.key for record in records if isinstance(record, ScoreRecord)]
    about_keys = {whole: unverified_finding(key, _USED) for key in keys for whole in unverified_finding(key)}
    return tuple(one for finding in findings for one in about_keys.get(finding, [finding]))


def forward(given: Given) -> list[Part]:
    """Process -> next outcome."""
    return _direction(given, given.result.forward, 0)


def reverse(given: Given) -> list[Part]:
    """Outcome -> next process."""
    return _direction(given, given.result.reverse, 1)


def _direction(given: Given, one: Direction | NotAnswered, place: int) -> list[Part]:
    if isinstance(one, NotAnswered):
        return [Unanswered(one)]
    parts: list[Part] = [Text(given.result.answer[place])]
    parts += given.table(one.key)
    if isinstance(one.between, NotAnswered):
        parts.append(Unanswered(one.between))
    if not given.share:
        parts += figures.pairs(given.result, one, given.panel)
    if f"{one.key}_models" in given.tables:
        parts.append(TablePart(side_by_side(given.tables[f"{one.key}_models"], one)))
    parts += [Unanswered(step) for step in one.steps if isinstance(step, NotAnswered)]
    parts += given.table(f"{one.key}_differences")
    if isinstance(one.heterogeneity, NotAnswered) and one.heterogeneity not in one.steps:
        parts.append(Unanswered(one.heterogeneity))
    for m in one.moderators:
        parts += figures.slopes(given.result, one, m) if isinstance(m, Moderation) else [Unanswered(m)]
    return [*parts, *given.table(f"{one.key}_slopes")]


def dynamic(given: Given) -> list[Part]:
    """How long effects last and how persons differ, by the dynamic model, where it was asked for."""
    result = given.result
    found = result.dynamic
    if not isinstance(found, DynamicModel):
        return [] if found is None else [Unanswered(found)]
    parts: list[Part] = [Text(sentence) for sentence in taken_away(result)]
    parts += figures.lasting(result, found, given.shown("dynamic_responses"))
    answers = result.headline.forward, result.headline.reverse
    if any(isinstance(one, HeadlineEffect) and one.unseen_leaving is not None for one in answers):
        parts.append(Text(_LEAVING, "note"))
    table = "dynamic_effect_counts" if given.share else "dynamic_person_effects"
    persons = figures.dynamic_persons(result, found, given.shown(table), share=given.share)
    if given.share:
        parts.append(Text("This report is made to be shared: effects of single persons are left out.", "note"))
    return [*parts, *persons]


def sensitivity(given: Given) -> list[Part]:
    """Both directions by every method, what each takes for granted, what few sessions do."""
    found = given.result.sensitivity
    parts: list[Part] = [Text(words) for words in found.words]
    parts += [*given.table("sensitivity"), *given.table("sensitivity_units", "In the units of the scores")]
    parts.append(TablePart(shown(_assumptions(given.result)), "What each method takes for granted"))
    few = given.result.few_sessions
    if isinstance(few, FewSessions):
        return [*parts, *given.table("few_sessions")]
    return [*parts, Unanswered(few)]


def _assumptions(result: StudyResult) -> StudyTable:
    titles = {
        "means": "Person means",
        "trend": "Trend",
        "effects": "Effects",
        "covariates": "Covariates",
        "levels": "Levels",
        "residuals": "Residuals",
        "sample": "Sessions and persons",
    }
    if not result.study.covariates:
        del titles["covariates"]
    columns = (Column("method", "Method"), *(Column(key, title) for key, title in titles.items()))
    rows = tuple((row.label, *(getattr(row.assumes, key) for key in titles)) for row in result.sensitivity.rows)
    return StudyTable("assumptions", "What each method takes for granted", columns, rows)


def persons(given: Given) -> list[Part]:
    """Person-specific effects, shrunken."""
    found = given.result.persons
    if isinstance(found, NotAnswered):
        return [Unanswered(found)]
    if given.share:
        return [Text("This report is made to be shared: effects of single persons are left out.", "note")]
    return list(figures.persons(given.result, given.shown("person_effects")))


def checklist(given: Given) -> list[Part]:
    """What the methods literature asks for, and what was done."""
    return given.table("checklist")


def paper(given: Given) -> list[Part]:
    """Text to be taken over."""
    result = given.result
    return [
        Copyable("methods", "Methods", result.methods),
        Copyable("results", "Results", result.results),
        Copyable("references", "References", result.references, "references"),
    ]


def open_questions(given: Given) -> list[Part]:
    """Everything that these data cannot answer, in one place."""
    return given.table("not_answered")


def about(given: Given) -> list[Part]:
    """How to get the same again."""
    result = given.result
    facts = [("Version", f"sessionwise {result.version}"), ("Data, SHA-512", result.fingerprint), *given.facts]
    if "Command" not in dict(given.facts):
        facts.append(("Call", python_call(result, given.panel)))
    notes = dict.fromkeys(f for f in (*given.read, *result.findings.notes) if f.severity == "note")
    parts: list[Part] = [Facts(tuple(facts))]
    return [*parts, Warnings("What was noted in reading, scoring and checking", tuple(notes))] if notes else parts


def _said(text: str) -> Callable[[Given], str]:
    return lambda given: text


SECTIONS: tuple[tuple[str, Callable[[Given], str], Callable[[Given], list[Part]]], ...] = (
    ("answer", _said("The answer"), answer),
    ("sample", _said("The sample"), sample),
    ("forward", lambda given: given.result.arrow("forward"), forward),
    ("reverse", lambda given: given.result.arrow("reverse"), reverse),
    ("dynamic", _said("The dynamic model"), dynamic),
    ("sensitivity", _said("Do other methods say the same?"), sensitivity),
    ("persons", lambda given: f"Each {given.result.person}", persons),
    ("checklist", _said("Checklist of method"), checklist),
    ("paper", _said("For your paper"), paper),
    ("open", _said("What these data cannot answer"), open_questions),
    ("about", _said("About this report"), about),
)
