"""What a file is, by its content; its name's ending is only compared with that."""

from __future__ import annotations

import io
import re
import zipfile
from mmap import mmap
from typing import NamedTuple

from ..errors import ReadError
from .r_data import is_r_data

HEAD = 4096
_JSON = re.compile(rb'\[\s*(\{|\]\s*$)|\{\s*("|\}\s*$)')
_SAS = bytes.fromhex("000000000000000000000000c2ea8160b31411cfbd92080009c7318c181f1011")

_ENDINGS = {
    "csv": "text",
    "tsv": "text",
    "txt": "text",
    "tab": "text",
    "dat": "text",
    "xlsx": "excel",
    "xlsm": "excel",
    "xlsb": "excel",
    "xls": "excel",
    "ods": "ods",
    "sav": "sav",
    "zsav": "sav",
    "por": "por",
    "dta": "dta",
    "sas7bdat": "sas7bdat",
    "xpt": "xpt",
    "parquet": "parquet",
    "pq": "parquet",
    "json": "json",
    "ndjson": "json",
    "jsonl": "json",
    "rds": "r",
    "rdata": "r",
    "rda": "r",
}
_WORDS = {
    "text": "a text file",
    "excel": "an Excel workbook",
    "ods": "an OpenDocument spreadsheet",
    "sav": "an SPSS file",
    "por": "an SPSS portable file",
    "dta": "a Stata file",
    "sas7bdat": "a SAS file",
    "xpt": "a SAS transport file",
    "parquet": "a Parquet file",
    "json": "a JSON file",
    "r": "an R data file",
}


_PROGRAMS = {"jamovi": {"metadata.json", "data.bin"}, "JASP": {"manifest.json"}}
"""Programs whose files are ZIP archives, and what lies in them."""
_PROGRAM_ENDINGS = {"jamovi": "omv", "JASP": "jasp"}


class Kind(NamedTuple):
    """kind : 'text', 'excel', 'ods', 'sav', 'por', 'dta', 'sas7bdat', 'xpt', 'parquet', 'json' or 'r'. note : '',
    or a sentence."""

    kind: str
    note: str = ""


_REFUSED: tuple[tuple[bytes, str, str], ...] = (
    (b"\x1f\x8b", "a gzip-compressed file", "Unpack it (gunzip) and read what is inside."),
    (b"BZh", "a bzip2-compressed file", "Unpack it and read what is inside."),
    (b"\xfd7zXZ\x00", "an xz-compressed file", "Unpack it and read what is inside."),
    (b"7z\xbc\xaf'\x1c", "a 7-Zip archive", "Unpack it and read what is inside."),
    (b"\x28\xb5\x2f\xfd", "a Zstandard-compressed file", "Unpack it and read what is inside."),
    (b"%PDF", "a PDF document", "Ask for the data as CSV, Excel or SPSS."),
    (b"SQLite format 3\x00", "an SQLite database", "Export the table as CSV, or read it with DuckDB or pandas."),
    (b"\x89PNG", "a PNG picture", "Ask for the data as CSV, Excel or SPSS."),
    (b"\xff\xd8\xff", "a JPEG picture", "Ask for the data as CSV, Excel or SPSS."),
    (b"{\\rtf", "a rich text document", "Save it as plain text or CSV."),
    (b"ARROW1", "an Arrow (Feather) file", "Read it with polars.read_ipc and hand over the dataframe."),
)


def recognise(data: bytes | mmap, name: str) -> Kind:
    """The kind of the file whose content is `data`; ReadError for kinds that are not read."""
    head = data[:HEAD]
    kind = _by_magic(data, head, name)
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    meant = _ENDINGS.get(ending, "")
    if kind == "text" and meant not in ("", "text"):
        raise ReadError(
            f"The name ends in .{ending}, but the content is not {_WORDS[meant]}.",
            where=name,
            remedy="If it is text (CSV), rename it to .csv; otherwise it may be damaged: fetch or export it again.",
        )
    if kind != meant and meant:
        return Kind(kind, f"The name ends in .{ending}, but the content is {_WORDS[kind]}; read as that.")
    return Kind(kind)


def is_stata(head: bytes) -> bool:
    """Whether a file begins as Stata's do."""
    old = len(head) > 3 and 102 <= head[0] <= 115 and head[1] in (1, 2) and head[2] in (0, 1) and head[3] == 0
    return head.startswith(b"<stata_dta>") or old


def _by_magic(data: bytes | mmap, head: bytes, name: str) -> str:
    if head[:4] in (b"$FL2", b"$FL3"):
        return "sav"
    if head[:4] == b"PAR1":
        return "parquet"
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return _zip(bytes(data), name)
    if head[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        return "excel"
    if is_stata(head):
        return "dta"
    if head.startswith(_SAS):
        return "sas7bdat"
    if head.startswith(b"HEADER RECORD*******LIB"):
        return "xpt"
    if b"SPSS PORT FILE" in head[:600].replace(b"\r", b"").replace(b"\n", b""):
        return "por"
    if is_r_data(head):
        return "r"
    for magic, what, remedy in _REFUSED:
        if head.startswith(magic):
            raise ReadError(f"This is {what}, not a table.", where=name, remedy=remedy)
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:200].lower()
    if start.startswith((b"<!doctype html", b"<html", b"<table", b"<?xml")):
        raise ReadError(
            "This is a web page (HTML or XML), not a table; some programs save such a page under the name .xls.",
            where=name,
            remedy="Open it in Excel or LibreOffice and save it as .xlsx or CSV.",
        )
    if _JSON.match(start):
        return "json"
    return "text"


def _zip(data: bytes, name: str) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            inside = archive.namelist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, EOFError, RuntimeError) as error:
        raise ReadError(
            "This begins like an Excel workbook or ZIP archive, but is damaged or cut off.",
            where=name,
            remedy="Fetch or save it again.",
        ) from error
    if any(n.replace("\\", "/").lower().startswith("xl/workbook") for n in inside):
        return "excel"
    if "content.xml" in inside:
        return "ods"
    for program, signs in _PROGRAMS.items():
        if signs <= set(inside) or name.lower().endswith(f".{_PROGRAM_ENDINGS[program]}"):
            raise ReadError(
                f"This is a file of {program}, which is not read.",
                where=name,
                remedy=f"In {program}, export the data as CSV or as an SPSS file (.sav).",
            )
    raise ReadError("This is a ZIP archive, not a table.", where=name, remedy="Unpack it and read what is inside.")
