"""Options of `fit` as text, and the description of a model that they make."""

from __future__ import annotations

import re
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import SessionwiseError, nearest, some
from .options import SINGULAR, chosen, flag, literals, number, used

#: Fields of the models' descriptions that are called otherwise on the command line.
CALLED = {**SINGULAR, "x": "outcome", "y": "process", "outcomes": "person_outcome"}


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """What the fields of the models' descriptions are given on the command line, and --df, of the multilevel model's
    tables. Which model has which is in their descriptions; `described` makes one. None, empty or False: not given."""

    outcome: Annotated[
        tuple[str, ...],
        typer.Option(help="riclpm, clpm, dsem: column of the outcome; repeat for indicators (riclpm, clpm)."),
    ] = ()
    process: Annotated[
        tuple[str, ...],
        typer.Option(help="riclpm, clpm, dsem: column of the process; repeat for indicators (riclpm, clpm)."),
    ] = ()
    third: Annotated[tuple[str, ...], typer.Option(help="riclpm, clpm: a third variable.")] = ()
    waves: Annotated[str | None, typer.Option(help="Panel models: how many sessions (6), or which (1,2,4).")] = None
    from_end: Annotated[bool, typer.Option("--from-end", help="Panel models: count from the last session.")] = False
    lags: Annotated[str | None, typer.Option(help="Panel models: 'equal' (default) or 'free' over waves.")] = None
    means: Annotated[str | None, typer.Option(help="riclpm, clpm: 'free' (default), 'equal' or 'linear'.")] = None
    residuals: Annotated[str | None, typer.Option(help="Panel models: 'free' (default) or 'equal'.")] = None
    covariate: Annotated[tuple[str, ...], typer.Option(help="riclpm, clpm: a person's covariate; repeat.")] = ()
    group: Annotated[str | None, typer.Option(help="riclpm, clpm: column of groups.")] = None
    same: Annotated[tuple[str, ...], typer.Option(help="riclpm, clpm: what groups share, such as 'lag'.")] = ()
    without: Annotated[tuple[str, ...], typer.Option(help="riclpm: no random intercept of this variable.")] = ()
    same_wave: Annotated[bool, typer.Option("--same-wave", help="dpm: residuals go with pre() of their wave.")] = False
    errors: Annotated[
        str | None,
        typer.Option(help="Panel models: 'expected', 'observed', 'robust', 'auto' (default; dpm: observed)."),
    ] = None
    method: Annotated[str | None, typer.Option(help="mlm: 'REML' (default) or 'ML'.")] = None
    residual: Annotated[
        str | None, typer.Option(help="mlm: 'independent' (default), 'ar1' (by session number), 'car1' (by time).")
    ] = None
    variance_by: Annotated[
        str | None, typer.Option(help="mlm: column whose values have residual variances of their own.")
    ] = None
    df: Annotated[
        str | None,
        typer.Option(help="mlm: 'satterthwaite' (default), 'kenward-roger', 'residual', 'normal', or a number."),
    ] = None
    within: Annotated[
        tuple[str, ...],
        typer.Option(
            help="dsem: a variable's formula, 'y ~ lag(y) + lag(w)', instead of --outcome; repeat for others."
        ),
    ] = ()
    between: Annotated[str | None, typer.Option(help="dsem: predictors of persons, '~ pd + age'.")] = None
    random: Annotated[
        tuple[str, ...],
        typer.Option(help="dsem: 'cross' (default), 'all', 'none', or a path that differs between persons; repeat."),
    ] = ()
    variances: Annotated[
        str | None, typer.Option(help="dsem: of innovations, 'common' (default) or 'random' over persons.")
    ] = None
    trend: Annotated[str | None, typer.Option(help="dsem: persons' own courses, 'linear' or 'quadratic'.")] = None
    course: Annotated[str | None, typer.Option(help="dsem: common course, 'free' (default) or 'none'.")] = None
    error: Annotated[
        tuple[str, ...],
        typer.Option(help="dsem: measurement error, 'items', 'estimated', or COLUMN=VARIANCE; repeat for others."),
    ] = ()
    first: Annotated[
        str | None, typer.Option(help="dsem: first session, 'own' (default), 'stationary', 'previous' or 'given'.")
    ] = None
    clusters: Annotated[bool, typer.Option("--clusters", help="dsem: levels differ between clusters.")] = False
    treatment_length: Annotated[
        bool, typer.Option("--treatment-length", help="dsem: effects may go with the number of sessions.")
    ] = False
    person_outcome: Annotated[
        tuple[str, ...], typer.Option(help="dsem: a person's outcome, regressed on random effects; repeat.")
    ] = ()
    factor: Annotated[bool, typer.Option("--factor", help="dsem: one factor holds random effects together.")] = False
    correlated: Annotated[
        str | None, typer.Option(help="dsem: random effects that correlate, 'levels' (default), 'all' or 'none'.")
    ] = None
    priors: Annotated[
        tuple[str, ...],
        typer.Option(help="dsem: 'weak' (default), 'mplus', 'y ~ lag(w)=MEAN,SD' or 'sd(y ~ lag(w))=SCALE'; repeat."),
    ] = ()
    effect_sd: Annotated[
        float | None, typer.Option(help="dsem: scale of the prior of a random coefficient's SD (default 0.3).")
    ] = None


