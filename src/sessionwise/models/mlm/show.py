"""A multilevel fit as parts for terminal and notebook, and as plain numbers for JSON."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ...show import Grid, Part, plain_dict
from ...words import counted, num, p_value

if TYPE_CHECKING:
    from .estimated import EstimatedMLM
    from .kept_design import KeptDesign

#: Names longer than this are broken at their colons.
LONG_NAME = 20

_DF = {
    "satterthwaite": "Satterthwaite's df",
    "kenward-roger": "Kenward and Roger's errors and df",
    "residual": "df of the residuals",
    "normal": "normal distribution",
}
RESIDUALS = {"ar1": "AR(1) by session number", "car1": "AR(1) in continuous time"}


def parts(fit: EstimatedMLM, df: str | float) -> list[Part]:
    """Verdict first, then coefficients, random effects, likelihood, and what was done to the data."""
    shown: list[Part] = [_headline(fit), fit.verdict.message]
    if fit.verdict.remedy:
        shown.append(f"remedy: {fit.verdict.remedy}")
    shown += [fit.model.formula.strip(), _coefficients(fit, df)]
    if fit.varcorr:
        shown.append(_random(fit))
    shown += [_residual(fit), _likelihood(fit)]
    return [*shown, *fit.findings.lines()]


def _headline(fit: EstimatedMLM) -> str:
    kind = "Multilevel" if fit.varcorr else "Linear"
    return f"{kind} model ({fit.model.method}): {of_whom(fit.recipe)}"


def of_whom(recipe: KeptDesign) -> str:
    """Sessions, persons and levels of other grouping factors."""
    levels = [counted(len(g.levels), g.name) for g in recipe.design.groupings if g.name != recipe.person]
    given = f"{recipe.n_rows:,} of {counted(recipe.n_given, 'session')}"
    used = given if recipe.n_rows < recipe.n_given else counted(recipe.n_rows, "session")
    return ", ".join([used, counted(recipe.n_persons, "person"), *levels])


def _coefficients(fit: EstimatedMLM, df: str | float) -> Grid:
    t = fit.tests_with(df)
    rows = tuple(
        (
            _broken(name),
            num(t.estimate[i]),
            num(t.se[i]),
            num(t.df[i]) if t.df[i] < 1e5 else "large",
            f"{t.statistic[i]:.2f}",
            p_value(t.p[i]),
            f"{num(t.low[i])}, {num(t.high[i])}",
        )
        for i, name in enumerate(fit.terms)
    )
    title = f"Coefficients; {_DF[df] if isinstance(df, str) else f'{df:g} df'}"
    return Grid(title, ("", "estimate", "SE", "df", "t", "p", "95 % interval"), rows, dense=True)


def _broken(name: str) -> str:
    """A long interaction over several lines, so that the table keeps to its width."""
    return name if len(name) <= LONG_NAME else name.replace(":", ":\n ")


def _random(fit: EstimatedMLM) -> Grid:
    widest = max(len(v.terms) for v in fit.varcorr.values())
    rows = []
    for group, v in fit.varcorr.items():
        corr = v.corr
        for i, term in enumerate(v.terms):
            name = f"{group}: {_broken(term)}"
            cells = [f"{corr[i, j]:+.2f}" if v.estimated[i, j] and math.isfinite(corr[i, j]) else "" for j in range(i)]
            rows.append((name, num(v.cov[i, i]), num(v.sd[i]), *cells, *[""] * (widest - 1 - i)))
    heads = ["correlations", *[""] * (widest - 2)] if widest > 1 else []
    return Grid("Random effects", ("", "variance", "SD", *heads), tuple(tuple(r[: 3 + len(heads)]) for r in rows))


def _residual(fit: EstimatedMLM) -> str:
    said = f"Residual SD {num(fit.sigma)}"
    if fit.model.residual in RESIDUALS:
        said += f", {RESIDUALS[fit.model.residual]}, phi {num(fit.residual['phi'])}"
        if fit.model.residual == "car1":
            usual = fit.solution.problem.residual.unit
            said += f" a unit of time, {num(float(fit.solution.residual_at_gaps[0]))} at the usual gap of {num(usual)}"
    strata = fit.solution.problem.residual.relative_sds(fit.solution.residual)
    if strata:
        first, *others = strata
        said += f" ({first}); relative to it: {', '.join(f'{name} {num(strata[name])}' for name in others)}"
    return said + "."


def _likelihood(fit: EstimatedMLM) -> str:
    name = "REML criterion" if fit.model.method == "REML" else "-2 log-likelihood"
    return f"{name} {fit.deviance:,.2f}, {fit.n_parameters} parameters, AIC {fit.aic:,.2f}, BIC {fit.bic:,.2f}."


def as_dict(fit: EstimatedMLM, df: str | float) -> dict[str, Any]:
    """The documented JSON object; numbers that are not finite are None."""
    t = fit.tests_with(df)

    def by_term(values: np.ndarray) -> dict[str, Any]:
        return dict(zip(fit.terms, values, strict=True))

    told = {
        "formula": fit.model.formula,
        "method": fit.model.method,
        "residual": fit.model.residual,
        "variance_by": fit.model.variance_by,
        "fixef": by_term(t.estimate),
        "se": by_term(t.se),
        "df": by_term(t.df),
        "statistic": by_term(t.statistic),
        "p": by_term(t.p),
        "confint": by_term(np.column_stack([t.low, t.high])),
        "vcov": np.asarray(fit.vcov),
        "varcorr": {g: {"terms": v.terms, "cov": v.cov} for g, v in fit.varcorr.items()},
        "sigma": fit.sigma,
        "residual_parameters": fit.residual,
        "deviance": fit.deviance,
        "loglik": fit.loglik,
        "aic": fit.aic,
        "bic": fit.bic,
        "nobs": fit.nobs,
        "npersons": fit.npersons,
        "nclusters": fit.nclusters,
        "verdict": fit.verdict.to_dict(),
        "findings": fit.findings,
    }
    return plain_dict(told)
