"""How far the cells of .xls and .xlsb sheets reach, before fastexcel makes a full rectangle of them.

Only the heads of records are looked at. Sources of the layouts: MS-XLS, MS-XLSB and MS-CFB.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import ReadError
from .limits import Limit
from .workbook import damaged, part_pieces, related

MOST_EMPTY = 2_000_000
"""Empty cells between others that are taken, at 16 bytes and more for each copy."""
MOST_EMPTY_COLUMNS = 2_000
"""Columns without a cell that are taken: each costs as much time as thousands of cells."""

_MOST_ROWS, _MOST_COLUMNS = 1_048_576, 16_384
_XLS_ROWS, _XLS_COLUMNS = 65_536, 256
_XLS_CELLS = frozenset((0x0006, 0x0206, 0x0406, 0x0203, 0x027E, 0x00FD, 0x0204, 0x0205, 0x00D6, 0x00BD))
_XLS_MANY, _XLS_START, _XLS_END, _XLS_SHEET, _XLS_SAID = 0x00BD, 0x0809, 0x000A, 0x0085, 0x0200
_XLS_PASSWORD = 0x002F
_XLSB_ROW, _XLSB_CELLS, _XLSB_SHEET = 0, range(2, 12), 156
_CFB_COUNTS = (44, 64, 72)  # where a compound file says how many sectors its tables have
_BOOK = ("workbook", "book")
_END = 0xFFFFFFF0  # sectors from here on are no sectors


@dataclass(slots=True)
class Extent:
    """Rows and columns (from 0, the last ones included) between which a sheet's cells lie, and how many there are."""

    rows: tuple[int, int] = (1 << 30, -1)
    columns: tuple[int, int] = (1 << 30, -1)
    cells: int = 0

    def take(self, row: int, first: int, last: int) -> None:
        """Count the cells of a row from one column to another."""
        self.rows = min(self.rows[0], row), max(self.rows[1], row)
        self.columns = min(self.columns[0], first), max(self.columns[1], last)
        self.cells += last - first + 1

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the rectangle."""
        return self.rows[1] - self.rows[0] + 1, self.columns[1] - self.columns[0] + 1


def must_not_be_far(data: bytes, source: str, limit: Limit) -> None:
    """Raise ReadError if a sheet's rectangle is beyond the limit, or nearly all empty and large."""
    newer = data[:2] == b"PK"
    most_rows, most_columns = (_MOST_ROWS, _MOST_COLUMNS) if newer else (_XLS_ROWS, _XLS_COLUMNS)
    for name, extent in _xlsb(data, source, limit) if newer else _xls(data, source):
        if not extent.cells:
            continue
        if extent.rows[1] >= most_rows or extent.columns[1] >= most_columns:
            raise damaged(source)
        rows, columns = extent.size
        where = f"{source}, sheet {name!r}"
        empty = rows * columns - extent.cells
        if (empty > MOST_EMPTY and empty > 4 * extent.cells) or columns - extent.cells > MOST_EMPTY_COLUMNS:
            raise ReadError(
                f"The sheet has {extent.cells:,} cells, but one of them lies far from the others: together they span "
                f"{rows:,} rows and {columns:,} columns, to row {extent.rows[1] + 1}.",
                where=where,
                remedy="Delete what stands far below or to the right of the data, or save the workbook as .xlsx, in "
                "which only cells that are there count.",
            )
        limit.check_cells(rows, columns, where)


