"""Text columns to typed ones: numbers, dates and truth values, each only if no cell is changed by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from ..errors import Argument, Datum, ReadError, Wording, missing_codes, nearest, read_option, some
from ..findings import Finding
from ..words import agree, counted
from .cells import Decimal, Numbers, numbers
from .dates import declared_date, iso_date, truth
from .headers import names_persons
from .notes import Log, Place, doubt, kept_as_written, merged, mixed_file, points_read, short, totals
from .two_name_rows import NameRow, must_not_be_texts

if TYPE_CHECKING:
    import polars as pl

Kind = Literal["text", "number"]


_MANY_PAIRS = 6
_UNHELD = {"too-long": "whole numbers too long to be held exactly", "too-large": "numbers too large to be held"}


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user declared about columns.

    decimal : the decimal sign, or None to find it out.
    types : column -> 'text' or 'number', for columns that must become so.
    dates : column -> strftime format.
    person : the column that identifies persons, if it is known.
    as_rows : whether REDCap's exports of one row a value are left as they are.
    """

    decimal: Decimal | None = None
    types: Mapping[str, Kind] = field(default_factory=dict)
    dates: Mapping[str, str] = field(default_factory=dict)
    person: str | None = None
    as_rows: bool = False

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


def type_columns(
    frame: pl.DataFrame,
    wishes: Wishes,
    source: str,
    place: Place,
    *,
    comma_free: bool = False,
    header: NameRow | None = None,
) -> tuple[pl.DataFrame, list[Finding]]:
    """`frame` with its text columns typed, and what was done.

    A column becomes numbers if every cell is one or is missing, dates or truth values likewise; otherwise it stays as
    it is, blank cells becoming missing. `place` words a list of row indices ("line 5"). `comma_free`: the
    file's delimiter leaves the comma free to mark decimals, so that points may separate thousands, unless a column
    shows that they do not. `header`: where the names stand, if nobody told; ReadError if they go on in the first row.
    """
    import polars as pl

    wishes.check(frame.columns, source)
    log = Log()
    text = [c for c, t in frame.schema.items() if t == pl.String]
    reads = {c: numbers(frame[c], wishes.decimal) for c in text if c not in wishes.dates}
    if header is not None:
        must_not_be_texts(frame, reads, header)
    points = _shows_points(frame, reads)
    grouping = comma_free and wishes.decimal is None and points is None
    if wishes.decimal is None:
        reads = _without_choices(reads, wishes, points, comma_free)
    found_comma = wishes.decimal is None and any(
        r.decimal_comma and not len(r.bad) and r.doubt != "choices" and wishes.types.get(c) != "text"
        for c, r in reads.items()
    )
    typed = []
    for c in text:
        read = reads.pop(c, None)  # popped, so that a million rows are not held twice
        if found_comma and read is not None and wishes.types.get(c) != "text" and read.doubt != "choices":
            read = _in_a_comma_file(frame[c], read, log)
        elif grouping and read is not None and read.points == "grouping" and not (read.doubt or len(read.bad)):
            read = replace(read, doubt="thousands")
        typed.append(_typed(frame[c], read, wishes, log, source, place))
    return frame.with_columns(typed), [*totals(log), *log.findings]


def _shows_points(frame: pl.DataFrame, reads: Mapping[str, Numbers]) -> str | None:
    """A column with points that can only mark decimals (as have the columns that polars took for decimals)."""
    for name, kind in frame.schema.items():
        read = reads.get(name)
        if kind.is_float() or (read is not None and read.points == "decimal" and not len(read.bad)):
            return name
    return None


def _without_choices(
    reads: Mapping[str, Numbers], wishes: Wishes, points: str | None, comma_free: bool
) -> dict[str, Numbers]:
    """Columns whose commas may separate choices with that doubt, unless the file shows that commas mark decimals."""
    commas = {c: r for c, r in reads.items() if r.decimal_comma and not len(r.bad) and not r.doubt}
    commas = {c: r for c, r in commas.items() if wishes.types.get(c) is None and c != wishes.person}
    if any(not r.choices for r in commas.values()):
        return dict(reads)
    found = dict(reads)
    for name, read in commas.items():
        pairs = read.merged is not None or (read.choices == "likely" and (not comma_free or _several(read)))
        if points is not None or pairs:
            found[name] = replace(read, doubt="choices", beside=points or "")
    return found


def _several(read: Numbers) -> bool:
    """Whether there are pairs enough that decimals would not rise in all of them by chance."""
    return read.values.n_unique() >= _MANY_PAIRS


def _in_a_comma_file(series: pl.Series, alone: Numbers, log: Log) -> Numbers:
    """The column's numbers, other columns of the file having decimal commas; points in it are a doubt."""
    if not alone.doubt and (alone.decimal_comma or not alone.values.dtype.is_float()):
        return alone
    read = numbers(series, ",")
    if not len(read.bad) or len(alone.bad) or alone.doubt:
        return read
    if alone.points != "grouping":
        log.findings.append(mixed_file(series.name, int(alone.values.count())))
        return alone
    return replace(read, doubt="thousands")


