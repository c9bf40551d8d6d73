"""Simulated response: a new response drawn from a model, for the rows of a Design, as bootstrap and simulation need it.

y = X b + sum over random terms of Z_t u_t + e, with u_t = sigma L_t z for every level of the term's grouping factor,
nested or crossed, and residuals e that are independent between persons, and within them as `Residual` says.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...designs import Design
from ...errors import ModelError
from ...threads import one_thread
from .. import Residual, Solution


@dataclass(frozen=True, slots=True, eq=False)
class TrueParameters:
    """Parameters to draw from, in units of the data.

    beta : (p,) coefficients of the Design's fixed columns. sigma : residual SD (of the first stratum).
    covariances : for each random term of the Design (q, q), the covariance matrix of its effects; may be singular.
    residual : phi at a gap of 1 in Residual.gaps and ratios of SDs, as far as there are any, see Residual.names.
    """

    beta: np.ndarray
    sigma: float
    covariances: tuple[np.ndarray, ...]
    residual: np.ndarray


def truth(solution: Solution) -> TrueParameters:
    """The estimates, to draw from as if they were true."""
    return TrueParameters(solution.beta, solution.sigma, solution.covariances, solution.residual_at_gaps)


def draw(solution: Solution, design: Design, rng: np.random.Generator) -> np.ndarray:
    """A new response (n_rows,) for the rows that the model was fitted to."""
    return draw_from(truth(solution), design, solution.problem.residual, rng)


@one_thread()
def draw_from(t: TrueParameters, design: Design, residual: Residual, rng: np.random.Generator) -> np.ndarray:
    """A new response (n_rows,) for the rows of `design`; `residual` says how far they are apart and their strata.

    Raises
    ------
    ModelError : parameters whose number does not fit the Design, rows without a level of a grouping factor.
    """
    _check(t, design, residual)
    y = design.matrix[:, list(design.fixed)] @ t.beta
    for term, covariance in zip(design.random, t.covariances, strict=True):
        grouping = design.grouping(term.group)
        normal = rng.standard_normal((len(grouping.levels), len(term.columns)))
        effects = normal @ _root(covariance).T
        for k, column in enumerate(term.columns):
            y += design.matrix[:, column] * effects[grouping.codes, k]
    return np.asarray(y + t.sigma * residuals(residual, t.residual, rng))


def residuals(residual: Residual, natural: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Residuals (n_rows,) with an SD of 1 in the first stratum.

    Along a person's rows e_t = r e_(t-1) + sqrt(1 - r^2) w_t with r = phi^gap, which is the exact distribution for any
    gaps; then each stratum's SD.
    """
    e = rng.standard_normal(len(residual.strata))
    if residual.kind != "independent":
        with np.errstate(invalid="ignore"):
            r = natural[0] ** residual.gaps  # NaN at a person's first row
        e *= np.where(np.isnan(r), 1.0, np.sqrt(1 - r * r))
        for rows in _by_position(residual.gaps):
            e[rows] += r[rows] * e[rows - 1]
        natural = natural[1:]
    return np.asarray(e * np.concatenate([[1.0], natural])[residual.strata])


def _by_position(gaps: np.ndarray) -> list[np.ndarray]:
    """Rows that are second in their persons, third, and so on."""
    rows = np.arange(len(gaps))
    first = np.maximum.accumulate(np.where(np.isnan(gaps), rows, 0))
    position = rows - first
    order = np.argsort(position, kind="stable")
    return np.split(order, np.cumsum(np.bincount(position))[:-1])[1:]


def _root(covariance: np.ndarray) -> np.ndarray:
    """A matrix R with R R' = covariance, which may be singular."""
    roots, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(roots, 0.0)))


def _check(t: TrueParameters, design: Design, residual: Residual) -> None:
    shapes = [len(term.columns) for term in design.random]
    said = {
        "coefficients": (len(t.beta), len(design.fixed)),
        "covariance matrices": (len(t.covariances), len(shapes)),
        "residual parameters": (len(t.residual), len(residual.names)),
        "rows of the residuals": (len(residual.strata), len(design.rows)),
    }
    sizes = zip(design.random, t.covariances, shapes, strict=False)
    said |= {f"effects of {term.group}": (len(c), q) for term, c, q in sizes}
    for what, (given, needed) in said.items():
        if given != needed:
            raise ModelError(f"{given} {what} given, {needed} needed.", remedy="Draw for the model's own Design.")
    for term in design.random:
        if (design.grouping(term.group).codes < 0).any():
            raise ModelError(
                f"some rows have no level of {term.group}, so nothing can be drawn for them.",
                remedy="Leave these rows out (Design.apply with response=True does).",
            )
