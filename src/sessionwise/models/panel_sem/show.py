"""A panel model's fit as parts for terminal and notebook, and as plain numbers for JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ModelError, Wording
from ...show import Grid, Part, plain
from ...words import counted, num, p_value, p_words, percent
from . import tables
from .lag_tests import lag_tests

if TYPE_CHECKING:
    from ...sem import Indices
    from .blueprint import Parameter
    from .estimated import EstimatedSEM

_ERRORS = {
    "expected": "expected information",
    "observed": "observed information",
    "robust": "robust (sandwich)",
}


def parts(fit: EstimatedSEM) -> list[Part]:
    """Verdict first, then lags, what is stable, fit, coverage, and what was left out."""
    shown: list[Part] = [_headline(fit), fit.verdict.message]
    if fit.verdict.remedy:
        shown.append(Wording("remedy: ", fit.verdict.remedy))
    if fit.verdict.converged:
        shown += [_lags(fit), *_effects(fit)]
        if fit.solution.grouped.blueprint.persons:
            shown.append(_intercepts(fit))
        if fit.model.has_within:
            shown.append(_within(fit))
    shown += [*_fit(fit), _coverage(fit)]
    return [*shown, *fit.findings.lines()]


def _headline(fit: EstimatedSEM) -> str:
    waves = f"{fit.session} {', '.join(map(str, fit.waves))}"
    if len(fit.waves) > 3 and fit.waves[-1] - fit.waves[0] == len(fit.waves) - 1:
        waves = f"{fit.session}s {fit.waves[0]} to {fit.waves[-1]}"
    if fit.model.from_end:
        waves = f"the last {len(fit.waves)} {fit.session}s ({fit.waves[0]} to 0)"
    groups = fit.solution.grouped.labels
    within = f" in {len(groups)} groups ({', '.join(groups)})" if groups else ""
    return f"{fit.model.title}: {fit.npersons:,} persons{within}, {waves}"


def _lags(fit: EstimatedSEM) -> Grid:
    t = tables.lags(fit, 0.95)
    rows = []
    for i, p in enumerate(fit.lag_parameters):
        row = (
            _arrow(p),
            num(t["estimate"][i]),
            num(t["se"][i]),
            p_value(t["p"][i]),
            f"{num(t['low'][i])}, {num(t['high'][i])}",
            num(t["standardised"][i]),
        )
        rows.append(row if fit.model.has_within else row[:5])
    title = f"Lags, from one wave to the next; errors by {_ERRORS[fit.solution.errors]}"
    head = ("", "estimate", "SE", "p", "95 % interval", "standardised")
    return Grid(title, head if fit.model.has_within else head[:5], tuple(rows), dense=True)


def _arrow(p: Parameter) -> str:
    """`wai_sr -> core_om`, over two lines where that is long, with the wave and group that it is for."""
    where = [str(x) for x in (p.wave, p.group) if x is not None] + ([f"{p.steps} waves"] if p.steps > 1 else [])
    wide = len(p.outcome) + len(p.predictor) > 17
    after = (f"\n [{', '.join(where)}]" if wide else f" [{', '.join(where)}]") if where else ""
    return f"{p.predictor}{chr(10) if wide else ''} → {p.outcome}{after}"


def lag_test_table(fit: EstimatedSEM) -> list[Part]:
    """Each lag against zero, as shown."""
    t = lag_tests(fit)
    rows = [
        (_arrow(p), num(t["estimate"][i]), num(t["chi2"][i]), p_value(t["p"][i]))
        for i, p in enumerate(fit.lag_parameters)
    ]
    title = "1 degree of freedom each; for normal data"
    return ["Each lag against zero, by the likelihood ratio", Grid(title, ("", "estimate", "chi2", "p"), tuple(rows))]


def lag_test_records(fit: EstimatedSEM) -> list[dict[str, Any]]:
    """Each lag against zero, for JSON."""
    return records(lag_tests(fit))


def _effects(fit: EstimatedSEM) -> list[Part]:
    chosen = [p for p in fit.parameters if p.kind in ("effect", "covariate", "trend")]
    if not chosen:
        return []
    rows = tuple(
        (
            p.name,
            num(fit.estimates[p.name]),
            num(fit.se[p.name]),
            p_value(fit.p[p.name]),
        )
        for p in chosen
    )
    return [Grid("Other effects", ("", "estimate", "SE", "p"), rows, dense=True)]


def _intercepts(fit: EstimatedSEM) -> Grid:
    t = tables.intercepts(fit)
    names = list(fit.solution.grouped.blueprint.persons)
    rows = []
    for i, name in enumerate(t["variable"]):
        where = f" [{t['group'][i]}]" if t["group"][i] is not None else ""
        r = [num(t[f"r {other}"][i]) if other != name else "" for other in names[:-1]] if len(names) > 1 else []
        share = [percent(t["share"][i])] if "share" in t else []
        rows.append((name + where, num(t["variance"][i]), num(t["se"][i]), num(t["sd"][i]), *share, *r))
    heads = ["r with " + names[0], *names[1:-1]] if len(names) > 1 else []
    if not fit.model.has_within:
        title = "The person's effect, which enters at each wave"
        return Grid(title, ("", "variance", "SE", "SD"), tuple(rows), dense=True)
    title = "Stable in persons: random intercepts"
    return Grid(title, ("", "variance", "SE", "SD", "of variance", *heads), tuple(rows), dense=True)


def _within(fit: EstimatedSEM) -> str:
    """SDs and correlations, of the average wave."""
    names = fit.solution.grouped.blueprint.variables
    t = tables.within(fit)
    sds = ", ".join(f"{name} {num(float(np.sqrt(np.mean(np.square(t[f'sd {name}'])))))}" for name in names)
    what = "Within persons" if fit.solution.grouped.blueprint.persons else "Over persons and waves"
    said = f"{what}: SD {sds}"
    if len(names) == 2 and not fit.solution.grouped.labels:
        first, *later = tables.residual_correlations(fit, None, 0.95)
        mean = float(np.mean([r for r, _, _ in later]))
        said += f"; correlation at the first wave {num(first[0])}, of what the lags leave over {num(mean)} on average"
    return said + "."


def _fit(fit: EstimatedSEM) -> list[Part]:
    shown: list[Part] = []
    if fit.indices is not None:
        shown.append(_indices("Fit: ", fit.indices))
    if fit.scaled_indices is not None:
        shown.append(_indices(f"Scaled (Yuan & Bentler, factor {num(fit.scaling_factor)}): ", fit.scaled_indices))
    shown.append(
        f"-2 log-likelihood {fit.deviance:,.2f}, {fit.n_parameters} parameters, AIC {fit.aic:,.2f}, BIC {fit.bic:,.2f}."
    )
    return shown


def _indices(begin: str, x: Indices) -> str:
    if not x.df:
        return f"{begin}no degrees of freedom, so it fits whatever the data are."
    p, close = p_words(x.p, close=True), p_words(x.p_close, "p of close fit", close=True)
    return (
        f"{begin}chi2({x.df}) = {x.chi2:,.2f}, {p}; CFI {x.cfi:.3f}, TLI {x.tli:.3f}, RMSEA {x.rmsea:.3f} "
        f"[90 % {x.rmsea_low:.3f}, {x.rmsea_high:.3f}], {close}, SRMR {x.srmr:.3f}."
    )


def _coverage(fit: EstimatedSEM) -> str:
    share, patterns = fit.coverage.share, sum(len(d.count) for d in fit.solution.data)
    if fit.coverage.least == 1:
        return f"{fit.nobs:,} values; none is missing."
    one, other = fit.coverage.least_pair
    lowest = f"both {one} and {other}" if one != other else f"{one}"
    return (
        f"{fit.nobs:,} values in {counted(patterns, 'pattern')} of missing ones; between "
        f"{percent(np.nanmin(share))} and {percent(np.nanmax(share))} of the persons have a value at a wave, and "
        f"{percent(fit.coverage.least)} or more have any two of them (fewest: {lowest})."
    )


def as_dict(fit: EstimatedSEM) -> dict[str, Any]:
    """The documented JSON object; numbers that are not finite are None."""
    c = fit.coverage
    usable = fit.verdict.converged
    return {
        "model": type(fit.model).__name__.lower(),
        "title": fit.model.title,
        "waves": list(fit.waves),
        "parameters": records(tables.tidy(fit, 0.95)),
        "lags": records(tables.lags(fit, 0.95)) if usable else [],
        "standardised": records(tables.by_wave(fit, 0.95)) if usable and fit.model.has_within else [],
        "long_run": _long_run(fit) if usable else [],
        "within": records(tables.within(fit)) if usable and fit.model.has_within else [],
        "intercepts": records(tables.intercepts(fit)) if usable else [],
        "errors": fit.solution.errors,
        "indices": plain(fit.indices) if fit.indices else None,
        "scaled_indices": plain(fit.scaled_indices) if fit.scaled_indices else None,
        "scaling_factor": plain(fit.scaling_factor),
        "deviance": fit.deviance,
        "loglik": fit.loglik,
        "aic": fit.aic,
        "bic": fit.bic,
        "nobs": fit.nobs,
        "npersons": fit.npersons,
        "groups": list(fit.solution.grouped.labels),
        "coverage": {
            "share": plain(dict(zip(c.variables, c.share, strict=True))),
            "least": c.least,
            "least_pair": [str(x) for x in c.least_pair],
        },
        "verdict": fit.verdict.to_dict(),
        "findings": fit.findings.to_dicts(),
    }


def _long_run(fit: EstimatedSEM) -> list[dict[str, Any]]:
    try:
        return records(tables.in_the_end(fit, 0.95))
    except ModelError:
        return []


def records(table: dict[str, Any]) -> list[dict[str, Any]]:
    """Columns as rows of plain values."""
    columns = {name: list(values) for name, values in table.items()}
    length = len(next(iter(columns.values()), []))
    return [{name: plain(values[i]) for name, values in columns.items()} for i in range(length)]
