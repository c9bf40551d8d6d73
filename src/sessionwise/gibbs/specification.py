"""Specification: what chains of the dynamic model are given, as arrays.

The model of person i at session number t, for K variables (columns of `Grid.values`):

    value = true score + error,        error ~ N(0, factor * Grid.error)
    true score = common course(t) + own course_i(t) + z_t
    z_t = sum over terms of coefficient * source + innovation_t

A source is z of this session (lag 0, acyclic), of one of the P sessions before, or a covariate. A person's effects are,
in this order: levels (for each variable the columns of the own course: 1, then powers of the session), the random
coefficients, the random log variances of innovations. They are normal around regressions on person-level predictors.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Term:
    """A coefficient: of variable `equation` on variable `variable` `lag` sessions before, or on a covariate."""

    equation: int
    variable: int
    lag: int
    random: bool = False
    covariate: int | None = None

    def source(self, variables: int, lags: int) -> int:
        """Place in h = [z_t, ..., z_{t-P}, x_t]."""
        return (
            self.lag * variables + self.variable if self.covariate is None else variables * (lags + 1) + self.covariate
        )


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Persons' sessions on the grid of session numbers, one after another.

    starts : (persons + 1,) rows. session : (rows,) index of the session number. values : (rows, K), NaN where not
    observed. error : (rows, K) error variances, None for none. covariates : (rows, X). predictors : (persons, W), the
    first column 1. clusters : (persons,) indices, None for none. outcomes : (persons, O), NaN where not observed.
    own_course : (sessions, E). basis : (sessions, B), what the common course is made of.
    """

    starts: np.ndarray
    session: np.ndarray
    values: np.ndarray
    predictors: np.ndarray
    own_course: np.ndarray
    basis: np.ndarray
    error: np.ndarray | None = None
    covariates: np.ndarray | None = None
    clusters: np.ndarray | None = None
    outcomes: np.ndarray | None = None

    @property
    def persons(self) -> int:
        return len(self.starts) - 1

    @property
    def person(self) -> np.ndarray:
        """(rows,) index of the person."""
        return np.repeat(np.arange(self.persons), np.diff(self.starts))


@dataclass(frozen=True, slots=True, eq=False)
class VariancePrior:
    """Of a covariance matrix or of variances.

    half_t : whether standard deviations are half-t with `degrees` and `scale` (n,) (Huang & Wand 2013: correlations are
    uniform at 2 degrees); else inverse Wishart with `degrees` and `scale` (n, n), of single variances inverse gamma
    with shape degrees/2 and scale/2. Where only some random effects correlate, `degrees` are those of one variance, and
    each further effect that it correlates with takes one off.
    """

    half_t: bool
    degrees: float
    scale: np.ndarray

    def to_core(self) -> dict[str, Any]:
        return {"half_t": self.half_t, "degrees": float(self.degrees), "scale": _reals(self.scale)}


