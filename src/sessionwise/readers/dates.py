"""Text columns as dates or truth values, if no cell is changed by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import Datum, ReadError, Wording, read_option, some
from ..findings import Finding
from ..panel.kept import kept
from ..words import agree, counted
from .cells import MARKERS, numbers
from .notes import Log, Place, date_note, short

if TYPE_CHECKING:
    import polars as pl

_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_DATETIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?$"
_ZONED = (
    r"^([0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)\s?(Z|[+-][0-9]{2}(?::?[0-9]{2})?)$"
)
_CLOCK = r"^(-?)([0-9]{1,6}):([0-5][0-9]):([0-5][0-9](?:\.[0-9]+)?)$"
_TRUTH = {"true", "false"}
_OTHER_DATE = r"^[0-9]{1,4}[./-][0-9]{1,2}[./-][0-9]{1,4}$"


def truth(series: pl.Series, log: Log) -> pl.Series | None:
    """true/false in any case, if there is nothing else but what means missing."""
    lower = series.str.strip_chars().str.to_lowercase()
    distinct = set(lower.drop_nulls().unique().head(20)) - {"", *MARKERS}
    if not distinct or not distinct <= _TRUTH:
        return None
    if not set(lower.drop_nulls().unique()) <= _TRUTH | {"", *MARKERS}:
        return None
    _count_markers(series, log)
    return lower.replace_strict(["true", "false"], [True, False], default=None, return_dtype=_boolean())


def clock_times(series: pl.Series) -> pl.Series | None:
    """Durations written 30:05:00, if every cell is one."""
    import polars as pl

    text = series.str.strip_chars().replace("", None)
    if not text.count() or not bool(text.str.contains(_CLOCK).fill_null(True).all()):
        return None
    parts = text.str.extract_groups(_CLOCK).struct.unnest()
    sign, hours, minutes, seconds = (parts[c] for c in parts.columns)
    total = (hours.cast(pl.Int64) * 3600 + minutes.cast(pl.Int64) * 60) * 1000
    total = total + (seconds.fill_null("0").cast(pl.Float64) * 1000).round().cast(pl.Int64)
    return (total * sign.replace_strict(["", "-"], [1, -1])).cast(pl.Duration("ms")).rename(series.name)


def _count_markers(series: pl.Series, log: Log) -> None:
    for marker, count in numbers(series).markers.items():
        log.markers[marker][series.name] = count


def _boolean() -> pl.DataType:
    import polars as pl

    return pl.Boolean()


def iso_date(series: pl.Series, log: Log, place: Place) -> pl.Series | None:
    """A date column (or a date and time), if every cell is one written 2020-01-31; None otherwise."""

    name = series.name
    text = series.str.strip_chars()
    text = kept(text, (text != "") & ~text.str.to_lowercase().is_in(MARKERS))
    distinct = text.drop_nulls().unique()
    if not len(distinct):
        return None
    if bool(distinct.str.contains(_ZONED).all()):
        zones = distinct.str.extract(_ZONED, 2).unique().sort().to_list()
        what = f"Column {name!r}: times are as written, without their time {agree(len(zones), 'zone', 'zones')}."
        log.findings.append(Finding("note", "time-zones", what, f"column {name}: {some(zones)}", text.count()))
        text = text.str.extract(_ZONED, 1)
        distinct = text.drop_nulls().unique()
    if bool(distinct.str.contains(_DATE).all()):
        parsed: pl.Series = text.str.to_date("%Y-%m-%d", strict=False)
    elif bool(distinct.str.contains(_DATETIME).all()):
        even = text.str.replace("T", " ", literal=True)
        even = even.str.replace(r"^(.{16})$", "$1:00")
        parsed = even.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", strict=False)
    else:
        if bool(distinct.str.contains(_OTHER_DATE).all()):
            log.findings.append(date_note(name, str(distinct.sort()[0]), len(text) - text.null_count()))
        return None
    wrong = (text.is_not_null() & parsed.is_null()).arg_true().to_list()
    if wrong:
        log.findings.append(
            Finding(
                "warning",
                "impossible-date",
                Wording(
                    f"Column {name!r} was kept as text: {len(wrong):,} of its dates "
                    f"{agree(len(wrong), 'does', 'do')} not exist, the first is ",
                    Datum(short(text[wrong[0]])),
                    ".",
                ),
                where=f"column {name}, {place(wrong)}",
                count=len(wrong),
                remedy="Correct them in the file.",
            )
        )
        return None
    _count_markers(series, log)
    return parsed.rename(name)


def declared_date(series: pl.Series, form: str, source: str, place: Place) -> pl.Series:
    """A column by the user's date format; ReadError for cells that do not fit."""
    import polars as pl

    text = series.str.strip_chars().replace("", None)
    timed = any(part in form for part in ("%H", "%I", "%T", "%R", "%M"))
    try:
        parsed = (
            text.str.to_datetime(form, time_unit="us", strict=False) if timed else text.str.to_date(form, strict=False)
        )
    except pl.exceptions.PolarsError as error:
        raise ReadError(
            f"dates= gives column {series.name!r} the format {form!r}, which is not one.",
            where=source,
            remedy="Use %d day, %m month, %Y year, %H hour, %M minute, for example '%d.%m.%Y'.",
        ) from error
    wrong = (text.is_not_null() & parsed.is_null()).arg_true().to_list()
    if wrong:
        n = len(wrong)
        raise ReadError(
            f"{counted(n, 'cell')} of column {series.name!r} {agree(n, 'is not a date', 'are not dates')} written "
            f"{form!r}, the first is {short(text[wrong[0]])}.",
            where=f"{source}, {place(wrong)}, column {series.name}",
            remedy=Wording("Correct the format in ", read_option("dates"), ", or the cells."),
        )
    return parsed.rename(series.name)
