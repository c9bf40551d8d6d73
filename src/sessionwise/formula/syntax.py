"""Syntax: text to a tree of expressions, with R's precedence of operators.

From loosest to tightest: `~`, `|` and `||`, comparisons, `+ -`, `* /`, `:`, unary minus, `^` and `**`.
Every node knows where in the text it stands; two nodes are equal if they say the same, wherever they stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from ..errors import FormulaError


@dataclass(frozen=True, slots=True)
class Span:
    """Characters first:last of `text`."""

    text: str
    first: int
    last: int

    def __str__(self) -> str:
        """For example `character 6 of the formula: y ~ >>wai<< + session`."""
        before, here, after = self.text[: self.first], self.text[self.first : self.last], self.text[self.last :]
        before = before if len(before) <= 30 else "..." + before[-30:]
        after = after if len(after) <= 30 else after[:30] + "..."
        return f"character {self.first + 1} of the formula: {before}>>{here}<<{after}"

    def to(self, other: Span) -> Span:
        return Span(self.text, self.first, other.last)


@dataclass(frozen=True, slots=True)
class Name:
    """A column."""

    name: str
    at: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Number:
    value: int | float
    at: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Text:
    value: str
    at: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Listing:
    """`[1, 2, 3]`."""

    items: tuple[Expression, ...]
    at: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """`function(*args, **named)`."""

    function: str
    args: tuple[Expression, ...]
    named: tuple[tuple[str, Expression], ...]
    at: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Op:
    sign: str
    left: Expression
    right: Expression
    at: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Sign:
    """Unary plus or minus."""

    sign: str
    operand: Expression
    at: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Paren:
    inner: Expression
    at: Span = field(compare=False, repr=False)


Expression = Name | Number | Text | Listing | Call | Op | Sign | Paren

COMPARISONS = ("==", "!=", "<=", ">=", "<", ">")
_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<text>"[^"]*"|'[^']*')
    | (?P<quoted>`[^`]+`)
    | (?P<name>[^\W\d][\w.]*)
    | (?P<sign>\|\||\*\*|==|!=|<=|>=|[~|+\-*/:^()\[\],=<>])
    )""",
    re.VERBOSE,
)
_LEFT = {"~": 1, "|": 2, "||": 2, **dict.fromkeys(COMPARISONS, 3), "+": 4, "-": 4, "*": 5, "/": 5, ":": 6}
_UNARY, _POWER = 7, 8


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: Span


def tree(text: str) -> Expression:
    """The whole of `text` as one expression.

    Raises
    ------
    FormulaError : a character that has no meaning, unbalanced parentheses, an operator without an operand.
    """
    reader = _Reader(text, _tokens(text))
    found = reader.expression(0)
    rest = reader.tokens[reader.position]
    if rest.kind != "end":
        if rest.text in (")", "]"):
            raise FormulaError(
                f"this {rest.text!r} closes nothing: the parentheses are not balanced.",
                where=str(rest.at),
                remedy="Remove it, or open it earlier.",
            )
        raise _unexpected(rest)
    return found


@lru_cache(maxsize=4096)  # building a design asks for the same few again and again
def show(e: Expression) -> str:
    """The expression as text with R's spacing: `lag(within(x), k=2)`, `I(x^2)`, `a:b`."""
    match e:
        case Name(name):
            return name if re.fullmatch(r"[^\W\d][\w.]*", name) else f"`{name}`"
        case Number(value):
            return f"{value:.15g}"
        case Text(value):
            return f'"{value}"' if '"' not in value else f"'{value}'"
        case Listing(items):
            return f"[{', '.join(map(show, items))}]"
        case Call(function, args, named):
            return f"{function}({', '.join([*map(show, args), *(f'{n}={show(v)}' for n, v in named)])})"
        case Sign(sign, operand):
            return sign + show(operand)
        case Paren(inner):
            return f"({show(inner)})"
    sign = "^" if e.sign == "**" else e.sign
    tight = sign in ("^", ":", "/")
    return f"{show(e.left)}{sign}{show(e.right)}" if tight else f"{show(e.left)} {sign} {show(e.right)}"


def label(e: Expression) -> str:
    """What results call it: a column by its name as in the file, unless that could be taken for something else that a
    formula makes (`lag(x)`, `a:b`, `pd[T.1]`); all else as `show`."""
    return e.name if isinstance(e, Name) and not re.search(r"[:()\[\]`]", e.name) else show(e)


def parts(e: Expression) -> tuple[Expression, ...]:
    """The expressions directly inside `e`."""
    match e:
        case Listing(items):
            return items
        case Call(_, args, named):
            return (*args, *(value for _, value in named))
        case Op(_, left, right):
            return left, right
        case Sign(_, inner) | Paren(inner):
            return (inner,)
    return ()


def names(e: Expression) -> Iterator[Name]:
    """The columns named in `e`, in order; names of contrasts (`contr.sum`) are not columns."""
    if isinstance(e, Name):
        if not e.name.startswith("contr."):
            yield e
        return
    for part in parts(e):
        yield from names(part)


def calls(e: Expression) -> list[Call]:
    """The function calls in `e`, outermost first."""
    inside = [call for part in parts(e) for call in calls(part)]
    return [e, *inside] if isinstance(e, Call) else inside


