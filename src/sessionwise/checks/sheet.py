"""What the checks read: columns and where their rows are, whether or not a Panel could be built."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from ..panel import Panel

if TYPE_CHECKING:
    import polars as pl


class Sheet:
    """Columns in one row order, each read once.

    columns : names.
    roles : role -> column, for columns that are there.
    panel : if one could be built; rows are then in its order, else in the table's.
    where : row positions -> the user's words.
    """

    def __init__(
        self,
        columns: tuple[str, ...],
        read: Callable[[str], pl.Series],
        where: Callable[[Iterable[int]], str],
        roles: Mapping[str, str],
        panel: Panel | None,
    ) -> None:
        self.columns, self.where, self.roles, self.panel = columns, where, roles, panel
        self._read = read
        self._series: dict[str, pl.Series] = {}

    def series(self, name: str) -> pl.Series:
        """A column, null for missing."""
        if name not in self._series:
            self._series[name] = self._read(name)
        return self._series[name]

    @property
    def data_columns(self) -> tuple[str, ...]:
        """Names of columns without a role."""
        roles = set(self.roles.values())
        return tuple(name for name in self.columns if name not in roles)
