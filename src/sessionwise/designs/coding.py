"""Coding: the variables of a formula as columns of numbers, and what was learned from the rows used.

Categories are coded as R codes them: treatment contrasts with the first level as reference where the term
without them is in the model too, else one column for each level. Contrasts and transforms (splines, polynomials,
centring) are formulaic's, and so are column names: `pd[T.1]`, `bs(x, df=4)[2]`, `a[T.b]:x`.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, NamedTuple

import numpy as np

from ..errors import Argument, DesignError, FormulaError, Wording, nearest, read_option, some
from ..formula import Call, Expression, Name, Term, label, show
from ..formula.functions import TRANSFORMS, contrast, literal
from ..panel.panel import Labels
from ..panel.same_labels import positions
from ..words import agree
from .values import Source, value

INTERCEPT = "(Intercept)"

Columns = dict[str, np.ndarray]


@dataclass(frozen=True, slots=True, eq=False)
class Encoder:
    """One variable and what was learned about it.

    kind : 'numeric', 'categorical' or 'transform'.
    levels : labels of a categorical variable in order; empty for others.
    state : what formulaic's transform keeps (knots, means, ...); empty for others.
    """

    expression: Expression
    kind: str
    levels: tuple[Any, ...] = ()
    state: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Factor:
    """A variable as it stands in a column, which is the product of one Factor or more.

    variable : of the formula. column : which of its columns, as the name has it in brackets ('T.1', '2'); '' for the
    one of a numeric variable. level : the category whose rows have a 1 in it, None for anything else.
    """

    variable: Expression
    column: str = ""
    level: Any = None

    def __str__(self) -> str:
        name = label(self.variable)
        return f"{name}[{self.column}]" if self.column else name


#: Each column of one variable.
Block = dict[Factor, np.ndarray]


def same(one: Encoder, other: Encoder) -> bool:
    """Whether two encoders code a variable alike."""
    return one.kind == other.kind and one.levels == other.levels and _equal(one.state, other.state)


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(_equal(a[name], b[name]) for name in a)
    return bool(np.array_equal(np.asarray(a), np.asarray(b)))


class Coded(NamedTuple):
    """Columns of a part of a formula by name, which of them each term has, and the factors of each; none of the
    intercept."""

    columns: Columns
    terms: dict[str, tuple[str, ...]]
    factors: dict[str, tuple[Factor, ...]]


def learn(e: Expression, source: Source, rows: np.ndarray) -> Encoder:
    """What must be kept about a variable so that other data can be coded alike.

    Raises
    ------
    DesignError : a categorical variable has one value only, or a transform cannot be made.
    """
    if isinstance(e, Call) and e.function in TRANSFORMS:
        if source.partial and not len(rows):
            raise DesignError(
                f"{show(e)} learns from the rows used, and no row of these persons can be used.",
                where=f"term {show(e)}",
                remedy="Make the Gram like one of persons with such rows: model.gram(panel, like=that).",
            )
        state: dict[str, Any] = {}
        _transformed(e, source, rows, state)
        return Encoder(e, "transform", (), state)
    as_category = isinstance(e, Call) and e.function == "C"
    values = value(e, source)
    if not (as_category or isinstance(values, Labels)):
        return Encoder(e, "numeric")
    labels = _labels(e, source)
    used = np.flatnonzero(np.bincount(labels.codes[rows]))
    levels = tuple(_plain(level) for level in labels.levels[used].tolist())
    levels = _asked(e, levels, source, rows, labels)
    if len(levels) < 2:
        held = f"one value only in the rows used: {some(levels)}" if levels else "no value in the rows used"
        raise DesignError(
            f"{show(e)} has {held}.",
            where=f"term {show(e)}",
            remedy=name_levels(e, levels) if source.partial else "Leave it out of the formula.",
        )
    if not as_category:
        _is_category(e, levels, source, rows)
    return Encoder(e, "categorical", levels)


#: Text in which every value is a number is taken for a category's codes where there are no more values than this.
MOST_CODES = 10
_A_NUMBER = re.compile(r"\s*[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?\s*")


def _is_category(e: Expression, levels: tuple[Any, ...], source: Source, rows: np.ndarray) -> None:
    """Stop at text that is none: numbers stored as text, or a value of its own in nearly every row.

    Raises
    ------
    DesignError : which, with how to make numbers of it.
    """
    import polars as pl

    if not isinstance(e, Name) or source.panel.series(e.name).dtype != pl.String:
        return
    numbers = all(_A_NUMBER.fullmatch(level) for level in levels)
    decimal = numbers and any(sign in level for level in levels for sign in ".,")
    if numbers and (decimal or len(levels) > MOST_CODES):
        comma = any("," in level for level in levels)
        plain = f"frame[{e.name!r}]" + ('.str.replace(",", ".")' if comma else "")
        fix = read_option("decimal", ",") if comma else read_option("types", {e.name: "number"})
        convert = Argument(f"frame[{e.name!r}] = {plain}.astype(float)", fix.option)
        raise DesignError(
            f"column {e.name!r} holds text, not numbers, such as {levels[0]!r}.",
            where=f"term {show(e)}",
            remedy=Wording("Make numbers of it: ", convert, f"; or write C({show(e)}) if each is a category."),
        )
    if len(levels) > MOST_CODES and len(levels) > 0.8 * len(rows):
        raise DesignError(
            f"column {e.name!r} holds text with {len(levels):,} values in {len(rows):,} rows, which is no category.",
            where=f"term {show(e)}",
            remedy=f"Leave it out, or give a column of few values or of numbers in the place of {e.name!r}.",
        )


def code(
    terms: Sequence[Term], encoders: Mapping[str, Encoder], source: Source, rows: np.ndarray, known: Columns
) -> Coded:
    """The columns of `terms` for `rows`. `known`: columns made before, which are used again, not made anew.

    Raises
    ------
    DesignError : a value that was not there when the levels were learned.
    """
    keys = {term.key for term in terms}
    columns: Columns = {}
    by_term: dict[str, tuple[str, ...]] = {}
    factors: dict[str, tuple[Factor, ...]] = {}
    blocks: dict[tuple[str, bool], Block] = {}
    for term in terms:
        parts = []
        for f in term.factors:
            encoder = encoders[show(f)]
            full = encoder.kind == "categorical" and _full(f, term, terms, keys, encoders)
            at = (show(f), full)
            if at not in blocks:
                blocks[at] = _block(encoder, full, source, rows)
            parts.append(blocks[at])
        made = _products(parts) if parts else {INTERCEPT: ()}
        for name, own in made.items():
            columns[name] = known[name] if name in known else _product(own, parts, len(rows))
        factors |= made
        by_term[str(term)] = tuple(made)
    return Coded(columns, by_term, factors)


def _full(f: Expression, term: Term, terms: Sequence[Term], keys: set[Any], encoders: Mapping[str, Encoder]) -> bool:
    """R's rule: contrasts if the term without f is there, or f is a main effect and not the first without intercept."""
    if len(term.factors) > 1:
        return term.key - {show(f)} not in keys
    alone = [t.factors[0] for t in terms if len(t.factors) == 1]
    first = next(g for g in alone if encoders[show(g)].kind == "categorical")
    return frozenset() not in keys and first == f


