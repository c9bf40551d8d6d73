"""Excel workbooks (.xlsx, .xlsm, .xlsb, .xls) through fastexcel -> Table."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import ReadError, Wording, nearest, read_option, some
from ..findings import Finding, Findings
from ..panel.table import Table
from ..words import agree, counted
from .columns import Wishes, type_columns
from .headers import check_names
from .places import placer

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

T = TypeVar("T")

_BARE_TIME = r"^1899-12-31 ([0-9]{2}:)"
_NO_DAY = datetime.date(1899, 12, 31)
"""The day that fastexcel puts before a time of day. No cell holds it: Excel's dates begin in 1900."""


def read_excel(data: bytes, source: str, *, sheet: str | int | None, header_row: int | None, wishes: Wishes) -> Table:
    """One sheet of the workbook `data` as a Table; ReadError with sheet, row and remedy if it is none."""
    import fastexcel

    reader = guard(lambda: fastexcel.read_excel(data), source)
    name = _choose(reader, sheet, source)
    where = f"{source}, sheet {name!r}"
    grid = _load(reader, name, source, dtypes="string")
    if not grid.height:
        raise ReadError("The sheet is empty.", where=where, remedy=_other_sheets(reader, name))
    header = _header(grid, header_row, where)
    body = _body(reader, name, grid, header, where, source)
    findings = list(body.findings)
    findings += _oddities(data, name, where)
    frame, rows = _drop_blank_rows(body.frame, body.rows, where, findings)
    if not frame.height:
        raise ReadError(
            "The sheet has column names but no rows.",
            where=f"{where}, row {header + 1}",
            remedy=Wording("Choose another ", read_option("sheet"), ", or export it again."),
        )
    was_text = [c for c, t in frame.schema.items() if t.is_(_string())]
    frame, typed = type_columns(frame, wishes, where, placer("row", rows))
    findings += typed + _text_numbers(frame, was_text, where)
    frame, times = _times(frame, rows, where)
    findings += times + _mixed_dates(frame, rows, where)
    return Table(frame, source=source, findings=Findings(findings), row_word="row", row_numbers=rows)


def guard(action: Callable[[], T], source: str) -> T:
    """The action's result; whatever fastexcel or polars raises, panics included, as ReadError."""
    try:
        return action()
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        if isinstance(error, MemoryError):
            raise
        what = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ReadError(
            f"The workbook could not be read: {what}.",
            where=source,
            remedy="It may be damaged or protected by a password: open it in Excel or LibreOffice and save it again.",
        ) from error


def _string() -> Any:
    import polars as pl

    return pl.String()


def _load(reader: Any, name: str, source: str, **options: Any) -> pl.DataFrame:
    options = {"header_row": None, "skip_rows": 0, **options}
    frame: pl.DataFrame = guard(lambda: reader.load_sheet(name, **options).to_polars(), source)
    return frame


def _first_column(reader: Any, name: str, source: str) -> int:
    sheet = guard(lambda: reader.load_sheet(name, header_row=None, skip_rows=0, dtypes="string", n_rows=1), source)
    return int(sheet.selected_columns[0].absolute_index)


def _choose(reader: Any, sheet: str | int | None, source: str) -> str:
    """The sheet's name; the only one with cells if none was asked for."""
    names: list[str] = list(reader.sheet_names)
    if isinstance(sheet, int) and not isinstance(sheet, bool):
        if not 1 <= sheet <= len(names):
            raise ReadError(
                f"sheet={sheet}, but the workbook has sheets 1 to {len(names)}.",
                where=source,
                remedy=f"Its sheets are {_listed(names)}.",
            )
        return names[sheet - 1]
    if sheet is not None:
        if sheet not in names:
            raise ReadError(
                f"The workbook has no sheet {sheet!r}.{nearest(str(sheet), names)}",
                where=source,
                remedy=f"Its sheets are {_listed(names)}.",
            )
        return str(sheet)
    if len(names) == 1:
        return names[0]
    filled = [n for n in names if _has_cells(reader, n)]
    if len(filled) == 1:
        return filled[0]
    if not filled:
        raise ReadError("The workbook has no cells.", where=source, remedy="Export it again.")
    raise ReadError(
        f"The workbook has {len(filled)} sheets with cells, and none was named.",
        where=source,
        remedy=Wording("Choose one with ", read_option("sheet"), f": {_listed(filled)}."),
    )


def _listed(names: list[str]) -> str:
    return some([repr(n) for n in names], 12)


def _has_cells(reader: Any, name: str) -> bool:
    try:
        return _load(reader, name, "", dtypes="string").height > 0
    except ReadError:
        return False


def _other_sheets(reader: Any, name: str) -> str:
    others = [n for n in reader.sheet_names if n != name]
    if not others:
        return "Export it again, with the data."
    return Wording("Choose another with ", read_option("sheet"), f": {_listed(others)}.")