def models() -> dict[str, Any]:
    """Name of each model on the command line -> its description's class."""
    from ..models import MODELS

    return dict(MODELS)


def model_options(model: str) -> dict[str, str]:
    """Option -> field of the model's description, but for the formula; --df is of the multilevel model's tables.

    Raises
    ------
    SessionwiseError : an unknown model.
    """
    known = models()
    chosen("--model", model, tuple(known))
    names = {CALLED.get(f.name, f.name): f.name for f in fields(known[model]) if f.name != "formula"}
    return names | ({"df": "df"} if model == "mlm" else {"outcome": "", "process": ""} if model == "dsem" else {})


def positional(arguments: list[str], model: str) -> tuple[str | None, Path]:
    """FORMULA FILE, or FILE alone for a model that has no formula.

    Raises
    ------
    SessionwiseError : an unknown model, or too few or too many arguments for it.
    """
    wanted = ["FORMULA", "FILE"] if _has_formula(model) else ["FILE"]
    if len(arguments) != len(wanted):
        raise SessionwiseError(
            f"fit --model {model} needs {' and '.join(wanted)}; arguments given: {len(arguments)}.",
            where=some([repr(text) for text in arguments]),
            remedy=f"Write: sessionwise fit {' '.join(wanted)} --model {model} ... ; a formula stands in quotes.",
        )
    return (arguments[0] if len(wanted) == 2 else None), Path(arguments[-1])


def _has_formula(model: str) -> bool:
    model_options(model)
    return any(f.name == "formula" for f in fields(models()[model]))


def described(model: str, formula: str | None, options: ModelOptions) -> Any:
    """The description of the model.

    Raises
    ------
    SessionwiseError : an unknown model, an option that the model does not have, outcome or process missing.
    """
    names = model_options(model)
    given = used(asdict(options))
    for option in given:
        if option not in names:
            having = [name for name in models() if option in model_options(name)]
            raise SessionwiseError(
                f"{flag(option)} is no option of --model {model}.",
                remedy=f"Leave it out, or use --model {' or '.join(having)}.",
            )
    kind = models()[model]
    if model == "dsem" and "within" in given and {"outcome", "process"} & set(given):
        raise SessionwiseError(
            "--within says what --outcome and --process say.", remedy="Give --within, or the other two."
        )
    needed = [CALLED.get(f.name, f.name) for f in fields(kind) if f.default is MISSING and f.name != "formula"]
    if model == "dsem" and "within" not in given:
        needed = ["outcome", "process"]
    for option in needed:
        if option not in given:
            raise SessionwiseError(
                f"--model {model} needs {' and '.join(map(flag, needed))}.",
                remedy=f"Add {flag(option)} and the name of its column.",
            )
    choices = literals(kind)
    values = {
        names[option] or option: _value(option, value, choices.get(option, ()))
        for option, value in given.items()
        if option != "df"
    }
    if model == "dsem" and "within" not in values:
        return kind.reciprocal(**values)
    return kind(**values) if formula is None else kind(formula, **values)


