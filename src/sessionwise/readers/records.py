"""The records below a text's header, by one of three ways: fast, exact, or slow.

A regular file (no quotes below the header, every line with as many delimiters as the header) is read once by polars
with types inferred. Any other is read as text after its records were counted exactly; if quotes stand inside fields,
by the standard library's csv module.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ..errors import ReadError, Wording, read_option
from ..findings import Finding
from ..panel.exact import each
from ..words import agree, counted, numbered
from .cells import GROUPING, numbers, shows_decimal_comma
from .columns import Wishes
from .headers import names_persons
from .layout import Layout, layout, quick
from .redcap_eav import is_eav
from .sniff import DELIMITERS, NAMES

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

_EXACT = 2**53
_HEAD = 1000


@dataclass(frozen=True, slots=True)
class Opened:
    """A text from its header on: UTF-8 bytes, how they are split, and what was done to get there."""

    data: bytes
    source: str
    delimiter: str
    first_line: int
    names: list[str]
    header_bytes: int
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """frame : columns '0', '1', ... in the file's order; lines : line of each row, None if row i is on line i + 2."""

    frame: pl.DataFrame
    lines: np.ndarray | None = None
    findings: tuple[Finding, ...] = ()


def regular_rows(text: Opened, wishes: Wishes) -> Rows | None:
    """The fast way, or None if the file is not regular."""
    import numpy as np
    import polars as pl

    counted = quick(text.data, text.delimiter, len(text.names), text.header_bytes)
    if not counted.regular or counted.lines < 2:
        return None
    as_text = set(counted.padded)
    one_value = is_eav(text.names)  # each row, of any kind
    as_text |= {i for i, name in enumerate(text.names) if one_value or name in wishes.dates or name in wishes.types}
    overrides: dict[str, object] = {str(i): pl.String for i in as_text}
    frame = _polars(text, text.data, 1, infer=True, overrides=overrides)
    if frame is None or not _safe(frame, text, wishes):
        frame = _polars(text, text.data, 1, infer=False, overrides={})
    if frame is None or frame.height != counted.lines - 1:
        return None
    frame = _identifiers_as_written(frame, text, wishes)
    shift = text.first_line - 1
    lines = None if not shift else np.arange(2 + shift, 2 + shift + frame.height, dtype=np.int64)
    return Rows(frame, lines)


def exact_rows(text: Opened) -> Rows:
    """Every record counted, every cell as text."""
    import numpy as np

    data = text.data
    found = layout(data, text.delimiter)
    lone_returns = data.count(b"\r") != data.count(b"\r\n")
    if not found.strict or lone_returns:
        return _slow_rows(text)
    if found.open_quote:
        raise _open_quote(text, found)
    lines = found.lines + text.first_line - 1
    if _only_short(text, found.fields, found.blank):
        return _slow_rows(text)
    _even(text, found.fields, found.blank, lines)
    keep = ~found.blank
    if not keep.all():
        data = b"".join(data[a : b + 1] for a, b in zip(found.starts[keep], found.ends[keep], strict=True))
    lines = (found.lines[keep] + text.first_line - 1)[1:]
    if not len(lines):
        return Rows(_text_frame([], len(text.names)))
    frame = _polars(text, data[text.header_bytes :], 0, infer=False, overrides={})
    if frame is None or frame.height != len(lines):
        return _slow_rows(text)
    plain = np.array_equal(lines, np.arange(2, 2 + len(lines)))
    return Rows(frame, None if plain else lines.astype(np.int64), _blank_note(int((~keep).sum()), text.source))


def _polars(
    text: Opened, data: bytes, skip: int, *, infer: bool, overrides: dict[str, object], **options: Any
) -> pl.DataFrame | None:
    """Polars' reading of `data`, or None if it refuses."""
    import polars as pl

    try:
        frame = pl.read_csv(
            data,
            has_header=False,
            skip_rows=skip,
            separator=text.delimiter,
            new_columns=[str(i) for i in range(len(text.names))],
            infer_schema=infer,
            infer_schema_length=_HEAD if infer else None,
            schema_overrides=overrides or None,  # type: ignore[arg-type]
            **options,
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, ValueError, OSError):
        return None
    if frame.width != len(options.get("columns", text.names)):
        return None
    return frame


def _safe(frame: pl.DataFrame, text: Opened, wishes: Wishes) -> bool:
    """Whether the inferred types lost nothing: no NaN from text, no number beyond a double, no comma, no doubt."""
    import polars as pl

    if not set(frame.dtypes) <= {pl.Int64, pl.Float64, pl.String, pl.Boolean}:
        return False
    floats = [c for c, t in frame.schema.items() if t == pl.Float64]
    if not floats:
        return True
    if wishes.decimal == ",":
        return False
    most = frame.select(
        *(c.abs().max().fill_null(0) for c in each(floats)),
        nan=pl.any_horizontal(c.is_nan().any() for c in each(floats)),
    )
    if bool(most["nan"][0]) or any(v >= _EXACT for v in most.row(0)[:-1]):
        return False
    if _points_in_doubt(floats, text, wishes):
        return False
    if text.delimiter == "," and wishes.decimal is None:
        return not any(shows_decimal_comma(frame[c].head(1000)) for c, t in frame.schema.items() if t == pl.String)
    return not any(shows_decimal_comma(frame[c]) for c, t in frame.schema.items() if t == pl.String)


