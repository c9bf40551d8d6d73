"""Same-wave effects: lagged effects on a variable, given another of the same wave that was rated before it.

Where symptoms are rated before a session and the alliance after it, the alliance's residual goes with the symptoms' of
that session because it follows from them. With r = residual covariance / residual variance of the earlier variable,
averaged over waves, the effect of k on the later variable is its lag less r times that of k on the earlier one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...errors import ModelError, nearest, some
from . import tables
from .derived import Derived, derived, p_values

if TYPE_CHECKING:
    from .estimated import EstimatedSEM
    from .tables import Table


def lags_given(fit: EstimatedSEM, first: str, level: float) -> Table:
    """See `SEMFit.lags_given`."""
    tables.usable(fit, "the table of lags")
    names = fit.solution.grouped.blueprint.variables
    if first not in names or len(names) != 2 or fit.solution.grouped.labels or not _equal(fit):
        raise ModelError(
            f"lags given {first!r} of the same wave are for two variables of one group with lags that are equal over "
            f"waves.{nearest(first, names)}",
            where=fit.model.title,
            remedy=f"Use such a fit, and one of {some(names)}.",
        )
    later = next(name for name in names if name != first)
    place = {(p.kind, p.outcome, p.predictor, p.wave): i for i, p in enumerate(fit.parameters)}

    def residual(one: str, other: str) -> list[int]:
        return [i for (kind, a, b, _), i in place.items() if kind == "residual" and {a, b} == {one, other}]

    shared, own = residual(first, later), residual(first, first)
    on_later, on_first = ([place["lag", to, of, None] for of in names] for to in (later, first))

    def values(theta: np.ndarray) -> np.ndarray:
        ratio = float((theta[shared] / theta[own]).mean())
        return np.append(theta[on_later] - ratio * theta[on_first], ratio)

    found = derived(fit.solution, values)
    return {
        "outcome": [later] * 3,
        "predictor": [*names, first],
        "lag": [1, 1, 0],
        "estimate": found.estimate,
        "se": found.se,
        "p": p_values(found.estimate, found.se),
        **tables.interval(Derived(found.estimate, found.se), level),
    }


def _equal(fit: EstimatedSEM) -> bool:
    return all(p.wave is None for p in fit.parameters if p.kind == "lag")
