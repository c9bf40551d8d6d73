"""Values: an expression of a formula as one number, or one label, for each row of a Panel; and why it is missing.

`value` computes, once for each expression; `causes` looks only at the rows where a value is missing and says
why, so that every row that is dropped can be counted under its reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from ..errors import DesignError, FormulaError, nearest, some
from ..formula import Call, Expression, Name, Number, Op, Paren, Sign, Text, column_unknown, names, show
from ..formula.functions import LEARNING, PERSON, SHIFT, shift
from ..formula.syntax import COMPARISONS
from ..panel import Panel
from ..panel.panel import Labels
from ..panel.same_labels import positions
from ..words import counted
from .person_values import (
    FEWEST_FOR_LINE,
    detrended,
    largest,
    person_means,
    source_rows,
    to_rows,
    without_rounding,
)

Values = np.ndarray | Labels
#: A step, relative to an argument's size, that shows how a function carries rounding along.
_SMALL = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A Panel, the person means that were given, and what has been computed from it so far.

    partial : whether these are some of a study's persons, of whom the others are elsewhere. learned : whether the
    design was made before, of other data. In both cases a label that the formula asks for need not be here.
    """

    panel: Panel
    given: Mapping[str, Mapping[object, float]] = field(default_factory=dict)
    partial: bool = False
    learned: bool = False
    values: dict[str, Values] = field(default_factory=dict)
    means: dict[str, np.ndarray] = field(default_factory=dict)
    shifts: dict[tuple[int, str], np.ndarray] = field(default_factory=dict)
    sizes: dict[str, np.ndarray] = field(default_factory=dict)
    labels: dict[str, Labels] = field(default_factory=dict)


class Reason(NamedTuple):
    """Why a value is missing: a short stable code, and the end of a sentence: about an expression, if it has one, with
    what stands before and after it."""

    code: str
    before: str
    about: Expression | None = None
    after: str = ""

    def words(self, names: Mapping[str, str] | None = None) -> str:
        """The end of the sentence. names : column -> what to call it."""
        match self.about:
            case None:
                return self.before
            case Name(column):
                about = (names or {}).get(column, column)
            case _:
                about = show(self.about)
        return f"{self.before}{about}{self.after}"


def value(e: Expression, source: Source) -> Values:
    """Float64 (n_rows,) with NaN for missing, or Labels; what a transform or `C` learns from is its first argument.

    Raises
    ------
    FormulaError : a column that is not there, numbers wanted and labels given.
    DesignError : infinite values.
    """
    if isinstance(e, Call) and e.function in LEARNING:
        e = e.args[0]
    key = show(e)
    if key not in source.values:
        source.values[key] = _computed(e, source)
    return source.values[key]


def missing(values: Values) -> np.ndarray:
    """bool (n_rows,)."""
    return values.codes < 0 if isinstance(values, Labels) else np.isnan(values)


def causes(e: Expression, rows: np.ndarray, source: Source) -> Iterator[tuple[Reason, np.ndarray]]:
    """Why `e` is missing in `rows`, int64 (m,), where it is: reasons, each with positions in `rows`; a partition."""
    if isinstance(e, Call) and e.function in LEARNING:
        e = e.args[0]
    match e:
        case Name():
            yield Reason("missing", "", e, " is missing"), np.arange(len(rows))
        case Paren(inner) | Sign(_, inner):
            yield from causes(inner, rows, source)
        case Op(_, left, right):
            yield from _first_cause([left, right], e, rows, source)
        case Call(function) if function in SHIFT:
            yield from _shift_causes(e, rows, source)
        case Call("between", (inner,)):
            yield Reason("never-observed", "", inner, " was never observed for the person"), np.arange(len(rows))
        case Call("detrend", (inner,)):
            lacks = missing(value(inner, source))[rows]
            yield from _at(causes(inner, rows[lacks], source), np.flatnonzero(lacks))
            few = f"the person has fewer than {FEWEST_FOR_LINE} sessions with "
            yield Reason("too-few-to-detrend", few, inner, ", too few to detrend it"), np.flatnonzero(~lacks)
        case Call(_, args):
            yield from _first_cause(list(args), e, rows, source)


def must_have_columns(variables: Mapping[Expression, object], panel: Panel) -> None:
    """Stop at the first name that is no column. `variables`: expression -> the term it stands in."""
    for variable, term in variables.items():
        for name in names(variable if not isinstance(variable, Call) else _data_part(variable)):
            if name.name not in panel:
                raise column_unknown(name, panel.columns, term)


def _data_part(e: Call) -> Expression:
    return e.args[0] if e.function in LEARNING else e


# --- computing ----------------------------------------------------------------------------------