def _typed(
    series: pl.Series,
    read: Numbers | None,
    wishes: Wishes,
    log: Log,
    source: str,
    place: Place,
) -> pl.Series:
    """One text column, typed if nothing is lost."""
    name, wish = series.name, wishes.types.get(series.name)
    if wish == "text":
        return _blank_to_null(series)
    if read is None:
        return declared_date(series, wishes.dates[name], source, place)
    if wish == "number":
        _must_be_numbers(series, read, source, place)
        if read.doubt:
            log.findings.append(points_read(name, int(read.values.count())))
    elif read.exact and read.merged is not None and name == wishes.person:
        log.findings.append(kept_as_written(name, read.merged))
        return _blank_to_null(series.str.strip_chars())
    elif not read.exact:
        return _kept_text(series, read, log, place)
    elif not read.values.count() and not read.markers:
        return _blank_to_null(series)
    if read.merged is not None and (name == wishes.person or names_persons(name) or read.merged_exponents):
        log.findings.append(merged(name, read.merged))
    _record(name, read, log)
    if not read.values.count():
        return _all_missing(series)
    return read.values


def _record(name: str, read: Numbers, log: Log) -> None:
    for marker, count in read.markers.items():
        log.markers[marker][name] = count
    if read.decimal_comma:
        log.comma.append(name)
    for sign in read.signs:
        log.signs[sign].append(name)


def _all_missing(series: pl.Series) -> pl.Series:
    import polars as pl

    return pl.Series(series.name, [None] * len(series), dtype=pl.String)


def _blank_to_null(series: pl.Series) -> pl.Series:
    """Without cells that are empty or hold blanks only."""
    blank = series.str.contains(r"^\s*$").fill_null(False)
    return series.set(blank, None) if bool(blank.any()) else series


def _kept_text(series: pl.Series, read: Numbers, log: Log, place: Place) -> pl.Series:
    """A column with cells that are not numbers: truth values, dates, or text; say why it stayed text if that is odd."""
    name = series.name
    n_numbers = int(read.values.count())
    if n_numbers == 0 and not read.doubt:
        first = series[int(read.bad[0])].strip() if len(read.bad) else ""
        other = truth(series, log) if first.lower() in ("true", "false") else None
        if other is None and first[:1].isdigit():
            other = iso_date(series, log, place)
        return other if other is not None else _plain_text(series, read, log)
    if read.doubt:
        log.findings.append(doubt(name, read, n_numbers, place))
    elif not len(read.bad) and read.padded:
        log.padded[name] = read.padded
    elif n_numbers >= len(read.bad):
        example, n_bad = series[int(read.bad[0])], len(read.bad)
        log.findings.append(
            Finding(
                "warning",
                "text-in-numbers",
                Wording(
                    f"Column {name!r} was kept as text: {n_bad:,} of {counted(n_numbers + n_bad, 'cell')} "
                    f"{agree(n_bad, 'is not a number', 'are not numbers')}, the first is ",
                    Datum(short(example)),
                    ".",
                ),
                where=f"column {name}, {place(read.bad.tolist())}",
                count=n_bad,
                remedy=Wording(
                    "Correct the cells in the file, or declare them: ", missing_codes({name: [example]}, call="{}"), "."
                ),
                column=name,
            )
        )
    if read.doubt == "choices":
        series = series.str.strip_chars()
    return _plain_text(series, read, log)


def _plain_text(series: pl.Series, read: Numbers, log: Log) -> pl.Series:
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
                remedy=Wording(
                    "If they mean missing: ", missing_codes({series.name: list(read.markers)}, call="{}"), "."
                ),
                column=series.name,
            )
        )
    return series if read.blanks == 0 else _blank_to_null(series)


def _must_be_numbers(series: pl.Series, read: Numbers, source: str, place: Place) -> None:
    if len(read.bad):
        raise ReadError(
            f"Column {series.name!r} is declared a number, but {len(read.bad):,} of its cells "
            f"{agree(len(read.bad), 'is', 'are')} not, the first is {short(series[int(read.bad[0])])}.",
            where=f"{source}, {place(read.bad.tolist())}, column {series.name}",
            remedy=Wording(
                "Correct the cells, declare them in ",
                Argument("missing=", ("--missing",)),
                ", or leave the column out of ",
                read_option("types"),
                ".",
            ),
        )
    if read.doubt in _UNHELD:
        raise ReadError(
            f"Column {series.name!r} is declared a number, but has {_UNHELD[read.doubt]}.",
            where=f"{source}, column {series.name}",
            remedy=Wording("Read it as text: ", read_option("types", {series.name: "text"}), "."),
        )
