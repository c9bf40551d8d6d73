"""Explained: how much of what varies within persons the paths predict, and effects in each person's own SDs.

R² of a variable within a person is 1 - innovation variance / variance of the true score, the latter that at which the
person's process stays; what measurement error adds is in neither, nor what trends, the common course and covariates
add. So paths within a session count as predictors, as lags do. Schuurman & Hamaker (2019), Psychological Methods 24,
70-91, whose R² is of one person; the mean over persons stands beside that of the average person, as the two differ
where coefficients do (Rights & Sterba 2019, Psychological Methods 24, 309-338: what is within only).

Standardised effects of a person are by that person's SDs (Schuurman, Ferrer, de Boer-Sonnenschein & Hamaker 2016,
Psychological Methods 21, 206-221).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...threads import one_thread
from .dynamics import net_effects, reduced_form, stationary_variances
from .parameters import parameters, spaced
from .process import innovation_variances, process_matrices

if TYPE_CHECKING:
    from .fit import DSEMFit

#: Draws of persons' effects that are used.
PERSON_DRAWS = 200
#: Persons times draws at once.
AT_ONCE = 50_000


@dataclass(frozen=True, slots=True, eq=False)
class WithinPersons:
    """Of D draws and N persons, in standard units. effects : (D, N, K, K) net effects of lag 1. variances : (D, N, K)
    of true scores, NaN where the process has none. r_squared : (D, N, K)."""

    effects: np.ndarray
    variances: np.ndarray
    r_squared: np.ndarray


def within_persons(fit: DSEMFit) -> WithinPersons:
    """From draws of persons' effects, each with the other parameters of the same draw."""
    kept, effects = fit.kept, fit.effects
    s = kept.structure
    which = spaced(PERSON_DRAWS, len(fit.person_draws))
    draws = parameters(fit, fit.person_at[which])
    own = ((fit.person_draws[which] - effects.shifts) / effects.units)[:, :, s.levels :]
    d, n, k = len(which), own.shape[1], s.variables
    lagged, variances = np.empty((d, n, k, k)), np.empty((d, n, k))
    innovations = np.empty((d, n, k))
    step = max(1, AT_ONCE // d)
    for at in range(0, n, step):
        part = slice(at, at + step)
        coefficients = [np.moveaxis(own[:, part, j], 0, 1)[:, None, :] for j in range(own.shape[2])]
        transition, noise = process_matrices(fit.model.paths, s, draws, coefficients)
        shape = (min(step, n - at), 1, d)
        f = np.moveaxis(_dense(transition, shape), 0, 1)  # (d, persons, K, K P)
        q = np.moveaxis(_dense(noise, shape), 0, 1)
        lags = np.moveaxis(f.reshape(*f.shape[:3], s.lags, k), 3, 2).reshape(-1, s.lags, k, k)
        variances[:, part] = stationary_variances(lags, q.reshape(-1, k, k)).reshape(d, -1, k)
        lagged[:, part] = f[..., :k]
        here = [np.broadcast_to(v, shape)[:, 0].T for v in innovation_variances(s, draws, coefficients)]
        innovations[:, part] = np.stack(here, axis=-1)
    return WithinPersons(lagged, variances, 1.0 - innovations / variances)


def _dense(matrix: list[list[Any]], shape: tuple[int, int, int]) -> np.ndarray:
    """(persons, draws, rows, columns)."""
    return np.stack([np.stack([np.broadcast_to(x, shape)[:, 0] for x in row], axis=-1) for row in matrix], axis=-2)


def r_squared(fit: DSEMFit, level: float) -> Any:
    """See `DSEMFit.r_squared`."""
    rows: dict[str, list[Any]] = {key: [] for key in ("variable", "of", "median", "low", "high", "share")}
    average = average_person(fit)
    persons = within_persons(fit).r_squared
    with np.errstate(invalid="ignore"):
        there = np.isfinite(persons)
        mean = np.where(there, persons, 0.0).sum(axis=1) / np.where(there.any(axis=1), there.sum(axis=1), np.nan)
    for k, variable in enumerate(fit.model.paths.variables):
        for of, values, share in (
            ("average person", average[:, k], float(np.isfinite(average[:, k]).mean())),
            ("mean over persons", mean[:, k], float(there[:, :, k].mean())),
        ):
            low, median, high = quantiles(values, level)
            for key, value in zip(rows, (variable, of, median, low, high, share), strict=True):
                rows[key].append(value if isinstance(value, str) else float(value))
    return fit.kind.table(rows)


def average_person(fit: DSEMFit) -> np.ndarray:
    """(draws, K) R² of the average person, NaN where the process has no variance that it stays at."""
    lagged, noise = reduced_form(fit.model.paths, fit.reported)
    names = set(fit.reported.names)
    innovations = [
        fit.reported[f"innovation sd({v})"].ravel() ** 2
        if f"innovation sd({v})" in names
        else np.exp(fit.reported[f"log variance({v})"].ravel())
        for v in fit.model.paths.variables
    ]
    return np.asarray(1.0 - np.stack(innovations, axis=1) / stationary_variances(lagged, noise))


@one_thread()
def average_summary(fit: DSEMFit) -> dict[str, tuple[float, float, float]]:
    """See `DSEMFit.average_r_squared`."""
    low, median, high = quantiles(average_person(fit), 0.95)
    each = zip(median.tolist(), low.tolist(), high.tolist(), strict=True)
    return dict(zip(fit.model.paths.variables, each, strict=True))


def standardised_persons(fit: DSEMFit, level: float) -> Any:
    """See `DSEMFit.standardised_persons`."""
    columns: dict[str, list[Any]] = {
        key: [] for key in (fit.person, "outcome", "predictor", "median", "low", "high", "share")
    }
    for (outcome, predictor), values in _standardised(fit).items():
        low, median, high = quantiles(values, level)
        share = np.isfinite(values).mean(axis=0)
        columns[fit.person] += fit.persons.tolist()
        columns["outcome"] += [outcome] * len(share)
        columns["predictor"] += [predictor] * len(share)
        for key, numbers in (("median", median), ("low", low), ("high", high), ("share", share)):
            columns[key] += numbers.tolist()
    return fit.kind.table(columns)


def standardised_mean(fit: DSEMFit, level: float) -> dict[str, tuple[float, float, float]]:
    """See `DSEMFit.standardised_mean`."""
    out = {}
    for (outcome, predictor), values in _standardised(fit).items():
        there = np.isfinite(values)
        mean = np.where(there, values, 0.0).sum(axis=1) / np.maximum(there.sum(axis=1), 1)
        low, median, high = quantiles(np.where(there.any(axis=1), mean, np.nan), level)
        out[f"{predictor} → {outcome}"] = (float(median), float(low), float(high))
    return out


def _standardised(fit: DSEMFit) -> dict[tuple[str, str], np.ndarray]:
    """(outcome, predictor) -> (draws, persons)."""
    found = within_persons(fit)
    sd, names = np.sqrt(found.variances), fit.model.paths.variables
    return {
        (outcome, predictor): found.effects[:, :, names.index(outcome), names.index(predictor)]
        * sd[:, :, names.index(predictor)]
        / sd[:, :, names.index(outcome)]
        for outcome, predictor in net_effects(fit.model.paths, fit.reported)
    }


def quantiles(values: np.ndarray, level: float) -> tuple[Any, Any, Any]:
    """low, median, high over the first axis, of those that are there; NaN where none is."""
    empty = ~np.isfinite(values).any(axis=0)
    filled = np.where(empty, 0.0, values)
    low, median, high = np.nanquantile(filled, [(1 - level) / 2, 0.5, (1 + level) / 2], axis=0)
    return tuple(np.where(empty, np.nan, x) for x in (low, median, high))  # type: ignore[return-value]
