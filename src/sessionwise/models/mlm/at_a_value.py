"""A variable of a formula where a part of it has a value: I(x^2) at x = 3, bs(x, df=4) at x = 3.

What moves together when the predictor moves is told by the quantities that variables stand for: x, its deviations
within(x) and detrend(x), and functions of these are of x at the session; lag(x) is of x at another session, between(x)
of the person's level. These are other quantities and stay where they are.
"""

from __future__ import annotations

import operator
from copy import deepcopy
from typing import TYPE_CHECKING

import numpy as np

from ...designs.coding import transform_columns
from ...errors import ModelError
from ...formula import Call, Expression, Name, Number, Op, Paren, Sign, label, names, show
from ...formula.functions import LEARNING, SHIFT, shift
from ...formula.syntax import COMPARISONS, parts

if TYPE_CHECKING:
    from ...designs.coding import Encoder

_SIGNS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
_COMPARED = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


def quantities(e: Expression) -> frozenset[str]:
    """What an expression stands for, as texts that are the same for what moves together."""
    match e:
        case Name():
            return frozenset(column.name for column in names(e))
        case Call("between", (inner,)):
            return frozenset(f"between {q}" for q in quantities(inner))
        case Call(function) if function in SHIFT:
            name, inner, k, by = shift(e)
            return frozenset(f"{k if name == 'lag' else -k} {by} before: {q}" for q in quantities(inner))
        case Call(function, args) if function in LEARNING:
            return quantities(args[0])
    return frozenset(q for part in parts(e) for q in quantities(part))


def move_together(x: Expression, v: Expression) -> bool:
    """Whether v changes when x does."""
    return bool(quantities(x) & quantities(v))


def enters(x: Expression, v: Expression) -> bool:
    """Whether v is made of x and numbers alone."""
    if show(v) == show(x):
        return True
    if isinstance(v, Name) or (isinstance(v, Call) and v.function in ("within", "between", "detrend", *SHIFT)):
        return False
    if isinstance(v, Call) and v.function in LEARNING:
        return enters(x, v.args[0])
    return all(enters(x, part) for part in parts(v)) or isinstance(v, Number)


def columns_at(encoder: Encoder, x: Expression, value: float, side: float) -> dict[str, float]:
    """Columns of a variable that is made of x alone, by name, where x has the value. side : the value of x in
    comparisons, so that no difference of two values goes across a jump.

    Raises
    ------
    ModelError : a variable that has no slope.
    """
    e = encoder.expression
    if encoder.kind == "numeric":
        return {label(e): _number(e, x, value, side)}
    if encoder.kind != "transform" or not isinstance(e, Call):
        raise ModelError(f"{show(e)} is a category, so that {show(x)} has no slope.", remedy=f"Leave out {show(e)}.")
    inner = np.array([_number(e.args[0], x, value, side)])
    made = transform_columns(e, inner, deepcopy(dict(encoder.state)))
    return {str(factor): float(column[0]) for factor, column in made.items()}


def _number(e: Expression, x: Expression, value: float, side: float) -> float:
    if show(e) == show(x):
        return value
    match e:
        case Number(number):
            return float(number)
        case Paren(inner) | Call("I", (inner,)):
            return _number(inner, x, value, side)
        case Sign(sign, inner):
            return -_number(inner, x, value, side) if sign == "-" else _number(inner, x, value, side)
        case Op(sign, left, right) if sign in COMPARISONS:
            return float(_COMPARED[sign](_number(left, x, side, side), _number(right, x, side, side)))
        case Op(sign, left, right):
            a, b = _number(left, x, value, side), _number(right, x, value, side)
            with np.errstate(all="ignore"):
                return float(_SIGNS.get(sign, operator.pow)(np.float64(a), np.float64(b)))
        case Call(function, (inner,)):
            with np.errstate(all="ignore"):
                return float(getattr(np, function)(_number(inner, x, value, side)))
    raise ModelError(f"{show(e)} has no value at a value of {show(x)}.", remedy=f"Leave out {show(e)}.")
