"""Data sets whose truth is known and what is kept of a fit to each, run in as many processes as there are cores.

Processes have one thread for linear algebra each, or they wait for each other. Seeds are by block of data sets, so that
results do not depend on how many processes there are.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from multiprocessing import get_context
from typing import Any
from unittest import mock

import numpy as np
import polars as pl
from scipy import stats

import sessionwise as sw
from sessionwise.models.panel_sem import DPM, RICLPM, SEMFit
from sessionwise.models.panel_sem.solution import SEMEstimates
from sessionwise.sem import optimise

BLOCK = 50
SATURATED = "sessionwise.models.panel_sem.solution.saturated"
Rng = np.random.Generator
Run = dict[str, Any]  # of one data set
Found = dict[str, np.ndarray]  # of all of them

# --- truth ----------------------------------------------------------------------------------------
# Within-person SDs are 1 and stationary, so that lags are in within-SD units; 65 % of the variance is between persons.

LAGS = np.array([[0.3, -0.1], [-0.15, 0.3]])  # of (y, x) on (y, x)
NAMES = ("y ~ lag(y)", "y ~ lag(x)", "x ~ lag(y)", "x ~ lag(x)")
CROSS = NAMES[1:3]
RESIDUAL_R = -0.2
SHARE = 0.65
INTERCEPT_R = -0.4
LEVEL, TREND = np.array([15.0, 5.0]), np.array([-0.3, 0.1])
DROPOUT, SKIPPED = 0.08, 0.1  # after each wave; of each wave in between


def stationary(lags: np.ndarray, r: float) -> tuple[np.ndarray, np.ndarray]:
    """Covariances of the residuals and within persons, whose diagonal is 1, with residuals that correlate r."""
    within, residual = np.eye(2), np.eye(2)
    for _ in range(200):
        carried = lags @ within @ lags.T
        variances = 1 - carried.diagonal()
        residual = np.diag(variances)
        residual[0, 1] = residual[1, 0] = r * np.sqrt(variances.prod())
        within = carried + residual
    return residual, within


def between(share: float) -> np.ndarray:
    variance = share / (1 - share)
    return variance * np.array([[1.0, INTERCEPT_R], [INTERCEPT_R, 1.0]])


def parameters(waves: int, lags: np.ndarray = LAGS, share: float = SHARE) -> dict[str, float]:
    found = dict(zip(NAMES, lags.ravel().tolist(), strict=True))
    for what, cov in (("intercept", between(share)), ("residual", stationary(lags, RESIDUAL_R)[0])):
        found |= {f"{what} var(y)": cov[0, 0], f"{what} var(x)": cov[1, 1], f"{what} cov(y, x)": cov[0, 1]}
    for t in range(waves):
        found |= {f"mean(y) [{t + 1}]": LEVEL[0] + TREND[0] * t, f"mean(x) [{t + 1}]": LEVEL[1] + TREND[1] * t}
    return found


def drawn(rng: Rng, persons: int, waves: int, kind: str = "normal", r: float = RESIDUAL_R) -> np.ndarray:
    """Values (persons, waves, 2) of y and x from the random-intercept model.

    kind : 'normal'; 'skewed', exponential intercepts and residuals (skewness 2, kurtosis 9); 'heavy', persons differ in
        how much they vary, all parts of one by a factor (multivariate t with 8 degrees of freedom; kurtosis 4.5).
    """
    residual, within = stationary(LAGS, r)

    def normal(shape: tuple[int, ...]) -> np.ndarray:
        return rng.standard_normal(shape) if kind != "skewed" else rng.exponential(size=shape) - 1

    parts = normal((persons, 2)) @ np.linalg.cholesky(between(SHARE)).T
    now = normal((persons, 2)) @ np.linalg.cholesky(within).T
    values = np.empty((persons, waves, 2))
    for t in range(waves):
        if t:
            now = now @ LAGS.T + normal((persons, 2)) @ np.linalg.cholesky(residual).T
        values[:, t] = parts + now
    if kind == "heavy":
        values *= np.sqrt(6 / rng.chisquare(8, persons))[:, None, None]
    return values + LEVEL + TREND * np.arange(waves)[:, None]


def panel(values: np.ndarray, seen: np.ndarray | None = None) -> sw.Panel:
    """seen : bool (persons, waves)."""
    there = np.ones(values.shape[:2], bool) if seen is None else seen
    i, t = np.nonzero(there)
    table = {"person": i, "session": t + 1, "y": values[i, t, 0], "x": values[i, t, 1]}
    return sw.Panel(pl.DataFrame(table), person="person", session="session")


def stays(rng: Rng, values: np.ndarray) -> np.ndarray:
    """Who is still there (persons, waves): the higher the last y, the likelier to leave; a fifth after each wave."""
    persons, waves, _ = values.shape
    still = np.ones((persons, waves), bool)
    for t in range(1, waves):
        z = (values[:, t - 1, 0] - LEVEL[0] - TREND[0] * (t - 1)) * np.sqrt(1 - SHARE)
        still[:, t] = still[:, t - 1] & (rng.random(persons) >= 1 / (1 + np.exp(1.5 - 1.5 * z)))
    return still


# --- runs -----------------------------------------------------------------------------------------


def replicated(run: Callable[..., list[Run]], n: int, *given: Any) -> Found:
    """What `run(seed, data sets, *given)` keeps of n data sets, by name."""
    blocks = [(run, [20261124, *_key(run, given), b], min(BLOCK, n - b * BLOCK), given) for b in range(-(-n // BLOCK))]
    if len(blocks) <= 2 or (os.cpu_count() or 1) < 2:
        found = [_block(b) for b in blocks]
    else:
        with (
            mock.patch.dict(os.environ, OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1"),
            ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool,
        ):
            found = list(pool.map(_block, blocks))
    kept = [one for block in found for one in block]
    return {name: np.array([one[name] for one in kept]) for name in kept[0]}


def _key(run: Callable[..., list[Run]], given: tuple[Any, ...]) -> list[int]:
    return list(f"{run.__name__} {given}".encode())


def _block(job: tuple[Callable[..., list[Run]], list[int], int, tuple[Any, ...]]) -> list[Run]:
    run, seed, n, given = job
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return run(np.random.default_rng(seed), n, *given)


def kept(fit: SEMFit, names: tuple[str, ...] = NAMES) -> Run:
    estimates, se = fit.estimates, fit.se
    return {
        "estimate": [estimates[name] for name in names],
        "se": [se[name] for name in names],
        "converged": fit.verdict.converged,
        "admissible": fit.verdict.converged and fit.verdict.admissible,
        "truthy": bool(fit.verdict),
        "chi2_p": stats.chi2.sf(fit.chi2, fit.df),
    }


def equal_lags(rng: Rng, n: int, persons: int, waves: int, crossed: bool, chi2: bool) -> list[Run]:
    """RICLPM with equal lags; `crossed`: with cross-lags, else both are zero in truth and tested one at a time.

    chi2 : else the saturated model, which takes most of the time with many waves, is left out.
    """
    model = RICLPM("y", "x", waves=waves)
    truth = parameters(waves, LAGS if crossed else np.diag(LAGS.diagonal()))
    found = []
    with nullcontext() if chi2 else mock.patch(SATURATED, return_value=None):
        for _ in range(n):
            seed = int(rng.integers(2**31))
            fit = model.fit(model.simulate(truth, persons, seed=seed, dropout=DROPOUT, skipped=SKIPPED))
            one = kept(fit)
            if not crossed:
                one["lr_p"] = [stats.chi2.sf(max(0.0, fall_without(fit.solution, name)), 1) for name in CROSS]
            found.append(one)
    return found


def fall_without(solution: SEMEstimates, name: str) -> float:
    """By how much -2 log-likelihood is higher if the path `name` is zero."""
    whole = solution.grouped.blueprint
    keep = [i for i, p in enumerate(whole.names) if p != name]
    small = replace(
        whole,
        paths=tuple(c for c in whole.paths if c.name != name),
        parameters=tuple(whole.parameters[i] for i in keep),
    )
    structure = small.structure({p: i for i, p in enumerate(small.names)}, len(keep))
    starts = [solution.optimum.theta[keep], small.started(np.eye(structure.k))]
    found = optimise([(structure, solution.data[0])], starts)
    return found.criterion - solution.optimum.criterion if found.converged else np.nan


MEANS = ("mean(y)", "mean(x)")


def leaving_by_last(rng: Rng, n: int, persons: int, waves: int) -> list[Run]:
    """Drop-out that depends on the last y: all persons, and those who stayed to the end alone."""
    model = RICLPM("y", "x", waves=waves)
    names = (*NAMES, *(f"{m} [{waves}]" for m in MEANS), "intercept var(y)")
    found = []
    for _ in range(n):
        values = drawn(rng, persons, waves)
        seen = stays(rng, values)
        complete = seen.all(axis=1)
        one = kept(model.fit(panel(values, seen)), names) | {"complete": complete.mean()}
        other = kept(model.fit(panel(values[complete])), names)
        found.append(one | {f"{k} of complete": v for k, v in other.items()})
    return found


def not_normal(rng: Rng, n: int, persons: int, waves: int, kind: str) -> list[Run]:
    """Ordinary and robust errors and chi-squares, some values missing."""
    model = RICLPM("y", "x", waves=waves, errors="robust")
    names = (*NAMES, "intercept var(y)", "residual var(y) [2]", "residual cov(y, x) [2]")
    found = []
    for _ in range(n):
        seen = rng.random((persons, waves)) >= SKIPPED
        seen[:, 0] = True
        fit = model.fit(panel(drawn(rng, persons, waves, kind), seen))
        solution = fit.solution
        units = solution.grouped.blueprint.in_units(solution.scale)
        ordinary = dict(
            zip(fit.terms, np.sqrt(2 * np.linalg.inv(solution.optimum.hessian).diagonal()) * units, strict=True)
        )
        one = kept(fit, names) | {"ordinary se": [ordinary[name] for name in names]}
        found.append(one | {"scaled_p": fit.scaled_indices.p})
    return found


DPM_NAMES = NAMES[:2]


def dynamic(rng: Rng, n: int, persons: int, waves: int, start: str, r: float, same_wave: bool) -> list[Run]:
    """The dynamic panel model of y where x depends on earlier y.

    start : 'intercepts', the random-intercept truth; 'any', persons' effects act anew at each wave from a first wave
        that is far from where they lead. r : correlation of the residuals of one wave.
    """
    model = DPM("y ~ lag(y) + pre(lag(x))", waves=waves, same_wave=same_wave)
    found = []
    for _ in range(n):
        values = drawn(rng, persons, waves, r=r) if start == "intercepts" else pushed(rng, persons, waves, r)
        seen = rng.random((persons, waves)) >= SKIPPED
        seen[:, 0] = True
        found.append(kept(model.fit(panel(values, seen)), DPM_NAMES))
    return found


def pushed(rng: Rng, persons: int, waves: int, r: float) -> np.ndarray:
    residual, _ = stationary(LAGS, r)
    push = rng.standard_normal((persons, 2)) @ np.linalg.cholesky(between(0.4)).T
    now = 0.5 * push + rng.standard_normal((persons, 2))
    values = np.empty((persons, waves, 2))
    for t in range(waves):
        if t:
            now = push + now @ LAGS.T + rng.standard_normal((persons, 2)) @ np.linalg.cholesky(residual).T
        values[:, t] = now
    return values


RESTARTS = 20


def hard(rng: Rng, n: int, persons: int, waves: int, share: float, restarts: int) -> list[Run]:
    """How fits end; `gain` is by how much the best of random restarts is lower, NaN where no restart converged."""
    model = RICLPM("y", "x", waves=waves)
    truth = parameters(waves, share=share)
    found = []
    for _ in range(n):
        seed = int(rng.integers(2**31))
        fit = model.fit(model.simulate(truth, persons, seed=seed, dropout=DROPOUT, skipped=SKIPPED))
        bad = any(v < 0 for name, v in fit.estimates.items() if "var(" in name)
        one = kept(fit) | {"negative": bad, "gain": np.nan, "higher": 0, "seed": seed}
        if fit.verdict.converged:
            criteria = list(restarted(rng, fit.solution, restarts))
            if criteria:
                one["gain"] = fit.solution.optimum.criterion - min(criteria)
                one["higher"] = sum(c > fit.solution.optimum.criterion + 1e-6 for c in criteria)
        found.append(one)
    return found


def restarted(rng: Rng, solution: SEMEstimates, restarts: int) -> Any:
    """-2 log-likelihoods that random starts lead to, of those that converge: lags normal, SD .4; what is stable from 0
    to 90 % of the variance; correlations up to .5; means normal, SD .5 (in SDs of the variables)."""
    parameters = solution.parameters
    for _ in range(restarts):
        start = np.zeros(len(parameters))
        share = rng.uniform(0, 0.9)
        for i, p in enumerate(parameters):
            size = share if p.kind == "intercept" else 1 - share
            if p.kind == "lag":
                start[i] = rng.normal(0, 0.4)
            elif p.kind in ("mean", "trend"):
                start[i] = rng.normal(0, 0.5)
            elif "var(" in p.name:
                start[i] = size * rng.uniform(0.5, 1.5)
            else:
                start[i] = size * rng.uniform(-0.5, 0.5)
        try:
            other = optimise(solution.groups, [start])
        except np.linalg.LinAlgError:
            continue
        if other.converged:
            yield other.criterion


def multilevel(rng: Rng, n: int, persons: int, waves: int) -> list[Run]:
    """The lagged multilevel model and the RI-CLPM on the same data."""
    lagged = sw.MLM("y ~ session + within(lag(y)) + within(lag(x)) + (1 | person)")
    model = RICLPM("y", "x", waves=waves)
    found = []
    for _ in range(n):
        data = panel(drawn(rng, persons, waves))
        fixef = lagged.fit(data, threads=1).fixef
        one = kept(model.fit(data), NAMES[:2])
        found.append(one | {"multilevel": [fixef["within(lag(y))"], fixef["within(lag(x))"]]})
    return found
