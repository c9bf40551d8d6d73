"""Small workbooks of every kind: {sheet: {row: {column: text or number}}} to .xlsx, .ods, .xlsb, .xls."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape

import xlsxwriter

Sheet = Mapping[int, Mapping[int, str | float]]
KINDS = ("xlsx", "ods", "xlsb", "xls")

PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
OPEN = "urn:oasis:names:tc:opendocument:xmlns"
SPACES = (
    "".join(
        f' xmlns:{short}="{OPEN}:{name}:1.0"'
        for short, name in (
            ("office", "office"),
            ("table", "table"),
            ("text", "text"),
            ("style", "style"),
            ("number", "datastyle"),
        )
    )
    + ' xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
)


def save(file: Path, sheets: Mapping[str, Sheet]) -> Path:
    """The workbook, of the kind that the file's ending says."""
    {"xlsx": _xlsx, "ods": _ods, "xlsb": _xlsb, "xls": xls}[file.suffix[1:]](file, sheets)
    return file


def table(*rows: list[str | float | None]) -> Sheet:
    """Rows of cells, None for none."""
    return {i: {j: cell for j, cell in enumerate(row) if cell is not None} for i, row in enumerate(rows)}


def ods(file: Path, content: str, *, styles: str = "", tables: bool = True, manifest: str = "") -> Path:
    """An .ods file with this between <office:spreadsheet> (or what stands for it) and its end."""
    body = f"<office:spreadsheet>{content}</office:spreadsheet>" if tables else content
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        if styles:
            archive.writestr("styles.xml", f"<office:document-styles{SPACES}>{styles}</office:document-styles>")
        if manifest:
            archive.writestr("META-INF/manifest.xml", manifest)
        archive.writestr(
            "content.xml",
            f'<?xml version="1.0" encoding="UTF-8"?><office:document-content{SPACES}><office:body>{body}</office:body>'
            "</office:document-content>",
        )
    return file


def _ods(file: Path, sheets: Mapping[str, Sheet]) -> None:
    text = ""
    for name, rows in sheets.items():
        text += f'<table:table table:name="{escape(name)}"><table:table-column/>'
        below = 0
        for row, cells in sorted(rows.items()):
            text += f'<table:table-row table:number-rows-repeated="{row - below}"/>' if row > below else ""
            text += "<table:table-row>"
            right = 0
            for column, cell in sorted(cells.items()):
                if column > right:
                    text += f'<table:table-cell table:number-columns-repeated="{column - right}"/>'
                text += _ods_cell(cell)
                right = column + 1
            text += "</table:table-row>"
            below = row + 1
        text += "</table:table>"
    ods(file, text)


def _ods_cell(cell: str | float) -> str:
    if isinstance(cell, str):
        return f'<table:table-cell office:value-type="string"><text:p>{escape(cell)}</text:p></table:table-cell>'
    return f'<table:table-cell office:value-type="float" office:value="{cell!r}"><text:p>x</text:p></table:table-cell>'


def _xlsx(file: Path, sheets: Mapping[str, Sheet]) -> None:
    with xlsxwriter.Workbook(file) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for row, cells in rows.items():
                for column, cell in cells.items():
                    sheet.write(row, column, cell)


def _xlsb(file: Path, sheets: Mapping[str, Sheet]) -> None:
    def record(kind: int, data: bytes = b"") -> bytes:
        head = bytes([kind]) if kind < 128 else bytes([kind & 127 | 128, kind >> 7])
        size = len(data)
        while True:
            head += bytes([size & 127 | (128 if size > 127 else 0)])
            size >>= 7
            if not size:
                return head + data

    def wide(text: str) -> bytes:
        return struct.pack("<I", len(text)) + text.encode("utf-16-le")

    def part(rows: Sheet) -> bytes:
        data = record(129) + record(148, bytes(16)) + record(145)
        for row, cells in sorted(rows.items()):
            data += record(0, struct.pack("<I", row) + bytes(13))
            for column, cell in sorted(cells.items()):
                head = struct.pack("<II", column, 0)
                data += (
                    record(6, head + wide(cell)) if isinstance(cell, str) else record(5, head + struct.pack("<d", cell))
                )
        return data + record(146) + record(130)

    numbered = list(enumerate(sheets, 1))
    book = record(131) + record(143)
    book += b"".join(record(156, struct.pack("<II", 0, i) + wide(f"r{i}") + wide(name)) for i, name in numbered)
    relations = "".join(
        f'<Relationship Id="r{i}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{i}.bin"/>' for i, _ in numbered
    )
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{PACKAGE}"><Relationship Id="r" Type="{OFFICE}/officeDocument" '
            'Target="xl/workbook.bin"/></Relationships>',
        )
        archive.writestr("xl/workbook.bin", book + record(144) + record(132))
        archive.writestr("xl/_rels/workbook.bin.rels", f'<Relationships xmlns="{PACKAGE}">{relations}</Relationships>')
        for i, name in numbered:
            archive.writestr(f"xl/worksheets/sheet{i}.bin", part(sheets[name]))


