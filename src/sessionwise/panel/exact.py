"""Columns by their very names: polars takes '*' and '^...$' for patterns of several names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


def exact(name: str) -> pl.Expr:
    """The column of this name."""
    import polars.selectors as cs

    return cs.by_name(name).as_expr()


def each(names: Iterable[str]) -> list[pl.Expr]:
    """The columns of these names, in this order."""
    return [exact(name) for name in names]
