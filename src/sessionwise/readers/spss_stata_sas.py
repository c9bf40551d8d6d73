"""SPSS, Stata and SAS files through pyreadstat -> Table; pandas is not needed."""

from __future__ import annotations

import math
import struct
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import ReadError, Wording, nearest, read_option, some
from ..findings import Finding, Findings
from ..panel.kept import kept
from ..panel.table import Table
from ..words import agree, all_digits, counted, numbered
from .headers import check_names
from .limits import Limit
from .stored_dates import Dated, Stored, dated, stored_as

if TYPE_CHECKING:
    from mmap import mmap
    from pathlib import Path

    import numpy as np
    import polars as pl

    from . import dta_rows

_READERS = {
    "sav": "read_sav",
    "por": "read_por",
    "dta": "read_dta",
    "sas7bdat": "read_sas7bdat",
    "xpt": "read_xport",
}
_PROGRAMS = {"sav": "SPSS", "por": "SPSS portable", "dta": "Stata", "sas7bdat": "SAS", "xpt": "SAS transport"}
_EXACT = 2.0**53
_OLD_STATA, _OLD_MISSING = range(102, 108), 2.0**333  # formats before Stata 6, and their missing double


def read_stat(
    path: Path,
    data: bytes | mmap,
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

    held = _checked(data, kind, source)
    about = _parse(path, source, kind, encoding, only_names=True)[1]
    columns = [str(c) for c in about.column_names]
    limit.check_cells(about.number_rows or 0, len(columns), source)
    check_names([n.strip() for n in columns], source, "row")
    missing: dict[str, dict[str, int]] = {}
    findings: list[Finding] = []
    make = _Columns(kind, source, about, missing, findings)
    if held is not None and len(held.codes) == len(columns):
        series = [make.of_rows(name, i, held, encoding) for i, name in enumerate(columns)]
    else:
        cells, about = _parse(path, source, kind, encoding)
        make = _Columns(kind, source, about, missing, findings, old=kind == "dta" and data[0] in _OLD_STATA)
        series = [make.of_cells(str(name), values) for name, values in cells.items()]
    if not series or not len(series[0]):
        raise ReadError(f"The {_PROGRAMS[kind]} file has no rows.", where=source, remedy="Export it again.")
    frame, meta = pl.DataFrame(series), about
    findings += _missing_notes(missing)
    if kind in ("por", "xpt"):
        what = "Codes declared missing in files of this kind are read as missing and cannot be counted."
        findings.append(Finding("note", "user-missing-uncounted", what, where=source))
    labels = _value_labels(meta)
    frame = categories(frame, labels, value_labels, source, findings)
    return Table(
        frame,
        source=source,
        findings=Findings(findings),
        variable_labels={k: v for k, v in (meta.column_names_to_labels or {}).items() if v},
        value_labels=labels,
        row_word="row",
        row_numbers=np.arange(1, frame.height + 1, dtype=np.int64),
    )


def _checked(data: bytes | mmap, kind: str, source: str) -> dta_rows.Rows | None:
    """A Stata file's rows; for others None, after what a damaged header could do to memory was ruled out."""
    if kind == "sav":
        from .sav_dictionary import check_dictionary

        check_dictionary(data, source)
    if kind != "dta":
        return None
    from . import dta_rows

    try:
        return dta_rows.rows(data)
    except (ValueError, struct.error, IndexError) as error:
        raise ReadError(
            f"The Stata file is damaged or cut off: {error}.", where=source, remedy="Fetch or save it again."
        ) from error


def _parse(path: Path, source: str, kind: str, encoding: str | None, *, only_names: bool = False) -> tuple[Any, Any]:
    """pyreadstat's columns as they are stored (column -> list), and its metadata; what it raises as ReadError.

    Dates are left as numbers: pyreadstat would fold durations into one day and refuse a file for one impossible date.
    """
    import pyreadstat

    options: dict[str, Any] = {"output_format": "dict", "disable_datetime_conversion": True}
    options["metadataonly"] = only_names
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
            remedy=Wording(
                "It may be damaged: fetch or save it again. If letters are the matter, give ",
                read_option("encoding"),
                ".",
            ),
        ) from error
    for warning in raised:
        if "duplicated" in str(warning.message):
            raise ReadError(
                f"Two variables have the same name ({warning.message}).",
                where=source,
                remedy="Give every variable a name of its own, or save the file again.",
            )
    return cells, meta


