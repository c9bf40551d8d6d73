"""StudyData: a study and the data it is put to, ready for every part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from ..descriptions import Description, describe
from ..errors import StudyError
from ..scoring import Instrument, Scale
from ..words import agree, counted, plural_of
from .parts.equation import Course, Equation, quoted
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
#: With more session numbers than this, or fewer sessions at each on average, a free course is a smooth curve.
MOST_STEPS, FEWEST_A_STEP = 15, 10
#: Over so few session numbers a smooth curve has no less freedom than levels.
FEWEST_NUMBERS = 8
#: Of the sessions, that are before each knot of a smooth curve.
KNOTS = (0.25, 0.5, 0.75)
#: 'First sessions' are at least so many.
FEWEST_FIRST = 4

#: A column's label in the file is its name in sentences if it has no more letters.
LONGEST_LABEL = 30

_PERSONS = ("patient", "client", "person", "participant", "subject", "student", "child", "member", "user", "case")


@dataclass(frozen=True, slots=True, eq=False)
class StudyData:
    """A study and its data.

    panel : the data, what is fixed for a person in all rows of the person. description : of the columns.
    sd_outcome, sd_process : within-person SDs (REML), in which standardised effects are.
    course : of all persons: `Study.trend`, a free one made out for these sessions.
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
    course: Course | None
    first: int
    expected: Expected
    seed: int
    person: str
    outcome: str
    process: str

    @property
    def forward(self) -> Equation:
        """Process -> outcome."""
        return self._equation(self.study.outcome, self.study.process)

    @property
    def reverse(self) -> Equation:
        """Outcome -> process."""
        return self._equation(self.study.process, self.study.outcome)

    @property
    def rated_later(self) -> Literal["forward", "reverse"] | None:
        """The direction whose response is rated after its predictor in each session."""
        return {"process first": "forward", "outcome first": "reverse"}.get(self.study.order)  # type: ignore[return-value]

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

    @property
    def held(self) -> tuple[str, ...]:
        """Terms of covariates."""
        return tuple(term for name in self.study.covariates for term in self.covariate_terms(name))

    def _equation(self, response: str, predictor: str) -> Equation:
        roles = self.panel.roles
        shared = self.held, self.course, roles.person, roles.session, self.cluster
        return Equation(response, predictor, self.study.lag, False, *shared, knots=course_knots(self.panel))

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
    can_be_studied(study, panel)
    labels = _labels(study, panel)
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
        course=free_course(panel) if study.trend == "free" else study.trend,
        first=study.first_sessions or max(median, FEWEST_FIRST, study.lag + 3),
        expected=study.expected or _expected(outcome, process),
        seed=seed,
        person=_person(panel),
        outcome=_called(study.outcome, outcome, labels),
        process=_called(study.process, process, labels),
    )


def _can_be_described(name: str, panel: Panel) -> bool:
    """Numbers, and text that is the same in all sessions of a person."""
    return panel.is_numeric(name) or panel.is_constant(name)


# --- what is made out ---------------------------------------------------------------------------


def free_course(panel: Panel) -> Course:
    """A level for each session number where these are few, or else a smooth curve."""
    numbers = len(np.unique(panel.sessions))
    enough = len(panel) >= FEWEST_A_STEP * numbers or numbers <= FEWEST_NUMBERS
    return "steps" if numbers <= MOST_STEPS and enough else "spline"


def course_knots(panel: Panel) -> tuple[float, ...]:
    """Session numbers at which the pieces of a smooth curve meet: each of them apart, none the first or last."""
    numbers = panel.sessions
    found = np.unique(np.quantile(numbers, KNOTS)) if len(numbers) else np.zeros(0)
    return tuple(float(at) for at in found if numbers.min() < at < numbers.max())


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
    if panel.roles.episode is not None:
        return "treatment"
    name = panel.roles.person.lower()
    return name if name in _PERSONS else "person"


def _labels(study: Study, panel: Panel) -> dict[str, str]:
    """Short labels of outcome and process in the file, which differ."""
    found = {name: panel.variable_labels.get(name, "").strip() for name in (study.outcome, study.process)}
    fit = len(set(found.values())) == 2
    short = {name: label for name, label in found.items() if fit and 0 < len(label) <= LONGEST_LABEL}
    return {name: f"“{label}”" if set(label) & set(",;:.()") else label for name, label in short.items()}


def _called(column: str, found: tuple[Instrument, Scale] | None, labels: Mapping[str, str]) -> str:
    return labels.get(column, column) if found is None else f"{found[0].name.upper()} {found[1].name}".rstrip()


def _expected(outcome: tuple[Instrument, Scale] | None, process: tuple[Instrument, Scale] | None) -> Expected:
    """More of what is better goes with less of what is worse; without knowledge as for alliance and symptoms."""
    worse = outcome is None or outcome[1].higher == "worse"
    better = process is None or process[1].higher == "better"
    return "negative" if worse == better else "positive"
