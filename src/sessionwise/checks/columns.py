"""Single columns: empty, constant, absurd numbers, or numbers kept as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import Wording, missing_codes, some
from ..findings import Finding
from ..panel.panel import LARGEST
from ..readers.cells import numbers
from ..words import counted, numbered
from .sheet import Sheet

if TYPE_CHECKING:
    import polars as pl

#: A text column is looked at in full only if at least a quarter of so many of its cells are numbers.
_SAMPLE = 2_000


def check_columns(sheet: Sheet) -> list[Finding]:
    """Findings on the columns without a role."""
    empty, constant = [], []
    for name in sheet.data_columns:
        series = sheet.series(name)
        if series.null_count() == len(series):
            empty.append(name)
        elif len(series) > 1 and _is_constant(series):
            constant.append(name)
    found = []
    if empty:
        what = f"{counted(len(empty), 'column')} without any value."
        found.append(Finding("note", "empty-column", what, _names(empty), len(empty)))
    if constant:
        what = f"{counted(len(constant), 'column')} with one and the same value in all rows."
        remedy = "They cannot be used in a model."
        found.append(Finding("note", "constant-column", what, _names(constant), len(constant), remedy))
    return found + _extreme(sheet) + _text_numbers(sheet)


def _extreme(sheet: Sheet) -> list[Finding]:
    """Infinite numbers, and numbers too large to be squared."""
    import polars as pl

    where, cells = [], 0
    for name in sheet.data_columns:
        series = sheet.series(name)
        if series.dtype.is_float():
            rows = (series.cast(pl.Float64).abs() > LARGEST).arg_true()
            if len(rows):
                cells += len(rows)
                where.append(f"column {name!r}: {series[int(rows[0])]:g} at {sheet.where(rows)}")
    if not cells:
        return []
    what = f"{counted(cells, 'cell')} with an infinite number or one beyond {LARGEST:g}."
    return [Finding("warning", "extreme-number", what, some(where), cells, "Correct them, or declare them missing.")]


def _names(names: list[str]) -> str:
    return numbered("column", map(repr, names))


def _is_constant(series: pl.Series) -> bool:
    if series.null_count() or series.dtype.is_nested():
        return False
    return series[0] == series[-1] and bool((series == series[0]).all())


def _text_numbers(sheet: Sheet) -> list[Finding]:
    """Text columns that are numbers but for some cells, and those that are numbers altogether."""
    import polars as pl

    mixed: list[str] = []
    whole: list[str] = []
    cells = 0
    for name in sheet.data_columns:
        series = sheet.series(name)
        if series.dtype not in (pl.String, pl.Categorical, pl.Enum) or not _has_numbers(series):
            continue
        read = numbers(series)
        filled, bad = len(series) - read.values.null_count(), len(read.bad)
        if not bad and not read.padded:
            whole.append(name)
        elif 0 < bad <= filled:
            cells += bad
            mixed.append(f"column {name!r}: {series[int(read.bad[0])]!r} at {sheet.where(read.bad)}")
    found = []
    if mixed:
        what = f"{counted(cells, 'cell')} in {counted(len(mixed), 'column')} of numbers hold text."
        declared = missing_codes({"column": ["text", ...]})
        remedy: str = Wording("Correct them, or declare them missing: ", declared, ".")
        found.append(Finding("warning", "text-in-numbers", what, some(mixed), cells, remedy))
    if whole:
        what = f"{counted(len(whole), 'column')} of numbers kept as text."
        remedy = "Turn them into numbers; sessionwise.read does so when it reads the file."
        found.append(Finding("warning", "numbers-as-text", what, _names(whole), len(whole), remedy))
    return found


def _has_numbers(series: pl.Series) -> bool:
    import polars as pl

    filled = series.drop_nulls()
    sample = filled.gather_every(max(1, len(filled) // _SAMPLE)).cast(pl.String)
    found = numbers(sample).values
    return len(sample) > 0 and 4 * (len(found) - found.null_count()) >= len(sample)
