"""Lagged effects of a panel model, on the scale on which models can be compared: that of deviations from person means.

That is not the scale of `SEMFit.standardised`, which is of the model's own within-person parts, free of the person
means' error; other models do not have these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...sem import Moments
from ..contract import LaggedEffect
from . import tables
from .blueprint import Blueprint, Parameter

if TYPE_CHECKING:
    from .estimated import EstimatedSEM


def lagged_effects(fit: EstimatedSEM, level: float) -> tuple[LaggedEffect, ...]:
    """Each lag of one wave.

    Raises
    ------
    ModelError : a fit that did not reach its optimum.
    """
    t = tables.lags(fit, level)
    blueprint, moments = fit.solution.grouped.blueprint, fit.solution.moments()
    weights = np.array([data.n for data in fit.solution.data], float)
    found = []
    for i, p in enumerate(fit.lag_parameters):
        if p.steps > 1:
            continue
        own = [fit.solution.grouped.labels.index(p.group)] if p.group else list(range(len(moments)))
        scales = [_scale(blueprint, moments[g], p) for g in own]
        estimate, se, low, high, p_value = (float(t[name][i]) for name in ("estimate", "se", "low", "high", "p"))
        scale = float(np.average(scales, weights=weights[own]))
        found.append(LaggedEffect(p.outcome, p.predictor, p.wave, p.group, estimate, se, low, high, p_value, scale))
    return tuple(found)


def _scale(blueprint: Blueprint, moments: Moments, p: Parameter) -> float:
    after = set(blueprint.waves[1:])
    before = set(blueprint.waves[:-1])
    return _sd(blueprint, moments, p.predictor, before) / _sd(blueprint, moments, p.outcome, after)


def _sd(blueprint: Blueprint, moments: Moments, variable: str, waves: set[int]) -> float:
    """Of deviations from person means over these waves, means of the waves taken off; NaN at one wave. What is stable
    in persons cancels, so within-person parts are enough; of several indicators these are the factor's."""
    nodes = [node for (name, wave), node in blueprint.within.items() if name == variable and wave in waves]
    covariance = moments.latent[np.ix_(nodes, nodes)]
    k = len(nodes)
    if k < 2:
        return float("nan")
    return float(np.sqrt((np.trace(covariance) - covariance.sum() / k) / (k - 1)))
