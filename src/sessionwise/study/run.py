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
from .parts.diagnostics import diagnostics
from .parts.direction import FittedDirection, analysed
from .parts.drop_out import leaving
from .parts.dynamic import Dynamic, dynamic
from .parts.estimands import estimands
from .parts.exclusions import losses
from .parts.few_sessions import few_sessions
from .parts.headline import headline, net_effects
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

PARTS = ("the sample", "process → outcome", "outcome → process", "dynamic model", "other methods", "words")


def run(study: Study, panel: Panel, seed: int, progress: Progress | None) -> StudyResult:
    """`Study.run`."""

    def begin(part: int) -> None:
        if progress:
            progress(PARTS[part], part, len(PARTS))

    begin(0)
    given = setting(study, panel, seed)
    left = leaving(given)
    drop_out = left if isinstance(left, NotAnswered) else left.model
    begin(1)
    forward = analysed(given, "forward")
    begin(2)
    reverse = analysed(given, "reverse")
    begin(3)
    net = net_effects(given, left)
    lines = not isinstance(net.used, NotAnswered) and net.used.line
    numbers = dict(zip(panel.persons.tolist(), person_numbers(panel, study.columns).tolist(), strict=True))
    latent = dynamic(given, lines, seed, numbers) if study.dynamic is not False else None
    begin(4)
    compared = sensitivity(MainModels(given, forward, reverse, net, latent))
    begin(5)
    few = few_sessions(given, forward, net.used)
    persons = person_effects(given, forward, numbers)
    both = _direction(forward), _direction(reverse)
    found = headline(given, net, *both, latent)
    doubts = diagnostics(given, net, drop_out)
    release = version("sessionwise")
    return StudyResult(
        answer=answers(given, found, compared),
        headline=found,
        estimands=estimands(given, found, *both),
        diagnostics=doubts,
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
        dynamic=latent.model if isinstance(latent, Dynamic) else latent,
        sensitivity=compared,
        few_sessions=few,
        checklist=checklist(given, both[0], drop_out, compared, doubts, found),
        methods=methods_text(given, both[0], compared, release, drop_out, found),
        results=results_text(given, found, both, persons, compared, few, drop_out, doubts),
        references=references(given, both, drop_out, few, compared, found),
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
