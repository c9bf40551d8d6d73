"""fit: options as text to the description of a model, and its fit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import SessionwiseError, nearest
from .answering import Answering, scored_panel
from .console import busy, print_result
from .files import SessionsFile
from .model_options import ModelOptions, degrees, described, positional
from .options import Json, OptionsOf, OutOfRange, Values, built, flag, verb
from .remedies import in_options

if TYPE_CHECKING:
    from ..panel import Panel

EPILOG = (
    "Example: sessionwise fit 'core_om ~ session + within(wai_sr) + between(wai_sr) + (1 + session | patient)' "
    "sessions.csv --person patient --session session -i core-om -i wai-sr\n\n"
    "Example: sessionwise fit --model riclpm --outcome core_om --process wai_sr sessions.csv "
    "--person patient --session session --waves 6 -i core-om -i wai-sr\n\n"
    "Example: sessionwise fit --model dsem --outcome core_om --process wai_sr --error items sessions.csv "
    "--person patient --session session -i core-om -i wai-sr --figures figures"
)


@verb
def fit(
    *,
    arguments: Annotated[
        list[str], typer.Argument(metavar="[FORMULA] FILE", help="A formula (mlm, dpm), and the file.")
    ],
    reading: Annotated[Values, OptionsOf(SessionsFile, without=("file",))],
    model: Annotated[
        str,
        typer.Option(
            help="'mlm' (multilevel), 'riclpm', 'clpm' (cross-lagged panel), 'dpm' (dynamic panel), "
            "'dsem' (dynamic, on latent scores)."
        ),
    ] = "mlm",
    options: ModelOptions,
    test: Annotated[
        list[str] | None,
        typer.Option(
            help="Panel models: 'stationarity' (lags equal over waves), 'lags', 'groups'; dsem: 'prior'; repeat."
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="dsem: of the draws (default 1).")] = None,
    size: Annotated[
        float | None, typer.Option(help="dsem: effective draws that every number must have (default 400).")
    ] = None,
    most: Annotated[int | None, typer.Option(help="dsem: draws of a chain at most (default 20000).")] = None,
    checks: Annotated[
        bool, typer.Option("--checks", help="dsem: whether scores drawn from the model look like the scores.")
    ] = False,
    loo: Annotated[
        bool, typer.Option("--loo", help="dsem: how well a person is predicted who was left out (PSIS-LOO).")
    ] = False,
    figures: Annotated[
        Path | None, typer.Option(help="Folder to write the fit's figures to, as PNG.", show_default=False)
    ] = None,
    answering: Answering,
    out_of_range: OutOfRange = None,
    json_: Json = False,
) -> None:
    """Fit a model; instruments named with -i are scored first."""
    from ..outputs import check_folder
    from ..show import rich_group

    kind = model.lower()
    formula, file = positional(arguments, kind)
    description = described(kind, formula, options)
    by = {"df": degrees(options.df)} if kind == "mlm" else {}
    drawing = _drawing(kind, {"seed": seed, "size": size, "most": most})
    _drawing(kind, {"checks": checks or None, "loo": loo or None})
    sessions = built(SessionsFile, {**reading, "file": file})
    if figures is not None:
        _has_figures(kind)
        check_folder(figures, made=True)
    with busy("reading and fitting") as say:
        panel = scored_panel(sessions, answering, out_of_range)
        if kind == "dsem":
            drawing["progress"] = lambda kept, size: say("reading and fitting", _far(kept, size))
        fitted = description.fit(panel, **drawing)
        tests, tables = tested(fitted, panel, test or [], {k: v for k, v in drawing.items() if k in ("size", "most")})
        written = _written(fitted, figures)
        record = {"command": "fit", "file": file.name, **fitted.to_dict(**by), "read": panel.findings.to_dicts()}
        record |= {"tests": tests} if tests else {}
        record |= {"figures": written} if figures is not None else {}
        if checks:
            say("predictive checks")
            found = fitted.predictive_checks(panel, seed=1 if seed is None else seed)
            record["checks"], tables = found.to_dict(), [*tables, rich_group(in_options(found.parts()))]
        if loo:
            say("leaving one person out")
            left_out = fitted.loo(panel)
            record["loo"], tables = left_out.to_dict(), [*tables, rich_group(left_out.parts())]
    doubts = panel.findings.warnings
    shown = rich_group(in_options(fitted.parts(**by)))
    print_result(
        json_, record, shown, *tables, *([doubts] if doubts else []), *(f"written: {path}" for path in written)
    )


def _has_figures(model: str) -> None:
    """Stop at a model that no figure is of.

    Raises
    ------
    SessionwiseError : the dynamic panel model.
    """
    if model == "dpm":
        raise SessionwiseError(
            "--figures is no option of --model dpm.", remedy="Leave it out, or use --model riclpm, which has a diagram."
        )


def _written(fitted: Any, folder: Path | None) -> list[str]:
    """Paths of the fit's figures, as text."""
    if folder is None:
        return []
    from ..plot import write_figures

    return [str(path) for path in write_figures(fitted, folder)]


def _drawing(model: str, given: Values) -> dict[str, Any]:
    """What the fit of a model that draws is given beside the data.

    Raises
    ------
    SessionwiseError : one of them for a model that draws nothing.
    """
    drawing = {name: value for name, value in given.items() if value is not None}
    if drawing and model != "dsem":
        raise SessionwiseError(
            f"{flag(next(iter(drawing)))} is no option of --model {model}.",
            remedy="Leave it out, or use --model dsem.",
        )
    return drawing


def _far(kept: int, size: float) -> str:
    return f"{kept} draws a chain" + ("" if size != size else f", effective draws at least {size:.0f}")


def tested(fit: Any, panel: Panel, names: list[str], drawing: Values) -> tuple[dict[str, Any], list[Any]]:
    """Results of the tests named, for JSON, and as they are shown. drawing : how much a model that draws is to draw.

    Raises
    ------
    SessionwiseError : an unknown test, or a model that has none.
    """
    from ..models.panel_sem.show import lag_test_records, lag_test_table
    from ..show import rich_group

    records: dict[str, Any] = {}
    tables: list[Any] = []
    for name in names:
        known = fit.model.tests
        if not known:
            raise SessionwiseError(
                "--test is for panel models and dsem.", remedy="Add --model riclpm, clpm, dpm or dsem."
            )
        if name not in known:
            raise SessionwiseError(
                f"--test is {name!r}.{nearest(name, known)}", remedy=f"Use one of {', '.join(known)}."
            )
        if name == "lags":
            records[name] = lag_test_records(fit)
            tables.append(rich_group(lag_test_table(fit)))
        elif name == "prior":
            sensitivity = fit.prior_sensitivity(panel, **drawing)
            records[name] = sensitivity.to_dict()
            tables.append(rich_group(sensitivity.parts()))
        else:
            result = fit.stationarity(panel) if name == "stationarity" else fit.same_over_groups(panel)
            records[name] = result.to_dict()
            tables.append(rich_group(result.parts()))
    return records, tables
