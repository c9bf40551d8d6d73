"""Fit indices: how well a structural equation model fits, from chi-squares and residuals.

CFI: Bentler (1990). TLI: Tucker & Lewis (1973). RMSEA: Steiger & Lind (1980), its interval from the noncentral
chi-square, p of close fit (RMSEA <= .05): Browne & Cudeck (1992); several groups: Steiger (1998). SRMR: Bentler (1995),
means included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..show import plain_dict
from ..threads import one_thread
from .likelihood import Groups
from .saturated import Saturated

CLOSE = 0.05
_TAIL = 0.05  # of the 90 % interval


@dataclass(frozen=True, slots=True)
class Indices:
    """chi2, df, p : against the saturated model. baseline_chi2, baseline_df : of the model without covariances.
    cfi, tli : NaN without degrees of freedom of the baseline. rmsea, rmsea_low, rmsea_high, p_close : with its 90 %
    interval and the p-value of RMSEA <= .05. srmr : see `srmr`.
    """

    chi2: float
    df: int
    p: float
    baseline_chi2: float
    baseline_df: int
    cfi: float
    tli: float
    rmsea: float
    rmsea_low: float
    rmsea_high: float
    p_close: float
    srmr: float

    def to_dict(self) -> dict[str, float | None]:
        """Plain numbers for JSON; NaN becomes None."""
        return plain_dict(self)


def indices(chi2: float, df: int, baseline_chi2: float, baseline_df: int, n: int, groups: int, srmr: float) -> Indices:
    """From the chi-squares of model and baseline (scaled or not), n persons in so many groups."""
    from scipy.special import chdtrc

    p = float(chdtrc(df, chi2)) if df else np.nan
    over, baseline_over = max(chi2 - df, 0.0), max(baseline_chi2 - baseline_df, chi2 - df, 0.0)
    cfi = 1 - over / baseline_over if baseline_over else 1.0
    ratio = baseline_chi2 / baseline_df if baseline_df else np.nan
    tli = (ratio - chi2 / df) / (ratio - 1) if df and baseline_df and ratio != 1 else np.nan
    if not df:
        return Indices(chi2, df, p, baseline_chi2, baseline_df, cfi, np.nan, 0.0, 0.0, 0.0, np.nan, srmr)
    per = groups / (df * n)
    low, high = (_noncentrality(chi2, df, tail) for tail in (1 - _TAIL, _TAIL))
    close = _upper(chi2, df, CLOSE**2 / per)
    rmsea, rmsea_low, rmsea_high = (float(np.sqrt(x * per)) for x in (over, low, high))
    return Indices(chi2, df, p, baseline_chi2, baseline_df, cfi, tli, rmsea, rmsea_low, rmsea_high, close, srmr)


@one_thread()
def srmr(groups: Groups, theta: np.ndarray, above: Sequence[Saturated]) -> float:
    """Root mean square of the residual correlations and standardised residual means, weighted by persons."""
    total, persons = 0.0, sum(data.n for _, data in groups)
    for (structure, data), free in zip(groups, above, strict=True):
        at = structure.moments(theta)
        sd = np.sqrt(free.covariance.diagonal())
        residual = ((free.covariance - at.covariance) / np.outer(sd, sd))[np.tril_indices(data.k)]
        mean = (free.mean - at.mean) / sd
        square = (residual @ residual + mean @ mean) / (len(residual) + data.k)
        total += data.n / persons * float(np.sqrt(square))
    return total


def _upper(x: float, df: int, noncentrality: float) -> float:
    from scipy.special import chdtrc, chndtr  # scipy.stats takes half a second to load

    return float(1 - chndtr(x, df, noncentrality) if noncentrality > 0 else chdtrc(df, x))


def _noncentrality(x: float, df: int, tail: float) -> float:
    """Noncentrality under which values up to x have this probability; 0 where they have less under none."""
    from scipy.optimize import brentq

    def off(noncentrality: float) -> float:
        return (1 - _upper(x, df, noncentrality)) - tail

    if off(0.0) < 0:
        return 0.0
    top = max(x, 1.0)
    while off(top) > 0:
        top *= 2
    return float(brentq(off, 0.0, top, xtol=1e-10, rtol=1e-14))
