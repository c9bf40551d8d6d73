"""The cells of an .xlsx sheet: only those there are, so that size follows the content and not its corners.

The XML is not walked element by element: the places of all '<' are found at once, in pieces that stay in the
processor's cache, and what stands between them is cut out in bulk. That holds for XML as Excel and other programs
write it. Anything else (prefixes, other quotes, comments, cells without an address) raises `Unusual`, and is first
rewritten by `sheet_plain_xml`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

NUMBER, SHARED, TEXT, TRUTH, ERROR, UNCALCULATED = range(6)
"""What a cell holds: a number, the index of a shared text, a text, 0 or 1, an error, a formula without a result."""

_TYPES = {"": NUMBER, "n": NUMBER, "s": SHARED, "str": TEXT, "inlineStr": TEXT, "b": TRUTH, "e": ERROR, "d": TEXT}
_ATTRIBUTES = re.compile(r'((?:\s+[\w:]+="[^"<]*")*)\s*/?>\s*')
_ATTRIBUTE = re.compile(r'\s([\w:]+)="([^"<]*)"')
_IN_RICH_TEXT = frozenset(
    (
        "r",
        "rPr",
        "rPh",
        "phoneticPr",
        "b",
        "i",
        "u",
        "strike",
        "outline",
        "shadow",
        "condense",
        "extend",
        "color",
        "sz",
        "rFont",
        "family",
        "charset",
        "scheme",
        "vertAlign",
    )
)
_NAME = re.compile(rb"<([\w:.-]*)")
_RUN = re.compile(rb"<t(?:\s[^>]*)?(?<!/)>([^<]*)</t>")
_PHONETIC = re.compile(rb"<rPh[ >].*?</rPh>", re.DOTALL)
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_PAD = 64
_MOST_COLUMNS, _MOST_ROWS = 16_384, 1_048_576


class Unusual(Exception):
    """XML that is not written as Excel writes it."""


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Cells of one sheet, one entry each; empty cells are not there.

    row, column : int32, from 0.
    kind : uint8, NUMBER to UNCALCULATED. style : int32.
    value : float64, the number; for SHARED the index in the workbook's texts, for TEXT and ERROR that in `texts`.
        NaN for a number that is none.
    """

    row: np.ndarray
    column: np.ndarray
    kind: np.ndarray
    style: np.ndarray
    value: np.ndarray
    texts: pl.Series


def sheet_cells(pieces: Iterable[bytes]) -> Cells:
    """The cells of a sheet whose XML comes in `pieces`; Unusual if it cannot be cut up."""
    import numpy as np
    import polars as pl

    found, texts, held = [], [], 0
    for rows in _rows(pieces):
        part = _cut(rows)
        part.value[(part.kind == TEXT) | (part.kind == ERROR)] += held
        held += len(part.texts)
        found.append(part)
        texts.append(part.texts)
    if not found:
        nothing = np.zeros(0, np.int32)
        return Cells(nothing, nothing, nothing, nothing, np.zeros(0), pl.Series([], dtype=pl.String))
    row, column, kind, style, value = (
        np.concatenate([getattr(part, name) for part in found]) for name in ("row", "column", "kind", "style", "value")
    )
    return Cells(row, column, kind, style, value, pl.concat(texts))


def shared_texts(data: bytes) -> pl.Series:
    """The workbook's shared texts in their order; Unusual if the XML cannot be cut up."""
    import numpy as np
    import polars as pl

    start = re.search(rb"<sst(?:\s[^>]*)?>", data)
    if start is None:
        raise Unusual
    tags = _Tags(data[start.end() :])
    item = tags.named(b"si")
    run = tags.named(b"t")
    tags.only(item | run, _IN_RICH_TEXT | {"extLst"})
    owner = np.cumsum(item) - 1
    count = np.bincount(owner[run], minlength=int(item.sum())) if item.any() else np.zeros(0, np.int64)
    at = np.flatnonzero(run)
    single = count[owner[at]] == 1
    texts = np.full(len(count), "", dtype=object)
    begin, end = tags.content(at[single])
    texts[owner[at[single]]] = _unescaped(_texts(tags.bytes, begin, end)).to_numpy()
    places = np.append(tags.at[item], len(data))
    for i in np.flatnonzero(count > 1):
        texts[i] = _joined(tags.data[places[i] : places[i + 1]])
    return pl.Series(texts.tolist(), dtype=pl.String)


