"""Some cells of a column, the others missing, whatever the column is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


def kept(series: pl.Series, keep: pl.Series) -> pl.Series:
    """`series` where `keep` is true, null elsewhere. Under names of their own: polars would expand '^...$'."""
    import polars as pl

    inner = pl.select(pl.when(keep.alias("keep")).then(series.alias("cell"))).to_series()
    return inner.alias(series.name)