class _Columns:
    """Makes columns of what a file holds; adds to `missing` (code -> column -> count) and to `findings`.

    old : whether it is Stata's from before version 6, whose missing double ReadStat takes for a number, as pandas did.
    """

    def __init__(
        self,
        kind: str,
        source: str,
        meta: Any,
        missing: dict[str, dict[str, int]],
        findings: list[Finding],
        *,
        old: bool = False,
    ) -> None:
        self.old = old
        self.kind, self.source, self.missing, self.findings = kind, source, missing, findings
        self.ranges: Mapping[str, list[Mapping[str, Any]]] = getattr(meta, "missing_ranges", None) or {}
        self.types: Mapping[str, str] = getattr(meta, "readstat_variable_types", None) or {}
        self.formats: Mapping[str, str] = getattr(meta, "original_variable_types", None) or {}

    def of_rows(self, name: str, i: int, rows: dta_rows.Rows, encoding: str | None) -> pl.Series:
        """A column of a Stata file by its place in the rows."""
        import polars as pl

        from . import dta_rows

        column, code = rows.table[f"f{i}"], rows.codes[i]
        if code[0] != "S":
            values, letters = dta_rows.numbers(column, code)
            for letter, count in letters.items():
                self.missing.setdefault(letter, {})[name] = count
            return self._numbers(name, values)
        try:
            texts = dta_rows.texts(column, encoding or ("utf-8" if rows.utf8 else "cp1252"))
        except LookupError as error:
            raise ReadError(
                f"encoding={encoding!r} is not the name of an encoding.",
                where=self.source,
                remedy="Use for example 'utf-8' or 'cp1252'.",
            ) from error
        except UnicodeDecodeError as error:
            raise ReadError(
                f"Column {name!r} has letters that do not fit the file's encoding ({error.reason}).",
                where=f"{self.source}, column {name}",
                remedy=Wording("Give the right encoding, for example ", read_option("encoding", "latin-1"), "."),
            ) from error
        return self._texts(pl.Series(name, texts, dtype=pl.String))

    def of_cells(self, name: str, cells: list[Any]) -> pl.Series:
        """A column as pyreadstat gives it: numbers, None, and letters for special missing values."""
        import numpy as np
        import polars as pl

        if self.types.get(name) == "string":
            return self._texts(pl.Series(name, cells, dtype=pl.String, strict=False))
        try:
            values = _floats(cells)
        except (TypeError, ValueError, OverflowError):  # Stata's .a to .z and SAS's special missing values are letters
            for letter in [v for v in cells if isinstance(v, str)]:
                per = self.missing.setdefault("." + letter.lower(), {})
                per[name] = per.get(name, 0) + 1
            try:
                values = np.array([None if isinstance(v, str) else v for v in cells], np.float64)
            except (TypeError, ValueError, OverflowError) as error:
                raise ReadError(
                    f"Column {name!r} mixes kinds of values that do not go together.",
                    where=f"{self.source}, column {name}",
                    remedy="Save the file again from the program it comes from.",
                ) from error
        if self.old:
            values = np.where(values == _OLD_MISSING, np.nan, values)
        return self._numbers(name, values)

    def _texts(self, series: pl.Series) -> pl.Series:
        series = series.str.strip_chars_end(" ").replace("", None)
        return _declared_text(series, self.ranges.get(series.name, []), self.missing)

    def _numbers(self, name: str, values: np.ndarray) -> pl.Series:
        """Numbers, dates or durations, without what the file declares missing."""
        import polars as pl

        stored = stored_as(self.kind, self.formats.get(name) or "")
        ranges = self.ranges.get(name, [])
        if stored is None and not ranges:
            return whole_numbers(name, values)
        series = _declared(pl.Series(name, values, nan_to_null=True), ranges, self.missing, stored)
        if stored is None:
            return whole(series)
        found = dated(name, series.fill_null(float("nan")).to_numpy(), stored)
        self._said(name, stored, found)
        return found.values

    def _said(self, name: str, stored: Stored, found: Dated) -> None:
        where = f"column {name}"
        n = found.values.count()
        if stored.shown == "period" and n:
            what = f"Column {name!r} holds weeks, months or quarters, read as the date of their first day."
            self.findings.append(Finding("note", "dates-by-period", what, where, n))
        if stored.shown == "clock" and found.values.dtype == _duration() and n:
            what = f"Column {name!r} has times of 24 hours and more, or negative ones: all were read as durations."
            self.findings.append(Finding("note", "durations", what, where, n))
        if len(found.beyond):
            n = len(found.beyond)
            what = (
                f"{counted(n, 'cell')} of column {name!r} {agree(n, 'holds a date', 'hold dates')} outside the years 1 "
            )
            what += "to 9999, read as missing."
            where = f"{self.source}, {numbered('row', (found.beyond + 1).tolist())}, column {name}"
            remedy = "Correct the typing error in the file."
            self.findings.append(Finding("warning", "impossible-date", what, where, n, remedy))


