"""Text columns to typed ones: numbers, dates and truth values, each only if no cell is changed by it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from ..errors import ReadError, nearest, some
from ..findings import Finding
from ._cells import MARKERS, Decimal, Numbers, numbers, point_could_group
from ._place import many

if TYPE_CHECKING:
    import polars as pl

Kind = Literal["text", "number"]

_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_DATETIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?$"
_OTHER_DATE = r"^[0-9]{1,4}[./-][0-9]{1,2}[./-][0-9]{1,4}$"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user declared about columns.

    decimal : the decimal sign, or None to find it out.
    types : column -> 'text' or 'number', for columns that must become so.
    dates : column -> strftime format.
    """

    decimal: Decimal | None = None
    types: Mapping[str, Kind] = field(default_factory=dict)
    dates: Mapping[str, str] = field(default_factory=dict)

    def check(self, columns: Sequence[str], source: str) -> None:
        """Raise ReadError if a declared column does not exist, or two declarations contradict each other."""
        for option, names in (("types", self.types), ("dates", self.dates)):
            for name in names:
                if name not in columns:
                    raise ReadError(
                        f"{option}= names column {name!r}, which the file does not have.{nearest(name, columns)}",
                        where=source,
                        remedy=f"Its columns are {some(columns, 12)}.",
                    )
        both = sorted(set(self.types) & set(self.dates))
        if both:
            raise ReadError(
                f"Column {both[0]!r} is declared in types= and in dates=.",
                where=source,
                remedy="Declare it in one of them.",
            )


@dataclass(slots=True)
class _Log:
    """Counts gathered over columns, turned into one finding a kind at the end."""

    markers: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    comma: list[str] = field(default_factory=list)
    padded: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def type_columns(
    frame: pl.DataFrame, wishes: Wishes, source: str, place: Callable[[Sequence[int]], str]
) -> tuple[pl.DataFrame, list[Finding]]:
    """`frame` with its text columns typed, and what was done.

    A column becomes numbers if every cell is one or is missing, dates or truth values likewise; otherwise it stays as
    it is, blank cells becoming missing. `place` words a list of row indices ("line 5").
    """
    import polars as pl

    wishes.check(frame.columns, source)
    log = _Log()
    text = [c for c in frame.columns if frame.schema[c] == pl.String]
    reads = {c: numbers(frame[c], wishes.decimal) for c in text if c not in wishes.dates}
    found_comma = wishes.decimal is None and any(
        r.decimal_comma and not len(r.bad) and wishes.types.get(c) != "text" for c, r in reads.items()
    )
    typed = []
    for c in text:
        read = reads.pop(c, None)  # popped, so that a million rows are not held twice
        if found_comma and read is not None and wishes.types.get(c) != "text":
            read = _in_a_comma_file(frame[c], read, log)
        typed.append(_typed(frame[c], read, wishes, log, source, place))
    return frame.with_columns(typed), [*_findings(log), *log.findings]


def _in_a_comma_file(series: pl.Series, alone: Numbers, log: _Log) -> Numbers:
    """The column's numbers, other columns of the file having decimal commas; points in it are a doubt."""
    if not alone.doubt and not alone.values.dtype.is_float():
        return alone
    read = numbers(series, ",")
    if not len(read.bad) or len(alone.bad) or alone.doubt:
        return read
    if not point_could_group(series):
        log.findings.append(_mixed_file(series.name, int(alone.values.count())))
        return alone
    return replace(read, doubt="thousands")


def _typed(
    series: pl.Series,
    read: Numbers | None,
    wishes: Wishes,
    log: _Log,
    source: str,
    place: Callable[[Sequence[int]], str],
) -> pl.Series:
    """One text column, typed if nothing is lost."""
    name, wish = series.name, wishes.types.get(series.name)
    if wish == "text":
        return _blank_to_null(series)
    if read is None:
        return _declared_date(series, wishes.dates[name], source, place)
    if wish == "number":
        _must_be_numbers(series, read, source, place)
    elif not read.exact:
        return _kept_text(series, read, log, place)
    elif not read.values.count() and not read.markers:
        return _blank_to_null(series)
    _record(name, read, log)
    if not read.values.count():
        return _all_missing(series)
    return read.values


