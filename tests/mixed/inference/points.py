"""For the tests of robust errors and explained variance: a model of a table at its optimum or at given parameters, and
the covariance of all rows written out, which shares nothing with the package but the Design and the parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

import sessionwise as sw
from sessionwise.designs import Design
from sessionwise.mixed import MixedLikelihood, Optimum, Residual, Solution, evaluate, optimise, problem, summed


@dataclass(frozen=True, eq=False)
class Setup:
    """A model of a table. time : (n_rows,), where each row stands in its person."""

    panel: sw.Panel
    design: Design
    problem: MixedLikelihood
    time: np.ndarray

    def column(self, name: str) -> np.ndarray:
        """Codes of a column of the panel for the rows used."""
        return self.panel.labels(name).codes[self.design.rows]

    def fit(self, reml: bool = True) -> Solution:
        return Solution(self.problem, optimise(self.problem, reml=reml), reml)

    def at(self, theta: list[float], rho: list[float] = (), reml: bool = True) -> Solution:
        """At lme4's theta, term by term, and phi and ratios of standard deviations."""
        parameters = np.concatenate([*_own_theta(self.problem, theta), _own_rho(self.problem.residual, rho)])
        evaluation = evaluate(self.problem, parameters, reml=reml)
        nothing = np.zeros((0, 0))
        return Solution(self.problem, Optimum(parameters, evaluation, nothing, True, 0, 1, 1, 1), reml)


def setup(
    table: pl.DataFrame, formula: str, kind: str = "independent", position: str = "session", by: str = ""
) -> Setup:
    """Columns person and session, and time and cluster if they are there."""
    roles = {role: role for role in ("time", "cluster") if role in table.columns}
    panel = sw.Panel(table, person="person", session="session", **roles)
    design = sw.design(panel, formula)
    n = len(design.rows)
    time = {"row": np.arange(n), "session": design.sessions}.get(position)
    time = panel.times[design.rows] if time is None else time.astype(float)
    gaps = np.diff(time, prepend=np.nan)
    gaps[design.starts[:-1]] = np.nan
    strata, labels = np.zeros(n, int), ()
    if by:
        column = panel.labels(by)
        strata, labels = column.codes[design.rows].astype(int), tuple(map(str, column.levels))
    residual = Residual(kind, gaps, strata, labels)
    return Setup(panel, design, problem(summed(design, residual), residual), time)


def _own_theta(p: MixedLikelihood, theta: list[float]) -> list[np.ndarray]:
    """Factors of the columns given as factors of centred and scaled columns."""
    made, start = [], 0
    for block, scaling in zip(p.blocks, p.transform.blocks, strict=True):
        factor = np.zeros((block.q, block.q))
        factor[block.places] = theta[start : start + block.size]
        start += block.size
        factor = np.linalg.solve(scaling, factor)
        made.append(np.linalg.qr(factor.T, mode="r").T[block.places])
    return made


def _own_rho(residual: Residual, rho: list[float]) -> np.ndarray:
    values = np.array(rho, float)
    if residual.kind == "ar1":
        return np.concatenate([np.arctanh(values[:1]), np.log(values[1:])])
    if residual.kind == "car1":
        return np.concatenate([np.log(-np.log(values[:1])), np.log(values[1:])])
    return np.log(values)


def dense(s: Setup, solution: Solution) -> np.ndarray:
    """V (n_rows, n_rows) in squared units of the outcome."""
    design, residual = s.design, s.problem.residual
    person = np.repeat(np.arange(len(design.persons)), np.diff(design.starts))
    found = list(solution.residual)
    same = person[:, None] == person[None, :]
    apart = np.abs(s.time[:, None] - s.time[None, :])
    v = np.where(same, found.pop(0) ** apart, 0.0) if residual.kind != "independent" else np.eye(len(person))
    sd = np.array([1.0, *found])[residual.strata]
    v = solution.sigma**2 * sd[:, None] * sd[None, :] * v
    for block, covariance in zip(s.problem.blocks, solution.covariances, strict=True):
        codes, z = design.grouping(block.group).codes, design.matrix[:, list(block.columns)]
        v += np.where(codes[:, None] == codes[None, :], z @ covariance @ z.T, 0.0)
    return v


def table(seed: int = 3, persons: int = 24, sessions: int = 6) -> pl.DataFrame:
    """Persons in therapists in clinics, `now` the therapist of the session, spells in persons, missed sessions."""
    rng = np.random.default_rng(seed)
    n = persons * sessions
    person, session = np.repeat(np.arange(persons), sessions), np.tile(np.arange(1, sessions + 1), persons)
    x = rng.normal(size=n) + rng.normal(size=persons)[person]
    therapist = np.sort(rng.integers(0, 8, persons))[person]
    made = pl.DataFrame(
        {
            "person": person,
            "session": session,
            "therapist": therapist,
            "clinic": therapist // 2,
            "spell": session // 3,
            "half": np.where(session <= sessions // 2, "a", "b"),
            "time": session * 1.3 + rng.random(n) * 0.4,
            "now": np.where(rng.random(n) < 0.3, rng.integers(0, 8, n), therapist),
            "x": x,
            "z": rng.normal(size=persons)[person],
            "y": 3
            + 0.5 * x
            + rng.normal(size=persons)[person] * 2
            + rng.normal(size=8)[therapist]
            + rng.normal(size=n),
        }
    )
    return made.filter(pl.Series(rng.random(n) > 0.15))
