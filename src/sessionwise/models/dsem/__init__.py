"""The dynamic structural equation model: DSEM describes it, DSEMFit is what came out.

description -> paths (which score predicts which) + scaled data on the grid of session numbers -> chains (engine: gibbs)
-> DSEMFit
"""

from __future__ import annotations

from .fit import DSEMFit
from .loo import LOO, LOODifference
from .model import DSEM
from .predictive_checks import PredictiveChecks

__all__ = ["DSEM", "LOO", "DSEMFit", "LOODifference", "PredictiveChecks"]
