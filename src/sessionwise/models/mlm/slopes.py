"""Simple slopes: what one unit of a predictor does to the response at values of its moderators.

Where the predictor enters once, and in products, its slope is a sum of coefficients. Where it enters in other ways too,
squared or in a spline, the slope depends on where the predictor stands: it is the derivative of the formula at values
of the predictor, by central differences (Richardson's extrapolation) of each column.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...designs.coding import contrasts
from ...errors import ModelError, nearest, some
from ...formula import Expression, Name, label, show
from ...mixed.inference.contrasts import test
from ...threads import one_thread
from .at_a_value import columns_at, enters, move_together
from .tests_and_intervals import tests_table

if TYPE_CHECKING:
    from .estimated import EstimatedMLM

#: Step of the differences, relative to the predictor's standard deviation.
_STEP = 1e-2


@one_thread()
def slope_table(
    fit: EstimatedMLM, x: str, at: Mapping[str, Sequence[Any]] | None, df: str | float, level: float
) -> Any:
    """The slope of x at values of its moderators, and of its own where it is no straight line."""
    design = fit.recipe.design
    encoders = design.learned.encoders
    variables = {show(v): v for v in design.formula.variables[1:]}
    x = x if x in variables else {_plainly(v): text for text, v in variables.items()}.get(x, x)
    if x not in variables or not any(x in map(show, term.factors) for term in design.formula.fixed):
        raise ModelError(
            f"there is no predictor {x!r}.{nearest(x, list(variables))}", remedy=f"Use one of {some(list(variables))}."
        )
    if encoders[x].kind != "numeric":
        raise ModelError(
            f"{x} is not one column of numbers, so it has no slope.",
            remedy="Use contrast for differences of groups, or predict for what a curve gives at chosen values.",
        )
    curved = [name for name, v in variables.items() if name != x and _curves(fit, variables[x], v)]
    terms = [t for t in design.formula.fixed if {x, *curved} & set(map(show, t.factors))]
    others = {show(f): f for term in terms for f in term.factors if show(f) not in (x, *curved)}
    asked = {**others, x: variables[x]} if curved else others
    given = _by_text(at or {}, asked, x)
    values = {name: _several(given[name]) if name in given else list(_usual(fit, name)) for name in asked}
    grid = [dict(zip(values, point, strict=True)) for point in itertools.product(*values.values())]
    rows = np.array([_derivative(fit, variables[x], curved, p) if curved else _slope(fit, x, p) for p in grid])
    tests = test(fit.solution, rows, degrees=df, level=level)
    return tests_table(fit, {label(asked[n]): _column([point[n] for point in grid]) for n in values}, tests)


def _by_text(at: Mapping[str, Sequence[Any]], asked: Mapping[str, Expression], x: str) -> dict[str, Sequence[Any]]:
    """`at` by what a formula writes, for names as in the file too."""
    texts = {_plainly(v): text for text, v in asked.items()}
    for name in at:
        if name not in asked and name not in texts:
            raise ModelError(
                f"{name!r} is no moderator of {x}.{nearest(name, asked)}",
                remedy=f"Moderators: {some(asked) or 'none'}.",
            )
    return {texts.get(name, name): values for name, values in at.items()}


def _plainly(v: Expression) -> str:
    """A column's name as in the file, or what a formula writes."""
    return v.name if isinstance(v, Name) else show(v)


def _curves(fit: EstimatedMLM, x: Expression, v: Expression) -> bool:
    """Whether v changes when x does; stop if it does so in a way that x alone does not tell."""
    if not move_together(x, v):
        return False
    if not enters(x, v):
        raise ModelError(
            f"{show(x)} is in {show(v)} too, so that neither has a slope of its own.",
            where=f"formula {fit.model.formula!r}",
            remedy=f"Leave {show(v)} out of the formula, or ask contrast for a combination of coefficients.",
        )
    return True


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
    spread = _spread(fit, name)
    if spread is None:
        raise ModelError(
            f"at which values of {name} the slope is wanted must be said.", remedy=f"Give at={{{name!r}: [...]}}."
        )
    mean, sd = spread
    if abs(sd**2 - mean * (1 - mean)) < 1e-9:
        return [0, 1]
    return [mean - sd, mean, mean + sd]


def _spread(fit: EstimatedMLM, name: str) -> tuple[float, float] | None:
    """Mean and standard deviation of a numeric predictor in the rows used, as far as the fit knows them. The engine's
    columns are centred and of unit variance, each for itself or, where they go together closely, apart from those
    before; the predictor is a sum of these."""
    encoder = fit.recipe.design.learned.encoders[name]
    term = label(encoder.expression)
    if term not in fit.terms or encoder.kind != "numeric" or "(Intercept)" not in fit.terms:
        return None
    i, one = fit.terms.index(term), fit.terms.index("(Intercept)")
    made_of = np.linalg.inv(fit.solution.problem.transform.fixed)
    return made_of[one, i] / made_of[one, one], float(np.sqrt(np.sum(np.delete(made_of[:, i], one) ** 2)))


def _slope(fit: EstimatedMLM, x: str, point: Mapping[str, Any]) -> np.ndarray:
    """Weights (p,) of the coefficients in d response / d x at a point of the other variables."""
    return _weights(fit, x, lambda f: {label(f): 1.0} if show(f) == x else _coded(fit, f, point[show(f)]), {x})


def _derivative(fit: EstimatedMLM, x: Expression, curved: Sequence[str], point: Mapping[str, Any]) -> np.ndarray:
    """The same where x is in other variables too, at a value of x."""
    own = {show(x), *curved}
    spread = _spread(fit, show(x))
    encoders, at = fit.recipe.design.learned.encoders, float(point[show(x)])
    h = _STEP * (spread[1] if spread else max(abs(at), 1.0))

    def row(value: float) -> np.ndarray:
        def columns(f: Expression) -> Mapping[str, float]:
            if show(f) in own:
                return columns_at(encoders[show(f)], x, value, at)
            return _coded(fit, f, point[show(f)])

        return _weights(fit, show(x), columns, own)

    wide, narrow = ((row(at + d) - row(at - d)) / (2 * d) for d in (h, h / 2))
    return np.asarray((4 * narrow - wide) / 3)


def _weights(fit: EstimatedMLM, x: str, columns: Any, own: set[str]) -> np.ndarray:
    """Of the terms that hold one of `own`: products of their factors' columns, by coefficient, (p,). A column that was
    left out and is of these alone is a combination of others of them wherever the predictor stands."""
    row = np.zeros(len(fit.terms))
    for term in fit.recipe.design.formula.fixed:
        if not own & set(map(show, term.factors)):
            continue
        parts = [columns(f) for f in term.factors]
        for chosen in itertools.product(*(part.items() for part in parts)):
            name, weight = ":".join(n for n, _ in chosen), np.prod([v for _, v in chosen])
            if name in fit.terms:
                row[fit.terms.index(name)] = weight
            elif name in fit.recipe.design.aliased and weight and not own >= set(map(show, term.factors)):
                raise ModelError(
                    f"the slope of {x} needs the coefficient of {name}, which was left out as a combination of others.",
                    remedy="Leave out dependent terms.",
                )
    return row


def _coded(fit: EstimatedMLM, variable: Expression, value: Any) -> dict[str, float]:
    """Columns of a variable at one value."""
    name = label(variable)
    encoder = fit.recipe.design.learned.encoders[show(variable)]
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
