"""Level effects: the effect of a term in each person (or therapist), as a model predicts it, with its interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import ModelError, nearest, some
from ..formula import show
from ..models import DSEMFit, MLMFit
from ..options import A_LEVEL, A_NAME, an_object, takes, valid_level
from .words import Labels, before, words

#: Persons' own parts of a dynamic model that are no effect of a predictor, and what they are called.
_OWN = {"trend": "own trend", "curve": "own curve", "log variance": "log variance"}
#: What persons have of a score itself.
OF_A_SCORE = ("level", *_OWN.values())


@dataclass(frozen=True, slots=True, eq=False)
class LevelEffects:
    """The effect of a term in each of n levels of a grouping factor, ascending.

    labels : (n,). value, low, high : (n,), average plus deviation, with its interval. average, average_low,
    average_high : the coefficient. sd : estimated standard deviation between levels. level : of the intervals.
    reference : what the levels are compared with: zero, or for the intercept the average. differ : whether a test
    showed that levels differ; if not, no level is counted as one of its own. sd_low, sd_high : interval of `sd`, None
    where it is not known.
    """

    labels: np.ndarray
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    average: float
    average_low: float
    average_high: float
    sd: float
    level: float
    reference: float
    differ: bool = True
    sd_low: float | None = None
    sd_high: float | None = None

    @property
    def kinds(self) -> list[str]:
        """(n,): whether the interval lies 'below' the reference, 'above' it, or 'neither'."""
        if not self.differ:
            return ["neither"] * len(self.labels)
        low, high = self.low - self.reference, self.high - self.reference
        return [str(kind) for kind in np.where(high < 0, "below", np.where(low > 0, "above", "neither"))]


@dataclass(frozen=True, slots=True)
class NamedEffect:
    """What an effect is called. group : of the levels. said : the predictor, or of OF_A_SCORE. response : on which."""

    group: str
    said: str
    response: str


@takes(ModelError, fit=an_object("MLMFit", "DSEMFit"), group=A_NAME, term=A_NAME, level=A_LEVEL)
def level_effects(
    fit: MLMFit | DSEMFit, group: str | None = None, term: str | None = None, *, level: float = 0.95
) -> LevelEffects:
    """The effect in each level of a grouping factor, with intervals.

    Of a multilevel model: coefficient plus predicted random effect, with normal intervals. The variance of a level's
    effect is that of the prediction given the coefficients (lme4's condVar) plus that of the coefficient, as if their
    errors were independent: a little wide where levels are few. Levels of the intercept are compared with the average,
    so theirs is of the deviation alone. Variance parameters are taken as known. A random effect without a coefficient
    deviates from zero.

    Of a dynamic model: posterior means of the persons' own effects, with quantiles of their draws; the average and the
    SD between persons are posterior medians. Nothing is taken as known.

    Raises
    ------
    ModelError : no such grouping factor or term, or no such level.
    """
    valid_level(level)
    if isinstance(fit, DSEMFit):
        return _drawn_effects(fit, _person_effect(fit, group, term), level)
    return _predicted_effects(fit, group, term, level)


def named_effect(
    fit: MLMFit | DSEMFit, group: str | None, term: str | None, labels: Labels | None = None
) -> NamedEffect:
    """What the effect that `level_effects` is of is called."""
    if isinstance(fit, DSEMFit):
        return _named_person_effect(fit, _person_effect(fit, group, term), labels)
    group = _group(fit, group)
    term = _term(fit, group, term)
    said = "level" if term == "(Intercept)" else _said(fit, term, labels)
    return NamedEffect(group, said, words(fit.recipe.design.formula.response, labels))


def _predicted_effects(fit: MLMFit, group: str | None, term: str | None, level: float) -> LevelEffects:
    from scipy.special import ndtri

    group = _group(fit, group)
    term = _term(fit, group, term)
    k = fit.varcorr[group].terms.index(term)
    effects = fit.effects[group]
    average, error = fit.fixef.get(term, 0.0), fit.se.get(term, 0.0)
    value = average + effects.values[:, k]
    z = float(ndtri((1 + level) / 2))
    apart = term == "(Intercept)"
    half = z * np.sqrt(np.maximum(effects.covariance[:, k, k], 0.0) + (0.0 if apart else error**2))
    order = np.lexsort((np.arange(len(value)), value.round(12)))
    low, high = (value - half)[order], (value + half)[order]
    sd = float(fit.varcorr[group].sd[k])
    ends = average - z * error, average + z * error
    labels, reference = effects.labels[order], average if apart else 0.0
    return LevelEffects(labels, value[order], low, high, average, *ends, sd, level, reference)


def _drawn_effects(fit: DSEMFit, effect: str, level: float) -> LevelEffects:
    k = fit.effects.names.index(effect)
    ends = [(1 - level) / 2, (1 + level) / 2]
    value = fit.person_means[:, k]
    low, high = np.quantile(fit.person_draws[:, :, k], ends, axis=0)
    order = np.argsort(value, kind="stable")
    average = average_low = average_high = 0.0  # of courses of persons' own beside a common one of any shape
    if effect in fit.reported.names:
        average, average_low, average_high = (float(v) for v in np.quantile(fit.draws(effect), [0.5, *ends]))
    sd, sd_low, sd_high = (float(v) for v in np.quantile(fit.draws(f"sd({effect})"), [0.5, *ends]))
    beside_zero = effect not in fit.reported.names or effect in [path.name for path in fit.effects.random]
    reference = 0.0 if beside_zero else average
    return LevelEffects(
        fit.persons[order],
        value[order],
        low[order],
        high[order],
        average,
        average_low,
        average_high,
        sd,
        level,
        reference,
        sd_low=sd_low,
        sd_high=sd_high,
    )


def _person_effect(fit: DSEMFit, group: str | None, term: str | None) -> str:
    if group is not None and group != fit.person:
        raise ModelError(
            f"there are no random effects over {group!r}.",
            where=fit.title,
            remedy=f"Use {fit.person!r}, or leave it out.",
        )
    names = fit.effects.names
    if term is None:
        return next((path.name for path in fit.effects.random), names[0])
    if term not in names:
        raise ModelError(
            f"{term!r} does not differ between persons.{nearest(term, names)}",
            where=fit.title,
            remedy=f"Use one of: {some(names)}.",
        )
    return term


def _named_person_effect(fit: DSEMFit, effect: str, labels: Labels | None) -> NamedEffect:
    given = labels or {}
    for path in fit.effects.random:
        if path.name == effect:
            said = given.get(effect) or before(given.get(path.predictor, path.predictor), path.lag)
            return NamedEffect(fit.person, said, given.get(path.response, path.response))
    for variable in fit.model.paths.variables:
        for kind, said in _OWN.items():
            if effect == f"{kind}({variable})":
                return NamedEffect(fit.person, said, given.get(variable, variable))
    return NamedEffect(fit.person, "level", given.get(effect, effect))


def _group(fit: MLMFit, group: str | None) -> str:
    fit.ranef(group)  # says which grouping factors there are
    return next(iter(fit.varcorr)) if group is None else group


def _term(fit: MLMFit, group: str, term: str | None) -> str:
    terms = fit.varcorr[group].terms
    if term is None:
        return next((name for name in terms if name != "(Intercept)"), terms[0])
    if term not in terms:
        raise ModelError(
            f"{term!r} has no random effect over {group}.{nearest(term, terms)}",
            where=f"formula {fit.model.formula!r}",
            remedy=f"Use one of: {some(terms)}.",
        )
    return term


def _said(fit: MLMFit, term: str, labels: Labels | None) -> str:
    variables = {show(v): v for v in fit.recipe.design.formula.variables}
    return words(variables[term], labels) if term in variables else (labels or {}).get(term, term)
