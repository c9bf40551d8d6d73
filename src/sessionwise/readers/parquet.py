"""Parquet -> Table. Types are as stored; floating-point NaN becomes missing, and is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ReadError, some
from ..findings import Finding, Findings
from ..panel.frames import usual
from ..panel.kept import kept
from ..panel.table import Table
from ..words import agree, counted, numbered
from .headers import check_names
from .limits import Limit

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl


def read_parquet(path: Path, source: str, limit: Limit) -> Table:
    """The Parquet file `path`; ReadError if it is damaged or has nested columns."""
    import polars as pl

    try:
        lazy = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        limit.check_cells(int(lazy.select(pl.len()).collect().item()), len(lazy.collect_schema()), source)
        frame = pl.read_parquet(path, glob=False, hive_partitioning=False)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError, OverflowError) as error:
        raise ReadError(
            f"The Parquet file could not be read: {str(error).strip().splitlines()[0] if str(error).strip() else ''}.",
            where=source,
            remedy="It may be damaged or cut off: fetch or write it again.",
        ) from error
    if not frame.width or not frame.height:
        raise ReadError("The Parquet file has no rows.", where=source, remedy="Write it again, with the data.")
    check_names([c.strip() for c in frame.columns], source, "row")
    series, findings = _unnested(frame, source)
    limit.check_cells(frame.height, len(series), source)
    check_names([one.name.strip() for one in series], source, "row")
    frame, more = _without_nan(pl.DataFrame(series))
    findings += more
    frame, more = _usual(frame, source)
    findings += more
    return Table(
        frame,
        source=source,
        findings=Findings(findings),
        first_row=1,
    )


def _unnested(frame: pl.DataFrame, source: str) -> tuple[list[pl.Series], list[Finding]]:
    """The columns, those of records as one column for each field, 'record.field'; ReadError for lists."""
    import polars as pl

    series, opened = frame.get_columns(), 0
    records: list[str] = []
    while any(isinstance(one.dtype, pl.Struct) for one in series):
        opened += 1
        if opened == 1:
            records = [one.name for one in series if isinstance(one.dtype, pl.Struct)]
        series = [field for one in series for field in _fields(one)]
    lists = [one.name for one in series if one.dtype.is_nested()]
    if lists:
        raise ReadError(
            f"{numbered('Column', map(repr, lists))} {agree(len(lists), 'holds', 'hold')} lists, not values.",
            where=source,
            remedy="Before writing the file, take them out, or give each of their values a column.",
        )
    if not records:
        return series, []
    what = f"{numbered('Column', map(repr, records))} {agree(len(records), 'holds', 'hold')} records; each of their "
    what += "fields was read as a column, such as "
    what += f"{next(one.name for one in series if '.' in one.name)!r}."
    return series, [Finding("note", "records-opened", what, source, len(records))]


def _fields(one: pl.Series) -> list[pl.Series]:
    """A column of records as its fields, any other as it is."""
    import polars as pl

    if not isinstance(one.dtype, pl.Struct):
        return [one]
    held = one.is_not_null()
    fields = one.alias("record").struct.unnest().get_columns()
    named = [f"{one.name}.{field.name}" for field in fields]
    return [kept(field.alias("field"), held).alias(name) for field, name in zip(fields, named, strict=True)]


def _usual(frame: pl.DataFrame, source: str) -> tuple[pl.DataFrame, list[Finding]]:
    """Columns of rare types (128 bits, decimals, bytes) with a usual one, and dates beyond the calendar missing."""
    import polars as pl

    found = []
    columns = []
    for series in frame.iter_columns():
        turned = usual(series)
        columns.append(turned)
        lost = (turned.is_null() & series.is_not_null()).arg_true().to_list()
        where = f"{source}, column {series.name}"
        if lost:
            n = len(lost)
            what = (
                f"{counted(n, 'cell')} of column {series.name!r} {agree(n, 'holds a date', 'hold dates')} outside the "
            )
            what += "years 1 to 9999, read as missing."
            at = f"{source}, {numbered('row', (i + 1 for i in lost))}, column {series.name}"
            found.append(Finding("warning", "impossible-date", what, at, n, "Correct the file."))
        elif turned.dtype == pl.Float64 and not series.dtype.is_float() and bool((series != turned).any()):
            what = f"Column {series.name!r} has numbers with more digits than are held; the last ones were rounded."
            found.append(Finding("warning", "rounded", what, where, len(series)))
        elif turned.dtype != series.dtype:
            kind, became = str(series.dtype).lower(), str(turned.dtype).lower()
            what = f"Column {series.name!r} of the type {kind} was read as {became}."
            found.append(Finding("note", "type-changed", what, where, len(series)))
    return pl.DataFrame(columns), found


def _without_nan(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[Finding]]:

    floats = [c for c, t in frame.schema.items() if t.is_float()]
    counts = {c: int(n) for c in floats if (n := frame[c].is_nan().sum())}
    if not counts:
        return frame, []
    note = Finding(
        "note",
        "nan-missing",
        f"NaN was read as missing in {counted(sum(counts.values()), 'cell')}.",
        where="columns " + some([f"{c} ({n:,})" for c, n in counts.items()], 12),
        count=sum(counts.values()),
    )
    return frame.with_columns(frame[c].fill_nan(None) for c in counts), [note]
