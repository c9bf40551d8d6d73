"""One column of a sheet's cells -> a typed Series: what its cells hold decides, and what does not go with the others
is named.

A column has the type that most of its cells have. Cells of another type become missing and are counted, unless text is
among them: text stays, and the column with it, as in any file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .cells import MARKERS
from .sheet_cells import NUMBER, SHARED, TEXT, TRUTH, Cells
from .workbook import DATE, DURATION, PLAIN

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

SORTS = ("number", "date", "duration", "truth", "text")
NUMBERS, DATES, DURATIONS, TRUTHS, TEXTS = range(5)

_EXACT = 2.0**53
_LAST_SERIAL = 2_958_466  # 10000-01-01
_LEAP_1900 = 60  # Excel's 1900-02-29, which never was
_UNIX = {False: 25_569, True: 24_107}  # serial of 1970-01-01, by whether dates count from 1904
_NO_DAY = 25_568  # days from 1899-12-31, on which times of day without a date are put, to 1970-01-01
_DAY = 86_400_000
_MOST_DAYS = 1e8


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """A column below the header.

    values : one entry a row, null where missing.
    odd : what cells were set missing for not being -> their rows; 'exist' stands for dates that are none.
    markers : text that means missing, in a column of dates, times or truth values -> how many cells.
    among : if the column stayed text: rows of the text that stands among dates or durations, else empty.
    """

    values: pl.Series
    odd: Mapping[str, np.ndarray] = field(default_factory=dict)
    markers: Mapping[str, int] = field(default_factory=dict)
    among: tuple[str, np.ndarray] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Book:
    """What cells refer to. shared : the workbook's texts. formats : uint8, by style. from_1904 : of its dates."""

    shared: pl.Series
    formats: np.ndarray
    from_1904: bool


def cell_texts(cells: Cells, book: Book, at: np.ndarray) -> pl.Series:
    """The texts of these cells (indices), '' for those that hold none, numbers as they stand."""
    import numpy as np
    import polars as pl

    texts = np.full(len(at), "", dtype=object)
    kind, value = cells.kind[at], cells.value[at]
    for which, pool in ((SHARED, book.shared), (TEXT, cells.texts)):
        here = np.flatnonzero(kind == which)
        index = value[here]
        good = np.isfinite(index) & (index >= 0) & (index < len(pool))
        texts[here[good]] = pool.gather(index[good].astype(np.int64)).to_numpy()
    other = np.flatnonzero(kind == NUMBER)
    texts[other] = written_numbers(value[other]).to_numpy()
    texts[kind == TRUTH] = np.where(value[kind == TRUTH] == 1, "TRUE", "FALSE")
    return pl.Series(texts.tolist(), dtype=pl.String)


def column(cells: Cells, book: Book, at: np.ndarray, rows: np.ndarray, n: int) -> Column:
    """The filled cells `at` (indices), which stand in the rows `rows` of `n`, as a Column."""
    import numpy as np
    import polars as pl

    kind, value = cells.kind[at], cells.value[at]
    sorts = _sorts(kind, cells.style, at, book)
    is_text = sorts == TEXTS
    markers: dict[str, int] = {}
    texts = cell_texts(cells, book, at[is_text]) if is_text.any() else pl.Series([], dtype=pl.String)
    counts = np.bincount(sorts, minlength=len(SORTS))
    present = {sort: int(counts[sort]) for sort in range(TEXTS) if counts[sort]}
    text_count = counts[TEXTS]
    if text_count:
        marker = texts.str.to_lowercase().str.strip_chars().is_in(MARKERS)
        if not bool(marker.all()) or len(present) != 1 or NUMBERS in present:
            return _as_text(sorts, value, rows, texts, is_text, present, book, n)
        for sign in texts.to_list():
            markers[sign] = markers.get(sign, 0) + 1
    odd: dict[str, np.ndarray] = {}
    if not present:
        return Column(_spread(pl.Series([], dtype=pl.String), rows[:0], n))
    most = next(iter(present))
    if len(present) > 1:
        most = max(present, key=lambda s: present[s])
        if 2 * present[most] <= sum(present.values()):
            return _as_text(sorts, value, rows, texts, is_text, present, book, n)
        odd[SORTS[most]] = np.sort(rows[sorts != most])
    if odd or text_count:
        mine = sorts == most
        value, rows = value[mine], rows[mine]
    values, good = _typed(most, value, book)
    if not good.all():
        odd["exist"] = np.sort(rows[~good])
        values, rows = values.filter(pl.Series(good)), rows[good]
    return Column(_spread(values, rows, n), odd, markers)


def _sorts(kind: np.ndarray, style: np.ndarray, at: np.ndarray, book: Book) -> np.ndarray:
    """uint8: of which sort each cell's value is."""
    import numpy as np

    table = np.full(6, TEXTS, np.uint8)
    table[NUMBER], table[TRUTH] = NUMBERS, TRUTHS
    sorts: np.ndarray = table[kind]
    if book.formats.any():
        formats = book.formats[np.minimum(style[at], len(book.formats) - 1)]
        formats[kind != NUMBER] = PLAIN
        sorts[formats == DATE] = DATES
        sorts[formats == DURATION] = DURATIONS
    return sorts


