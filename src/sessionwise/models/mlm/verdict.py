"""The verdict on a multilevel fit: did it converge, and is a variance at its boundary? In words, with the remedy."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...errors import some
from ...mixed import Block, Solution
from ...mixed.random_terms import INTERCEPT
from ..contract import Verdict

#: A component of the relative covariance factor below this is zero (lme4's isSingular, for scaled columns).
ZERO = 1e-4


class Singular(NamedTuple):
    """Variances of zero, and effects that others determine, in words."""

    zero: list[str]
    dependent: list[str]


def verdict(solution: Solution) -> Verdict:
    """Convergence, and what is at its boundary."""
    if not solution.optimum.converged:
        return Verdict(False, *_not_converged(solution))
    found = [singularities(solution, block) for block in solution.problem.blocks]
    zero, dependent = [text for f in found for text in f.zero], [text for f in found for text in f.dependent]
    message = ["Converged."]
    remedy = []
    if zero or dependent:
        said = "; ".join([*zero, *dependent])
        message = [
            f"Converged with a singular covariance: {said}. Coefficients and their errors can be used as they are."
        ]
    if zero:
        message.append(
            "That an effect whose variance is zero differs between levels is not shown by these data (nor is it "
            "disproved); leaving that random effect out leaves the fit as it is."
        )
        remedy.append("Leave out the random effect whose variance is zero.")
    if dependent:
        message.append(
            "That an effect is determined by others goes beyond what these data can tell: the fit changes without it, "
            "mostly a little."
        )
        remedy.append("Remove correlations (|| for |), or leave out one of these effects, and compare.")
    if _no_phi(solution):
        message.append("phi is estimated as zero: residuals at neighbouring sessions are not shown to be correlated.")
        remedy.append('Use residual="independent".')
    return Verdict(True, " ".join(message), " ".join(remedy))


def _no_phi(solution: Solution) -> bool:
    """Whether continuous-time residuals one usual gap apart are uncorrelated: phi is at its boundary."""
    residual = solution.problem.residual
    return residual.kind == "car1" and bool(solution.residual[0] ** np.nanmedian(residual.gaps) < ZERO)


def _not_converged(solution: Solution) -> tuple[str, str]:
    o = solution.optimum
    tried = f"after {o.starts} starts"
    if not o.flattest > 0:
        message = f"Not converged {tried}: the likelihood does not have a maximum here. Do not interpret these numbers."
    else:
        message = (
            f"Not converged {tried}: the criterion might still fall by about {o.decrement / 2:.2g}. Do not interpret "
            "these numbers."
        )
    return message, "Leave out random effects that few sessions can tell apart, or residual correlation."


def singularities(solution: Solution, block: Block) -> Singular:
    """What is zero, and what depends on other effects, in a random term, in words."""
    scaled = block.factor(solution.optimum.parameters)
    if np.linalg.svd(scaled, compute_uv=False)[-1] > ZERO:
        return Singular([], [])
    size = _sizes(solution, block, scaled)
    zero = [name for name, s in zip(block.effects, size, strict=True) if s < ZERO]
    kept = np.flatnonzero(size >= ZERO)
    said = [f"the variance of {some(zero)} between levels of {block.group} is estimated as zero"] if zero else []
    return Singular(said, _dependent(solution, block, scaled, kept) if block.correlated else [])


def _sizes(solution: Solution, block: Block, scaled: np.ndarray) -> np.ndarray:
    """How much each effect varies; an intercept where the columns given are 0, not where centred ones are."""
    size = np.asarray(np.linalg.norm(scaled, axis=1))
    if block.centered:
        at, intercept = solution.problem.blocks.index(block), block.effects.index(INTERCEPT)
        size[intercept] = np.linalg.norm((solution.problem.transform.blocks[at] @ scaled)[intercept])
    return size


def _dependent(solution: Solution, block: Block, scaled: np.ndarray, kept: np.ndarray) -> list[str]:
    """Correlations of 1 or -1, or else a combination of more effects, among those that vary."""
    rows = scaled[kept]
    unit = rows / np.maximum(np.linalg.norm(rows, axis=1), ZERO)[:, None]
    if len(kept) < 2 or np.linalg.svd(unit, compute_uv=False)[-1] ** 2 > ZERO:
        return []
    covariance = solution.covariances[solution.problem.blocks.index(block)][np.ix_(kept, kept)]
    sd = np.sqrt(covariance.diagonal())
    correlation = covariance / np.outer(sd, sd)
    names = [block.effects[i] for i in kept]
    found = [
        f"the correlation of {names[j]} and {names[i]} over {block.group} is {np.sign(correlation[i, j]):+.0f}"
        for i in range(len(kept))
        for j in range(i)
        if abs(correlation[i, j]) > 1 - ZERO
    ]
    return found or [f"one combination of {some(names)} does not vary between levels of {block.group}"]
