"""Labels: person labels, session numbers, times and clusters as they stand in a file, made sound.

Each function takes a column as a polars Series and gives arrays in the file's row order, or None with
a Finding that says which rows cannot be read so.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import Argument, Wording, read_option
from ..findings import Finding
from ..words import counted
from .as_text import as_text
from .kept import kept
from .table import Origin

if TYPE_CHECKING:
    import polars as pl

#: Session numbers beyond this are taken for typing errors, dates or identifiers.
LARGEST_SESSION = 100_000

_WHOLE = "Number the sessions 1, 2, 3, ...; put decimals into a time column."
_PLAUSIBLE = "Correct the typing error; if these are dates or identifiers, name another column."


def run_starts(series: pl.Series) -> np.ndarray:
    """The first row of each run of equal values, and the number of rows, int64 (n_runs + 1,)."""
    if series.dtype.is_integer() and not series.null_count():
        numbers = series.to_numpy()
        changed = numbers[1:] != numbers[:-1]
    else:
        rows, before = series.slice(1), series.slice(0, max(len(series) - 1, 0))
        changed = (rows.ne_missing(before) if series.null_count() else rows != before).to_numpy()
    starts = np.flatnonzero(changed)
    starts += 1
    return np.concatenate([[0][: len(series)], starts, [len(series)]]).astype(np.int64, copy=False)


def run_labels(series: pl.Series, starts: np.ndarray) -> tuple[np.ndarray, bool]:
    """The value of each run, none missing, and whether they ascend."""
    if series.dtype.is_integer():
        values = series.to_numpy()[starts[:-1]]
        return values, bool((values[1:] > values[:-1]).all())
    labels = series[starts[:-1]]
    return labels.to_numpy(), labels.is_sorted()


def _some_empty(series: pl.Series) -> bool:
    """Whether a cell is missing or holds blanks only."""
    import polars as pl

    if series.null_count() or series.dtype != pl.String:
        return series.null_count() > 0
    unsure = series.filter((series < "!") | (series > "~"))  # whitespace sorts before or after the printed ASCII
    return len(unsure) > 0 and bool((unsure.str.strip_chars() == "").any())


def _empty_rows(series: pl.Series) -> pl.Series:
    """Rows whose cell is missing or holds blanks only."""
    import polars as pl

    empty = series.is_null()
    if series.dtype == pl.String:
        empty |= series.str.strip_chars() == ""
    return empty.arg_true()


def _are_whole(values: np.ndarray) -> bool:
    """Whether decimals are all whole numbers, and each has an integer of its own."""
    return bool((np.rint(values) == values).all() and (np.abs(values) < 2**53).all())


def person_labels(
    series: pl.Series, name: str, origin: Origin, found: list[Finding], role: str = "person"
) -> pl.Series | None:
    """Person labels, or those of a role like it, whole numbers as integers; None with an error found."""
    import polars as pl

    if not (series.dtype.is_numeric() or series.dtype == pl.String):
        series = as_text(series)
    if _some_empty(series):
        rows = _empty_rows(series)
        found.append(
            Finding(
                "error",
                f"{role}-missing",
                f"Column {name!r} ({role}) is empty in {counted(len(rows), 'row')}.",
                origin.say(rows),
                len(rows),
                "Fill in whose rows these are, or delete them."
                if role == "person"
                else "Fill them in, or delete these rows.",
            )
        )
        return None
    if series.dtype.is_float() and _are_whole(series.to_numpy()):
        series = series.cast(pl.Int64)  # SPSS stores whole numbers as decimals
    elif series.dtype.is_float() and bool((series == series.round()).all()):
        what = f"Column {name!r} ({role}) holds whole numbers of more than 15 digits as decimals, whose last "
        what += "digits are lost: different labels may have become one."
        remedy = "Make it text in the program that it comes from, with all its digits, and export it again."
        n = int((series.abs() > 2.0**53).sum())
        found.append(Finding("warning", f"{role}-digits-lost", what, f"column {name!r}", n, remedy))
    elif series.dtype.is_float():
        what = f"Column {name!r} ({role}) holds decimal numbers: labels such as 1.1 and 1.10 cannot be told apart."
        option = read_option("types", {name: "text"}, call="read(path, {})")
        remedy = Wording("If they are labels, read the column as text: ", option, ".")
        found.append(Finding("warning", f"{role}-decimal", what, f"column {name!r}", series.n_unique(), remedy))
    return series


_IN_TEXT = re.compile(r"^\s*([^\d+]*?)(\d+)\s*$")  # everything before the number, a minus too, must be the same in all


def session_numbers(series: pl.Series, name: str, origin: Origin, found: list[Finding]) -> np.ndarray | None:
    """int64 session numbers in file order; None with an error found."""
    import polars as pl

    def error(code: str, what: str, rows: Any, remedy: str) -> None:
        rows = list(rows)
        what = f"Column {name!r} (session) {what}."
        found.append(Finding("error", code, what, origin.say(rows) if rows else origin.source, len(rows), remedy))

    if _some_empty(series):
        rows = _empty_rows(series)
        what = f"is empty in {counted(len(rows), 'row')}"
        error("session-missing", what, rows, "Fill in the session numbers, or delete these rows.")
        return None
    if series.dtype.is_temporal():
        number = Argument(
            f"number_sessions(table, person=..., by={name!r}, into='number')",
            ("--number-by", name, "--session", "number"),
        )
        remedy = Wording("Number the sessions by them: ", number, ".")
        error("session-is-date", "holds dates, not session numbers", [], remedy)
        return None
    if series.dtype == pl.Boolean:
        error("session-true-false", "holds true and false, not session numbers", [], _WHOLE)
        return None
    if not series.dtype.is_numeric():
        text = as_text(series)
        parsed = _session_text(text)
        if parsed is None:
            bad = _not_in_one_form(text)
            what = f"holds text that is not one word and a number: {text[bad[0]]!r}"
            error("session-text", what, bad, "Give each session as a whole number: 1, 2, 3, ...")
            return None
        if parsed.dtype.is_integer() and text[0] != str(parsed[0]):
            what = f"Sessions were given as text ({text[0]!r}); the number in it was used ({parsed[0]})."
            found.append(Finding("note", "session-from-text", what, f"column {name!r}", len(series)))
        series = parsed
    if not series.dtype.is_integer():
        values = series.cast(pl.Float64).to_numpy()
        decimal = np.flatnonzero(~(np.isfinite(values) & (np.rint(values) == values)))
        if len(decimal):
            what = f"has numbers that are not whole, such as {series[int(decimal[0])]}"
            error("session-not-whole", what, decimal, _WHOLE)
            return None
    ends: list[Any] = [series.min(), series.max()]
    if len(series) and max(abs(float(end)) for end in ends) > LARGEST_SESSION:
        rows = (series.cast(pl.Float64).abs() > LARGEST_SESSION).arg_true()
        what = f"has implausible session numbers, such as {series[int(rows[0])]:.10g}"
        error("session-too-large", what, rows, _PLAUSIBLE)
        return None
    return (series if series.dtype == pl.Int64 else series.cast(pl.Int64)).to_numpy()


def _word(match: re.Match[str]) -> str:
    """What stands before the number: 'session ' and 'Session' are one word, 'S-' and 'S' are two."""
    return " ".join(match.group(1).casefold().split())


def _session_text(series: pl.Series) -> pl.Series | None:
    """Numbers from texts such as '3', 'S3' or 'session 3', if all share one word; else None."""
    import polars as pl

    for kind in (pl.Int64, pl.Float64):
        plain = series.str.strip_chars().cast(kind, strict=False)
        if not plain.null_count():
            return plain
    unique = series.unique(maintain_order=True).to_list()
    matches = [_IN_TEXT.match(v) for v in unique]
    if not all(matches):
        return None
    words = {_word(m) for m in matches if m}
    numbers = [min(int(m.group(2)), 10**15) for m in matches if m]
    if len(words) > 1:
        return None
    return series.replace_strict(unique, numbers, return_dtype=pl.Int64)


def _not_in_one_form(series: pl.Series) -> list[int]:
    """Rows that are not a word and a number, or else those whose word is not the most frequent one."""
    matches = [_IN_TEXT.match(v) for v in series]
    words = Counter(_word(m) for m in matches if m)
    usual = words.most_common(1)[0][0] if words else ""
    bad = [i for i, m in enumerate(matches) if m is None]
    return bad or [i for i, m in enumerate(matches) if m and _word(m) != usual]


def time_values(series: pl.Series, name: str, origin: Origin, found: list[Finding]) -> np.ndarray | None:
    """float64 days since 1970-01-01 (by the local clock) for dates, else the numbers; None with an error found."""
    import polars as pl

    if isinstance(series.dtype, pl.Categorical | pl.Enum):
        series = series.cast(pl.String)
    if series.dtype == pl.String:
        parsed = series.str.to_date("%Y-%m-%d", strict=False)
        bad = (parsed.is_null() & series.is_not_null()).arg_true()
        if len(bad):
            found.append(
                Finding(
                    "error",
                    "time-is-text",
                    f"Column {name!r} (time) holds text that is no date such as 2026-01-31: {series[int(bad[0])]!r}.",
                    origin.say(bad),
                    len(bad),
                    "Give dates as year-month-day, or name their format when reading the file.",
                )
            )
            return None
        series = parsed
    if series.dtype in (pl.Time, pl.Duration, pl.Boolean):
        what = f"Column {name!r} (time) holds {str(series.dtype).lower()} values, neither dates nor numbers."
        remedy = "Name a column of dates, or of numbers such as days since intake."
        found.append(Finding("error", "time-not-date", what, f"column {name!r}", len(series), remedy))
        return None
    if series.dtype.is_temporal():
        if isinstance(series.dtype, pl.Datetime) and series.dtype.time_zone:
            series = series.dt.replace_time_zone(None)
        microseconds = series.cast(pl.Datetime("us")).dt.epoch("us")
        return (microseconds.cast(pl.Float64) / 86_400e6).to_numpy().copy()
    return series.cast(pl.Float64).to_numpy().copy()


def levels(series: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    """Labels in order (of the categories if it has them, else ascending) and int32 codes, -1 for missing."""
    import polars as pl

    starts = run_starts(series)
    series = series[starts[:-1]]  # one of each run: few where all rows of a person agree
    if not (series.dtype.is_numeric() or isinstance(series.dtype, pl.Enum)):
        series = as_text(series)
    if series.dtype == pl.String and _some_empty(series):
        series = kept(series, series.str.strip_chars() != "")  # blank is missing
    known = series.drop_nulls() if series.null_count() else series
    names, found = _distinct(known)
    codes = np.full(len(series), -1, np.int32)
    codes[series.is_not_null().to_numpy() if series.null_count() else slice(None)] = found
    return names, np.repeat(codes, np.diff(starts))


def _distinct(known: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    """Distinct labels in order, and where each row's label stands among them."""
    import polars as pl

    if known.dtype == pl.String:
        known = known.cast(pl.Enum(known.unique().sort()))
    if isinstance(known.dtype, pl.Enum):
        used, positions = distinct(known.to_physical().to_numpy())
        return known.dtype.categories.to_numpy()[used], positions
    if known.dtype.is_float() and _are_whole(known.to_numpy()):
        known = known.cast(pl.Int64)
    return distinct(known.to_numpy())


def distinct(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct values in order, and where each value stands among them; whole numbers close together unsorted."""
    whole = len(values) > 0 and np.can_cast(values.dtype, np.int64)
    low, width = (int(values.min()), int(values.max()) - int(values.min()) + 1) if whole else (0, 0)
    if not 0 < width <= 4 * len(values):
        return np.unique(values, return_inverse=True)
    offsets = values.astype(np.int64) - low
    there = np.zeros(width, bool)
    there[offsets] = True
    found = np.flatnonzero(there)
    position = np.empty(width, np.int64)
    position[found] = np.arange(len(found))
    return (found + low).astype(values.dtype), position[offsets]
