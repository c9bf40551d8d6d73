"""Fits for the tests of this folder: stored cases, simulated tables, and models written out row by row.

The dense formulas are those of the cited papers, with matrices of all rows; only the Design is shared.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from sessionwise.mixed import Solution

HERE = Path(__file__).parents[2] / "reference" / "mlm"
SHARED = Path(__file__).parents[4] / "shared" / "reference"
STORED = json.loads((HERE / "results.json").read_text(encoding="utf-8"))
CASES = {case["id"]: case for case in STORED["cases"] if case["program"] == "lme4"}


@functools.cache
def stored(name: str) -> Solution:
    """A fit of tests/reference/mlm. Data of real persons are read where they are, or the test skips."""
    case = CASES[name]
    kind, _, rest = case["data"].rpartition(":")
    path = SHARED / rest if kind == "shared" else HERE / rest
    if kind == "R" or not path.exists():
        pytest.skip(f"{rest} is not kept with the tests")
    table = pl.read_csv(path)
    whole = [c for c in ("Days",) if c in table.columns]
    panel = sw.Panel(table.with_columns(pl.col(whole).cast(pl.Int64)), **case["roles"])
    return sw.MLM(case["formula"], case["method"]).fit(panel).solution


def of_program(case: dict, values: object) -> np.ndarray:
    """Stored numbers by coefficient, in the order of the fit."""
    listed = list(values.values()) if isinstance(values, dict) else values
    names = list(stored(case["id"]).problem.names)
    found = np.empty(len(names))
    found[[names.index(c) for c in case["columns"]]] = listed
    return found


def table(seed: int = 5, persons: int = 20, sessions: int = 6) -> pl.DataFrame:
    """Persons in therapists (g) in clinics (c), a therapist crossed with them (h), spells (e), missed sessions."""
    rng = np.random.default_rng(seed)
    p, s = np.repeat(np.arange(persons), sessions), np.tile(np.arange(1, sessions + 1), persons)
    x, z = rng.standard_normal((2, len(p)))
    g = p * 6 // persons
    h = (p * 7 + s // 3) % 5
    level = 1.5 * rng.standard_normal(persons)[p] + rng.standard_normal(6)[g] + rng.standard_normal(5)[h]
    y = 20 + level + x * (1 + 0.6 * rng.standard_normal(persons)[p]) + rng.standard_normal(len(p))
    columns = {"p": p, "s": s, "x": 2 * x + 4, "z": z, "g": g, "c": g // 2, "h": h, "e": s // 4, "b": s % 2, "y": y}
    made = pl.DataFrame(columns).with_columns(t=1.3 * pl.col("s") + 0.2 * pl.Series(rng.random(len(p))))
    return made.filter(pl.Series(rng.random(len(p)) > 0.15))


@dataclass(frozen=True)
class Fitted:
    """A fit with the columns it was made of. x : (n, p). at : (n,), session number or time of each row."""

    fit: sw.MLMFit
    design: sw.Design
    x: np.ndarray
    at: np.ndarray

    @property
    def solution(self) -> Solution:
        return self.fit.solution


def fitted(data: pl.DataFrame, formula: str, method: str = "REML", **options: str) -> Fitted:
    panel = sw.Panel(data, person="p", session="s", cluster="g", time="t")
    design = sw.design(panel, formula)
    at = panel.times[design.rows] if options.get("residual") == "car1" else design.sessions.astype(float)
    fit = sw.MLM(formula, method, **options).fit(panel)
    return Fitted(fit, design, design.matrix[:, list(design.fixed)], at)


def residuals(f: Fitted, natural: np.ndarray) -> np.ndarray:
    """Relative covariance matrix of the residuals (n, n): phi, where there is one, and ratios of SDs."""
    of = f.solution.problem.residual
    person = np.repeat(np.arange(len(f.design.persons)), np.diff(f.design.starts))
    sd = np.concatenate([[1.0], natural[len(natural) - max(len(of.labels) - 1, 0) :]])[of.strata]
    apart = np.abs(f.at[:, None] - f.at[None, :])
    phi = natural[0] if of.kind != "independent" else 0.0
    return np.outer(sd, sd) * (person[:, None] == person[None, :]) * phi**apart


def changes(f: Fitted) -> list[np.ndarray]:
    """dV / dgamma (n, n) for each entry of each term's covariance matrix, and for sigma^2."""
    found = []
    for block in f.solution.problem.blocks:
        codes, z = f.design.grouping(block.group).codes, f.design.matrix[:, list(block.columns)]
        same = codes[:, None] == codes[None, :]
        for i, j in zip(*block.places, strict=True):
            one = np.outer(z[:, i], z[:, j])
            found.append(same * (one if i == j else one + one.T))
    return [*found, np.eye(len(f.x))]


def gamma(f: Fitted) -> np.ndarray:
    """Entries of the terms' covariance matrices, in the same order, and sigma^2."""
    s = f.solution
    entries = [c[b.places] for b, c in zip(s.problem.blocks, s.covariances, strict=True)]
    return np.append(np.concatenate(entries) if entries else [], s.sigma**2)
