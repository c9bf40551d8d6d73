"""Cells of an .xlsx sheet that hold no value to be read: errors, and formulas never calculated.

The reader of values gives both as empty; here the sheet's XML says which they are and where.
"""

from __future__ import annotations

import html
import io
import posixpath
import re
import zipfile
import zlib
from dataclasses import dataclass

from ..errors import ReadError, some
from ..findings import Finding
from ..words import agree, counted

_CELL = re.compile(rb'<c r="([A-Z]{1,3}\d{1,7})"([^>]*)(?<!/)>(.*?)</c>', re.DOTALL)
_VALUE = re.compile(rb"<v[^>]*>([^<]+)</v>")
_SHEET = re.compile(r"<(?:\w+:)?sheet\b[^>]*>")
_RELATION = re.compile(r"<(?:\w+:)?Relationship\b[^>]*>")
_MOST_BYTES = 1 << 31


@dataclass(frozen=True, slots=True)
class Oddities:
    """errors : A1 address -> '#DIV/0!' and the like; formulas : addresses of formulas without a stored value."""

    errors: dict[str, str]
    formulas: list[str]

    def findings(self, source: str) -> list[Finding]:
        """As warnings."""
        found = []
        if n := len(self.errors):
            cells = [f"{address} ({text})" for address, text in self.errors.items()]
            what = f"{counted(n, 'cell')} {agree(n, 'holds', 'hold')} an error and {agree(n, 'was', 'were')} "
            what += "read as missing."
            where = f"{source}, {some(cells)}"
            found.append(Finding("warning", "error-cells", what, where, n, "Correct the formulas in the workbook."))
        if n := len(self.formulas):
            what = f"{counted(n, 'formula')} {agree(n, 'has', 'have')} no stored result and {agree(n, 'was', 'were')} "
            what += "read as missing."
            remedy = "Open the workbook in Excel or LibreOffice and save it, so that results are stored."
            where = f"{source}, {some(self.formulas)}"
            found.append(Finding("warning", "formula-without-value", what, where, n, remedy))
        return found


def oddities(data: bytes, sheet: str, source: str) -> Oddities:
    """The error cells and uncalculated formulas of one sheet of the workbook `data`."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            path = _path_of(archive, sheet)
            if path is None or archive.getinfo(path).file_size > _MOST_BYTES:
                return Oddities({}, [])
            xml = archive.read(path)
    except (zipfile.BadZipFile, zlib.error, KeyError, OSError, ValueError, NotImplementedError, EOFError) as error:
        raise ReadError(
            "The workbook is damaged or cut off.", where=source, remedy="Fetch or save it again."
        ) from error
    except RuntimeError as error:  # zipfile's word for an encrypted member
        raise ReadError("The workbook is encrypted.", where=source, remedy="Save it without a password.") from error
    return _scan(xml)


def _scan(xml: bytes) -> Oddities:
    errors: dict[str, str] = {}
    formulas: list[str] = []
    if b't="e"' not in xml and b"<f" not in xml:
        return Oddities(errors, formulas)
    for match in _CELL.finditer(xml):
        address, attributes, body = match.groups()
        value = _VALUE.search(body)
        if b't="e"' in attributes:
            errors[address.decode()] = value[1].decode("utf-8", "replace") if value else "error"
        elif value is None and b"<f" in body and b't="str"' not in attributes:
            formulas.append(address.decode())
    return Oddities(errors, formulas)


def _path_of(archive: zipfile.ZipFile, sheet: str) -> str | None:
    """Where a sheet's XML stands in the workbook."""
    workbook = archive.read("xl/workbook.xml").decode("utf-8", "replace")
    relations = archive.read("xl/_rels/workbook.xml.rels").decode("utf-8", "replace")
    for tag in _SHEET.findall(workbook):
        name, key = _attribute(tag, "name"), _attribute(tag, r"\w+:id")
        if name is None or html.unescape(name) != sheet:
            continue
        for relation in _RELATION.findall(relations):
            if _attribute(relation, "Id") == key:
                target = _attribute(relation, "Target") or ""
                return target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")
    return None


def _attribute(tag: str, name: str) -> str | None:
    match = re.search(rf"\s{name}=\"([^\"]*)\"", tag)
    return match[1] if match else None
