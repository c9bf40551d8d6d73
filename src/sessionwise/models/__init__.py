"""Models: frozen descriptions; `fit(panel)` gives a frozen fit."""

from __future__ import annotations

from .compare import ModelComparison, compare
from .contract import Verdict
from .mlm import MLM, MLMFit, MLMGram, VarCorr
from .panel_sem import CLPM, DPM, RICLPM, Difference, SEMFit

__all__ = [
    "CLPM",
    "DPM",
    "MLM",
    "RICLPM",
    "Difference",
    "MLMFit",
    "MLMGram",
    "ModelComparison",
    "SEMFit",
    "VarCorr",
    "Verdict",
    "compare",
]
