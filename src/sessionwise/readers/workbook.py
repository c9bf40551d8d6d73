"""The parts of an .xlsx workbook: its sheets, shared texts, number formats, and from which day dates count.

Every part is read up to the limit of bytes only. Source of the layout: ECMA-376, part 1 (SpreadsheetML) and part 2
(packages).
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from ..errors import ReadError
from .limits import Limit

if TYPE_CHECKING:
    import numpy as np

MAIN = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
)
PLAIN, DATE, DURATION = 0, 1, 2
"""What a number format makes of a number."""

_PIECE = 1 << 20
_DATES = frozenset((*range(14, 23), *range(27, 37), 45, 47, *range(50, 59)))
_ELAPSED = re.compile(r"\[(h+|m+|s+)\]", re.IGNORECASE)
_NO_DATE = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]|general', re.IGNORECASE)
BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    KeyError,
    OSError,
    ValueError,
    NotImplementedError,
    EOFError,
    ElementTree.ParseError,
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """name : as its tab shows it. path : of its part."""

    name: str
    path: str


@dataclass(frozen=True, slots=True, eq=False)
class Workbook:
    """An opened .xlsx file.

    archive, parts : the ZIP file, and its members by path in lower case.
    sheets : in the order of their tabs; chart sheets are not among them.
    from_1904 : whether dates count from 1904-01-01.
    strings, styles : paths of the shared texts and of the styles; '' if there are none.
    """

    archive: zipfile.ZipFile
    parts: dict[str, zipfile.ZipInfo]
    source: str
    limit: Limit
    sheets: tuple[Sheet, ...]
    from_1904: bool
    strings: str
    styles: str

    def pieces(self, path: str) -> Iterator[bytes]:
        """The bytes of a part, piece by piece; ReadError if they are damaged or more than the limit."""
        return part_pieces(self.archive, self.parts, path.lower(), self.source, self.limit)

    def read(self, path: str) -> bytes:
        return b"".join(self.pieces(path))

    def format_kinds(self) -> np.ndarray:
        """uint8 (n_styles,): PLAIN, DATE or DURATION for each cell style."""
        import numpy as np

        if not self.styles:
            return np.zeros(1, np.uint8)
        root = parse(self.read(self.styles), self.source)
        codes: dict[str, str] = {}
        kinds: list[int] = []
        for child in root:
            if local(child.tag) == "numFmts":
                codes = {f.get("numFmtId", ""): f.get("formatCode", "") for f in child}
            elif local(child.tag) == "cellXfs":
                kinds = [_kind(xf.get("numFmtId", "0"), codes) for xf in child]
        return np.array(kinds or [PLAIN], np.uint8)


def open_workbook(data: bytes, source: str, limit: Limit) -> Workbook | None:
    """The workbook `data`, or None if it is one of another format (.xlsb); ReadError if it is damaged."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except BROKEN as error:
        raise damaged(source) from error
    parts = {i.filename.replace("\\", "/").lstrip("/").lower(): i for i in archive.infolist()}

    def read(path: str) -> bytes:
        return b"".join(part_pieces(archive, parts, path.lower(), source, limit))

    book = "xl/workbook.xml"
    if "_rels/.rels" in parts:
        found = related(read("_rels/.rels"), "", source).values()
        book = next((target for kind, target in found if kind == "officeDocument"), book)
    if not book.endswith(".xml"):
        return None
    root = parse(read(book), source)
    folder, name = posixpath.split(book)
    rels = f"{folder}/_rels/{name}.rels".lstrip("/")
    relations = related(read(rels), folder, source) if rels in parts else {}
    by_kind = dict(relations.values())
    sheets = []
    for sheet in root.iter():
        if local(sheet.tag) != "sheet" or not main(sheet.tag):
            continue
        key = next((v for k, v in sheet.attrib.items() if k.endswith("}id")), "")
        kind, target = relations.get(key, ("", ""))
        if kind == "worksheet":
            sheets.append(Sheet(sheet.get("name", ""), target))
    if not sheets:
        raise ReadError("The workbook has no sheet of cells.", where=source, remedy="Export it again.")
    settings = next((e for e in root if local(e.tag) == "workbookPr" and main(e.tag)), None)
    from_1904 = settings is not None and settings.get("date1904", "0").lower() in ("1", "true", "on")
    strings, styles = by_kind.get("sharedStrings", ""), by_kind.get("styles", "")
    return Workbook(
        archive,
        parts,
        source,
        limit,
        tuple(sheets),
        from_1904,
        strings if strings in parts else "",
        styles if styles in parts else "",
    )


def damaged(source: str) -> ReadError:
    return ReadError("The workbook is damaged or cut off.", where=source, remedy="Fetch or save it again.")


def local(tag: str) -> str:
    """The name of an XML element without its namespace."""
    return tag.rpartition("}")[2]


def main(tag: str) -> bool:
    """Whether an XML element is of a workbook's main namespace (extensions repeat names in theirs)."""
    return tag.rpartition("}")[0][1:] in MAIN


def parse(data: bytes, source: str) -> ElementTree.Element:
    """A small part as a tree; ReadError if it is no XML, or defines entities, which no workbook does."""
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise damaged(source)
    try:
        return ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise damaged(source) from error


def part_pieces(
    archive: zipfile.ZipFile, parts: dict[str, zipfile.ZipInfo], path: str, source: str, limit: Limit
) -> Iterator[bytes]:
    """The bytes of the part `path`, piece by piece; ReadError if they are damaged or more than the limit."""
    size = 0
    try:
        with archive.open(parts[path]) as stream:
            while piece := stream.read(_PIECE):
                size += len(piece)
                limit.check_bytes(size, source)
                yield piece
    except BROKEN as error:
        raise damaged(source) from error
    except RuntimeError as error:  # zipfile's word for an encrypted member
        raise ReadError("The workbook is encrypted.", where=source, remedy="Save it without a password.") from error


def related(data: bytes, folder: str, source: str) -> dict[str, tuple[str, str]]:
    """Relationship's id -> its kind, and the path of the part that it points to in lower case."""
    found = {}
    for each in parse(data, source):
        target = each.get("Target", "").replace("\\", "/")
        path = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
        found[each.get("Id", "")] = (each.get("Type", "").rpartition("/")[2], path.lower())
    return found


def _kind(number: str, codes: dict[str, str]) -> int:
    """What the number format of this id makes of a number."""
    if number in codes:
        code = codes[number]
        if _ELAPSED.search(re.sub(r'"[^"]*"', "", code)):
            return DURATION
        return DATE if re.search(r"[dmyhs]", _NO_DATE.sub("", code), re.IGNORECASE) else PLAIN
    if not number.isdigit():
        return PLAIN
    return DURATION if int(number) == 46 else DATE if int(number) in _DATES else PLAIN
