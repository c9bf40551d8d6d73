"""Registry: every detector by its name. A new one joins by standing here."""

from __future__ import annotations

from .contract import Detector
from .control_chart import ControlChart
from .model_rupture import ModelRupture
from .reliable_change import ReliableChange
from .rupture import RuptureRepair
from .sudden_gain import SuddenGain

DETECTORS: dict[str, type[Detector]] = {
    one.key: one for one in (SuddenGain, RuptureRepair, ModelRupture, ControlChart, ReliableChange)
}
