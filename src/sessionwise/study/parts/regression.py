"""Regression within persons: columns of interest after person means, or persons' own lines, and all else are taken out.

With P_i the projection on 1, or on (1, session), of person i, least squares of (I - P)y on (I - P)x is the regression
with an intercept, or a line, for every person (Frisch & Waugh 1933). Errors are robust against whatever persons have in
common with themselves: the influence of person i on the estimate is (X'X)^-1 X_i'(I - H_ii)^-1/2 e_i, whose squares add
up to the CR2 covariance (Bell & McCaffrey 2002). Influences of two regressions on the same persons give the covariance
of anything that is made of both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ...designs import Design
    from ...panel import Panel

#: Directions of columns shorter than this share of their length before anything was taken out are rounding.
_ROUNDING = 1e-9
#: A leverage so near to 1 leaves nothing of a person's residuals in its direction.
_ALL_LEVERAGE = 1 - 1e-8


@dataclass(frozen=True, slots=True, eq=False)
class Regression:
    """coefficients : (k,) of the columns of interest. influence : (n_persons of the Panel, k), 0 for persons without
    rows. residuals : (n_rows,) of the rows of the design, with their variance and degrees of freedom. persons : who had
    something left after the projection."""

    coefficients: np.ndarray
    influence: np.ndarray
    residuals: np.ndarray
    variance: float
    persons: int
    freedom: int


def regression(made: Design, terms: list[str], panel: Panel, *, line: bool) -> Regression | None:
    """Least squares of the response on `terms` within persons, all other fixed columns held constant.

    Parameters
    ----------
    made : response, columns of interest and what is held constant.
    terms : names of the columns of interest.
    panel : that the design is of.
    line : whether a line over sessions is taken out of each person, not only the mean.

    Returns
    -------
    None if nothing is left of a column of interest, since it does not vary within persons apart from the others, or of
    the response, which follows from them without any error.
    """
    interest = [made.names.index(t) for t in terms]
    others = [c for c in made.fixed if c not in interest]
    columns = np.asarray(made.matrix[:, [0, *interest, *others]])
    length = np.sqrt((columns**2).sum(axis=0))
    left = projected(columns, made.starts, made.sessions, line=line)
    y, x, held = left[:, 0], left[:, 1 : 1 + len(interest)], left[:, 1 + len(interest) :]
    basis = _basis(held, length[1 + len(interest) :])
    y, x = y - basis @ (basis.T @ y), x - basis @ (basis.T @ x)
    if (np.sqrt((x**2).sum(axis=0)) <= _ROUNDING * length[1 : 1 + len(interest)]).any():
        return None
    q, r = np.linalg.qr(x)
    if np.abs(np.diag(r)).min() <= _ROUNDING * np.abs(np.diag(r)).max():
        return None
    coefficients = np.linalg.solve(r, q.T @ y)
    residuals = y - x @ coefficients
    if np.sqrt(residuals @ residuals) <= _ROUNDING * length[0]:
        return None
    freedom = _freedom(made, line) - basis.shape[1] - x.shape[1]
    if freedom <= 0:
        return None
    scores = _by_person(q, _adjusted(np.hstack([q, basis]), residuals, made.starts), made.starts)
    influence = np.zeros((panel.n_persons, len(interest)))
    influence[panel.codes[made.rows[made.starts[:-1]]]] = np.linalg.solve(r, scores.T).T
    several = int((np.diff(made.starts) > (2 if line else 1)).sum())
    return Regression(coefficients, influence, residuals, float(residuals @ residuals) / freedom, several, freedom)


def projected(columns: np.ndarray, starts: np.ndarray, sessions: np.ndarray, *, line: bool) -> np.ndarray:
    """(n_rows, k): deviations from persons' means, or from their lines over sessions."""
    sizes = np.diff(starts)
    person = np.repeat(np.arange(len(sizes)), sizes)
    left = columns - (np.add.reduceat(columns, starts[:-1], axis=0) / sizes[:, None])[person]
    if not line:
        return np.asarray(left)
    time = sessions - (np.add.reduceat(sessions, starts[:-1]) / sizes)[person]
    square = np.add.reduceat(time**2, starts[:-1])
    slope = np.add.reduceat(left * time[:, None], starts[:-1], axis=0) / np.where(square > 0, square, 1.0)[:, None]
    return np.asarray(left - time[:, None] * slope[person])


def _basis(held: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Orthonormal columns that span what is held constant, rounding left out."""
    size = np.sqrt((held**2).sum(axis=0))
    there = size > _ROUNDING * length
    if not there.any():
        return np.zeros((len(held), 0))
    u, s, _ = np.linalg.svd(held[:, there] / size[there], full_matrices=False)
    return np.asarray(u[:, s > _ROUNDING * s[0]])


def _freedom(made: Design, line: bool) -> int:
    """Rows, less the rank of the projections."""
    sizes = np.diff(made.starts)
    return int(len(made.rows) - np.minimum(sizes, 2 if line else 1).sum())


def _adjusted(q: np.ndarray, residuals: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """(I - H_ii)^-1/2 e_i of each person, H_ii = q_i q_i', persons with as many rows at a time."""
    sizes = np.diff(starts)
    out = residuals.copy()
    for size in np.unique(sizes).tolist():
        rows = starts[:-1][sizes == size][:, None] + np.arange(size)
        u, s, _ = np.linalg.svd(q[rows], full_matrices=False)
        leverage = np.minimum(s**2, 1.0)
        factor = np.where(leverage < _ALL_LEVERAGE, 1 / np.sqrt(np.maximum(1 - leverage, 1e-300)) - 1, -1.0)
        along = np.einsum("gnk,gn->gk", u, residuals[rows])
        out[rows] += np.einsum("gnk,gk->gn", u, factor * along)
    return out


def _by_person(q: np.ndarray, residuals: np.ndarray, starts: np.ndarray) -> np.ndarray:
    return np.asarray(np.add.reduceat(q * residuals[:, None], starts[:-1], axis=0))
