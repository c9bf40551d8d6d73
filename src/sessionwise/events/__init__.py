"""Events in persons' courses: sudden gains, ruptures and repairs, reliable change, each beside its false alarms."""

from __future__ import annotations

from .contract import Detector, Found
from .control_chart import ControlChart
from .detect import detect
from .episodes import Episodes
from .model_rupture import ModelRupture
from .rates import ErrorRate, FalseAlarms, Setting, error_rates, false_alarms
from .registry import DETECTORS
from .reliable_change import ReliableChange
from .rupture import RuptureRepair
from .sudden_gain import SuddenGain

__all__ = [
    "DETECTORS",
    "ControlChart",
    "Detector",
    "Episodes",
    "ErrorRate",
    "FalseAlarms",
    "Found",
    "ModelRupture",
    "ReliableChange",
    "RuptureRepair",
    "Setting",
    "SuddenGain",
    "detect",
    "error_rates",
    "false_alarms",
]
