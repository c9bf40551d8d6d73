"""Roles: who (person), when (session), with whom (cluster) and on what date (time) each row is.

Turns the role columns of a table into sorted integer arrays, or says exactly why that cannot be.
`Panel` stops at the first error; `check` lists them all. Both use `structure`, so they agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np

from .errors import nearest, some
from .findings import Finding, Findings
from .frames import column
from .role_columns import levels, person_labels, session_numbers, time_values
from .table import Origin

if TYPE_CHECKING:
    import polars as pl


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

    def of(self, keep: np.ndarray) -> Structure:
        """Of the persons where `keep`, bool (n_persons,), is true."""
        counts = np.diff(self.starts)
        rows = np.repeat(keep, counts)
        clusters, codes = self.clusters, self.cluster_codes
        if clusters is not None and codes is not None:
            codes = codes[rows]
            used = np.unique(codes[codes >= 0])
            clusters, codes = clusters[used], np.where(codes < 0, -1, np.searchsorted(used, codes)).astype(np.int32)
        return Structure(
            order=np.flatnonzero(rows) if self.order is None else self.order[rows],
            persons=self.persons[keep],
            starts=np.concatenate([[0], np.cumsum(counts[keep])]).astype(np.int64),
            sessions=self.sessions[rows],
            clusters=clusters,
            cluster_codes=codes,
            times=None if self.times is None else self.times[rows],
        ).frozen()

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
    session = session_numbers(column(frame, roles.session), roles.session, origin, found)
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
    if person.dtype.is_integer():
        labels = person.to_numpy()
        new = np.flatnonzero(labels[1:] != labels[:-1]) + 1
    else:
        new = (person != person.shift(1)).fill_null(False).arg_true().to_numpy()
    return np.concatenate([[0], new, [len(person)]]).astype(np.int64)


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
