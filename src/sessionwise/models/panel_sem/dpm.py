"""DPM: the dynamic panel model by maximum likelihood (Allison, Williams & Moral-Benito 2017, Socius 3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, ClassVar

from ...errors import FormulaError, ModelError, Wording, model_option, some
from ...findings import Finding
from ...formula.syntax import Call, Expression, Name, Number, Op, show, summed, tree
from ...options import A_FORMULA, NUMBERS, YES_OR_NO, an_object, fields_of_kind, one_of, takes
from ...threads import one_thread
from ...words import num, p_words
from .blueprint import Blueprint, Column, Draft, Parameter, ParameterKind, at_wave
from .model import ErrorsKind, OverWaves, PanelModel
from .score_test import score_test

if TYPE_CHECKING:
    from .solution import SEMEstimates

#: Waves that a lag can go back.
MOST_STEPS = 1000
#: A p-value of the score test of `same_wave` below this is said.
LEVEL = 0.05
_ORDER: tuple[ParameterKind, ...] = ("lag", "effect", "covariate", "intercept", "residual", "mean", "nuisance")


@dataclass(frozen=True, slots=True)
class Predictor:
    """A time-varying predictor: column `name`, `lag` waves before; `predetermined`: it may depend on earlier residuals
    of the outcome."""

    name: str
    lag: int
    predetermined: bool


@dataclass(frozen=True, slots=True)
class DPM(PanelModel):
    """Dynamic panel model: one equation for the outcome, with whatever is stable in the person held constant.

    formula : `y ~ lag(y) + pre(lag(x)) + lag(z) | w`. lag(y) belongs to the model and may be left out; `lag(x, 2)` is
        two waves back. pre(...): predetermined, x may depend on earlier outcomes, as an alliance does; without it a
        predictor is strictly exogenous. After `|`: columns that do not change within persons.
    waves, from_end : as in RICLPM; the first wave, or as many as the longest lag needs, is predicted by nothing.
    lags : coefficients 'equal' over waves, or 'free'. residuals : variances 'free' or 'equal' over waves.
    same_wave : whether the outcome's residual may go with a predetermined predictor of the same wave, and not only with
        later ones. The published model says no (False). Say yes where both are measured at one session and share what
        happened there, or the outcome comes first: without it a lagged effect is then biased.
    errors : as in RICLPM.

    The person's effect is a latent variable that moves the outcome alike at all waves and may go with all time-varying
    predictors and the first outcomes, as in a fixed-effects model; it does not go with the columns after `|`.

    Raises
    ------
    FormulaError : a formula that is not of this kind. ModelError : an unknown option.

    >>> import sessionwise as sw
    >>> panel = sw.Panel(sw.datasets.demo(scale_scores=True), person="patient", session="session")
    >>> fit = DPM("core_om ~ lag(core_om) + pre(lag(wai_sr))", waves=6, same_wave=True).fit(panel)
    >>> fit.verdict.converged
    True
    """

    formula: str
    waves: int | Sequence[int] | None = None
    from_end: bool = False
    lags: OverWaves = "equal"
    residuals: OverWaves = "free"
    same_wave: bool = False
    errors: ErrorsKind = "observed"

    label: ClassVar[str] = "DPM"
    has_within: ClassVar[bool] = False

    def __post_init__(self) -> None:
        fields_of_kind(self, formula=A_FORMULA, from_end=YES_OR_NO, same_wave=YES_OR_NO)
        one_of("lags", self.lags, ("equal", "free"))
        one_of("residuals", self.residuals, ("free", "equal"))
        one_of("errors", self.errors, ("auto", "expected", "observed", "robust"))
        parsed(self.formula)

    @property
    def title(self) -> str:
        other = {"lags": "equal", "residuals": "free", "same_wave": False}
        options = [f"{k}={getattr(self, k)!r}" for k, v in other.items() if getattr(self, k) != v]
        return f"{self.label} {self.formula.strip()}" + (f" ({', '.join(options)})" if options else "")

    @property
    def columns(self) -> tuple[str, ...]:
        return parsed(self.formula).changing

    @property
    def remedy(self) -> str:
        return Wording(
            "Use ",
            *self.fewer_parameters,
            "other waves, or more persons; a negative variance of the person's effect says that persons hardly differ "
            "beyond what the lags carry over.",
        )

    @takes(ModelError, waves=NUMBERS)
    def blueprint(self, waves: tuple[int, ...]) -> Blueprint:
        return _drawn(self, parsed(self.formula), waves)

    @takes(ModelError, solution=an_object("SEMEstimates"))
    @one_thread()
    def cautions(self, solution: SEMEstimates) -> list[Finding]:
        """Whether residuals go with predetermined predictors of the same wave, which the published model holds at zero.

        Where both are rated at one session they share what happened there, and the lagged effect is then biased.
        """
        if self.same_wave:
            return []
        small = solution.grouped.blueprint
        test = score_test(solution, replace(self, same_wave=True).blueprint(small.waves))
        if test is None or test.p >= LEVEL:
            return []
        names = dict.fromkeys(p.predictor for p in test.added)
        what = (
            f"the residuals of {small.variables[0]} seem to go with {some(names)} of the same wave (score test "
            f"chi2({test.df}) = {num(test.chi2)}, {p_words(test.p, close=True)}), which this model "
            "holds at zero; if so, its lagged effects are biased."
        )
        return [
            Finding(
                "warning",
                "same-wave",
                what,
                remedy=Wording("Fit the model with ", model_option("same_wave", True), "."),
            )
        ]


@dataclass(frozen=True, slots=True)
class Equation:
    """outcome : name. predictors : the outcome's own lags first. constant : columns after `|`."""

    outcome: str
    predictors: tuple[Predictor, ...]
    constant: tuple[str, ...]

    @property
    def changing(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([self.outcome, *(p.name for p in self.predictors)]))

    @property
    def longest(self) -> int:
        return max(p.lag for p in self.predictors)


