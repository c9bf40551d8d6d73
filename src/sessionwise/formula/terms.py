"""Terms: what a formula's tree means, as R and lme4 read it.

`a * b` is `a + b + a:b`; `a / b` is `a + a:b`; `(a + b)^2` has every interaction of two; `-` takes terms away;
interactions come after main effects; the intercept is there unless `0` or `-1` says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ..errors import FormulaError, nearest, some
from ..options import TEXT, YES_OR_NO, takes
from .functions import checked
from .syntax import Expression, Name, Number, Op, Paren, Sign, bare, label, names, show, tree


@dataclass(frozen=True, slots=True)
class Term:
    """A product of variables; without any it is the intercept."""

    factors: tuple[Expression, ...]

    @property
    def key(self) -> frozenset[str]:
        """What tells terms apart: equal for `a:b` and `b:a`."""
        return frozenset(map(show, self.factors))

    def __str__(self) -> str:
        return ":".join(map(show, self.factors)) or "1"


@dataclass(frozen=True, slots=True)
class Group:
    """A grouping factor: one column, or several whose combinations are the groups."""

    columns: tuple[Name, ...]

    @property
    def label(self) -> str:
        """What results call it: as in the file."""
        return ":".join(map(label, self.columns))

    def __str__(self) -> str:
        return ":".join(map(show, self.columns))


@dataclass(frozen=True, slots=True)
class RandomTerm:
    """`(terms | group)`; `correlated` is false for `||`."""

    terms: tuple[Term, ...]
    group: Group
    correlated: bool

    def __str__(self) -> str:
        return f"({_sum(self.terms)} {'|' if self.correlated else '||'} {self.group})"


@dataclass(frozen=True, slots=True)
class Formula:
    """What a formula says.

    text : as it was written.
    response : the left-hand side; None for a one-sided formula.
    fixed : terms in the order of their columns, the intercept (a Term without factors) first if it is there.
    random : random terms; `(1 | a/b)` is two, for a and for a:b.
    """

    text: str
    response: Expression | None
    fixed: tuple[Term, ...]
    random: tuple[RandomTerm, ...]

    @property
    def variables(self) -> tuple[Expression, ...]:
        """What must be known in every row: response, then variables in order of appearance, each once."""
        response = (self.response,) if self.response is not None else ()
        every = (f for term in (*self.fixed, *(t for r in self.random for t in r.terms)) for f in term.factors)
        return tuple(dict.fromkeys((*response, *every)))

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column named, grouping factors last."""
        used = [name.name for variable in self.variables for name in names(variable)]
        return tuple(dict.fromkeys([*used, *(c.name for r in self.random for c in r.group.columns)]))

    def __str__(self) -> str:
        right = " + ".join([_sum(self.fixed), *map(str, self.random)])
        return f"{show(self.response)} ~ {right}" if self.response is not None else f"~ {right}"


@takes(FormulaError, text=TEXT, response=YES_OR_NO)
def parse_formula(text: str, *, response: bool = True) -> Formula:
    """Read a formula.

    Parameters
    ----------
    text : such as `core_om ~ lag(core_om) + within(wai_sr) * pd + (1 + session | patient)`.
    response : whether a response is expected; if not, the formula is one-sided: `~ pd`.

    Raises
    ------
    FormulaError : what is not in the grammar; it names the place in the text, and the nearest function.

    >>> f = parse_formula("y ~ a * lag(x) + (1 + x | clinic/patient)")
    >>> print(f)
    y ~ 1 + a + lag(x) + a:lag(x) + (1 + x | clinic) + (1 + x | clinic:patient)
    """
    if not isinstance(text, str) or not text.strip():
        raise FormulaError("the formula is empty.", remedy="Write one such as 'y ~ x + (1 | person)'.")
    try:
        return _parsed(text, response)
    except RecursionError:
        raise FormulaError(
            "the formula is too long or too deeply nested.", remedy="Compute some of its columns beforehand."
        ) from None


