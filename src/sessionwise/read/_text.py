"""CSV, TSV and other delimited text -> Table.

A regular file (no quotes below the header, every line with as many delimiters as the header) is read once by polars
with types inferred. Everything else is read as text, records counted exactly, and typed column by column.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..errors import ReadError, some
from ..findings import Finding, Findings
from ..table import Table
from ._columns import Wishes, type_columns
from ._headers import check_names
from ._layout import Layout, layout, quick
from ._place import numbered, placer
from ._sniff import DELIMITERS, NAMES, decode, find_delimiter

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

_EXACT = 2**53


@dataclass(frozen=True, slots=True)
class _Text:
    """A text from its header on: UTF-8 bytes, how they are split, and what was done to get there."""

    data: bytes
    source: str
    delimiter: str
    first_line: int
    names: list[str]
    header_bytes: int
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """frame : columns '0', '1', ... in the file's order; lines : line of each row, None if row i is on line i + 2."""

    frame: pl.DataFrame
    lines: np.ndarray | None = None
    findings: tuple[Finding, ...] = ()


def read_text(
    raw: bytes, source: str, *, encoding: str | None, delimiter: str | None, header_row: int | None, wishes: Wishes
) -> Table:
    """The delimited text `raw` as a Table; ReadError with line and remedy if it is not one."""
    text = _open(raw, source, encoding, delimiter, header_row)
    rows = _regular_rows(text, wishes) or _exact_rows(text)
    rows = _drop_blank_rows(rows, text)
    if not rows.frame.height:
        raise ReadError(
            "The file has column names but no rows.", where=source, remedy="Export it again, with the data."
        )
    rows, names = _drop_unnamed(rows, text)
    frame = rows.frame.rename(dict(zip(rows.frame.columns, names, strict=True)))
    _no_second_header(frame, rows, source)
    frame, typed = type_columns(frame, wishes, source, placer("line", rows.lines))
    return Table(
        frame,
        source=source,
        findings=Findings([*text.findings, *rows.findings, *typed]),
        row_word="line",
        row_numbers=rows.lines,
    )


# --- the header ----------------------------------------------------------------------------------------------------


def _open(raw: bytes, source: str, encoding: str | None, delimiter: str | None, header_row: int | None) -> _Text:
    """Decode, find header and delimiter, check the column names."""
    data, findings = decode(raw, encoding, source)
    if not data.strip():
        raise ReadError("The file is empty.", where=source, remedy="Export it again.")
    zero = data.find(b"\0")
    if zero >= 0:
        raise ReadError(
            "The file has zero bytes: it is damaged, or not a text file.",
            where=f"{source}, line {data.count(b'\n', 0, zero) + 1}" if zero else source,
            remedy="Fetch or export it again.",
        )
    if b"\r" in data and b"\n" not in data:
        data = data.replace(b"\r", b"\n")
        findings.append(Finding("note", "line-ends", "Line ends are carriage returns only.", where=source))
    first_line = 1
    if header_row is not None:
        data, first_line = _skip_lines(data, header_row, source, findings)
    else:
        data, first_line, told = _skip_lead(data, source, findings)
        delimiter = delimiter or told
    if delimiter is None:
        delimiter, found = find_delimiter(data, source, first_line)
        findings += found
    end = _header_end(data)
    names = _header_names(data[:end], delimiter, source, first_line, findings)
    return _Text(data, source, delimiter, first_line, names, end, findings)


def _skip_lines(data: bytes, header_row: int, source: str, findings: list[Finding]) -> tuple[bytes, int]:
    lines = data.count(b"\n") + (not data.endswith(b"\n"))
    if header_row < 1 or header_row > lines:
        raise ReadError(
            f"header_row={header_row}, but the file has lines 1 to {lines}.",
            where=source,
            remedy="Give the number of the line with the column names, the first line being 1.",
        )
    start = 0
    for _ in range(header_row - 1):
        start = data.index(b"\n", start) + 1
    if start:
        findings.append(
            Finding("note", "lines-skipped", f"{header_row - 1} lines above the header were left out.", source)
        )
    return data[start:], header_row


