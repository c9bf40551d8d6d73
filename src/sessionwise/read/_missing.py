"""Codes the user declares missing (missing=) set missing, each counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import ReadError, nearest, some
from ..findings import Finding, Findings
from ..table import Table
from ._place import many

if TYPE_CHECKING:
    import polars as pl

Code = int | float | str
Codes = Code | Sequence[Code]


def set_missing(table: Table, missing: Codes | Mapping[str, Codes]) -> Table:
    """`table` with the declared codes set missing.

    A code or list: numbers are looked for in all numeric columns, text in all text columns. {column: codes}: in these
    columns only. ReadError for columns that do not exist.
    """
    frame, source = table.frame, table.source
    if isinstance(missing, Mapping):
        for name in missing:
            if name not in frame.columns:
                raise ReadError(
                    f"missing= names column {name!r}, which the file does not have.{nearest(name, frame.columns)}",
                    where=source,
                    remedy=f"Its columns are {some(frame.columns, 12)}.",
                )
        by_column = {name: _listed(codes, source) for name, codes in missing.items()}
    else:
        by_column = {name: _listed(missing, source) for name in frame.columns}
    counts: dict[Code, dict[str, int]] = {code: {} for codes in by_column.values() for code in codes}
    changed = [_without(frame[name], codes, counts) for name, codes in by_column.items()]
    return replace(table, frame=frame.with_columns(changed), findings=table.findings + _notes(counts, source))


def _listed(codes: object, source: str) -> list[Code]:
    if isinstance(codes, int | float | str) and not isinstance(codes, bool):
        return [codes]
    if isinstance(codes, Sequence | set | frozenset | range):
        listed = list(codes)
        if all(isinstance(c, int | float | str) and not isinstance(c, bool) for c in listed):
            return listed
    raise ReadError(
        f"missing= has {codes!r}, which is not a code or a list of codes.",
        where=source,
        remedy="Give a number, a list of numbers, or {column: codes}.",
    )


def _without(series: pl.Series, codes: list[Code], counts: dict[Code, dict[str, int]]) -> pl.Series:
    """The column without the codes, counting them."""
    import polars as pl

    text = series.str.strip_chars() if series.dtype == pl.String else None
    gone = None
    for code in codes:
        if text is not None:
            hit = text == (code if isinstance(code, str) else f"{code:g}")
        elif series.dtype.is_numeric() and not isinstance(code, str):
            hit = series == code
        else:
            continue
        hit = hit.fill_null(False)
        count = int(hit.sum())
        if count:
            counts[code][series.name] = count
            gone = hit if gone is None else gone | hit
    if gone is None:
        return series
    return pl.select(pl.when(~gone).then(series)).to_series().rename(series.name)


def _notes(counts: dict[Code, dict[str, int]], source: str) -> Findings:
    notes = []
    for code, columns in counts.items():
        total = sum(columns.values())
        what = f"Code {code!r}, declared missing, was set missing in {many(total, 'cell')}."
        where = "columns " + some([f"{c} ({n:,})" for c, n in columns.items()], 12) if columns else source
        if not columns:
            what = f"Code {code!r}, declared missing, was found in no cell."
        notes.append(Finding("note", "declared-missing", what, where=where, count=total))
    return Findings(notes)
