"""SPSS, Stata and SAS files through pyreadstat -> Table; pandas is not needed."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import ReadError, nearest, some
from ..findings import Finding, Findings
from ..panel.table import Table
from .headers import check_names
from .limits import Limit
from .places import many, written

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

_READERS = {
    "sav": "read_sav",
    "por": "read_por",
    "dta": "read_dta",
    "sas7bdat": "read_sas7bdat",
    "xpt": "read_xport",
}
_PROGRAMS = {"sav": "SPSS", "por": "SPSS portable", "dta": "Stata", "sas7bdat": "SAS", "xpt": "SAS transport"}
_EXACT = 2.0**53


def read_stat(
    path: Path,
    data: bytes,
    source: str,
    kind: str,
    *,
    encoding: str | None,
    value_labels: str | Sequence[str],
    limit: Limit,
) -> Table:
    """The file as a Table with variable labels and value labels.

    Codes declared missing in the file become missing and are counted in notes. Whole numbers stored as doubles become
    Int64. `value_labels`: 'numbers', 'categories', or the columns to turn into categories.
    """
    import numpy as np
    import polars as pl

    if kind == "sav":
        from .sav_dictionary import check_dictionary

        check_dictionary(data, source)
    cells, meta = _parse(path, source, kind, encoding)
    if not cells or not len(next(iter(cells.values()))):
        raise ReadError(f"The {_PROGRAMS[kind]} file has no rows.", where=source, remedy="Export it again.")
    names = [str(c) for c in cells]
    check_names([n.strip() for n in names], source, "row")
    missing: dict[str, dict[str, int]] = {}
    findings: list[Finding] = []
    ranges: Mapping[str, list[Mapping[str, Any]]] = getattr(meta, "missing_ranges", None) or {}
    frame = pl.DataFrame(
        [_column(str(name), values, ranges.get(str(name), []), missing, source) for name, values in cells.items()]
    )
    findings += _missing_notes(missing)
    if kind in ("por", "xpt"):
        what = "Codes declared missing in files of this kind are read as missing and cannot be counted."
        findings.append(Finding("note", "user-missing-uncounted", what, where=source))
    labels = _value_labels(meta)
    frame = _categories(frame, labels, value_labels, source, findings)
    return Table(
        frame,
        source=source,
        findings=Findings(findings),
        variable_labels={k: v for k, v in (meta.column_names_to_labels or {}).items() if v},
        value_labels=labels,
        row_word="row",
        row_numbers=np.arange(1, frame.height + 1, dtype=np.int64),
    )


def _parse(path: Path, source: str, kind: str, encoding: str | None) -> tuple[Mapping[str, Any], Any]:
    """pyreadstat's columns and metadata; everything it may raise becomes a ReadError."""
    import pyreadstat

    options: dict[str, Any] = {"output_format": "dict"}
    if kind in ("sav", "dta", "sas7bdat"):
        options["user_missing"] = True
    if encoding is not None and kind != "por":
        options["encoding"] = encoding
    try:
        with warnings.catch_warnings(record=True) as raised:
            warnings.simplefilter("always")
            cells, meta = getattr(pyreadstat, _READERS[kind])(str(path), **options)
    except Exception as error:
        raise ReadError(
            f"The {_PROGRAMS[kind]} file could not be read: {str(error).strip() or type(error).__name__}.",
            where=source,
            remedy="It may be damaged: fetch or save it again. If letters are the matter, give encoding=.",
        ) from error
    for warning in raised:
        if "duplicated" in str(warning.message):
            raise ReadError(
                f"Two variables have the same name ({warning.message}).",
                where=source,
                remedy="Give every variable a name of its own, or save the file again.",
            )
    return cells, meta


def _column(
    name: str, cells: Any, ranges: Sequence[Mapping[str, Any]], missing: dict[str, dict[str, int]], source: str
) -> pl.Series:
    """One column with its type; declared codes set missing and counted in `missing` (code -> column -> count)."""
    import polars as pl

    values = list(cells)
    kinds = {type(v) for v in values if v is not None}
    if kinds & {int, float} and str in kinds:  # Stata's .a to .z and SAS's special missing values come as letters
        for letter in [v for v in values if isinstance(v, str)]:
            per = missing.setdefault("." + letter.lower(), {})
            per[name] = per.get(name, 0) + 1
        values = [None if isinstance(v, str) else v for v in values]
    try:
        series = pl.Series(name, values, strict=True) if kinds else pl.Series(name, values, dtype=pl.Float64)
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError):
        try:
            series = pl.Series(name, values, strict=False)
        except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError) as error:
            raise ReadError(
                f"Column {name!r} mixes kinds of values that do not go together.",
                where=f"{source}, column {name}",
                remedy="Save the file again from the program it comes from.",
            ) from error
    if series.dtype == pl.String:
        return _declared_text(series.str.strip_chars_end(" ").replace("", None), ranges, missing)
    if series.dtype.is_float():
        return whole(_declared(series.fill_nan(None), ranges, missing))
    return _declared(series, ranges, missing) if series.dtype.is_numeric() else series


