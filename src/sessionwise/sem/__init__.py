"""Structural equation models with missing values: structure, likelihood, estimation, fit. It knows arrays only.

pattern (data) + structure (parameters to moments) -> likelihood -> optimum -> uncertainty, robust, fit_indices
"""

from __future__ import annotations

from .fit_indices import Indices, indices, srmr
from .identification import Curvature, curvature
from .likelihood import Evaluation, Groups, evaluate, loglik
from .missing_patterns import Patterns, Rows, patterns
from .optimum import Optimum, optimise
from .sandwich import meat, scaled, trace
from .saturated import Dependent, Saturated, independence, saturated
from .structure import Cells, Moments, Structure
from .uncertainty import covariance

__all__ = [
    "Cells",
    "Curvature",
    "Dependent",
    "Evaluation",
    "Groups",
    "Indices",
    "Moments",
    "Optimum",
    "Patterns",
    "Rows",
    "Saturated",
    "Structure",
    "covariance",
    "curvature",
    "evaluate",
    "independence",
    "indices",
    "loglik",
    "meat",
    "optimise",
    "patterns",
    "saturated",
    "scaled",
    "srmr",
    "trace",
]
