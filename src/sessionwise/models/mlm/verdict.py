"""The verdict on a multilevel fit: did it converge, and is a variance at its boundary? In words, with the remedy."""

from __future__ import annotations

import numpy as np

from ...errors import some
from ...likelihood import Block, Solution
from .._fit import Verdict

#: A component of the relative covariance factor below this is zero (lme4's isSingular, for scaled columns).
ZERO = 1e-4


def verdict(solution: Solution) -> Verdict:
    """Convergence, and what is at its boundary."""
    optimum = solution.optimum
    if not optimum.converged:
        return Verdict(False, *_not_converged(solution))
    found = [text for block in solution.problem.blocks for text in singularities(solution, block)]
    if not found:
        return Verdict(True, "Converged.")
    return Verdict(
        True,
        f"Converged with a singular covariance: {'; '.join(found)}. Coefficients and their errors can be used as they "
        "are; that persons differ in this respect is not shown by these data (nor is it disproved).",
        "Leave out that random effect (the fit stays the same) or its correlations (|| for |), and compare.",
    )


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


def singularities(solution: Solution, block: Block) -> list[str]:
    """What is zero or one in a random term, in words."""
    at = solution.problem.blocks.index(block)
    scaled = block.factor(solution.optimum.parameters)
    if np.linalg.svd(scaled, compute_uv=False)[-1] > ZERO:
        return []
    size = np.linalg.norm(scaled, axis=1)
    zero = [name for name, s in zip(block.effects, size, strict=True) if s < ZERO]
    found = [f"the variance of {some(zero)} between {block.group}s is estimated as zero"] if zero else []
    kept = [i for i, s in enumerate(size) if s >= ZERO]
    if len(kept) < 2 or not block.correlated:
        return found
    covariance = solution.covariances[at][np.ix_(kept, kept)]
    sd = np.sqrt(covariance.diagonal())
    correlation = covariance / np.outer(sd, sd)
    names = [block.effects[i] for i in kept]
    pairs = [(i, j) for i in range(len(kept)) for j in range(i)]
    one = [(i, j) for i, j in pairs if abs(correlation[i, j]) > 1 - ZERO]
    found += [
        f"the correlation of {names[j]} and {names[i]} over {block.group}s is {np.sign(correlation[i, j]):+.0f}"
        for i, j in one
    ]
    if not one and np.linalg.svd(scaled[kept] / size[kept, None], compute_uv=False)[-1] < ZERO:
        found.append(f"one combination of {some(names)} does not vary between {block.group}s")
    return found
