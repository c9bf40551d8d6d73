"""Verdict of a panel model: whether the optimum was reached, is one, and is possible."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...errors import some
from ...sem import FLAT
from ..contract import State, Verdict
from .blueprint import Blueprint
from .solution import SEMEstimates

#: Eigenvalues below minus this, relative to the largest variance of their block, are no rounding.
_NEGATIVE = 1e-7
_FEWER = "Use fewer parameters (lags or residuals equal over waves), fewer waves, or more persons."


_ONE = (
    "Persons' levels in these variables are the same thing as far as these data tell: leave one of the variables out, "
    "name one in without=, or use more persons."
)


def verdict(solution: SEMEstimates, remedy: str) -> Verdict:
    """`remedy`: what to do about an inadmissible solution of this kind of model."""
    optimum = solution.optimum
    away = [p.name for p, v in zip(solution.parameters, solution.theta.tolist(), strict=True) if p.variance and v < 0]
    falls = f" {some(away)} fell below zero on the way. {remedy}" if away else f" {_FEWER}"
    if optimum.flattest <= FLAT:
        weights = np.abs(optimum.flat)
        named = [solution.parameters[i].name for i in np.argsort(-weights, kind="stable") if weights[i] > 0.3]
        return Verdict.of(
            State.NOT_DETERMINED,
            f"No optimum: the data do not determine {some(named)}. No number here should be used.",
            falls.strip(),
        )
    if not optimum.converged:
        return Verdict.of(
            State.NOT_CONVERGED,
            f"No optimum was found from {optimum.starts} starts. No number here should be used.",
            f"{falls.strip()} Look for extreme values, too.",
        )
    if not np.isfinite(solution.vcov).all():
        return Verdict.of(
            State.NOT_DETERMINED,
            f"An optimum was found, but the {solution.errors} information there is singular: the data do not determine "
            "all parameters. No number here should be used.",
            _FEWER,
        )
    faults = list(_faults(solution))
    if faults:
        return Verdict.of(
            State.INADMISSIBLE,
            f"The optimum was reached, but it is not admissible: {some([f.words for f in faults], 3)}. Lags and their "
            "errors from such a solution are not to be trusted.",
            _ONE if all(fault.of_intercepts for fault in faults) else remedy,
        )
    return Verdict.of(State.CONVERGED, "The optimum was reached: the likelihood falls in every direction from it.")


@dataclass(frozen=True, slots=True)
class _Fault:
    """What no data could have, in words; of_intercepts : whether it is correlations of random intercepts."""

    words: str
    of_intercepts: bool = False


def _faults(solution: SEMEstimates) -> Iterator[_Fault]:
    """Negative variances by name, then blocks of variables whose correlations no data could have."""
    for parameter, value in zip(solution.parameters, solution.theta.tolist(), strict=True):
        if parameter.variance and value < 0:
            yield _Fault(f"{parameter.name} is negative ({value:.3g})")
    labels = solution.grouped.labels or ("",)
    for label, moments in zip(labels, solution.moments(), strict=True):
        for block in _blocks(solution.grouped.blueprint):
            own = moments.left[np.ix_(block, block)]
            variances = own.diagonal()
            if (variances <= 0).any():
                continue
            if np.linalg.eigvalsh(own / np.sqrt(np.outer(variances, variances)))[0] < -_NEGATIVE:
                blueprint = solution.grouped.blueprint
                persons = [name for name, node in blueprint.persons.items() if node in block]
                of = f"the random intercepts of {some(persons)}" if persons else _left_over(blueprint, block)
                where = f" in group {label}" if label else ""
                yield _Fault(f"the correlations of {of} are impossible{where}", bool(persons))


def _blocks(blueprint: Blueprint) -> list[list[int]]:
    """Nodes that covary directly, put together."""
    root = list(range(len(blueprint.units)))

    def top(node: int) -> int:
        while root[node] != node:
            node = root[node]
        return node

    used = set()
    for cell in blueprint.spread:
        used |= {cell.row, cell.column}
        root[top(cell.row)] = top(cell.column)
    found: dict[int, list[int]] = {}
    for node in sorted(used):
        found.setdefault(top(node), []).append(node)
    return list(found.values())


def _left_over(blueprint: Blueprint, block: list[int]) -> str:
    within = [f"{name} [{wave}]" for (name, wave), node in blueprint.within.items() if node in block]
    return f"what is left over of {some(within)}" if within else "the predictors"