@lru_cache(maxsize=256)  # simulations fit one formula thousands of times
def _parsed(text: str, response: bool) -> Formula:
    left, right = _sides(tree(text), response)
    fixed, bars = _split(right)
    random = [term for bar in bars for term in _random(bar)]
    order = _order([*fixed, *(t for r in random for t in r.terms)])
    random = [RandomTerm(_sorted(r.terms, order), r.group, r.correlated) for r in random]
    formula = Formula(text, left, _sorted(fixed, order), tuple(random))
    _no_repeats(formula)
    return formula


def column_unknown(name: Name, columns: Iterable[str], term: object, kind: str = "column") -> FormulaError:
    """The error for a column that is not in the data. `term`: where in the formula it is used."""
    columns = list(columns)
    return FormulaError(
        f"there is no {kind} {name.name!r}.{nearest(name.name, columns)}",
        where=f"term {term}, {name.at}",
        remedy=f"Use one of these columns: {some(columns, 12)}.",
    )


def _sides(whole: Expression, response: bool) -> tuple[Expression | None, Expression]:
    example = "Write the response before the ~, such as 'y ~ x + (1 | person)'."
    match whole:
        case Sign("~", right):
            if response:
                raise FormulaError("the formula has no response.", where=str(whole.at), remedy=example)
            return None, right
        case Op("~", left, right):
            if not response:
                raise FormulaError(
                    "the formula has a response, and none is expected here.",
                    where=str(left.at),
                    remedy=f"Write ~ {show(right)}.",
                )
            left = bare(left)
            if isinstance(left, Number):
                raise FormulaError("the formula has no response.", where=str(left.at), remedy=example)
            return checked(left), right
    raise FormulaError("the formula has no ~.", where=str(whole.at), remedy=example)


def _split(right: Expression) -> tuple[list[Term], list[Op]]:
    """Fixed terms, and the random ones as they stand."""
    fixed, bars = [Term(())], []
    for sign, part in _summands(right):
        inner = bare(part)
        if isinstance(inner, Op) and inner.sign in ("|", "||") and isinstance(part, Paren):
            if sign == "-":
                raise FormulaError(
                    "a random term cannot be subtracted.", where=str(part.at), remedy="Leave it out instead."
                )
            bars.append(inner)
            continue
        if isinstance(part, Paren) and any(isinstance(p, Number) for _, p in _summands(part.inner)):
            raise FormulaError(
                f"{show(part)} looks like a random term without its bar.",
                where=str(part.at),
                remedy=f"Write ({show(part.inner)} | group), or leave out the parentheses.",
            )
        fixed = _joined(fixed, sign, part)
    return fixed, bars


def _summands(e: Expression) -> list[tuple[str, Expression]]:
    match e:
        case Op("+" | "-" as sign, left, right):
            return [*_summands(left), (sign, right)]
        case Sign("+" | "-" as sign, operand):
            return [(sign, operand)]
    return [("+", e)]


def _joined(terms: list[Term], sign: str, part: Expression) -> list[Term]:
    """`terms` with those of `part` added or taken away."""
    inner = bare(part)
    if isinstance(inner, Number) and inner.value == 0:
        sign, new = ("-" if sign == "+" else "+"), [Term(())]
    else:
        new = _terms(part)
    keys = {t.key for t in new}
    if sign == "-":
        return [t for t in terms if t.key not in keys]
    return _unique([*terms, *new])


