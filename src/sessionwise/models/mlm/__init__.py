"""The multilevel model: MLM describes it, MLMFit is what came out."""

from __future__ import annotations

from .fit import MLMFit, VarCorr
from .model import MLM

__all__ = ["MLM", "MLMFit", "VarCorr"]
