"""Simple slopes: what one unit of a predictor does to the response at values of its moderators."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...designs.coding import contrasts
from ...errors import ModelError, nearest, some
from ...formula import Call, Expression, Name, names, show
from ...formula.functions import PERSON, SHIFT
from ...mixed.inference.contrasts import test
from .tests_and_intervals import tests_table

if TYPE_CHECKING:
    from .estimated import EstimatedMLM


def slope_table(
    fit: EstimatedMLM, x: str, at: Mapping[str, Sequence[Any]] | None, df: str | float, level: float
) -> Any:
    """The slope of x at values of its moderators: what one unit of x does to the response there."""
    design = fit.recipe.design
    terms = [term for term in design.formula.fixed if x in map(show, term.factors)]
    if not terms or x not in fit.terms + tuple(design.learned.encoders):
        variables = [show(v) for v in design.formula.variables[1:]]
        raise ModelError(
            f"there is no predictor {x!r}.{nearest(x, variables)}", remedy=f"Use one of {some(variables)}."
        )
    if design.learned.encoders[x].kind != "numeric":
        raise ModelError(f"{x} is not numeric, so it has no slope.", remedy="Use contrast for differences of groups.")
    others = {show(f): f for term in terms for f in term.factors if show(f) != x}
    _enters_once(fit, x)
    for name in at or {}:
        if name not in others:
            raise ModelError(
                f"{name!r} is no moderator of {x}.{nearest(name, others)}", remedy=f"Moderators: {some(others)}."
            )
    values = {name: _several(at[name]) if at and name in at else list(_usual(fit, name)) for name in others}
    grid = list(itertools.product(*values.values()))
    rows = np.array([_slope(fit, x, dict(zip(values, point, strict=True))) for point in grid])
    tests = test(fit.solution, rows, degrees=df, level=level)
    return tests_table(fit, {name: _column([point[i] for point in grid]) for i, name in enumerate(values)}, tests)


def _enters_once(fit: EstimatedMLM, x: str) -> None:
    """Stop if x is part of another variable, I(x^2) or lag(x): then its slope is not a weighted sum of these terms."""
    formula = fit.recipe.design.formula
    variables = {show(v): v for v in formula.variables[1:]}
    own = {n.name for n in names(variables[x])}
    for text, v in variables.items():
        if text != x and isinstance(variables[x], Name) and own & {n.name for n in names(v)} and not _of_persons(v):
            raise ModelError(
                f"{x} is in {text} too, so it has no one slope.",
                where=f"formula {formula.text!r}",
                remedy="Use contrast for what the formula gives at chosen values.",
            )


def _of_persons(v: Expression) -> bool:
    """Whether a variable stands for other sessions or for persons' means: another quantity than x at this session."""
    return isinstance(v, Call) and v.function in (*PERSON, *SHIFT)


def _column(values: Sequence[Any]) -> Any:
    """Numbers as floats, whatever mixture of numbers they were given as; else text."""
    numbers = all(isinstance(v, int | float | np.number) for v in values)
    return np.asarray(values, np.float64) if numbers else [str(v) for v in values]


def _several(values: Any) -> list[Any]:
    """A single value is a list of one."""
    return [values] if isinstance(values, str) or np.ndim(values) == 0 else list(values)


def _usual(fit: EstimatedMLM, name: str) -> Sequence[Any]:
    """All categories; 0 and 1 of a variable that has no other value; else mean - SD, mean, mean + SD."""
    encoder = fit.recipe.design.learned.encoders[name]
    if encoder.kind == "categorical":
        return encoder.levels
    back = fit.solution.problem.transform.fixed
    one = fit.terms.index("(Intercept)") if "(Intercept)" in fit.terms else None
    told = name in fit.terms and encoder.kind == "numeric"
    if not told or one is None or np.count_nonzero(np.delete(back, one, axis=0)) > len(back) - 1:
        raise ModelError(
            f"at which values of {name} the slope is wanted must be said.", remedy=f"Give at={{{name!r}: [...]}}."
        )
    i = fit.terms.index(name)
    sd = 1 / back[i, i]
    mean = -back[one, i] * sd
    if abs(sd**2 - mean * (1 - mean)) < 1e-9:
        return [0, 1]
    return [mean - sd, mean, mean + sd]


def _slope(fit: EstimatedMLM, x: str, point: Mapping[str, Any]) -> np.ndarray:
    """Weights (p,) of the coefficients in d response / d x at a point of the other variables."""
    row = np.zeros(len(fit.terms))
    for term in fit.recipe.design.formula.fixed:
        if x not in map(show, term.factors):
            continue
        parts = [{x: 1.0} if show(f) == x else _coded(fit, f, point[show(f)]) for f in term.factors]
        for point_ in itertools.product(*(part.items() for part in parts)):
            name, weight = ":".join(n for n, _ in point_), np.prod([v for _, v in point_])
            if name in fit.terms:
                row[fit.terms.index(name)] = weight
            elif name in fit.recipe.design.aliased and weight:
                raise ModelError(
                    f"the slope of {x} needs the coefficient of {name}, which was left out as a combination of others.",
                    remedy="Leave out dependent terms.",
                )
    return row


def _coded(fit: EstimatedMLM, variable: Expression, value: Any) -> dict[str, float]:
    """Columns of a variable at one value."""
    name = show(variable)
    encoder = fit.recipe.design.learned.encoders[name]
    if encoder.kind == "numeric":
        return {name: float(value)}
    levels = [str(level) for level in encoder.levels]
    if encoder.kind != "categorical" or str(value) not in levels:
        raise ModelError(
            f"{name} has no value {value!r}.{nearest(str(value), levels)}", remedy=f"Use one of {some(levels, 12)}."
        )
    at = levels.index(str(value))
    coded: dict[str, float] = {}
    for full in (False, True):
        matrix, names = contrasts(encoder, full)
        coded |= {f"{name}[{n}]": float(matrix[at, j]) for j, n in enumerate(names)}
    return coded
