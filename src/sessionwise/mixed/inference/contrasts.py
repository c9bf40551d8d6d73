"""Contrasts: tests and intervals of linear combinations of coefficients, one by one or all at once.

Rows of a contrast matrix (m, p) say how the p coefficients are weighted, in the units of the data. `test` is the t test
of each row, as lmerTest's contest1D; `joint` the F test that all rows are zero, as its contestMD and as KRmodcomp of
pbkrtest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import ModelError, nearest
from ...options import valid_level
from ...threads import one_thread
from .. import Solution
from .kenward_roger import kenward_roger, kenward_roger_joint, kenward_roger_rows
from .satterthwaite import satterthwaite, satterthwaite_joint, satterthwaite_rows, transform_of

#: Where degrees of freedom come from. `normal` and `residual` (rows minus coefficients) take no account of persons.
DEGREES = ("satterthwaite", "kenward-roger", "normal", "residual")

#: Variance, relative to the largest of rows in units of their standard errors, below which a combination of rows is
#: taken as zero: lmerTest's.
DEPENDENT = float(np.sqrt(np.finfo(np.float64).eps))


@dataclass(frozen=True, slots=True, eq=False)
class Tests:
    """t tests of the rows of a contrast matrix; each float64 (m,).

    estimate, se : in the units of the data. df : inf for a normal reference. statistic : (estimate - null) / se.
    p : two-sided. low, high : ends of the confidence interval.
    """

    estimate: np.ndarray
    se: np.ndarray
    df: np.ndarray
    statistic: np.ndarray
    p: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True, slots=True)
class JointTest:
    """F test that all rows of a contrast matrix are zero. df1 : their rank. df2 : inf for a chi-squared reference."""

    f: float
    df1: int
    df2: float
    p: float


@one_thread()
def test(
    solution: Solution,
    contrasts: np.ndarray,
    null: float | np.ndarray = 0.0,  # noqa: PT028 (not a test of pytest)
    *,
    degrees: str | float = "satterthwaite",  # noqa: PT028
    level: float = 0.95,  # noqa: PT028
) -> Tests:
    """Test each row of `contrasts` (m, p) against `null`, one value or (m,).

    degrees : one of DEGREES, or a number. Kenward-Roger changes the standard errors too.

    Raises
    ------
    ModelError : a matrix that does not fit the coefficients, a row of zeros, unknown `degrees`, no such `level`, or
        Kenward-Roger where it is not defined.
    """
    rows = _rows(solution, contrasts)
    if (zeros := np.flatnonzero(~rows.any(axis=1))).size:
        raise ModelError(
            "a contrast of zeros says nothing about the coefficients.",
            where=f"row {zeros[0] + 1} of the contrast matrix",
            remedy="Leave that row out.",
        )
    valid_level(level)
    reference = _reference(solution, rows, _known(degrees))
    estimate, df = rows @ solution.beta, reference.df
    scaled = rows @ transform_of(solution)
    se = np.sqrt(np.einsum("ki,ij,kj->k", scaled, reference.vcov, scaled))
    statistic = (estimate - np.broadcast_to(null, estimate.shape)) / se
    half = se * _t_quantile((1 + level) / 2, df)
    return Tests(estimate, se, df, statistic, _t_p(statistic, df), estimate - half, estimate + half)


@one_thread()
def joint(solution: Solution, contrasts: np.ndarray, *, degrees: str | float = "satterthwaite") -> JointTest:
    """Test that all rows of `contrasts` (m, p) are zero. Rows that follow from others do not count.

    degrees : as for `test`.

    Raises
    ------
    ModelError : a matrix that does not fit the coefficients or is all zeros, unknown `degrees`, or Kenward-Roger where
        it is not defined.
    """
    rows, degrees = _rows(solution, contrasts), _known(degrees)
    rows = rows[rows.any(axis=1)]
    if not len(rows):
        raise ModelError("the contrast matrix has no row but zeros.", remedy="Name a coefficient to test.")
    basis = _basis(solution, rows)
    q = len(basis)
    reference = _joint_reference(solution, rows, basis, degrees)
    scaled, df = basis @ transform_of(solution), float(reference.df)
    weighted = np.linalg.solve(np.linalg.cholesky(scaled @ reference.vcov @ scaled.T), basis @ solution.beta)
    f = reference.scale * float(weighted @ weighted) / q
    return JointTest(f, q, df, _f_p(f, q, df))


def _rows(solution: Solution, contrasts: np.ndarray) -> np.ndarray:
    rows = np.atleast_2d(np.asarray(contrasts, np.float64))
    p = solution.problem.p
    if rows.ndim != 2 or rows.shape[1] != p or not np.isfinite(rows).all():
        raise ModelError(
            f"the contrast matrix {rows.shape} must have a finite weight for each of the {p} coefficients.",
            where=f"coefficients: {', '.join(solution.problem.names)}",
            remedy=f"Give {p} weights a row, in this order.",
        )
    return rows


def _known(degrees: str | float) -> str | float:
    if (degrees in DEGREES) if isinstance(degrees, str) else degrees > 0:
        return degrees
    guess = nearest(degrees, DEGREES) if isinstance(degrees, str) else ""
    raise ModelError(
        f"degrees of freedom {degrees!r} are not known.{guess}",
        remedy=f"Use one of {', '.join(DEGREES)}, or a number above 0.",
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Reference:
    """vcov : (p, p), of the scaled columns' coefficients over sigma^2. df : (m,), of each row, or (), of `scale` F."""

    vcov: np.ndarray
    df: np.ndarray
    scale: float = 1.0


