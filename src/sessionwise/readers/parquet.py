"""Parquet -> Table. Types are as stored; floating-point NaN becomes missing, and is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ReadError, some
from ..findings import Finding, Findings
from ..panel.table import Table
from .headers import check_names
from .limits import Limit
from .places import many

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl


def read_parquet(path: Path, source: str, limit: Limit) -> Table:
    """The Parquet file `path`; ReadError if it is damaged or has nested columns."""
    import polars as pl

    try:
        frame = pl.read_parquet(path, glob=False, hive_partitioning=False)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError, OverflowError) as error:
        raise ReadError(
            f"The Parquet file could not be read: {str(error).strip().splitlines()[0] if str(error).strip() else ''}.",
            where=source,
            remedy="It may be damaged or cut off: fetch or write it again.",
        ) from error
    if not frame.width or not frame.height:
        raise ReadError("The Parquet file has no rows.", where=source, remedy="Write it again, with the data.")
    nested = [c for c, t in frame.schema.items() if t.is_nested()]
    if nested:
        raise ReadError(
            f"Columns {some(nested)} hold lists or records, not values.",
            where=source,
            remedy="Unnest or drop them before writing the file.",
        )
    check_names([c.strip() for c in frame.columns], source, "row")
    frame, findings = _without_nan(frame)
    return Table(
        frame,
        source=source,
        findings=Findings(findings),
        first_row=1,
    )


def _without_nan(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[Finding]]:
    import polars as pl

    floats = [c for c, t in frame.schema.items() if t.is_float()]
    counts = {c: int(n) for c in floats if (n := frame[c].is_nan().sum())}
    if not counts:
        return frame, []
    note = Finding(
        "note",
        "nan-missing",
        f"NaN was read as missing in {many(sum(counts.values()), 'cell')}.",
        where="columns " + some([f"{c} ({n:,})" for c, n in counts.items()], 12),
        count=sum(counts.values()),
    )
    return frame.with_columns(pl.col(list(counts)).fill_nan(None)), [note]
