"""ExpectedCourse: the description of a course that is to be learned from a reference sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from ...errors import ModelError
from ...options import (
    A_LEVEL,
    A_NAME,
    A_SEED,
    PANEL,
    TEXTS,
    Kind,
    a_number,
    fields_of_kind,
    is_number,
    one_of,
    takes,
    whole_number,
)
from ...threads import one_thread
from ..norms import BETTER, Better

if TYPE_CHECKING:
    from ...panel import Panel
    from .learned import LearnedCourse
    from .validated import ValidatedCourse

Shape = Literal["log", "linear", "free"]
BadOutcome = Literal["no reliable improvement", "deteriorated"]
_LIMITS = Kind(
    "two numbers, the lowest and the highest score",
    lambda v: isinstance(v, tuple) and len(v) == 2 and all(map(is_number, v)) and v[0] < v[1],
)


@dataclass(frozen=True, slots=True)
class ExpectedCourse:
    """The course of ratings after the first, given how ill a patient was at the first: a growth model.

    column : the ratings. baseline : 'first', the person's first rating, or a column that was measured before.
    covariates : numeric columns that do not change within a person; each moves the level and the slope.
    shape : of the mean course over sessions since the first, k: 'log', straight in log(k + 1); 'linear', in k; 'free',
    a mean for every session that enough persons have. Persons differ in level and slope (with 'free' in log(k + 1)).
    level : share of ratings that a band is to hold.
    better : which scores are better; None: the instrument's, else 'lower'.
    reliable_change : that counts as reliably worse or better; None: the instrument's, else 1.96·√2·SD of the residuals.
    limits : lowest and highest possible score; None: the instrument's, else none.
    residual : 'ar1' or 'independent', as of `MLM`.

    Raises
    ------
    ModelError : a value that cannot be meant.

    >>> import sessionwise as sw
    >>> panel = sw.Panel(sw.datasets.demo(persons=120, scale_scores=True), person="patient", session="session")
    >>> sw.ExpectedCourse("core_om").fit(panel).persons
    120
    """

    column: str
    baseline: str = "first"
    covariates: tuple[str, ...] = ()
    shape: Shape = "log"
    level: float = 0.80
    better: Better | None = None
    reliable_change: float | None = None
    limits: tuple[float, float] | None = None
    residual: Literal["ar1", "independent"] = "ar1"

    def __post_init__(self) -> None:
        fields_of_kind(
            self, column=A_NAME, baseline=A_NAME, covariates=TEXTS, level=A_LEVEL, reliable_change=a_number(0),
            limits=_LIMITS,
        )  # fmt: skip
        object.__setattr__(self, "covariates", tuple(self.covariates))
        one_of("shape", self.shape, get_args(Shape))
        one_of("better", self.better, (*BETTER, None))
        one_of("residual", self.residual, ("ar1", "independent"))

    @property
    def predictors(self) -> tuple[str, ...]:
        """Columns known beforehand: the covariates, and the baseline where it is a column."""
        return self.covariates if self.baseline == "first" else (*self.covariates, self.baseline)

    @takes(ModelError, panel=PANEL)
    @one_thread()
    def fit(self, panel: Panel) -> LearnedCourse:
        """Learn the course from a reference sample.

        Raises
        ------
        PanelError : no such column, or it is not numeric.
        ModelError : too few persons or ratings, ratings that are all equal, a covariate that changes within persons.
        """
        from .learn import learned

        return learned(self, panel)

    @takes(ModelError, panel=PANEL, folds=whole_number(2), seed=A_SEED)
    @one_thread()
    def validate(
        self, panel: Panel, *, folds: int = 10, seed: int = 0, bad: BadOutcome = "no reliable improvement"
    ) -> ValidatedCourse:
        """Cross-validation by persons: each is tracked by a course that was learned from the others.

        bad : the outcome that an alarm is to foretell, by the last rating against the baseline: 'no reliable
        improvement' or 'deteriorated' (by the reliable change).

        Raises
        ------
        ModelError : as `fit`; more folds than persons.
        """
        from .validated import validated

        one_of("bad", bad, get_args(BadOutcome))
        return validated(self, panel, folds, seed, bad)