def _products(parts: list[Block]) -> dict[str, tuple[Factor, ...]]:
    """Every product of one column of each part by its name, those of the first part fastest."""
    chosen = (tuple(reversed(one)) for one in itertools.product(*reversed(parts)))
    return {":".join(map(str, factors)): factors for factors in chosen}


def _product(factors: tuple[Factor, ...], parts: list[Block], n: int) -> np.ndarray:
    columns = [part[factor] for factor, part in zip(factors, parts, strict=True)]
    if not columns:
        return np.broadcast_to(1.0, n)
    if len(columns) == 1:
        return columns[0]
    with np.errstate(over="ignore"):  # build.py names what is infinite
        return reduce(np.multiply, columns)


def _block(encoder: Encoder, full: bool, source: Source, rows: np.ndarray) -> Block:
    text = show(encoder.expression)
    if encoder.kind == "transform":
        assert isinstance(encoder.expression, Call)
        return _transformed(encoder.expression, source, rows, deepcopy(dict(encoder.state)))
    values = value(encoder.expression, source)
    if encoder.kind == "numeric":
        if isinstance(values, Labels):
            raise DesignError(
                f"{text} was numeric when the design was made, and holds labels now.",
                where=f"column {text!r}",
                remedy="Give numbers, as before.",
            )
        return {Factor(encoder.expression): values if len(rows) == len(values) else values[rows]}
    codes = _codes(encoder, _labels(encoder.expression, source), source, rows)
    matrix, names = contrasts(encoder, full)
    indicators = ((matrix == 0) | (matrix == 1)).all(axis=0) & (matrix.sum(axis=0) == 1)
    levels = [encoder.levels[int(matrix[:, j].argmax())] if indicators[j] else None for j in range(len(names))]
    return {
        Factor(encoder.expression, name, level): matrix[codes, j]
        for j, (name, level) in enumerate(zip(names, levels, strict=True))
    }


