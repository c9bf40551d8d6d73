"""Data that come with sessionwise: a simulated study whose truth is known."""

from __future__ import annotations

from .demo import PERSONS, SEED, demo, demo_truth
from .truth import DemoTruth, Rupture, Truth

__all__ = ["PERSONS", "SEED", "DemoTruth", "Rupture", "Truth", "demo", "demo_truth"]
