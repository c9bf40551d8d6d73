"""Confounding: how strong something that no model here sees would have to be to undo an effect.

The robustness value of Cinelli & Hazlett (2020, J. R. Stat. Soc. B 82, 39-67): with f = |t| / sqrt(df), a common cause
that explains the share

    RV = (sqrt(f^4 + 4 f^2) - f^2) / 2

of what is left within persons both of the predictor and of the response brings the estimate to zero; with f taken from
|t| less its critical value, it brings the interval to zero.
"""

from __future__ import annotations

import math


def robustness(value: float, se: float, df: float, critical: float = 0.0) -> float:
    """The share of variance, 0 to 1.

    value, se : the estimate and its standard error. df : of the residuals of its regression. critical : 0 for what
    undoes the estimate; the critical value of t for what brings its interval to zero.
    """
    f = max(abs(value / se) - critical, 0.0) / math.sqrt(df)
    return 2 * f / (f + math.sqrt(f * f + 4))  # the same without cancellation