@dataclass(frozen=True, slots=True, eq=False)
class Priors:
    """theta, gamma : (mean, precision) of common coefficients (p,) and of regressions (q, W); a precision of 0 is flat.
    sigma, first, omega, tau : variances of innovations, of the first sessions, of random effects, of clusters. error :
    (shape, scale) (K,) each of the inverse gamma of the error's factor; shape 0 where it is known to be 1. error_sd :
    (K,) scale of the half-t prior, with 2 degrees, of its root where it is estimated beside the process, else 0.
    outcome : precision of coefficients, shape and scale of the residual variance. factor : shape and scale of its
    variance."""

    theta: tuple[np.ndarray, np.ndarray]
    gamma: tuple[np.ndarray, np.ndarray]
    sigma: VariancePrior
    first: VariancePrior
    omega: VariancePrior
    tau: VariancePrior
    error: tuple[np.ndarray, np.ndarray]
    error_sd: np.ndarray | None = None
    outcome: tuple[float, float, float] = (0.0, -1.0, 0.0)
    factor: tuple[float, float] = (-1.0, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """Which coefficients there are and what varies between persons.

    lags : P. terms : coefficients. log_variances : for each variable whether its innovation variance is random.
    correlated : whether innovations of one session correlate. own_first : whether the first P sessions have a
    covariance of their own; else `first` of the start is known. effects_correlate :
    'all' random effects with each other, 'levels' with levels only, or 'none'. factor :
    whether they share one factor instead. regressed : (q, W) which regressions there are. outcome_on_predictors,
    outcome_on_effects : (O, W), (O, q).
    """

    variables: int
    lags: int
    terms: tuple[Term, ...]
    log_variances: tuple[bool, ...]
    own_columns: int
    regressed: np.ndarray
    correlated: bool = True
    own_first: bool = True
    effects_correlate: str = "levels"
    factor: bool = False
    outcome_on_predictors: np.ndarray = field(default_factory=lambda: np.zeros((0, 1), dtype=bool))
    outcome_on_effects: np.ndarray = field(default_factory=lambda: np.zeros((0, 1), dtype=bool))

    def group_start(self, effect: int) -> int:
        """The first of the effects that this one correlates with; itself if with none before it."""
        if self.factor or self.effects_correlate == "none":
            return effect
        return 0 if self.effects_correlate == "all" or effect < self.levels else effect

    @property
    def levels(self) -> int:
        return self.variables * self.own_columns

    @property
    def random_terms(self) -> tuple[Term, ...]:
        return tuple(term for term in self.terms if term.random)

    @property
    def common_terms(self) -> tuple[Term, ...]:
        return tuple(term for term in self.terms if not term.random)

    @property
    def effects(self) -> int:
        """q: random effects of a person."""
        return self.levels + len(self.random_terms) + sum(self.log_variances)


@dataclass(frozen=True, slots=True, eq=False)
class Specification:
    """All that chains share. adapting : sweeps, none kept, in which a step learns its width."""

    grid: Grid
    structure: Structure
    priors: Priors
    adapting: int = 0

    def to_core(self) -> dict[str, Any]:
        """By the names of core/dsem/spec.hpp."""
        grid, s, priors = self.grid, self.structure, self.priors
        k, rows = s.variables, len(grid.values)
        covariates = np.zeros((rows, 0)) if grid.covariates is None else grid.covariates
        outcomes = np.zeros((grid.persons, 0)) if grid.outcomes is None else grid.outcomes
        places = {id(term): i for terms in (s.random_terms, s.common_terms) for i, term in enumerate(terms)}
        terms = [
            (t.equation, t.source(k, s.lags), places[id(t)] if t.random else -1, -1 if t.random else places[id(t)])
            for t in s.terms
        ]
        logs = np.where(s.log_variances, np.cumsum(s.log_variances) - 1, -1)
        return {
            "variables": k,
            "lags": s.lags,
            "covariates": covariates.shape[1],
            "own_course": s.own_columns,
            "sessions": len(grid.own_course),
            "persons": grid.persons,
            "predictors": grid.predictors.shape[1],
            "course": grid.basis.shape[1],
            "clusters": 0 if grid.clusters is None else int(grid.clusters.max()) + 1,
            "outcomes": outcomes.shape[1],
            "term_count": len(terms),
            "terms": _integers(terms),
            "log_variance": _integers(logs),
            "full_sigma": s.correlated,
            "own_first": s.own_first,
            "correlated_effects": 0 if s.factor else ("none", "all", "levels").index(s.effects_correlate),
            "factor": s.factor,
            "shift": _reals(shift_matrices(grid.own_course, s.lags)),
            "start": _integers(grid.starts),
            "session": _integers(grid.session),
            "y": _reals(grid.values),
            "has_error": grid.error is not None,
            "error": _reals(np.zeros(0) if grid.error is None else grid.error),
            "x": _reals(covariates),
            "course_rows": _reals(grid.own_course),
            "basis": _reals(grid.basis),
            "w": _reals(grid.predictors),
            "cluster": _integers(np.zeros(0) if grid.clusters is None else grid.clusters),
            "outcome": _reals(outcomes),
            "gamma_free": _integers(s.regressed),
            "outcome_on_w": _integers(s.outcome_on_predictors),
            "outcome_on_b": _integers(s.outcome_on_effects),
            "theta_mean": _reals(priors.theta[0]),
            "theta_precision": _reals(priors.theta[1]),
            "gamma_mean": _reals(priors.gamma[0]),
            "gamma_precision": _reals(priors.gamma[1]),
            "sigma_prior": priors.sigma.to_core(),
            "first_prior": priors.first.to_core(),
            "omega_prior": self._omega(),
            "tau_prior": priors.tau.to_core(),
            "kappa_shape": _reals(priors.error[0]),
            "kappa_scale": _reals(priors.error[1]),
            "kappa_sd": _reals(np.zeros(k) if priors.error_sd is None else priors.error_sd),
            "kappa_degrees": 2.0,
            "adapting": self.adapting,
            "outcome_precision": priors.outcome[0],
            "outcome_shape": priors.outcome[1],
            "outcome_scale": priors.outcome[2],
            "psi_shape": priors.factor[0],
            "psi_scale": priors.factor[1],
        }

    def _omega(self) -> dict[str, Any]:
        """The core counts degrees from those of one variance."""
        prior, s = self.priors.omega, self.structure
        together = s.effects - 1 if s.group_start(s.effects - 1) == 0 and not prior.half_t else 0
        return replace(prior, degrees=prior.degrees + together).to_core()


def shift_matrices(course: np.ndarray, lags: int) -> np.ndarray:
    """(lags, E, E): the own course `lag` sessions before as columns of this session's: E_{t-l} = E_t D_l.

    Powers of the session number are such columns; fewer sessions than columns leave D undetermined, and any will do.
    """
    sessions, columns = course.shape
    out = np.zeros((lags, columns, columns))
    for lag in range(1, lags + 1):
        if sessions > lag:
            out[lag - 1] = np.linalg.lstsq(course[lag:], course[:-lag], rcond=None)[0]
        else:
            out[lag - 1] = np.eye(columns)
    return out


def _reals(values: Any) -> np.ndarray:
    return np.ascontiguousarray(values, dtype=np.float64)


def _integers(values: Any) -> np.ndarray:
    return np.ascontiguousarray(values, dtype=np.int64)