def parsed(formula: str) -> Equation:
    """The formula's equation."""
    whole = tree(formula)
    if not (isinstance(whole, Op) and whole.sign == "~" and isinstance(whole.left, Name)):
        raise _wrong("a formula of a dynamic panel model begins with the outcome's column and `~`", formula)
    right: Expression = whole.right
    constant: tuple[str, ...] = ()
    if isinstance(right, Op) and right.sign == "|":
        constant = tuple(_name(e, formula, "after `|`") for e in summed(right.right))
        right = right.left
    outcome = whole.left.name
    found = [_predictor(e, formula) for e in summed(right)]
    own = [p for p in found if p.name == outcome]
    if any(p.lag == 0 or p.predetermined for p in own):
        raise _wrong(f"{outcome} predicts itself: only its lags can", formula)
    if not any(p.lag == 1 for p in own):
        own.insert(0, Predictor(outcome, 1, False))
    predictors = (*own, *(p for p in found if p.name != outcome))
    equation = Equation(outcome, tuple(predictors), constant)
    _once(equation, formula)
    return equation


def _once(equation: Equation, formula: str) -> None:
    seen: dict[tuple[str, int], Predictor] = {}
    for p in equation.predictors:
        if (p.name, p.lag) in seen:
            raise _wrong(f"{p.name} is there twice with one lag", formula)
        if any(name == p.name and other.predetermined != p.predetermined for (name, _), other in seen.items()):
            raise _wrong(f"{p.name} is both predetermined and strictly exogenous", formula)
        seen[p.name, p.lag] = p
    for name in equation.constant:
        if name in equation.changing or equation.constant.count(name) > 1:
            raise _wrong(f"{name} is there twice", formula)


def _predictor(expression: Expression, formula: str) -> Predictor:
    if isinstance(expression, Call) and expression.function == "pre" and len(expression.args) == 1:
        inner = _predictor(expression.args[0], formula)
        return Predictor(inner.name, inner.lag, True)
    if isinstance(expression, Call) and expression.function == "lag" and len(expression.args) in (1, 2):
        named = dict(expression.named)
        steps = expression.args[1] if len(expression.args) == 2 else named.pop("k", Number(1, expression.at))
        if named:
            raise _wrong(f"lag has no option {next(iter(named))!r} here: waves are session numbers", formula)
        if not isinstance(steps, Number) or not 1 <= steps.value <= MOST_STEPS or steps.value % 1:
            raise _wrong(f"{show(expression)} has no whole number of waves", formula)
        return Predictor(_name(expression.args[0], formula, "in lag"), int(steps.value), False)
    return Predictor(_name(expression, formula, "as a predictor"), 0, False)


def _name(expression: Expression, formula: str, where: str) -> str:
    if not isinstance(expression, Name):
        raise _wrong(f"{show(expression)} cannot stand {where}", formula)
    return expression.name


def _wrong(what: str, formula: str) -> FormulaError:
    return FormulaError(
        f"{what}.",
        where=f"formula {formula!r}",
        remedy="Write y ~ lag(y) + pre(lag(x)) + lag(z) | w: columns, lag(...) and pre(...) joined by +.",
    )


