"""The verdict on a multilevel fit: did it converge, and is a variance at its boundary? In words, with the remedy."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...errors import Wording, joined, model_option, some
from ...mixed import Block, Solution
from ...mixed.random_terms import INTERCEPT
from ..contract import State, Verdict

#: A component of the relative covariance factor below this is zero (lme4's isSingular, for scaled columns).
ZERO = 1e-4


@dataclass(frozen=True, slots=True)
class Singular:
    """What is at its boundary in a random term.

    group : its grouping factor. zero : effects whose variance is zero. correlated : two effects and their correlation,
    1 or -1. combined : effects of which a combination does not vary, though no two are correlated so.
    """

    group: str
    zero: tuple[str, ...] = ()
    correlated: tuple[tuple[str, str, float], ...] = ()
    combined: tuple[str, ...] = ()

    @property
    def dependent(self) -> bool:
        """Whether an effect is determined by others."""
        return bool(self.correlated or self.combined)

    @property
    def zero_words(self) -> list[str]:
        if not self.zero:
            return []
        return [f"the variance of {some(self.zero)} between levels of {self.group} is estimated as zero"]

    @property
    def dependent_words(self) -> list[str]:
        if self.combined:
            return [f"one combination of {some(self.combined)} does not vary between levels of {self.group}"]
        return [f"the correlation of {a} and {b} over {self.group} is {r:+.0f}" for a, b, r in self.correlated]


def verdict(solution: Solution) -> Verdict:
    """Convergence, and what is at its boundary."""
    if not solution.optimum.converged:
        return _not_converged(solution)
    found = [singularities(solution, block) for block in solution.problem.blocks]
    zero, dependent = any(one.zero for one in found), any(one.dependent for one in found)
    no_phi = _no_phi(solution)
    state = State.SINGULAR if zero or dependent else State.BOUNDARY if no_phi else State.CONVERGED
    message = ["Converged."]
    remedy = []
    if state is State.SINGULAR:
        each = [one.zero_words for one in found] + [one.dependent_words for one in found]
        said = "; ".join(text for texts in each for text in texts)
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
    if no_phi:
        message.append("phi is estimated as zero: residuals at neighbouring sessions are not shown to be correlated.")
        remedy.append(Wording("Use ", model_option("residual", "independent"), "."))
    return Verdict.of(state, " ".join(message), joined(remedy))


def _no_phi(solution: Solution) -> bool:
    """Whether continuous-time residuals one usual gap apart are uncorrelated: phi is at its boundary."""
    return solution.problem.residual.kind == "car1" and bool(solution.residual_at_gaps[0] < ZERO)


def _not_converged(solution: Solution) -> Verdict:
    o = solution.optimum
    if o.lost:
        return Verdict.of(
            State.NOT_DETERMINED,
            f"Not converged after {o.starts} starts: where the search ends, the likelihood depends on how numbers are "
            "rounded. Do not interpret these numbers.",
            "Leave out the residual correlation, or random effects that few sessions can tell apart.",
        )
    rho = o.parameters[solution.problem.n_theta :]
    if solution.problem.residual.is_at_end(rho):
        return _without_end(solution, rho)
    state = State.NOT_CONVERGED if o.flattest > 0 else State.NOT_DETERMINED
    why = {
        State.NOT_CONVERGED: f"the criterion might still fall by about {o.decrement / 2:.2g}",
        State.NOT_DETERMINED: "the likelihood does not have a maximum here",
    }
    return Verdict.of(
        state,
        f"Not converged after {o.starts} starts: {why[state]}. Do not interpret these numbers.",
        "Leave out random effects that few sessions can tell apart, or residual correlation.",
    )


def _without_end(solution: Solution, rho: np.ndarray) -> Verdict:
    """Residuals of some rows without a variance of their own."""
    names = solution.problem.residual.names
    worst = names[int(np.argmax(np.abs(rho)))]
    if worst == "phi":
        what, remedy = "phi goes to its end", 'Use residual="independent", or fewer terms.'
    else:
        what = f"{worst} goes to zero or beyond any size"
        remedy = "Join strata of few rows, or leave out variance_by."
    return Verdict.of(
        State.NOT_DETERMINED,
        f"No optimum: {what}, and the likelihood grows without end, since the model can fit some rows exactly. Do not "
        "interpret these numbers.",
        remedy,
    )


def singularities(solution: Solution, block: Block) -> Singular:
    """What is zero, and what depends on other effects, in a random term."""
    scaled = block.factor(solution.optimum.parameters)
    if np.linalg.svd(scaled, compute_uv=False)[-1] > ZERO:
        return Singular(block.group)
    size = _sizes(solution, block, scaled)
    zero = tuple(name for name, s in zip(block.effects, size, strict=True) if s < ZERO)
    found = Singular(block.group, zero)
    return _with_dependent(found, solution, block, scaled, np.flatnonzero(size >= ZERO)) if block.correlated else found


def _sizes(solution: Solution, block: Block, scaled: np.ndarray) -> np.ndarray:
    """How much each effect varies; an intercept where the columns given are 0, not where centred ones are."""
    size = np.asarray(np.linalg.norm(scaled, axis=1))
    if block.centered:
        at, intercept = solution.problem.blocks.index(block), block.effects.index(INTERCEPT)
        size[intercept] = np.linalg.norm((solution.problem.transform.blocks[at] @ scaled)[intercept])
    return size


def _with_dependent(
    found: Singular, solution: Solution, block: Block, scaled: np.ndarray, kept: np.ndarray
) -> Singular:
    """With correlations of 1 or -1, or else a combination of more effects, among those that vary."""
    rows = scaled[kept]
    unit = rows / np.maximum(np.linalg.norm(rows, axis=1), ZERO)[:, None]
    if len(kept) < 2 or np.linalg.svd(unit, compute_uv=False)[-1] ** 2 > ZERO:
        return found
    covariance = solution.covariances[solution.problem.blocks.index(block)][np.ix_(kept, kept)]
    sd = np.sqrt(covariance.diagonal())
    correlation = covariance / np.outer(sd, sd)
    names = [block.effects[i] for i in kept]
    correlated = tuple(
        (names[j], names[i], float(np.sign(correlation[i, j])))
        for i in range(len(kept))
        for j in range(i)
        if abs(correlation[i, j]) > 1 - ZERO
    )
    return replace(found, correlated=correlated) if correlated else replace(found, combined=tuple(names))
