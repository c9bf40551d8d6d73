"""Given: lagged effects on a variable with another one of the same wave held constant, which was rated before it.

Where symptoms are rated before a session and the alliance after it, the alliance's residual goes with the symptoms' of
that session because it follows from them. With r = residual covariance / residual variance of the earlier variable,
averaged over waves, the effect of k on the later variable is its lag less r times that of k on the earlier one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...errors import ModelError, nearest, some
from . import tables
from .derived import Derived, derived

if TYPE_CHECKING:
    from .fit import SEMFit
    from .tables import Table


def lags_given(fit: SEMFit, first: str, level: float) -> Table:
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

    def values(theta: np.ndarray) -> np.ndarray:
        def all_of(one: str, other: str) -> np.ndarray:
            kind = [(k, i) for k, i in place.items() if k[0] == "residual" and {k[1], k[2]} == {one, other}]
            return theta[[i for _, i in kind]]

        ratio = float((all_of(first, later) / all_of(first, first)).mean())
        on_later, on_first = ([theta[place["lag", to, of, None]] for of in names] for to in (later, first))
        return np.array([a - ratio * b for a, b in zip(on_later, on_first, strict=True)] + [ratio])

    found = derived(fit.solution, values)
    return {
        "outcome": [later] * 3,
        "predictor": [*names, first],
        "lag": [1, 1, 0],
        "estimate": found.estimate,
        "se": found.se,
        "p": tables.p_values(found.estimate, found.se),
        **tables.interval(Derived(found.estimate, found.se), level),
    }


def _equal(fit: SEMFit) -> bool:
    return all(p.wave is None for p in fit.parameters if p.kind == "lag")
