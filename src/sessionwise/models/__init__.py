"""Models: frozen descriptions; `fit(panel)` gives a frozen fit (see contract)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .compare import ModelComparison, compare
from .contract import Fit, LaggedEffect, Model, Verdict
from .dsem import DSEM, DSEMFit
from .likelihood_ratio import LikelihoodRatioTest
from .mlm import MLM, MLMFit, MLMGram, VarCorr
from .panel_sem import CLPM, DPM, RICLPM, SEMFit

#: Name on the command line -> description. The command line and tests/models/test_contract.py go through all of them.
MODELS: Mapping[str, type[Model]] = MappingProxyType(
    {"mlm": MLM, "riclpm": RICLPM, "clpm": CLPM, "dpm": DPM, "dsem": DSEM}
)

#: A second name, by which the test between panel models is known.
Difference = LikelihoodRatioTest

__all__ = [
    "CLPM",
    "DPM",
    "DSEM",
    "MLM",
    "MODELS",
    "RICLPM",
    "DSEMFit",
    "Difference",
    "Fit",
    "LaggedEffect",
    "LikelihoodRatioTest",
    "MLMFit",
    "MLMGram",
    "Model",
    "ModelComparison",
    "SEMFit",
    "VarCorr",
    "Verdict",
    "compare",
]
