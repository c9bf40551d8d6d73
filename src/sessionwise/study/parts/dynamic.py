"""Dynamic: both net lagged effects of true scores, by the dynamic structural equation model.

It takes in what the other methods leave out together: measurement error, few sessions, persons who differ. Effects may
go with how many sessions a person had, so that they are of the average person, not of the average session.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ...errors import Argument, FormulaError, ModelError, Wording
from ...models import DSEM
from ...models.dsem.dynamics import impulse_responses
from ...models.dsem.measurement import from_items
from ...words import counted
from ..records import (
    DynamicModel,
    EffectCount,
    Estimate,
    ImpulseResponse,
    Label,
    NotAnswered,
    PersonEffect,
    PersonEffects,
)
from .few_sessions import USE_LAG_1
from .fits import sentence

if TYPE_CHECKING:
    from ...models import DSEMFit
    from ..study_data import StudyData

#: Effective draws that everything reported must have.
EFFECTIVE = 400
#: Sessions after which responses to an impulse are told.
SESSIONS = 10
#: Draws of a chain at most; in a study whose chains need more the usual analysis answers.
MOST = 10_000
#: Sessions up to which the model is fitted without being asked for.
UNASKED = 20_000
#: Persons counted together, at least; classes of effects, about.
FEWEST_COUNTED, _CLASSES = 5, 20
QUESTION = "lagged effects of true scores, in a dynamic structural equation model"


@dataclass(frozen=True, slots=True)
class Dynamic:
    """forward, reverse : in the data's units; the interval is of quantiles of the posterior, p twice the share of
    draws beyond zero. persons, sessions : used. error : where measurement error is known from, empty if it is left
    in. lines : whether persons have courses of their own beside levels. verdict : of the chains, in words. model : what
    it found beside both effects."""

    forward: Estimate
    reverse: Estimate
    persons: int
    sessions: int
    error: str
    lines: bool
    verdict: str
    model: DynamicModel

    @property
    def method(self) -> str:
        """In words."""
        scores = "true scores" if self.error else "scores"
        return f"dynamic structural equation model of {scores}" + (" around own lines" if self.lines else "")


def dynamic(setting: StudyData, lines: bool, seed: int, numbers: Mapping[Label, int]) -> Dynamic | NotAnswered:
    """lines : whether persons' own lines matter. numbers : of persons, by label."""
    study = setting.study
    if study.lag != 1:
        return NotAnswered(QUESTION, f"The model is for lag 1, and lag is {study.lag}.", USE_LAG_1)
    if study.covariates:
        why = "The model holds no covariates constant, and the study has some."
        return NotAnswered(QUESTION, why, "Leave the covariates out, or take the usual analysis.")
    if study.dynamic is None and len(setting.panel) > UNASKED:
        return NotAnswered(
            QUESTION,
            f"With {counted(len(setting.panel), 'session')} it takes minutes, and it was not asked for.",
            Wording("Ask for it with ", Argument("dynamic=True", ("--dynamic",)), "."),
        )
    try:
        fit = described(setting, lines).fit(setting.panel, seed=seed, size=EFFECTIVE, most=MOST)
    except (ModelError, FormulaError) as error:
        return NotAnswered(QUESTION, sentence(error.what), error.remedy)
    if not fit.verdict:
        return NotAnswered(QUESTION, fit.verdict.message, fit.verdict.remedy)
    return Dynamic(
        _estimate(fit, study.outcome, study.process),
        _estimate(fit, study.process, study.outcome),
        fit.npersons,
        fit.nobs,
        fit.error_said,
        lines,
        fit.verdict.message,
        _model(setting, fit, numbers),
    )


def described(setting: StudyData, lines: bool) -> DSEM:
    """Both scores predict each other; what is known of their error is taken in."""
    study = setting.study
    both = (study.outcome, study.process)
    options: dict[str, Any] = {"trend": "linear" if lines else None, "treatment_length": True}
    options["course"] = None if study.trend is None else "free"
    if study.reliability:
        sds = {study.outcome: setting.sd_outcome, study.process: setting.sd_process}
        error = {name: (1 - share) * sds[name] ** 2 for name, share in study.reliability}
        for name in both:
            if name not in error and _scored(setting, name):
                error[name] = float(np.nanmean(from_items(setting.panel, name).variance))
        options["error"] = error
    elif all(_scored(setting, name) for name in both):
        options["error"] = "items"
    return DSEM.reciprocal(study.outcome, study.process, **options)


def _scored(setting: StudyData, column: str) -> bool:
    """Whether the column was made here from two items or more."""
    keys = [record.key for record in setting.panel.records if hasattr(record, "key")]
    return any(key.column(scale) == column and len(scale.items) > 1 for key in keys for scale in key.scales)


