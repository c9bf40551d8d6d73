"""Mixed: the engine of the multilevel model. A Design in, an Optimum out; no session row after the first step, but for
residuals in continuous time.

    Design -> MixedGram (cross-products; several are added) -> MixedLikelihood -> evaluate(theta, rho) -> optimise
    -> Optimum -> Solution

Everything is computed for columns that were centred and scaled; `MixedLikelihood.transform` leads back.
"""

from __future__ import annotations

from .added_grams import added
from .criterion import Evaluation, evaluate
from .mixed_gram import MixedGram, summed
from .optimum import Optimum, optimise
from .problem import MixedLikelihood, problem
from .random_effects import Effects, effects
from .random_terms import Block
from .residuals import KINDS, Residual, in_continuous_time
from .solution import Solution

__all__ = [
    "KINDS",
    "Block",
    "Effects",
    "Evaluation",
    "MixedGram",
    "MixedLikelihood",
    "Optimum",
    "Residual",
    "Solution",
    "added",
    "effects",
    "evaluate",
    "in_continuous_time",
    "optimise",
    "problem",
    "summed",
]