def _reference(solution: Solution, rows: np.ndarray, degrees: str | float) -> _Reference:
    if degrees == "kenward-roger":
        k = kenward_roger(solution)
        return _Reference(k.adjusted, kenward_roger_rows(k, rows))
    if degrees == "satterthwaite":
        s = satterthwaite(solution)
        return _Reference(s.vcov, satterthwaite_rows(s, rows))
    return _Reference(_phi(solution), np.full(len(rows), _fixed(solution, degrees)))


def _joint_reference(solution: Solution, rows: np.ndarray, basis: np.ndarray, degrees: str | float) -> _Reference:
    if degrees == "kenward-roger":
        k = kenward_roger(solution)
        f = kenward_roger_joint(k, basis)
        return _Reference(k.adjusted, np.asarray(f.df), f.scale)
    if degrees == "satterthwaite":
        s = satterthwaite(solution)
        return _Reference(s.vcov, np.asarray(satterthwaite_joint(s, rows, len(basis))))
    return _Reference(_phi(solution), np.asarray(_fixed(solution, degrees)))


def _fixed(solution: Solution, degrees: str | float) -> float:
    """Degrees of freedom that do not depend on the contrast."""
    if isinstance(degrees, str):
        return np.inf if degrees == "normal" else float(solution.problem.n - solution.problem.p)
    return float(degrees)


def _phi(solution: Solution) -> np.ndarray:
    return np.linalg.inv(solution.optimum.evaluation.table[:-1, :-1])


def _basis(solution: Solution, rows: np.ndarray) -> np.ndarray:
    """As many uncorrelated combinations (q, p) of the rows as there are independent ones."""
    scaled = rows @ transform_of(solution)
    covariance = scaled @ _phi(solution) @ scaled.T
    width = 1 / np.sqrt(covariance.diagonal())
    roots, vectors = np.linalg.eigh(covariance * np.outer(width, width))
    kept = vectors[:, roots > DEPENDENT * roots[-1]]
    return np.asarray((kept * width[:, None]).T @ rows)


# --- distributions ----------------------------------------------------------------------------------


def _t_p(statistic: np.ndarray, df: np.ndarray) -> np.ndarray:
    """Two-sided, from the lower tail, so that it does not underflow before float64 does."""
    from scipy.special import ndtr, stdtr

    below = -np.abs(statistic)
    return np.asarray(2 * np.where(np.isinf(df), ndtr(below), stdtr(np.where(np.isinf(df), 1.0, df), below)))


def _t_quantile(share: float, df: np.ndarray) -> np.ndarray:
    from scipy.special import ndtri, stdtrit

    return np.asarray(np.where(np.isinf(df), ndtri(share), stdtrit(np.where(np.isinf(df), 1.0, df), share)))


def _f_p(f: float, df1: int, df2: float) -> float:
    from scipy.special import chdtrc, fdtrc

    return float(chdtrc(df1, df1 * f) if np.isinf(df2) else fdtrc(df1, df2, f))
