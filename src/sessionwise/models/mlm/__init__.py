"""The multilevel model: MLM describes it, MLMGram is what it takes of the sessions, MLMFit is what came out."""

from __future__ import annotations

from .fit import MLMFit
from .gram import MLMGram
from .model import MLM
from .varcorr import VarCorr

__all__ = ["MLM", "MLMFit", "MLMGram", "VarCorr"]
