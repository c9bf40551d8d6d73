"""The dynamic structural equation model: DSEM describes it, DSEMFit is what came out.

description -> paths (which score predicts which) + scaled data on the grid of session numbers -> chains (engine: gibbs)
-> DSEMFit
"""

from __future__ import annotations

from .fit import DSEMFit
from .model import DSEM

__all__ = ["DSEM", "DSEMFit"]
