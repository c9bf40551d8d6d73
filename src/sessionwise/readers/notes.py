"""What is said of columns: findings gathered while they are typed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from ..errors import Datum, Wording, read_option, some
from ..findings import Finding
from ..words import agree, counted
from .cells import Numbers

if TYPE_CHECKING:
    import polars as pl

Place = Callable[[Sequence[int]], str]

_SIGN = Wording(
    "Say which sign marks decimals: ",
    read_option("decimal", ","),
    " or ",
    read_option("decimal", "."),
    ". If a sign separates thousands, take it out of the file.",
)


@dataclass(slots=True)
class Log:
    """Counts gathered over columns, turned into one finding a kind at the end."""

    markers: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    comma: list[str] = field(default_factory=list)
    signs: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    padded: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def doubt(name: str, read: Numbers, n_numbers: int, place: Place) -> Finding:
    """Why a column of numbers was kept as text."""
    if read.doubt == "choices":
        return _choices(name, read, n_numbers)
    what, remedy = {
        "thousands": ("its commas or points could mark decimals or separate thousands", _SIGN),
        "mixed-decimals": (
            "it has decimal commas and decimal points",
            "Correct the file so that one sign is used.",
        ),
        "percents": (
            "some of its numbers have a percent sign, others have none",
            "Write all of them in one way.",
        ),
        "too-long": (
            "it has whole numbers too long to be held exactly",
            Wording("Nothing if it is an identifier; ", read_option("types", {name: "text"}), " says so."),
        ),
        "too-large": (
            "it has numbers too large to be held (beyond 1.8e308)",
            "Correct the cells in the file, or declare them missing.",
        ),
    }[read.doubt or "too-long"]
    where = f"column {name}" + (f", {place(read.bad.tolist())}" if len(read.bad) else "")
    severity: Literal["note", "warning"] = "note" if read.doubt == "too-long" else "warning"
    return Finding(severity, read.doubt, f"Column {name!r} was kept as text: {what}.", where, n_numbers, remedy)


def _choices(name: str, read: Numbers, n_numbers: int) -> Finding:
    """A column whose commas could mark decimals or stand between choices."""
    what = f"Column {name!r} was kept as text: its commas could mark decimals or separate choices (as in '1,3')"
    where = f"column {name}"
    if read.beside:
        what += f", and column {read.beside!r} has decimal points"
        where += f"; column {read.beside}"
    as_text = read_option("types", {name: "text"})
    remedy = Wording(
        "If they mark decimals: ", read_option("decimal", ","), ". If they are lists, ", as_text, " says so."
    )
    code = "mixed-decimals" if read.beside else "choices"
    return Finding("warning", code, what + ".", where, n_numbers, remedy)


def points_read(name: str, count: int) -> Finding:
    """A column declared to be numbers whose points could separate thousands."""
    what = f"Column {name!r} was read with decimal points; they could separate thousands."
    return Finding("warning", "thousands", what, f"column {name}", count, _SIGN)


def merged(name: str, texts: pl.Series) -> Finding:
    """What seems to be an identifier, with different cells that are one number."""
    before = f"In column {name!r}, {counted(len(texts), 'different text')} became fewer numbers: "
    what = Wording(before, Datum(_examples(texts)), " are the same.")
    as_text = read_option("types", {name: "text"})
    remedy = Wording("If they tell persons or rows apart, read them as text: ", as_text, ".")
    return Finding("warning", "cells-merged", what, f"column {name}", len(texts), remedy)


def kept_as_written(name: str, texts: pl.Series) -> Finding:
    """A person column with different cells that are one number."""
    examples = Datum(_examples(texts))
    what = Wording(f"Column {name!r} was kept as text, since ", examples, " would be the same number.")
    remedy = Wording("If they are numbers, say so: ", read_option("types", {name: "number"}), ".")
    return Finding("note", "cells-merged", what, f"column {name}", len(texts), remedy)


def _examples(texts: pl.Series) -> str:
    """The first texts of `texts` (sorted by their number) that are one number: "'1.1' and '1.10'"."""
    return " and ".join(short(t) for t in texts.head(2))


def mixed_file(name: str, count: int) -> Finding:
    """A column with decimal points in a file with decimal commas."""
    return Finding(
        "warning",
        "mixed-decimals",
        f"Column {name!r} was read with decimal points, other columns with decimal commas.",
        where=f"column {name}",
        count=count,
        remedy="Check a few values of this column against the file.",
    )


def date_note(name: str, example: str, count: int) -> Finding:
    """A column of dates whose format is not known."""
    return Finding(
        "note",
        "date-as-text",
        Wording(
            f"Column {name!r} looks like dates (",
            Datum(example),
            ") and was kept as text, since day and month are not told apart.",
        ),
        where=f"column {name}",
        count=count,
        remedy=Wording("Say how they are written, for example ", read_option("dates", {name: "%d.%m.%Y"}), "."),
    )


def totals(log: Log) -> list[Finding]:
    """The findings that count over columns."""
    found = []
    for marker, columns in log.markers.items():
        found.append(
            Finding(
                "note",
                "missing-marker",
                f"{marker!r} was read as missing in {counted(sum(columns.values()), 'cell')}.",
                where="columns " + some([f"{c} ({n:,})" for c, n in columns.items()], 12),
                count=sum(columns.values()),
            )
        )
    if log.comma:
        found.append(
            Finding(
                "note",
                "decimal-comma",
                f"Decimal commas were read in {counted(len(log.comma), 'column')}.",
                where="columns " + some(log.comma, 12),
                count=len(log.comma),
            )
        )
    for sign, names in log.signs.items():
        what = f"{sign[0].upper()}{sign[1:]} were taken off in {counted(len(names), 'column')}"
        what += ": 45% is read as 45." if sign == "percent signs" else "."
        found.append(Finding("note", "signs-taken-off", what, "columns " + some(names, 12), len(names)))
    for name, count in log.padded.items():
        found.append(
            Finding(
                "note",
                "leading-zeros",
                f"Column {name!r} was kept as text: {counted(count, 'cell')} {agree(count, 'has', 'have')} leading "
                "zeros or a plus sign.",
                where=f"column {name}",
                count=count,
                remedy=Wording("If they are numbers, say so: ", read_option("types", {name: "number"}), "."),
            )
        )
    return found


def short(cell: object) -> str:
    """A cell in quotes, cut off if it is long."""
    text = repr(cell)
    return text if len(text) <= 40 else text[:37] + "..." + text[-1]