def _duration() -> pl.DataType:
    import polars as pl

    return pl.Duration("us")


def _declared(
    series: pl.Series,
    ranges: Sequence[Mapping[str, Any]],
    missing: dict[str, dict[str, int]],
    stored: Stored | None = None,
) -> pl.Series:
    """Numbers within the file's declared missing codes and ranges set missing; dates are counted as dates."""
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
        word = all_digits(code) if stored is None else _worded(code, stored)
        missing.setdefault(word, {})[series.name] = count
    return kept(series, ~hit)


def _worded(code: float, stored: Stored) -> str:
    """A stored date as it is written."""
    import numpy as np

    value = dated("", np.array([code], np.float64), stored).values[0]
    return all_digits(code) if value is None else str(value)


def _declared_text(
    series: pl.Series, ranges: Sequence[Mapping[str, Any]], missing: dict[str, dict[str, int]]
) -> pl.Series:
    codes = [each["lo"].rstrip(" ") for each in ranges if isinstance(each["lo"], str) and each["lo"] == each["hi"]]
    for code in codes:
        count = int((series == code).sum())
        if count:
            missing.setdefault(code, {})[series.name] = count
    return series.replace(codes, [None] * len(codes)) if codes else series


def _floats(cells: list[Any]) -> np.ndarray:
    """Numbers and None as float64; TypeError or ValueError for anything else. Polars walks lists fastest."""
    import numpy as np
    import polars as pl

    try:
        return pl.Series(cells, dtype=pl.Float64, strict=True).to_numpy()
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError):
        return np.array(cells, np.float64)


def whole_numbers(name: str, values: np.ndarray) -> pl.Series:
    """float64 numbers, NaN missing, as `whole` makes them, in fewer passes."""
    import numpy as np
    import polars as pl

    with np.errstate(invalid="ignore"):
        integers = values.astype(np.int64)
    same = integers == values
    exact = bool((np.abs(integers) <= _EXACT).all())
    if exact and same.all():
        return pl.Series(name, integers)
    known = ~np.isnan(values)
    if known.any() and same[known].all() and (np.abs(integers[known]) <= _EXACT).all():
        return kept(pl.Series(name, integers), pl.Series(known))
    return pl.Series(name, values, nan_to_null=True)


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
            f"Code {code}, declared missing in the file, was set missing in {counted(sum(columns.values()), 'cell')}.",
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


def categories(
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
                remedy=Wording(
                    "Label each value in the file, differently, or leave the column out of ",
                    read_option("value_labels"),
                    ".",
                ),
            )
        else:
            findings.append(
                Finding(
                    "warning",
                    "labels-mixed-with-numbers",
                    turned + " It was kept as numbers.",
                    where=f"column {column}",
                    remedy=Wording(
                        "Label each value in the file, differently, or read ",
                        read_option("value_labels", "numbers"),
                        ".",
                    ),
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
        twice = sorted({text for text in texts if texts.count(text) > 1})
        return f"Column {series.name!r} has the same label for two codes ({some(map(repr, twice))})."
    kind = pl.Enum(texts)
    spelled = {c: labels[c] for c in codes}
    return pl.Series(series.name, [None if v is None else spelled[v] for v in series.to_list()], dtype=kind)
