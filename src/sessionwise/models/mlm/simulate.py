"""Simulation: a new response from a multilevel model, for the rows of a Panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...designs import Design, RandomColumns, design
from ...errors import ModelError, nearest, some
from ...formula import Formula, Name, names, parse_formula, show
from ...mixed.inference.simulated_response import TrueParameters, draw_from, truth
from ...threads import one_thread
from .residual import ResidualOptions, residual_of, with_rows
from .tests_and_intervals import same_rows

if TYPE_CHECKING:
    from ...panel import Panel
    from .estimated import EstimatedMLM

#: Correlations may be off by this much.
_ROUNDING = 1e-8


def from_fit(fit: EstimatedMLM, panel: Panel, seed: int) -> Panel:
    """The Panel with the response drawn from the estimates; NaN in rows that the fit did not use."""
    made = same_rows(fit, panel)
    solution = with_rows(fit.solution, fit.model, panel, made)
    y = draw_from(truth(solution), made, solution.problem.residual, np.random.default_rng(seed))
    return _with_response(panel, made, y)


@one_thread()
def from_parameters(
    formula: str,
    residuals: ResidualOptions,
    panel: Panel,
    fixef: Mapping[str, float],
    varcorr: Mapping[str, Any],
    sigma: float,
    residual: Mapping[str, float],
    seed: int,
) -> Panel:
    """The Panel with a response drawn from given parameters; see `MLM.simulate`. residuals : the description's."""
    rng = np.random.default_rng(seed)
    parsed = parse_formula(formula)
    _response_known(parsed, panel)
    if isinstance(parsed.response, Name) and parsed.response.name not in panel:
        panel = panel.with_columns({parsed.response.name: rng.standard_normal(len(panel))})
    made = design(panel, parsed)
    terms = [made.names[c] for c in made.fixed]
    of_residual = residual_of(residuals, panel, made)
    chosen = TrueParameters(
        _values(fixef, terms, "coefficient"),
        _positive(sigma),
        tuple(_covariances(made, varcorr)),
        of_residual.at_usual_gap(_residual(residual, list(of_residual.names), of_residual.kind)),
    )
    return _with_response(panel, made, draw_from(chosen, made, of_residual, rng))


def _response_known(parsed: Formula, panel: Panel) -> None:
    """Where a term is made of the response, its values must be there: drawing it would put noise into that term."""
    if parsed.response is None:
        return
    terms = (*parsed.fixed, *(t for r in parsed.random for t in r.terms))
    elsewhere = {n.name: show(f) for term in terms for f in term.factors for n in names(f)}
    elsewhere |= {c.name: str(r) for r in parsed.random for c in r.group.columns}
    for name in names(parsed.response):
        if name.name in elsewhere and name.name not in panel:
            raise ModelError(
                f"{elsewhere[name.name]} needs values of {name.name!r}, which is no column of the Panel.",
                where=f"formula {parsed.text!r}",
                remedy=f"Add a column {name.name!r} to the Panel, whose values are kept there, or leave out the term.",
            )


def _values(given: Mapping[str, float], known: list[str], what: str) -> np.ndarray:
    unknown = [name for name in given if name not in known]
    missing = [name for name in known if name not in given]
    if unknown or missing:
        problem = f"there is no {what} {unknown[0]!r}.{nearest(unknown[0], known)}" if unknown else ""
        problem = problem or f"{what}s without a value: {some(missing)}."
        raise ModelError(problem, remedy=f"Give a value for each of: {some(known, 20)}.")
    return np.array([float(given[name]) for name in known])


def _residual(given: Mapping[str, float], known: list[str], kind: str) -> np.ndarray:
    """phi and ratios of standard deviations, each within its limits."""
    values = _values(given, known, "residual parameter")
    for name, value in zip(known, values.tolist(), strict=True):
        low, high = (-1 if kind == "ar1" else 0, 1) if name == "phi" else (0, np.inf)
        if not low < value < high:
            limits = f"between {low} and {high}, without these ends" if name == "phi" else "above 0"
            raise ModelError(
                f"{name} is {value:g}.", where=f"residual={kind!r}", remedy=f"Give a finite value {limits}."
            )
    return values


def _positive(sigma: float) -> float:
    if not 0 < sigma < np.inf:
        raise ModelError(f"sigma is {sigma}.", remedy="Give a finite residual standard deviation above 0.")
    return float(sigma)


def _covariances(made: Design, varcorr: Mapping[str, Any]) -> list[np.ndarray]:
    """A matrix for each random term, in order; a group with several terms has them along the diagonal of its matrix."""
    groups = list(dict.fromkeys(term.group for term in made.random))
    if set(varcorr) != set(groups):
        raise ModelError(
            f"covariances are given for {some(varcorr) or 'nothing'}.",
            remedy=f"Give a matrix for each of: {some(groups)}.",
        )
    blocks = {}
    for group in groups:
        own = [term for term in made.random if term.group == group]
        blocks[group] = iter(_blocks(varcorr[group], own, [made.names[c] for term in own for c in term.columns]))
    return [next(blocks[term.group]) for term in made.random]


def _blocks(given: Any, terms: Sequence[RandomColumns], effects: list[str]) -> list[np.ndarray]:
    """The matrix of a grouping factor, cut into those of its terms."""
    matrix, group, q = _matrix(given), terms[0].group, len(effects)
    if matrix.shape != (q, q) or not _is_covariance(matrix):
        raise ModelError(
            f"the covariance matrix of {group} does not fit {some(effects)}.",
            where=f"varcorr[{group!r}]",
            remedy=f"Give a symmetric {q} x {q} matrix with no negative eigenvalue, one row for each effect.",
        )
    ends = np.cumsum([len(term.columns) for term in terms])
    places = [slice(end - len(term.columns), end) for end, term in zip(ends, terms, strict=True)]
    free = np.eye(q, dtype=bool)
    for term, own in zip(terms, places, strict=True):
        free[own, own] |= term.correlated
    if (matrix[~free] != 0).any():
        i, j = (int(k[0]) for k in np.nonzero(~free & (matrix != 0)))
        raise ModelError(
            f"{effects[i]} and {effects[j]} may not covary by {group}: the formula has || or separate terms.",
            where=f"varcorr[{group!r}]",
            remedy="Give a covariance of 0, or write one term with a single | in the formula.",
        )
    return [matrix[own, own] for own in places]


def _matrix(given: Any) -> np.ndarray:
    """As an array; empty if rows are of different lengths or not numbers."""
    try:
        return np.atleast_2d(np.asarray(given, np.float64))
    except (TypeError, ValueError):
        return np.zeros((0, 0))


def _is_covariance(matrix: np.ndarray) -> bool:
    """Finite, symmetric, without a negative eigenvalue but for rounding, whatever the units."""
    variances = matrix.diagonal()
    if not np.isfinite(matrix).all() or (variances < 0).any():
        return False
    sd = np.sqrt(np.where(variances > 0, variances, 1.0))
    scaled = matrix / np.outer(sd, sd)
    return np.allclose(scaled, scaled.T, rtol=0, atol=_ROUNDING) and bool(np.linalg.eigvalsh(scaled)[0] > -_ROUNDING)


def _with_response(panel: Panel, made: Design, y: np.ndarray) -> Panel:
    assert made.formula.response is not None
    response = made.formula.response
    full = np.full(len(panel), np.nan)
    full[made.rows] = y
    return panel.with_columns({response.name if isinstance(response, Name) else show(response): full})
