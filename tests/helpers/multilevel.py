"""A multilevel model and its data, at given parameters or fitted, with what `dense` needs of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

import sessionwise as sw
from sessionwise.mixed import MixedLikelihood, Optimum, Residual, Solution, evaluate, optimise, problem, summed

from .sessions import panel_of


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of a model. at : (n_rows,), where each row stands in its person, session number or time."""

    design: sw.Design
    at: np.ndarray

    @property
    def x(self) -> np.ndarray:
        """Fixed columns (n_rows, p)."""
        return self.design.matrix[:, list(self.design.fixed)]

    @property
    def y(self) -> np.ndarray:
        return self.design.matrix[:, 0]


@dataclass(frozen=True, eq=False)
class Setup(Rows):
    """A model that is not fitted."""

    panel: sw.Panel
    problem: MixedLikelihood

    def column(self, name: str) -> np.ndarray:
        """Codes of a column of the panel for the rows used."""
        return self.panel.labels(name).codes[self.design.rows]

    def fit(self, reml: bool = True) -> Solution:
        return Solution(self.problem, optimise(self.problem, reml=reml), reml)

    def at_parameters(self, theta: list[float], rho: list[float] = (), reml: bool = True) -> Solution:
        """At lme4's theta, term by term, and phi and ratios of standard deviations."""
        parameters = np.concatenate([*_own_theta(self.problem, theta), _own_rho(self.problem.residual, rho)])
        evaluation = evaluate(self.problem, parameters, reml=reml)
        nothing = np.zeros((0, 0))
        return Solution(self.problem, Optimum(parameters, evaluation, nothing, True, 0, 1, 1, 1), reml)


@dataclass(frozen=True, eq=False)
class Fitted(Rows):
    """A fit."""

    fit: sw.MLMFit

    @property
    def solution(self) -> Solution:
        return self.fit.solution


def setup(
    data: pl.DataFrame | sw.Panel, formula: str, kind: str = "independent", position: str = "", by: str = ""
) -> Setup:
    """data : a table as `sessions.nested` makes it, or a Panel. kind, by : of the residuals; position : what they stand
    in, 'session', 'time' or 'row', if not given as the kind has it."""
    panel = data if isinstance(data, sw.Panel) else panel_of(data)
    design = sw.design(panel, formula)
    at = _at(panel, design, position or ("time" if kind == "car1" else "session"))
    gaps = np.diff(at, prepend=np.nan)
    gaps[design.starts[:-1]] = np.nan
    strata, labels = np.zeros(len(at), int), ()
    if by:
        column = panel.labels(by)
        strata, labels = column.codes[design.rows].astype(int), tuple(map(str, column.levels))
    residual = Residual(kind, gaps, strata, labels)
    return Setup(design, at, panel, problem(summed(design, residual), residual))


def fitted(table: pl.DataFrame, formula: str, method: str = "REML", **options: str) -> Fitted:
    """The model of a table as `sessions.nested` makes it."""
    panel = panel_of(table)
    design = sw.design(panel, formula)
    at = _at(panel, design, "time" if options.get("residual") == "car1" else "session")
    return Fitted(design, at, sw.MLM(formula, method, **options).fit(panel))


def _at(panel: sw.Panel, design: sw.Design, position: str) -> np.ndarray:
    if position == "time":
        return panel.times[design.rows]
    return {"row": np.arange(len(design.rows)), "session": design.sessions}[position].astype(float)


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
