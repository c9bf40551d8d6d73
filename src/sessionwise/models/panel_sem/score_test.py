"""Score test: whether parameters that a model holds at zero are zero, without fitting the larger model (Rao 1948).

s'I^-1 s, score and expected information of the larger model at the smaller one's estimates, is chi-squared with as many
degrees of freedom as there are parameters more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...sem import evaluate
from .blueprint import Blueprint, Parameter, grouped
from .solution import SEMEstimates


@dataclass(frozen=True, slots=True)
class ScoreTest:
    """chi2 : s'I^-1 s. df, p : upper tail of chi2(df). added : the parameters that the smaller model holds at zero."""

    chi2: float
    df: int
    p: float
    added: tuple[Parameter, ...]


def score_test(solution: SEMEstimates, larger: Blueprint) -> ScoreTest | None:
    """Of a solution of one group against a larger model of the same columns; None where there is nothing to test, or
    the solution did not reach its optimum, or the larger model's information is singular."""
    from scipy.special import chdtrc

    known = dict(zip(solution.grouped.blueprint.names, solution.optimum.theta.tolist(), strict=True))
    added = tuple(p for p in larger.parameters if p.name not in known)
    if not added or not solution.optimum.converged:
        return None
    theta = np.array([known.get(name, 0.0) for name in larger.names])
    structure = grouped(larger, (), ()).structures()[0]
    here = evaluate([(structure, solution.data[0])], theta, expected=True)
    try:
        statistic = float(here.gradient @ np.linalg.solve(here.hessian, here.gradient)) / 2
    except np.linalg.LinAlgError:
        return None
    return ScoreTest(statistic, len(added), float(chdtrc(len(added), statistic)), added)
