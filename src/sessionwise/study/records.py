"""Records: what each part of a study found. Frozen, plain numbers and text, no session rows.

A part that cannot be estimated is a `NotAnswered` in its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scipy.special import ndtr

from ..errors import Wording

Label = str | int | float
#: Of the normal distribution, for 95 % intervals.
Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class NotAnswered:
    """A question that these data cannot answer. question : which; why : what stands against it; needed : what would
    answer it."""

    question: str
    why: str
    needed: str

    @property
    def words(self) -> str:
        """All of it in one text; a Wording where `needed` is one."""
        told = f"Not answered: {self.question}. {self.why}"
        return Wording(f"{told} ", self.needed) if self.needed else told

    def __str__(self) -> str:
        return str(self.words)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its standard error and 95 % interval; df is None for a normal reference distribution, p is that
    of the hypothesis that the number is zero."""

    value: float
    se: float
    low: float
    high: float
    df: float | None
    p: float

    @classmethod
    def normal(cls, value: float, se: float) -> Estimate:
        """With a normal reference distribution."""
        return cls(value, se, value - Z * se, value + Z * se, None, float(2 * ndtr(-abs(value / se))))

    @property
    def significant(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0

    def times(self, k: float) -> Estimate:
        """In other units: all of it multiplied by k."""
        low, high = sorted((self.low * k, self.high * k))
        return Estimate(self.value * k, self.se * abs(k), low, high, self.df, self.p)


# --- the sample ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FlowStep:
    """Who is left after a step, from the file to the main model; `why` the others are not in it."""

    what: str
    persons: int
    sessions: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class CoursePoint:
    """The average of a column at a session number, over the persons who have a value, with its 95 % interval (None for
    one person). Who is left changes from session to session."""

    column: str
    session: int
    persons: int
    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class DropOutEffect:
    """What one SD more of a predictor does to the odds of leaving after a session. odds_ratio.p : of a ratio of 1."""

    key: Literal["outcome_level", "outcome_change", "process_level", "process_change"]
    label: str
    sd: float
    odds_ratio: Estimate


@dataclass(frozen=True, slots=True)
class DropOutModel:
    """Whether leaving goes with the last observed scores: a discrete-time hazard model.

    persons, sessions, events : persons at risk, sessions after which they could have left, how many did.
    effects : odds ratios. baseline : share who leave after sessions first..last (first, last, at risk, left).
    words : what was found.
    """

    persons: int
    sessions: int
    events: int
    effects: tuple[DropOutEffect, ...]
    baseline: tuple[tuple[int, int, int, int], ...]
    words: str


# --- one direction ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Coefficient:
    """A coefficient of a model: its name in the formula, its name in words. category : which it sets against the
    reference, None if it is of no category."""

    term: str
    label: str
    estimate: Estimate
    category: Label | None = None


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

    key : 'null', 'growth', 'effect', 'slope', or 'moderator:NAME'. label : in words. deviance : the REML criterion.
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
    same_session : of the predictor in the response's own session, where it was rated before the response; else None.
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
    same_session_standardised: Estimate | None
    between: Estimate | NotAnswered
    heterogeneity: Heterogeneity | NotAnswered
    moderators: tuple[Moderation | NotAnswered, ...]
    explained: float | None
    sessions: int
    persons: int
    dropped: tuple[tuple[str, int], ...]
    clusters: int | None = None
    covariates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PersonEffect:
    """A person's own within effect, shrunken towards the average, with its 95 % interval. pairs : usable sessions.
    number : what stands for the person's label in files that are passed on, see `panel.person_numbers`."""

    person: Label
    value: float
    low: float
    high: float
    pairs: int
    number: int


@dataclass(frozen=True, slots=True)
class PersonEffects:
    """Effects of the process on the outcome of persons with two lagged pairs or more, lowest first.

    average, sd : of the distribution they come from; its variance is taken as known. clear : how many intervals leave
    out zero. apart : how many effects differ from the average by more than their error. reliability : of the shrunken
    effects, 1 - mean error variance / sd². correlation : of persons' effects with their levels of the response.
    """

    effects: tuple[PersonEffect, ...]
    average: float
    sd: float
    clear: int
    reliability: float
    apart: int = 0
    correlation: float | None = None


# --- sensitivity --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What a method takes for granted, in words, one phrase for each point in which methods can differ.

    effects : whether persons share one effect. covariates : which are held constant.
    """

    means: str
    trend: str
    levels: str
    residuals: str
    sample: str
    effects: str = "the same for all"
    covariates: str = "none"


@dataclass(frozen=True, slots=True)
class SensitivityRow:
    """Both directions by one method, in within-person SDs; the same SDs for every method.

    bias_forward, bias_reverse : what is expected to be off because persons have few sessions, in the same units; None
    where it is not known, 0 where the method is free of it. said : what the methods section says of how it was fitted.
    """

    key: str
    label: str
    assumes: Assumptions
    forward: Estimate | NotAnswered
    reverse: Estimate | NotAnswered
    bias_forward: float | None
    bias_reverse: float | None
    persons: int | None
    sessions: int | None
    said: str = ""


@dataclass(frozen=True, slots=True)
class ExpectedBias:
    """A coefficient of the main models, in the data's units: as estimated, what is expected to be off in these numbers
    of sessions, and what remains. key : 'previous' (the response's own), 'effect', or 'same_session'."""

    direction: Literal["forward", "reverse"]
    key: Literal["previous", "effect", "same_session"]
    label: str
    estimate: float
    bias: float

    @property
    def without(self) -> float:
        return self.estimate - self.bias


@dataclass(frozen=True, slots=True)
class FewSessions:
    """What few sessions a person do to models with person means and a lagged response (Nickell 1981).

    pairs : average number of lagged pairs a person. table : (true autoregression, expected bias) by Nickell's formula,
    averaged over persons. coefficients : the expected bias of both main models together; empty where it could not be
    computed. words : what it means.
    """

    pairs: float
    table: tuple[tuple[float, float], ...]
    coefficients: tuple[ExpectedBias, ...]
    words: str


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """Both directions by every method.

    reference : key of the main row. agree : whether methods say the same in both directions. words : whether they
    agree comes first, then which assumptions differ. sd_outcome, sd_process : the within-person SDs used. sessions :
    the number of first sessions that 'first sessions' and 'complete cases' look at.
    """

    rows: tuple[SensitivityRow, ...]
    reference: str
    agree: bool
    words: tuple[str, ...]
    sd_outcome: float
    sd_process: float
    first: int


# --- what was done ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of method, whether it was kept, and what was done for it."""

    rule: str
    kept: Literal["yes", "partly", "no"]
    done: str
