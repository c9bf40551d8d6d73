"""Indirect effects: products of regressions, by draw.

Between persons: a predictor moves a random effect, which moves an outcome: 'a | x' times 'o ~ a'. Within persons: a
score moves what lies between one session later, which moves the outcome yet one later. Where both coefficients differ
between persons, the mean of their product is the product of the means and their covariance (Bauer, Preacher & Gil
2006, doi 10.1037/1082-989X.11.2.142).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...errors import ModelError, Wording, some

if TYPE_CHECKING:
    from .fit import DSEMFit
    from .paths import Path

#: (path, kind) -> draws. kind : 'indirect', 'direct' or 'total'.
Products = dict[tuple[str, str], np.ndarray]


def indirect(fit: DSEMFit, predictor: str, outcome: str) -> Products:
    """See `DSEMFit.indirect`.

    Raises
    ------
    ModelError : the two are neither a predictor and an outcome of persons nor two variables, or no chain joins them.
    """
    variables = fit.model.paths.variables
    if outcome in fit.model.outcomes:
        return _between(fit, predictor, outcome)
    if predictor in variables and outcome in variables and predictor != outcome:
        return _within(fit, predictor, outcome)
    raise ModelError(
        f"{predictor!r} and {outcome!r} are neither a predictor and an outcome of persons nor two of the scores.",
        where=fit.title,
        remedy=f"Give a column of `between` and one of `outcomes`, or two of {some(variables)}.",
    )


def _between(fit: DSEMFit, predictor: str, outcome: str) -> Products:
    names = set(fit.reported.names)
    through = [a for a in fit.effects.names if f"{a} | {predictor}" in names and f"{outcome} ~ {a}" in names]
    if not through:
        known = fit.kept.predictors
        raise ModelError(
            f"No person-level predictor is called {predictor!r}.",
            where=fit.title,
            remedy=f"Use {some(known)}." if known else "Give the model predictors of persons: between='~ ...'.",
        )
    draws = {a: fit.reported[f"{a} | {predictor}"] * fit.reported[f"{outcome} ~ {a}"] for a in through}
    out: Products = {(f"{predictor} → {a} → {outcome}", "indirect"): product for a, product in draws.items()}
    together = np.sum(list(draws.values()), axis=0)
    direct = fit.reported[f"{outcome} ~ {predictor}"]
    out[f"{predictor} → all random effects → {outcome}", "indirect"] = together
    out[f"{predictor} → {outcome}", "direct"] = direct
    out[f"{predictor} → {outcome}", "total"] = together + direct
    return out


def _within(fit: DSEMFit, predictor: str, outcome: str) -> Products:
    """Of what one more of the predictor does two sessions later, mean over persons."""
    paths = fit.model.paths
    if paths.instant:
        raise ModelError(
            "Scores predict each other within a session, so that a chain over sessions goes by more than two steps.",
            where=fit.title,
            remedy=Wording("Use `impulse_responses`, which takes all ways, or a model without paths in a session."),
        )
    one_later = {(p.response, p.predictor): p for p in paths.paths if p.lag == 1 and p.predictor in paths.variables}
    out: Products = {}
    for through in (*(v for v in paths.variables if v not in (predictor, outcome)), predictor, outcome):
        first, second = one_later.get((through, predictor)), one_later.get((outcome, through))
        if first is not None and second is not None:
            name = f"{predictor} → {through}, 1 later → {outcome}, 2 later"
            out[name, "indirect"] = _mean_product(fit, first, second)
    straight = [p for p in paths.paths if (p.response, p.predictor, p.lag) == (outcome, predictor, 2)]
    for path in straight:
        out[f"{predictor} → {outcome}, 2 later", "direct"] = fit.reported[path.name]
    if not out:
        raise ModelError(
            f"No chain of paths leads from {predictor} to {outcome} in two sessions.",
            where=fit.title,
            remedy="Look at the formulas of `within`.",
        )
    out[f"{predictor} → {outcome}, 2 later", "total"] = np.sum(list(out.values()), axis=0)
    return out


def _mean_product(fit: DSEMFit, one: Path, other: Path) -> np.ndarray:
    """(chains, kept): mean over persons of the product of two coefficients, predictors of persons at their means."""
    return np.asarray(fit.reported[one.name] * fit.reported[other.name] + covariance(fit, one.name, other.name))


def covariance(fit: DSEMFit, one: str, other: str) -> np.ndarray:
    """(chains, kept): of two effects over persons; 0 where the model lets them not go together."""
    names, reported = set(fit.reported.names), fit.reported
    zero = np.zeros(reported.draws.shape[:2])
    if fit.model.factor and one in fit.effects.names and other in fit.effects.names:
        size = reported["factor sd"] ** 2
        for name in (one, other):
            if name != fit.effects.names[0]:
                size = size * reported[f"loading({name})"]
        return np.asarray(size)
    for cor in (f"cor({one}, {other})", f"cor({other}, {one})"):
        if cor in names:
            return np.asarray(reported[cor] * reported[f"sd({one})"] * reported[f"sd({other})"])
    return zero
