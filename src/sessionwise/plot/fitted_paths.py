"""Fitted paths: the path diagram of a panel model that was fitted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import ModelError, nearest, some
from ..options import A_LEVEL, A_NAME, an_object, takes
from ..panel.frames import eager
from .diagram import Arrow, Correlation, Intercepts, PathDiagram

if TYPE_CHECKING:
    from ..models import SEMFit


@takes(ModelError, fit=an_object("SEMFit"), group=A_NAME, level=A_LEVEL)
def path_diagram(fit: SEMFit, group: str | None = None, *, level: float = 0.95) -> PathDiagram:
    """What `paths` draws of a fit: lags in the variables' units, as wide as they are standardised.

    fit : of RICLPM or CLPM with two variables. group : which, if the fit has several.

    Raises
    ------
    ModelError : another model, a group that there is not, a fit that did not reach its optimum.
    """
    blueprint, labels = fit.solution.grouped.blueprint, fit.solution.grouped.labels
    if not fit.model.has_within or len(blueprint.variables) != 2:
        raise ModelError(
            "a path diagram is of a cross-lagged model of two variables.",
            where=fit.title,
            remedy="Draw an RICLPM or CLPM of two variables.",
        )
    if (group is None) != (not labels) or (group is not None and group not in labels):
        raise ModelError(
            f"the fit has {'groups ' + some(labels) if labels else 'no groups'}, and group is {group!r}."
            + nearest(str(group), labels),
            remedy="Name one of its groups." if labels else "Leave group out.",
        )
    waves = [str(w) for w in fit.waves]
    one, other = blueprint.variables
    return PathDiagram(
        (one, other),
        tuple(waves),
        tuple(_arrows(fit, group, waves, level)),
        tuple(
            Correlation(wave, *ends) for wave, ends in zip(waves, fit.residual_correlations(group, level), strict=True)
        ),
        _intercepts(fit, group),
        level,
    )


def _arrows(fit: SEMFit, group: str | None, waves: list[str], level: float) -> list[Arrow]:
    lags, by_wave = eager(fit.lags(level))[0], eager(fit.standardised(level))[0]
    sizes = {
        (row["outcome"], row["predictor"], row["wave"], row["group"]): row["estimate"]
        for row in by_wave.iter_rows(named=True)
    }
    arrows = []
    for row in lags.iter_rows(named=True):
        if row["group"] not in (None, group):
            continue
        for before, wave in zip(fit.waves, fit.waves[1:], strict=False):
            if row["wave"] in (None, wave):
                size = sizes[row["outcome"], row["predictor"], wave, group]
                ends = row["predictor"], str(before), row["outcome"], str(wave)
                arrows.append(Arrow(*ends, row["estimate"], row["low"], row["high"], standardised=size))
    return arrows


def _intercepts(fit: SEMFit, group: str | None) -> Intercepts | None:
    frame = eager(fit.intercepts())[0]
    rows = [row for row in frame.iter_rows(named=True) if row["group"] == group]
    if len(rows) != 2:
        return None
    correlation = rows[0][f"r {rows[1]['variable']}"]
    known = correlation is not None and np.isfinite(correlation)
    return Intercepts((rows[0]["variance"], rows[1]["variance"]), correlation if known else None)
