"""Records of a delimited text: where each starts, on which line, with how many fields. Exact, on raw bytes.

`quick` counts bytes only, and answers for files without quotes below the header; `layout` follows quotes.
Both work in pieces small enough to stay in the processor's cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

_PIECE = 1 << 18


@dataclass(frozen=True, slots=True)
class Quick:
    """Counts over a whole text.

    regular : no quotes below the header, every line ended alike, and the delimiters are (columns − 1) × lines. With a
        reader that refuses lines that are too long, no line can then be too short.
    lines : how many lines, header included.
    padded : columns (from 0) with a cell that begins with a zero and a further digit, or holds a plus sign or an 'e'
        between digits: numbers that would not give back the cell.
    """

    regular: bool
    lines: int
    padded: frozenset[int]


def quick(data: bytes, delimiter: str, columns: int, header_bytes: int) -> Quick:
    """Count delimiters, quotes and line ends of `data`; `header_bytes` is how long its header line is."""
    import numpy as np

    whole = np.frombuffer(data, np.uint8)
    sign = ord(delimiter)
    newlines = delimiters = quotes = returns = 0
    hits: set[int] = set()
    for start in range(0, len(whole), _PIECE):
        piece = whole[start : start + _PIECE]
        at_nl, at_sign = piece == 10, piece == sign
        seen = newlines + delimiters
        newlines += int(np.count_nonzero(at_nl))
        delimiters += int(np.count_nonzero(at_sign))
        quotes += int(np.count_nonzero(piece == 34))
        returns += int(np.count_nonzero(piece == 13))
        at = _padded(data, whole, start, len(piece))
        if len(at):
            ends = np.flatnonzero(at_nl | at_sign)
            hits.update(np.unique((np.searchsorted(ends, at) + seen) % columns).tolist())
    lines = newlines + (0 if data.endswith(b"\n") else 1)
    quotes -= data.count(b'"', 0, header_bytes)
    ends_alike = returns == 0 or (returns == newlines == data.count(b"\r\n"))
    regular = quotes == 0 and ends_alike and columns > 1 and delimiters == (columns - 1) * lines
    return Quick(regular, lines, frozenset(hits))


def _padded(data: bytes, whole: np.ndarray, start: int, length: int) -> np.ndarray:
    """Places in one piece, from its start: plus signs, zeros before a digit and after none, 'e' between digits."""
    import numpy as np

    low = max(start, 1)
    here = whole[low : start + length]
    before, after = whole[low - 1 : low - 1 + len(here)], whole[low + 1 : low + 1 + len(here)]
    hit = here == 48
    hit[: len(after)] &= (after - np.uint8(48)) < 10
    hit[len(after) :] = False
    hit &= (before - np.uint8(46)) > 11
    end = start + length
    if data.find(b"+", low, end) >= 0:
        hit |= here == 43
    if data.find(b"e", low, end) >= 0 or data.find(b"E", low, end) >= 0:
        letter = np.flatnonzero((here | np.uint8(32)) == 101)
        letter = letter[letter < len(after)]
        hit[letter] |= (before[letter] - np.uint8(48) < 10) & (after[letter] - np.uint8(48) < 10)
    return np.flatnonzero(hit) + (low - start)


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Records of a text, blank ones included; all arrays have one entry a record.

    starts, ends : byte offsets; an end is that of its line end, or of the text.
    lines : line of the text (from 1) on which the record starts.
    fields : how many fields.
    blank : whether there is nothing but spaces in it.
    strict : quotes stand around whole fields only; if not, fields cannot be counted by quotes.
    open_quote : whether the text ends inside quotes.
    """

    starts: np.ndarray
    ends: np.ndarray
    lines: np.ndarray
    fields: np.ndarray
    blank: np.ndarray
    strict: bool
    open_quote: bool


def layout(data: bytes, delimiter: str) -> Layout:
    """The records of `data`, following quotes."""
    import numpy as np

    whole = np.frombuffer(data, np.uint8)
    sign = ord(delimiter)
    inside, delimiters, physical, strict = 0, 0, 0, True
    ends_, counts_, lines_ = [], [], []
    for start in range(0, len(whole), _PIECE):
        piece = whole[start : start + _PIECE]
        quote = piece == 34
        parity = (np.cumsum(quote, dtype=np.uint8) & 1) ^ inside
        outside = parity == 0
        strict = strict and _strict(whole, start, np.flatnonzero(quote), parity, sign)
        newline = piece == 10
        real = np.flatnonzero(newline & outside)
        sign_count = np.cumsum((piece == sign) & outside, dtype=np.int64)
        line_count = np.cumsum(newline, dtype=np.int64)
        ends_.append(real + start)
        counts_.append(sign_count[real] + delimiters)
        lines_.append(line_count[real] + physical)
        delimiters += int(sign_count[-1])
        physical += int(line_count[-1])
        inside = int(parity[-1])
    ends, counts, after = (np.concatenate(x).astype(np.int64) for x in (ends_, counts_, lines_))
    if not len(ends) or ends[-1] != len(whole) - 1:
        ends, counts = np.append(ends, len(whole)), np.append(counts, delimiters)
        after = np.append(after, physical + 1)
    starts = np.concatenate(([0], ends[:-1] + 1))
    lines = np.concatenate(([1], after[:-1] + 1))
    fields = np.diff(counts, prepend=0) + 1
    blank = np.zeros(len(ends), bool)
    for i in np.flatnonzero((fields == 1) & (ends - starts < 1000)):
        blank[i] = not data[starts[i] : ends[i]].strip()
    return Layout(starts, ends, lines, fields, blank, strict, bool(inside))


def _strict(whole: np.ndarray, start: int, at: np.ndarray, parity: np.ndarray, sign: int) -> bool:
    """Whether opening quotes follow a delimiter, line end or quote, and closing ones come before such."""
    import numpy as np

    if not len(at):
        return True
    opening = parity[at] == 1
    first, last = at[opening] + start, at[~opening] + start
    edges = np.array([sign, 10, 13, 34], np.uint8)
    before = whole[first[first > 0] - 1]
    after = whole[last[last < len(whole) - 1] + 1]
    return bool(np.isin(before, edges).all() and np.isin(after, edges).all())
