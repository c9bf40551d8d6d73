"""Profile: intervals by the likelihood itself, for every parameter of the model, as lme4's confint(method="profile").

A parameter is held at a value and all others are fitted again by maximum likelihood; zeta is the signed square root of
how much the deviance has risen (Bates, Maechler, Bolker & Walker 2015, J Stat Softw 67(1), section 5.1). An interval
holds the values with |zeta| below the normal quantile. A model that was fitted by REML is fitted by ML first: REML
criteria with different coefficients cannot be compared.

lme4 walks along the profile in fixed steps and reads the ends off a spline; here the ends are solved for, so they
differ from lme4's in the fourth or fifth digit and are the more exact ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ...findings import Finding, Findings
from ...options import valid_level
from ...threads import one_thread
from .. import Solution, optimise
from .held_parameter import held
from .parameters import Parameter, chosen, estimates, parameters
from .profile_walk import Curve, Endless, Walk, end

#: A deviance so much below that of the optimum is a lower one, and not rounding.
_LOWER = 1e-5
#: So few persons may leave several maxima: then searches from elsewhere look whether an end is one.
_FEW_PERSONS, _STARTS = 50, 4
#: Evaluations of the criterion for one parameter, of a fit that converged and of one that did not; a few hundred are
#: the rule.
MOST_EVALUATIONS = {True: 6000, False: 1000}


@dataclass(frozen=True, slots=True, eq=False)
class Intervals:
    """Profile-likelihood intervals.

    parameters : m of them, see Parameter. level : of confidence.
    estimate : (m,) by maximum likelihood, also for a model fitted by REML; NaN for a correlation with an effect
        without variance.
    low, high : (m,), NaN where a search found no end within reason (a finding says so). Where the deviance does not
        rise enough before the parameter space ends, the limit itself: 0 for an SD, -1 and 1 for a correlation or phi
        (0 and 1 for phi of continuous time); infinite if it has no limit.
    curves : m, for plots. findings : what a reader must know: a lower deviance on the way, a search that did not end.
    """

    parameters: tuple[Parameter, ...]
    level: float
    estimate: np.ndarray
    low: np.ndarray
    high: np.ndarray
    curves: tuple[Curve, ...]
    findings: Findings

    @property
    def named(self) -> dict[str, tuple[float, float]]:
        """Name -> (low, high)."""
        ends = zip(self.low.tolist(), self.high.tolist(), strict=True)
        return {p.name: e for p, e in zip(self.parameters, ends, strict=True)}


@one_thread()
def profile(
    solution: Solution,
    level: float = 0.95,
    which: Sequence[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Intervals:
    """Profile-likelihood intervals.

    Parameters
    ----------
    solution : a fitted model; by REML, it is fitted again by ML.
    level : of confidence, between 0 and 1.
    which : names or kinds of parameters (parameters.py), default all.
    progress : called with how many parameters are done, and of how many.

    Raises
    ------
    ModelError : a level outside (0, 1), an unknown parameter.
    """
    from scipy.special import ndtri

    valid_level(level)
    wanted = chosen(solution.problem, which)
    best = by_likelihood(solution)
    target = float(ndtri((1 + level) / 2))
    elsewhere = _STARTS if len(best.problem.levels[0].labels) <= _FEW_PERSONS else 0
    most = MOST_EVALUATIONS[best.optimum.converged]
    ends, curves = [], []
    findings = [] if best.optimum.converged else [_NOT_CONVERGED]
    for done, parameter in enumerate(wanted):
        try:
            walk = Walk(held(best, parameter), parameter.limits, best.optimum.evaluation.criterion, elsewhere, most)
            ends.append((end(walk, -1, target), end(walk, 1, target)))
            curves.append(walk.curve())
            findings += _findings(walk, parameter)
        except Endless:
            ends.append((np.nan, np.nan))
            curves.append(Curve(np.zeros(0), np.zeros(0)))
            findings.append(_endless(parameter, most))
        if progress is not None:
            progress(done + 1, len(wanted))
    of_all = dict(zip((p.name for p in parameters(best.problem)), estimates(best), strict=True))
    estimate = np.array([of_all[p.name] for p in wanted])
    low, high = np.array(ends).reshape(-1, 2).T
    return Intervals(wanted, level, estimate, low, high, tuple(curves), Findings(findings))


_NOT_CONVERGED = Finding(
    "warning",
    "profile-of-no-optimum",
    "the model did not converge by maximum likelihood, so its profiles may be wrong.",
    remedy="Simplify the random part.",
)


def by_likelihood(solution: Solution) -> Solution:
    """The model fitted again, by maximum likelihood."""
    if not solution.reml:
        return solution
    problem = solution.problem
    return Solution(problem, optimise(problem, reml=False, begin=solution.optimum.parameters), reml=False)


def _endless(parameter: Parameter, most: int) -> Finding:
    what = f"the profile of {parameter.name} found no end within {most:,} evaluations and is left out."
    return Finding("warning", "profile-endless", what, remedy="Simplify the model, or use the bootstrap.")


def _findings(walk: Walk, parameter: Parameter) -> list[Finding]:
    found = []
    if walk.lowest < -_LOWER:
        what = f"the profile of {parameter.name} met a deviance lower by {-walk.lowest:.3g} than that of the fit."
        remedy = (
            "The fit is not at its optimum, and its intervals are not right: fit the model again from another start."
        )
        found.append(Finding("warning", "profile-lower-deviance", what, remedy=remedy))
    if not walk.converged:
        what = f"a search on the profile of {parameter.name} did not end at an optimum."
        remedy = "Look at its curve, or use the bootstrap."
        found.append(Finding("warning", "profile-not-converged", what, remedy=remedy))
    return found
