"""Functions: which may stand in a formula, and whether they are called as they must be.

Panel functions look at a person's other sessions; elementwise ones at one cell; transforms and contrasts are
formulaic's and learn something from the data (knots, means, levels), so nothing may stand around them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from ..errors import FormulaError, nearest, some
from .syntax import COMPARISONS, Call, Expression, Listing, Name, Number, Op, Paren, Sign, Text, bare, show

PERSON = ("within", "between", "detrend")
SHIFT = ("lag", "lead")
ELEMENTWISE = ("I", "log", "log2", "log10", "log1p", "exp", "exp2", "sqrt", "abs")
TRANSFORMS = ("bs", "cs", "cr", "cc", "poly", "scale", "center", "standardize")
CONTRASTS = ("treatment", "SAS", "sum", "helmert", "diff", "poly")
KNOWN = (*PERSON, *SHIFT, *ELEMENTWISE, *TRANSFORMS, "C")
LEARNING = (*TRANSFORMS, "C")


class Shift(NamedTuple):
    """`lag(of, k, by)`: the value k sessions or rows before (lag) or after (lead)."""

    function: str
    of: Expression
    k: int
    by: str


def checked(e: Expression) -> Expression:
    """A variable of the formula, sound and in one form: `lag(x, 1)` is `lag(x)`.

    Raises
    ------
    FormulaError : an unknown function, arguments that do not fit it, or something that is no variable.
    """
    if isinstance(e, Call) and e.function in LEARNING:
        _known(e)
        return _learning(e)
    if isinstance(e, Name | Call):
        return _inner(e)
    where = f"term {show(e)}, {e.at}"
    if isinstance(e, Number | Text):
        remedy = "Only 0 and 1 (the intercept) are numbers of a formula; write I(2 * x) for arithmetic."
    else:
        remedy = f"Write I({show(e)}) if arithmetic is meant."
    raise FormulaError(f"{show(e)} is no column and no term.", where=where, remedy=remedy)


def shift(e: Call) -> Shift:
    """The arguments of `lag` and `lead`, checked."""
    given = dict(zip(("x", "k", "by"), e.args, strict=False))
    given |= dict(e.named)
    extra = set(given) - {"x", "k", "by"}
    if "x" not in given or extra or len(e.args) > 3 or len(given) != len(e.args) + len(e.named):
        _arguments(e, f'{e.function}(x), {e.function}(x, k=2) or {e.function}(x, by="row")')
    k, by = given.get("k"), given.get("by")
    if k is not None and not (isinstance(k, Number) and isinstance(k.value, int) and k.value >= 1):
        what = f"k of {e.function} is {show(k)}, not a whole number of 1 or more."
        other = "lead" if e.function == "lag" else "lag"
        raise FormulaError(what, where=f"term {show(e)}, {k.at}", remedy=f"Use {other}(x, k) for the other direction.")
    if by is not None and not (isinstance(by, Text) and by.value in ("session", "row")):
        what = f"by of {e.function} is {show(by)}."
        raise FormulaError(what, where=f"term {show(e)}, {by.at}", remedy='Write by="session" or by="row".')
    steps = int(k.value) if isinstance(k, Number) else 1
    return Shift(e.function, given["x"], steps, by.value if isinstance(by, Text) else "session")


def contrast(e: Expression) -> tuple[str, dict[str, object]]:
    """Name and options of `contr.sum`, `contr.treatment("b")`, `contr.treatment(base="b")`.

    Raises
    ------
    FormulaError : no contrast, or one that is not known.
    """
    function = e.name if isinstance(e, Name) else e.function if isinstance(e, Call) else ""
    known = [f"contr.{name}" for name in CONTRASTS]
    if function not in known:
        raise FormulaError(
            f"{show(e)} is not a contrast.{nearest(function or show(e), known)}",
            where=str(e.at),
            remedy=f"Known contrasts: {some(known, 12)}.",
        )
    options: dict[str, object] = {}
    if isinstance(e, Call):
        options = {name: literal(value) for name, value in e.named}
        if e.args:
            options["base"] = literal(e.args[0])
        allowed = {"contr.treatment": {"base", "drop"}, "contr.SAS": {"base", "drop"}, "contr.poly": {"scores"}}
        if len(e.args) > 1 or not options.keys() <= allowed.get(function, set()):
            _arguments(e, 'contr.sum or contr.treatment(base="b")')
    return function.removeprefix("contr."), options


def literal(e: Expression) -> object:
    """A number, a text, True, False, None, or a list of them.

    Raises
    ------
    FormulaError : anything else.
    """
    constants = {"True": True, "TRUE": True, "False": False, "FALSE": False, "None": None, "NULL": None}
    match bare(e):
        case Number(value) | Text(value):
            return value
        case Sign(sign, Number(value)) if sign in "+-":
            return -value if sign == "-" else value
        case Listing(items) | Call("c", items, ()):
            return [literal(item) for item in items]
        case Name(name) if name in constants:
            return constants[name]
    what = f"{show(e)} must be written out here: a number, a text, True, False or a list."
    raise FormulaError(what, where=str(e.at), remedy="Replace it by its value.")


def _known(e: Call) -> None:
    if e.function in KNOWN:
        return
    remedy = f"Known functions: {', '.join(KNOWN)}."
    if e.function in ("factor", "as.factor", "ns", "np", "ifelse"):
        instead = {"ns": "cr(x, df=...)", "ifelse": "I(x > 3)"}.get(e.function, "C(x)")
        remedy = f"Write {instead} instead. {remedy}"
    what = f"there is no function {e.function!r}.{nearest(e.function, KNOWN)}"
    raise FormulaError(what, where=f"term {show(e)}, {e.at}", remedy=remedy)


def _learning(e: Call) -> Call:
    if not e.args:
        _arguments(e, f"{e.function}(x, ...)")
    first = _inner(e.args[0])
    if e.function == "C":
        if len(e.args) > 2 or not {name for name, _ in e.named} <= {"contrasts", "levels"}:
            _arguments(e, 'C(x), C(x, contr.sum) or C(x, levels=["b", "a"])')
        for choice in (*e.args[1:], *(v for n, v in e.named if n == "contrasts")):
            contrast(choice)
        for name, value in e.named:
            if name == "levels" and not isinstance(literal(value), list):
                _arguments(e, 'C(x, levels=["b", "a"])')
    else:
        for value in (*e.args[1:], *(v for _, v in e.named)):
            literal(value)
    return replace(e, args=(first, *e.args[1:]))


def _inner(e: Expression) -> Expression:
    """An expression that is computed from cells and persons alone."""
    match e:
        case Name(name) if not name.startswith("contr."):
            return e
        case Number():
            return e
        case Paren(inner):
            return replace(e, inner=_inner(inner))
        case Sign(sign, operand) if sign in "+-":
            return replace(e, operand=_inner(operand))
        case Op(sign, left, right) if sign in COMPARISONS:
            texts = [side if isinstance(side, Text) else _inner(side) for side in (left, right)]
            return replace(e, left=texts[0], right=texts[1])
        case Op(sign, left, right) if sign in ("+", "-", "*", "/", "^"):
            return replace(e, left=_inner(left), right=_inner(right))
        case Call():
            return _call(e)
    remedy = "Inside a function operators are arithmetic: + - * / ^ and comparisons; an interaction is written outside."
    raise FormulaError(f"{show(e)} cannot stand inside a function.", where=str(e.at), remedy=remedy)


def _call(e: Call) -> Call:
    _known(e)
    if e.function in LEARNING:
        raise FormulaError(
            f"{show(e)} learns from the rows used, so it cannot stand inside another function.",
            where=str(e.at),
            remedy=f"Turn them round, with {e.function} outermost, such as {e.function}(lag(x)).",
        )
    if e.function in SHIFT:
        _, of, k, by = shift(e)
        named: list[tuple[str, Expression]] = [("k", Number(k, e.at))] if k > 1 else []
        named += [("by", Text(by, e.at))] if by != "session" else []
        return replace(e, args=(_inner(of),), named=tuple(named))
    if len(e.args) != 1 or e.named:
        _arguments(e, f"{e.function}(x)")
    return replace(e, args=(_inner(e.args[0]),))


def _arguments(e: Call, usage: str) -> None:
    what = f"the arguments of {e.function!r} do not fit: {show(e)}."
    raise FormulaError(what, where=str(e.at), remedy=f"Write {usage}.")
