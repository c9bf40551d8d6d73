"""Verdict of a panel model: whether the optimum was reached, is one, and is possible."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...errors import Wording, model_option, some
from ..contract import State, Verdict
from .blueprint import Blueprint
from .solution import SEMEstimates

if TYPE_CHECKING:
    from .model import PanelModel

#: Eigenvalues below minus this, relative to the largest variance of their block, are no rounding.
_NEGATIVE = 1e-7


def verdict(solution: SEMEstimates, model: PanelModel) -> Verdict:
    """Of the estimates of a model of this description."""
    fewer = Wording("Use ", *model.fewer_parameters, "fewer waves, or more persons.")
    optimum = solution.optimum
    away = [p.name for p, v in zip(solution.parameters, solution.theta.tolist(), strict=True) if p.variance and v < 0]
    falls = Wording(f"{some(away)} fell below zero on the way. ", model.remedy) if away else fewer
    if not optimum.determined:
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
            fewer,
        )
    faults = list(_faults(solution, model.has_without))
    if faults:
        return Verdict.of(
            State.INADMISSIBLE,
            f"The optimum was reached, but it is not admissible: {some([f.words for f in faults], 3)}. Lags and their "
            "errors from such a solution are not to be trusted.",
            (_of_intercepts(faults) if model.has_without else "") or model.remedy,
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


def _faults(solution: SEMEstimates, of_intercepts: bool) -> Iterator[_Fault]:
    """Negative variances by name, then blocks of variables whose correlations no data could have.

    of_intercepts : whether persons' nodes are random intercepts, which go with nothing else.
    """
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
                where = f" in group {label}" if label else ""
                if stable and of_intercepts:
                    what = f"the correlations of the random intercepts of {some(stable)} are impossible"
                    yield _Fault(what + where, stable)
                else:
                    yield _Fault(_impossible(blueprint, block, matrix) + where, stable)


def _impossible(blueprint: Blueprint, block: list[int], matrix: np.ndarray) -> str:
    """Which of a block's nodes would go with its predictors more than fully, of their covariance (b, b)."""
    led_to = {cell.row for cell in blueprint.paths} | set(blueprint.persons.values())
    given = [i for i, node in enumerate(block) if node not in led_to]
    for i, node in enumerate(block):
        if i in given or not given:
            continue
        cross = matrix[given, i]
        share = float(cross @ np.linalg.solve(matrix[np.ix_(given, given)], cross) / matrix[i, i])
        if share > 1:
            with_these = some(dict.fromkeys(blueprint.units[block[i]] for i in given))
            person = next((f"the person's effect of {y}" for y, own in blueprint.persons.items() if own == node), None)
            what = person or _left_over(blueprint, [node])
            return f"{what} would go with {with_these} more than fully (R squared {share:.4g})"
    return f"the correlations of {_left_over(blueprint, block)} are impossible"


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
