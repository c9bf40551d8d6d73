"""Moderation: for whom more? The within effect in interaction with a characteristic of persons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...errors import ModelError
from ...panel.frames import eager
from ...panel.labels import levels
from ...words import num
from ..records import Moderation, NotAnswered, SimpleSlope
from ..study_data import FEWEST_PERSONS
from ..words.phrases import following
from .fits import coefficient, estimates, sentence, tried

if TYPE_CHECKING:
    from ...models import MLMFit
    from ..study_data import StudyData
    from .equation import Equation


def moderation(setting: StudyData, equation: Equation, name: str, scale: float) -> Moderation | NotAnswered:
    """Test and simple slopes of one moderator."""
    predictor, response = setting.called(equation.predictor), setting.called(equation.response)
    question = f"whether the effect of {predictor} on {following(response, equation.lag)} depends on {name}"
    unfit = _unfit(setting, name, question)
    if unfit:
        return unfit
    fit = tried(setting.panel, equation.moderator(name), question)
    if isinstance(fit, NotAnswered):
        return fit
    factors = fit.recipe.design.factors
    terms = [t for t in fit.terms if len(factors[t]) > 1 and str(factors[t][0]) == equation.within]
    if not terms:
        return NotAnswered(question, f"{name} does not vary apart from the other predictors.", "Leave out covariates.")
    try:
        test = fit.joint(terms)
        slopes = _slopes(fit, equation, name, scale)
    except ModelError as error:
        return NotAnswered(question, sentence(error.what), error.remedy)
    return Moderation(
        moderator=name,
        interactions=tuple(coefficient(fit, term, setting, equation) for term in terms),
        f=float(test.f),
        df1=float(test.df1),
        df2=float(test.df2),
        p=float(test.p),
        slopes=slopes,
        persons=fit.npersons,
        sessions=fit.nobs,
    )


def _unfit(setting: StudyData, name: str, question: str) -> NotAnswered | None:
    """Whether it is a characteristic of persons, in which enough of them differ."""
    panel = setting.panel
    if panel.n_persons < FEWEST_PERSONS:
        return NotAnswered(question, f"There are {panel.n_persons} {setting.person}s.", f"At least {FEWEST_PERSONS}.")
    if not panel.is_constant(name):
        why = f"{name} changes from session to session within {setting.person}s."
        return NotAnswered(question, why, f"A value for each {setting.person}, such as that of the first session.")
    labels, codes = levels(panel.per_person(name))
    if len(labels) < 2:
        what = f"is the same for all {setting.person}s" if len(labels) else "has no value"
        return NotAnswered(question, f"{name} {what}.", "Another moderator.")
    counts = np.bincount(codes[codes >= 0])
    if not panel.is_numeric(name) and counts.min() < 2:
        alone = labels[counts.argmin()]
        return NotAnswered(question, f"Only one {setting.person} has {name} {alone}.", "Join categories.")
    return None


def _slopes(fit: MLMFit, equation: Equation, name: str, scale: float) -> tuple[SimpleSlope, ...]:
    found = fit.slopes(equation.within)
    values = eager(found)[0][name].to_list()
    middle = len(values) == 3 and not isinstance(values[0], str)
    tails = (" (mean − SD)", " (mean)", " (mean + SD)") if middle else ("",) * len(values)
    at = [f"{name} = {_shown(v)}{tail}" for v, tail in zip(values, tails, strict=True)]
    return tuple(SimpleSlope(a, e, e.times(scale)) for a, e in zip(at, estimates(found), strict=True))


def _shown(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:g}" if value == int(value) else num(value)
