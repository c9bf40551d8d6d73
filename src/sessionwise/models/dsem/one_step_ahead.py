"""One step ahead: what is expected of each score from the person's sessions before it, and nothing later.

The parameters are those of the fit's draws, each with the same weight; a person's level is known by the filter, and the
person's own coefficients by weights of quadrature nodes that are taken in session by session. Where nodes lie is found
anew after 8, 16, 32, ... sessions, from those sessions alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from ...errors import ModelError
from ...show import progress
from .filtered import AT_ONCE, filtered
from .on_grid import OnGrid, Together, on_grid
from .parameters import Parameters, parameters, spaced
from .person_likelihood import stages
from .process import Effects, process
from .quadrature import Place, Rule, moved, put, rule, shares

if TYPE_CHECKING:
    from ...panel import Panel
    from .fit import DSEMFit


@dataclass(frozen=True, slots=True, eq=False)
class Predicted:
    """(rows of the grid, K) in the data's units, NaN where nothing is observed at the session. mean, sd : of the
    predictive distribution of a score. pit : the predictive probability of a score no higher than the observed one."""

    mean: np.ndarray
    sd: np.ndarray
    pit: np.ndarray


def table(fit: DSEMFit, panel: Panel, draws: int) -> Any:
    """See `DSEMFit.one_step_ahead`."""
    grid, found = one_step_ahead(fit, panel, draws)
    rows, k = np.nonzero(~np.isnan(grid.values))
    panel_rows, variables = grid.panel_row[rows], fit.model.paths.variables
    columns: dict[str, Any] = {
        panel.roles.person: panel.persons[panel.codes[panel_rows]].tolist(),
        panel.roles.session: panel.sessions[panel_rows].tolist(),
        "variable": [variables[j] for j in k],
        "observed": np.column_stack([panel[v] for v in variables])[panel_rows, k].tolist(),
    }
    for name, values in (("mean", found.mean), ("sd", found.sd), ("pit", found.pit)):
        columns[name] = values[rows, k].tolist()
    return fit.kind.table(columns)


def one_step_ahead(fit: DSEMFit, panel: Panel, draws: int) -> tuple[OnGrid, Predicted]:
    """The Panel on the fit's grid, and what is predicted there."""
    if any(source.column is None for source in fit.kept.sources):
        raise ModelError(
            "With treatment_length=True effects go with the number of all sessions, which nobody knows beforehand.",
            where=fit.title,
            remedy="Fit the model without treatment_length.",
        )
    grid = on_grid(fit.model, fit.kept, panel, ahead=True)
    used = parameters(fit, spaced(draws, fit.reported.draws.shape[0] * fit.reported.draws.shape[1]))
    with progress("one step ahead") as told:
        out = Predicted(*(np.full(grid.values.shape, np.nan) for _ in range(3)))
        s = fit.kept.structure
        nodes, effects = rule(s.effects - s.levels, any(s.log_variances)), Effects.of(used.omega, s.levels)
        done = 0
        for data in grid.together(max(1, AT_ONCE // (len(nodes.weights) * used.count))):
            _predict(fit, data, used, effects, nodes, out)
            done += len(data.persons)
            told(done, len(grid.persons))
    kept = fit.kept
    return grid, Predicted(out.mean * kept.sd + kept.centre, out.sd * kept.sd, out.pit)


def _predict(fit: DSEMFit, data: Together, draws: Parameters, effects: Effects, nodes: Rule, out: Predicted) -> None:
    s, paths = fit.kept.structure, fit.model.paths
    shape = (len(data.persons), len(nodes.weights), draws.count)
    place = Place.beforehand(nodes.nodes.shape[1])
    since = 0
    for until in stages(fit.kept.before, data.values.shape[1]) if shape[1] > 1 else [data.values.shape[1]]:
        u, weights = put(nodes, place)

        def see(
            t: int,
            so_far: np.ndarray,
            predicted: Sequence[tuple[np.ndarray, np.ndarray]],
            since: int = since,
            weights: np.ndarray = weights,
        ) -> None:
            if t >= since:
                share = shares(so_far + weights) / draws.count
                for k, (mean, variance) in enumerate(predicted):
                    _put_out(out, data, t, k, share, np.broadcast_to(mean, shape), np.broadcast_to(variance, shape))

        found = filtered(data, process(paths, s, draws, effects, data, u), shape, until, see)
        if until < data.values.shape[1]:
            place = moved(place, u, found + weights)
        since = until


def _put_out(
    out: Predicted, data: Together, t: int, k: int, share: np.ndarray, mean: np.ndarray, variance: np.ndarray
) -> None:
    rows = data.rows[:, t]
    # where the process has run away beyond the range of numbers, any score has density 0
    there = np.isfinite(mean) & np.isfinite(variance) & (share > 0)
    share = np.where(there, share, 0.0)
    share = share / share.sum(axis=(1, 2), keepdims=True)
    mean, variance = np.where(there, mean, 0.0), np.where(there, variance, 1.0)
    middle = np.sum(share * mean, axis=(1, 2))
    with np.errstate(over="ignore"):
        spread = np.sum(share * (variance + (mean - middle[:, None, None]) ** 2), axis=(1, 2))
    observed = data.values[:, t, k]
    below = special.ndtr((observed[:, None, None] - mean) / np.sqrt(variance))
    there = ~np.isnan(observed)
    out.mean[rows[there], k] = middle[there]
    out.sd[rows[there], k] = np.sqrt(spread[there])
    out.pit[rows[there], k] = np.sum(share * below, axis=(1, 2))[there]
