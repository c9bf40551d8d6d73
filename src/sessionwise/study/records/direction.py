"""One direction by multilevel models: the sequence of models, the effect, for whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .estimate import Estimate, Label, NotAnswered


@dataclass(frozen=True, slots=True)
class Coefficient:
    """A coefficient of a model: its name in the formula, its name in words. category : which it sets against the
    reference, None if it is of no category. course : whether it is one of many of a free course over sessions."""

    term: str
    label: str
    estimate: Estimate
    category: Label | None = None
    course: bool = False


@dataclass(frozen=True, slots=True)
class Component:
    """A standard deviation of random effects of a grouping factor, or of the residuals (group '')."""

    group: str
    effect: str
    sd: float

    @property
    def label(self) -> str:
        """As a table prints it."""
        return f"SD {self.group}: {self.effect}" if self.group else f"SD {self.effect}"


@dataclass(frozen=True, slots=True)
class Step:
    """A model of the sequence a paper reports.

    key : 'null', 'growth', 'effect', 'slope', or 'same_session'. label : in words. deviance : the REML criterion.
    verdict : in words. singular : whether a variance is zero, or random effects determine each other.
    """

    key: str
    label: str
    formula: str
    coefficients: tuple[Coefficient, ...]
    components: tuple[Component, ...]
    phi: float | None
    deviance: float
    aic: float
    n_parameters: int
    sessions: int
    persons: int
    converged: bool
    verdict: str
    singular: bool = False


@dataclass(frozen=True, slots=True)
class Heterogeneity:
    """How the within effect differs between persons, normal with this mean and SD.

    low, high : the middle 95 % of persons' effects lie between. expected : share of persons whose effect has the
    direction expected. chi2, p, reference : the likelihood-ratio test that the SD is zero. singular : the SD is
    estimated as zero, or its correlation with the level as 1 or -1.
    """

    mean: float
    sd: float
    low: float
    high: float
    direction: Literal["negative", "positive"]
    expected: float
    chi2: float
    df: int
    p: float
    reference: str
    singular: bool


@dataclass(frozen=True, slots=True)
class SimpleSlope:
    """The within effect where the moderator has a value."""

    at: str
    estimate: Estimate
    standardised: Estimate


@dataclass(frozen=True, slots=True)
class Moderation:
    """Whether the within effect depends on a characteristic of persons.

    interactions : how much the effect changes for one unit, or against the reference category. f, df1, df2, p : the
    test of all of them. slopes : simple slopes. persons, sessions : that it is of.
    """

    moderator: str
    interactions: tuple[Coefficient, ...]
    f: float
    df1: float
    df2: float
    p: float
    slopes: tuple[SimpleSlope, ...]
    persons: int = 0
    sessions: int = 0


@dataclass(frozen=True, slots=True)
class Direction:
    """Predictor at one session -> response at the next.

    key : 'forward' (process -> outcome) or 'reverse' (outcome -> process).
    steps : the models, in order. main : key of the step that the effects are from.
    within : what one unit more than usual in the predictor does to the response `lag` sessions later, within persons;
    standardised : the same in within-person SDs of both. previous : on the response's own previous value.
    same_session : of the predictor in the response's own session, where it was rated before the response;
    given_same_session : of the predictor the session before, with that held constant. Both of the step 'same_session',
    None where the order of rating does not ask for it or it could not be fitted.
    between : of the person's mean of the predictor on the response's level.
    heterogeneity, moderators : for whom. explained : share of the response's variance within persons that all fixed
    effects together explain, the trend included (Rights & Sterba 2019). dropped : reason -> sessions that could not be
    used. clusters : in the main model, None without such a level. covariates : that are in it.
    """

    key: Literal["forward", "reverse"]
    predictor: str
    response: str
    steps: tuple[Step | NotAnswered, ...]
    main: str
    within: Estimate
    standardised: Estimate
    previous: Estimate
    same_session: Estimate | None
    given_same_session: Estimate | None
    between: Estimate | NotAnswered
    heterogeneity: Heterogeneity | NotAnswered
    moderators: tuple[Moderation | NotAnswered, ...]
    explained: float | None
    sessions: int
    persons: int
    dropped: tuple[tuple[str, int], ...]
    clusters: int | None = None
    covariates: tuple[str, ...] = ()