def _record(name: str, read: Numbers, log: _Log) -> None:
    for marker, count in read.markers.items():
        log.markers[marker][name] = count
    if read.decimal_comma:
        log.comma.append(name)


def _all_missing(series: pl.Series) -> pl.Series:
    import polars as pl

    return pl.Series(series.name, [None] * len(series), dtype=pl.String)


def _blank_to_null(series: pl.Series) -> pl.Series:
    return series.replace("", None)


def _kept_text(series: pl.Series, read: Numbers, log: _Log, place: Callable[[Sequence[int]], str]) -> pl.Series:
    """A column with cells that are not numbers: truth values, dates, or text; say why it stayed text if that is odd."""
    name = series.name
    n_numbers = int(read.values.count())
    if n_numbers == 0 and not read.doubt:
        other = _truth(series) if len(series) else None
        if other is None:
            other = _iso_date(series, log, place)
        return other if other is not None else _plain_text(series, read, log)
    if read.doubt:
        log.findings.append(_doubt(name, read, n_numbers, place))
    elif not len(read.bad) and read.padded:
        log.padded[name] = read.padded
    elif n_numbers >= len(read.bad):
        example = series[int(read.bad[0])]
        log.findings.append(
            Finding(
                "warning",
                "text-in-numbers",
                f"Column {name!r} was kept as text: {len(read.bad):,} of {n_numbers + len(read.bad):,} cells are not "
                f"numbers, the first is {_short(example)}.",
                where=f"column {name}, {place(read.bad.tolist())}",
                count=len(read.bad),
                remedy=f"Correct the cells in the file, or declare them: missing={{{name!r}: [{_short(example)}]}}.",
            )
        )
    return _plain_text(series, read, log)


def _plain_text(series: pl.Series, read: Numbers, log: _Log) -> pl.Series:
    """Text as it stands; markers in it are not taken for missing, but named."""
    if read.markers:
        signs = ", ".join(f"{m!r} ({n:,})" for m, n in read.markers.items())
        log.findings.append(
            Finding(
                "warning",
                "marker-in-text",
                f"Text column {series.name!r} holds {signs}; kept as text, not taken as missing.",
                where=f"column {series.name}",
                count=sum(read.markers.values()),
                remedy=f"If they mean missing: missing={{{series.name!r}: {list(read.markers)}}}.",
            )
        )
    return _blank_to_null(series)


def _doubt(name: str, read: Numbers, n_numbers: int, place: Callable[[Sequence[int]], str]) -> Finding:
    what = {
        "thousands": "its commas or points could mark decimals or separate thousands",
        "mixed-decimals": "it has decimal commas and decimal points",
        "too-long": "it has whole numbers too long to be held exactly",
    }[read.doubt or "too-long"]
    remedy = {
        "thousands": "Say which sign marks decimals: decimal=',' or decimal='.'; thousands need no sign.",
        "mixed-decimals": "Correct the file so that one sign is used.",
        "too-long": f"Nothing if it is an identifier; types={{{name!r}: 'text'}} says so.",
    }[read.doubt or "too-long"]
    where = f"column {name}" + (f", {place(read.bad.tolist())}" if len(read.bad) else "")
    severity: Literal["note", "warning"] = "note" if read.doubt == "too-long" else "warning"
    return Finding(severity, read.doubt, f"Column {name!r} was kept as text: {what}.", where, n_numbers, remedy)


def _mixed_file(name: str, count: int) -> Finding:
    return Finding(
        "warning",
        "mixed-decimals",
        f"Column {name!r} was read with decimal points, other columns with decimal commas.",
        where=f"column {name}",
        count=count,
        remedy="Check a few values of this column against the file.",
    )


