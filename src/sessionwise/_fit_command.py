"""What `sessionwise fit` is asked for: options as text to the description of a model. No analysis."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import SessionwiseError, nearest, some

if TYPE_CHECKING:
    from .panel import Panel

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
    from . import models

    _known(model)
    known = OPTIONS[model]
    for option in given:
        if option not in known:
            fits = [name for name, options in OPTIONS.items() if option in options]
            raise SessionwiseError(
                f"--{option} is no option of --model {model}.",
                remedy=f"Leave it out, or use --model {' or '.join(fits)}.",
            )
    named = {known[option]: value for option, value in given.items() if option != "df"}
    if "waves" in named:
        named["waves"] = _waves(named["waves"])
    if model == "mlm":
        named = {name: _cased(name, value) for name, value in named.items()}
        return models.MLM(str(formula), **named)
    if model == "dpm":
        return models.DPM(str(formula), **named)
    for option in ("outcome", "process"):
        if option not in given:
            raise SessionwiseError(
                f"--model {model} needs --outcome and --process.", remedy=f"Add --{option} and the name of its column."
            )
    columns = {"x", "y", "third"}
    named = {k: _indicators(v) if k in columns else tuple(v) if isinstance(v, list) else v for k, v in named.items()}
    return (models.RICLPM if model == "riclpm" else models.CLPM)(**named)


def _cased(name: str, value: str) -> str:
    """--method and --residual may be written in capitals or not."""
    return {"method": value.upper(), "residual": value.lower()}.get(name, value)


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


#: Tests that `fit --test` makes of a panel model.
TESTS = ("stationarity", "lags", "groups")


def tested(fit: Any, panel: Panel, names: list[str]) -> tuple[dict[str, Any], list[Any]]:
    """Results of the tests named, for JSON, and as they are shown.

    Raises
    ------
    SessionwiseError : an unknown test, or a multilevel model.
    """
    from .models import SEMFit
    from .models.panel_sem.show import lag_test_records, lag_test_table
    from .show import rich_group

    told: dict[str, Any] = {}
    shown: list[Any] = []
    for name in names:
        if name not in TESTS:
            raise SessionwiseError(
                f"--test is {name!r}.{nearest(name, TESTS)}", remedy=f"Use one of {', '.join(TESTS)}."
            )
        if not isinstance(fit, SEMFit):
            raise SessionwiseError("--test is for panel models.", remedy="Add --model riclpm, clpm or dpm.")
        if name == "lags":
            told[name] = lag_test_records(fit)
            shown.append(rich_group(lag_test_table(fit)))
        else:
            found = fit.stationarity(panel) if name == "stationarity" else fit.same_over_groups(panel)
            told[name] = found.to_dict()
            shown.append(rich_group(found.parts()))
    return told, shown