# --- categories ---------------------------------------------------------------------------------


def _labels(e: Expression, source: Source) -> Labels:
    """A variable as labels; numbers are their own, ascending."""
    values = value(e, source)
    if isinstance(values, Labels):
        return values
    key = show(e)
    if key not in source.labels:
        missing = np.isnan(values)
        levels = np.unique(values[~missing])
        codes = np.where(missing, -1, np.searchsorted(levels, values)).astype(np.int32)
        source.labels[key] = Labels(codes, levels)
    return source.labels[key]


def _plain(level: Any) -> Any:
    return int(level) if isinstance(level, float) and level.is_integer() else level


def _asked(e: Expression, levels: tuple[Any, ...], source: Source, rows: np.ndarray, labels: Labels) -> tuple[Any, ...]:
    """The levels in the order that `C(x, levels=[...])` asks for."""
    chosen = next((v for n, v in e.named if n == "levels"), None) if isinstance(e, Call) else None
    if chosen is None:
        return levels
    wanted = literal(chosen)
    assert isinstance(wanted, list)
    by_text = {str(level): level for level in levels}
    order = tuple(by_text.get(str(level), level) for level in wanted)
    left_out = [level for level in levels if level not in order]
    if left_out or len(set(order)) < len(order):
        raise DesignError(
            f"the levels given for {show(e)} leave out or repeat values: {some(left_out or order)}.",
            where=f"term {show(e)}",
            remedy=f"Name each of its values once: {some(levels, 12)}.",
        )
    return order if source.partial else tuple(level for level in order if level in levels)


def _codes(encoder: Encoder, labels: Labels, source: Source, rows: np.ndarray) -> np.ndarray:
    """Positions in the levels learned, int64 (n_used,)."""
    found = positions(encoder.levels, labels.levels, f"column {show(encoder.expression)!r}")
    codes: np.ndarray = np.append(found, -1)[labels.codes[rows]]
    unseen = np.flatnonzero(codes < 0)
    if len(unseen):
        new = [labels.levels[c] for c in np.unique(labels.codes[rows[unseen]])]
        text = show(encoder.expression)
        remedy = f"Known values: {some(encoder.levels, 12)}. Correct these cells or leave out these rows."
        if source.partial:
            remedy = name_levels(encoder.expression, [*encoder.levels, *map(_plain, new)])
        if {isinstance(level, str) for level in new}.isdisjoint(isinstance(level, str) for level in encoder.levels):
            remedy = f"They were {_kind(encoder.levels)} then and are {_kind(new)} now: keep the column's type."
        raise DesignError(
            f"{text} has {agree(len(new), 'a value that was', 'values that were')} not there when the design was "
            f"made: {some(map(str, new))}.{nearest(str(new[0]), map(str, encoder.levels))}",
            where=f"column {text!r}, {source.panel.where(rows[unseen])}",
            remedy=remedy,
        )
    return codes


def _kind(levels: Sequence[Any]) -> str:
    return "labels" if isinstance(levels[0], str) else "numbers"


def name_levels(e: Expression, known: Iterable[Any]) -> str:
    """A remedy where persons apart from others have some of a category's values only. known : those that are known."""
    levels = list(dict.fromkeys(known))
    with suppress(TypeError):  # numbers and text stay in the order in which they came
        levels.sort()
    named = f"levels=[{', '.join(json.dumps(level, ensure_ascii=False, default=str) for level in levels) or '...'}]"
    of_category = isinstance(e, Call) and e.function == "C"
    write = f"Add {named} to {show(e)}" if of_category else f"Write C({show(e)}, {named}) for {show(e)}"
    return (
        f"{write} in the formula of all Grams, with every value that occurs in any; or make all others like a Gram "
        "whose persons have every value: model.gram(panel, like=that)."
    )


