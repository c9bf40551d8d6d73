"""Lag tests: whether each lag is zero, by the likelihood ratio.

With few persons or waves it is nearer its nominal size than the test by the standard error (docs/panel-sem-truth.md).
The model without the lag is fitted to the means and covariances that the fit holds; no single person is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...sem import optimise
from ...threads import one_thread
from . import tables

if TYPE_CHECKING:
    from .estimated import EstimatedSEM
    from .solution import SEMEstimates
    from .tables import Table


@one_thread()
def lag_tests(fit: EstimatedSEM) -> Table:
    """See `SEMFit.lag_tests`."""
    from scipy.special import chdtrc

    tables.usable(fit, "a likelihood-ratio test")
    lags = fit.lag_parameters
    falls = np.array([_fall_without(fit.solution, fit.parameters.index(p)) for p in lags])
    estimate = fit.solution.theta[[fit.parameters.index(p) for p in lags]]
    return {**tables.about(lags, [p.wave for p in lags]), "estimate": estimate, "chi2": falls, "p": chdtrc(1, falls)}


def _fall_without(solution: SEMEstimates, number: int) -> float:
    """Fall of -2 log-likelihood from the model without a parameter to that with it; NaN where it has no optimum."""
    grouped, theta = solution.grouped, np.delete(solution.optimum.theta, number)
    structures = []
    for own in grouped.places:
        place = {
            name: int(i) - int(i > number)
            for name, i in zip(grouped.blueprint.names, own.tolist(), strict=True)
            if i != number
        }
        structures.append(grouped.blueprint.structure(place, len(theta)))
    try:
        found = optimise(list(zip(structures, solution.data, strict=True)), [theta])
    except np.linalg.LinAlgError:
        return np.nan
    return max(found.criterion - solution.optimum.criterion, 0.0) if found.converged else np.nan
