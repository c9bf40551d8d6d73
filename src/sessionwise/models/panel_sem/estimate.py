"""Estimate: a description and a Panel to a SEMFit."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from ...errors import ModelError, Wording, model_option, some
from ...findings import Finding, Findings
from ...panel.frame_kind import TableKind
from ...threads import one_thread
from .blueprint import Blueprint, Grouped, grouped
from .fit import SEMFit
from .solution import SEMEstimates, solve
from .verdict import verdict
from .waves import chosen, widened

if TYPE_CHECKING:
    from ...panel import Panel
    from .model import PanelModel

#: Persons for each parameter below which a warning is given.
FEW_PER_PARAMETER = 5
#: Persons for each column below which chi-square rejects right models clearly too often (docs/panel-sem-truth.md).
FEW_PER_COLUMN = 15


@one_thread()
def estimate(model: PanelModel, panel: Panel) -> SEMFit:
    """Fit the model; see `RICLPM.fit` for the errors raised."""
    waves = chosen(panel, model.columns, model.waves, model.from_end, model.fewest_waves)
    blueprint = model.blueprint(waves)
    wide = widened(panel, blueprint.columns, waves, model.from_end, model.group_column)
    _there(model, blueprint)
    parts: Grouped = grouped(blueprint, wide.labels, model.shared)
    solution = solve(parts, wide, None if model.errors == "auto" else model.errors)
    cautions = [*_cautions(model, solution, waves), *model.cautions(solution)]
    return SEMFit(
        model,
        solution,
        wide.coverage,
        verdict(solution, model),
        Findings(cautions) + wide.findings,
        TableKind.of(panel),
        panel.roles.person,
        panel.roles.session,
    )


def _there(model: PanelModel, blueprint: Blueprint) -> None:
    """ModelError for shared kinds of which the model has no parameter."""
    kinds = {p.kind for p in blueprint.parameters}
    for kind in model.shared:
        if kind not in kinds:
            raise ModelError(
                f"same names {kind!r}, and the model has no parameter of this kind.",
                where=model.title,
                remedy=f"Use one or more of {some(sorted(kinds))}.",
            )


def _cautions(model: PanelModel, solution: SEMEstimates, waves: tuple[int, ...]) -> list[Finding]:
    """What must be known of any panel model beside its verdict."""
    cautions = []
    q, n = len(solution.theta), solution.n
    if n < FEW_PER_PARAMETER * q:
        what = f"{n:,} persons for {q} parameters: errors and tests, which are for many persons, may be too small."
        remedy = Wording("Use ", *model.fewer_parameters, "fewer waves, or more persons.")
        cautions.append(Finding("warning", "few-persons", what, remedy=remedy))
    steps = {b - a for a, b in pairwise(waves)}
    if len(steps) > 1 and model.lags == "equal":
        what = f"waves {', '.join(map(str, waves))} are not equally far apart, so one lag does not mean the same time."
        cautions.append(
            Finding(
                "warning",
                "uneven-waves",
                what,
                remedy=Wording("Use sessions at equal steps, or ", model_option("lags", "free"), "."),
            )
        )
    k = solution.data[0].k
    if solution.above is not None and n < FEW_PER_COLUMN * k:
        what = f"{n:,} persons for {k} columns: chi-square, and CFI, TLI and RMSEA with it, speak against right models."
        cautions.append(
            Finding("warning", "chi-square-of-few", what, remedy="Use fewer waves, or do not judge fit by them.")
        )
    if solution.above is None:
        what = "no chi-square, indices or scaled tests: the data do not determine all moments well enough."
        advice = "Some pairs of columns have too few persons; use fewer waves."
        cautions.append(Finding("warning", "no-saturated-model", what, remedy=advice))
    return cautions