def contrasts(encoder: Encoder, full: bool) -> tuple[np.ndarray, list[str]]:
    """Coding matrix (n_levels, n_columns) and the names of its columns."""
    e, levels = encoder.expression, list(encoder.levels)
    options = [*e.args[1:], *(v for n, v in e.named if n == "contrasts")] if isinstance(e, Call) else []
    options = options if isinstance(e, Call) and e.function == "C" else []
    if full:
        return np.eye(len(levels)), [str(level) for level in levels]
    if not options:
        return np.eye(len(levels))[:, 1:], [f"T.{level}" for level in levels[1:]]
    from formulaic.transforms.contrasts import ContrastsRegistry

    name, arguments = contrast(options[0])
    if "base" in arguments:
        by_text = {str(level): level for level in levels}
        if str(arguments["base"]) not in by_text:
            base = str(arguments["base"])
            raise FormulaError(
                f"{show(e)}: the base {base!r} is none of its values.{nearest(base, by_text)}",
                where=str(options[0].at),
                remedy=f"Use one of {some(levels, 12)}.",
            )
        arguments["base"] = by_text[str(arguments["base"])]
    try:
        chosen = getattr(ContrastsRegistry, name)(**arguments)
        matrix = np.asarray(chosen.get_coding_matrix(levels, reduced_rank=True), np.float64)
        names = chosen.get_coding_column_names(levels, reduced_rank=True)
        form = chosen.get_factor_format(levels, reduced_rank=True)
    except (ValueError, TypeError, IndexError) as error:
        raise _failed(e, error) from None
    return matrix, [form.format(name="", field=n)[1:-1] for n in names]


# --- transforms ---------------------------------------------------------------------------------


def _transformed(e: Call, source: Source, rows: np.ndarray, state: dict[str, Any]) -> Block:
    """A transform of the rows used."""
    values = value(e, source)
    if isinstance(values, Labels):
        raise FormulaError(
            f"{show(e.args[0])} holds labels, not numbers, so {show(e)} has no meaning.",
            where=str(e.at),
            remedy="Use it as it is.",
        )
    columns = transform_columns(e, values[rows], state)
    for name, column in columns.items():
        if not np.isfinite(column).all():
            raise DesignError(
                f"{name} has no finite value in {np.count_nonzero(~np.isfinite(column)):,} rows.",
                where=source.panel.where(rows[~np.isfinite(column)]),
                remedy="Check that the variable varies, or choose another transform.",
            )
    return columns


def transform_columns(e: Call, values: np.ndarray, state: dict[str, Any]) -> Block:
    """A transform of formulaic's, which keeps what it learns in `state`; values : of its first argument.

    Raises
    ------
    FormulaError, DesignError : the transform cannot be made of these values.
    """
    from formulaic.transforms import TRANSFORMS as formulaics

    options = {name: literal(v) for name, v in e.named}
    try:
        with np.errstate(all="ignore"):
            made = formulaics[e.function](values, *map(literal, e.args[1:]), _state=state, **options)
    except (ValueError, TypeError, IndexError, KeyError) as error:
        raise _failed(e, error) from None
    meta = getattr(made, "__formulaic_metadata__", None)
    plain = getattr(made, "__wrapped__", made)
    if isinstance(plain, dict):
        columns = {Factor(e, str(name)): np.asarray(column, np.float64) for name, column in plain.items()}
    elif np.ndim(plain) == 2:
        names: Iterable[Any] = (meta and meta.column_names) or range(1, plain.shape[1] + 1)
        columns = {Factor(e, str(name)): np.asarray(plain[:, j], np.float64) for j, name in enumerate(names)}
    else:
        columns = {Factor(e): np.asarray(plain, np.float64)}
    return columns


def _failed(e: Expression, error: Exception) -> DesignError:
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    return DesignError(
        f"{show(e)} cannot be made: {reason}",
        where=f"term {show(e)}, {e.at}",
        remedy='Change its options, or for new data outside the range learned, add extrapolation="extend" or leave '
        "out these rows.",
    )
