"""Sheets of .xls and .xlsb files through fastexcel, as a Grid."""

from __future__ import annotations

import datetime
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import ReadError
from ..findings import Finding
from .excel_columns import Column, written_numbers
from .limits import Limit

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

T = TypeVar("T")

NO_DAY = datetime.date(1899, 12, 31)
"""The day that is put before a time of day. No cell holds it: Excel's dates begin in 1900."""
_FIRST_1904 = datetime.date(1904, 1, 1)


def guard(action: Callable[[], T], source: str) -> T:
    """The action's result; whatever fastexcel or polars raises, panics included, as ReadError."""
    try:
        return action()
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        if isinstance(error, MemoryError | ReadError):
            raise
        what = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ReadError(
            f"The workbook could not be read: {what}.",
            where=source,
            remedy="It may be damaged or protected by a password: open it in Excel or LibreOffice and save it again.",
        ) from error


def open_other(data: bytes, source: str) -> Any:
    """fastexcel's reader. What it logs of columns goes nowhere, unless the user's own logging takes it."""
    import logging

    import fastexcel

    log = logging.getLogger("fastexcel")
    if not log.handlers:
        log.addHandler(logging.NullHandler())
    return guard(lambda: fastexcel.read_excel(data), source)


def check_size(data: bytes, source: str, limit: Limit) -> None:
    """Raise ReadError before fastexcel is given parts that, unpacked, are beyond the limit."""
    if data[:2] != b"PK":
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(info.file_size for info in archive.infolist())
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise ReadError("The workbook is damaged or cut off.", where=source, remedy="Save it again.") from error
    limit.check_bytes(size, source)


def other_has_cells(reader: Any, name: str, source: str) -> bool:
    try:
        return _load(reader, name, source, dtypes="string").height > 0
    except ReadError:
        return False


def other_grid(reader: Any, name: str, source: str, where: str, limit: Limit) -> OtherGrid:
    """The sheet of this name."""
    import numpy as np

    text = _load(reader, name, source, dtypes="string")
    limit.check_cells(text.height, text.width, where)
    filled = [(text[c].fill_null("").str.strip_chars() != "").to_numpy() for c in text.columns]
    counts = np.asarray(sum(f.astype(np.int64) for f in filled)) if filled else np.zeros(text.height, np.int64)
    used = [i for i, f in enumerate(filled) if f.any()]
    kept = np.flatnonzero(counts)
    first = 0
    if used:
        one = guard(lambda: reader.load_sheet(name, header_row=None, skip_rows=0, dtypes="string", n_rows=1), source)
        first = int(one.selected_columns[0].absolute_index)  # fastexcel counts from the sheet's first column
    return OtherGrid(
        kept.astype(np.int64) + 1, counts[kept], text.select(text.columns[i] for i in used), reader, name, source,
        tuple(i + first for i in used), kept,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class OtherGrid:
    """A Grid. text : every cell as text; columns : their indices for fastexcel; kept : indices of the rows kept."""

    rows: np.ndarray
    counts: np.ndarray
    text: pl.DataFrame
    reader: Any
    name: str
    source: str
    columns: tuple[int, ...]
    kept: np.ndarray

    def titles(self, row: int) -> list[str]:
        return [t or "" for t in self.text.row(int(self.kept[row]))]

    def body(self, row: int) -> list[Column]:
        import polars as pl

        skip = int(self.kept[row]) + 1
        below = self.text.slice(skip)
        rows = pl.Series(self.kept[row + 1 :] - skip)
        options = {"skip_rows": skip, "use_columns": list(self.columns)}
        try:
            typed = _load(self.reader, self.name, self.source, schema_sample_rows=None, **options)
            exact = _load(self.reader, self.name, self.source, dtypes="float", **options)
        except ReadError:  # kinds of cells in one column that fastexcel does not put together: as text, all of them
            typed = exact = below
        if typed.shape != below.shape or exact.shape != below.shape:
            typed = exact = below
        found = zip(below.iter_columns(), typed.iter_columns(), exact.iter_columns(), strict=True)
        return [Column(_cells(*each).gather(rows)) for each in found]

    def findings(self, where: str) -> list[Finding]:
        return [
            Finding(
                "note",
                "error-cells-unseen",
                "In workbooks of this format, cells with errors (#DIV/0!) cannot be told from empty ones.",
                where=where,
                remedy="Save it as .xlsx to have them reported.",
            )
        ]


def _load(reader: Any, name: str, source: str, **options: Any) -> pl.DataFrame:
    options = {"header_row": None, "skip_rows": 0, **options}
    frame: pl.DataFrame = guard(lambda: reader.load_sheet(name, **options).to_polars(), source)
    return frame


def _cells(text: pl.Series, series: pl.Series, exact: pl.Series) -> pl.Series:
    """A column as it stands: numbers exact, whole ones as integers, midnights as dates.

    `text` is the column as text, `series` as fastexcel types it, `exact` its numbers alone.
    """
    import polars as pl

    kind = series.dtype
    lost = series.is_null() & text.is_not_null() & (text.str.strip_chars() != "")
    if kind == pl.String or bool(lost.any()):  # fastexcel takes 'NA' and the like for empty cells
        if exact.dtype == pl.String:
            return text
        written = text.cast(pl.Float64, strict=False)  # and shortens numbers among text
        longer = (exact.is_not_null() & written.is_not_null() & (written != exact)).fill_null(False)
        if bool(longer.any()):
            digits = written_numbers(exact.fill_null(float("nan")).to_numpy())
            text = digits.zip_with(longer, text)
        return text
    if kind.is_float():
        from .spss_stata_sas import whole

        return whole(series.fill_nan(None))
    if kind == pl.Datetime:
        stamp = series.cast(pl.Datetime("us"))
        if bool((stamp.dt.date() == _FIRST_1904).all()) and bool((stamp.dt.time() != datetime.time(0)).any()):
            return stamp - (_FIRST_1904 - NO_DAY)  # times of day alone, in a workbook whose days count from 1904
        return stamp.dt.date() if bool((stamp.dt.time() == datetime.time(0)).all()) else stamp
    return series
