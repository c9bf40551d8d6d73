"""Roles: who (person), when (session), with whom (cluster) and on what date (time) each row is.

Turns the role columns of a table into sorted integer arrays, or says exactly why that cannot be.
`Panel` stops at the first error; `check` lists them all. Both use `structure`, so they agree.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np

from .errors import nearest, some
from .findings import Finding, Findings
from .frames import column
from .table import Origin

if TYPE_CHECKING:
    import polars as pl

#: Session numbers beyond this are taken for typing errors, dates or identifiers.
LARGEST_SESSION = 100_000


@dataclass(frozen=True, slots=True)
class Roles:
    """The names of the columns that say who, when, with whom and on what date."""

    person: str
    session: str
    cluster: str | None = None
    time: str | None = None

    def named(self) -> dict[str, str]:
        """Role -> column, for the roles that are given."""
        pairs = (("person", self.person), ("session", self.session), ("cluster", self.cluster), ("time", self.time))
        return {role: name for role, name in pairs if name is not None}


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """Role columns as arrays, rows sorted by person, then session.

    order : int64 (n_rows,) row of the table for each row here; None if the table was sorted already.
    persons : (n_persons,) labels, ascending.
    starts : int64 (n_persons + 1,) first row of each person.
    sessions : int64 (n_rows,).
    clusters : (n_clusters,) labels, ascending; None without the role.
    cluster_codes : int32 (n_rows,), -1 where missing; None without the role.
    times : float64 (n_rows,), days since 1970-01-01 for dates, else the numbers; None without the role.
    """

    order: np.ndarray | None
    persons: np.ndarray
    starts: np.ndarray
    sessions: np.ndarray
    clusters: np.ndarray | None
    cluster_codes: np.ndarray | None
    times: np.ndarray | None

    def frozen(self) -> Structure:
        """Itself, with every array read-only."""
        for f in fields(self):
            array = getattr(self, f.name)
            if array is not None:
                array.flags.writeable = False
        return self

    def head(self, rows: int) -> Structure:
        """The first `rows` rows."""
        rows = min(rows, len(self.sessions))
        persons = int(np.searchsorted(self.starts, rows))
        return Structure(
            order=np.arange(rows) if self.order is None else self.order[:rows],
            persons=self.persons[:persons],
            starts=np.minimum(self.starts[: persons + 1], rows),
            sessions=self.sessions[:rows],
            clusters=self.clusters,
            cluster_codes=None if self.cluster_codes is None else self.cluster_codes[:rows],
            times=None if self.times is None else self.times[:rows],
        )


def structure(frame: nw.DataFrame[Any], roles: Roles, origin: Origin) -> tuple[Structure | None, Findings]:
    """The structure of `frame`, or None where a Finding of severity 'error' says why not."""
    found = role_errors(frame, roles.named())
    if found:
        return None, Findings(found)
    person = person_labels(column(frame, roles.person), roles.person, origin, found)
    session = _session(column(frame, roles.session), roles, origin, found)
    times = time_values(column(frame, roles.time), roles.time, origin, found) if roles.time else None
    if not frame.shape[0]:
        found.append(Finding("error", "no-rows", "The table has no rows.", origin.source, 0, "Check the file."))
    if person is None or session is None or any(f.severity == "error" for f in found):
        return None, Findings(found)
    order, starts, person, session = _sort(person, session)
    duplicates = _duplicates(person, session, starts, order, roles, origin)
    if duplicates:
        return None, Findings([*found, duplicates])
    clusters = codes = None
    if roles.cluster:
        clusters, codes = levels(column(frame, roles.cluster))
        codes = codes if order is None else codes[order]
    if times is not None and order is not None:
        times = times[order]
    persons = person.gather(starts[:-1]).to_numpy()
    return Structure(order, persons, starts, session, clusters, codes, times).frozen(), Findings(found)


def role_errors(frame: nw.DataFrame[Any], named: Mapping[str, str]) -> list[Finding]:
    """Errors for roles whose column is not there, holds lists, or has another role too. `named`: role -> column."""
    found = []
    columns = f"columns: {some(frame.columns, 12)}"
    for role, name in named.items():
        if name not in frame.columns:
            what = f"There is no column {name!r} for the role {role!r}.{nearest(str(name), map(str, frame.columns))}"
            remedy = f"Name the column that holds the {role}."
            found.append(Finding("error", "role-column-missing", what, columns, 0, remedy))
        elif frame[name].dtype.is_nested():
            what = f"Column {name!r} ({role}) holds lists or records, not single values."
            found.append(Finding("error", "role-nested", what, f"column {name!r}", 0, "Give one value in each cell."))
    for name in dict.fromkeys(named.values()):
        same = [role for role, other in named.items() if other == name]
        if len(same) > 1:
            what = f"Column {name!r} is named for {len(same)} roles: {some(same)}."
            remedy = "Give each role a column of its own."
            found.append(Finding("error", "role-column-twice", what, columns, len(same), remedy))
    return found


def person_labels(series: pl.Series, name: str, origin: Origin, found: list[Finding]) -> pl.Series | None:
    """Person labels, whole numbers as integers; None with an error found."""
    import polars as pl

    if not (series.dtype.is_numeric() or series.dtype == pl.String):
        series = series.cast(pl.String)
    empty = series.is_null()
    if series.dtype == pl.String:
        empty |= series.str.strip_chars() == ""
    if empty.any():
        rows = empty.arg_true()
        found.append(
            Finding(
                "error",
                "person-missing",
                f"Column {name!r} (person) is empty in {len(rows):,} row{'s' * (len(rows) > 1)}.",
                origin.say(rows),
                len(rows),
                "Fill in whose rows these are, or delete them.",
            )
        )
        return None
    if series.dtype.is_float() and (series.round(0) == series).all() and (series.abs() < 2**53).all():
        series = series.cast(pl.Int64)  # SPSS stores whole numbers as decimals
    return series


_IN_TEXT = re.compile(r"^\s*([^\d+\-]*?)[\s_.#:-]*(\d+)\s*$")


def _session(series: pl.Series, roles: Roles, origin: Origin, found: list[Finding]) -> np.ndarray | None:
    """int64 session numbers in file order; None with an error found."""
    import polars as pl

    name = roles.session

    def error(code: str, what: str, rows: Any, remedy: str) -> None:
        rows = list(rows)
        found.append(Finding("error", code, what, origin.say(rows) if rows else "", len(rows), remedy))

    empty = series.is_null()
    if series.dtype == pl.String:
        empty |= series.str.strip_chars() == ""
    if empty.any():
        rows = empty.arg_true()
        what = f"Column {name!r} (session) is empty in {len(rows):,} row{'s' * (len(rows) > 1)}."
        error("session-missing", what, rows, "Fill in the session numbers, or delete these rows.")
        return None
    if series.dtype.is_temporal():
        what = f"Column {name!r} (session) holds dates, not session numbers."
        remedy = (
            "Name the date column with the role time, and number the sessions first: "
            "number_sessions(table, person=..., by=...)."
        )
        error("session-is-date", what, [], remedy)
        return None
    if not series.dtype.is_numeric():
        series = series.cast(pl.String)
        parsed = _session_text(series)
        if parsed is None:
            bad = _not_in_one_form(series)
            what = f"Column {name!r} (session) holds text that is not one word and a number: {series[bad[0]]!r}."
            error("session-text", what, bad, "Give each session as a whole number: 1, 2, 3, ...")
            return None
        if parsed.dtype.is_integer() and series[0] != str(parsed[0]):
            what = f"Sessions were given as text ({series[0]!r}); the number in it was used ({parsed[0]})."
            found.append(Finding("note", "session-from-text", what, f"column {name!r}", len(series)))
        series = parsed
    if series.dtype.is_float():
        whole = (series.round(0) == series) & series.is_finite()
        if not whole.all():
            rows = (~whole).arg_true()
            what = f"Column {name!r} (session) has numbers that are not whole, such as {series[int(rows[0])]}."
            error("session-not-whole", what, rows, "Number the sessions 1, 2, 3, ...; put decimals into a time column.")
            return None
    large = series.cast(pl.Float64).abs() > LARGEST_SESSION
    if large.any():
        rows = large.arg_true()
        shown = series[int(rows[0])]
        what = f"Column {name!r} (session) has implausible session numbers, such as {shown:.10g}."
        remedy = "Correct the typing error; if these are dates or identifiers, name another column."
        error("session-too-large", what, rows, remedy)
        return None
    return series.cast(pl.Int64).to_numpy().copy()


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
    words = {m.group(1).strip().casefold() for m in matches if m}
    numbers = [min(int(m.group(2)), 10**15) for m in matches if m]
    if len(words) > 1:
        return None
    return series.replace_strict(unique, numbers, return_dtype=pl.Int64)


def _not_in_one_form(series: pl.Series) -> list[int]:
    """Rows that are not a word and a number, or else those whose word is not the most frequent one."""
    matches = [_IN_TEXT.match(v) for v in series]
    words = Counter(m.group(1).strip().casefold() for m in matches if m)
    usual = words.most_common(1)[0][0] if words else ""
    bad = [i for i, m in enumerate(matches) if m is None]
    return bad or [i for i, m in enumerate(matches) if m and m.group(1).strip().casefold() != usual]


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


def _sort(person: pl.Series, session: np.ndarray) -> tuple[np.ndarray | None, np.ndarray, pl.Series, np.ndarray]:
    """Order (None if sorted), starts, and both columns in that order."""
    import polars as pl

    starts = _changes(person)
    order = None
    same_person = np.ones(len(session) - 1, bool)
    same_person[starts[1:-1] - 1] = False
    if not person.is_sorted() or bool(((session[1:] < session[:-1]) & same_person).any()):
        rows = pl.DataFrame({"person": person, "session": session})
        order = rows.select(pl.arg_sort_by("person", "session", maintain_order=True)).to_series().to_numpy()
        order = order.astype(np.int64)
        person, session = person.gather(order), session[order]
        starts = _changes(person)
    return order, starts, person, session


def _changes(person: pl.Series) -> np.ndarray:
    """Rows at which a new person starts, and the number of rows."""
    new = (person != person.shift(1)).fill_null(True).to_numpy()
    return np.append(np.flatnonzero(new), len(person)).astype(np.int64)


def _duplicates(
    person: pl.Series,
    session: np.ndarray,
    starts: np.ndarray,
    order: np.ndarray | None,
    roles: Roles,
    origin: Origin,
) -> Finding | None:
    """A Finding on persons with two rows for one session, or None."""
    again = np.zeros(len(session), bool)
    again[1:] = session[1:] == session[:-1]
    again[starts[:-1]] = False
    rows = np.flatnonzero(again)
    if not len(rows):
        return None
    persons = len(np.unique(np.searchsorted(starts, rows, side="right")))
    said = []
    for row in rows[:3].tolist():
        here = [row - 1, row] if order is None else order[[row - 1, row]].tolist()
        said.append(f"{roles.person} {person[row]}, {roles.session} {session[row]} ({origin.say(here)})")
    rest = f" and {len(rows) - 3:,} more" if len(rows) > 3 else ""
    one = f"{len(rows):,} row{'s repeat' if len(rows) > 1 else ' repeats'} a session of the same person"
    return Finding(
        "error",
        "duplicate-session",
        f"{one} ({persons:,} person{'s' * (persons > 1)}).",
        "; ".join(said) + rest,
        len(rows),
        "Keep one row for each person and session, or correct the numbers.",
    )


def levels(series: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    """Labels in order (of the categories if it has them, else ascending) and int32 codes, -1 for missing."""
    import polars as pl

    if not (series.dtype.is_numeric() or isinstance(series.dtype, pl.Enum)):
        series = series.cast(pl.String)
    if series.dtype == pl.String:
        series = pl.select(pl.when(series.str.strip_chars() != "").then(series)).to_series()  # blank is missing
    if series.dtype.is_float() and (series.drop_nulls().round(0) == series.drop_nulls()).all():
        series = series.cast(pl.Int64, strict=False)
    levels = series.drop_nulls().unique().sort()
    codes = series.replace_strict(levels, np.arange(len(levels)), default=-1, return_dtype=pl.Int32)
    return levels.to_numpy().copy(), codes.to_numpy().copy()