def _terms(e: Expression) -> list[Term]:
    """The terms of a part of the formula, without an intercept that is not written."""
    match e:
        case Paren(inner):
            return _terms(inner)
        case Number(value) if value == 1:
            return [Term(())]
        case Op("+" | "-", _, _) | Sign("+" | "-", _):
            found: list[Term] = []
            for sign, part in _summands(e):
                found = _joined(found, sign, part)
            return found
        case Op(":", left, right):
            return _crossed(_terms(left), _terms(right))
        case Op("*", left, right):
            a, b = _terms(left), _terms(right)
            return _unique([*a, *b, *_crossed(a, b)])
        case Op("/", left, right):
            a = _terms(left)
            every = Term(tuple(dict.fromkeys(f for t in a for f in t.factors)))
            return _unique([*a, *_crossed([every], _terms(right))])
        case Op("^", left, Number(value)) if isinstance(value, int) and 1 <= value <= 20:
            a = found = _terms(left)
            for _ in range(value - 1):
                found = _unique([*found, *_crossed(found, a)])
            return found
        case Op("|" | "||" as sign, left, right):
            remedy = f"Add it as a summand in parentheses: ... + ({show(left)} {sign} {show(right)})."
            raise FormulaError("a random term cannot stand here.", where=str(e.at), remedy=remedy)
    return [Term((checked(e),))]


def _crossed(a: list[Term], b: list[Term]) -> list[Term]:
    return _unique([Term(tuple(dict.fromkeys((*s.factors, *t.factors)))) for s in a for t in b])


def _unique(terms: Iterable[Term]) -> list[Term]:
    first: dict[frozenset[str], Term] = {}
    for term in terms:
        first.setdefault(term.key, term)
    return list(first.values())


def _random(bar: Op) -> list[RandomTerm]:
    terms = [Term(())]
    for sign, part in _summands(bare(bar.left)):
        terms = _joined(terms, sign, part)
    if not terms:
        raise FormulaError(
            "a random term without any random effect.", where=str(bar.at), remedy="Write (1 | group) for an intercept."
        )
    return [RandomTerm(tuple(terms), group, bar.sign == "|") for group in _groups(bar.right)]


def _groups(e: Expression) -> list[Group]:
    """`a/b` is a and a:b."""
    match bare(e):
        case Name() as name:
            return [Group((name,))]
        case Op(":", left, right):
            a, b = _groups(left), _groups(right)
            if len(a) == len(b) == 1:
                return [Group(tuple(dict.fromkeys((*a[0].columns, *b[0].columns))))]
        case Op("/", left, right):
            outer = _groups(left)
            return [*outer, *(Group((*outer[-1].columns, *g.columns)) for g in _groups(right))]
    raise FormulaError(
        f"{show(e)} is no grouping factor.",
        where=str(e.at),
        remedy="After the bar stands a column, or columns with : (their combinations) or / (nested).",
    )


def _order(terms: Sequence[Term]) -> dict[str, int]:
    seen = dict.fromkeys(show(factor) for term in terms for factor in term.factors)
    return {text: i for i, text in enumerate(seen)}


def _sorted(terms: Iterable[Term], order: dict[str, int]) -> tuple[Term, ...]:
    """By number of factors; factors within a term by their first appearance in the formula."""
    tidy = [Term(tuple(sorted(t.factors, key=lambda f: order[show(f)]))) for t in terms]
    return tuple(sorted(tidy, key=lambda t: len(t.factors)))


def _no_repeats(formula: Formula) -> None:
    if formula.response is not None:
        same = Term((formula.response,)).key
        for term in (*formula.fixed, *(t for r in formula.random for t in r.terms)):
            if term.key == same:
                what = f"the response {show(formula.response)} is on the right-hand side too."
                remedy = f"Remove it; lag({show(formula.response)}) is its value at the previous session."
                raise FormulaError(what, where=str(term.factors[0].at), remedy=remedy)
    seen: set[tuple[str, frozenset[str]]] = set()
    for random in formula.random:
        for term in random.terms:
            if (str(random.group), term.key) in seen:
                raise FormulaError(
                    f"two random terms give {random.group} the same effect, {term}.",
                    where=f"term {random} of {formula.text!r}",
                    remedy="Leave it out of one of them, for instance (1 | g) + (0 + x | g).",
                )
            seen.add((str(random.group), term.key))


def _sum(terms: Sequence[Term]) -> str:
    if not terms:
        return "0"
    return " + ".join([*([] if not terms[0].factors else ["0"]), *map(str, terms)])
