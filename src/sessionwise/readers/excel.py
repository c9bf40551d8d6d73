"""Workbooks (.xlsx, .xlsm, .xlsb, .xls, .ods) -> Table."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import Datum, ReadError, Wording, nearest, read_option, some
from ..findings import Finding, Findings
from ..panel.table import Table
from ..words import agree, counted
from .columns import Wishes, type_columns
from .excel_columns import Book, Column
from .excel_grid import Grid, grid_of, has_cells, xlsx_grid
from .excel_other import NO_DAY
from .headers import check_names, row_names
from .limits import Limit
from .notes import Log, totals
from .places import placer
from .qualtrics import below_names, left_out, previews
from .redcap_eav import is_eav, refused_in_workbooks
from .two_name_rows import NameRow, joined_names, joined_note, must_be_one_row, must_not_need_groups, names_below

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

_HEAD = 50
"""Rows that are looked at for the header."""
_BARE_TIME = r"^1899-12-31 ([0-9]{2}:)"
_IN_WORDS = {"number": "numbers", "date": "dates", "duration": "durations", "truth": "truth values"}


def read_excel(
    data: bytes,
    source: str,
    *,
    kind: str = "excel",
    sheet: str | int | None,
    header_row: int | Sequence[int] | None,
    wishes: Wishes,
    limit: Limit,
) -> Table:
    """One sheet of the workbook `data` as a Table; ReadError with sheet, row and remedy if it is none.

    kind : 'excel' or 'ods'.
    """
    book = _open(data, source, kind, limit)
    name = _choose(book, sheet, source)
    where = f"{source}, sheet {name!r}"
    grid = book.grid(name, where)
    if not len(grid.rows):
        raise ReadError("The sheet is empty.", where=where, remedy=_other_sheets(book.names, name))
    header = _header(grid, header_row, where)
    if is_eav([t.strip() for t in header.titles if t.strip()]) and not wishes.as_rows:
        raise refused_in_workbooks(where)
    if header.last + 1 == len(grid.rows):
        raise ReadError(
            "The sheet has column names but no rows.",
            where=f"{where}, row {grid.rows[header.last]}",
            remedy=Wording("Choose another sheet with ", read_option("sheet"), ", or export it again."),
        )
    body = _body(grid, header, where)
    rows = grid.rows[header.last + 1 :]
    findings = [*body.findings, *grid.findings(where), *_odd(body, rows, where), *_blank_rows(grid, header.last, where)]
    frame = body.frame
    was_text = [c for c, t in frame.schema.items() if t == _string()]
    found = None
    if header_row is None and rows[0] == grid.rows[header.last] + 1 and header.first == header.last:
        found = NameRow(int(grid.rows[header.first]), where, "row")
    frame, typed = type_columns(frame, wishes, where, placer("row", rows), header=found)
    findings += typed + _text_numbers(frame, was_text, where)
    frame, times = _times(frame, rows, where)
    findings += times + _among(frame, body, rows, where)
    return Table(
        frame,
        source=source,
        findings=Findings(findings),
        variable_labels=body.labels,
        row_word="row",
        row_numbers=rows,
    )


def _string() -> pl.DataType:
    import polars as pl

    return pl.String()


@dataclass(frozen=True, slots=True)
class _Book:
    """An opened workbook of any kind. names : of its sheets; grid, filled : of the sheet of a name."""

    names: list[str]
    grid: Callable[[str, str], Grid]
    filled: Callable[[str], bool]


def _open(data: bytes, source: str, kind: str, limit: Limit) -> _Book:
    if kind == "ods":
        return _open_ods(data, source, limit)
    if data[:2] == b"PK":
        from .workbook import open_workbook

        workbook = open_workbook(data, source, limit)
        if workbook is not None:
            paths = {sheet.name: sheet.path for sheet in workbook.sheets}
            return _Book(
                list(paths),
                lambda name, where: xlsx_grid(workbook, paths[name], where),
                lambda name: has_cells(workbook, paths[name]),
            )
    from .excel_other import check_size, open_other, other_grid, other_has_cells
    from .far_cells import must_not_be_far

    check_size(data, source, limit)
    must_not_be_far(data, source, limit)
    reader = open_other(data, source)
    return _Book(
        list(reader.sheet_names),
        lambda name, where: other_grid(reader, name, source, where, limit),
        lambda name: other_has_cells(reader, name, source),
    )


def _open_ods(data: bytes, source: str, limit: Limit) -> _Book:
    import numpy as np
    import polars as pl

    from .ods import FORMATS, ods_sheets
    from .workbook import BROKEN, damaged

    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except BROKEN as error:
        raise damaged(source) from error
    sheets = ods_sheets(archive, source, limit)
    values = Book(pl.Series([], dtype=pl.String), np.array(FORMATS, np.uint8), False)
    return _Book(
        list(sheets),
        lambda name, where: grid_of(sheets[name], values, limit, where),
        lambda name: len(sheets[name].row) > 0,
    )


def _choose(book: _Book, sheet: str | int | None, source: str) -> str:
    """The sheet's name; the only one with cells if none was asked for."""
    names = book.names
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
    filled = [n for n in names if book.filled(n)]
    if len(filled) == 1:
        return filled[0]
    if not filled:
        raise ReadError("The workbook has no cells.", where=source, remedy="Export it again.")
    raise ReadError(
        f"The workbook has {len(filled)} sheets with cells, and none was named.",
        where=source,
        remedy=Wording("Choose one, such as ", read_option("sheet", filled[0]), f": {_listed(filled)}."),
    )


