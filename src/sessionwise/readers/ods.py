"""OpenDocument spreadsheets (.ods): the cells of their sheets, only those there are.

The XML is read as a stream. A cell or row that is repeated is written once with a count, so that what is counted here
is what a reader would unfold. Source of the layout: OpenDocument 1.3, part 3.
"""

from __future__ import annotations

import datetime
import re
import zipfile
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.parsers import expat

from ..errors import ReadError
from .limits import Limit
from .sheet_cells import ERROR, NUMBER, TEXT, TRUTH, UNCALCULATED, Cells
from .workbook import BROKEN, DATE, DURATION, PLAIN, damaged, part_pieces

if TYPE_CHECKING:
    import numpy as np

FORMATS = (PLAIN, DATE, DURATION)
"""What the styles of the Cells stand for."""

_SPACE = "urn:oasis:names:tc:opendocument:xmlns:"
_IN_OFFICE, _IN_TABLE, _IN_TEXT, _IN_STYLE, _IN_NUMBER = (
    f"{_SPACE}{name}:1.0 " for name in ("office", "table", "text", "style", "datastyle")
)
_IN_CALC = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0 "
_ANNOTATION = f"{_IN_OFFICE}annotation"
_BOOLEAN_VALUE = f"{_IN_OFFICE}boolean-value"
_CALC_VALUE_TYPE = f"{_IN_CALC}value-type"
_DATE_VALUE = f"{_IN_OFFICE}date-value"
_DEFAULT_CELL_STYLE_NAME = f"{_IN_TABLE}default-cell-style-name"
_FORMS = f"{_IN_OFFICE}forms"
_FORMULA = f"{_IN_TABLE}formula"
_NAME = f"{_IN_TABLE}name"
_NUMBER_COLUMNS_REPEATED = f"{_IN_TABLE}number-columns-repeated"
_NUMBER_ROWS_REPEATED = f"{_IN_TABLE}number-rows-repeated"
_SHAPES = f"{_IN_TABLE}shapes"
_SPREADSHEET = f"{_IN_OFFICE}spreadsheet"
_STRING_VALUE = f"{_IN_OFFICE}string-value"
_STYLE_CALLED = f"{_IN_STYLE}name"
_STYLE_DATA_STYLE_NAME = f"{_IN_STYLE}data-style-name"
_STYLE_NAME = f"{_IN_TABLE}style-name"
_STYLE_STYLE = f"{_IN_STYLE}style"
_TABLE = f"{_IN_TABLE}table"
_TABLE_COLUMN = f"{_IN_TABLE}table-column"
_TABLE_ROW = f"{_IN_TABLE}table-row"
_TEXT_C = f"{_IN_TEXT}c"
_TEXT_H = f"{_IN_TEXT}h"
_TEXT_LINE_BREAK = f"{_IN_TEXT}line-break"
_TEXT_P = f"{_IN_TEXT}p"
_TEXT_S = f"{_IN_TEXT}s"
_TEXT_TAB = f"{_IN_TEXT}tab"
_TIME_STYLE = f"{_IN_NUMBER}time-style"
_TIME_VALUE = f"{_IN_OFFICE}time-value"
_TRACKED_CHANGES = f"{_IN_TABLE}tracked-changes"
_TRUNCATE_ON_OVERFLOW = f"{_IN_NUMBER}truncate-on-overflow"
_VALUE = f"{_IN_OFFICE}value"
_VALUE_TYPE = f"{_IN_OFFICE}value-type"
_CELLS = frozenset((f"{_IN_TABLE}table-cell", f"{_IN_TABLE}covered-table-cell"))
_PARAGRAPHS = frozenset((_TEXT_P, _TEXT_H))
_NO_CELLS = frozenset((_TRACKED_CHANGES, _SHAPES, _FORMS))
_NUMBERS = frozenset(("float", "percentage", "currency"))
_MOST_COLUMNS, _MOST_ROWS = 65_536, 16_777_216
_DURATION = re.compile(r"(-?)P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:[.,]\d*)?)S)?)?")
_DAY_ZERO, _MARCH_1900 = datetime.datetime(1899, 12, 30), datetime.datetime(1900, 3, 1)
_ERRORS = re.compile(r"#[A-Z0-9/_]+[!?]|#N/A|Err:\d+")