def _rows(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The XML between <sheetData> and its end, cut before rows."""
    held: list[bytes] = []
    size, enough, inside = 0, 0, False
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size < enough:
            continue
        rest, size = b"".join(held), 0
        if not inside:
            start = re.search(rb"<sheetData\s*(/?)>", rest)
            if start is None:
                if len(rest) > 1 << 24 or b"<worksheet" not in rest[: 1 << 12]:
                    raise Unusual
                held = [rest]
                continue
            if start[1]:
                return
            rest, inside = rest[start.end() :], True
        end = rest.find(b"</sheetData")
        if end >= 0:
            yield rest[:end]
            return
        cut = rest.rfind(b"<row")
        enough = 0
        if cut > 0:
            yield rest[:cut]
            rest = rest[cut:]
        else:
            enough = 2 * len(rest)  # a row longer than a piece: look again when there is as much again
        held, size = [rest], len(rest)
    rest = b"".join(held)
    end = rest.find(b"</sheetData") if inside else -1
    if end < 0:
        raise Unusual
    yield rest[:end]


class _Tags:
    """The tags of a piece of XML. data, bytes : the piece, padded; at : where each '<' is, with one behind the last."""

    def __init__(self, data: bytes) -> None:
        import numpy as np

        self.data = data
        self.bytes = np.frombuffer(data + b"<" + bytes(_PAD), np.uint8)
        self.at = np.flatnonzero(self.bytes == 60)[:-1]
        self.end = np.append(self.at[1:], len(data))
        self.first = self.bytes[self.at + 1]
        self.second = self.bytes[self.at + 2]
        self.third = self.bytes[self.at + 3]

    def named(self, name: bytes) -> np.ndarray:
        """Which tags open an element of this name (one or two letters); Unusual if a line ends within such a tag."""
        two = len(name) == 2
        begins = (self.first == name[0]) & (self.second == name[1]) if two else self.first == name[0]
        after = self.third if two else self.second
        if bool((begins & (after < 32)).any()):
            raise Unusual
        opens: np.ndarray = begins & ((after == 62) | (after == 32) | (after == 47))
        return opens

    def only(self, known: np.ndarray, names: frozenset[str] | set[str]) -> None:
        """Raise Unusual if there is another tag than those known, those closing, and those of these names."""
        import numpy as np

        for i in np.flatnonzero(~known & (self.first != 47)):
            at = int(self.at[i])
            match = _NAME.match(self.data, at)
            if match is None or match[1].decode("latin-1") not in names:
                raise Unusual

    def content(self, tags: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where the text behind these tags (of one letter) starts and ends; an empty one for those that close."""
        start, end = self.at[tags] + 3, self.end[tags]
        for i in (self.second[tags] != 62).nonzero()[0]:
            close = self.data.find(b">", int(start[i]))
            start[i] = end[i] if close < 0 or self.data[close - 1] == 47 else close + 1
        return start, end


def _cut(data: bytes) -> Cells:
    """The cells of some rows of XML."""
    import numpy as np

    tags = _Tags(data)
    cell, value, formula = tags.named(b"c"), tags.named(b"v"), tags.named(b"f")
    inline, run = tags.named(b"is"), tags.named(b"t")
    row = (tags.first == 114) & (tags.second == 111)
    tags.only(cell | value | formula | inline | run | row, _IN_RICH_TEXT)
    owner = np.cumsum(cell) - 1
    if bool((owner[value | formula | run] < 0).any()):
        raise Unusual
    start = tags.at[cell]
    number, column, after = _addresses(tags.bytes, start)
    style, kind, is_inline = _attributes(tags.bytes, after, tags.end[cell])
    n = len(start)
    values, at = np.full(n, np.nan), np.flatnonzero(value)
    whose = owner[at]
    if bool((np.diff(whose) == 0).any()):
        raise Unusual
    begin, end = tags.content(at)
    filled = end > begin
    begin, end, whose = begin[filled], end[filled], whose[filled]
    there = np.zeros(n, bool)
    there[whose] = True
    counted = np.isin(kind[whose], (NUMBER, SHARED))
    values[whose[counted]] = _numbers(tags.bytes, begin[counted], end[counted])
    truth = kind[whose] == TRUTH
    values[whose[truth]] = tags.bytes[begin[truth]] == 49
    worded = np.isin(kind[whose], (TEXT, ERROR)) & ~is_inline[whose]
    texts = [_unescaped(_texts(tags.bytes, begin[worded], end[worded]))]
    values[whose[worded]] = np.arange(len(texts[0]))
    _inline(tags, run, owner, is_inline, values, texts)
    there |= is_inline & np.isfinite(values)
    bare = np.zeros(n, bool)
    bare[owner[formula]] = True
    kind[bare & ~there & (kind != TEXT)] = UNCALCULATED
    keep = there | (kind == UNCALCULATED) | (kind == ERROR)
    lost = keep & (kind == ERROR) & ~there  # an error that does not say which
    if lost.any():
        import polars as pl

        values[lost] = sum(map(len, texts))
        texts.append(pl.Series(["error"]))
    return Cells(number[keep], column[keep], kind[keep], style[keep], values[keep], _together(texts))


def _together(texts: list[pl.Series]) -> pl.Series:
    import polars as pl

    return pl.concat([t.cast(pl.String) for t in texts])


def _inline(
    tags: _Tags, run: np.ndarray, owner: np.ndarray, is_inline: np.ndarray, values: np.ndarray, texts: list[pl.Series]
) -> None:
    """Texts that stand in their cells, added to `texts`, and their indices to `values`."""
    import numpy as np
    import polars as pl

    at = np.flatnonzero(run)
    at = at[is_inline[owner[at]]]
    if not len(at):
        return
    count = np.bincount(owner[at], minlength=len(is_inline))
    single = count[owner[at]] == 1
    begin, end = tags.content(at[single])
    held = len(texts[0])
    texts.append(_unescaped(_texts(tags.bytes, begin, end)))
    values[owner[at[single]]] = held + np.arange(len(begin))
    several = np.flatnonzero(count > 1)
    if len(several):
        cells = tags.at[np.flatnonzero(np.diff(owner, prepend=-1))]
        places = np.append(cells, len(tags.data))
        texts.append(pl.Series([_joined(tags.data[places[i] : places[i + 1]]) for i in several], dtype=pl.String))
        values[several] = held + len(begin) + np.arange(len(several))


def _addresses(data: np.ndarray, start: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row and column (from 0) of the cells whose tags start there, and where their attributes go on."""
    import numpy as np

    for i, sign in enumerate(b' r="', 2):
        if not (data[start + i] == sign).all():
            raise Unusual
    at = start + 6
    column = np.zeros(len(at), np.int32)
    going = np.ones(len(at), bool)
    for _ in range(3):
        letter = data[at]
        going &= (letter >= 65) & (letter <= 90)
        column = np.where(going, column * 26 + (letter.astype(np.int32) - 64), column)
        at = at + going
    row = np.zeros(len(at), np.int32)
    going[:] = True
    for _ in range(7):
        digit = data[at]
        going &= (digit >= 48) & (digit <= 57)
        row = np.where(going, row * 10 + (digit.astype(np.int32) - 48), row)
        at = at + going
        if not going.any():
            break
    if not ((data[at] == 34) & (row > 0) & (row <= _MOST_ROWS) & (column > 0) & (column <= _MOST_COLUMNS)).all():
        raise Unusual
    return row - 1, column - 1, at + 1


def _attributes(data: np.ndarray, start: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Style and kind of the cells whose further attributes stand there, and whether their texts are in them."""
    import numpy as np

    style = np.zeros(len(start), np.int32)
    kind = np.zeros(len(start), np.uint8)
    inline = np.zeros(len(start), bool)
    more = np.flatnonzero(~((end - start == 1) & (data[start] == 62)))
    if not len(more):
        return style, kind, inline
    written = _texts(data, start[more], end[more])
    distinct = written.unique()
    known: list[tuple[int, int, bool]] = []
    for text in distinct.to_list():
        match = _ATTRIBUTES.fullmatch(text or "")
        if match is None:
            raise Unusual
        given = dict(_ATTRIBUTE.findall(match[1]))
        if given.get("t", "") not in _TYPES or not given.get("s", "0").isdigit() or len(given.get("s", "")) > 6:
            raise Unusual
        known.append((int(given.get("s", "0")), _TYPES[given.get("t", "")], given.get("t") == "inlineStr"))
    which = written.replace_strict(distinct, range(len(distinct)), return_dtype=_int32()).to_numpy()
    table = np.array(known)[which]
    style[more], kind[more], inline[more] = table[:, 0], table[:, 1], table[:, 2]
    return style, kind, inline


def _int32() -> Any:
    import polars as pl

    return pl.Int32


def _joined(data: bytes) -> str:
    """The text of runs with different formats, without readings in another script."""
    text = b"".join(_RUN.findall(_PHONETIC.sub(b"", data))).decode("utf-8")
    return _plain(text)


def _plain(text: str) -> str:
    """A text without the escapes of XML and of Excel (_x000D_)."""
    if "&" in text:
        text = html.unescape(text)
    return _ESCAPED.sub(lambda m: chr(int(m[1], 16)), text) if "_x" in text else text


def _unescaped(texts: pl.Series) -> pl.Series:
    if not len(texts):
        return texts
    escaped = texts.str.contains("&", literal=True) | texts.str.contains("_x", literal=True)
    if not bool(escaped.any()):
        return texts
    distinct = texts.filter(escaped).unique()
    return texts.replace(distinct, [_plain(t) for t in distinct.to_list()])


def _spans(data: np.ndarray, start: np.ndarray, end: np.ndarray) -> bytes:
    """The bytes of these spans, each closed by a sign that no XML holds."""
    import numpy as np

    length = end - start + 1
    after = np.cumsum(length)
    index = np.arange(after[-1]) + np.repeat(start - (after - length), length)
    out: np.ndarray = data[index]
    if bool(((out == 1) | (out == 2)).any()):
        raise Unusual
    out[after - 1] = 2
    joined: bytes = out.tobytes()
    return joined


def _csv(data: bytes, kind: Any, **options: Any) -> pl.Series:
    """Spans as a column, by the fastest parser there is."""
    import polars as pl

    try:
        frame = pl.read_csv(
            data, has_header=False, separator="\1", eol_char="\2", quote_char=None, schema={"cell": kind}, **options
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise Unusual from error
    return frame["cell"]


def _texts(data: np.ndarray, start: np.ndarray, end: np.ndarray) -> pl.Series:
    """The texts of these spans."""
    import polars as pl

    if not len(start):
        return pl.Series([], dtype=pl.String)
    some = end > start
    read = _csv(_spans(data, start[some], end[some]), pl.String) if some.any() else pl.Series([], dtype=pl.String)
    if len(read) != some.sum():
        raise Unusual
    if some.all():
        return read
    whole = pl.Series([""], dtype=pl.String).new_from_index(0, len(some))
    return whole.scatter(pl.Series(some).arg_true(), read)


def _numbers(data: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """The numbers of these spans, none of them empty; NaN for what is not one."""
    import numpy as np
    import polars as pl

    if not len(start):
        return np.zeros(0)
    read = _csv(_spans(data, start, end), pl.Float64, ignore_errors=True)
    if len(read) != len(start):
        raise Unusual
    values = read.to_numpy().copy() if not read.null_count() else read.fill_null(np.nan).to_numpy().copy()
    for i in np.flatnonzero(~np.isfinite(values)):
        try:
            values[i] = float(bytes(data[start[i] : end[i]]).strip())
        except ValueError:
            values[i] = np.nan
    values[~np.isfinite(values)] = np.nan
    return values
