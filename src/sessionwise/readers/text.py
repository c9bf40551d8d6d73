"""CSV, TSV and other delimited text -> Table: the header, the rows (`_records`), and what holds nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import ReadError, Wording, read_option, some
from ..findings import Finding, Findings
from ..panel.exact import each, exact
from ..panel.table import Table
from ..words import agree, counted
from .cells import GROUPING
from .columns import Wishes, type_columns
from .headers import check_names, row_names
from .limits import Limit
from .places import placer
from .qualtrics import below_names, left_out, previews
from .records import Opened, Rows, exact_rows, regular_rows
from .redcap_eav import is_eav, turned
from .sniff import decode, find_delimiter
from .two_name_rows import NameRow, joined_names, joined_note, must_be_one_row, must_not_need_groups, names_below

if TYPE_CHECKING:
    import polars as pl

_LONGEST = 1_000_000
"""Bytes of the line below the header that are looked at."""


def read_text(
    raw: bytes,
    source: str,
    *,
    encoding: str | None,
    delimiter: str | None,
    header_row: int | Sequence[int] | None,
    wishes: Wishes,
    limit: Limit,
) -> Table:
    """The delimited text `raw` as a Table; ReadError with line and remedy if it is not one."""
    text = _open(raw, source, encoding, delimiter, header_row)
    rows = regular_rows(text, wishes) or exact_rows(text)
    rows = _drop_blank_rows(rows, text)
    if not rows.frame.height:
        raise ReadError(
            "The file has column names but no rows.", where=source, remedy="Export it again, with the data."
        )
    rows, names = _drop_unnamed(rows, text)
    rows, labels = _without_question_texts(rows, names, text)
    frame = rows.frame.rename(dict(zip(rows.frame.columns, names, strict=True)))
    _no_second_header(frame, rows, source)
    if is_eav(names) and not wishes.as_rows:
        made = turned(frame, "line", rows.lines, source, limit)
        lines = made.first + 2 if rows.lines is None else rows.lines[made.first]
        frame, rows = made.frame, replace(rows, lines=lines, findings=(*rows.findings, made.note))
    directly = rows.lines is None or rows.lines[0] == text.first_line + 1
    header = NameRow(text.first_line, source, "line") if header_row is None and directly else None
    frame, typed = type_columns(
        frame, wishes, source, placer("line", rows.lines), comma_free=text.delimiter in GROUPING, header=header
    )
    return Table(
        frame,
        source=source,
        findings=Findings([*text.findings, *rows.findings, *typed]),
        variable_labels=labels,
        row_word="line",
        row_numbers=rows.lines,
    )


# --- the header ----------------------------------------------------------------------------------------------------


def _open(
    raw: bytes, source: str, encoding: str | None, delimiter: str | None, header_row: int | Sequence[int] | None
) -> Opened:
    """Decode, find header and delimiter, check the column names."""
    data, findings = decode(raw, encoding, source)
    if not data[:1000].strip() and not data.strip():
        raise ReadError("The file is empty.", where=source, remedy="Export it again.")
    zero = data.find(b"\0")
    if zero >= 0:
        before = data.count(b"\n", 0, zero)
        raise ReadError(
            "The file has zero bytes: it is damaged, or not a text file.",
            where=f"{source}, line {before + 1}",
            remedy="Fetch or export it again.",
        )
    if b"\r" in data and b"\n" not in data:
        data = data.replace(b"\r", b"\n")
        findings.append(Finding("note", "line-ends", "Line ends are carriage returns only.", where=source))
    first_line = 1
    two = not isinstance(header_row, int | None)
    above = b""
    if header_row is not None:
        first = header_row if isinstance(header_row, int) else header_row[0]
        whole = data
        data, first_line = _skip_lines(whole, first, source, findings)
        above = whole[: len(whole) - len(data)].rstrip(b"\r\n").rpartition(b"\n")[2]
    else:
        data, first_line, told = _skip_lead(data, source, findings)
        delimiter = delimiter or told
    if delimiter is None:
        delimiter, found = find_delimiter(data, source, first_line)
        findings += found
    if two:
        data, first_line = _one_header(data, delimiter, source, first_line, findings)
    end = _header_end(data)
    written = _header_fields(data[:end], delimiter, f"{source}, line {first_line}")
    if len(written) > 1:
        where = f"{source}, line {first_line}"
        names = [name.strip() for name in written]
        if above and not two:
            must_not_need_groups(_fields(above, delimiter), names, first_line, where, "line")
        below = _fields(data[end : end + _header_end(data[end : end + _LONGEST])], delimiter)
        if len(below) == len(names):
            must_be_one_row(names, below, first_line, where, "line")
    names = _header_names(written, source, first_line, findings)
    return Opened(data, source, delimiter, first_line, names, end, findings)


def _fields(line: bytes, delimiter: str) -> list[str]:
    """The fields of a line beside the header; none if it cannot be split, which the rows' own reader says."""
    try:
        rows = list(csv.reader(io.StringIO(line.decode("utf-8"), newline=""), delimiter=delimiter, strict=True))
    except (csv.Error, UnicodeDecodeError):
        return []
    return [cell.strip() for cell in rows[0]] if rows else []


