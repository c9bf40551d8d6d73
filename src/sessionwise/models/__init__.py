"""Models: frozen descriptions; `fit(panel)` gives a frozen fit."""

from __future__ import annotations

from ._fit import Verdict
from .mlm import MLM, MLMFit, VarCorr

__all__ = ["MLM", "MLMFit", "VarCorr", "Verdict"]
