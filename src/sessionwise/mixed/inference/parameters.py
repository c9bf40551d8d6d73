"""Parameters: what a fitted model estimates, one by one and in the units of the data, in the order of lme4's confint.

For each random term, effect by effect, the standard deviation and the correlations with the effects after it; then
sigma, the residual parameters, the coefficients. Profile and bootstrap report these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ...errors import ModelError, nearest, some
from .. import MixedLikelihood, Solution

Kind = Literal["sd", "correlation", "sigma", "residual", "coefficient"]
KINDS: tuple[Kind, ...] = ("sd", "correlation", "sigma", "residual", "coefficient")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter.

    kind : one of KINDS. name : unique, as lme4 writes it: 'sd_(Intercept)|patient', 'cor_x.(Intercept)|patient',
    'sigma', 'phi', 'session'. group, effects : of an SD or a correlation, the grouping factor and the effect(s).
    limits : of the parameter space. number : which random term, residual parameter or coefficient. places : which
    effects within the term.
    """

    kind: Kind
    name: str
    limits: tuple[float, float]
    group: str = ""
    effects: tuple[str, ...] = ()
    number: int = 0
    places: tuple[int, ...] = ()


def parameters(problem: MixedLikelihood) -> tuple[Parameter, ...]:
    """All of a model's parameters."""
    made: list[Parameter] = []
    for number, block in enumerate(problem.blocks):
        group = block.group
        for j, effect in enumerate(block.effects):
            made.append(Parameter("sd", f"sd_{effect}|{group}", _POSITIVE, group, (effect,), number, (j,)))
            for k in range(j + 1, block.q) if block.correlated else ():
                other = block.effects[k]
                name = f"cor_{other}.{effect}|{group}"
                made.append(Parameter("correlation", name, (-1.0, 1.0), group, (effect, other), number, (j, k)))
    made.append(Parameter("sigma", "sigma", _POSITIVE))
    for i, name in enumerate(problem.residual.names):
        made.append(Parameter("residual", name, _PHI[problem.residual.kind] if name == "phi" else _POSITIVE, number=i))
    return (*made, *(Parameter("coefficient", name, _ANY, number=i) for i, name in enumerate(problem.names)))


_POSITIVE, _ANY = (0.0, np.inf), (-np.inf, np.inf)
_PHI = {"ar1": (-1.0, 1.0), "car1": (0.0, 1.0)}


def chosen(problem: MixedLikelihood, which: Sequence[str] | None) -> tuple[Parameter, ...]:
    """Parameters whose name or kind is among `which`, or all.

    Raises
    ------
    ModelError : a word that is neither.
    """
    known = parameters(problem)
    if which is None:
        return known
    names = [p.name for p in known]
    for word in which:
        if word not in names and word not in KINDS:
            raise ModelError(
                f"the model has no parameter {word!r}.{nearest(word, [*names, *KINDS])}",
                where=f"parameters: {some(names, 12)}",
                remedy=f"Give names of parameters, or kinds of them: {', '.join(KINDS)}.",
            )
    return tuple(p for p in known if p.name in which or p.kind in which)


def estimates(solution: Solution) -> np.ndarray:
    """The parameters' values (m,), in the order of `parameters`; a correlation with an effect without variance is NaN.

    SDs and sigma in units of the response (per unit of the effect's column), phi per session or unit of time.
    """
    values: list[float] = []
    for block, covariance in zip(solution.problem.blocks, solution.covariances, strict=True):
        sds = np.sqrt(covariance.diagonal())
        for j, sd in enumerate(sds):
            values.append(float(sd))
            for k in range(j + 1, block.q) if block.correlated else ():
                product = sd * sds[k]
                values.append(float(np.clip(covariance[j, k] / product, -1, 1)) if product > 0 else np.nan)
    return np.array([*values, solution.sigma, *solution.residual, *solution.beta])


def is_singular(problem: MixedLikelihood, theta: np.ndarray) -> bool:
    """Whether a covariance matrix of random effects is singular: a variance of 0, or effects that determine another.

    As lme4's isSingular (a diagonal entry of theta below 1e-4), but for scaled columns, so units do not matter.
    """
    return any(bool((np.abs(block.factor(theta).diagonal()) < 1e-4).any()) for block in problem.blocks)
