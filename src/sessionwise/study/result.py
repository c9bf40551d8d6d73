"""StudyResult: what `Study.run` found, part by part, in the order a paper reports it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

from ..descriptions import Description
from ..errors import StudyError
from ..findings import Findings
from ..options import A_PATH, PANEL, TEXT, YES_OR_NO, takes
from ..show import Part, Shown, plain
from .records import (
    CoursePoint,
    Diagnostic,
    Direction,
    DropOutModel,
    DynamicModel,
    Estimand,
    FewSessions,
    FlowStep,
    Headline,
    NotAnswered,
    PersonEffects,
    Rule,
    Sensitivity,
)
from .words.phrases import arrow, following

if TYPE_CHECKING:
    from os import PathLike
    from pathlib import Path

    from ..panel import Panel
    from .study import Study
    from .study_call import StudyCall
    from .study_table import StudyTable


@dataclass(frozen=True, slots=True, eq=False)
class StudyResult(Shown):
    """The result of a study. Frozen, no session rows; the same data, options and version give the same result.

    answer : forward and reverse in words, with numbers and intervals; they come first. headline : the same in numbers.
    estimands : which effect each of these numbers is of, beside those within a session. diagnostics : tests of what
    would make the answer wrong.
    study, version, asked, fingerprint : what was asked, by which version, of which Panel (`call` is how to ask it again
        in Python), and the SHA-512 of the data as analysed (independent of the order of rows in the file).
    flow, description, course, drop_out : the sample.
    forward, reverse : process -> next outcome, and outcome -> process.
    persons : person-specific effects of the process on the outcome, by the multilevel model.
    dynamic : what the dynamic model found beside the answer: how long effects last, persons' own effects. None where it
        was not asked for.
    sensitivity, few_sessions : other methods, and what few sessions do to these.
    checklist, methods, results, references : for the paper.
    findings : of `check`.
    no_cluster : why there is no level above persons, where the Panel has clusters; else None.
    called : column -> as sentences call it, of the outcome and the process. person : 'patient', 'client', 'person', ...

    Any of drop_out, forward, reverse, persons, dynamic, few_sessions may be a NotAnswered.
    """

    answer: tuple[str, str]
    headline: Headline
    estimands: tuple[Estimand, ...]
    diagnostics: tuple[Diagnostic, ...]
    study: Study
    version: str
    asked: StudyCall
    fingerprint: str
    flow: tuple[FlowStep, ...]
    description: Description
    course: tuple[CoursePoint, ...]
    drop_out: DropOutModel | NotAnswered
    forward: Direction | NotAnswered
    reverse: Direction | NotAnswered
    persons: PersonEffects | NotAnswered
    dynamic: DynamicModel | NotAnswered | None
    sensitivity: Sensitivity
    few_sessions: FewSessions | NotAnswered
    checklist: tuple[Rule, ...]
    methods: tuple[str, ...]
    results: tuple[str, ...]
    references: tuple[str, ...]
    findings: Findings
    no_cluster: NotAnswered | None
    called: tuple[tuple[str, str], tuple[str, str]]
    person: str

    @property
    def call(self) -> str:
        """How to ask for it again in Python."""
        return str(self.asked)

    @property
    def caution(self) -> str:
        """What stands against the answer in these data, to be said before all else: methods that disagree, and
        diagnostics that found something. '' where nothing does, as in most data in which nothing is wrong."""
        disagree = () if self.sensitivity.agree else self.sensitivity.disagree
        return " ".join((*(one.words for one in self.diagnostics if one.alarm), *disagree))

    @takes(StudyError, key=TEXT)
    def arrow(self, key: Literal["forward", "reverse"]) -> str:
        """A direction: 'WAI-SR → next CORE-OM'."""
        (_, outcome), (_, process) = self.called
        pair = (process, outcome) if key == "forward" else (outcome, process)
        return arrow(*pair, self.study.lag)

    @takes(StudyError, key=TEXT)
    def following(self, key: Literal["forward", "reverse"]) -> str:
        """The response of a direction: 'the next CORE-OM'."""
        return following(self.called[0 if key == "forward" else 1][1], self.study.lag)

    @property
    def unanswered(self) -> tuple[NotAnswered, ...]:
        """Everything that could not be answered, in the order of the parts; what follows from another is left out."""
        found: dict[NotAnswered, None] = {}
        for f in fields(self):
            _gather(getattr(self, f.name), found)
        first: dict[tuple[str, str], NotAnswered] = {}
        for one in found:
            first.setdefault((one.why, one.needed), one)
        return tuple(first.values())

    def tables(self) -> dict[str, StudyTable]:
        """Name -> table, in the order a paper reports them; what could not be answered has no table."""
        from .tables import tables

        return tables(self)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and text for JSON: the attributes' names are the keys, at every level; unknown is None.

        A part that could not be answered is {"question": ..., "why": ..., "needed": ...}.
        """
        names = ("call" if f.name == "asked" else f.name for f in fields(self))
        made = {name: plain(getattr(self, name)) for name in names if name != "description"}
        return made | {"description": self.description.to_dict()}

    @takes(StudyError, path=A_PATH, panel=PANEL, labels=YES_OR_NO, share=YES_OR_NO, overwrite=YES_OR_NO)
    def report(
        self,
        path: str | PathLike[str],
        panel: Panel | None = None,
        *,
        labels: bool = False,
        share: bool = False,
        overwrite: bool = False,
    ) -> Path:
        """Write it as one HTML file. panel : the data; with them the report draws single persons and sessions too.

        labels : keep the labels of persons; else they are numbered. share : nothing of single persons, no small counts.
        See `sessionwise.report`, which has more options.
        """
        from ..reports import report

        return report(self, path, panel, labels=labels, share=share, overwrite=overwrite)

    def parts(self) -> list[Part]:
        """What is shown of it: the answer first, then tables."""
        from .words.printed import parts

        return parts(self)

    def __repr__(self) -> str:
        return (
            f"<StudyResult {self.study.process} -> {self.study.outcome}; {self.description.sample.persons:,} persons>"
        )


def _gather(value: Any, found: dict[NotAnswered, None]) -> None:
    if isinstance(value, NotAnswered):
        found[value] = None
    elif isinstance(value, tuple):
        for item in value:
            _gather(item, found)
    elif hasattr(value, "__dataclass_fields__") and not isinstance(value, Description):
        for f in fields(value):
            _gather(getattr(value, f.name), found)
