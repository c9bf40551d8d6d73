"""Verdict of a panel model: whether the optimum was reached, is one, and is possible."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...errors import Wording, model_option, some
from ...sem import FLAT
from ..contract import State, Verdict
from .blueprint import Blueprint
from .solution import SEMEstimates

#: Eigenvalues below minus this, relative to the largest variance of their block, are no rounding.
_NEGATIVE = 1e-7
_FEWER = Wording(
    "Use fewer parameters (",
    model_option("lags", "equal"),
    ", ",
    model_option("residuals", "equal"),
    "), fewer waves, or more persons.",
)


def verdict(solution: SEMEstimates, remedy: str) -> Verdict:
    """`remedy`: what to do about an inadmissible solution of this kind of model."""
    optimum = solution.optimum
    away = [p.name for p, v in zip(solution.parameters, solution.theta.tolist(), strict=True) if p.variance and v < 0]
    falls = Wording(f"{some(away)} fell below zero on the way. ", remedy) if away else _FEWER
    if optimum.flattest <= FLAT:
        weights = np.abs(optimum.flat)
        named = [solution.parameters[i].name for i in np.argsort(-weights, kind="stable") if weights[i] > 0.3]
        return Verdict.of(
            State.NOT_DETERMINED,
            f"No optimum: the data do not determine {some(named)}. No number here should be used.",
            falls,
        )
    if not optimum.converged:
        return Verdict.of(
            State.NOT_CONVERGED,
            f"No optimum was found from {optimum.starts} starts. No number here should be used.",
            Wording(falls, " Look for extreme values, too."),
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
            _of_intercepts(faults) or remedy,
        )
    return Verdict.of(State.CONVERGED, "The optimum was reached: the likelihood falls in every direction from it.")


@dataclass(frozen=True, slots=True)
class _Fault:
    """What no data could have, in words; intercepts : the variables whose random intercepts it is
    about, if it is about these."""

    words: str
    intercepts: tuple[str, ...] = ()


def _of_intercepts(faults: list[_Fault]) -> str:
    """The remedy where nothing but random intercepts is at fault: a model without one of them; else nothing."""
    if not all(fault.intercepts for fault in faults):
        return ""
    without = model_option("without", [faults[0].intercepts[-1]])
    if all(len(fault.intercepts) == 1 for fault in faults):
        return Wording(
            "Persons hardly differ in that variable's level beyond what the lags carry over: leave its random "
            "intercept out by ",
            without,
            ", or use other waves or more persons.",
        )
    return Wording(
        "Persons' levels in these variables are the same thing as far as these data tell: leave out the random "
        "intercept of one of them, as by ",
        without,
        ", or use more persons.",
    )


def _faults(solution: SEMEstimates) -> Iterator[_Fault]:
    """Negative variances by name, then blocks of variables whose correlations no data could have."""
    persons = solution.grouped.blueprint.persons
    own: dict[int, set[str]] = {node: set() for node in persons.values()}
    for cell in solution.grouped.blueprint.spread:
        if cell.row == cell.column and cell.row in own:
            own[cell.row].add(cell.name)
    for parameter, value in zip(solution.parameters, solution.theta.tolist(), strict=True):
        if parameter.variance and value < 0:
            of = [name for name, node in persons.items() if parameter.name in own[node]]
            yield _Fault(f"{parameter.name} is negative ({value:.3g})", tuple(of))
    labels = solution.grouped.labels or ("",)
    for label, moments in zip(labels, solution.moments(), strict=True):
        for block in _blocks(solution.grouped.blueprint):
            matrix = moments.left[np.ix_(block, block)]
            variances = matrix.diagonal()
            if (variances <= 0).any():
                continue
            if np.linalg.eigvalsh(matrix / np.sqrt(np.outer(variances, variances)))[0] < -_NEGATIVE:
                blueprint = solution.grouped.blueprint
                stable = tuple(name for name, node in persons.items() if node in block)
                what = f"the random intercepts of {some(stable)}" if stable else _left_over(blueprint, block)
                where = f" in group {label}" if label else ""
                yield _Fault(f"the correlations of {what} are impossible{where}", stable)


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