def _xlsb(data: bytes, source: str, limit: Limit) -> Iterator[tuple[str, Extent]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {i.filename.replace("\\", "/").lstrip("/").lower(): i for i in archive.infolist()}

        def read(path: str) -> bytes:
            return b"".join(part_pieces(archive, parts, path, source, limit)) if path in parts else b""

        relations = read("xl/_rels/workbook.bin.rels")
        paths = related(relations, "xl", source) if relations else {}
        for kind, record in _xlsb_records(read("xl/workbook.bin")):
            if kind == _XLSB_SHEET:
                relation, rest = _wide_text(record[8:])
                path = paths.get(relation, ("", ""))[1]
                yield _wide_text(rest)[0], _xlsb_extent(read(path))


def _xlsb_extent(data: bytes) -> Extent:
    extent, row = Extent(), 0
    for kind, record in _xlsb_records(data):
        if kind == _XLSB_ROW and len(record) >= 4:
            row = int.from_bytes(record[:4], "little")
        elif kind in _XLSB_CELLS and len(record) >= 4:
            column = int.from_bytes(record[:4], "little")
            extent.take(row, column, column)
    return extent


def _xlsb_records(data: bytes) -> Iterator[tuple[int, bytes]]:
    at, n = 0, len(data)
    while at < n:
        kind = data[at]
        at += 1
        if kind > 127 and at < n:
            kind = (kind & 127) | ((data[at] & 127) << 7)
            at += 1
        size = shift = 0
        while at < n and shift < 28:
            byte = data[at]
            at += 1
            size |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        yield kind, data[at : at + min(size, 1 << 16)]
        at += size


def _wide_text(data: bytes) -> tuple[str, bytes]:
    """A text with its length before it, and what follows."""
    end = 4 + 2 * int.from_bytes(data[:4], "little")
    return data[4:end].decode("utf-16-le", "replace"), data[end:]


def _xls(data: bytes, source: str) -> Iterator[tuple[str, Extent]]:
    try:
        stream = _stream(data)
        for at, name in _xls_sheets(stream):
            yield name, _xls_extent(stream, at)
    except (struct.error, IndexError, ValueError) as error:
        raise damaged(source) from error


def _xls_sheets(stream: bytes) -> list[tuple[int, str]]:
    """Where each sheet begins, and its name; none where a password hides what they hold."""
    found = []
    for kind, at, size in _xls_records(stream, 0):
        if kind == _XLS_PASSWORD:
            return []
        if kind == _XLS_END:
            break
        if kind == _XLS_SHEET and size >= 8:
            record = stream[at : at + size]
            wide = bool(record[7] & 1)
            found.append(
                (int.from_bytes(record[:4], "little"), record[8:].decode("utf-16-le" if wide else "latin-1", "replace"))
            )
    return found


def _xls_extent(stream: bytes, start: int) -> Extent:
    extent, depth = Extent(), 0
    for kind, at, size in _xls_records(stream, start):
        if kind == _XLS_SAID:
            _must_be_possible(stream[at : at + size])
        elif kind in _XLS_CELLS and depth == 1 and size >= 4:
            row, column = struct.unpack_from("<HH", stream, at)
            last = struct.unpack_from("<H", stream, at + size - 2)[0] if kind == _XLS_MANY and size >= 6 else column
            extent.take(row, column, max(column, last))
        elif kind == _XLS_START:
            depth += 1  # charts lie within sheets
        elif kind == _XLS_END:
            depth -= 1
            if depth <= 0:
                break
    return extent


def _must_be_possible(said: bytes) -> None:
    """ValueError if a sheet says that its cells lie where none can: calamine takes memory for them unseen."""
    form = {10: "<HHHH", 14: "<IIHH"}.get(len(said))
    if form is None:
        return
    row, rows, _, columns = struct.unpack_from(form, said)  # where columns begin is often wrong, and not asked for
    if rows < row or (rows - row) * columns > _XLS_ROWS * _XLS_COLUMNS:
        raise ValueError(said)


def _xls_records(stream: bytes, at: int) -> Iterator[tuple[int, int, int]]:
    """Kind of each record, where its content begins, and how long that is."""
    n = len(stream)
    while at + 4 <= n:
        kind, size = struct.unpack_from("<HH", stream, at)
        if at + 4 + size > n:
            return
        yield kind, at + 4, size
        at += 4 + size


def _stream(data: bytes) -> bytes:
    """The stream with the workbook in a compound file, empty if there is none; an error where the file is damaged."""
    sector = 1 << struct.unpack_from("<H", data, 30)[0]
    if not 128 <= sector <= 65536:
        raise ValueError(sector)
    if max(struct.unpack_from("<I", data, at)[0] for at in _CFB_COUNTS) > len(data) // sector:
        raise ValueError("more sectors than the file has, for which calamine takes memory unseen")
    first_directory = struct.unpack_from("<I", data, 48)[0]
    cutoff, first_mini = struct.unpack_from("<II", data, 56)
    next_list = struct.unpack_from("<I", data, 68)[0]
    tables = list(struct.unpack_from("<109I", data, 76))

    def read(number: int) -> bytes:
        return data[(number + 1) * sector : (number + 2) * sector]

    seen = 0
    while next_list < _END and seen * sector < len(data):
        further = struct.unpack(f"<{sector // 4}I", read(next_list))
        tables += further[:-1]
        next_list = further[-1]
        seen += 1
    allocation: list[int] = []
    for number in tables:
        if number < _END:
            piece = read(number)
            allocation += struct.unpack(f"<{len(piece) // 4}I", piece[: len(piece) // 4 * 4])

    def chain(number: int, following: list[int], piece: int, source: bytes, shift: int) -> bytes:
        parts, left = [], len(following)
        while number < _END and left:
            start = (number + shift) * piece
            if start >= len(source):
                raise IndexError(number)
            parts.append(source[start : start + piece])
            number = following[number]
            left -= 1
        return b"".join(parts)

    directory = chain(first_directory, allocation, sector, data, 1)
    if len(directory) % sector:
        raise ValueError(len(directory))
    root = b""
    for at in range(0, len(directory), 128):
        entry = directory[at : at + 128]
        name = entry[: max(struct.unpack_from("<H", entry, 64)[0] - 2, 0)].decode("utf-16-le", "replace")
        start, size = struct.unpack_from("<II", entry, 116)
        if size > len(data) and (not at or name.lower() in _BOOK):
            raise ValueError(size)
        if not at:
            root = chain(start, allocation, sector, data, 1)
        elif name.lower() in _BOOK:
            if size >= cutoff:
                return chain(start, allocation, sector, data, 1)[:size]
            packed = chain(first_mini, allocation, sector, data, 1)
            mini = list(struct.unpack(f"<{len(packed) // 4}I", packed))
            return chain(start, mini, 64, root, 0)[:size]
    return b""