def _typed(sort: int, value: np.ndarray, book: Book) -> tuple[pl.Series, np.ndarray]:
    """Values of one sort with their type, and which of them exist."""
    import numpy as np
    import polars as pl

    good = np.isfinite(value)
    if sort == TRUTHS:
        return pl.Series(value == 1), good
    if sort == NUMBERS:
        return whole_numbers(value), good
    if sort == DURATIONS:
        good &= np.abs(value) < _MOST_DAYS
        milliseconds = np.round(np.where(good, value, 0) * _DAY).astype(np.int64)
        return pl.Series(milliseconds).cast(pl.Duration("ms")), good
    milliseconds, good = _since_1970(value, book.from_1904)
    stamps = pl.Series(milliseconds).cast(pl.Datetime("ms")).cast(pl.Datetime("us"))
    midnight = milliseconds[good] % _DAY == 0
    return (stamps.dt.date() if midnight.all() else stamps), good


def _since_1970(serial: np.ndarray, from_1904: bool) -> tuple[np.ndarray, np.ndarray]:
    """Milliseconds since 1970-01-01 of Excel's days, and which of them exist; below 1 they are times of day only."""
    import numpy as np

    good = np.isfinite(serial) & (serial >= 0) & (serial < _LAST_SERIAL - (1462 if from_1904 else 0))
    if not from_1904:
        good &= np.floor(serial) != _LEAP_1900
    serial = np.where(good, serial, 0.0)
    days = serial - _UNIX[from_1904]
    if not from_1904:
        days = days + (serial < _LEAP_1900)
    days = np.where(serial < 1, serial - _NO_DAY, days)
    return np.round(days * _DAY).astype(np.int64), good


def _as_text(
    sorts: np.ndarray,
    value: np.ndarray,
    rows: np.ndarray,
    texts: pl.Series,
    is_text: np.ndarray,
    present: Mapping[int, int],
    book: Book,
    n: int,
) -> Column:
    """All cells as text, as one would write them in a CSV file."""
    import numpy as np
    import polars as pl

    out = np.full(len(sorts), None, dtype=object)
    out[is_text] = texts.to_numpy()
    for sort in present:
        mine = np.flatnonzero(sorts == sort)
        out[mine] = _worded(sort, value[mine], book)
    among = None
    for sort in (DATES, DURATIONS):
        if 2 * present.get(sort, 0) > len(sorts):
            among = (SORTS[sort], np.sort(rows[sorts != sort]))
    return Column(_spread(pl.Series(out.tolist(), dtype=pl.String), rows, n), {}, {}, among)


def _worded(sort: int, value: np.ndarray, book: Book) -> np.ndarray:
    """Values of one sort as text, (n,) objects; None for those that do not exist."""
    import polars as pl

    if sort == TRUTHS:
        return pl.Series(value == 1).replace_strict([True, False], ["TRUE", "FALSE"], return_dtype=pl.String).to_numpy()
    if sort == NUMBERS:
        return written_numbers(value).to_numpy()
    typed, good = _typed(sort, value, book)
    if sort == DURATIONS:
        words = pl.Series([clock(int(ms)) for ms in typed.cast(pl.Int64).to_list()], dtype=pl.String)
    else:
        words = typed.cast(pl.Datetime("us")).dt.strftime("%Y-%m-%d %H:%M:%S")
    return pl.select(pl.when(pl.Series(good)).then(words)).to_series().to_numpy()


def clock(milliseconds: int) -> str:
    """A duration as '30:05:00'."""
    sign, rest = ("-" if milliseconds < 0 else ""), abs(milliseconds)
    seconds, thousandths = divmod(rest, 1000)
    tail = f".{thousandths:03}" if thousandths else ""
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}{tail}"


def whole_numbers(value: np.ndarray) -> pl.Series:
    """Int64 if every number is a whole one that a double holds exactly, otherwise Float64; NaN as 0 among integers."""
    import numpy as np
    import polars as pl

    with np.errstate(invalid="ignore"):
        integers = value.astype(np.int64)
    same = (integers == value) & (np.abs(value) <= _EXACT)
    if same.all():
        return pl.Series(integers)
    finite = np.isfinite(value)
    if finite.any() and not finite.all() and same[finite].all():
        return pl.Series(np.where(finite, integers, 0))
    return pl.Series(value)


def written_numbers(value: np.ndarray) -> pl.Series:
    """Numbers as text with all their digits, whole ones without a point; null for NaN."""
    import numpy as np
    import polars as pl

    floats = pl.Series(value, dtype=pl.Float64).fill_nan(None)
    whole = np.isfinite(value) & (np.abs(value) <= _EXACT) & (value == np.floor(value))
    integers = pl.Series(np.where(whole, value, 0).astype(np.int64)).cast(pl.String)
    return pl.select(pl.when(pl.Series(whole)).then(integers).otherwise(floats.cast(pl.String))).to_series()


def _spread(values: pl.Series, rows: np.ndarray, n: int) -> pl.Series:
    """Values at these rows of `n`, null elsewhere; of two at one row the last."""
    import numpy as np
    import polars as pl

    if len(rows) == n and bool((rows == np.arange(n)).all()):
        return values
    index = np.full(n, -1, np.int64)
    index[rows] = np.arange(len(rows))
    known = pl.Series(index)
    return values.gather(pl.select(pl.when(known >= 0).then(known)).to_series())