def _header(grid: pl.DataFrame, header_row: int | None, where: str) -> int:
    """Index of the row with the column names."""
    import numpy as np

    filled = sum((grid[c].fill_null("").str.strip_chars() != "").to_numpy().astype(np.int64) for c in grid.columns)
    counts = np.asarray(filled)
    if header_row is not None:
        if not 1 <= header_row <= grid.height or not counts[header_row - 1]:
            raise ReadError(
                f"header_row={header_row}, but that row is empty or beyond the sheet's {grid.height} rows.",
                where=where,
                remedy="Give the number of the row with the column names, as Excel shows it.",
            )
        return header_row - 1
    used = np.flatnonzero(counts)
    if not len(used):
        raise ReadError("The sheet is empty.", where=where, remedy="Choose another sheet, or export it again.")
    first = int(used[0])
    widest = int(np.argmax(counts >= counts.max()))
    if counts.max() > 1 and counts[first] <= counts.max() / 2:
        raise ReadError(
            f"The first row with cells has {counts[first]} of them, others have up to {counts.max()}: it looks like "
            "a title above the header.",
            where=f"{where}, row {first + 1}",
            remedy=Wording("Say where the column names are, for example ", read_option("header_row", widest + 1), "."),
        )
    return first


@dataclass(frozen=True, slots=True, eq=False)
class _Body:
    """The typed cells below the header, the sheet's row number of each row, and what was done."""

    frame: pl.DataFrame
    rows: np.ndarray
    findings: tuple[Finding, ...]


def _body(reader: Any, name: str, grid: pl.DataFrame, header: int, where: str, source: str) -> _Body:
    import numpy as np
    import polars as pl

    findings = []
    if header and any(grid[c].head(header).null_count() < header for c in grid.columns):
        findings.append(
            Finding(
                "note",
                "lines-skipped",
                f"{counted(header, 'row')} above the header {agree(header, 'was', 'were')} left out.",
                where,
            )
        )
    titles = [(grid[c][header] or "") for c in grid.columns]
    below = grid.slice(header + 1)
    full = [below[c].null_count() < below.height for c in grid.columns]
    unused = [i for i, t in enumerate(titles) if not t.strip() and not full[i]]
    keep = [i for i in range(len(titles)) if i not in unused]
    names = [titles[i].strip() for i in keep]
    changed = [n for n, i in zip(names, keep, strict=True) if n != titles[i]]
    if changed:
        what = f"Spaces around {counted(len(changed), 'column name')} were taken off."
        findings.append(Finding("note", "name-spaces", what, "columns " + some(changed, 12), len(changed)))
    check_names(names, f"{where}, row {header + 1}", "row")
    asked = [i for i in keep if full[i]]
    typed: dict[int, pl.Series] = {}
    if asked:
        # fastexcel counts columns from the sheet's first, the grid from the first that has cells
        options = {"skip_rows": header + 1, "use_columns": [i + _first_column(reader, name, source) for i in asked]}
        frame = _load(reader, name, source, schema_sample_rows=None, **options)
        exact = _load(reader, name, source, dtypes="float", **options)
        if frame.width != len(asked) or frame.height != below.height or exact.shape != frame.shape:
            raise ReadError(
                "The sheet's cells could not be told apart.", where=where, remedy="Save it as CSV and read that."
            )
        text = [below[grid.columns[i]] for i in asked]
        found = zip(text, frame.iter_columns(), exact.iter_columns(), strict=True)
        typed = {i: _cells(*each) for i, each in zip(asked, found, strict=True)}
    blank = pl.Series([None] * below.height, dtype=pl.String)
    columns = [typed.get(i, blank).alias(n) for i, n in zip(keep, names, strict=True)]
    rows = np.arange(header + 2, header + 2 + below.height, dtype=np.int64)
    return _Body(pl.DataFrame(columns), rows, tuple(findings))


def _cells(text: pl.Series, series: pl.Series, exact: pl.Series) -> pl.Series:
    """A column as it stands: numbers exact, whole ones as integers, midnights as dates.

    `text` is the column as text, `series` as fastexcel types it, `exact` its numbers alone.
    """
    import polars as pl

    kind = series.dtype
    lost = series.is_null() & text.is_not_null() & (text.str.strip_chars() != "")
    if kind == pl.String or bool(lost.any()):  # fastexcel takes 'NA' and the like for empty cells
        written = text.cast(pl.Float64, strict=False)  # and shortens numbers among text
        longer = (exact.is_not_null() & written.is_not_null() & (written != exact)).fill_null(False)
        if bool(longer.any()):
            text = pl.select(pl.when(longer).then(exact.cast(pl.String)).otherwise(text)).to_series()
        return text
    if kind.is_float():
        from .spss_stata_sas import whole

        return whole(series.fill_nan(None))
    if kind == pl.Datetime:
        stamp = series.cast(pl.Datetime("us"))
        return stamp.dt.date() if bool((stamp.dt.time() == datetime.time(0)).all()) else stamp
    return series