def _estimate(fit: DSEMFit, response: str, predictor: str) -> Estimate:
    found = next(e for e in fit.lagged_effects() if (e.outcome, e.predictor) == (response, predictor))
    assert np.isfinite(found.estimate)
    return Estimate(found.estimate, found.se, found.low, found.high, None, found.p)


def _model(setting: StudyData, fit: DSEMFit, numbers: Mapping[Label, int]) -> DynamicModel:
    study = setting.study
    directions: tuple[tuple[Literal["forward", "reverse"], str, str], ...] = (
        ("forward", study.outcome, study.process),
        ("reverse", study.process, study.outcome),
    )
    quantiles = np.quantile(
        impulse_responses(fit.model.paths, fit.reported, SESSIONS), [0.5, 0.025, 0.975, 0.25, 0.75], axis=0
    )
    place = {name: i for i, name in enumerate(fit.model.paths.variables)}
    responses = tuple(
        ImpulseResponse(key, s, *map(float, quantiles[:, s, place[response], place[predictor]]))
        for key, response, predictor in directions
        for s in range(SESSIONS + 1)
    )
    effect = next(p.name for p in fit.effects.random if (p.response, p.predictor) == (study.outcome, study.process))
    average_low, average, average_high = (float(v) for v in np.quantile(fit.draws(effect), [0.025, 0.5, 0.975]))
    sd_low, sd, sd_high = (float(v) for v in np.quantile(fit.draws(f"sd({effect})"), [0.025, 0.5, 0.975]))
    k = fit.effects.names.index(effect)
    low, high = np.quantile(fit.person_draws[:, :, k], [0.025, 0.975], axis=0)
    value, error = fit.person_means[:, k], fit.person_sds[:, k]
    pairs = _pairs(setting)
    columns = fit.persons.tolist(), value.tolist(), low.tolist(), high.tolist()
    effects = [PersonEffect(p, v, lo, hi, pairs[p], numbers[p]) for p, v, lo, hi in zip(*columns, strict=True)]
    levels = fit.person_means[:, fit.effects.names.index(study.outcome)]
    together = float(np.corrcoef(value, levels)[0, 1]) if value.std() and levels.std() else None
    persons = PersonEffects(
        effects=tuple(sorted(effects, key=lambda e: e.value)),
        average=average,
        sd=sd,
        clear=int(((low > 0) | (high < 0)).sum()),
        reliability=float(np.clip(1 - np.mean(error**2) / sd**2, 0, 1)),
        apart=int(((low > average) | (high < average)).sum()),
        correlation=together,
    )
    return DynamicModel(responses, persons, average_low, average_high, sd_low, sd_high, counted_effects(value))


def _pairs(setting: StudyData) -> dict[Label, int]:
    """Of each person, how many sessions have the outcome and, at the session before, the process."""
    panel, study = setting.panel, setting.study
    y, w = (np.isfinite(np.asarray(panel[name], np.float64)) for name in (study.outcome, study.process))
    following = (panel.codes[1:] == panel.codes[:-1]) & (panel.sessions[1:] == panel.sessions[:-1] + 1)
    counts = np.bincount(panel.codes[1:], weights=following & y[1:] & w[:-1], minlength=panel.n_persons)
    return dict(zip(panel.persons.tolist(), counts.astype(int).tolist(), strict=True))


def counted_effects(value: np.ndarray) -> tuple[EffectCount, ...]:
    """Effects (persons,) counted in classes between round numbers; neighbours with few persons are one class, so that
    none has fewer than FEWEST_COUNTED. Empty where not even two are left."""
    if len(value) < 2 * FEWEST_COUNTED or np.ptp(value) == 0:
        return ()
    rough = float(np.ptp(value)) / _CLASSES
    unit = 10 ** np.floor(np.log10(rough))
    step = unit * next(k for k in (1, 2, 5, 10) if k * unit >= rough)
    first = int(np.floor(value.min() / step))
    each = np.bincount(np.floor(value / step).astype(int) - first)
    ends, counts = [first], [0]
    for i, n in enumerate(each.tolist(), 1):
        counts[-1] += n
        if counts[-1] >= FEWEST_COUNTED and sum(each[i:]) >= FEWEST_COUNTED:
            ends.append(first + i)
            counts.append(0)
    ends.append(first + len(each))
    if len(counts) < 2:
        return ()
    edges = [float(f"{end * step:.10g}") for end in ends]
    return tuple(EffectCount(lo, hi, n) for lo, hi, n in zip(edges, edges[1:], counts, strict=False))
