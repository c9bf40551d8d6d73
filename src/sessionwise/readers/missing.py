"""Codes the user declares missing (missing=) set missing, each counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import Argument, ReadError, Wording, nearest, some
from ..findings import Finding, Findings
from ..panel.kept import kept
from ..panel.table import Table
from ..words import agree, all_digits, counted
from .cells import numbers
from .dates import clock_times, iso_date, truth
from .headers import names_persons
from .notes import Log

if TYPE_CHECKING:
    import polars as pl

Code = int | float | str
Codes = Code | Sequence[Code]

_SETTLED = ("text-in-numbers", "mixed-dates", "mixed-durations")
_FEWEST_IDENTIFIERS = 10
_DISTINCT = 0.95


def set_missing(table: Table, missing: Codes | Mapping[str, Codes], person: str | None = None) -> Table:
    """`table` with the declared codes set missing.

    A code or list: numbers are looked for in all numeric columns, text in all text columns, and nothing in the column
    `person`. {column: codes}: in these columns only, numbers in text columns too; the column '*' stands for all, as
    above. A text column that is named, or had a code, and holds only numbers, truth values, dates or durations once
    its codes are gone, becomes of that type. A warning is given
    where codes were set missing in what seems to be an identifier that was not named. ReadError for columns that do
    not exist.
    """
    frame, source = table.frame, table.source
    named = isinstance(missing, Mapping)
    if isinstance(missing, Mapping):
        for name in missing:
            if name not in (*frame.columns, "*"):
                raise ReadError(
                    f"missing= names column {name!r}, which the file does not have.{nearest(name, frame.columns)}",
                    where=source,
                    remedy=f"Its columns are {some(frame.columns, 12)}.",
                )
        if "*" in missing:  # all columns first, then those that are named
            table = set_missing(table, missing["*"], person)
            frame = table.frame
        by_column = {name: _listed(codes, source) for name, codes in missing.items() if name != "*"}
    else:
        by_column = {name: _listed(missing, source) for name in frame.columns}
    counts: dict[Code, dict[str, int]] = {code: {} for codes in by_column.values() for code in codes}
    if not named:
        by_column.pop(person or "", None)
    changed = [_without(frame[name], codes, counts, named) for name, codes in by_column.items()]
    hit = {name for columns in counts.values() for name in columns}
    changed = [_typed(series) if named or series.name in hit else series for series in changed]
    became = {series.name for series in changed if series.dtype != frame[series.name].dtype}
    left = {s.name: numbers(s) for s in changed if s.name in hit and s.dtype == _string()}
    gone = became | {name for name, read in left.items() if not read.markers}
    became |= {name for name, read in left.items() if not len(read.bad)}
    doubts = _identifiers(frame, counts, person, named)
    earlier = [
        f
        for f in table.findings
        if not (f.code in _SETTLED and f.column in became) and not (f.code == "marker-in-text" and f.column in gone)
    ]
    findings = Findings(earlier) + _notes(counts, source) + Findings(doubts)
    return replace(table, frame=frame.with_columns(changed), findings=findings)


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


def _without(series: pl.Series, codes: list[Code], counts: dict[Code, dict[str, int]], named: bool) -> pl.Series:
    """The column without the codes, counting them."""
    import polars as pl

    text = series.str.strip_chars() if series.dtype == pl.String else None
    gone = None
    for code in codes:
        if text is not None and (named or isinstance(code, str)):
            hit = text == (code if isinstance(code, str) else all_digits(code))
        elif series.dtype.is_numeric() and not isinstance(code, str):
            hit = _equal(series, code)
        else:
            continue
        hit = hit.fill_null(False)
        count = int(hit.sum())
        if count:
            counts[code][series.name] = count
            gone = hit if gone is None else gone | hit
    if gone is None:
        return series
    return kept(series, ~gone)


def _typed(series: pl.Series) -> pl.Series:
    """As numbers, truth values, dates or durations, if it is text and every cell left is one without doubt."""
    import polars as pl

    if series.dtype != pl.String or series.null_count() == len(series):
        return series
    read = numbers(series)
    if read.exact and read.values.count():
        sure = not read.markers and read.points != "grouping" and read.merged is None and not read.signs
        return read.values.rename(series.name) if sure and not read.choices else series
    if read.markers:
        return series
    log = Log()
    other = truth(series, log)
    if other is None:
        other = iso_date(series, log, lambda rows: "")
    if other is None:
        other = clock_times(series)
    return series if other is None else other.rename(series.name)


def _string() -> pl.DataType:
    import polars as pl

    return pl.String()


def _equal(series: pl.Series, code: float) -> pl.Series:
    """Where the numbers are the code; nowhere if it is beyond what their type holds."""
    import polars as pl

    try:
        return series == code
    except OverflowError:
        return pl.repeat(False, len(series), eager=True)


def _identifiers(
    frame: pl.DataFrame, counts: Mapping[Code, Mapping[str, int]], person: str | None, named: bool
) -> list[Finding]:
    """A warning for each column of identifiers in which codes were found: any not named, or the person's."""
    hits: dict[str, list[Code]] = {}
    for code, columns in counts.items():
        for column in columns:
            hits.setdefault(column, []).append(code)
    found = []
    for column, codes in hits.items():
        if column != person and (named or not _identifies(frame[column])):
            continue
        n = sum(counts[code][column] for code in codes)
        remedy = Wording(
            f"If they are identifiers there, leave {column!r} out of ", Argument("missing=", ("--missing",)), "."
        )
        if not named:
            remedy = Wording(
                "If they are identifiers there, name the columns that have the code, ",
                Argument("missing={column: codes}", ("--missing", "COLUMN=CODE")),
                "; ",
                Argument(f"person={column!r}", ("--person", column)),
                " spares this one.",
            )
        found.append(
            Finding(
                "warning",
                "missing-in-identifier",
                f"{some([repr(c) for c in codes])} {agree(len(codes), 'was', 'were')} set missing in "
                f"{counted(n, 'cell')} of column {column!r}, which seems to identify persons or rows.",
                where=f"column {column}",
                count=n,
                remedy=remedy,
            )
        )
    return found


def _identifies(series: pl.Series) -> bool:
    """Whether a column is named like an identifier, or has nearly as many different whole numbers as cells."""
    import polars as pl

    if names_persons(series.name):
        return True
    cells = series.drop_nulls()
    if len(cells) < _FEWEST_IDENTIFIERS or cells.n_unique() < _DISTINCT * len(cells):
        return False
    if cells.dtype == pl.String:
        return bool(cells.str.contains(r"^\s*[0-9]+\s*$").all())
    return cells.dtype.is_integer() or (cells.dtype.is_float() and bool((cells == cells.floor()).all()))


def _notes(counts: Mapping[Code, Mapping[str, int]], source: str) -> Findings:
    notes = []
    for code, columns in counts.items():
        total = sum(columns.values())
        what = f"Code {code!r}, declared missing, was set missing in {counted(total, 'cell')}."
        where = "columns " + some([f"{c} ({n:,})" for c, n in columns.items()], 12) if columns else source
        if not columns:
            what = f"Code {code!r}, declared missing, was found in no cell."
        notes.append(Finding("note", "declared-missing", what, where=where, count=total))
    return Findings(notes)
