"""Inference: degrees of freedom, tests, intervals and robust errors, from a Solution of the likelihood."""

from __future__ import annotations

from .bootstrap import Bootstrap, bootstrap
from .draw import Truth, draw, draw_from
from .explained import Explained, explained
from .likelihood_ratio import Comparison, likelihood_ratio
from .parameters import Parameter
from .profile import Intervals, profile
from .robust import Robust, robust

__all__ = [
    "Bootstrap",
    "Comparison",
    "Explained",
    "Intervals",
    "Parameter",
    "Robust",
    "Truth",
    "bootstrap",
    "draw",
    "draw_from",
    "explained",
    "likelihood_ratio",
    "profile",
    "robust",
]