def xls(file: Path, sheets: Mapping[str, Sheet], *, mini: bool = False) -> None:
    """BIFF8 in a compound file; mini : in its small sectors, as workbooks under 4,096 bytes may be."""

    def record(kind: int, data: bytes = b"") -> bytes:
        return struct.pack("<HH", kind, len(data)) + data

    def start(kind: int) -> bytes:
        return record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0, 0, 0, 0x0600))

    def part(rows: Sheet) -> bytes:
        last = max(rows, default=-1) + 1
        right = max((c for cells in rows.values() for c in cells), default=-1) + 1
        data = start(0x0010) + record(0x0200, struct.pack("<IIHHH", 0, last, 0, right, 0))
        for row, cells in sorted(rows.items()):
            for column, cell in sorted(cells.items()):
                head = struct.pack("<HHH", row, column, 0)
                if isinstance(cell, str):
                    data += record(0x0204, head + struct.pack("<HB", len(cell), 1) + cell.encode("utf-16-le"))
                else:
                    data += record(0x0203, head + struct.pack("<d", cell))
        return data + record(0x000A)

    parts = {name: part(rows) for name, rows in sheets.items()}
    names = [struct.pack("<BBB", 0, 0, len(name)) + b"\x01" + name.encode("utf-16-le") for name in sheets]
    globals_ = start(0x0005)
    at = len(globals_) + sum(8 + len(name) for name in names) + 4
    for name, data in zip(names, parts.values(), strict=True):
        globals_ += record(0x0085, struct.pack("<I", at) + name[:1] + b"\0" + name[2:])
        at += len(data)
    stream = globals_ + record(0x000A) + b"".join(parts.values())
    file.write_bytes(_compound(stream, mini))


def _compound(stream: bytes, mini: bool) -> bytes:
    """One stream, 'Workbook', in a compound file: tables in sector 0, the directory in 1, small sectors' in 2."""
    end, free, tables = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
    size = len(stream)
    if not mini and size < 4096:
        stream, size = stream.ljust(4096, b"\0"), 4096
    sectors = -(-len(stream) // 512)
    chains = [tables, end, end, *range(4, 3 + sectors), end]
    small = -(-size // 64) if mini else 0
    small_chains = [*range(1, small), end] if mini else []
    assert len(chains) <= 128
    assert len(small_chains) <= 128

    def entry(name: str, kind: int, start: int, length: int, child: int) -> bytes:
        wide = (name + "\0").encode("utf-16-le")
        return (
            wide.ljust(64, b"\0")
            + struct.pack("<HBBIII", len(wide), kind, 1, free, free, child)
            + bytes(36)
            + struct.pack("<IQ", start, length)
        )

    header = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, 2 if mini else end, int(mini), end, 0)
    header += struct.pack("<109I", 0, *[free] * 108)
    root = entry("Root Entry", 5, 3 if mini else end, len(stream) if mini else 0, 1)
    book = entry("Workbook", 2, 0 if mini else 3, size, free)

    def padded(numbers: list[int]) -> bytes:
        return struct.pack("<128I", *numbers, *[free] * (128 - len(numbers)))

    return (
        header
        + padded(chains)
        + (root + book).ljust(512, b"\0")
        + padded(small_chains)
        + stream.ljust(sectors * 512, b"\0")
    )