def _computed(e: Expression, source: Source) -> Values:
    match e:
        case Name(name):
            return _column(e, source.panel) if name in source.panel else _unknown(e, source.panel)
        case Number(number):
            return np.full(len(source.panel), float(number))
        case Paren(inner) | Call("I", (inner,)):
            return value(inner, source)
        case Sign(sign, operand):
            numbers = _numbers(operand, source, e)
            return -numbers if sign == "-" else numbers
        case Op(sign) if sign in COMPARISONS:
            return _compared(e, source)
        case Op(sign):
            made = _arithmetic(e, source)
            return _finite(without_rounding(made, _size(e, source)) if sign in "+-" else made, e, source.panel)
        case Call(function) if function in SHIFT:
            return _shifted(e, source)
        case Call("within", (inner,)):
            numbers = _numbers(inner, source, e)
            apart = numbers - to_rows(_means(inner, numbers, source), source.panel.starts)
            return without_rounding(apart, _size(e, source))
        case Call("between", (inner,)):
            means = to_rows(_means(inner, _numbers(inner, source, e), source), source.panel.starts)
            return without_rounding(means, _size(e, source))
        case Call("detrend", (inner,)):
            left = detrended(_numbers(inner, source, e), source.panel.sessions, source.panel.starts)
            return without_rounding(left, _size(e, source))
        case Call(function, (inner,)):
            with np.errstate(all="ignore"):
                out: np.ndarray = getattr(np, function)(_numbers(inner, source, e))
            return _finite(out, e, source.panel)
    raise FormulaError(f"{show(e)} has no value.", where=str(e.at), remedy="Write a column, or a function of one.")


def _size(e: Expression, source: Source) -> np.ndarray:
    """How large the numbers were that `e` was made from, float64 (n_rows,): its rounding is in proportion to that, not
    to what is left of them."""
    key = show(e)
    if key not in source.sizes:
        source.sizes[key] = _sized(e, source)
    return source.sizes[key]


def _sized(e: Expression, source: Source) -> np.ndarray:
    match e:
        case Paren(inner) | Call("I", (inner,)) | Sign(_, inner):
            return _size(inner, source)
        case Op(sign, left, right) if sign in "+-*/":
            a, b = _size(left, source), _size(right, source)
            if sign in "+-":
                return np.asarray(np.maximum(a, b))
            x, y = np.abs(_numbers(left, source, e)), np.abs(_numbers(right, source, e))
            with np.errstate(all="ignore"):
                return np.asarray(x * b + y * a if sign == "*" else (a + x * b / y) / y)
        case Call(function, (inner, *_)) if function in SHIFT:
            own = _size(inner, source)[rows := _source(e, source)]
            return np.where(rows < 0, np.nan, own)
        case Call(function, (inner,)) if function in PERSON:
            return largest(_size(inner, source), source.panel.starts)
        case Call(function, (inner,)):
            # how the function carries rounding of its argument along
            x, step = _numbers(inner, source, e), _size(inner, source) * _SMALL
            with np.errstate(all="ignore"):
                carry = np.abs(getattr(np, function)(x + step) - getattr(np, function)(x - step)) / (2 * _SMALL)
            return np.asarray(np.fmax(np.abs(_numbers(e, source, e)), carry))
    values = value(e, source)
    return np.full(len(source.panel), np.nan) if isinstance(values, Labels) else np.abs(values)


def _unknown(e: Name, panel: Panel) -> Values:
    raise column_unknown(e, panel.columns, show(e))


def _column(e: Name, panel: Panel) -> Values:
    if e.name == panel.roles.session:
        return panel.sessions.astype(np.float64)  # its number, however it is written in the file
    if not panel.is_numeric(e.name):
        if panel.series(e.name).dtype.is_temporal():
            raise FormulaError(
                f"column {e.name!r} holds dates, which a formula cannot use.",
                where=str(e.at),
                remedy="Use the session number, or add a column of days as numbers.",
            )
        return panel.labels(e.name)
    return _finite(panel[e.name], e, panel)


def _numbers(e: Expression, source: Source, outer: Expression) -> np.ndarray:
    values = value(e, source)
    if isinstance(values, Labels):
        raise FormulaError(
            f"{show(e)} holds labels, not numbers, so {show(outer)} has no meaning.",
            where=str(e.at),
            remedy='Use it as it is, or compare it: I(x == "label").',
        )
    return values


def _finite(values: np.ndarray, e: Expression, panel: Panel) -> np.ndarray:
    infinite = np.isinf(values)
    if infinite.any():
        rows = np.flatnonzero(infinite)
        raise DesignError(
            f"{show(e)} is infinite in {counted(len(rows), 'row')}.",
            where=panel.where(rows),
            remedy="Correct these cells or declare them missing."
            if isinstance(e, Name)
            else "Change the formula, or declare the cells missing for which it has no value.",
        )
    return values


def _arithmetic(e: Op, source: Source) -> np.ndarray:
    left, right = _numbers(e.left, source, e), _numbers(e.right, source, e)
    with np.errstate(all="ignore"):
        match e.sign:
            case "+":
                out = left + right
            case "-":
                out = left - right
            case "*":
                out = left * right
            case "/":
                out = left / right
            case _:
                out = left**right
    return np.where(np.isnan(left) | np.isnan(right), np.nan, out)  # nan**0 is 1, and would hide a missing cell