def _skip_lead(data: bytes, source: str, findings: list[Finding]) -> tuple[bytes, int, str | None]:
    """Without blank lines on top, and without Excel's 'sep=;' line, which tells the delimiter."""
    start = line = 0
    told = None
    while start < len(data):
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        content = data[start:end].strip(b" \r\n")
        if content.lower().startswith(b"sep=") and len(content) == 5 and told is None:
            told = chr(content[4])
        elif content:
            break
        start, line = end + 1, line + 1
    if told is not None:
        findings.append(Finding("note", "delimiter", f"The first line says the delimiter is {told!r}.", where=source))
    blank = line - (told is not None)
    if blank:
        findings.append(Finding("note", "blank-lines", f"{blank} blank lines above the header.", source, blank))
    return (data[start:] if start else data), line + 1, told


def _header_end(data: bytes) -> int:
    """Where the header's record ends (its line end included), following quotes."""
    end = -1
    while True:
        end = data.find(b"\n", end + 1)
        if end < 0 or end > 10_000_000:
            return len(data) if end < 0 else data.find(b"\n") + 1
        if data.count(b'"', 0, end) % 2 == 0:
            return end + 1


def _header_names(header: bytes, delimiter: str, source: str, line: int, findings: list[Finding]) -> list[str]:
    where = f"{source}, line {line}"
    try:
        rows = list(csv.reader(io.StringIO(header.decode("utf-8"), newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise ReadError(
            f"The header line cannot be split into column names ({error}).",
            where=where,
            remedy="Check its quotation marks.",
        ) from error
    written = rows[0] if rows else []
    names = [name.strip() for name in written]
    if not any(names):
        raise ReadError(
            "The header line has no column names.", where=where, remedy="Say where the header is: header_row=."
        )
    changed = [n for n, w in zip(names, written, strict=True) if n != w]
    if changed:
        findings.append(
            Finding(
                "note",
                "name-spaces",
                f"Spaces around {len(changed)} column names were taken off.",
                where="columns " + some(changed, 12),
                count=len(changed),
            )
        )
    check_names([name or f" {i}" for i, name in enumerate(names)], where)
    return names


# --- rows ----------------------------------------------------------------------------------------------------------


def _polars(text: _Text, data: bytes, skip: int, *, infer: bool, overrides: dict[str, object]) -> pl.DataFrame | None:
    """Polars' reading of `data`, or None if it refuses."""
    import polars as pl

    try:
        frame = pl.read_csv(
            data,
            has_header=False,
            skip_rows=skip,
            separator=text.delimiter,
            infer_schema=infer,
            infer_schema_length=1000 if infer else None,
            schema_overrides=overrides or None,  # type: ignore[arg-type]
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, ValueError, OSError):
        return None
    if frame.width != len(text.names):
        return None
    frame.columns = [str(i) for i in range(frame.width)]
    return frame


def _regular_rows(text: _Text, wishes: Wishes) -> _Rows | None:
    """The fast way, or None if the file is not regular."""
    import numpy as np
    import polars as pl

    counted = quick(text.data, text.delimiter, len(text.names), text.header_bytes)
    if not counted.regular or counted.lines < 2:
        return None
    as_text = set(counted.padded)
    as_text |= {i for i, name in enumerate(text.names) if name in wishes.dates or name in wishes.types}
    overrides: dict[str, object] = {f"column_{i + 1}": pl.String for i in as_text}
    frame = _polars(text, text.data, 1, infer=True, overrides=overrides)
    if frame is None or not _safe(frame, text, wishes):
        frame = _polars(text, text.data, 1, infer=False, overrides={})
    if frame is None or frame.height != counted.lines - 1:
        return None
    shift = text.first_line - 1
    lines = None if not shift else np.arange(2 + shift, 2 + shift + frame.height, dtype=np.int64)
    return _Rows(frame, lines)


def _safe(frame: pl.DataFrame, text: _Text, wishes: Wishes) -> bool:
    """Whether the inferred types lost nothing: no NaN read from text, no whole number beyond a double, no comma."""
    import polars as pl

    from ._cells import shows_decimal_comma

    if not set(frame.dtypes) <= {pl.Int64, pl.Float64, pl.String, pl.Boolean}:
        return False
    floats = [c for c in frame.columns if frame.schema[c] == pl.Float64]
    if not floats:
        return True
    if wishes.decimal == ",":
        return False
    most = frame.select(pl.col(floats).abs().max().fill_null(0), nan=pl.any_horizontal(pl.col(floats).is_nan().any()))
    if bool(most["nan"][0]) or any(v > _EXACT for v in most.row(0)[:-1]):
        return False
    if text.delimiter == "," and wishes.decimal is None:
        return not any(shows_decimal_comma(frame[c].head(1000)) for c in frame.columns if frame.schema[c] == pl.String)
    return not any(shows_decimal_comma(frame[c]) for c in frame.columns if frame.schema[c] == pl.String)


def _exact_rows(text: _Text) -> _Rows:
    """Every record counted, every cell as text."""
    import numpy as np

    data = text.data
    found = layout(data, text.delimiter)
    lone_returns = data.count(b"\r") != data.count(b"\r\n")
    if not found.strict or lone_returns:
        return _slow_rows(text)
    if found.open_quote:
        raise _open_quote(text, found)
    _even(text, found.fields, found.blank, found.lines + text.first_line - 1)
    keep = ~found.blank
    if not keep.all():
        data = b"".join(data[a : b + 1] for a, b in zip(found.starts[keep], found.ends[keep], strict=True))
    lines = (found.lines[keep] + text.first_line - 1)[1:]
    if not len(lines):
        return _Rows(_text_frame([], len(text.names)))
    frame = _polars(text, data[text.header_bytes :], 0, infer=False, overrides={})
    if frame is None or frame.height != len(lines):
        return _slow_rows(text)
    plain = np.array_equal(lines, np.arange(2, 2 + len(lines)))
    return _Rows(frame, None if plain else lines.astype(np.int64), _blank_note(int((~keep).sum()), text.source))


def _slow_rows(text: _Text) -> _Rows:
    """By the standard library's csv module, for files whose quotes stand inside fields."""
    import numpy as np

    reader = csv.reader(io.StringIO(text.data.decode("utf-8"), newline=""), delimiter=text.delimiter, strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    before = 0
    try:
        for row in reader:
            rows.append(row)
            lines.append(before + 1)
            before = reader.line_num
    except csv.Error as error:
        raise ReadError(
            f"The record cannot be split into fields ({error}).",
            where=f"{text.source}, line {before + text.first_line}",
            remedy='Check its quotation marks: a field that begins with " must end with ", and a " inside it is "".',
        ) from error
    fields = np.array([len(row) for row in rows], np.int64)
    blank = np.array([not row or (len(row) == 1 and not row[0].strip()) for row in rows], bool)
    numbers = np.array(lines, np.int64) + text.first_line - 1
    _even(text, fields, blank, numbers)
    kept = [row for row, empty in zip(rows, blank, strict=True) if not empty][1:]
    frame = _text_frame(kept, len(text.names))
    return _Rows(frame, numbers[~blank][1:], _blank_note(int(blank.sum()), text.source))


def _text_frame(rows: list[list[str]], width: int) -> pl.DataFrame:
    import polars as pl

    columns = zip(*rows, strict=True) if rows else [()] * width
    return pl.DataFrame(
        [pl.Series(str(i), [c or None for c in column], dtype=pl.String) for i, column in enumerate(columns)]
    )


def _blank_note(count: int, source: str) -> tuple[Finding, ...]:
    if not count:
        return ()
    return (Finding("note", "blank-lines", f"{count:,} blank lines were skipped.", where=source, count=count),)


def _open_quote(text: _Text, found: Layout) -> ReadError:
    return ReadError(
        "A quotation mark is opened and never closed.",
        where=f"{text.source}, in the record that begins on line {int(found.lines[-1]) + text.first_line - 1}",
        remedy='Close it in the file; a " inside a quoted field is written "".',
    )


def _even(text: _Text, fields: np.ndarray, blank: np.ndarray, lines: np.ndarray) -> None:
    """Raise ReadError naming the lines that have more or fewer fields than the header."""
    import numpy as np

    width = len(text.names)
    wrong = np.flatnonzero((fields != width) & ~blank)
    if not len(wrong):
        return
    first = int(wrong[0])
    few = "few" if fields[first] < width else "many"
    record = text.data.split(b"\n", int(lines[first]) - text.first_line + 1)[-2 if b"\n" in text.data else -1]
    other = [s for s in DELIMITERS if s != text.delimiter and record.count(s.encode()) == width - 1 and width > 1]
    if other:
        remedy = f"Line {lines[first]} is separated by {NAMES[other[0]]}, the header by {NAMES[text.delimiter]}: "
        remedy += "use one delimiter throughout."
    else:
        remedy = (
            "Correct these lines. A text with the delimiter in it needs quotation marks; if a title stands above the "
            "header, give header_row=; if the delimiter is another, give delimiter=."
        )
    sign = NAMES.get(text.delimiter, repr(text.delimiter))
    raise ReadError(
        f"{len(wrong):,} {'line has' if len(wrong) == 1 else 'lines have'} too {few} or too {'many' if few == 'few' else 'few'} fields: the header has {width} "
        f"(split at {sign}), line {lines[first]} has {fields[first]}.",
        where=f"{text.source}, {numbered('line', lines[wrong].tolist())}",
        remedy=remedy,
    )


# --- rows and columns that hold nothing ----------------------------------------------------------------------------


def _drop_blank_rows(rows: _Rows, text: _Text) -> _Rows:
    """Without rows in which every cell is empty; counted."""
    import numpy as np
    import polars as pl

    frame = rows.frame
    if not frame.height or any(
        s.null_count() == 0 and (s.dtype != pl.String or s[0] not in ("", None)) for s in frame.iter_columns()
    ):
        return rows
    empty = [
        (pl.col(c).is_null() | (pl.col(c).str.strip_chars() == "")) if t == pl.String else pl.col(c).is_null()
        for c, t in frame.schema.items()
    ]
    blank = frame.select(b=pl.all_horizontal(empty))["b"].fill_null(False).to_numpy()
    if not blank.any():
        return rows
    lines = rows.lines if rows.lines is not None else np.arange(2, 2 + frame.height, dtype=np.int64)
    count = int(blank.sum())
    note = Finding("note", "blank-rows", f"{count:,} rows without any value were left out.", text.source, count)
    return replace(rows, frame=frame.filter(~pl.Series(blank)), lines=lines[~blank], findings=(*rows.findings, note))


def _drop_unnamed(rows: _Rows, text: _Text) -> tuple[_Rows, list[str]]:
    """Without columns that have neither a name nor a cell; ReadError for those with cells and no name."""
    import polars as pl

    empty = [
        str(i)
        for i, name in enumerate(text.names)
        if not name and not rows.frame[str(i)].cast(pl.String).fill_null("").str.strip_chars().ne("").any()
    ]
    names = [name for i, name in enumerate(text.names) if str(i) not in empty]
    check_names(names, f"{text.source}, line {text.first_line}")
    if not empty:
        return rows, names
    note = Finding(
        "note",
        "empty-columns",
        f"{len(empty)} columns without a name and without a value were left out.",
        where=text.source,
        count=len(empty),
    )
    return replace(rows, frame=rows.frame.drop(empty), findings=(*rows.findings, note)), names


def _no_second_header(frame: pl.DataFrame, rows: _Rows, source: str) -> None:
    """ReadError if the header line stands again among the rows, as in files put together from several exports."""
    import polars as pl

    if any(t != pl.String for t in frame.dtypes):
        return
    same = [pl.col(c).str.strip_chars() == c for c in frame.columns]
    again = frame.select(b=pl.all_horizontal(same))["b"].fill_null(False).arg_true().to_list()
    if again:
        raise ReadError(
            f"The header line stands again among the rows ({len(again)} times): the file was put together from "
            "several exports.",
            where=f"{source}, {placer('line', rows.lines)(again)}",
            remedy="Take these lines out, or read the exports one by one.",
        )