def _one_header(data: bytes, delimiter: str, source: str, line: int, findings: list[Finding]) -> tuple[bytes, int]:
    """The text with one line of joined names in the place of two, and the number of the line that it stands for."""
    middle = _header_end(data)
    end = middle + _header_end(data[middle:]) if middle < len(data) else middle
    lower_line = line + data.count(b"\n", 0, middle)
    parts = ((data[:middle], line), (data[middle:end], lower_line))
    upper, lower = (
        [" ".join(cell.split()) for cell in _header_fields(part, delimiter, f"{source}, line {at}")]
        for part, at in parts
    )
    if len(upper) != len(lower):
        raise ReadError(
            f"Line {line} has {counted(len(upper), 'field')}, line {lower_line} has {len(lower)}: their names cannot "
            "be joined.",
            where=source,
            remedy="Give every column a name in one line of the file.",
        )
    names = joined_names(upper, lower)
    findings.append(joined_note((line, lower_line), names, source, "line"))
    header = io.StringIO(newline="")
    csv.writer(header, delimiter=delimiter, lineterminator="\n").writerow(names)
    return header.getvalue().encode() + data[end:], line + data.count(b"\n", 0, end) - 1


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
        what = f"{counted(header_row - 1, 'line')} above the header {agree(header_row - 1, 'was', 'were')} left out."
        findings.append(Finding("note", "lines-skipped", what, source))
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
        what = f"{counted(blank, 'blank line')} above the header."
        findings.append(Finding("note", "blank-lines", what, source, blank))
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