def _points_in_doubt(floats: list[str], text: Opened, wishes: Wishes) -> bool:
    """Whether points in the columns of decimals could separate thousands, by the first rows (which gave the types)."""
    if text.delimiter not in GROUPING or wishes.decimal is not None:
        return False
    head = _polars(text, text.data, 1, infer=False, overrides={}, n_rows=_HEAD)
    if head is None:
        return True
    points = {numbers(head[c]).points for c in floats}
    return "grouping" in points and "decimal" not in points


def _identifiers_as_written(frame: pl.DataFrame, text: Opened, wishes: Wishes) -> pl.DataFrame:
    """`frame` with decimal identifiers as text, since 1.1 and 1.10 would be one number."""
    import polars as pl

    types = frame.schema
    columns = [
        str(i)
        for i, name in enumerate(text.names)
        if types[str(i)] == pl.Float64 and (name == wishes.person or names_persons(name))
    ]
    if not columns:
        return frame
    cells = _polars(text, text.data, 1, infer=False, overrides={}, columns=[int(c) for c in columns])
    return frame if cells is None else frame.with_columns(cells)


def _slow_rows(text: Opened) -> Rows:
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
    kept = [row for row, empty in zip(rows, blank, strict=True) if not empty][1:]
    short: tuple[Finding, ...] = ()
    if _only_short(text, fields, blank) and _whole_records(kept, len(text.names)):
        width = len(text.names)
        short = _short_note(text, numbers[(fields < width) & ~blank])
        kept = [row + [""] * (width - len(row)) for row in kept]
    else:
        _even(text, fields, blank, numbers)
    frame = _text_frame(kept, len(text.names))
    return Rows(frame, numbers[~blank][1:], (*_blank_note(int(blank.sum()), text.source), *short))


def _only_short(text: Opened, fields: np.ndarray, blank: np.ndarray) -> bool:
    """Whether lines differ from the header only by fields that they lack."""
    width = len(text.names)
    own = fields[~blank]
    return bool((own < width).any() and (own <= width).all() and (own > 1).all())


def _whole_records(rows: list[list[str]], width: int) -> bool:
    """Whether short lines are records that lack their last fields, and not pieces of one that a line break cut.

    Two lines are such pieces if together they have the fields of one, and the second does not begin as others do.
    """
    numeric = all(_is_number(row[0]) for row in rows if len(row) == width)
    for one, other in pairwise(rows):
        cut = len(one) < width and len(other) < width and len(one) + len(other) == width + 1
        if cut and not (numeric and _is_number(one[0]) and _is_number(other[0])):
            return False
    return len(rows[0]) > 1


def _is_number(cell: str) -> bool:
    return cell.strip().lstrip("+-").replace(".", "", 1).isdigit()


def _short_note(text: Opened, lines: np.ndarray) -> tuple[Finding, ...]:
    n = len(lines)
    what = f"{counted(n, 'line')} {agree(n, 'has', 'have')} fewer fields than the header; the last ones were read as "
    what += "missing."
    where = f"{text.source}, {numbered('line', lines.tolist())}"
    remedy = "If a line break or a missing delimiter is the cause, correct these lines."
    return (Finding("warning", "short-lines", what, where, n, remedy),)


def _text_frame(rows: list[list[str]], width: int) -> pl.DataFrame:
    import polars as pl

    columns = zip(*rows, strict=True) if rows else [()] * width
    return pl.DataFrame(
        [pl.Series(str(i), [c or None for c in column], dtype=pl.String) for i, column in enumerate(columns)]
    )


def _blank_note(count: int, source: str) -> tuple[Finding, ...]:
    if not count:
        return ()
    return (Finding("note", "blank-lines", f"Skipped {counted(count, 'blank line')}.", where=source, count=count),)


def _open_quote(text: Opened, found: Layout) -> ReadError:
    return ReadError(
        "A quotation mark is opened and never closed.",
        where=f"{text.source}, in the record that begins on line {int(found.lines[-1]) + text.first_line - 1}",
        remedy='Close it in the file; a " inside a quoted field is written "".',
    )


def _even(text: Opened, fields: np.ndarray, blank: np.ndarray, lines: np.ndarray) -> None:
    """Raise ReadError naming the lines that have more or fewer fields than the header."""
    import numpy as np

    width = len(text.names)
    wrong = np.flatnonzero((fields != width) & ~blank)
    if not len(wrong):
        return
    first = int(wrong[0])
    few, more = ("few", "many") if fields[first] < width else ("many", "few")
    record = text.data.split(b"\n", int(lines[first]) - text.first_line + 1)[-2 if b"\n" in text.data else -1]
    other = [s for s in DELIMITERS if s != text.delimiter and record.count(s.encode()) == width - 1 and width > 1]
    if other:
        remedy = f"Line {lines[first]} is separated by {NAMES[other[0]]}, the header by {NAMES[text.delimiter]}: "
        remedy += "use one delimiter throughout."
    else:
        title = len(wrong) == np.count_nonzero(~blank) - 1 and len(np.unique(fields[wrong])) == 1
        remedy = Wording(
            "Correct these lines. A text with the delimiter in it needs quotation marks; if a title stands above the "
            "header, give ",
            read_option("header_row", int(lines[first]) if title else None),
            "; if the delimiter is another, give ",
            read_option("delimiter"),
            ".",
        )
    sign = NAMES.get(text.delimiter, repr(text.delimiter))
    raise ReadError(
        f"{len(wrong):,} {'line has' if len(wrong) == 1 else 'lines have'} too {few} or too {more} fields: "
        f"the header has {width} (split at {sign}), line {lines[first]} has {fields[first]}.",
        where=f"{text.source}, {numbered('line', lines[wrong].tolist())}",
        remedy=remedy,
    )