def _must_be_numbers(series: pl.Series, read: Numbers, source: str, place: Callable[[Sequence[int]], str]) -> None:
    if len(read.bad):
        raise ReadError(
            f"Column {series.name!r} is declared a number, but {len(read.bad):,} of its cells are not, "
            f"the first is {_short(series[int(read.bad[0])])}.",
            where=f"{source}, {place(read.bad.tolist())}, column {series.name}",
            remedy="Correct the cells, declare them in missing=, or leave the column out of types=.",
        )
    if read.doubt == "too-long":
        raise ReadError(
            f"Column {series.name!r} is declared a number, but has whole numbers too long to be held exactly.",
            where=f"{source}, column {series.name}",
            remedy=f"Read it as text: types={{{series.name!r}: 'text'}}.",
        )


def _truth(series: pl.Series) -> pl.Series | None:
    """true/false in any case, if there is nothing else."""
    values = {str(v).strip().lower() for v in series.drop_nulls().unique().head(20)} - {""}
    if not values or not values <= {"true", "false"}:
        return None
    lower = series.str.strip_chars().str.to_lowercase()
    distinct = set(lower.drop_nulls().unique()) - {""}
    if not distinct <= {"true", "false"}:
        return None
    return (lower.replace("", None) == "true").rename(series.name)


def _iso_date(series: pl.Series, log: _Log, place: Callable[[Sequence[int]], str]) -> pl.Series | None:
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
            log.findings.append(_date_note(name, str(distinct.sort()[0]), len(text) - text.null_count()))
        return None
    wrong = (text.is_not_null() & parsed.is_null()).arg_true().to_list()
    if wrong:
        log.findings.append(
            Finding(
                "warning",
                "impossible-date",
                f"Column {name!r} was kept as text: {len(wrong):,} of its dates do not exist, the first is "
                f"{_short(text[wrong[0]])}.",
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


def _date_note(name: str, example: str, count: int) -> Finding:
    return Finding(
        "note",
        "date-as-text",
        f"Column {name!r} looks like dates ({example}) and was kept as text, since day and month are not told apart.",
        where=f"column {name}",
        count=count,
        remedy=f"Say how they are written, for example dates={{{name!r}: '%d.%m.%Y'}}.",
    )


def _declared_date(series: pl.Series, form: str, source: str, place: Callable[[Sequence[int]], str]) -> pl.Series:
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
        raise ReadError(
            f"{len(wrong):,} cells of column {series.name!r} are not dates written {form!r}, the first is "
            f"{_short(text[wrong[0]])}.",
            where=f"{source}, {place(wrong)}, column {series.name}",
            remedy="Correct the format in dates=, or the cells.",
        )
    return parsed.rename(series.name)


def _findings(log: _Log) -> list[Finding]:
    found = []
    for marker, columns in log.markers.items():
        found.append(
            Finding(
                "note",
                "missing-marker",
                f"{marker!r} was read as missing in {many(sum(columns.values()), 'cell')}.",
                where="columns " + some([f"{c} ({n:,})" for c, n in columns.items()], 12),
                count=sum(columns.values()),
            )
        )
    if log.comma:
        found.append(
            Finding(
                "note",
                "decimal-comma",
                f"Decimal commas were read in {many(len(log.comma), 'column')}.",
                where="columns " + some(log.comma, 12),
                count=len(log.comma),
            )
        )
    for name, count in log.padded.items():
        found.append(
            Finding(
                "note",
                "leading-zeros",
                f"Column {name!r} was kept as text: {count:,} cells have leading zeros or a plus sign.",
                where=f"column {name}",
                count=count,
                remedy=f"If they are numbers, say so: types={{{name!r}: 'number'}}.",
            )
        )
    return found


def _short(cell: object) -> str:
    text = repr(cell)
    return text if len(text) <= 40 else text[:37] + "..." + text[-1]
