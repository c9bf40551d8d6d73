"""The multilevel model: MLM describes it, MLMFit is what came out."""

from __future__ import annotations

from .fit import MLMFit
from .model import MLM
from .varcorr import VarCorr

__all__ = ["MLM", "MLMFit", "VarCorr"]
