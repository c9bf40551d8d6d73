"""sessionwise: does a change in the process at one session predict the outcome at the next, within the same patient?

Public names only; each is loaded when it is first used.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.metadata import version as _version
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import datasets, plot
    from .check import check
    from .describe import Description, Reliability, describe, reliability
    from .design import Design, design
    from .errors import (
        DesignError,
        FormulaError,
        GramError,
        InstrumentError,
        ModelError,
        ModelWarning,
        PanelError,
        ReadError,
        ScoreError,
        SessionwiseError,
    )
    from .findings import Finding, Findings
    from .formula import Formula, parse_formula
    from .gram import Gram, gram
    from .instruments import Instrument, instrument, instruments, score
    from .models import MLM, MLMFit, VarCorr, Verdict
    from .number import number_sessions
    from .panel import Panel
    from .read import long_to_wide, read, wide_to_long
    from .table import Table

__version__ = _version("sessionwise")

_HOME = {
    "check": ("check",),
    "describe": ("Description", "Reliability", "describe", "reliability"),
    "design": ("Design", "design"),
    "errors": (
        "DesignError",
        "FormulaError",
        "GramError",
        "InstrumentError",
        "ModelError",
        "ModelWarning",
        "ModelWarning",
        "PanelError",
        "ReadError",
        "ScoreError",
        "SessionwiseError",
    ),
    "findings": ("Finding", "Findings"),
    "formula": ("Formula", "parse_formula"),
    "gram": ("Gram", "gram"),
    "instruments": ("Instrument", "instrument", "instruments", "score"),
    "models": ("MLM", "MLMFit", "VarCorr", "Verdict"),
    "number": ("number_sessions",),
    "panel": ("Panel",),
    "read": ("long_to_wide", "read", "wide_to_long"),
    "table": ("Table",),
}
_MODULES = ("datasets", "plot")
_NAMES = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "MLM",
    "Description",
    "Design",
    "DesignError",
    "Finding",
    "Findings",
    "Formula",
    "FormulaError",
    "Gram",
    "GramError",
    "Instrument",
    "InstrumentError",
    "MLMFit",
    "ModelError",
    "ModelWarning",
    "Panel",
    "PanelError",
    "ReadError",
    "Reliability",
    "ScoreError",
    "SessionwiseError",
    "Table",
    "VarCorr",
    "Verdict",
    "check",
    "datasets",
    "describe",
    "design",
    "gram",
    "instrument",
    "instruments",
    "long_to_wide",
    "number_sessions",
    "parse_formula",
    "plot",
    "read",
    "reliability",
    "score",
    "wide_to_long",
]


class _Package(ModuleType):
    """Several functions are named like their modules: importing sessionwise.read must not hide sessionwise.read()."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _NAMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f".{name}", __name__)
    if name not in _NAMES:
        raise AttributeError(f"module 'sessionwise' has no attribute {name!r}")
    value = getattr(import_module(f".{_NAMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*__all__, "__version__"})
