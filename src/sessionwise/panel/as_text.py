"""Any column as text: what labels are made of, whatever the column's type."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


def as_text(series: pl.Series) -> pl.Series:
    """`series` as String: durations as '30:05:00', bytes as their text or hexadecimal digits, anything as written."""
    import polars as pl

    if series.dtype == pl.Duration:
        return _clock(series)
    if series.dtype == pl.Binary:
        try:
            return series.cast(pl.String)
        except pl.exceptions.PolarsError:
            return series.bin.encode("hex")
    try:
        return series.cast(pl.String)
    except pl.exceptions.PolarsError:  # lists, records, objects
        words = [None if value is None else str(value) for value in series.to_list()]
        return pl.Series(series.name, words, dtype=pl.String)


def _clock(series: pl.Series) -> pl.Series:
    """Durations as hours, minutes and seconds, with what is below a second if there is any."""
    import polars as pl

    micro = series.cast(pl.Duration("us")).cast(pl.Int64)
    rest = micro.abs()
    parts = pl.DataFrame(
        {
            "sign": pl.select(pl.when(micro < 0).then(pl.lit("-")).otherwise(pl.lit(""))).to_series(),
            "h": (rest // 3_600_000_000).cast(pl.String),
            "m": (rest // 60_000_000 % 60).cast(pl.String).str.zfill(2),
            "s": (rest // 1_000_000 % 60).cast(pl.String).str.zfill(2),
            "f": (rest % 1_000_000).cast(pl.String).str.zfill(6).str.strip_chars_end("0"),
        }
    )
    tail = pl.when(pl.col("f") == "").then(pl.lit("")).otherwise(pl.lit(".") + pl.col("f"))
    text = pl.col("sign") + pl.col("h") + ":" + pl.col("m") + ":" + pl.col("s") + tail
    return parts.select(text.alias(series.name)).to_series().set(micro.is_null(), None)
