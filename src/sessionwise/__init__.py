"""sessionwise: does a change in the process at one session predict the outcome at the next, within the same patient?

Public names only; each is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import datasets, plot
    from .checks import check
    from .descriptions import Description, Reliability, describe, reliability
    from .designs import Design, design
    from .errors import (
        DesignError,
        ForkError,
        FormulaError,
        GramError,
        InstrumentError,
        ModelError,
        ModelWarning,
        PanelError,
        ReadError,
        ScoreError,
        SessionwiseError,
        StudyError,
    )
    from .events import (
        ControlChart,
        Episodes,
        ExpectedCourse,
        FalseAlarms,
        LearnedCourse,
        ModelRupture,
        ReliableChange,
        RuptureRepair,
        Setting,
        SuddenGain,
        TrackedCourse,
        ValidatedCourse,
        detect,
        error_rates,
        false_alarms,
        read_course,
    )
    from .findings import Finding, Findings
    from .formula import Formula, parse_formula
    from .grams import Gram, gram
    from .models import (
        CLPM,
        DPM,
        DSEM,
        MLM,
        RICLPM,
        Difference,
        DSEMFit,
        LikelihoodRatioTest,
        MLMFit,
        MLMGram,
        ModelComparison,
        SEMFit,
        VarCorr,
        Verdict,
        compare,
    )
    from .panel import Panel, Table, number_sessions
    from .readers import long_to_wide, read, wide_to_long
    from .reports import report
    from .scoring import Instrument, instrument, instruments, score
    from .study import Study, StudyResult

__version__: str

_HOME = {
    "checks": ("check",),
    "descriptions": ("Description", "Reliability", "describe", "reliability"),
    "designs": ("Design", "design"),
    "errors": (
        "DesignError",
        "ForkError",
        "FormulaError",
        "GramError",
        "InstrumentError",
        "ModelError",
        "ModelWarning",
        "PanelError",
        "ReadError",
        "ScoreError",
        "SessionwiseError",
        "StudyError",
    ),
    "events": (
        "ControlChart",
        "Episodes",
        "ExpectedCourse",
        "FalseAlarms",
        "LearnedCourse",
        "ModelRupture",
        "ReliableChange",
        "RuptureRepair",
        "Setting",
        "SuddenGain",
        "TrackedCourse",
        "ValidatedCourse",
        "detect",
        "error_rates",
        "false_alarms",
        "read_course",
    ),
    "findings": ("Finding", "Findings"),
    "formula": ("Formula", "parse_formula"),
    "grams": ("Gram", "gram"),
    "scoring": ("Instrument", "instrument", "instruments", "score"),
    "models": (
        "CLPM",
        "DPM",
        "DSEM",
        "MLM",
        "RICLPM",
        "DSEMFit",
        "Difference",
        "LikelihoodRatioTest",
        "MLMFit",
        "MLMGram",
        "ModelComparison",
        "SEMFit",
        "VarCorr",
        "Verdict",
        "compare",
    ),
    "panel": ("Panel", "Table", "number_sessions"),
    "readers": ("long_to_wide", "read", "wide_to_long"),
    "reports": ("report",),
    "study": ("Study", "StudyResult"),
}
_MODULES = ("datasets", "plot")
_NAMES = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "CLPM",
    "DPM",
    "DSEM",
    "MLM",
    "RICLPM",
    "ControlChart",
    "DSEMFit",
    "Description",
    "Design",
    "DesignError",
    "Difference",
    "Episodes",
    "ExpectedCourse",
    "FalseAlarms",
    "Finding",
    "Findings",
    "ForkError",
    "Formula",
    "FormulaError",
    "Gram",
    "GramError",
    "Instrument",
    "InstrumentError",
    "LearnedCourse",
    "LikelihoodRatioTest",
    "MLMFit",
    "MLMGram",
    "ModelComparison",
    "ModelError",
    "ModelRupture",
    "ModelWarning",
    "Panel",
    "PanelError",
    "ReadError",
    "Reliability",
    "ReliableChange",
    "RuptureRepair",
    "SEMFit",
    "ScoreError",
    "SessionwiseError",
    "Setting",
    "Study",
    "StudyError",
    "StudyResult",
    "SuddenGain",
    "Table",
    "TrackedCourse",
    "ValidatedCourse",
    "VarCorr",
    "Verdict",
    "check",
    "compare",
    "datasets",
    "describe",
    "design",
    "detect",
    "error_rates",
    "false_alarms",
    "gram",
    "instrument",
    "instruments",
    "long_to_wide",
    "number_sessions",
    "parse_formula",
    "plot",
    "read",
    "read_course",
    "reliability",
    "report",
    "score",
    "wide_to_long",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version  # a tenth of what --help takes

        globals()[name] = version("sessionwise")
        return globals()[name]
    if name in _MODULES:
        return import_module(f".{name}", __name__)
    if name not in _NAMES:
        raise AttributeError(f"module 'sessionwise' has no attribute {name!r}")
    value = getattr(import_module(f".{_NAMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*__all__, "__version__"})