def _compared(e: Op, source: Source) -> np.ndarray:
    """1 and 0 for true and false, NaN where a side is missing."""
    if isinstance(e.left, Text):
        turned = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}.get(e.sign, e.sign)
        return _compared(replace(e, sign=turned, left=e.right, right=e.left), source)
    operators = {"==": np.equal, "!=": np.not_equal, "<": np.less, ">": np.greater}
    operator = {**operators, "<=": np.less_equal, ">=": np.greater_equal}[e.sign]
    if not isinstance(e.right, Text):
        left, right = _numbers(e.left, source, e), _numbers(e.right, source, e)
        return np.where(np.isnan(left) | np.isnan(right), np.nan, operator(left, right))
    labels = value(e.left, source)
    if not isinstance(labels, Labels) or e.sign not in ("==", "!="):
        raise FormulaError(
            f"{show(e)} compares what cannot be compared.",
            where=str(e.at),
            remedy="Compare labels with == or !=, and numbers with numbers.",
        )
    wanted = [str(level) for level in labels.levels.tolist()]
    if e.right.value not in wanted and not (source.partial or source.learned):  # others may have it, or had it
        raise FormulaError(
            f"{show(e.left)} has no value {e.right.value!r}.{nearest(e.right.value, wanted)}",
            where=str(e.right.at),
            remedy=f"Its values: {some(wanted, 12)}.",
        )
    code = wanted.index(e.right.value) if e.right.value in wanted else len(wanted)
    return np.where(labels.codes < 0, np.nan, operator(labels.codes, code))


def _source(e: Call, source: Source) -> np.ndarray:
    function, _, k, by = shift(e)
    key = (k if function == "lag" else -k, by)
    if key not in source.shifts:
        source.shifts[key] = source_rows(source.panel.sessions, source.panel.starts, *key)
    return source.shifts[key]


def _shifted(e: Call, source: Source) -> Values:
    inner, rows = value(e.args[0], source), _source(e, source)
    if isinstance(inner, Labels):
        return Labels(np.where(rows < 0, np.int32(-1), inner.codes[rows]), inner.levels)
    shifted: np.ndarray = inner[rows]
    shifted[rows < 0] = np.nan
    return shifted


def _means(inner: Expression, numbers: np.ndarray, source: Source) -> np.ndarray:
    """The persons' means of an expression: those given, computed for the others."""
    key = show(inner)
    if key not in source.means:
        means = person_means(numbers, source.panel.starts)
        given = source.given.get(key)
        if given is not None:
            at = positions(list(given), source.panel.persons, "a person of means=")
            means = np.where(at >= 0, np.array([*given.values(), np.nan], np.float64)[at], means)
        source.means[key] = means
    return source.means[key]


# --- why a value is missing ---------------------------------------------------------------------


def _at(found: Iterator[tuple[Reason, np.ndarray]], positions: np.ndarray) -> Iterator[tuple[Reason, np.ndarray]]:
    for reason, at in found:
        yield reason, positions[at]


def _first_cause(
    operands: list[Expression], e: Expression, rows: np.ndarray, source: Source
) -> Iterator[tuple[Reason, np.ndarray]]:
    """The cause in the first operand that is missing; if none is, `e` is not defined there (log(-1))."""
    left = np.arange(len(rows))
    for operand in operands:
        if isinstance(operand, Text):
            continue
        lacks = missing(value(operand, source))[rows[left]]
        yield from _at(causes(operand, rows[left[lacks]], source), left[lacks])
        left = left[~lacks]
    yield Reason("not-defined", "", e, " is not defined"), left


def _shift_causes(e: Call, rows: np.ndarray, source: Source) -> Iterator[tuple[Reason, np.ndarray]]:
    function, inner, k, by = shift(e)
    at, panel = _source(e, source)[rows], source.panel
    word, edge = ("previous", "first") if function == "lag" else ("next", "last")
    step = (
        word if k == 1 else f"{k} {'rows' if by == 'row' else 'sessions'} {'back' if word == 'previous' else 'ahead'}"
    )
    person = np.searchsorted(panel.starts, rows, side="right") - 1
    ends = panel.sessions[panel.starts[:-1] if function == "lag" else panel.starts[1:] - 1][person]
    beyond = panel.sessions[rows] - k < ends if function == "lag" else panel.sessions[rows] + k > ends
    nowhere = (at < 0) & (beyond | (by == "row"))
    if k == 1:
        none = Reason(f"no-{word}", f"no {word} session (the person's {edge})")
        skipped = Reason(f"{word}-skipped", f"the {word} session was skipped")
        then = f"at the {word} session"
    else:
        none = Reason(f"no-{word}", f"no session {step} (before the person's first)")
        none = none if function == "lag" else Reason(none.code, f"no session {step} (after the person's last)")
        skipped = Reason(f"{word}-skipped", f"the session {step} was skipped")
        then = f"{step}"
    yield none, np.flatnonzero(nowhere)
    yield skipped, np.flatnonzero((at < 0) & ~nowhere)
    there = np.flatnonzero(at >= 0)
    for reason, found in _at(causes(inner, at[there], source), there):
        about_cell = reason.code in ("missing", "previous-missing", "next-missing")
        shifted = reason._replace(code=f"{word}-missing", after=f"{reason.after} {then}")
        yield (shifted if about_cell else reason), found
