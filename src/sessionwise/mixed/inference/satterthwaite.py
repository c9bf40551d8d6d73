"""Satterthwaite's degrees of freedom, as lmerTest has them (Kuznetsova, Brockhoff & Christensen 2017).

A contrast l'b has variance v(x) = l' Cov(x) l, a function of the estimated parameters x; its df are those of the
chi-squared distribution whose mean and variance are v's, 2 v^2 / Var(v), with Var(v) = g' (2 D^-1) g, g = dv/dx and D
the Hessian of the deviance in x = (theta, rho, sigma). Written in blocks (D's last diagonal entry is 4 nu / sigma^2 and
its Schur complement the Hessian H of the criterion profiled over sigma), that is

    df = 1 / (1/nu + e' H^-1 e),   e = d log v_profiled / d (theta, rho),

nu = n for ML and n - p for REML. v_profiled has sigma^2 profiled as well, so sigma needs no derivative; without other
parameters df = nu. All derivatives are central differences of exact gradients and of exact tables.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...threads import one_thread
from .. import Evaluation, Solution, evaluate

#: Curvature, relative to the largest, below which a direction of the parameters is left out. At a singular fit some
#: directions change nothing (lmerTest leaves out eigenvalues up to 1e-8). Kept by rounding they do no harm: along them
#: e is zero but for its own rounding of 1e-10.
FLAT = 1e-11
#: Variance of a combination of contrasts, relative to the largest, below which it counts as none in lmerTest.
UNRESOLVED = float(np.sqrt(np.finfo(np.float64).eps))
_STEP = 1e-5


@dataclass(frozen=True, slots=True, eq=False)
class Satterthwaite:
    """What the degrees of freedom of any contrast follow from. Covariances are those of the centred and scaled columns'
    coefficients in units of sigma^2, since differences of others lose digits.

    residual : nu, degrees of freedom of sigma^2. transform : (p, p), to the units of the data; see `transform_of`.
    vcov : (p, p). slopes : (m, p, p), its derivative in each of theta and rho, sigma^2 profiled.
    spread : (m, m), H^-1 without flat directions.
    """

    residual: float
    transform: np.ndarray
    vcov: np.ndarray
    slopes: np.ndarray
    spread: np.ndarray


def transform_of(solution: Solution) -> np.ndarray:
    """(p, p) C with coefficients' covariance matrix C Phi C', Phi = (X'V^-1 X)^-1 of scaled columns over sigma^2."""
    return np.asarray(solution.sigma * solution.problem.transform.fixed)


@one_thread()
def satterthwaite(solution: Solution) -> Satterthwaite:
    """Differentiate the criterion and the coefficients' covariance at the optimum (2 evaluations a parameter)."""
    problem, optimum = solution.problem, solution.optimum
    x, nu = optimum.parameters, float(problem.nu(solution.reml))
    m, p = len(x), problem.p
    hessian, slopes = np.empty((m, m)), np.empty((m, p, p))
    for i in range(m):
        step = np.zeros(m)
        step[i] = _STEP * max(1.0, abs(x[i]))
        above, below = (evaluate(problem, x + sign * step, reml=solution.reml) for sign in (1, -1))
        hessian[i] = (above.gradient - below.gradient) / (2 * step[i])
        slopes[i] = (_profiled(above) - _profiled(below)) / (2 * step[i] * optimum.evaluation.rss)
    if m == 0:  # least squares: n - p, whichever criterion
        nu = float(problem.n - p)
    vcov = np.linalg.inv(optimum.evaluation.table[:-1, :-1])
    return Satterthwaite(nu, transform_of(solution), vcov, slopes, _inverse((hessian + hessian.T) / 2))


def satterthwaite_rows(s: Satterthwaite, contrasts: np.ndarray) -> np.ndarray:
    """Degrees of freedom (m,) of each row of `contrasts` (m, p)."""
    return _df(s, contrasts @ s.transform)


def satterthwaite_joint(s: Satterthwaite, contrasts: np.ndarray, rank: int) -> float:
    """Denominator degrees of freedom of the F test that all rows of `contrasts` (m, p) are zero; none is all zeros.

    Fai & Cornelius (1996), as in lmerTest: F is the mean of `rank` independent squared t, one for each eigenvector of
    the rows' covariance matrix, and df such that its expectation is that of the F distribution. They depend on the
    units of the rows. Where these differ so much that eigenvectors cannot be told (and lmerTest loses rows), rows are
    made independent one after another from the largest variance down, which is what eigenvectors tend to.
    """
    rows = contrasts @ s.transform
    roots, vectors = np.linalg.eigh(rows @ s.vcov @ rows.T)
    resolved = roots[-rank] > UNRESOLVED * roots[-1]
    each = _df(s, vectors[:, len(vectors) - rank :].T @ rows if resolved else _one_by_one(rows, s.vcov, rank))
    if np.ptp(each) < 1e-8:
        return float(each.mean())
    if (each <= 2).any():
        return 2.0
    expected = float((each / (each - 2)).sum())
    return 2 * expected / (expected - rank)


def _df(s: Satterthwaite, rows: np.ndarray) -> np.ndarray:
    """Of rows for centred and scaled columns."""
    variances = np.einsum("ki,ij,kj->k", rows, s.vcov, rows)
    slopes = np.einsum("ki,tij,kj->kt", rows, s.slopes, rows) / variances[:, None]
    of_parameters = np.einsum("kt,tu,ku->k", slopes, s.spread, slopes)
    return np.asarray(1.0 / (1.0 / s.residual + of_parameters))


def _one_by_one(rows: np.ndarray, vcov: np.ndarray, rank: int) -> np.ndarray:
    """Uncorrelated combinations (rank, p) of the rows: the largest, what the next largest has besides it, and so on."""
    left, chosen = rows, []
    whole = np.einsum("ki,ij,kj->k", rows, vcov, rows)
    for _ in range(rank):
        remaining = np.einsum("ki,ij,kj->k", left, vcov, left)
        row = left[np.argmax(np.where(remaining > UNRESOLVED * whole, remaining, -1.0))]
        left = left - np.outer(left @ vcov @ row / (row @ vcov @ row), row)
        chosen.append(row)
    return np.array(chosen)


def _profiled(there: Evaluation) -> np.ndarray:
    """Covariance matrix of the coefficients with sigma^2 profiled there, times nu."""
    return np.asarray(there.rss * np.linalg.inv(there.table[:-1, :-1]))


def _inverse(hessian: np.ndarray) -> np.ndarray:
    """Inverse (m, m) over the directions that curve upward."""
    roots, vectors = np.linalg.eigh(hessian)
    kept = roots > FLAT * roots.max(initial=0.0)
    return np.asarray((vectors[:, kept] / roots[kept]) @ vectors[:, kept].T)
