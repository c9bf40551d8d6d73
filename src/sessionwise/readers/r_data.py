"""R's data files (.rds, .RData) -> Table, by the package rdata, which is an optional extra.

A data frame's columns become numbers, text, truth values, categories (factors), dates, date-times and durations; labels
as haven and Hmisc keep them become variable and value labels.
"""

from __future__ import annotations

import bz2
import lzma
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import ReadError, Wording, nearest, read_option, some
from ..findings import Finding, Findings
from ..panel.table import Table
from ..words import agree, counted
from .headers import check_names
from .limits import Limit
from .spss_stata_sas import categories, whole

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

_BEGINNINGS = (b"X\n\0\0\0", b"A\n2\n", b"A\n3\n", b"RDX2\n", b"RDX3\n", b"RDA2\n", b"RDA3\n")
_PIECE = 1 << 20
_EXPORT = "In R, save the data frame as text: write.csv(x, file, row.names = FALSE), or with haven::write_sav(x, file)."
_BROKEN = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError)
_SECONDS = {"secs": 1, "mins": 60, "hours": 3600, "days": 86_400, "weeks": 604_800}


def _gunzip() -> Any:
    return zlib.decompressobj(wbits=31)


_UNPACKERS: dict[bytes, Callable[[], Any]] = {
    b"\x1f\x8b": _gunzip,
    b"BZh": bz2.BZ2Decompressor,
    b"\xfd7zXZ\x00": lzma.LZMADecompressor,
}


def is_r_data(head: bytes) -> bool:
    """Whether a file that begins so, maybe compressed, is one of R's."""
    start = head
    for magic, opened in _UNPACKERS.items():
        if head.startswith(magic):
            try:
                start = opened().decompress(head, 64)
            except _BROKEN:
                return False
    return start.startswith(_BEGINNINGS)


def read_r(
    data: bytes, source: str, *, sheet: str | int | None, value_labels: str | Sequence[str], limit: Limit
) -> Table:
    """The data frame in the file, or that of the name `sheet`; ReadError if there is none or several."""
    import numpy as np
    import polars as pl

    frames = _frames(_parsed(_unpacked(data, source, limit), source, limit), source)
    name = _choose(frames, sheet, source)
    where = f"{source}, data frame {name!r}" if name else source
    found, row_names = _columns(frames[name], where, limit)
    if not found or not len(found[0].values):
        raise ReadError("The data frame has no rows.", where=where, remedy="Save it again, with the data.")
    check_names([one.name.strip() for one in found], where, "row")
    findings: list[Finding] = []
    series = [_series(one, where, findings) for one in found]
    if row_names:
        what = f"Row names ({some(map(repr, row_names), 3)}) were left out."
        remedy = "If they identify persons, make a column of them in R: x$id <- rownames(x)."
        findings.append(Finding("note", "row-names", what, where, len(row_names), remedy))
    labels = {one.name: one.value_labels for one in found if one.value_labels}
    frame = categories(pl.DataFrame(series), labels, value_labels, where, findings)
    return Table(
        frame,
        source=source,
        findings=Findings(findings),
        variable_labels={one.name: one.label for one in found if one.label},
        value_labels=labels,
        row_word="row",
        row_numbers=np.arange(1, frame.height + 1, dtype=np.int64),
    )


# --- the file -------------------------------------------------------------------------------------------------------


def _unpacked(data: bytes, source: str, limit: Limit) -> bytes:
    opened = next((make for magic, make in _UNPACKERS.items() if data.startswith(magic)), None)
    if opened is None:
        return data
    parts, size = [], 0
    try:
        for piece in _pieces(opened(), data):
            size += len(piece)
            limit.check_bytes(size, source)
            parts.append(piece)
    except _BROKEN as error:
        raise _damaged(source) from error
    return b"".join(parts)


def _pieces(unpacker: Any, data: bytes) -> Iterator[bytes]:
    """What is unpacked, in pieces of a size that is known before."""
    left = data
    while not unpacker.eof:
        piece = unpacker.decompress(left, _PIECE)
        left = getattr(unpacker, "unconsumed_tail", b"")
        if not piece and not left:
            raise EOFError
        yield piece