def _header_fields(header: bytes, delimiter: str, where: str) -> list[str]:
    """The header's fields as they are written."""
    try:
        rows = list(csv.reader(io.StringIO(header.decode("utf-8"), newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise ReadError(
            f"The header line cannot be split into column names ({error}).",
            where=where,
            remedy="Check its quotation marks.",
        ) from error
    return rows[0] if rows else []


def _header_names(written: list[str], source: str, line: int, findings: list[Finding]) -> list[str]:
    where = f"{source}, line {line}"
    names = [name.strip() for name in written]
    if not any(names):
        remedy = Wording("Say where the header is: ", read_option("header_row"), ".")
        raise ReadError("The header line has no column names.", where=where, remedy=remedy)
    changed = [n for n, w in zip(names, written, strict=True) if n != w]
    if changed:
        findings.append(
            Finding(
                "note",
                "name-spaces",
                f"Spaces around {counted(len(changed), 'column name')} were taken off.",
                where="columns " + some(changed, 12),
                count=len(changed),
            )
        )
    check_names([name or f" {i}" for i, name in enumerate(names)], where)
    return names


# --- rows and columns that hold nothing ----------------------------------------------------------------------------


def _drop_blank_rows(rows: Rows, text: Opened) -> Rows:
    """Without rows in which every cell is empty; counted."""
    import numpy as np
    import polars as pl

    frame = rows.frame
    if not frame.height or any(
        s.null_count() == 0 and (s.dtype != pl.String or not (s == "").any()) for s in frame.iter_columns()
    ):
        return rows
    empty = [
        (exact(c).is_null() | (exact(c).str.strip_chars() == "")) if t == pl.String else exact(c).is_null()
        for c, t in frame.schema.items()
    ]
    blank = frame.select(b=pl.all_horizontal(empty))["b"].fill_null(False).to_numpy()
    if not blank.any():
        return rows
    lines = rows.lines if rows.lines is not None else np.arange(2, 2 + frame.height, dtype=np.int64)
    count = int(blank.sum())
    what = f"{counted(count, 'row')} without any value {agree(count, 'was', 'were')} left out."
    note = Finding("note", "blank-rows", what, text.source, count)
    return replace(rows, frame=frame.filter(~pl.Series(blank)), lines=lines[~blank], findings=(*rows.findings, note))


def _drop_unnamed(rows: Rows, text: Opened) -> tuple[Rows, list[str]]:
    """Without columns that have neither a name nor a cell; ReadError for those with cells and no name."""
    import polars as pl

    empty = [
        str(i)
        for i, name in enumerate(text.names)
        if not name and not rows.frame[str(i)].cast(pl.String).fill_null("").str.strip_chars().ne("").any()
    ]
    names = [name for i, name in enumerate(text.names) if str(i) not in empty]
    where = f"{text.source}, line {text.first_line}"
    kept = [c for c in rows.frame.columns if c not in empty]
    extra = row_names(names, lambda: rows.frame[kept[0]].cast(pl.String).replace("", None), where)
    if extra:
        names = names[1:]
        rows = replace(rows, frame=rows.frame.drop(kept[0]), findings=(*rows.findings, extra))
    _no_title(names, rows, where)
    check_names(names, where)
    if not empty:
        return rows, names
    note = Finding(
        "note",
        "empty-columns",
        f"{counted(len(empty), 'column')} without a name and without a value {agree(len(empty), 'was', 'were')} "
        "left out.",
        where=text.source,
        count=len(empty),
    )
    return replace(rows, frame=rows.frame.drop(empty), findings=(*rows.findings, note)), names


def _without_question_texts(rows: Rows, names: list[str], text: Opened) -> tuple[Rows, dict[str, str]]:
    """Without what Qualtrics writes between the names and the answers, and the question texts as labels."""
    import numpy as np
    import polars as pl

    frame = rows.frame
    if any(t != pl.String for t in frame.dtypes):
        return rows, {}
    below = below_names(names, frame.head(2).rows())
    if not below.rows:
        return rows, {}
    if frame.height == below.rows:
        raise ReadError(
            "The Qualtrics export has names, texts and ImportIds but no answers.",
            where=text.source,
            remedy="Export it again, with the responses.",
        )
    lines = rows.lines if rows.lines is not None else np.arange(2, 2 + frame.height, dtype=np.int64)
    note = left_out(below, lines[: below.rows].tolist(), "line", text.source)
    kept = frame.slice(below.rows)
    named = kept.rename(dict(zip(kept.columns, names, strict=True)))
    findings = (*rows.findings, note, *previews(named, text.source))
    return replace(rows, frame=kept, lines=lines[below.rows :], findings=findings), below.labels


def _no_title(names: list[str], rows: Rows, where: str) -> None:
    """ReadError if the header has few names and the rows below have many cells: a title that was padded."""
    import polars as pl

    named = sum(map(bool, names))
    if named * 2 > len(names) or len(names) < 3 or not names[0]:
        return
    head = rows.frame.head(50).select(
        c.cast(pl.String).fill_null("").str.strip_chars() for c in each(rows.frame.columns)
    )
    below = names_below(head.rows(), named)
    if below is None:
        return  # a header that lacks names, which is said where they are checked
    line = below + 2 if rows.lines is None else int(rows.lines[below])
    raise ReadError(
        f"The first line has {counted(named, 'name')} for {len(names)} columns: it looks like a title above the "
        "header.",
        where=where,
        remedy=Wording("Say where the column names are, for example ", read_option("header_row", line), "."),
    )


def _no_second_header(frame: pl.DataFrame, rows: Rows, source: str) -> None:
    """ReadError if the header line stands again among the rows, as in files put together from several exports."""
    import polars as pl

    if any(t != pl.String for t in frame.dtypes):
        return
    same = [exact(c).str.strip_chars() == c for c in frame.columns]
    again = frame.select(b=pl.all_horizontal(same))["b"].fill_null(False).arg_true().to_list()
    if again:
        raise ReadError(
            f"The header line stands again among the rows ({counted(len(again), 'time')}): the file was put together "
            "from several exports.",
            where=f"{source}, {placer('line', rows.lines)(again)}",
            remedy="Take these lines out, or read the exports one by one.",
        )