def ods_sheets(archive: zipfile.ZipFile, source: str, limit: Limit) -> dict[str, Cells]:
    """Name -> cells of each sheet; ReadError if the file is damaged, encrypted, too large or no spreadsheet."""
    parts = {i.filename: i for i in archive.infolist()}
    if "META-INF/manifest.xml" in parts:
        manifest = b"".join(part_pieces(archive, parts, "META-INF/manifest.xml", source, limit))
        if b"encryption-data" in manifest:
            raise ReadError("The spreadsheet is encrypted.", where=source, remedy="Save it without a password.")
    content = _Content(source)
    try:
        for path in ("styles.xml", "content.xml"):  # formats of the first are used in the second
            if path in parts or path == "content.xml":
                content.read(part_pieces(archive, parts, path, source, limit))
    except (expat.ExpatError, *BROKEN) as error:
        raise damaged(source) from error
    if not content.sheets:
        raise ReadError(
            "This OpenDocument file has no sheet of cells.", where=source, remedy="Save the data as .ods, .xlsx or CSV."
        )
    return {name: _cells(found, f"{source}, sheet {name!r}", limit) for name, found in content.sheets.items()}


@dataclass(slots=True)
class _Found:
    """Cells of one sheet as written, one entry each: place, how often it is repeated down and across, content."""

    rows: array[int] = field(default_factory=lambda: array("i"))
    columns: array[int] = field(default_factory=lambda: array("i"))
    down: array[int] = field(default_factory=lambda: array("i"))
    across: array[int] = field(default_factory=lambda: array("i"))
    kinds: array[int] = field(default_factory=lambda: array("B"))
    styles: array[int] = field(default_factory=lambda: array("B"))
    values: array[float] = field(default_factory=lambda: array("d"))
    texts: list[str] = field(default_factory=list)


class _Content:
    """What comes of styles.xml and content.xml while they are read. sheets : by name."""

    def __init__(self, source: str) -> None:
        self.sheets: dict[str, _Found] = {}
        self._source = source
        self._elapsed: set[str] = set()  # names of time formats that go beyond 24 hours, and of styles with one
        self._depth = self._skip = 0
        self._in_spreadsheet = False
        self._sheet: _Found | None = None
        self._row = self._column = self._down = 0
        self._row_style = ""
        self._column_styles: list[tuple[int, str]] = []
        self._cell: dict[str, str] | None = None
        self._cell_depth = 0
        self._paragraphs: list[str] = []
        self._in_text = False

    def read(self, pieces: Iterator[bytes]) -> None:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._no_doctype
        for piece in pieces:
            parser.Parse(piece, False)
        parser.Parse(b"", True)

    def _no_doctype(self, *_: object) -> None:
        raise damaged(self._source)  # no such file has one, and entities can grow without end

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._skip:
            return
        if self._cell is not None:
            self._start_in_cell(tag, attributes)
        elif tag in _CELLS:
            self._cell, self._cell_depth, self._paragraphs = attributes, self._depth, []
        elif tag == _TABLE_ROW:
            self._down = _count(attributes, _NUMBER_ROWS_REPEATED)
            self._row_style = attributes.get(_DEFAULT_CELL_STYLE_NAME, "")
            self._column = 0
        elif tag == _TABLE_COLUMN:
            n = _count(attributes, _NUMBER_COLUMNS_REPEATED)
            self._column_styles.append((n, attributes.get(_DEFAULT_CELL_STYLE_NAME, "")))
        elif tag == _SPREADSHEET:
            self._in_spreadsheet = True
        elif tag == _TABLE and self._in_spreadsheet and self._sheet is None:
            self._sheet = self.sheets.setdefault(attributes.get(_NAME, ""), _Found())
            self._row, self._column_styles = 0, []
        elif tag in _NO_CELLS:
            self._skip = self._depth
        elif self._is_elapsed(tag, attributes):
            self._elapsed.add(attributes.get(_STYLE_CALLED, ""))

    def _is_elapsed(self, tag: str, attributes: dict[str, str]) -> bool:
        """Whether a time format goes beyond 24 hours, or a style has such a one."""
        if tag == _TIME_STYLE:
            return attributes.get(_TRUNCATE_ON_OVERFLOW) == "false"
        return tag == _STYLE_STYLE and attributes.get(_STYLE_DATA_STYLE_NAME) in self._elapsed

    def _start_in_cell(self, tag: str, attributes: dict[str, str]) -> None:
        if self._depth == self._cell_depth + 1:
            self._in_text = tag in _PARAGRAPHS
            if self._in_text:
                self._paragraphs.append("")
            else:  # notes, pictures, tables within the cell
                self._skip = self._depth
        elif tag == _TEXT_S:
            self._paragraphs[-1] += " " * min(_count(attributes, _TEXT_C), 1000)
        elif tag in (_TEXT_TAB, _TEXT_LINE_BREAK):
            self._paragraphs[-1] += "\t" if tag == _TEXT_TAB else "\n"
        elif tag == _ANNOTATION:
            self._skip = self._depth

    def _characters(self, text: str) -> None:
        if self._in_text and not self._skip:
            self._paragraphs[-1] += text

    def _end(self, tag: str) -> None:
        depth, self._depth = self._depth, self._depth - 1
        if self._skip:
            if self._skip == depth:
                self._skip = 0
            return
        if self._cell is not None:
            if depth == self._cell_depth:
                self._end_of_cell(self._cell)
                self._cell = None
            elif depth == self._cell_depth + 1:
                self._in_text = False
        elif tag == _TABLE_ROW:
            self._row += self._down
        elif tag == _TABLE:
            self._sheet = None

    def _end_of_cell(self, cell: dict[str, str]) -> None:
        across = _count(cell, _NUMBER_COLUMNS_REPEATED)
        at, self._column = self._column, self._column + across
        held = self._held(cell, at)
        if held is None or self._sheet is None:
            return
        if self._column > _MOST_COLUMNS or self._row + self._down > _MOST_ROWS:
            raise damaged(self._source)
        kind, style, value = held
        found = self._sheet
        if isinstance(value, str):
            found.texts.append(value)
            value = len(found.texts) - 1
        found.rows.append(self._row)
        found.columns.append(at)
        found.down.append(self._down)
        found.across.append(across)
        found.kinds.append(kind)
        found.styles.append(style)
        found.values.append(value)

    def _held(self, cell: dict[str, str], at: int) -> tuple[int, int, float | str] | None:
        """Kind, style and content of a cell; None if it is empty."""
        kind = cell.get(_VALUE_TYPE, "")
        if kind == "float" and _FORMULA not in cell:  # nearly all cells
            return NUMBER, PLAIN, _number(cell.get(_VALUE, ""))
        text = "\n".join(self._paragraphs)
        formula = _FORMULA in cell
        if cell.get(_CALC_VALUE_TYPE) == "error" or (formula and _ERRORS.fullmatch(text)):
            return ERROR, PLAIN, text or "#ERROR"
        if kind in _NUMBERS:
            return NUMBER, PLAIN, _number(cell.get(_VALUE, ""))
        if kind == "boolean":
            return TRUTH, PLAIN, float(cell.get(_BOOLEAN_VALUE) == "true")
        if kind == "date":
            return NUMBER, DATE, _serial(cell.get(_DATE_VALUE, ""))
        if kind == "time":
            days = _days(cell.get(_TIME_VALUE, ""))
            own = cell.get(_STYLE_NAME) or self._row_style or self._column_style(at)
            return NUMBER, DATE if own not in self._elapsed and 0 <= days < 1 else DURATION, days
        if formula and not kind:
            return UNCALCULATED, PLAIN, 0.0
        text = cell.get(_STRING_VALUE, text)
        return (TEXT, PLAIN, text) if text else None

    def _column_style(self, at: int) -> str:
        for n, name in self._column_styles:
            if at < n:
                return name
            at -= n
        return ""


