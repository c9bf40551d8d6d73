"""Unseen leaving: what it would do to net effects if persons left because of scores that nobody saw any more.

Observed sessions are those before which a person stayed. If leaving before session t depends on the scores z_t of that
session, with log odds γ'z_t, innovations of the sessions that are there have the mean -Σ γ h_t, with h_t the chance to
leave given what was seen and Σ their covariance (to first order in h). As h_t goes with the scores before, that shifts
the effects: by -(Σ γ)_r d, d the coefficient of the predictor in the regression of h_t on the scores before, within
persons. What is seen tells γ if leaving depends on nothing else: log odds β of leaving on the last scores are then
A'γ, with A the autoregressive matrix. γ is taken as (A A' + S)^-1 A β, S the error variances of the autoregressions, so
that nothing is made of autoregressions that may be zero.

Whether leaving follows the last scores or the next ones cannot be told from these data (Little & Rubin 2019, chapter
15); the interval of the answer spans both.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from .equation import quoted
from .net_effects import FORWARD, OWN_OUTCOME, OWN_PROCESS, REVERSE
from .regression import regression

if TYPE_CHECKING:
    from ...designs import Design
    from ..study_data import StudyData
    from .drop_out import Leaving
    from .net_effects import NetProcess


def shifts(setting: StudyData, net: NetProcess, leaving: Leaving) -> tuple[float, float]:
    """What would have to be taken off the effects (forward, reverse), in within-person SDs."""
    sds = np.array([setting.sd_outcome, setting.sd_process])
    found, se = net.coefficients, np.sqrt(net.covariance.diagonal())
    a = np.array([[found[OWN_OUTCOME], found[FORWARD]], [found[REVERSE], found[OWN_PROCESS]]])
    error = np.diag(se[[OWN_OUTCOME, OWN_PROCESS]] ** 2)
    odds = np.linalg.solve(a @ a.T + error, a @ (leaving.within * sds))
    sd = np.sqrt(net.found.process.variances)
    r = net.found.process.correlation
    moved = np.outer(sd, sd) * np.array([[1, r], [r, 1]]) @ odds
    predictors = setting.study.process, setting.study.outcome
    slopes = [_slope(setting, made, x, leaving, net.line) for made, x in zip(net.made, predictors, strict=True)]
    return float(-moved[0] * slopes[0] * sds[1]), float(-moved[1] * slopes[1] * sds[0])


def _slope(setting: StudyData, made: Design, x: str, leaving: Leaving, line: bool) -> float:
    """Of the chance to leave after the session before on x of that session, within persons; all else in the regression
    of the scores held constant."""
    chance = leaving.chance[made.rows - 1]  # rows of a person ascend by session, and the one before is there
    matrix = np.array(made.matrix, order="F")
    matrix[:, 0] = np.where(np.isnan(chance), np.nanmean(chance), chance)
    y = setting.study.outcome if x == setting.study.process else setting.study.process
    terms = [f"lag({quoted(y)})", f"lag({quoted(x)})"]
    found = regression(replace(made, matrix=matrix), terms, setting.panel, line=line)
    return 0.0 if found is None else float(found.coefficients[1])
