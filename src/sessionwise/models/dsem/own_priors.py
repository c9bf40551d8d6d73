"""Priors of one's own: a description's `priors` as a dict, by the names of `tidy()`, in the columns' own units.

'y ~ lag(w)', 'y', 'trend(y)', 'a | pd': (mean, sd) of a normal. 'sd(a)' of a random effect, 'error sd(y)' where the
error is estimated: the scale of a half-t with 2 degrees of freedom. What is not named keeps the weak prior.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...errors import ModelError, nearest, some
from ...gibbs.specification import Priors, Structure
from .reported import Effects, path_unit

if TYPE_CHECKING:
    from .data import Scaled
    from .model import DSEM


def with_own(model: DSEM, priors: Priors, structure: Structure, effects: Effects, data: Scaled) -> Priors:
    """The priors, those of the description in place of what they name; in standard units.

    Raises
    ------
    ModelError : a name that is no parameter which can have a prior of its own.
    """
    if isinstance(model.priors, str):
        return priors
    paths = model.paths
    theta = tuple(part.copy() for part in priors.theta)
    gamma = tuple(part.copy() for part in priors.gamma)
    scales = priors.omega.scale.copy()
    error = None if priors.error_sd is None else priors.error_sd.copy()
    common = {path.name: (i, path_unit(path, paths, data)) for i, path in enumerate(effects.common)}
    means = {
        (name if w == 0 else f"{name} | {data.predictors[w - 1]}"): (j, w)
        for j, name in enumerate(effects.names)
        for w in range(structure.regressed.shape[1])
        if structure.regressed[j, w]
    }
    spreads = {f"sd({name})": j for j, name in enumerate(effects.names)}
    errors = {f"error sd({v})": k for k, v in enumerate(paths.variables)} if error is not None else {}
    for name, value in model.priors:
        if isinstance(value, tuple) and name in common:
            i, unit = common[name]
            theta[0][i], theta[1][i] = value[0] / unit, (value[1] / unit) ** -2
        elif isinstance(value, tuple) and name in means:
            j, w = means[name]
            shift = effects.shifts[j] if w == 0 else 0.0
            gamma[0][j, w], gamma[1][j, w] = (value[0] - shift) / effects.units[j], (value[1] / effects.units[j]) ** -2
        elif not isinstance(value, tuple) and name in spreads:
            scales[spreads[name]] = value / effects.units[spreads[name]]
        elif not isinstance(value, tuple) and error is not None and name in errors:
            error[errors[name]] = value / data.sd[errors[name]]
        else:
            known = [*common, *means, *spreads, *errors]
            raise ModelError(
                f"priors names {name!r}, which is no parameter that can have a prior.{nearest(name, known)}",
                where=model.title,
                remedy=f"Use {some(known)}.",
            )
    return replace(
        priors,
        theta=(theta[0], theta[1]),
        gamma=(gamma[0], gamma[1]),
        omega=replace(priors.omega, scale=scales),
        error_sd=error,
    )