def _value(option: str, value: Any, choices: tuple[str, ...]) -> Any:
    """An option's text as the description has it; one of few texts may be written in capitals or not."""
    if option == "waves":
        return _waves(value)
    if option == "error":
        return _error(value)
    if option == "priors":
        return _priors(value)
    if option in ("course", "trend") and value.lower() == "none":
        return None
    if option == "random" and "~" in value[0]:
        return value
    if option in ("outcome", "process", "third", "random"):
        return value[0] if len(value) == 1 else value  # several: indicators of one variable
    if choices:
        return next((choice for choice in choices if choice.lower() == value.lower()), value)
    return value


def _error(texts: tuple[str, ...]) -> str | dict[str, float]:
    """'items', or {column: variance} of COLUMN=VARIANCE."""
    if len(texts) == 1 and "=" not in texts[0]:
        return texts[0]
    found = {}
    for text in texts:
        column, sign, value = text.rpartition("=")
        if not sign or not column:
            raise SessionwiseError(
                f"--error is {text!r}.", remedy="Write --error items, or --error wai_sr=0.02 for each column."
            )
        found[column] = number("--error", value)
    return found


def _priors(texts: tuple[str, ...]) -> str | dict[str, Any]:
    """'weak' or 'mplus' in capitals or not, or {name: (mean, sd) or scale} of NAME=MEAN,SD and NAME=SCALE."""
    if len(texts) == 1 and "=" not in texts[0]:
        return texts[0].lower()
    found: dict[str, Any] = {}
    for text in texts:
        name, sign, value = text.rpartition("=")
        if not sign or not name:
            raise SessionwiseError(
                f"--priors is {text!r}.",
                remedy="Write --priors weak, or --priors 'y ~ lag(w)=0,2' or 'sd(y ~ lag(w))=0.5' for each.",
            )
        numbers = [number("--priors", part) for part in value.split(",")]
        found[name] = numbers[0] if len(numbers) == 1 else tuple(numbers)
    return found


def _waves(text: str) -> int | tuple[int, ...]:
    """'6', or '1,2,3,5', or '1-6', '-3-0'."""
    span = re.fullmatch(r"\s*(-?\d+)\s*-\s*(-?\d+)\s*", text)
    try:
        if span is None:
            return tuple(int(part) for part in text.split(",")) if "," in text else _several(int(text))
        first, last = int(span[1]), int(span[2])
        if first < last:
            return tuple(range(first, last + 1))
    except ValueError:
        pass
    raise SessionwiseError(
        f"--waves is {text!r}.", remedy="Give how many (6), a range of session numbers (1-6), or a list (1,2,4,6)."
    )


def _several(waves: int) -> int:
    if waves < 1:
        raise ValueError(waves)
    return waves


def degrees(text: str | None) -> str | float:
    """--df: the name of a method, in capitals or not, or a number; None: the first of the methods.

    Raises
    ------
    SessionwiseError : neither.
    """
    from ..mixed.inference.contrasts import DEGREES

    if text is None:
        return DEGREES[0]
    name = text.strip().lower()
    if name in DEGREES:
        return name
    try:
        value = float(name)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise SessionwiseError(
            f"--df is one of {', '.join(DEGREES)}, or a number above 0, not {text!r}.{nearest(text, DEGREES)}",
            remedy=f"Write --df {DEGREES[0]}, or leave it out.",
        )
    return value