def _declared(series: pl.Series, ranges: Sequence[Mapping[str, Any]], missing: dict[str, dict[str, int]]) -> pl.Series:
    """Numbers within the file's declared missing codes and ranges set missing."""
    import polars as pl

    if not ranges:
        return series
    hit = pl.Series([False]).new_from_index(0, len(series))
    for each in ranges:
        low, high = each["lo"], each["hi"]
        if isinstance(low, str) or isinstance(high, str):
            continue
        hit = hit | series.is_between(low, high)
    hit = hit.fill_null(False)
    for code, count in series.filter(hit).alias("code").value_counts(sort=False, name="n").iter_rows():
        missing.setdefault(written(code), {})[series.name] = count
    return pl.select(pl.when(~hit).then(series)).to_series().rename(series.name)


def _declared_text(
    series: pl.Series, ranges: Sequence[Mapping[str, Any]], missing: dict[str, dict[str, int]]
) -> pl.Series:
    codes = [each["lo"].rstrip(" ") for each in ranges if isinstance(each["lo"], str) and each["lo"] == each["hi"]]
    for code in codes:
        count = int((series == code).sum())
        if count:
            missing.setdefault(code, {})[series.name] = count
    return series.replace(codes, [None] * len(codes)) if codes else series


def whole(series: pl.Series) -> pl.Series:
    """Int64 if every value is a whole number that a double holds exactly."""
    import polars as pl

    if series.null_count() == len(series):
        return series
    if bool(((series.abs() <= _EXACT) & (series == series.floor())).all()):
        return series.cast(pl.Int64)
    return series


def _missing_notes(missing: Mapping[str, Mapping[str, int]]) -> list[Finding]:
    return [
        Finding(
            "note",
            "user-missing",
            f"Code {code}, declared missing in the file, was set missing in {many(sum(columns.values()), 'cell')}.",
            where="columns " + some([f"{c} ({n:,})" for c, n in columns.items()], 12),
            count=sum(columns.values()),
        )
        for code, columns in missing.items()
    ]


def _value_labels(meta: Any) -> dict[str, dict[Any, str]]:
    labels: dict[str, dict[Any, str]] = {}
    for column, by_code in (getattr(meta, "variable_value_labels", None) or {}).items():
        labels[column] = {
            int(c) if isinstance(c, float) and math.isfinite(c) and c == int(c) else c: str(t)
            for c, t in by_code.items()
        }
    return labels


def _categories(
    frame: pl.DataFrame,
    labels: Mapping[str, Mapping[Any, str]],
    wanted: str | Sequence[str],
    source: str,
    findings: list[Finding],
) -> pl.DataFrame:
    """Labelled columns as Enum, in the order of their codes, where the user wants it."""
    if wanted == "numbers":
        return frame
    named = wanted != "categories"
    columns = [wanted] if named and isinstance(wanted, str) else list(wanted) if named else list(labels)
    for column in columns:
        if column not in frame.columns or column not in labels:
            raise ReadError(
                f"value_labels= names column {column!r}, which the file does not have or has no labels for."
                f"{nearest(column, labels)}",
                where=source,
                remedy=f"Columns with labels: {some(labels, 12) or 'none'}.",
            )
        turned = _labelled(frame[column], labels[column])
        if not isinstance(turned, str):
            frame = frame.with_columns(turned)
        elif named:
            raise ReadError(
                turned,
                where=f"{source}, column {column}",
                remedy="Label every value in the file, or leave the column out of value_labels=.",
            )
        else:
            findings.append(
                Finding(
                    "warning",
                    "labels-mixed-with-numbers",
                    turned + " It was kept as numbers.",
                    where=f"column {column}",
                    remedy="Label every value in the file, or read value_labels='numbers'.",
                )
            )
    return frame


def _labelled(series: pl.Series, labels: Mapping[Any, str]) -> pl.Series | str:
    """The column as Enum, or a sentence why not."""
    import polars as pl

    codes = sorted((c for c in labels), key=lambda c: (isinstance(c, str), c))
    if not isinstance(next(iter(series.drop_nulls()), ""), str):
        codes = [c for c in codes if not isinstance(c, str)]
    present = series.drop_nulls().unique().to_list()
    bare = sorted(v for v in present if v not in labels)
    if bare:
        return f"Column {series.name!r} mixes value labels with numbers: {some(bare)} have no label, others have one."
    texts = [labels[c] for c in codes]
    if len(set(texts)) < len(texts):
        return f"Column {series.name!r} has the same label for two codes."
    kind = pl.Enum(texts)
    spelled = {c: labels[c] for c in codes}
    return pl.Series(series.name, [None if v is None else spelled[v] for v in series.to_list()], dtype=kind)
