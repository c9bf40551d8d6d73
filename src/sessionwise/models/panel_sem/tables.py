"""Tables of a panel model: its parameters and what follows from them, as dataframes and as plain columns."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ModelError
from ...options import valid_level
from .blueprint import Parameter
from .derived import Derived, derived, growth, long_run, p_values, standardised, within_covariance

if TYPE_CHECKING:
    from .estimated import EstimatedSEM

Table = dict[str, Any]


def usable(fit: EstimatedSEM, what: str) -> None:
    """ModelError unless the fit reached its optimum."""
    if not fit.verdict.converged:
        raise ModelError(
            f"{what} needs a fit that reached its optimum.", where=fit.model.title, remedy=fit.verdict.remedy
        )


def tidy(fit: EstimatedSEM, level: float) -> Table:
    estimate, se = fit.solution.theta, np.sqrt(fit.vcov.diagonal())
    # A variance is not tested against zero: that is the end of its range.
    tested = [not p.variance for p in fit.parameters]
    with np.errstate(invalid="ignore", divide="ignore"):
        statistic = estimate / se
    p = p_values(estimate, se)
    return {
        "term": list(fit.terms),
        "kind": [p.kind for p in fit.parameters],
        **about(fit.parameters, [p.wave for p in fit.parameters]),
        "estimate": estimate,
        "se": se,
        "statistic": [x if t else None for x, t in zip(statistic.tolist(), tested, strict=True)],
        "p": [x if t else None for x, t in zip(p.tolist(), tested, strict=True)],
        **interval(Derived(estimate, se), level),
    }


def lags(fit: EstimatedSEM, level: float) -> Table:
    usable(fit, "the table of lags")
    parameters = fit.lag_parameters
    chosen = [fit.parameters.index(p) for p in parameters]
    estimate, se = fit.solution.theta[chosen], np.sqrt(fit.vcov.diagonal())[chosen]
    std = (
        standardised(fit.solution, [(p, p.wave, p.group) for p in parameters])
        if fit.model.has_within
        else _unknown(len(chosen))
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        statistic = estimate / se
    of_std = interval(std, level)
    return {
        **about(parameters, [p.wave for p in parameters]),
        "estimate": estimate,
        "se": se,
        "statistic": statistic,
        "p": p_values(estimate, se),
        **interval(Derived(estimate, se), level),
        "standardised": std.estimate,
        "std_se": std.se,
        "std_low": of_std["low"],
        "std_high": of_std["high"],
    }


def _unknown(m: int) -> Derived:
    """Of a model that does not tell what varies within persons from what is stable."""
    return Derived(np.full(m, np.nan), np.full(m, np.nan))


def by_wave(fit: EstimatedSEM, level: float) -> Table:
    """Standardised lags."""
    usable(fit, "the table of standardised lags")
    _has_within(fit, "standardised lags")
    waves = fit.solution.grouped.blueprint.waves[1:]
    labels: Sequence[str | None] = fit.solution.grouped.labels or (None,)
    entries = [
        (p, wave, group)
        for p in fit.lag_parameters
        for group in (labels if p.group is None else (p.group,))
        for wave in (waves if p.wave is None else (p.wave,))
    ]
    std = standardised(fit.solution, entries)
    return {
        **about([p for p, _, _ in entries], [wave for _, wave, _ in entries]),
        "group": [group for _, _, group in entries],
        "estimate": std.estimate,
        "se": std.se,
        **interval(std, level),
    }


def _has_within(fit: EstimatedSEM, what: str) -> None:
    if not fit.model.has_within:
        raise ModelError(
            f"a dynamic panel model has no {what}: what is stable is held constant, not told from the rest.",
            where=fit.model.title,
            remedy="Use compare(), which puts its lags on a within-person scale, or an RI-CLPM.",
        )


def in_the_end(fit: EstimatedSEM, level: float) -> Table:
    """Long-run effects."""
    usable(fit, "the table of long-run effects")
    if any(p.kind == "lag" and p.wave is not None for p in fit.parameters):
        raise ModelError(
            "lags differ over waves, so no change has one long-run effect.",
            where=fit.model.title,
            remedy="Fit the model with lags='equal'.",
        )
    groups: Sequence[str | None] = fit.solution.grouped.labels or (None,)
    for group in groups:
        if growth(fit.solution, group) >= 1:
            raise ModelError(
                "with these lags the variables grow without limit: a lasting change leads nowhere.",
                where=fit.model.title + (f", group {group}" if group else ""),
                remedy="Look at the trend of the variables (means='free' takes it out), and at the verdict.",
            )
    out: Table = {"outcome": [], "predictor": [], "group": [], "estimate": [], "se": [], "low": [], "high": []}
    for group in groups:
        pairs, found = long_run(fit.solution, group)
        out["outcome"] += [a for a, _ in pairs]
        out["predictor"] += [b for _, b in pairs]
        out["group"] += [group] * len(pairs)
        columns = {"estimate": found.estimate, "se": found.se, **interval(found, level)}
        for name, values in columns.items():
            out[name] += values.tolist()
    return out


def within(fit: EstimatedSEM) -> Table:
    _has_within(fit, "within-person parts")
    blueprint = fit.solution.grouped.blueprint
    names = blueprint.variables
    groups: Sequence[str | None] = fit.solution.grouped.labels or (None,)
    out: Table = {"wave": [], "group": [], **{f"sd {n}": [] for n in names}}
    out |= {f"r {a} {b}": [] for a, b in combinations(names, 2)}
    for group, moments in zip(groups, fit.solution.moments(), strict=True):
        for wave in blueprint.waves:
            covariance = within_covariance(blueprint, moments, wave)
            sd, r = _correlation(covariance)
            out["wave"].append(wave)
            out["group"].append(group)
            for i, name in enumerate(names):
                out[f"sd {name}"].append(float(sd[i]))
            for (i, a), (j, b) in combinations(enumerate(names), 2):
                out[f"r {a} {b}"].append(float(r[i, j]))
    return out


def residual_correlations(fit: EstimatedSEM, group: str | None, level: float) -> tuple[tuple[float, float, float], ...]:
    _has_within(fit, "within-person parts")
    blueprint = fit.solution.grouped.blueprint
    place = fit.solution.grouped.labels.index(group) if group is not None else 0
    pairs = [[blueprint.within[name, wave] for name in blueprint.variables[:2]] for wave in blueprint.waves]

    def function(theta: np.ndarray) -> np.ndarray:
        left = fit.solution.moments(theta)[place].left
        return np.array([left[i, j] / np.sqrt(left[i, i] * left[j, j]) for i, j in pairs])

    of = derived(fit.solution, function)
    ends = interval(of, level)
    return tuple(zip(of.estimate.tolist(), ends["low"].tolist(), ends["high"].tolist(), strict=True))


def intercepts(fit: EstimatedSEM) -> Table:
    blueprint = fit.solution.grouped.blueprint
    names, nodes = list(blueprint.persons), list(blueprint.persons.values())
    groups: Sequence[str | None] = fit.solution.grouped.labels or (None,)
    out: Table = {"variable": [], "group": [], "variance": [], "se": [], "sd": []}
    if fit.model.has_within:
        out["share"] = []
    out |= {f"r {name}": [] for name in names if len(names) > 1}
    of = derived(
        fit.solution, lambda theta: np.concatenate([m.latent[nodes, nodes] for m in fit.solution.moments(theta)])
    )
    out["variance"], out["se"] = of.estimate.tolist(), of.se.tolist()
    for group, moments in zip(groups, fit.solution.moments(), strict=True):
        sd, r = _correlation(moments.latent[np.ix_(nodes, nodes)])
        for i, name in enumerate(names):
            own = [k for k, c in enumerate(blueprint.columns) if c.variable == name and c.wave is not None]
            out["variable"].append(name)
            out["group"].append(group)
            out["sd"].append(float(sd[i]))
            if fit.model.has_within:
                out["share"].append(float(sd[i] ** 2 / moments.covariance.diagonal()[own].mean()))
            for j, other in enumerate(names if len(names) > 1 else ()):
                out[f"r {other}"].append(float(r[i, j]))
    return {name: values if name in ("variable", "group") else np.array(values, float) for name, values in out.items()}


def _correlation(covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    with np.errstate(invalid="ignore", divide="ignore"):
        sd = np.sqrt(covariance.diagonal())
        return sd, covariance / np.outer(sd, sd)


def about(parameters: Sequence[Parameter], waves: Sequence[int | None]) -> Table:
    return {
        "outcome": [p.outcome for p in parameters],
        "predictor": [p.predictor or None for p in parameters],
        "wave": list(waves),
        "group": [p.group for p in parameters],
    }


def interval(of: Derived, level: float) -> dict[str, np.ndarray]:
    from scipy.special import ndtri

    away = float(ndtri((1 + valid_level(level)) / 2)) * of.se
    return {"low": of.estimate - away, "high": of.estimate + away}
