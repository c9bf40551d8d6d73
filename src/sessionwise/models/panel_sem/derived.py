"""Derived: what follows from the parameters (standardised lags, long-run effects, within-person correlations), with
errors by the delta method. Derivatives are by central differences of a thousandth of a standard error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ...sem import Moments
from ...threads import one_thread
from .blueprint import Blueprint, Parameter
from .solution import SEMEstimates

_STEP = 1e-3  # of a standard error


@dataclass(frozen=True, slots=True, eq=False)
class Derived:
    """estimate, se : (m,)."""

    estimate: np.ndarray
    se: np.ndarray


def derived(solution: SEMEstimates, function: Callable[[np.ndarray], np.ndarray]) -> Derived:
    """`function` of the parameters (q,) gives (m,). NaN where it has no value."""
    theta = solution.theta
    with one_thread(), np.errstate(invalid="ignore", divide="ignore"):
        estimate = function(theta)
        if not np.isfinite(solution.vcov).all() or not len(estimate):
            return Derived(estimate, np.full(len(estimate), np.nan))
        steps = _STEP * np.sqrt(np.maximum(solution.vcov.diagonal(), 1e-300))
        columns = []
        for i, step in enumerate(steps.tolist()):
            move = np.zeros(len(theta))
            move[i] = step
            columns.append((function(theta + move) - function(theta - move)) / (2 * step))
        jacobian = np.array(columns).T
        variance = np.einsum("ij,jk,ik->i", jacobian, solution.vcov, jacobian)
        return Derived(estimate, np.sqrt(variance))


def p_values(estimate: np.ndarray, se: np.ndarray) -> np.ndarray:
    """Two-sided, of zero, by the normal distribution."""
    from scipy.special import ndtr

    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(2 * ndtr(-np.abs(estimate / se)))


def within_covariance(blueprint: Blueprint, moments: Moments, wave: int) -> np.ndarray:
    """Of the within-person parts of the variables at a wave (v, v), as implied."""
    nodes = [blueprint.within[name, wave] for name in blueprint.variables]
    return np.asarray(moments.latent[np.ix_(nodes, nodes)])


def standardised(solution: SEMEstimates, lags: Sequence[tuple[Parameter, int | None, str | None]]) -> Derived:
    """Each lag times the SD of its predictor over that of its outcome, both within persons.

    lags : parameter, wave of the outcome, and group; None for the root mean square SD over the waves that the lag is
    for, and over all persons.
    """
    sizes = np.array([data.n for data in solution.data], float)
    blueprint, labels = solution.grouped.blueprint, solution.grouped.labels
    index = {p.name: i for i, p in enumerate(solution.parameters)}
    places = {name: i for i, name in enumerate(blueprint.variables)}

    def function(theta: np.ndarray) -> np.ndarray:
        variances = [
            np.array([within_covariance(blueprint, m, w).diagonal() for w in blueprint.waves])
            for m in solution.moments(theta)
        ]
        values = []
        for parameter, wave, group in lags:
            groups = [labels.index(group)] if group else list(range(len(variances)))
            own = np.average([variances[g] for g in groups], axis=0, weights=sizes[groups])
            to = blueprint.waves.index(wave) if wave is not None else slice(1, None)
            before = to - 1 if isinstance(to, int) else slice(None, -1)
            ratio = own[before, places[parameter.predictor]].mean() / own[to, places[parameter.outcome]].mean()
            values.append(theta[index[parameter.name]] * np.sqrt(ratio))
        return np.array(values)

    return derived(solution, function)


@one_thread()
def growth(solution: SEMEstimates, group: str | None) -> float:
    """By how much the largest pattern of lags grows from wave to wave; below 1 where it dies out."""
    names = solution.grouped.blueprint.variables
    chosen = [
        (i, p)
        for i, p in enumerate(solution.parameters)
        if p.kind == "lag" and p.wave is None and p.group in (None, group) and p.predictor in names
    ]
    v, most = len(names), max((p.steps for _, p in chosen), default=1)
    companion = np.eye(v * most, k=-v)
    for i, p in chosen:
        companion[names.index(p.outcome), v * (p.steps - 1) + names.index(p.predictor)] += solution.theta[i]
    return float(np.abs(np.linalg.eigvals(companion)).max())


def long_run(solution: SEMEstimates, group: str | None) -> tuple[list[tuple[str, str]], Derived]:
    """Change of an outcome that a lasting change of a predictor by one leads to in the end: b / (1 - a) for two
    variables; with more, the others respond to each other. Several lags of a predictor add up. For lags that are equal
    over waves.
    """
    outcomes = solution.grouped.blueprint.variables
    chosen = [
        (i, p)
        for i, p in enumerate(solution.parameters)
        if p.kind in ("lag", "effect") and p.wave is None and p.group in (None, group)
    ]
    predictors = tuple(dict.fromkeys([*outcomes, *(p.predictor for _, p in chosen)]))
    pairs = [(outcome, predictor) for outcome in outcomes for predictor in predictors if outcome != predictor]

    def function(theta: np.ndarray) -> np.ndarray:
        lags = np.zeros((len(outcomes), len(predictors)))
        for i, p in chosen:
            lags[outcomes.index(p.outcome), predictors.index(p.predictor)] += theta[i]
        ends = {}
        for held, predictor in enumerate(predictors):
            others = [i for i in range(len(outcomes)) if i != held]
            system = np.eye(len(others)) - lags[np.ix_(others, others)]
            for i, value in zip(others, np.linalg.solve(system, lags[others, held]), strict=True):
                ends[outcomes[i], predictor] = value
        return np.array([ends[pair] for pair in pairs])

    return pairs, derived(solution, function)
