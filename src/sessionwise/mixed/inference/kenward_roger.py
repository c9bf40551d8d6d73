"""Kenward-Roger: standard errors and degrees of freedom for few persons, as pbkrtest has them.

Kenward & Roger (1997, Biometrics 53, 983-997), in the notation of Halekoh & Højsgaard (2014, J Stat Softw 59(9)): with
V linear in gamma, Phi = (X'V^-1 X)^-1, P_r = d (X'V^-1 X) / d gamma_r, Q_rs = X'V^-1 V_r V^-1 V_s V^-1 X (of which only
Q_rs + Q_sr = d^2 (X'V^-1 X) / d gamma_r d gamma_s enters) and W = Cov(gamma) from the expected REML information,

    2 W^-1 = tr(V^-1 V_r V^-1 V_s) - tr(Phi (Q_rs + Q_sr)) + tr(Phi P_r Phi P_s),
    Phi_A = Phi + 2 Phi [sum_rs W_rs (Q_rs - P_r Phi P_s)] Phi.

Random effects may have any variances, zero too. Without random effects this gives back Phi and n - p.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import ModelError
from ...threads import one_thread
from .. import Solution
from .derivatives import derivatives
from .satterthwaite import transform_of

#: Information, relative to its scale, below which a direction of gamma is taken as not estimated at all.
UNKNOWN = 1e-11


@dataclass(frozen=True, slots=True, eq=False)
class KenwardRoger:
    """What standard errors and degrees of freedom of any contrast follow from. Covariances are those of the centred and
    scaled columns' coefficients in units of sigma^2.

    transform : (p, p), to the units of the data; see `transform_of`. vcov : (p, p), Phi. adjusted : (p, p), Phi_A.
    slopes : (m, p, p), Phi P_r Phi. spread : (m, m), W.
    """

    transform: np.ndarray
    vcov: np.ndarray
    adjusted: np.ndarray
    slopes: np.ndarray
    spread: np.ndarray


@dataclass(frozen=True, slots=True)
class ScaledF:
    """`scale` times the F statistic made with Phi_A has `df` denominator degrees of freedom."""

    scale: float
    df: float


@one_thread()
def kenward_roger(solution: Solution) -> KenwardRoger:
    """Adjust the coefficients' covariance matrix.

    Raises
    ------
    ModelError : not REML; residuals that are correlated or of unequal variance; crossed factors with too many levels.
    """
    _check(solution)
    problem = solution.problem
    d = derivatives(problem, solution.optimum.parameters)
    phi = np.linalg.inv(d.value)
    half = phi @ d.first  # Phi P_r
    information = d.information - np.einsum("ij,rsji->rs", phi, d.second) + np.einsum("rij,sji->rs", half, half)
    spread = 2 * _inverse(information, d.information.diagonal())
    inner = np.einsum("rs,rsij->ij", spread, d.second / 2 - np.einsum("rik,skj->rsij", d.first, half))
    return KenwardRoger(transform_of(solution), phi, phi + 2 * phi @ inner @ phi, half @ phi, spread)


def kenward_roger_rows(k: KenwardRoger, contrasts: np.ndarray) -> np.ndarray:
    """Degrees of freedom (m,) of each row of `contrasts` (m, p).

    For one row the formulas of Kenward & Roger shrink to 2 / sum_rs W_rs a_r a_s, a_r = l'Phi P_r Phi l / l'Phi l.
    """
    rows = contrasts @ k.transform
    variances = np.einsum("ki,ij,kj->k", rows, k.vcov, rows)
    slopes = np.einsum("ki,rij,kj->kr", rows, k.slopes, rows) / variances[:, None]
    return np.asarray(2 / np.einsum("kr,rs,ks->k", slopes, k.spread, slopes))


def kenward_roger_joint(k: KenwardRoger, contrasts: np.ndarray) -> ScaledF:
    """Scale and denominator degrees of freedom of the F test that the rows of `contrasts` (q, p), of rank q, are zero.

    Raises
    ------
    ModelError : the approximation has no positive degrees of freedom (very few groups for many contrasts).
    """
    q = len(contrasts)
    if q == 1:
        return ScaledF(1.0, float(kenward_roger_rows(k, contrasts)[0]))
    rows = contrasts @ k.transform
    inner = np.linalg.solve(rows @ k.vcov @ rows.T, rows @ k.slopes @ rows.T)
    traces = np.trace(inner, axis1=1, axis2=2)
    a1 = traces @ k.spread @ traces
    a2 = np.einsum("rs,rij,sji->", k.spread, inner, inner)
    b = (a1 + 6 * a2) / (2 * q)
    g = ((q + 1) * a1 - (q + 4) * a2) / ((q + 2) * a2)
    c1, c2, c3 = np.array([g, q - g, q + 2 - g]) / (3 * q + 2 * (1 - g))
    with np.errstate(divide="ignore", invalid="ignore"):
        # With balanced data both are zero where df = 2; the ratio is 1 for them whatever the df.
        ratio = 1.0 if max(abs(1 - a2 / q), abs(1 - c2 * b)) < 1e-10 else (1 - a2 / q) / (1 - c2 * b)
        rho = ratio**2 * (1 + c1 * b) / (1 - c3 * b) / q
        df = float(4 + (q + 2) / (q * rho - 1))
    if not df > 0:
        raise ModelError(
            f"Kenward and Roger's approximation has no degrees of freedom for these {q} contrasts together.",
            remedy='Use degrees="satterthwaite", or test fewer contrasts.',
        )
    scale = 1.0 if abs(df - 2) < 0.01 else df * (1 - a2 / q) / (df - 2)
    return ScaledF(float(scale), df)


def _check(solution: Solution) -> None:
    if not solution.reml:
        raise ModelError(
            "Kenward-Roger degrees of freedom are for fits by REML, and this one is by ML.",
            remedy='Fit with method="REML", or use degrees="satterthwaite".',
        )
    if solution.problem.n_rho:
        raise ModelError(
            "Kenward-Roger degrees of freedom are for independent residuals of equal variance.",
            where=f"residual parameters: {', '.join(solution.problem.residual.names)}",
            remedy='Use degrees="satterthwaite".',
        )


def _inverse(information: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Inverse (m, m) over the directions that the data say anything about."""
    width = np.sqrt(np.where(scale > 0, scale, 1.0))
    within = np.outer(width, width)
    return np.asarray(np.linalg.pinv(information / within, rcond=UNKNOWN, hermitian=True) / within)
