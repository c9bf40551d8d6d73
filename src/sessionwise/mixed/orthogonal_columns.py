"""Orthogonal columns: fixed columns that nearly depend on each other, or a response that they nearly give, row by row.

Cross-products square the condition number: what is left of a column beside the others is lost in them long before it
is lost in the rows. Where that threatens, the fixed columns are replaced by an orthonormal basis of theirs and the
response by what least squares leaves of it, before anything is multiplied. The model stays what it is: with X = Q R and
y = X b + e the coefficients are b + R^-1 (those of Q for e).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..designs import Design

#: Smallest eigenvalue of the columns' cross-products, scaled, relative to the largest, from which on they are trusted.
POOR = 1e-7
_ROWS = 1024


@dataclass(frozen=True, slots=True, eq=False)
class Conditioned:
    """A Design with other fixed columns and response, and the way back.

    design : its fixed columns are orthogonal with mean square 1, its response has no part in them.
    back : (p, p), coefficients = shift + back @ those of `design`. shift : (p,).
    """

    design: Design
    back: np.ndarray
    shift: np.ndarray


def is_poor(design: Design, centered: bool) -> bool:
    """Whether cross-products of the fixed columns and the response would lose too many digits; from about 1,000 rows.

    centered : whether columns are centred before they are multiplied.
    """
    columns = [*design.fixed, 0]
    step = max(1, len(design.rows) // _ROWS) | 1  # odd, so as not to hit the same session of every person
    rows = design.matrix[::step, columns]
    if centered:
        rows = rows - rows.mean(axis=0)
    size = np.sqrt(np.einsum("ij,ij->j", rows, rows))
    rows = rows[:, size > 0] / size[size > 0]
    if rows.shape[1] < 2:
        return False
    roots = np.linalg.eigvalsh(rows.T @ rows)
    return bool(roots[0] < POOR * roots[-1])


def conditioned(design: Design) -> Conditioned:
    """The model again, with orthogonal fixed columns."""
    x = design.matrix[:, list(design.fixed)]
    n, p = x.shape
    size = np.abs(x).max(axis=0)
    q, r = np.linalg.qr(x / size)
    y = design.matrix[:, 0]
    of_y = q.T @ y
    left = y - q @ of_y
    again = q.T @ left  # once more: what rounding left
    back = np.linalg.solve(r, np.eye(p)) / size[:, None] * np.sqrt(n)
    shift = back @ (of_y + again) / np.sqrt(n)
    matrix = np.asfortranarray(np.column_stack([left - q @ again, design.matrix[:, 1:], q * np.sqrt(n)]))
    k = design.matrix.shape[1]
    names = (*design.names, *(f"basis {j}" for j in range(p)))
    return Conditioned(replace(design, matrix=matrix, names=names, fixed=tuple(range(k, k + p))), back, shift)
