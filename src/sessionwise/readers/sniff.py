"""Encoding and delimiter of a text file, found out from its bytes."""

from __future__ import annotations

import codecs
import csv
import io
import re
from typing import NamedTuple

from ..errors import Datum, ReadError, Wording, read_option, some
from ..findings import Finding

DELIMITERS = (",", ";", "\t", "|")
NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar", " ": "space"}
_MULTIBYTE = re.compile(rb"[\xc3-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}")
_SAMPLE = 1 << 16
_SAMPLE_ROWS = 60


class Decoded(NamedTuple):
    """data : the text as UTF-8 bytes without byte order mark; findings : what was done for it."""

    data: bytes
    findings: list[Finding]


def decode(raw: bytes, encoding: str | None, source: str) -> Decoded:
    """The file's bytes as UTF-8, from the declared encoding, a byte order mark, UTF-8, or else Windows-1252."""
    if encoding is not None:
        return _declared(raw, encoding, source)
    if raw.startswith(codecs.BOM_UTF8):
        raw = raw[3:]
    elif raw.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return _other(raw, "utf-32", "UTF-32", source)
    elif raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _other(raw, "utf-16", "UTF-16", source)
    if b"\0" in raw[:4096]:
        return _zeros(raw, source)
    if raw.isascii():
        return Decoded(raw, [])
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return _windows(raw, source)
    return Decoded(raw, [])


def _declared(raw: bytes, encoding: str, source: str) -> Decoded:
    try:
        info = codecs.lookup(encoding)
        if not info._is_text_encoding:
            raise LookupError(encoding)
    except LookupError as error:
        raise ReadError(
            f"encoding={encoding!r} is not the name of an encoding.",
            where=source,
            remedy="Use for example 'utf-8', 'cp1252', 'latin-1' or 'utf-16'.",
        ) from error
    text = _text(raw, encoding, source, f"declared as {encoding}")
    return Decoded(text.removeprefix("\ufeff").encode("utf-8"), [])


def _text(raw: bytes, encoding: str, source: str, how: str) -> str:
    try:
        text = raw.decode(encoding)
        text.encode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ReadError(
            f"The file is {how}, but has bytes that do not fit ({error.reason}).",
            where=f"{source}, line {line}",
            remedy=Wording("Give the right ", read_option("encoding"), ", or save the file as UTF-8."),
        ) from error
    except UnicodeError as error:
        raise ReadError(
            f"The file is {how}, but does not fit ({error}).",
            where=source,
            remedy=Wording("Give the right ", read_option("encoding"), ", or save the file as UTF-8."),
        ) from error
    return text


def _other(raw: bytes, encoding: str, title: str, source: str) -> Decoded:
    text = _text(raw, encoding, source, f"marked as {title}").removeprefix("\ufeff")
    return Decoded(text.encode("utf-8"), [Finding("note", "encoding", f"Read as {title}.", where=source)])