def _oddities(data: bytes, name: str, where: str) -> list[Finding]:
    if data[:2] == b"PK" and b"xl/workbook.xml" in data:
        from .xlsx import oddities

        return oddities(data, name, where).findings(where)
    return [
        Finding(
            "note",
            "error-cells-unseen",
            "In workbooks of this format, cells with errors (#DIV/0!) cannot be told from empty ones.",
            where=where,
            remedy="Save it as .xlsx to have them reported.",
        )
    ]


def _drop_blank_rows(
    frame: pl.DataFrame, rows: np.ndarray, where: str, findings: list[Finding]
) -> tuple[pl.DataFrame, np.ndarray]:
    import polars as pl

    if not frame.height:
        return frame, rows
    cells = [pl.col(c).str.strip_chars().replace("", None) if t == pl.String else c for c, t in frame.schema.items()]
    blank = frame.select(b=pl.all_horizontal(pl.struct(cells).struct.unnest().is_null()))["b"].to_numpy()
    count = int(blank.sum())
    inner = int(blank[: len(blank) - _trailing(blank)].sum())
    if inner:
        findings.append(Finding("note", "blank-rows", f"Skipped {counted(inner, 'blank row')}.", where, inner))
    return (frame.filter(~pl.Series(blank)), rows[~blank]) if count else (frame, rows)


def _trailing(blank: np.ndarray) -> int:
    """How many blank rows stand at the end, where formatting leaves them and no one sees them."""
    import numpy as np

    filled = np.flatnonzero(~blank)
    return len(blank) if not len(filled) else len(blank) - 1 - int(filled[-1])


def _times(frame: pl.DataFrame, rows: np.ndarray, where: str) -> tuple[pl.DataFrame, list[Finding]]:
    """Times of day as such, and a warning for those among dates."""
    import polars as pl

    found = []
    for name, kind in frame.schema.items():
        if kind not in (pl.Date, pl.Datetime, pl.String):
            continue
        cells = frame[name]
        bare = cells.str.contains(_BARE_TIME) if kind == pl.String else cells.dt.date() == _NO_DAY
        n = int(bare.sum())
        at = f"{where}, column {name}"
        if n and kind != pl.String and n < cells.count():
            what = f"Column {name!r} holds dates, but {counted(n, 'cell')} {agree(n, 'has', 'have')} a time of day "
            what += f"alone and {agree(n, 'was', 'were')} read as of {_NO_DAY}."
            at = f"{where}, {placer('row', rows)(bare.arg_true().to_list())}, column {name}"
            found.append(Finding("warning", "times-among-dates", what, at, n, "Complete these cells in the workbook."))
        elif n:
            text = kind == pl.String
            time = cells.str.replace(_BARE_TIME, "$1") if text else cells.cast(pl.Datetime("us")).dt.time()
            what = f"Column {name!r}: {counted(n, 'cell')} {agree(n, 'holds a time', 'hold times')} of day, read as "
            what += "text, since other cells hold text." if text else "such."
            found.append(Finding("note", "times-of-day", what, at, n))
            frame = frame.with_columns(time)
    return frame, found


def _text_numbers(frame: pl.DataFrame, was_text: list[str], where: str) -> list[Finding]:
    columns = [c for c in was_text if frame.schema[c].is_numeric()]
    if not columns:
        return []
    return [
        Finding(
            "note",
            "numbers-as-text",
            f"{counted(len(columns), 'column')} {agree(len(columns), 'holds', 'hold')} numbers stored as text, or "
            "numbers among missing markers; read as numbers.",
            where=f"{where}, columns {some(columns, 12)}",
            count=len(columns),
        )
    ]


def _mixed_dates(frame: pl.DataFrame, rows: np.ndarray, where: str) -> list[Finding]:
    """A warning for each column of Excel dates among which some cells are text: all of it stays text."""
    import polars as pl

    found = []
    for name, kind in frame.schema.items():
        if kind != pl.String:
            continue
        dated = frame[name].str.contains(r"^\d{4}-\d\d-\d\d 00:00:00$").fill_null(False)
        others = (~dated & frame[name].is_not_null()).arg_true().to_list()
        if others and 2 * int(dated.sum()) > len(frame) - frame[name].null_count():
            what = f"Column {name!r} holds Excel dates and, in {counted(len(others), 'cell')}, text such as "
            what += f"{frame[name][others[0]]!r}: all of it was kept as text."
            place = f"{where}, column {name}, {placer('row', rows)(others)}"
            remedy = "Make these cells dates in Excel (Data, Text to Columns), and save."
            found.append(Finding("warning", "mixed-dates", what, place, len(others), remedy))
    return found