def bare(e: Expression) -> Expression:
    """Without the parentheses around it."""
    while isinstance(e, Paren):
        e = e.inner
    return e


def _tokens(text: str) -> list[_Token]:
    tokens, position = [], 0
    stripped = len(text.rstrip())
    while position < stripped:
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            first = position + len(text[position:]) - len(text[position:].lstrip())
            raise _no_token(Span(text, first, first + 1))
        kind = match.lastgroup
        tokens.append(_Token(kind, match[kind], Span(text, match.start(kind), match.end(kind))))
        position = match.end()
    return [*tokens, _Token("end", "", Span(text, stripped, stripped))]


def _no_token(at: Span) -> FormulaError:
    character = at.text[at.first]
    remedy = {
        ".": "Name the columns; `.` for all the others is not supported.",
        "%": "Write a:b for `a %in% b`; other %operators% are not supported.",
        "`": "Close the backtick: `name of the column`.",
        '"': "Close the quotation mark.",
        "'": "Close the quotation mark.",
    }.get(character, "Remove it; put the name of a column that holds it into backticks: `name of the column`.")
    return FormulaError(f"{character!r} has no meaning in a formula.", where=str(at), remedy=remedy)


def _unexpected(token: _Token) -> FormulaError:
    if token.kind == "end":
        return FormulaError(
            "the formula ends where something is still to come.",
            where=str(token.at),
            remedy="Write what is missing, or remove the last operator.",
        )
    return FormulaError(
        f"{token.text!r} cannot stand here.",
        where=str(token.at),
        remedy="Put an operator (+, *, :, |) between two terms; a random term is written (1 + x | group).",
    )


@dataclass(slots=True)
class _Reader:
    """Tokens and how far they are read."""

    text: str
    tokens: list[_Token]
    position: int = 0

    def next(self) -> _Token:
        token = self.tokens[self.position]
        self.position += token.kind != "end"
        return token

    def has(self, sign: str) -> bool:
        token = self.tokens[self.position]
        return token.kind == "sign" and token.text == sign

    def expression(self, least: int) -> Expression:
        """Operators that bind at least as tightly as `least`."""
        left = self.operand()
        while True:
            token = self.tokens[self.position]
            power = token.text in ("^", "**")
            binding = 0 if token.kind != "sign" else _POWER if power else _LEFT.get(token.text, 0)
            if not binding or binding < least:
                return left
            self.next()
            right = self.expression(_UNARY if power else binding + 1)  # ^ takes a sign, and groups from the right
            left = Op("^" if power else token.text, left, right, left.at.to(right.at))

    def operand(self) -> Expression:
        token = self.next()
        match token.kind:
            case "number":
                value = float(token.text)
                return Number(int(value) if re.fullmatch(r"\d+", token.text) else value, token.at)
            case "text":
                return Text(token.text[1:-1], token.at)
            case "quoted":
                return Name(token.text[1:-1], token.at)
            case "name":
                return self.call(token) if self.has("(") else Name(token.text, token.at)
        if token.text in ("+", "-", "~") and token.kind == "sign":
            inner = self.expression(1 if token.text == "~" else _UNARY)
            return Sign(token.text, inner, token.at.to(inner.at))
        if token.text == "(":
            inner = self.expression(0)
            return Paren(inner, token.at.to(self.close(token, ")")))
        if token.text == "[":
            items, named, end = self.arguments(token, "]")
            if named:
                raise _unexpected(self.tokens[self.position - 1])
            return Listing(items, token.at.to(end))
        raise _unexpected(token)

    def call(self, name: _Token) -> Expression:
        args, named, end = self.arguments(self.next(), ")")
        return Call(name.text, args, named, name.at.to(end))

    def arguments(
        self, opened: _Token, closing: str
    ) -> tuple[tuple[Expression, ...], tuple[tuple[str, Expression], ...], Span]:
        args: list[Expression] = []
        named: list[tuple[str, Expression]] = []
        while not self.has(closing):
            value = self.expression(2)
            if self.has("=") and isinstance(value, Name):
                self.next()
                named.append((value.name, self.expression(2)))
            elif named:
                raise FormulaError(
                    "an argument without a name follows one with a name.",
                    where=str(value.at),
                    remedy="Put the arguments without names first.",
                )
            else:
                args.append(value)
            if not self.has(","):
                break
            self.next()
        return tuple(args), tuple(named), self.close(opened, closing)

    def close(self, opened: _Token, closing: str) -> Span:
        if self.has(closing):
            return self.next().at
        if self.tokens[self.position].kind == "end" or self.has(")") or self.has("]"):
            raise FormulaError(
                f"this {opened.text!r} is never closed: the parentheses are not balanced.",
                where=str(opened.at),
                remedy=f"Add the missing {closing!r}.",
            )
        raise _unexpected(self.tokens[self.position])


def summed(expression: Expression) -> list[Expression]:
    """The parts that are joined by +, brackets taken away."""
    if isinstance(expression, Op) and expression.sign == "+":
        return [*summed(expression.left), *summed(expression.right)]
    return summed(expression.inner) if isinstance(expression, Paren) else [expression]