def _drawn(model: DPM, equation: Equation, waves: tuple[int, ...]) -> Blueprint:
    if len(waves) < equation.longest + 2:
        raise ModelError(
            f"{len(waves)} waves are too few for a lag of {equation.longest}: two or more outcomes must be predicted.",
            where=model.title,
            remedy=f"Use {equation.longest + 2} waves or more.",
        )
    columns = _columns(equation, waves)
    draft = Draft(columns)
    for column in columns:
        node = draft.node(column.variable)
        draft.fix(draft.at[column], node)
        draft.within[column.variable, column.wave or 0] = node
        draft.mean(draft.at[column], _mean(column))
    nodes = {column: draft.within[column.variable, column.wave or 0] for column in columns}
    predicted = [Column(equation.outcome, wave) for wave in waves[equation.longest :]]
    _equations(draft, model, equation, waves, nodes)
    given = [column for column in columns if column not in predicted]
    for one, other in combinations_with_replacement(given, 2):
        draft.covary(nodes[one], nodes[other], _moment(one, other, "nuisance"), 1.0 if one == other else 0.0)
    _person(draft, equation.outcome, predicted, given, nodes)
    _residuals(draft, model, equation, predicted, given, nodes)
    return draft.done(waves, (equation.outcome,), _ORDER)


def _columns(equation: Equation, waves: tuple[int, ...]) -> list[Column]:
    """Columns that an equation uses, the outcome's first."""
    used = {(equation.outcome, wave) for wave in waves}
    for p in equation.predictors:
        used |= {(p.name, waves[i - p.lag]) for i in range(equation.longest, len(waves))}
    changing = [Column(name, wave) for name in equation.changing for wave in waves if (name, wave) in used]
    return [*changing, *(Column(name) for name in equation.constant)]


def _equations(
    draft: Draft, model: DPM, equation: Equation, waves: tuple[int, ...], nodes: Mapping[Column, int]
) -> None:
    y = equation.outcome
    for p in equation.predictors:
        what = p.name if p.lag == 0 else f"lag({p.name})" if p.lag == 1 else f"lag({p.name}, {p.lag})"
        for i in range(equation.longest, len(waves)):
            own = None if model.lags == "equal" else waves[i]
            name = at_wave(f"{y} ~ {what}", own)
            parameter = Parameter(name, "lag" if p.lag else "effect", y, p.name, own, steps=p.lag)
            before = nodes[Column(p.name, waves[i - p.lag])]
            draft.path(nodes[Column(y, waves[i])], before, parameter, 0.3 if p.name == y and p.lag == 1 else 0.0)
    for name in equation.constant:
        for wave in waves[equation.longest :]:
            parameter = Parameter(f"{y} ~ {name}", "covariate", y, name)
            draft.path(nodes[Column(y, wave)], nodes[Column(name)], parameter)


def _person(
    draft: Draft, y: str, predicted: Sequence[Column], given: Sequence[Column], nodes: Mapping[Column, int]
) -> None:
    """The person's effect."""
    person = draft.persons[y] = draft.node(y)
    for column in predicted:
        draft.fix(nodes[column], person)
    draft.covary(person, person, Parameter(f"intercept var({y})", "intercept", y, y), 0.2)
    for column in given:
        if column.wave is not None:
            name = f"cov(person effect, {column})"
            draft.covary(person, nodes[column], Parameter(name, "intercept", y, column.variable, column.wave))


def _residuals(
    draft: Draft,
    model: DPM,
    equation: Equation,
    predicted: Sequence[Column],
    given: Sequence[Column],
    nodes: Mapping[Column, int],
) -> None:
    y = equation.outcome
    free = {p.name for p in equation.predictors if p.predetermined}
    now = {p.name for p in equation.predictors if p.lag == 0}
    for column in predicted:
        assert column.wave is not None
        own = None if model.residuals == "equal" else column.wave
        name = at_wave(f"residual var({y})", own)
        draft.covary(nodes[column], nodes[column], Parameter(name, "residual", y, y, own), 0.4)
        for other in given:
            if other.variable not in free or other.wave is None:
                continue
            if other.wave > column.wave or (
                model.same_wave and other.wave == column.wave and other.variable not in now
            ):
                draft.covary(nodes[column], nodes[other], _moment(column, other, "residual"))


def _mean(column: Column) -> Parameter:
    return Parameter(at_wave(f"mean({column.variable})", column.wave), "mean", column.variable, "", column.wave)


def _moment(one: Column, other: Column, kind: ParameterKind) -> Parameter:
    what = at_wave(f"var({one.variable})", one.wave) if one == other else f"cov({one}, {other})"
    return Parameter(what, kind, one.variable, other.variable, one.wave)