def _listed(names: list[str]) -> str:
    return some([repr(n) for n in names], 12)


def _other_sheets(names: list[str], name: str) -> str:
    others = [n for n in names if n != name]
    if not others:
        return "Export it again, with the data."
    return Wording("Choose another with ", read_option("sheet", others[0]), f"; the others are {_listed(others)}.")


@dataclass(frozen=True, slots=True)
class _Header:
    """The column names. first, last : indices of their first row and of the last row that is no data. titles : a name
    or '' for each column, as written. labels : column -> what is asked in it. findings : what was done."""

    first: int
    last: int
    titles: list[str]
    labels: dict[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


def _header(grid: Grid, header_row: int | Sequence[int] | None, where: str) -> _Header:
    """The row or rows with the column names."""

    if header_row is not None and not isinstance(header_row, int):
        upper, lower = (_row(grid, number, where) for number in header_row)
        titles = joined_names(*([t.strip() for t in grid.titles(row)] for row in (upper, lower)))
        note = joined_note(tuple(header_row), [t for t in titles if t], where, "row")
        return _Header(upper, lower, titles, findings=(note,))
    at = 0 if header_row is None else _row(grid, header_row, where)
    titles = grid.titles(at)
    if at and grid.rows[at - 1] == grid.rows[at] - 1:
        upper_names, lower_names = ([t.strip() for t in grid.titles(row)] for row in (at - 1, at))
        must_not_need_groups(upper_names, lower_names, int(grid.rows[at]), f"{where}, row {grid.rows[at]}", "row")
    if at + 1 < len(grid.rows) and grid.rows[at + 1] == grid.rows[at] + 1:
        upper_names, lower_names = ([t.strip() for t in grid.titles(row)] for row in (at, at + 1))
        number = int(grid.rows[at])
        must_be_one_row(upper_names, lower_names, number, f"{where}, row {number}", "row")
    counts = grid.counts
    if header_row is None and counts.max() > 1 and counts[0] <= counts.max() / 2:
        head = [[t.strip() for t in grid.titles(row)] for row in range(1, min(len(counts), _HEAD))]
        row = names_below(head, int(counts[0]))
        if row is not None:
            number = int(grid.rows[row + 1])
            raise ReadError(
                f"The first row with cells has {counts[0]} of them, others have up to {counts.max()}: it looks like "
                "a title above the header.",
                where=f"{where}, row {grid.rows[0]}",
                remedy=Wording("Say where the column names are, for example ", read_option("header_row", number), "."),
            )
    below = below_names([t.strip() for t in titles], [grid.titles(r) for r in range(at + 1, min(at + 3, len(counts)))])
    if not below.rows:
        return _Header(at, at, titles)
    last = at + below.rows
    note = left_out(below, grid.rows[at + 1 : last + 1].tolist(), "row", where)
    return _Header(at, last, titles, below.labels, (note,))


def _row(grid: Grid, number: int, where: str) -> int:
    """Index of the row that Excel shows under this number."""
    import numpy as np

    at = np.flatnonzero(grid.rows == number)
    if not len(at):
        raise ReadError(
            f"header_row={number}, but that row is empty or beyond the sheet's {grid.rows[-1]} rows.",
            where=where,
            remedy="Give the number of the row with the column names, as Excel shows it.",
        )
    return int(at[0])


@dataclass(frozen=True, slots=True, eq=False)
class _Body:
    """The typed cells below the header; the columns they came from, by name; their labels; and what was done."""

    frame: pl.DataFrame
    columns: dict[str, Column]
    labels: dict[str, str]
    findings: tuple[Finding, ...]


def _body(grid: Grid, header: _Header, where: str) -> _Body:
    import polars as pl

    findings = [*header.findings]
    if header.first:
        above = int(grid.rows[header.first]) - 1
        what = f"{counted(above, 'row')} above the header {agree(above, 'was', 'were')} left out."
        findings.append(Finding("note", "lines-skipped", what, where))
    columns, titles = grid.body(header.last), header.titles
    full = [c.values.null_count() < len(c.values) or any(len(r) for r in c.odd.values()) for c in columns]
    keep = [i for i, t in enumerate(titles) if t.strip() or full[i]]
    names = [titles[i].strip() for i in keep]
    changed = [n for n, i in zip(names, keep, strict=True) if n != titles[i]]
    if changed:
        what = f"Spaces around {counted(len(changed), 'column name')} were taken off."
        findings.append(Finding("note", "name-spaces", what, "columns " + some(changed, 12), len(changed)))
    place = f"{where}, row {grid.rows[header.first]}"
    note = row_names(names, lambda: columns[keep[0]].values, place)
    if note:
        names, keep = names[1:], keep[1:]
        findings.append(note)
    check_names(names, place, "row")
    kept = {name: columns[i] for name, i in zip(names, keep, strict=True)}
    blank = pl.Series([None] * (len(grid.rows) - header.last - 1), dtype=pl.String)
    frame = pl.DataFrame(
        [(c.values if c.values.null_count() < len(c.values) else blank).alias(n) for n, c in kept.items()]
    )
    if header.labels:
        findings += previews(frame, where)
    return _Body(frame, kept, {n: text for n, text in header.labels.items() if n in kept}, tuple(findings))


def _odd(body: _Body, rows: np.ndarray, where: str) -> list[Finding]:
    """A warning for each column with cells that did not go with the others, and counts of what meant missing."""
    found = []
    log = Log()
    place = placer("row", rows)
    for name, column in body.columns.items():
        for sort, at in column.odd.items():
            n = len(at)
            if not n:
                continue
            if sort == "exist":
                what = f"{counted(n, 'cell')} of column {name!r} {agree(n, 'holds', 'hold')} a date or time that does "
                what += f"not exist in Excel, and {agree(n, 'was', 'were')} read as missing."
            else:
                what = f"Column {name!r} holds {_IN_WORDS[sort]}, but {counted(n, 'cell')} {agree(n, 'does', 'do')} "
                what += f"not, and {agree(n, 'was', 'were')} read as missing."
            at_rows = f"{where}, column {name}, {place(at.tolist())}"
            remedy = "Correct these cells in the workbook, or give them the column's format."
            found.append(Finding("warning", "odd-cells", what, at_rows, n, remedy))
        for marker, count in column.markers.items():
            log.markers[marker][name] = count
    return found + totals(log)


def _blank_rows(grid: Grid, header: int, where: str) -> list[Finding]:
    blank = int(grid.rows[-1] - grid.rows[header]) - (len(grid.rows) - header - 1)
    return [Finding("note", "blank-rows", f"Skipped {counted(blank, 'blank row')}.", where, blank)] if blank else []


def _times(frame: pl.DataFrame, rows: np.ndarray, where: str) -> tuple[pl.DataFrame, list[Finding]]:
    """Times of day as such, and a warning for those among dates."""
    import polars as pl

    found = []
    for name, kind in frame.schema.items():
        if kind not in (pl.Date, pl.Datetime, pl.String):
            continue
        cells = frame[name]
        bare = cells.str.contains(_BARE_TIME) if kind == pl.String else cells.dt.date() == NO_DAY
        n = int(bare.sum())
        at = f"{where}, column {name}"
        if n and kind != pl.String and n < cells.count():
            what = f"Column {name!r} holds dates, but {counted(n, 'cell')} {agree(n, 'has', 'have')} a time of day "
            what += f"alone and {agree(n, 'was', 'were')} read as of {NO_DAY}."
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


def _text_numbers(frame: pl.DataFrame, was_text: Sequence[str], where: str) -> list[Finding]:
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


def _among(frame: pl.DataFrame, body: _Body, rows: np.ndarray, where: str) -> list[Finding]:
    """A warning for each column of dates or durations among which some cells are text: all of it stays text."""
    import polars as pl

    found = []
    for name, kind in frame.schema.items():
        among = body.columns[name].among if name in body.columns else None
        if among is None or kind != pl.String:
            continue
        sort, at = among
        n = len(at)
        before = f"Column {name!r} holds Excel {_IN_WORDS[sort]} and, in {counted(n, 'cell')}, text such as "
        what = Wording(before, Datum(repr(frame[name][int(at[0])])), ": all of it was kept as text.")
        place = f"{where}, column {name}, {placer('row', rows)(at.tolist())}"
        remedy = f"Make these cells {_IN_WORDS[sort]} in Excel and save, or declare them missing: "
        remedy += f"missing={{{name!r}: [{frame[name][int(at[0])]!r}]}}."
        found.append(Finding("warning", f"mixed-{_IN_WORDS[sort]}", what, place, n, remedy, column=name))
    return found
