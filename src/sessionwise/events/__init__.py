"""Events in persons' courses: sudden gains, ruptures and repairs, reliable change, each beside its false alarms."""

from __future__ import annotations

from .contract import Detector, Found
from .control_chart import ControlChart
from .detect import detect
from .episodes import Episodes
from .expected_course import (
    ExpectedCourse,
    LearnedCourse,
    TrackedCourse,
    ValidatedCourse,
    read_course,
)
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
    "ExpectedCourse",
    "FalseAlarms",
    "Found",
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
]
