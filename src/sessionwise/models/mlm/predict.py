"""Predictions: for a population, for the persons of the fit, and of a person's next session from the sessions so far.

All take a Panel, since a fit does not hold its sessions. Arrays go with its rows; NaN where a term has no value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...designs import Design
from ...errors import ModelError
from ...formula import calls, show
from ...panel.same_labels import positions
from ...threads import one_thread
from .kept_design import Means
from .residual import must_ascend, row_times

if TYPE_CHECKING:
    from ...panel import Panel
    from .estimated import EstimatedMLM


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """mean, sd : float64 (n_rows,) of the Panel. sd is that of a new observation around its forecast."""

    mean: np.ndarray
    sd: np.ndarray


@one_thread()
def population(fit: EstimatedMLM, panel: Panel, means: Means | None) -> Forecast:
    """X b for somebody of whom nothing else is known; sd with all random effects, residual and errors of b."""
    made = fit.recipe.applied(panel, means=means)
    x = _fixed(made)
    variance = _error(x, fit.vcov) + fit.sigma**2 * _ratios(fit, panel, made) ** 2
    for block, covariance in zip(fit.solution.problem.blocks, fit.solution.covariances, strict=True):
        variance += _error(made.matrix[:, list(block.columns)], covariance)
    return _on_rows(panel, made, x @ fit.solution.beta, np.sqrt(np.maximum(variance, 0.0)))


@one_thread()
def fitted(fit: EstimatedMLM, panel: Panel, means: Means | None, *, used: bool) -> np.ndarray:
    """X b + Z u with the random effects of the fit, 0 for levels that were not in it. `used`: only rows that have
    everything that the fit needs, the response among it."""
    made = fit.recipe.applied(panel, response=used, means=means)
    mean = _fixed(made) @ fit.solution.beta + _known(fit, made, list(fit.varcorr)).mean
    return _on_rows(panel, made, mean, mean).mean


@one_thread()
def next_session(fit: EstimatedMLM, panel: Panel, means: Means | None) -> Forecast:
    """Each session from the same person's earlier sessions in the Panel, and the parameters of the fit.

    The person's random effects are predicted anew at every session, so the person need not have been in the fit, and
    one who was is forecast as if not known from later sessions. Given variance parameters, the forecast of
    y = x'b + z'u + e after sessions with A = Z'R^-1 Z, B = Z'R^-1 X has variance sigma^2 (z'P z + r) +
    (x - B'P z)' V (x - B'P z), P = L (L'A L + I)^-1 L', V that of the coefficients (Henderson's). With correlated
    residuals the row is replaced by its innovation after the last observed one. Effects of clusters are those of
    the fit, or 0 with their variance for a cluster that was not in it.
    """
    _no_look_ahead(fit, means)
    made = fit.recipe.applied(panel, means=means)
    design = fit.recipe.design
    person = next((g.name for g in design.groupings if g.is_person), "")
    if fit.solution.problem.structure.inside:
        raise ModelError(
            "the next session cannot be forecast with a random term whose groups lie within persons.",
            where=f"formula {fit.model.formula!r}",
            remedy="Leave out that random term.",
        )
    others = _known(fit, made, [g for g in fit.varcorr if g != person])
    x = _fixed(made)
    blocks = [b for b in fit.solution.problem.blocks if b.group == person]
    z = made.matrix[:, [c for b in blocks for c in b.columns]]
    factor = _diagonal(
        [f for b, f in zip(fit.solution.problem.blocks, fit.solution.factors, strict=True) if b in blocks]
    )
    rows = _Rows(made.matrix[:, 0], x, z, x @ fit.solution.beta + others.mean, _ratios(fit, panel, made))
    mean, variance = _filtered(fit, rows, made.starts, _at(fit, panel, made), factor)
    return _on_rows(panel, made, mean, np.sqrt(np.maximum(variance + others.sd**2, 0.0)))  # rounding may go below


def _no_look_ahead(fit: EstimatedMLM, means: Means | None) -> None:
    """Person means and lines are taken over all sessions, later ones too: a forecast must not know them."""
    given = {**fit.recipe.means, **(means or {})}
    for variable in fit.recipe.design.formula.variables[1:]:
        for call in calls(variable):
            own = show(call.args[0]) if call.args else ""
            if call.function == "detrend" or (call.function in ("within", "between") and own not in given):
                raise ModelError(
                    f"{show(call)} is taken over all sessions of a person, and a forecast cannot know the later ones.",
                    where=f"formula {fit.model.formula!r}",
                    remedy="Give the means that are known beforehand, means={"
                    + repr(own)
                    + ": {person: mean}}, or use "
                    "predict(panel), which looks back.",
                )


def _fixed(made: Design) -> np.ndarray:
    return made.matrix[:, list(made.fixed)]


def _error(x: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    return np.asarray(np.einsum("ni,ij,nj->n", x, covariance, x))


def _on_rows(panel: Panel, made: Design, mean: np.ndarray, sd: np.ndarray) -> Forecast:
    full = np.full((2, len(panel)), np.nan)
    full[0, made.rows], full[1, made.rows] = mean, sd
    return Forecast(full[0], full[1])


def _known(fit: EstimatedMLM, made: Design, groups: list[str]) -> Forecast:
    """Z u of some grouping factors for the rows of `made`, and its conditional standard deviation."""
    mean, variance = np.zeros(len(made.rows)), np.zeros(len(made.rows))
    for name in groups:
        columns = [c for b in fit.solution.problem.blocks if b.group == name for c in b.columns]
        z, effects, grouping = made.matrix[:, columns], fit.effects[name], made.grouping(name)
        of_level = np.append(positions(effects.labels, grouping.levels, f"grouping factor {name}"), -1)
        at = of_level[grouping.codes]
        seen = at >= 0
        mean[seen] += np.einsum("nq,nq->n", z[seen], effects.values[at[seen]])
        variance[seen] += np.einsum("ni,nij,nj->n", z[seen], effects.covariance[at[seen]], z[seen])
        variance[~seen] += _error(z[~seen], fit.varcorr[name].cov)
    return Forecast(mean, np.sqrt(variance))


def _ratios(fit: EstimatedMLM, panel: Panel, made: Design) -> np.ndarray:
    """Each row's residual standard deviation relative to sigma."""
    name = fit.model.variance_by
    if name is None:
        return np.ones(len(made.rows))
    sd = fit.solution.problem.residual.relative_sds(fit.solution.residual)
    own = panel.labels(name)
    found = [sd.get(f"{name}={level}", np.nan) for level in own.levels]
    ratios = np.array([*found, np.nan])[own.codes[made.rows]]
    unknown = np.flatnonzero(np.isnan(ratios))
    if len(unknown):
        raise ModelError(
            f"{name!r} is missing or has a value that was not there when the model was fitted.",
            where=panel.where(made.rows[unknown]),
            remedy=f"Known: {', '.join(sd)}.",
        )
    return np.asarray(ratios)


def _at(fit: EstimatedMLM, panel: Panel, made: Design) -> np.ndarray:
    """Session number or time of each row, as the residual correlation counts it."""
    if fit.model.residual != "car1":
        return made.sessions.astype(np.float64)
    times = row_times(panel, made)
    gaps = np.diff(times, prepend=np.nan)
    gaps[made.starts[:-1]] = np.nan
    must_ascend(gaps, panel, made)
    return times


def _diagonal(parts: list[np.ndarray]) -> np.ndarray:
    q = sum(len(p) for p in parts)
    full, at = np.zeros((q, q)), 0
    for p in parts:
        full[at : at + len(p), at : at + len(p)] = p
        at += len(p)
    return full


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """y (NaN where not observed), X, Z, offset (the mean without the person's effects), sd relative to sigma."""

    y: np.ndarray
    x: np.ndarray
    z: np.ndarray
    offset: np.ndarray
    ratio: np.ndarray

    def minus(self, rows: np.ndarray, before: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, ...]:
        """x, z, offset of `rows` less `weight` times those of the rows `before`."""
        w = weight[:, None]
        return (
            self.x[rows] - w * self.x[before],
            self.z[rows] - w * self.z[before],
            self.offset[rows] - weight * self.offset[before],
        )


def _filtered(
    fit: EstimatedMLM, rows: _Rows, starts: np.ndarray, at: np.ndarray, factor: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of each row given the rows before it, all persons side by side."""
    n, q, p = len(starts) - 1, len(factor), rows.x.shape[1]
    phi = fit.residual.get("phi", 0.0)
    a, b, c = np.zeros((n, q, q)), np.zeros((n, q, p)), np.zeros((n, q))
    last = np.full(n, -1, np.int64)
    mean, variance = np.empty(len(rows.y)), np.empty(len(rows.y))
    sizes = np.diff(starts)
    for j in range(int(sizes.max(initial=0))):
        person = np.flatnonzero(sizes > j)
        now, before = starts[person] + j, np.maximum(last[person], 0)
        rho = np.where(last[person] >= 0, phi ** np.where(last[person] >= 0, at[now] - at[before], 1.0), 0.0)
        weight = rho * rows.ratio[now] / rows.ratio[before]
        x, z, offset = rows.minus(now, before, weight)
        carried = np.where(last[person] >= 0, weight * np.nan_to_num(rows.y[before]), 0.0)
        own = rows.ratio[now] ** 2 * (1 - rho**2)
        m = factor.T @ a[person] @ factor + np.eye(q)
        posterior = factor @ np.linalg.solve(m, np.broadcast_to(factor.T, m.shape))
        pz = np.einsum("nij,nj->ni", posterior, z)
        mean[now] = carried + offset + np.einsum("ni,ni->n", pz, c[person])
        apart = x - np.einsum("nqp,nq->np", b[person], pz)
        variance[now] = fit.sigma**2 * (np.einsum("ni,ni->n", pz, z) + own) + _error(apart, fit.vcov)
        seen = ~np.isnan(rows.y[now])
        who, z, x, w = person[seen], z[seen], x[seen], 1 / own[seen]
        a[who] += w[:, None, None] * z[:, :, None] * z[:, None, :]
        b[who] += w[:, None, None] * z[:, :, None] * x[:, None, :]
        c[who] += (w * (rows.y[now][seen] - carried[seen] - offset[seen]))[:, None] * z
        last[who] = now[seen]
    return mean, variance
