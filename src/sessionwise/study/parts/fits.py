"""Fits: a model tried, its coefficients as records, its place in the sequence that a paper reports."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import DesignError, ModelError, some
from ...models import MLM
from ...models.contract import State
from ...panel.frames import eager
from ..records import Coefficient, Component, Estimate, NotAnswered, Step
from ..words.phrases import before
from .equation import quoted

if TYPE_CHECKING:
    from ...models import MLMFit
    from ...panel import Panel
    from ..study_data import StudyData
    from .equation import Equation


def tried(
    panel: Panel, formula: str, question: str, needed: tuple[str, ...] = (), **options: Any
) -> MLMFit | NotAnswered:
    """The fit, if it can be made and relied on; `needed`: terms that must not depend on others."""
    try:
        fit = MLM(formula, **options).fit(panel)
    except (DesignError, ModelError) as error:
        return NotAnswered(question, sentence(error.what), error.remedy)
    if not fit.verdict.converged:
        return NotAnswered(question, fit.verdict.message, fit.verdict.remedy)
    lost = [term for term in needed if term not in fit.terms]
    if lost:
        why = f"{some(lost)} follows from the other predictors, or does not vary."
        return NotAnswered(question, why, "An outcome and a process that are not the same thing, and that vary.")
    return fit


def sentence(text: str) -> str:
    """With a capital letter."""
    return text[:1].upper() + text[1:]


def estimate(fit: MLMFit, term: str) -> Estimate:
    """A coefficient with Satterthwaite's degrees of freedom."""
    t, i = fit.tests, fit.terms.index(term)
    ends = float(t.low[i]), float(t.high[i])
    return Estimate(float(t.estimate[i]), float(t.se[i]), *ends, _finite(t.df[i]), float(t.p[i]))


def estimates(table: Any) -> list[Estimate]:
    """The rows of a table of tests (`MLMFit.slopes`, `MLMFit.contrast`)."""
    frame = eager(table)[0]
    columns = [frame[name].to_list() for name in ("estimate", "se", "low", "high", "df", "p")]
    return [
        Estimate(float(b), float(se), float(low), float(high), _finite(df), float(p))
        for b, se, low, high, df, p in zip(*columns, strict=True)
    ]


def _finite(df: float) -> float | None:
    return float(df) if np.isfinite(df) else None


def step(key: str, label: str, fit: MLMFit, setting: StudyData, equation: Equation) -> Step:
    """A fit as a record of a sequence."""
    components = [
        Component(group, in_words(fit, effect, setting, equation), float(sd))
        for group, v in fit.varcorr.items()
        for effect, sd in zip(v.terms, v.sd, strict=True)
    ]
    return Step(
        key=key,
        label=label,
        formula=fit.model.formula,
        coefficients=tuple(coefficient(fit, term, setting, equation) for term in fit.terms),
        components=(*components, Component("", "residual", fit.sigma)),
        phi=fit.residual.get("phi"),
        deviance=fit.deviance,
        aic=fit.aic,
        n_parameters=fit.n_parameters,
        sessions=fit.nobs,
        persons=fit.npersons,
        converged=fit.verdict.converged,
        verdict=str(fit.verdict),
        singular=fit.verdict.state is State.SINGULAR,
    )


def coefficient(fit: MLMFit, term: str, setting: StudyData, equation: Equation) -> Coefficient:
    """A coefficient as a record."""
    factors = fit.recipe.design.factors[term]
    level = next((factor.level for factor in factors if factor.level is not None), None)
    course = equation.free and len(factors) == 1 and str(replace(factors[0], column="")) in equation.time
    return Coefficient(term, in_words(fit, term, setting, equation), estimate(fit, term), level, course)


def in_words(fit: MLMFit, term: str, setting: StudyData, equation: Equation) -> str:
    """A term of a fit, or an interaction, as a table prints it."""
    earlier = before(equation.lag)
    response, predictor = setting.called(equation.response), setting.called(equation.predictor)
    known = {
        equation.within: f"{predictor}, {earlier} (within)",
        equation.previous: f"{response}, {earlier} (within)",
        equation.same: f"{predictor}, same session (within)",
        equation.between: f"{predictor}, {setting.person}'s mean (between)",
        equation.session: "Session",
        f"within({quoted(equation.session)})": "Session (within)",
    }
    factors = fit.recipe.design.factors[term]
    if not factors:
        return "Intercept"
    first, *others = map(str, factors)
    if first not in known:
        return term
    return f"{known[first]} × {':'.join(others)}" if others else known[first]
