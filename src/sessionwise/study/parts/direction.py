"""One direction: predictor at one session -> response at the next. Null, growth, effect, random slope, moderators."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.special import ndtr

from ...designs import Design, design
from ...errors import Argument, DesignError, ModelError, Wording
from ...formula import names
from ...models import MLMFit
from ...words import counted
from ..records import Direction, Heterogeneity, NotAnswered, Step, Z
from ..study_data import FEWEST_PERSONS
from .fits import estimate, sentence, step, tried
from .moderation import moderation

if TYPE_CHECKING:
    from ..study_data import StudyData
    from .equation import Equation

#: Persons with two lagged pairs or more; with fewer no effect within persons is estimated.
FEWEST_WITH_CHANGE = 5
#: A correlation nearer to 1 than this is 1.
_ROUNDING = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class FittedDirection:
    """A direction with what later parts need of it: main, the fit the effects are from; made, its rows."""

    direction: Direction
    equation: Equation
    main: MLMFit
    made: Design


def analysed(setting: StudyData, key: Literal["forward", "reverse"]) -> FittedDirection | NotAnswered:
    """All models of one direction."""
    equation = setting.forward if key == "forward" else setting.reverse
    predictor, response = setting.called(equation.predictor), setting.called(equation.response)
    question = f"whether {predictor} predicts {setting.following(equation.response)}"
    made = _rows(setting, equation, question)
    if isinstance(made, NotAnswered):
        return made
    effect = tried(setting.panel, equation.effect(), question, equation.needed)
    if isinstance(effect, NotAnswered):
        return effect
    slope = _slope(setting, equation, made)
    main, at = (effect, "effect") if isinstance(slope, NotAnswered) else (slope, "slope")
    within = estimate(main, equation.within)
    same = _same_session(setting, equation, slope) if key == setting.rated_later else None
    scale = setting.scale_forward if key == "forward" else setting.scale_reverse
    between = f"how {response} goes with {setting.person}s' mean {predictor}"
    found = Direction(
        key=key,
        predictor=equation.predictor,
        response=equation.response,
        steps=_steps(setting, equation, effect, slope, same),
        main=at,
        within=within,
        standardised=within.times(scale),
        previous=estimate(main, equation.previous),
        same_session=estimate(same, equation.same) if isinstance(same, MLMFit) else None,
        given_same_session=estimate(same, equation.within) if isinstance(same, MLMFit) else None,
        between=estimate(main, equation.between)
        if equation.between in main.terms
        else NotAnswered(
            between,
            f"{setting.person.capitalize()} means do not vary apart from the other predictors.",
            "Leave out covariates.",
        ),
        heterogeneity=slope if isinstance(slope, NotAnswered) else _heterogeneity(setting, equation, effect, slope),
        moderators=tuple(moderation(setting, equation, name, scale) for name in setting.study.moderators),
        explained=float(main.explained(setting.panel).r2_within["f1"]),
        sessions=main.nobs,
        persons=main.npersons,
        dropped=tuple((d.what, len(d.rows)) for d in made.dropped if len(d.rows)),
        clusters=main.nclusters.get(equation.cluster) if equation.cluster else None,
        covariates=tuple(name for name in setting.study.covariates if _holds(main, name)),
    )
    return FittedDirection(found, equation, main, made)


def _holds(fit: MLMFit, name: str) -> bool:
    """Whether a covariate, or a category of it, is in the model."""
    factors = (factor for term in fit.terms for factor in fit.recipe.design.factors[term])
    return any(column.name == name for factor in factors for column in names(factor.variable))


def _rows(setting: StudyData, equation: Equation, question: str) -> Design | NotAnswered:
    """The sessions that can be used, if persons have enough."""
    in_a_row = equation.lag + 2
    needed = f"At least {FEWEST_WITH_CHANGE} {setting.person}s with {in_a_row} sessions in a row that have both scores."
    if equation.lag == 1:
        renumber = Argument("number_sessions", ("--number-by", "COLUMN"))
        skipped = " If session numbers skip sessions that were never planned, renumber them ("
        needed = Wording(needed, skipped, renumber, ").")
    try:
        made = design(setting.panel, equation.rows())
    except DesignError as error:
        return NotAnswered(question, sentence(error.what), needed)
    several = int((np.diff(made.starts) >= 2).sum())
    if several < FEWEST_WITH_CHANGE:
        one = setting.person
        people = f"Only {counted(several, f'{one} has', f'{one}s have')}" if several else f"No {one} has"
        why = f"{people} two lagged pairs of sessions, which an effect within {setting.person}s needs."
        return NotAnswered(question, why, needed)
    try:
        return design(setting.panel, equation.effect())
    except DesignError as error:
        return NotAnswered(question, sentence(error.what), error.remedy)


def _slope(setting: StudyData, equation: Equation, made: Design) -> MLMFit | NotAnswered:
    predictor, response = setting.called(equation.predictor), setting.following(equation.response)
    question = f"whether {setting.person}s differ in how {predictor} predicts {response}"
    several = int((np.diff(made.starts) >= 2).sum())
    if several < FEWEST_PERSONS:
        why = f"{several:,} {setting.person}s have two lagged pairs of sessions or more."
        return NotAnswered(question, why, f"At least {FEWEST_PERSONS}, better 100.")
    return tried(setting.panel, equation.slope(), question, equation.needed)


def _same_session(setting: StudyData, equation: Equation, slope: MLMFit | NotAnswered) -> MLMFit | NotAnswered:
    """With the predictor of the response's own session, which was rated before it; effects differ as in the main
    model, if they can."""
    predictor, response = setting.called(equation.predictor), setting.called(equation.response)
    question = f"what {predictor} does to {response} within the session"
    given = replace(equation, same_session=True)
    if isinstance(slope, MLMFit):
        fit = tried(setting.panel, given.slope(), question, given.needed)
        if isinstance(fit, MLMFit):
            return fit
    return tried(setting.panel, given.effect(), question, given.needed)


def _steps(
    setting: StudyData,
    equation: Equation,
    effect: MLMFit,
    slope: MLMFit | NotAnswered,
    same: MLMFit | NotAnswered | None,
) -> tuple[Step | NotAnswered, ...]:
    """The sequence that a paper reports, with moderators one at a time."""
    response = setting.called(equation.response)
    sequence: list[tuple[str, str, MLMFit | NotAnswered]] = [
        ("null", "Null", tried(setting.panel, equation.null(), f"how {response} varies")),
        ("growth", "Growth", tried(setting.panel, equation.growth(), f"how {response} changes over sessions")),
        ("effect", "Same effect for all", effect),
        ("slope", "Effect differs", slope),
    ]
    if same is not None:
        sequence.append(("same_session", "Given the same session", same))
    return tuple(
        fit if isinstance(fit, NotAnswered) else step(key, label, fit, setting, equation)
        for key, label, fit in sequence
    )


def _heterogeneity(
    setting: StudyData, equation: Equation, effect: MLMFit, slope: MLMFit
) -> Heterogeneity | NotAnswered:
    """How persons differ in the within effect; the reference distribution allows for a variance of zero."""
    try:
        test = slope.lrt(effect)
    except ModelError as error:
        return NotAnswered(f"how {setting.person}s differ in the effect", error.what, error.remedy)
    varied = slope.varcorr[equation.person]
    at = varied.terms.index(equation.within)
    sd, others = float(varied.sd[at]), np.delete(varied.corr[at], at)
    mean = slope.fixef[equation.within]
    # The same sign both ways: better alliance, fewer symptoms; fewer symptoms, better alliance.
    direction = setting.expected
    sign = -1.0 if direction == "negative" else 1.0
    return Heterogeneity(
        mean=mean,
        sd=sd,
        low=mean - Z * sd,
        high=mean + Z * sd,
        direction=direction,
        expected=float(ndtr(sign * mean / sd)) if sd > 0 else float(sign * mean > 0),
        chi2=test.chi2,
        df=test.df,
        p=test.p,
        reference=test.words,
        singular=sd == 0 or bool((np.abs(others) > 1 - _ROUNDING).any()),
    )