def _cells(found: _Found, where: str, limit: Limit) -> Cells:
    """Repeated cells unfolded; ReadError if they are more than the limit."""
    import numpy as np
    import polars as pl

    row, column = np.array(found.rows, np.int64), np.array(found.columns, np.int64)
    down, across = np.array(found.down, np.int64), np.array(found.across, np.int64)
    times = down * across
    if times.sum() > limit.cells:
        first = np.unique(row, return_index=True)[1]
        limit.check_cells(int(down[first].sum()), int((column + across).max()), where)
    which = np.repeat(np.arange(len(times)), times)
    nth = np.arange(len(which)) - np.repeat(np.cumsum(times) - times, times)
    row = row[which] + nth // across[which]
    column = column[which] + nth % across[which]

    def spread(values: array[int], kind: type) -> np.ndarray:
        return np.array(values, kind)[which]

    return Cells(
        row.astype(np.int32),
        column.astype(np.int32),
        spread(found.kinds, np.uint8),
        spread(found.styles, np.int32),
        np.array(found.values, np.float64)[which],
        pl.Series(found.texts, dtype=pl.String),
    )


def _count(attributes: dict[str, str], name: str) -> int:
    """How often something is repeated; ValueError if that is no number of times."""
    written = attributes.get(name)
    if written is None:
        return 1
    count = int(written)
    if count < 1:
        raise ValueError(count)
    return count


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _serial(text: str) -> float:
    """An ISO date as a workbook's day; NaN if it is none."""
    try:
        stamp = datetime.datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return float("nan")
    days = (stamp - _DAY_ZERO) / datetime.timedelta(days=1)
    return days if stamp >= _MARCH_1900 else days - 1  # before it Excel has a day too many


def _days(text: str) -> float:
    """An ISO duration ('PT25H10M00S') in days; NaN if it is none."""
    found = _DURATION.fullmatch(text)
    if found is None:
        return float("nan")
    days, hours, minutes, seconds = (float((part or "0").replace(",", ".")) for part in found.groups()[1:])
    return (-1 if found[1] else 1) * (days + hours / 24 + minutes / 1440 + seconds / 86400)
