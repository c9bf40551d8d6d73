"""Panel structural equation models: RICLPM, CLPM and DPM describe them, SEMFit is what came out.

description -> blueprint (nodes, paths, named parameters) + wide data (waves) -> solution (engine: sem) -> SEMFit
"""

from __future__ import annotations

from .dpm import DPM
from .fit import SEMFit
from .riclpm import CLPM, RICLPM

__all__ = ["CLPM", "DPM", "RICLPM", "SEMFit"]
