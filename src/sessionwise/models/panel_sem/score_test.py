"""Same wave: whether a dynamic panel model holds something at zero that is not.

The published model lets the outcome's residual go with a predetermined predictor at later waves only. Where both are
rated at one session they share what happened there, and its lagged effect is then biased. The score test (Rao 1948)
asks for these covariances without fitting: s'I^-1 s, score and information of the larger model at the smaller one's
estimates.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...errors import some
from ...findings import Finding
from ...sem import evaluate
from ...words import num, p_words
from .blueprint import grouped

if TYPE_CHECKING:
    from .dpm import DPM
    from .solution import SEMEstimates

#: A p-value below this is said.
LEVEL = 0.05


def same_wave_doubt(model: DPM, solution: SEMEstimates) -> list[Finding]:
    """A warning, or nothing."""
    from scipy.special import chdtrc

    small = solution.grouped.blueprint
    large = grouped(replace(model, same_wave=True).blueprint(small.waves), (), ())
    added = len(large.parameters) - len(small.parameters)
    if not added or not solution.optimum.converged:
        return []
    known = dict(zip(small.names, solution.optimum.theta.tolist(), strict=True))
    theta = np.array([known.get(p.name, 0.0) for p in large.parameters])
    here = evaluate([(large.structures()[0], solution.data[0])], theta, expected=True)
    try:
        statistic = float(here.gradient @ np.linalg.solve(here.hessian, here.gradient)) / 2
    except np.linalg.LinAlgError:
        return []
    p = float(chdtrc(added, statistic))
    if p >= LEVEL:
        return []
    names = dict.fromkeys(p.predictor for p in large.parameters if p.name not in known)
    what = (
        f"the residuals of {small.variables[0]} seem to go with {some(names)} of the same wave (score test "
        f"chi2({added}) = {num(statistic)}, {p_words(p, close=True)}), which this model holds "
        "at zero; if so, its lagged effects are biased."
    )
    return [Finding("warning", "same-wave", what, remedy="Fit the model with same_wave=True.")]
