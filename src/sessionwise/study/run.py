"""run: the parts of a study, one after the other, into its result."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from ..checks import check
from ..findings import Finding, Findings
from ..panel import person_numbers
from ..words import counted
from .fingerprint import fingerprint
from .methods.method import MainModels
from .methods.sensitivity import sensitivity
from .parts.direction import FittedDirection, analysed
from .parts.drop_out import drop_out_model
from .parts.exclusions import losses
from .parts.few_sessions import few_sessions, known
from .parts.persons import person_effects
from .parts.sample import course, flow
from .person_columns import coded_notes
from .records import Direction, NotAnswered
from .refusals import doubtful
from .result import StudyResult
from .study_call import StudyCall
from .study_data import FEWEST_PERSONS, StudyData, setting
from .words.answer import answers
from .words.checklist import checklist
from .words.methods_text import methods_text
from .words.references import references
from .words.results_text import results_text

if TYPE_CHECKING:
    from ..panel import Panel
    from .study import Progress, Study

PARTS = ("the sample", "process → outcome", "outcome → process", "other methods", "words")


def run(study: Study, panel: Panel, seed: int, progress: Progress | None) -> StudyResult:
    """`Study.run`."""

    def begin(part: int) -> None:
        if progress:
            progress(PARTS[part], part, len(PARTS))

    begin(0)
    given = setting(study, panel, seed)
    drop_out = drop_out_model(given)
    begin(1)
    forward = analysed(given, "forward")
    begin(2)
    reverse = analysed(given, "reverse")
    begin(3)
    basis = MainModels(given, forward, reverse, known(given, forward, reverse))
    compared = sensitivity(basis)
    begin(4)
    numbers = person_numbers(panel, study.columns).tolist()
    few = few_sessions(given, forward, reverse, basis.process)
    persons = person_effects(given, forward, dict(zip(panel.persons.tolist(), numbers, strict=True)))
    both = _direction(forward), _direction(reverse)
    release = version("sessionwise")
    return StudyResult(
        answer=answers(given, *both, compared),
        study=study,
        version=release,
        asked=StudyCall.of(study, panel, seed),
        fingerprint=fingerprint(panel, study.columns),
        flow=flow(given, forward),
        description=given.description,
        course=course(given),
        drop_out=drop_out,
        forward=both[0],
        reverse=both[1],
        persons=persons,
        sensitivity=compared,
        few_sessions=few,
        checklist=checklist(given, both[0], drop_out, compared),
        methods=methods_text(given, both[0], compared, release, drop_out, basis.process),
        results=results_text(given, both, persons, compared, few, drop_out),
        references=references(given, both, drop_out, few, compared),
        findings=check(panel)
        + _few(given)
        + Findings([*doubtful(study, panel), *coded_notes(study, panel), *losses(given, forward)]),
        no_cluster=given.no_cluster,
        called=((study.outcome, given.outcome), (study.process, given.process)),
        person=given.person,
    )


def _direction(one: FittedDirection | NotAnswered) -> Direction | NotAnswered:
    return one if isinstance(one, NotAnswered) else one.direction


def _few(given: StudyData) -> Findings:
    """That there are few persons."""
    n, person = given.panel.n_persons, given.person
    if n >= FEWEST_PERSONS:
        return Findings()
    what = f"There are {counted(n, person)}: results say little beyond them, and intervals rest on few."
    remedy = f"Take them as a description, or analyse at least {FEWEST_PERSONS} {person}s."
    return Findings([Finding("warning", "few-persons", what, count=n, remedy=remedy)])
