"""Text columns as dates or truth values, if no cell is changed by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ReadError, Wording, read_option
from ..findings import Finding
from ..words import agree, counted
from .cells import MARKERS, numbers
from .notes import Log, Place, date_note, short

if TYPE_CHECKING:
    import polars as pl

_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_DATETIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?$"
_OTHER_DATE = r"^[0-9]{1,4}[./-][0-9]{1,2}[./-][0-9]{1,4}$"


def truth(series: pl.Series) -> pl.Series | None:
    """true/false in any case, if there is nothing else."""
    values = {str(v).strip().lower() for v in series.drop_nulls().unique().head(20)} - {""}
    if not values or not values <= {"true", "false"}:
        return None
    lower = series.str.strip_chars().str.to_lowercase()
    distinct = set(lower.drop_nulls().unique()) - {""}
    if not distinct <= {"true", "false"}:
        return None
    return (lower.replace("", None) == "true").rename(series.name)


def iso_date(series: pl.Series, log: Log, place: Place) -> pl.Series | None:
    """A date column (or a date and time), if every cell is one written 2020-01-31; None otherwise."""
    import polars as pl

    name = series.name
    text = series.str.strip_chars()
    text = pl.select(pl.when((text != "") & ~text.str.to_lowercase().is_in(MARKERS)).then(text)).to_series()
    distinct = text.drop_nulls().unique()
    if not len(distinct):
        return None
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
                f"Column {name!r} was kept as text: {len(wrong):,} of its dates {agree(len(wrong), 'does', 'do')} not "
                f"exist, the first is {short(text[wrong[0]])}.",
                where=f"column {name}, {place(wrong)}",
                count=len(wrong),
                remedy="Correct them in the file.",
            )
        )
        return None
    read = numbers(series)
    for marker, count in read.markers.items():
        log.markers[marker][name] = count
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
