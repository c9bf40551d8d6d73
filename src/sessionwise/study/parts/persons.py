"""Persons' own effects: predicted from the model of all, hence shrunken towards the average, never raw.

A person's effect is b + u. With C the error variance of u given the parameters and tau² the variance of u, the
shrinkage is s = 1 - C / tau²: the prediction takes s from the person's sessions and 1 - s from the average, so that the
error of b counts with (1 - s)²: variance C + (1 - s)² Var(b). The variance parameters are taken as known. A person with
one lagged pair tells nothing of an effect within persons and is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..records import Label, NotAnswered, PersonEffect, PersonEffects, Z
from ..words.phrases import following

if TYPE_CHECKING:
    from ..study_data import StudyData
    from .direction import FittedDirection


def person_effects(
    setting: StudyData, forward: FittedDirection | NotAnswered, numbers: Mapping[Label, int]
) -> PersonEffects | NotAnswered:
    """Effects of the process on the next outcome of the persons in the main model. numbers : label -> number."""
    question = (
        f"the effect of {setting.process} on {following(setting.outcome, setting.study.lag)} of each {setting.person}"
    )
    if isinstance(forward, NotAnswered):
        return NotAnswered(question, forward.why, forward.needed)
    if isinstance(forward.direction.heterogeneity, NotAnswered):
        told = forward.direction.heterogeneity
        return NotAnswered(question, told.why, told.needed)
    fit, equation = forward.main, forward.equation
    found, varied = fit.effects[equation.person], fit.varcorr[equation.person]
    at = varied.terms.index(equation.within)
    tau2 = float(varied.cov[at, at])
    if tau2 <= 0 or forward.direction.heterogeneity.sd < 1e-4 * abs(forward.direction.within.se):
        why = f"These data do not show that {setting.person}s differ in it: its variance is estimated as zero."
        return NotAnswered(question, why, f"More {setting.person}s and sessions.")
    average = forward.direction.within
    pairs = dict(zip(forward.made.persons.tolist(), np.diff(forward.made.starts).tolist(), strict=True))
    several = np.array([pairs[person] >= 2 for person in found.labels.tolist()])
    own, error = found.values[several, at], found.covariance[several, at, at]
    value = average.value + own
    half = Z * np.sqrt(error + np.minimum(error / tau2, 1.0) ** 2 * average.se**2)
    low, high = value - half, value + half
    columns = found.labels[several].tolist(), value.tolist(), low.tolist(), high.tolist()
    effects = [
        PersonEffect(person, v, lo, hi, pairs[person], numbers[person])
        for person, v, lo, hi in zip(*columns, strict=True)
    ]
    return PersonEffects(
        effects=tuple(sorted(effects, key=lambda e: e.value)),
        average=average.value,
        sd=float(np.sqrt(tau2)),
        clear=int(((low > 0) | (high < 0)).sum()),
        reliability=float(max(0.0, 1 - error.mean() / tau2)),
        apart=int((np.abs(own) > Z * np.sqrt(error)).sum()),
        correlation=_correlation(varied.corr, varied.terms.index("(Intercept)"), at),
    )


def _correlation(corr: np.ndarray, level: int, effect: int) -> float | None:
    value = float(corr[level, effect])
    return value if np.isfinite(value) else None
