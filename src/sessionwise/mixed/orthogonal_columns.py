"""Orthogonal columns: for fixed columns that nearly depend on each other, or a response that they nearly give, row by
row.

Cross-products square the condition number: what is left of a column beside the others is lost in them long before it
is lost in the rows. Where that threatens, the fixed columns are replaced by an orthonormal basis of theirs and the
response by what least squares leaves of it, before anything is multiplied. The model stays what it is: with X = Q R and
y = X b + e the coefficients are b + R^-1 (those of Q for e).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..designs import Design
from .random_terms import Terms

#: Smallest eigenvalue of the columns' cross-products, scaled, relative to the largest, from which on they are trusted.
POOR = 1e-7
_ROWS = 1024


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """Other fixed columns and response, and the way back.

    of : names of the fixed columns. back : (p, p), coefficients of these = shift + back @ those of the basis, and the
    basis is their columns times `back`. shift : (p,), what the response lacks is the columns times it.
    made : (n_rows, p + 1), the basis, with mean square 1, and what is left of the response, in the rows it was taken
        from; (0, p + 1) where these are elsewhere.
    """

    of: tuple[str, ...]
    back: np.ndarray
    shift: np.ndarray
    made: np.ndarray

    @property
    def p(self) -> int:
        return len(self.of)

    def same(self, other: Basis) -> bool:
        return self.of == other.of and np.array_equal(self.back, other.back) and np.array_equal(self.shift, other.shift)

    def extended(self, design: Design) -> Design:
        """The Design with the basis and what is left of the response as further columns."""
        made = self.made
        if len(made) != len(design.rows):
            x = design.matrix[:, [design.names.index(name, 1) for name in self.of]]
            made = np.column_stack([x @ self.back, design.matrix[:, 0] - x @ self.shift])
        names = (*design.names, *(f"basis {j}" for j in range(self.p)), "rest of the response")
        return replace(design, matrix=np.asfortranarray(np.column_stack([design.matrix, made])), names=names)

    def fitted(self, terms: Terms) -> Terms:
        """The terms with the basis in place of the fixed columns, and the rest of the response in place of that."""
        k = len(terms.names)
        names = (*terms.names, *(f"basis {j}" for j in range(self.p)), "rest of the response")
        return replace(terms, names=names, response=k + self.p, fixed=tuple(range(k, k + self.p)))

    @property
    def without_rows(self) -> Basis:
        return replace(self, made=self.made[:0])


def is_poor(design: Design, centered: bool) -> bool:
    """Whether cross-products of the fixed columns and the response would lose too many digits; from about 1,000 rows.

    centered : whether columns are centred before they are multiplied.
    """
    columns = [*design.fixed, 0]
    if len(columns) < 2 or not len(design.rows):
        return False
    step = max(1, len(design.rows) // _ROWS) | 1  # odd, so as not to hit the same session of every person
    rows = design.matrix[::step, columns]
    if centered:
        rows = rows - rows.mean(axis=0)
    size = np.sqrt(np.einsum("ij,ij->j", rows, rows))
    rows = rows[:, size > 0] / size[size > 0]
    return is_poor_table(rows.T @ rows)


def is_poor_table(table: np.ndarray) -> bool:
    """The same from the cross-products of the columns and the response, each with a sum of squares of about 1."""
    if len(table) < 2:
        return False
    roots = np.linalg.eigvalsh(table)
    return bool(roots[0] < POOR * roots[-1])


def basis_of(design: Design) -> Basis:
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
    made = np.column_stack([q * np.sqrt(n), left - q @ again])
    return Basis(tuple(design.names[c] for c in design.fixed), back, shift, made)