def _zeros(raw: bytes, source: str) -> Decoded:
    """Zero bytes: UTF-16 without a mark if they stand in every other place, otherwise no text at all."""
    head = raw[:4096]
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = max(len(head) // 2, 1)
    if odd > 0.4 * half and even < 0.1 * half:
        return _other(raw, "utf-16-le", "UTF-16 (little-endian, without a mark)", source)
    if even > 0.4 * half and odd < 0.1 * half:
        return _other(raw, "utf-16-be", "UTF-16 (big-endian, without a mark)", source)
    raise ReadError(
        "The file has zero bytes: it is not a text file.",
        where=source,
        remedy="If it comes from another program, export it from there as CSV.",
    )


def _windows(raw: bytes, source: str) -> Decoded:
    text = _text(raw, "cp1252", source, "not UTF-8; it was tried as Windows-1252")
    lines = [i for i, line in enumerate(raw.split(b"\n"), 1) if not line.isascii()]
    example = next((w for w in re.findall(r"\w*[^\x00-\x7f]\w*", text) if w), "")
    note = Finding(
        "note",
        "encoding",
        Wording("Not UTF-8; read as Windows-1252, for example ", Datum(repr(example)), "."),
        where=f"{source}, lines {some(lines)}",
        count=len(lines),
        remedy=Wording("If letters look wrong, give ", read_option("encoding"), "."),
    )
    if not _MULTIBYTE.search(raw):
        return Decoded(text.encode("utf-8"), [note])
    doubt = Finding(
        "warning",
        "mixed-encoding",
        "Some bytes are UTF-8 letters, others are not: the file may mix encodings, and letters may be wrong.",
        where=source,
        count=len(lines),
        remedy=Wording("Save the file as UTF-8, or give ", read_option("encoding"), "."),
    )
    return Decoded(text.encode("utf-8"), [note, doubt])


class Delimiter(NamedTuple):
    """sign : the delimiter; findings : a note unless it is a comma, a warning if another would do."""

    sign: str
    findings: list[Finding]


def find_delimiter(data: bytes, source: str, line: int = 1) -> Delimiter:
    """The delimiter of UTF-8 `data`, which starts with the header (line `line` of the file).

    The one that splits header and first records into the same number of fields; ReadError if none splits the header
    but the file is not a single column.
    """
    sample = _sample(data)
    counts = {sign: _field_counts(sample, sign) for sign in DELIMITERS}
    splitting = [s for s in DELIMITERS if counts[s] and counts[s][0] > 1]
    even = [s for s in splitting if len(set(counts[s])) == 1]
    if len(even) == 1 or (len(even) > 1 and len(counts[even[0]]) > 1):
        best = max(even, key=lambda s: counts[s][0])
    elif splitting:
        best = max(splitting, key=lambda s: (sum(c == counts[s][0] for c in counts[s]), counts[s][0]))
    else:
        _single_column(sample, counts, source, line)
        return Delimiter(",", [])
    findings = []
    if best != ",":
        findings.append(Finding("note", "delimiter", f"The delimiter is a {NAMES[best]}.", where=source))
    rivals = [NAMES[s] for s in even if s != best]
    if best in even and rivals:
        findings.append(
            Finding(
                "warning",
                "delimiter-doubt",
                f"Split at every {NAMES[best]}; a {rivals[0]} would split the file evenly too.",
                where=source,
                remedy=Wording("If the columns are wrong, give ", read_option("delimiter"), "."),
            )
        )
    return Delimiter(best, findings)


def _sample(data: bytes) -> str:
    text = data[:_SAMPLE].decode("utf-8", "ignore")
    if len(data) > _SAMPLE and "\n" in text:
        text = text[: text.rindex("\n") + 1]
    return text


def _field_counts(sample: str, sign: str) -> list[int]:
    counts: list[int] = []
    try:
        for row in csv.reader(io.StringIO(sample, newline=""), delimiter=sign):
            if row:
                counts.append(len(row))
            if len(counts) == _SAMPLE_ROWS:
                break
    except csv.Error:
        return counts
    return counts


def _single_column(sample: str, counts: dict[str, list[int]], source: str, line: int) -> None:
    """A header that no delimiter splits: fine for a single column only."""
    header = sample.partition("\n")[0].strip()
    for sign in DELIMITERS:
        if sum(c > 1 for c in counts[sign][1:]) > len(counts[sign][1:]) / 2:
            below = next(i for i, text in enumerate(sample.split("\n")[1:], 1) if sign in text)
            raise ReadError(
                f"The header line has one field, the lines below it have several (split at {NAMES[sign]}).",
                where=f"{source}, line {line}: {header[:60]!r}",
                remedy=Wording(
                    "If a title stands above the header, say where the header is, for example ",
                    read_option("header_row", line + below),
                    "; otherwise correct the header line.",
                ),
            )
    if len(header.split()) > 1 and '"' not in header:
        raise ReadError(
            "The header line has no comma, semicolon, tab or vertical bar, but several words.",
            where=f"{source}, line {line}: {header[:60]!r}",
            remedy=Wording(
                "If a title stands above the header, give ",
                read_option("header_row"),
                "; if columns are separated by another sign, give ",
                read_option("delimiter"),
                ".",
            ),
        )
