"""Cluster-robust: cluster-robust covariance of the coefficients, with degrees of freedom that few clusters need.

Kinds: CR0 is the plain sandwich (Liang and Zeger 1986), CR1 is CR0 times m / (m - 1) for m clusters, CR2 removes the
bias that estimated residuals bring, exactly if the model is right (Bell and McCaffrey 2002; see sandwich.py). Degrees
of freedom are those of Satterthwaite's approximation under the fitted model, and tests of several contrasts at once are
approximate Hotelling tests (HTZ), both as in Pustejovsky and Tipton (2018, J. Bus. Econ. Stat. 36, 672-683), section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ...designs import Design
from ...errors import ModelError
from ...findings import Finding, Findings
from ...options import one_of
from ...threads import one_thread
from .. import Solution
from .clusters import clusters
from .sandwich import Sandwich, sandwich

KINDS = ("CR0", "CR1", "CR2")
#: Degrees of freedom below which p-values come out too small (Tipton 2015, Psychol. Methods 20, 375-393).
FEW = 4.0


@dataclass(frozen=True, slots=True, eq=False)
class RobustContrasts:
    """Tests of k contrasts, one by one: each (k,); p is two-sided, by Student's t."""

    estimate: np.ndarray
    se: np.ndarray
    df: np.ndarray
    t: np.ndarray
    p: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class RobustTest:
    """Test of k contrasts at once: f on df1 and df2 degrees of freedom; f and p NaN if clusters are too few for it."""

    f: float
    df1: float
    df2: float
    p: float


@dataclass(frozen=True, slots=True, eq=False)
class Robust:
    """Cluster-robust inference about p coefficients, in the units of the data.

    kind : one of KINDS. by : the clusters' factor. n_clusters : their number.
    names : of the coefficients. beta : (p,). vcov : (p, p). se, df : (p,).
    findings : whether there are few clusters, and what that means.
    basis, sandwich : from the coefficients that the contributions are about, C b, to those of the data.
    """

    kind: str
    by: str
    n_clusters: int
    names: tuple[str, ...]
    beta: np.ndarray
    vcov: np.ndarray
    se: np.ndarray
    df: np.ndarray
    findings: Findings
    basis: np.ndarray = field(repr=False)
    sandwich: Sandwich = field(repr=False)

    @one_thread()
    def contrasts(self, L: np.ndarray | Sequence[Sequence[float]]) -> RobustContrasts:
        """Each row of L (k, p) times the coefficients, tested against zero.

        Raises
        ------
        ModelError : L has another number of columns.
        """
        return _contrasts(self, _matrix(L, len(self.beta)))

    def test(self, L: np.ndarray | Sequence[Sequence[float]]) -> RobustTest:
        """Whether all rows of L (k, p) times the coefficients are zero.

        Raises
        ------
        ModelError : L has another number of columns, or a row that follows from the others.
        """
        return _test(self, _matrix(L, len(self.beta)))


@one_thread()
def robust(
    solution: Solution, design: Design, by: str | np.ndarray | Sequence[object] | None = None, kind: str = "CR2"
) -> Robust:
    """Cluster-robust covariance of the coefficients.

    Parameters
    ----------
    by : name of a grouping factor, or one code for each row used; by default the grouping factor in which all others
        are nested (therapists of persons), else persons.
    kind : one of KINDS.

    Raises
    ------
    ModelError : unknown kind; clusters that cut through groups, are too large, are unknown, or fewer than two; a
        covariance matrix of the model that is singular.
    """
    one_of("kind", kind, KINDS)
    found = clusters(solution, design, by)
    try:
        made = sandwich(solution, design, found, adjusted=kind == "CR2")
    except np.linalg.LinAlgError:
        raise ModelError(
            "the covariance matrix that the model gives a cluster's sessions is singular, so they cannot be weighted.",
            where=f"clusters: {found.by}",
            remedy='Use kind="CR0" or a model with independent residuals, and look at its verdict.',
        ) from None
    n = len(found.labels)
    basis = solution.problem.transform.fixed
    scores = made.scores @ basis.T
    vcov = solution.problem.transform.width**2 * scores.T @ scores * (n / (n - 1) if kind == "CR1" else 1.0)
    df = _df(made, basis)
    names = solution.problem.names
    findings = _findings(found.by, n, names, df)
    se = np.sqrt(vcov.diagonal())
    return Robust(kind, found.by, n, names, solution.beta, vcov, se, df, findings, basis, made)


