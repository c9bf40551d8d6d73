"""Paths: the within level's formulas, `y ~ lag(y) + lag(w)`, as a list of what predicts what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import FormulaError
from ...formula.syntax import Call, Expression, Name, Number, Op, show, summed, tree

#: Sessions that a lag can go back, by the number of variables (core/dsem/states.hpp).
MOST_LAGS = {1: 3, 2: 3, 3: 2, 4: 2}


@dataclass(frozen=True, slots=True)
class Path:
    """`response` on `predictor`, `lag` sessions before (0: the same session)."""

    response: str
    predictor: str
    lag: int

    @property
    def name(self) -> str:
        """Such as 'core_om ~ lag(wai_sr)'."""
        shown = {0: self.predictor, 1: f"lag({self.predictor})"}
        return f"{self.response} ~ {shown.get(self.lag, f'lag({self.predictor}, {self.lag})')}"


@dataclass(frozen=True, slots=True)
class Paths:
    """variables : responses, in the order of the formulas. covariates : predictors that are no response."""

    paths: tuple[Path, ...]
    variables: tuple[str, ...]
    covariates: tuple[str, ...]

    @property
    def lags(self) -> int:
        """The longest lag of a variable, at least 1."""
        return max([1, *(p.lag for p in self.paths if p.predictor in self.variables)])

    @property
    def instant(self) -> bool:
        """Whether a variable predicts another at the same session."""
        return any(p.lag == 0 and p.predictor in self.variables for p in self.paths)


def parsed(formulas: Sequence[str]) -> Paths:
    """Of one formula for each variable.

    Raises
    ------
    FormulaError : a formula that is not of this kind, a variable with two formulas, paths within a session in a circle.
    """
    found: list[Path] = []
    variables: list[str] = []
    for formula in formulas:
        whole = tree(formula)
        if not (isinstance(whole, Op) and whole.sign == "~" and isinstance(whole.left, Name)):
            raise _wrong("a formula of the within level begins with a column and `~`", formula)
        response = whole.left.name
        if response in variables:
            raise _wrong(f"{response} has two formulas", formula)
        variables.append(response)
        for part in summed(whole.right):
            path = _path(response, part, formula)
            if path in found:
                raise _wrong(f"{path.name} is there twice", formula)
            found.append(path)
    covariates = tuple(dict.fromkeys(p.predictor for p in found if p.predictor not in variables))
    paths = Paths(tuple(found), tuple(variables), covariates)
    _possible(paths, formulas)
    return paths


def _possible(paths: Paths, formulas: Sequence[str]) -> None:
    together = "; ".join(formulas)
    most = MOST_LAGS.get(len(paths.variables))
    if most is None:
        raise _wrong(f"the model has {len(paths.variables)} variables and takes one to four", together)
    if paths.lags > most:
        raise _wrong(f"a lag goes back {paths.lags} sessions, and {most} is the most with these variables", together)
    for path in paths.paths:
        if path.predictor in paths.covariates and path.lag:
            raise _wrong(f"{path.predictor} has no formula of its own, so it can only stand without lag()", together)
    if (circle := _circle(paths)) is not None:
        raise _wrong(f"paths within a session run in a circle: {' → '.join(circle)}", together)


def _circle(paths: Paths) -> list[str] | None:
    """Variables that predict themselves within a session, by way of each other."""
    causes = {v: [p.predictor for p in paths.paths if p.response == v and p.lag == 0] for v in paths.variables}

    def walk(at: str, way: list[str]) -> list[str] | None:
        if at in way:
            return [*way[way.index(at) :], at][::-1]
        for before in causes.get(at, []):
            if (found := walk(before, [*way, at])) is not None:
                return found
        return None

    return next((found for v in paths.variables if (found := walk(v, [])) is not None), None)


def _path(response: str, expression: Expression, formula: str) -> Path:
    if isinstance(expression, Call) and expression.function == "lag" and len(expression.args) in (1, 2):
        named = dict(expression.named)
        steps = expression.args[1] if len(expression.args) == 2 else named.pop("k", Number(1, expression.at))
        if named:
            raise _wrong(f"lag has no option {next(iter(named))!r} here: lags go by session number", formula)
        if not isinstance(steps, Number) or steps.value < 1 or steps.value % 1:
            raise _wrong(f"{show(expression)} has no whole number of sessions", formula)
        return Path(response, _name(expression.args[0], formula), int(steps.value))
    name = _name(expression, formula)
    if name == response:
        raise _wrong(f"{name} predicts itself: only its lags can", formula)
    return Path(response, name, 0)


def _name(expression: Expression, formula: str) -> str:
    if not isinstance(expression, Name):
        raise _wrong(f"{show(expression)} cannot stand at the within level", formula)
    return expression.name


def _wrong(what: str, formula: str) -> FormulaError:
    return FormulaError(
        f"{what}.",
        where=f"formula {formula!r}",
        remedy="Write one formula a variable, such as 'y ~ lag(y) + lag(w)': columns and lag(...) joined by +.",
    )


def person_level(formula: str) -> tuple[str, ...]:
    """Columns of `between`, such as '~ pd + age'; none of '~ 1'.

    Raises
    ------
    FormulaError : anything but columns joined by +.
    """
    remedy = "Write '~ pd + age': columns that do not change within persons, joined by +; '~ 1' for none."
    text = formula.strip()
    if not text.startswith("~"):
        raise FormulaError("between begins with `~`.", where=f"formula {formula!r}", remedy=remedy)
    whole = tree(f"person {text}")
    assert isinstance(whole, Op)
    parts = summed(whole.right)
    names = [part.name for part in parts if isinstance(part, Name)]
    others = [
        part for part in parts if not isinstance(part, Name) and not (isinstance(part, Number) and part.value == 1)
    ]
    if others:
        raise FormulaError(f"{show(others[0])} cannot stand in between.", where=f"formula {formula!r}", remedy=remedy)
    return tuple(dict.fromkeys(names))
