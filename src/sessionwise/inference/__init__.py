"""Inference: degrees of freedom, tests, intervals and robust errors, from a Solution of the likelihood."""

from __future__ import annotations

from .bootstrap import Bootstrap, bootstrap
from .contrasts import DEGREES, JointTest, Tests, joint, test
from .degrees import Satterthwaite, satterthwaite
from .draw import Truth, draw, draw_from
from .explained import Explained, explained
from .kenward_roger import KenwardRoger, kenward_roger
from .likelihood_ratio import Comparison, likelihood_ratio
from .nickell import nickell_bias
from .parameters import Parameter
from .profile import Intervals, profile
from .robust import Robust, robust

__all__ = [
    "DEGREES",
    "Bootstrap",
    "Comparison",
    "Explained",
    "Intervals",
    "JointTest",
    "KenwardRoger",
    "Parameter",
    "Robust",
    "Satterthwaite",
    "Tests",
    "Truth",
    "bootstrap",
    "draw",
    "draw_from",
    "explained",
    "joint",
    "kenward_roger",
    "likelihood_ratio",
    "nickell_bias",
    "profile",
    "robust",
    "satterthwaite",
    "test",
]
