"""StudyData: a study and the data it is put to, ready for every part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..descriptions import Description, describe
from ..errors import StudyError
from ..scoring import Instrument, Scale
from ..words import agree, counted, plural_of
from .parts.equation import Equation, quoted
from .person_columns import filled
from .records import NotAnswered
from .refusals import can_be_studied, known
from .words.phrases import arrow, before, cluster_word, following, later

if TYPE_CHECKING:
    from ..panel import Panel
    from .study import Expected, Study

#: Fewer persons than this tell nothing certain about how persons differ.
FEWEST_PERSONS = 20
#: Fewer clusters than this give no variance between clusters.
FEWEST_CLUSTERS = 5
#: 'First sessions' are at least so many.
FEWEST_FIRST = 4

_PERSONS = ("patient", "client", "person", "participant", "subject", "student", "child", "member", "user", "case")


@dataclass(frozen=True, slots=True, eq=False)
class StudyData:
    """A study and its data.

    panel : the data, what is fixed for a person in all rows of the person. description : of the columns.
    sd_outcome, sd_process : within-person SDs (REML), in which standardised effects are.
    cluster : the column, if there is such a level that can be estimated; no_cluster : why not, where the Panel has one.
    first : number of first sessions. expected : direction. person, outcome, process : as sentences call them.
    """

    study: Study
    panel: Panel
    description: Description
    sd_outcome: float
    sd_process: float
    cluster: str | None
    no_cluster: NotAnswered | None
    first: int
    expected: Expected
    seed: int
    person: str
    outcome: str
    process: str

    @property
    def forward(self) -> Equation:
        """Process -> outcome."""
        study = self.study
        return self._equation(study.outcome, study.process, study.order == "process first")

    @property
    def reverse(self) -> Equation:
        """Outcome -> process."""
        study = self.study
        return self._equation(study.process, study.outcome, study.order == "outcome first")

    @property
    def scale_forward(self) -> float:
        """What turns a forward effect into within-person SDs."""
        return self.sd_process / self.sd_outcome

    @property
    def scale_reverse(self) -> float:
        return self.sd_outcome / self.sd_process

    def called(self, column: str) -> str:
        """A column as sentences call it."""
        return {self.study.outcome: self.outcome, self.study.process: self.process}.get(column, column)

    @property
    def clusters(self) -> str:
        """The level above persons in the singular, as sentences call it: 'therapist', or 'cluster'."""
        return cluster_word(self.panel.roles.cluster or "cluster")

    # --- phrases --------------------------------------------------------------------------------

    @property
    def later(self) -> str:
        """When the response is: 'at the next session'."""
        return later(self.study.lag)

    @property
    def before(self) -> str:
        """When predictors are: 'the session before'."""
        return before(self.study.lag)

    def following(self, column: str) -> str:
        """A response: 'the next CORE-OM'."""
        return following(self.called(column), self.study.lag)

    def arrow(self, equation: Equation) -> str:
        """A direction: 'WAI-SR → next CORE-OM'."""
        return arrow(self.called(equation.predictor), self.called(equation.response), self.study.lag)

    def _equation(self, response: str, predictor: str, same_session: bool) -> Equation:
        roles, study = self.panel.roles, self.study
        covariates = tuple(term for name in study.covariates for term in self.covariate_terms(name))
        shared = covariates, study.trend, roles.person, roles.session, self.cluster
        return Equation(response, predictor, study.lag, same_session, *shared)

    def covariate_terms(self, name: str) -> tuple[str, ...]:
        """Of one covariate: numbers that change within persons as deviations beside means, anything else as it is."""
        if self.panel.is_constant(name) or not self.panel.is_numeric(name):
            return (quoted(name),)
        return f"within({quoted(name)})", f"between({quoted(name)})"


def setting(study: Study, panel: Panel, seed: int) -> StudyData:
    """Look at the data once.

    Raises
    ------
    StudyError, PanelError : see `Study.run`.
    """
    _is_panel(panel)
    can_be_studied(study, panel)
    panel = filled(study, panel)
    description = describe(panel, [name for name in study.columns if _can_be_described(name, panel)])
    found = {v.name: v for v in description.variables}
    sds = [found[name].sd_within or 0.0 for name in (study.outcome, study.process)]
    for role, name, sd in zip(("outcome", "process"), (study.outcome, study.process), sds, strict=True):
        if not sd > 0:
            raise StudyError(
                f"{role} {name!r} varies within persons by no more than the rounding of its numbers.",
                where=f"column {name!r}",
                remedy="Look for values that are errors, subtract what all values have in common, or take another.",
            )
    cluster, no_cluster = _cluster(panel)
    median = int(np.median(panel.sessions_per_person))
    outcome, process = (known(name) for name in (study.outcome, study.process))
    return StudyData(
        study=study,
        panel=panel,
        description=description,
        sd_outcome=sds[0],
        sd_process=sds[1],
        cluster=cluster,
        no_cluster=no_cluster,
        first=study.first_sessions or max(median, FEWEST_FIRST, study.lag + 3),
        expected=study.expected or _expected(outcome, process),
        seed=seed,
        person=_person(panel),
        outcome=_called(study.outcome, outcome),
        process=_called(study.process, process),
    )


def _is_panel(given: object) -> None:
    from ..panel import Panel

    if not isinstance(given, Panel):
        raise StudyError(
            f"a {type(given).__name__} is no Panel.",
            where="Study.run",
            remedy="Make one of it first: sw.Panel(table, person=..., session=...).",
        )


def _can_be_described(name: str, panel: Panel) -> bool:
    """Numbers, and text that is the same in all sessions of a person."""
    return panel.is_numeric(name) or panel.is_constant(name)


# --- what is made out ---------------------------------------------------------------------------


def _cluster(panel: Panel) -> tuple[str | None, NotAnswered | None]:
    """The level above persons, or why there is none."""
    name, codes = panel.roles.cluster, panel.cluster_codes
    if name is None or codes is None:
        return None, None
    word, person = cluster_word(name), _person(panel)
    many = plural_of(word)
    question = f"how {many} differ"
    there = codes >= 0
    pairs = np.unique(np.column_stack([codes[there], panel.codes[there]]), axis=0)
    clusters, persons = np.unique(pairs[:, 0], return_counts=True)
    if len(clusters) < FEWEST_CLUSTERS:
        n = len(clusters)
        why = f"There {agree(n, 'is', 'are')} {counted(n, word)}."
        return None, NotAnswered(question, why, f"At least {FEWEST_CLUSTERS} {many}, better 20.")
    if (persons == 1).all():
        why = f"Every {word} has one {person}, so that the two cannot be told apart."
        return None, NotAnswered(question, why, f"{many.capitalize()} with several {person}s each.")
    return name, None


def _person(panel: Panel) -> str:
    """Persons in the singular, as sentences call them."""
    name = panel.roles.person.lower()
    return name if name in _PERSONS else "person"


def _called(column: str, found: tuple[Instrument, Scale] | None) -> str:
    return column if found is None else f"{found[0].name.upper()} {found[1].name}".rstrip()


def _expected(outcome: tuple[Instrument, Scale] | None, process: tuple[Instrument, Scale] | None) -> Expected:
    """More of what is better goes with less of what is worse; without knowledge as for alliance and symptoms."""
    worse = outcome is None or outcome[0].higher == "worse"
    better = process is None or process[0].higher == "better"
    return "negative" if worse == better else "positive"