def _parsed(data: bytes, source: str, limit: Limit) -> Any:
    """The file's objects, as rdata gives them."""
    try:
        from rdata import parser
    except ImportError:
        raise ReadError(
            "This is an R data file; reading it needs the package rdata, which is not installed.",
            where=source,
            remedy=f'Install it: pip install "sessionwise[r]" (or pip install rdata). Or without it: {_EXPORT}',
        ) from None

    def counted_first(make: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def made(state: Any) -> Any:
            limit.check_cells(int(state.value[0]), 1, source)  # 1:2e9 is written in a few bytes
            return make(state)

        return made

    known = dict(parser.DEFAULT_ALTREP_MAP)
    known |= {name: counted_first(known[name]) for name in (b"compact_intseq", b"compact_realseq") if name in known}
    extension = ".rda" if data.startswith((b"RDX", b"RDA")) else ".rds"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return parser.parse_data(data, altrep_constructor_dict=known, extension=extension).object
    except ReadError:
        raise
    except Exception as error:  # a damaged file can end in any of Python's errors there
        raise _damaged(source) from error


def _damaged(source: str) -> ReadError:
    return ReadError(
        "The R data file could not be read.",
        where=source,
        remedy=f"It may be damaged or cut off: fetch or save it again. {_EXPORT}",
    )


# --- its data frames ------------------------------------------------------------------------------------------------


def _frames(top: Any, source: str) -> dict[str, Any]:
    """Name -> data frame; of an .rds file the one, without a name."""
    named = {"": top} if top.info.type.name != "LIST" else dict(_pairs(top))
    frames = {name: one for name, one in named.items() if "data.frame" in _texts(_attributes(one).get("class"))}
    if not frames:
        held = f" ({some(map(repr, named), 5)})" if "" not in named else ""
        raise ReadError(
            f"The R data file holds no data frame{held}.",
            where=source,
            remedy="Save the data as one: saveRDS(as.data.frame(x), file).",
        )
    return frames


def _choose(frames: Mapping[str, Any], sheet: str | int | None, source: str) -> str:
    names = list(frames)
    if sheet is None and len(names) == 1:
        return names[0]
    listed = some(map(repr, names), 12)
    if sheet is None:
        raise ReadError(
            f"The file has {len(names)} data frames, and none was named.",
            where=source,
            remedy=Wording("Choose one, such as ", read_option("sheet", names[0]), f": {listed}."),
        )
    if isinstance(sheet, int) and 1 <= sheet <= len(names):
        return names[sheet - 1]
    if sheet not in names or not sheet:
        raise ReadError(
            f"The file has no data frame {sheet!r}.{nearest(str(sheet), names)}",
            where=source,
            remedy=Wording("Leave ", read_option("sheet"), " out.") if names == [""] else f"It has {listed}.",
        )
    return str(sheet)


@dataclass(frozen=True, slots=True, eq=False)
class _Column:
    """A column: its values as rdata gives them (a NumPy array), R's classes, and what else R says of it."""

    name: str
    values: Any
    classes: tuple[str, ...]
    levels: tuple[str, ...]
    units: str
    zone: str
    label: str
    value_labels: dict[Any, str]


def _columns(frame: Any, where: str, limit: Limit) -> tuple[list[_Column], list[str]]:
    """The columns, and the rows' names where they are more than numbers."""
    about = _attributes(frame)
    names = _texts(about.get("names"))
    if frame.info.type.name != "VEC" or len(names) != len(frame.value):
        raise _damaged(where)
    columns = []
    for name, one in zip(names, frame.value, strict=True):
        own = _attributes(one)
        classes = tuple(_texts(own.get("class")))
        if one.info.type.name not in ("LGL", "INT", "REAL", "STR") or "dim" in own:
            raise ReadError(
                f"Column {name!r} holds lists, a matrix or other objects, not values.",
                where=where,
                remedy=f"In R, take it out or make a vector of it, such as x${name} <- as.character(x${name}).",
            )
        values = _converted(one)
        limit.check_cells(len(values), len(names), where)
        columns.append(
            _Column(
                name,
                values,
                classes,
                tuple(_texts(own.get("levels"))),
                next(iter(_texts(own.get("units"))), ""),
                next(iter(_texts(own.get("tzone"))), ""),
                next(iter(_texts(own.get("label"))), ""),
                _value_labels(own.get("labels")),
            )
        )
    if len({len(one.values) for one in columns}) > 1:
        raise _damaged(where)
    rows = about.get("row.names")
    return columns, _texts(rows)


def _pairs(pairlist: Any) -> Iterator[tuple[str, Any]]:
    """Tag and value of each link of R's list of pairs."""
    while pairlist is not None and pairlist.info.type.name == "LIST":
        tag = pairlist.tag
        symbol = tag.referenced_object if tag is not None and tag.referenced_object is not None else tag
        yield (symbol.value.value.decode("utf-8", "replace") if symbol is not None else ""), pairlist.value[0]
        pairlist = pairlist.value[1]


def _attributes(one: Any) -> dict[str, Any]:
    return dict(_pairs(one.attributes)) if one.attributes is not None else {}


def _texts(one: Any) -> list[str]:
    """A vector of texts; none for anything else."""
    if one is None or one.info.type.name != "STR":
        return []
    return ["" if text is None else str(text) for text in _converted(one).tolist()]


def _converted(one: Any) -> Any:
    """A vector without its attributes as a NumPy array, masked where whole numbers or truth values are missing."""
    import numpy as np
    from rdata import conversion

    if one.info.type.name != "STR":
        return np.ma.asarray(one.value) if np.ma.isMaskedArray(one.value) else np.asarray(one.value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        texts = [conversion.convert_char(text, default_encoding="utf-8") for text in one.value]
    return np.array([t.decode("latin-1") if isinstance(t, bytes) else t for t in texts], dtype=object)


def _value_labels(one: Any) -> dict[Any, str]:
    """Code -> label of a column as haven labels it."""
    if one is None:
        return {}
    codes, texts = _converted(one).tolist(), _texts(_attributes(one).get("names"))
    whole_codes = (int(c) if isinstance(c, float) and c.is_integer() else c for c in codes)
    return {code: text for code, text in zip(whole_codes, texts, strict=False) if code is not None and code == code}


# --- values ---------------------------------------------------------------------------------------------------------


def _series(one: _Column, where: str, findings: list[Finding]) -> pl.Series:
    """A column with its type."""
    import numpy as np
    import polars as pl

    values = one.values
    if values.dtype.kind in "OU":
        return pl.Series(one.name, [None if v is None else str(v) for v in values.tolist()], dtype=pl.String)
    if "factor" in one.classes:
        texts = [one.levels[i - 1] if i is not None and 0 < i <= len(one.levels) else None for i in values.tolist()]
        return pl.Series(one.name, texts, dtype=pl.Enum(list(dict.fromkeys(one.levels))))
    if values.dtype.kind == "b":
        return pl.Series(one.name, values.tolist(), dtype=pl.Boolean)
    if values.dtype.kind == "i" and not {"Date", "POSIXct", "difftime"} & set(one.classes):
        return pl.Series(one.name, values.tolist(), dtype=pl.Int64)
    numbers = np.ma.filled(np.ma.asarray(values, np.float64), np.nan)
    numbers = np.where(np.isnan(numbers), np.nan, numbers)  # R's NA is a NaN that signals
    if "Date" in one.classes:
        return _since_1970(one.name, np.floor(numbers) * 86_400, where, findings).dt.date()
    if "POSIXct" in one.classes:
        return _clock(_since_1970(one.name, numbers, where, findings), one.zone, where, findings)
    if "difftime" in one.classes:
        seconds = numbers * _SECONDS.get(one.units, 1)
        milliseconds = pl.Series(one.name, np.round(seconds * 1000)).fill_nan(None)
        return milliseconds.cast(pl.Int64, strict=False).cast(pl.Duration("ms"))
    return whole(pl.Series(one.name, numbers).fill_nan(None))


def _since_1970(name: str, seconds: np.ndarray, where: str, findings: list[Finding]) -> pl.Series:
    """Seconds as date-times; those outside the years 1 to 9999 are missing, with a warning."""
    import numpy as np
    import polars as pl

    inside = (seconds >= -62_135_510_400) & (seconds < 253_402_214_400)
    lost = int((~inside & ~np.isnan(seconds)).sum())
    if lost:
        what = (
            f"{counted(lost, 'cell')} of column {name!r} {agree(lost, 'holds a date', 'hold dates')} outside the years "
        )
        what += "1 to 9999, read as missing."
        findings.append(
            Finding("warning", "impossible-date", what, f"{where}, column {name}", lost, "Correct the file.")
        )
    micro = np.round(np.where(inside, seconds, 0) * 1e6).astype(np.int64)
    stamps = pl.Series(name, micro).cast(pl.Datetime("us"))
    return stamps.set(pl.Series(~inside), None)


def _clock(stamps: pl.Series, zone: str, where: str, findings: list[Finding]) -> pl.Series:
    """Date-times as a clock showed them in their zone; in UTC where the file names none."""
    import polars as pl

    shown = zone or "UTC"
    try:
        stamps = stamps.dt.replace_time_zone("UTC").dt.convert_time_zone(shown).dt.replace_time_zone(None)
    except pl.exceptions.PolarsError:
        shown = "UTC"
        stamps = stamps.dt.replace_time_zone(None)
    what = f"Column {stamps.name!r}: the time zone was left off; times are as clocks show them in {shown}."
    findings.append(Finding("note", "time-zones", what, f"{where}, column {stamps.name}", stamps.count()))
    return stamps
