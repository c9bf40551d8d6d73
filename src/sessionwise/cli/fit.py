"""fit: options as text to the description of a model, and its fit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import SessionwiseError, nearest, some
from .console import busy, print_result
from .files import answering, build_panel, degrees, load
from .options import (
    Answers,
    Cluster,
    Instruments,
    Items,
    Json,
    Missing,
    NumberBy,
    OutOfRange,
    Person,
    Read,
    Reversed,
    Session,
    Time,
    Wide,
)

if TYPE_CHECKING:
    from ..panel import Panel

EPILOG = (
    "Example: sessionwise fit 'core_om ~ session + within(wai_sr) + between(wai_sr) + (1 + session | patient)' "
    "sessions.csv --person patient --session session -i core-om -i wai-sr\n\n"
    "Example: sessionwise fit --model riclpm --outcome core_om --process wai_sr sessions.csv "
    "--person patient --session session --waves 6 -i core-om -i wai-sr"
)
#: Options of each model beside its formula or its variables, and what they are called in Python.
OPTIONS: dict[str, dict[str, str]] = {
    "mlm": {"method": "method", "residual": "residual", "variance-by": "variance_by", "df": "df"},
    "riclpm": {
        "outcome": "x", "process": "y", "third": "third", "waves": "waves", "from-end": "from_end", "lags": "lags",
        "means": "means", "residuals": "residuals", "covariate": "covariates", "group": "group", "same": "same",
        "without": "without", "errors": "errors",
    },
    "dpm": {
        "waves": "waves", "from-end": "from_end", "lags": "lags", "residuals": "residuals", "same-wave": "same_wave",
        "errors": "errors",
    },
}  # fmt: skip
OPTIONS["clpm"] = {option: name for option, name in OPTIONS["riclpm"].items() if option != "without"}


def fit(
    arguments: Annotated[
        list[str], typer.Argument(metavar="[FORMULA] FILE", help="A formula (mlm, dpm), and the file.")
    ],
    person: Person,
    session: Session = None,
    cluster: Cluster = None,
    time: Time = None,
    model: Annotated[
        str, typer.Option(help="'mlm' (multilevel), 'riclpm', 'clpm' (cross-lagged panel), 'dpm' (dynamic panel).")
    ] = "mlm",
    outcome: Annotated[
        list[str] | None, typer.Option(help="riclpm, clpm: column of the outcome; repeat for indicators.")
    ] = None,
    process: Annotated[
        list[str] | None, typer.Option(help="riclpm, clpm: column of the process; repeat for indicators.")
    ] = None,
    third: Annotated[list[str] | None, typer.Option(help="riclpm, clpm: a third variable.")] = None,
    waves: Annotated[str | None, typer.Option(help="Panel models: how many sessions (6), or which (1,2,4).")] = None,
    from_end: Annotated[bool, typer.Option("--from-end", help="Panel models: count from the last session.")] = False,
    lags: Annotated[str | None, typer.Option(help="Panel models: 'equal' (default) or 'free' over waves.")] = None,
    means: Annotated[str | None, typer.Option(help="riclpm, clpm: 'free' (default), 'equal' or 'linear'.")] = None,
    residuals: Annotated[str | None, typer.Option(help="Panel models: 'free' (default) or 'equal'.")] = None,
    covariate: Annotated[list[str] | None, typer.Option(help="riclpm, clpm: a person's covariate; repeat.")] = None,
    group: Annotated[str | None, typer.Option(help="riclpm, clpm: column of groups.")] = None,
    same: Annotated[list[str] | None, typer.Option(help="riclpm, clpm: what groups share, such as 'lag'.")] = None,
    without: Annotated[list[str] | None, typer.Option(help="riclpm: no random intercept of this variable.")] = None,
    same_wave: Annotated[bool, typer.Option("--same-wave", help="dpm: residuals go with pre() of their wave.")] = False,
    errors: Annotated[
        str | None,
        typer.Option(help="Panel models: 'expected', 'observed', 'robust', 'auto' (default; dpm: observed)."),
    ] = None,
    test: Annotated[
        list[str] | None,
        typer.Option(help="Panel models: 'stationarity' (lags equal over waves), 'lags', 'groups'; repeat for more."),
    ] = None,
    method: Annotated[str | None, typer.Option(help="mlm: 'REML' (default) or 'ML'.")] = None,
    residual: Annotated[
        str | None, typer.Option(help="mlm: 'independent' (default), 'ar1' (by session number), 'car1' (by time).")
    ] = None,
    variance_by: Annotated[
        str | None, typer.Option(help="mlm: column whose values have residual variances of their own.")
    ] = None,
    df: Annotated[
        str | None,
        typer.Option(help="mlm: 'satterthwaite' (default), 'kenward-roger', 'residual', 'normal', or a number."),
    ] = None,
    instrument: Instruments = None,
    answers: Answers = None,
    items: Items = None,
    already_reversed: Reversed = False,
    out_of_range: OutOfRange = "error",
    missing: Missing = None,
    wide: Wide = None,
    read: Read = None,
    number_by: NumberBy = None,
    json_: Json = False,
) -> None:
    """Fit a model; instruments named with -i are scored first."""
    from ..show import rich_group

    given = {
        "outcome": outcome, "process": process, "third": third, "waves": waves, "from-end": from_end, "lags": lags,
        "means": means, "residuals": residuals, "covariate": covariate, "group": group, "same": same,
        "without": without, "same-wave": same_wave, "errors": errors, "method": method, "residual": residual,
        "variance-by": variance_by, "df": df,
    }  # fmt: skip
    kind = model.lower()
    formula, file = positional(arguments, kind)
    used = {name: value for name, value in given.items() if value not in (None, False, [])}
    description = described(kind, formula, used)
    by = {"df": degrees("satterthwaite" if df is None else df)} if kind == "mlm" else {}
    with busy("reading and fitting"):
        how = answering(instrument, items, answers, already_reversed)
        table, roles = load(file, person, session, cluster, time, missing, wide, read, number_by)
        panel = build_panel(table, roles)
        if instrument:
            panel = how.scored(panel, out_of_range)
        fitted = description.fit(panel)
        told = {"command": "fit", "file": file.name, **fitted.to_dict(**by), "read": panel.findings.to_dicts()}
        tests, shown = tested(fitted, panel, test or [])
        told |= {"tests": tests} if tests else {}
    doubts = panel.findings.warnings
    print_result(json_, told, rich_group(fitted.parts(**by)), *shown, *([doubts] if doubts else []))


def positional(given: list[str], model: str) -> tuple[str | None, Path]:
    """FORMULA FILE, or FILE alone for a model that has no formula."""
    _known(model)
    wanted = ["FILE"] if model in ("riclpm", "clpm") else ["FORMULA", "FILE"]
    if len(given) != len(wanted):
        raise SessionwiseError(
            f"fit --model {model} needs {' and '.join(wanted)}; arguments given: {len(given)}.",
            where=some([repr(text) for text in given]),
            remedy=f"Write: sessionwise fit {' '.join(wanted)} --model {model} ... ; a formula stands in quotes.",
        )
    return (given[0] if len(wanted) == 2 else None), Path(given[-1])


def _known(model: str) -> None:
    if model not in OPTIONS:
        raise SessionwiseError(
            f"--model is {model!r}.{nearest(model, OPTIONS)}", remedy=f"Use one of {', '.join(OPTIONS)}."
        )


def described(model: str, formula: str | None, given: Mapping[str, Any]) -> Any:
    """The description of the model. given : option -> value, of the options that were used.

    Raises
    ------
    SessionwiseError : an unknown model, an option that the model does not have, outcome or process missing.
    """
    from ..models import MODELS

    _known(model)
    known = OPTIONS[model]
    for option in given:
        if option not in known:
            fits = [name for name, options in OPTIONS.items() if option in options]
            raise SessionwiseError(
                f"--{option} is no option of --model {model}.",
                remedy=f"Leave it out, or use --model {' or '.join(fits)}.",
            )
    description: Any = MODELS[model]
    named = {known[option]: value for option, value in given.items() if option != "df"}
    if "waves" in named:
        named["waves"] = _waves(named["waves"])
    if formula is not None:
        return description(formula, **{name: _cased(name, value) for name, value in named.items()})
    for option in ("outcome", "process"):
        if option not in given:
            raise SessionwiseError(
                f"--model {model} needs --outcome and --process.", remedy=f"Add --{option} and the name of its column."
            )
    columns = {"x", "y", "third"}
    named = {k: _indicators(v) if k in columns else tuple(v) if isinstance(v, list) else v for k, v in named.items()}
    return description(**named)


def _cased(name: str, value: Any) -> Any:
    """--method and --residual may be written in capitals or not."""
    return value.upper() if name == "method" else value.lower() if name == "residual" else value


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


def _indicators(names: list[str]) -> str | tuple[str, ...]:
    """One column, or several: indicators of one variable."""
    return names[0] if len(names) == 1 else tuple(names)


def tested(fit: Any, panel: Panel, names: list[str]) -> tuple[dict[str, Any], list[Any]]:
    """Results of the tests named, for JSON, and as they are shown.

    Raises
    ------
    SessionwiseError : an unknown test, or a model that has none.
    """
    from ..models.panel_sem.show import lag_test_records, lag_test_table
    from ..show import rich_group

    told: dict[str, Any] = {}
    shown: list[Any] = []
    for name in names:
        known = fit.model.tests
        if not known:
            raise SessionwiseError("--test is for panel models.", remedy="Add --model riclpm, clpm or dpm.")
        if name not in known:
            raise SessionwiseError(
                f"--test is {name!r}.{nearest(name, known)}", remedy=f"Use one of {', '.join(known)}."
            )
        if name == "lags":
            told[name] = lag_test_records(fit)
            shown.append(rich_group(lag_test_table(fit)))
        else:
            found = fit.stationarity(panel) if name == "stationarity" else fit.same_over_groups(panel)
            told[name] = found.to_dict()
            shown.append(rich_group(found.parts()))
    return told, shown
