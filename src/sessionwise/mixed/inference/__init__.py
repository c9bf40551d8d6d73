"""Inference: degrees of freedom, tests, intervals and robust errors, from a Solution of the likelihood."""

from __future__ import annotations

from .bootstrap import Bootstrap, bootstrap
from .cluster_robust import Robust, robust
from .contrasts import DEGREES, JointTest, Tests, joint, test
from .kenward_roger import KenwardRoger, kenward_roger
from .likelihood_ratio import LikelihoodRatio, likelihood_ratio
from .parameters import Parameter
from .profile import Intervals, profile
from .satterthwaite import Satterthwaite, satterthwaite
from .simulated_response import TrueParameters, draw, draw_from
from .variance_explained import Explained, explained

__all__ = [
    "DEGREES",
    "Bootstrap",
    "Explained",
    "Intervals",
    "JointTest",
    "KenwardRoger",
    "LikelihoodRatio",
    "Parameter",
    "Robust",
    "Satterthwaite",
    "Tests",
    "TrueParameters",
    "bootstrap",
    "draw",
    "draw_from",
    "explained",
    "joint",
    "kenward_roger",
    "likelihood_ratio",
    "profile",
    "robust",
    "satterthwaite",
    "test",
]
