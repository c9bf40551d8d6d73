"""What is missing in the sessions that were attended, by column and session number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .variance import Floats, Ints

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Missingness:
    """Missing cells of attended sessions (rows); a session without a row is not counted here.

    columns : names (n_columns,). session : int64 (n_session_numbers,), the numbers that occur.
    rows : int64 (n_session_numbers,) sessions attended.
    missing : int64 (n_columns, n_session_numbers) of them without a value.
    """

    columns: tuple[str, ...]
    session: Ints
    rows: Ints
    missing: Ints

    @property
    def count(self) -> Ints:
        """int64 (n_columns,): missing in all."""
        out: Ints = self.missing.sum(axis=1)
        return out

    @property
    def share(self) -> Floats:
        """float64 (n_columns,): of all attended sessions."""
        return self.count / max(1, int(self.rows.sum()))

    @property
    def share_by_session(self) -> Floats:
        """float64 (n_columns, n_session_numbers)."""
        return self.missing / self.rows


def missingness(masks: Mapping[str, Mask], sessions: Ints) -> Missingness:
    """masks : column -> bool (n_rows,), true where missing; sessions : int64 (n_rows,)."""
    numbers, codes, rows = np.unique(sessions, return_inverse=True, return_counts=True)
    table = np.zeros((len(masks), len(numbers)), np.int64)
    for i, mask in enumerate(masks.values()):
        if mask.any():
            table[i] = np.bincount(codes[mask], minlength=len(numbers))
    return Missingness(tuple(masks), numbers, rows.astype(np.int64), table)