def _df(s: Sandwich, contrasts: np.ndarray) -> np.ndarray:
    """Degrees of freedom (k,) of each of the contrasts (k, p) of the scaled coefficients.

    The variance estimate is a sum of squares of normal variables with covariances [i = j] K_j - a_i'a_j (clusters i, j)
    under the model; it has 2 E^2 / Var degrees of freedom.
    """
    k = np.einsum("kp,jpq,kq->jk", contrasts, s.own, contrasts, optimize=True)
    a = s.cross @ contrasts.T
    squared = (a * a).sum(axis=1)
    products = np.einsum("jpk,jqk->kpq", a, a, optimize=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = (k * (k - 2 * squared)).sum(axis=0) + (products**2).sum(axis=(1, 2))
        return np.asarray((k - squared).sum(axis=0) ** 2 / spread)


def _findings(by: str, n: int, names: Sequence[str], df: np.ndarray) -> Findings:
    least = int(np.argmin(df))
    few = int((df < FEW).sum())
    if n >= 2 * len(names) and not few:
        return Findings()
    what = (
        f"robust standard errors of {len(names)} coefficients rest on {n} clusters ({by}): degrees of freedom go down "
        f"to {df[least]:.1f} ({names[least]})"
    )
    doubt = f", and with fewer than {FEW:.0f} ({few} of the coefficients) p-values come out too small." if few else "."
    remedy = "Rely on the model's own standard errors with Kenward-Roger degrees of freedom, or cluster by a factor "
    return Findings([Finding("warning", "few-clusters", what + doubt, by, n, remedy + "with more levels.")])


# --- contrasts -----------------------------------------------------------------------------------


def _matrix(L: np.ndarray | Sequence[Sequence[float]], p: int) -> np.ndarray:
    rows = np.atleast_2d(np.asarray(L, np.float64))
    if rows.ndim != 2 or rows.shape[1] != p:
        raise ModelError(
            f"contrasts have {rows.shape[-1]} columns, but there are {p} coefficients.",
            remedy="Give one row for each contrast, with one number for each coefficient.",
        )
    return rows


def _contrasts(robust: Robust, rows: np.ndarray) -> RobustContrasts:
    from scipy.special import stdtr

    estimate = rows @ robust.beta
    se = np.sqrt(np.einsum("kp,pq,kq->k", rows, robust.vcov, rows))
    df = _df(robust.sandwich, rows @ robust.basis)
    with np.errstate(invalid="ignore", divide="ignore"):
        t = estimate / se
    return RobustContrasts(estimate, se, df, t, 2 * stdtr(df, -np.abs(t)))


def _test(robust: Robust, rows: np.ndarray) -> RobustTest:
    """Hotelling's T^2 with the degrees of freedom eta that match the total variance of the normalised covariance."""
    from scipy.special import fdtrc

    q = len(rows)
    if np.linalg.matrix_rank(rows) < q:
        raise ModelError("a contrast follows from the others.", remedy="Leave out rows of L that add nothing.")
    eta = _eta(robust.sandwich, rows @ robust.basis)
    df2 = eta - q + 1
    if q >= robust.n_clusters or df2 <= 0:
        return RobustTest(np.nan, float(q), df2, np.nan)
    estimate = rows @ robust.beta
    statistic = float(estimate @ np.linalg.solve(rows @ robust.vcov @ rows.T, estimate))
    f = statistic * df2 / (eta * q)
    return RobustTest(f, float(q), df2, float(fdtrc(q, df2, f)))


def _eta(s: Sandwich, contrasts: np.ndarray) -> float:
    """q (q + 1) / sum of the variances of the entries of the covariance of q contrasts, normalised to expectation I."""
    expected = np.asarray(contrasts @ s.own.sum(axis=0) @ contrasts.T)
    a = s.cross @ contrasts.T
    expected -= np.einsum("jps,jpt->st", a, a)
    scaled = np.linalg.solve(np.linalg.cholesky(expected), contrasts)
    k = np.einsum("sp,jpq,tq->jst", scaled, s.own, scaled, optimize=True)
    a = s.cross @ scaled.T
    inner = np.einsum("jps,jpt->jst", a, a)
    outer = np.einsum("jps,jqt->stpq", a, a, optimize=True)
    of_k, of_both = k.diagonal(axis1=1, axis2=2), inner.diagonal(axis1=1, axis2=2)
    same = (of_k.sum(axis=1) ** 2).sum() - 2 * (of_k.sum(axis=1) * of_both.sum(axis=1)).sum() + (outer**2).sum()
    turned = (k * (k - 2 * inner)).sum() + (outer * outer.transpose(0, 1, 3, 2)).sum()
    q = len(contrasts)
    return float(q * (q + 1) / (same + turned))
