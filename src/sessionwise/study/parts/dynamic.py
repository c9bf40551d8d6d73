"""Dynamic: both net lagged effects of true scores, by the dynamic structural equation model.

It takes in what the other methods leave out together: measurement error, few sessions, persons who differ. Effects may
go with how many sessions a person had, so that they are of the average person, not of the average session.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import FormulaError, ModelError
from ...models import DSEM
from ...models.dsem.measurement import from_items
from ..records import Estimate, NotAnswered
from .few_sessions import USE_LAG_1
from .fits import sentence

if TYPE_CHECKING:
    from ...models import DSEMFit
    from ..study_data import StudyData

#: Effective draws that everything reported must have.
EFFECTIVE = 400
QUESTION = "lagged effects of true scores, in a dynamic structural equation model"


@dataclass(frozen=True, slots=True)
class Dynamic:
    """forward, reverse : in the data's units; the interval is of quantiles of the posterior, p twice the share of
    draws beyond zero. persons, sessions : used. error : where measurement error is known from, empty if it is left
    in. lines : whether persons have courses of their own beside levels. verdict : of the chains, in words."""

    forward: Estimate
    reverse: Estimate
    persons: int
    sessions: int
    error: str
    lines: bool
    verdict: str

    @property
    def method(self) -> str:
        """In words."""
        scores = "true scores" if self.error else "scores"
        return f"dynamic structural equation model of {scores}" + (" around own lines" if self.lines else "")


def dynamic(setting: StudyData, lines: bool, seed: int) -> Dynamic | NotAnswered:
    """lines : whether persons' own lines matter."""
    study = setting.study
    if study.lag != 1:
        return NotAnswered(QUESTION, f"The model is for lag 1, and lag is {study.lag}.", USE_LAG_1)
    if study.covariates:
        why = "The model holds no covariates constant, and the study has some."
        return NotAnswered(QUESTION, why, "Leave the covariates out, or take the usual analysis.")
    try:
        fit = described(setting, lines).fit(setting.panel, seed=seed, size=EFFECTIVE)
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
