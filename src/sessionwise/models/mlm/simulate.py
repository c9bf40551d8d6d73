"""Simulation: a new response from a multilevel model, for the rows of a Panel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ...design import Design, design
from ...errors import ModelError, nearest, some
from ...formula import Name, parse_formula, show
from ...inference.draw import Truth, draw_from, truth

if TYPE_CHECKING:
    from ...panel import Panel
    from .fit import MLMFit
    from .model import MLM


def from_fit(fit: MLMFit, panel: Panel, seed: int) -> Panel:
    """The Panel with the response drawn from the estimates; NaN in rows that the fit did not use."""
    from .questions import same_rows

    made = same_rows(fit, panel)
    y = draw_from(truth(fit.solution), made, fit.solution.problem.residual, np.random.default_rng(seed))
    return _with_response(panel, made, y)


def from_parameters(
    model: MLM,
    panel: Panel,
    fixef: Mapping[str, float],
    varcorr: Mapping[str, Any],
    sigma: float,
    residual: Mapping[str, float],
    seed: int,
) -> Panel:
    """The Panel with a response drawn from given parameters."""
    from .model import residual_of

    rng = np.random.default_rng(seed)
    parsed = parse_formula(model.formula)
    if isinstance(parsed.response, Name) and parsed.response.name not in panel:
        panel = panel.with_columns({parsed.response.name: rng.standard_normal(len(panel))})
    made = design(panel, parsed)
    terms = [made.names[c] for c in made.fixed]
    of_residual = residual_of(model, panel, made)
    chosen = Truth(
        _values(fixef, terms, "coefficient"),
        _positive(sigma),
        tuple(_covariances(made, varcorr)),
        _values(residual, list(of_residual.names), "residual parameter"),
    )
    return _with_response(panel, made, draw_from(chosen, made, of_residual, rng))


def _values(given: Mapping[str, float], names: list[str], what: str) -> np.ndarray:
    unknown = [name for name in given if name not in names]
    missing = [name for name in names if name not in given]
    if unknown or missing:
        problem = f"there is no {what} {unknown[0]!r}.{nearest(unknown[0], names)}" if unknown else ""
        problem = problem or f"{what}s without a value: {some(missing)}."
        raise ModelError(problem, remedy=f"Give a value for each of: {some(names, 20)}.")
    return np.array([float(given[name]) for name in names])


def _positive(sigma: float) -> float:
    if not sigma > 0:
        raise ModelError(f"sigma is {sigma}.", remedy="Give a residual standard deviation above 0.")
    return float(sigma)


def _covariances(made: Design, varcorr: Mapping[str, Any]) -> list[np.ndarray]:
    """A matrix for each random term, in order; a group with several terms has them along the diagonal of its matrix."""
    groups = list(dict.fromkeys(term.group for term in made.random))
    if set(varcorr) != set(groups):
        raise ModelError(
            f"covariances are given for {some(varcorr) or 'nothing'}.",
            remedy=f"Give a matrix for each of: {some(groups)}.",
        )
    at = dict.fromkeys(groups, 0)
    found = []
    for term in made.random:
        q, matrix = len(term.columns), np.atleast_2d(np.asarray(varcorr[term.group], np.float64))
        block = matrix[at[term.group] : at[term.group] + q, at[term.group] : at[term.group] + q]
        if block.shape != (q, q) or not np.allclose(block, block.T) or np.linalg.eigvalsh(block)[0] < -1e-12:
            raise ModelError(
                f"the covariance matrix of {term.group} does not fit {some([made.names[c] for c in term.columns])}.",
                remedy="Give a symmetric matrix with no negative eigenvalue, one row for each effect.",
            )
        at[term.group] += q
        found.append(block)
    return found


def _with_response(panel: Panel, made: Design, y: np.ndarray) -> Panel:
    assert made.formula.response is not None
    response = made.formula.response
    full = np.full(len(panel), np.nan)
    full[made.rows] = y
    return panel.with_columns({response.name if isinstance(response, Name) else show(response): full})
