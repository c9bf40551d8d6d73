"""Roles: who (person), when (session), with whom (cluster), on what date (time), in which treatment (episode) each is.

Turns the role columns of a table into sorted integer arrays, or says exactly why that cannot be.
`Panel` stops at the first error; `check` lists them all. Both use `structure`, so they agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np

from ..errors import Wording, nearest, some
from ..findings import Finding, Findings
from ..words import counted
from .episodes import episode_option, unit_labels, unit_name
from .frames import column, holds_lists
from .labels import levels, person_labels, run_labels, run_starts, session_numbers, time_values
from .table import Origin

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class Roles:
    """The names of the columns that say who, when, with whom, on what date and in which treatment.

    person : whose sessions follow each other. Where persons had several treatments (`episode`), the column made of
    both, and `whole_person` is the column of persons; see episodes.py, and `given`.
    """

    person: str
    session: str
    cluster: str | None = None
    time: str | None = None
    episode: str | None = None
    whole_person: str | None = None

    @classmethod
    def given(
        cls,
        person: str,
        session: str,
        cluster: str | None = None,
        time: str | None = None,
        episode: str | None = None,
    ) -> Roles:
        """Of columns as a user names them."""
        if episode is None:
            return cls(person, session, cluster, time)
        return cls(unit_name(person, episode), session, cluster, time, episode, person)

    def named(self) -> dict[str, str]:
        """Role -> column, for the roles that are given, as a user names them."""
        pairs = (
            ("person", self.whole_person or self.person),
            ("session", self.session),
            ("cluster", self.cluster),
            ("time", self.time),
            ("episode", self.episode),
        )
        return {role: name for role, name in pairs if name is not None}

    def taken(self) -> dict[str, str]:
        """Role -> column, of every column that no variable can be: with that of person and episode, as 'treatment'."""
        return self.named() | ({"treatment": self.person} if self.episode else {})


@dataclass(frozen=True, slots=True, eq=False)
class PersonRows:
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

    def frozen(self) -> PersonRows:
        """The record, with every array read-only."""
        for f in fields(self):
            array = getattr(self, f.name)
            if array is not None:
                array.flags.writeable = False
        return self

    def of(self, keep: np.ndarray) -> PersonRows:
        """Of the persons where `keep`, bool (n_persons,), is true."""
        counts = np.diff(self.starts)
        rows = np.repeat(keep, counts)
        clusters, codes = self.clusters, self.cluster_codes
        if clusters is not None and codes is not None:
            codes = codes[rows]
            used = np.unique(codes[codes >= 0])
            clusters, codes = clusters[used], np.where(codes < 0, -1, np.searchsorted(used, codes)).astype(np.int32)
        return PersonRows(
            order=np.flatnonzero(rows) if self.order is None else self.order[rows],
            persons=self.persons[keep],
            starts=np.concatenate([[0], np.cumsum(counts[keep])]).astype(np.int64),
            sessions=self.sessions[rows],
            clusters=clusters,
            cluster_codes=codes,
            times=None if self.times is None else self.times[rows],
        ).frozen()

    def head(self, rows: int) -> PersonRows:
        """The first `rows` rows."""
        rows = min(rows, len(self.sessions))
        persons = int(np.searchsorted(self.starts, rows))
        return PersonRows(
            order=np.arange(rows) if self.order is None else self.order[:rows],
            persons=self.persons[:persons],
            starts=np.minimum(self.starts[: persons + 1], rows),
            sessions=self.sessions[:rows],
            clusters=self.clusters,
            cluster_codes=None if self.cluster_codes is None else self.cluster_codes[:rows],
            times=None if self.times is None else self.times[:rows],
        )


def structure(frame: nw.DataFrame[Any], roles: Roles, origin: Origin) -> tuple[PersonRows | None, Findings]:
    """The structure of `frame`, or None where a Finding of severity 'error' says why not."""
    found = role_errors(frame, roles.named())
    if found:
        return None, Findings(found)
    named = roles.named()["person"]
    person = person_labels(column(frame, named), named, origin, found)
    if person is not None and roles.episode:
        person = unit_labels(person, frame, named, roles.episode, origin, found)
    session = session_numbers(column(frame, roles.session), roles.session, origin, found)
    times = time_values(column(frame, roles.time), roles.time, origin, found) if roles.time else None
    if not frame.shape[0]:
        found.append(Finding("error", "no-rows", "The table has no rows.", origin.source, 0, "Check the file."))
    if person is None or session is None or any(f.severity == "error" for f in found):
        return None, Findings(found)
    order, starts, persons, session = _sort(person, session)
    duplicates = None if order is None else _duplicates(persons, session, starts, order, roles, origin, frame.columns)
    if duplicates:
        return None, Findings([*found, duplicates])
    clusters = codes = None
    if roles.cluster:
        cluster = column(frame, roles.cluster)
        clusters, codes = levels(cluster if order is None else cluster.gather(order))
    if times is not None and order is not None:
        times = times[order]
    return PersonRows(order, persons, starts, session, clusters, codes, times).frozen(), Findings(found)


def role_errors(frame: nw.DataFrame[Any], named: Mapping[str, str]) -> list[Finding]:
    """Errors for roles whose column is not there, holds lists, or has another role too. `named`: role -> column."""
    found = []
    columns = frame.columns
    for role, name in named.items():
        if name not in columns:
            what = f"There is no column {name!r} for the role {role!r}.{nearest(str(name), map(str, columns))}"
            where = f"columns: {some(columns, 12)}"
            remedy = f"Name the column that holds the {role}."
            if name in _in_index(frame):
                remedy = f"{name!r} is in the dataframe's index: give the Panel frame.reset_index()."
            found.append(Finding("error", "role-column-missing", what, where, 0, remedy))
        elif holds_lists(frame, name):
            what = f"Column {name!r} ({role}) holds lists or records, not single values."
            found.append(Finding("error", "role-nested", what, f"column {name!r}", 0, "Give one value in each cell."))
    for name in dict.fromkeys(named.values()):
        same = [role for role, other in named.items() if other == name]
        if len(same) > 1 and not _may_be_one(same, named):
            what = f"Column {name!r} is named for {len(same)} roles: {some(same)}."
            where, remedy = f"columns: {some(columns, 12)}", "Give each role a column of its own."
            found.append(Finding("error", "role-column-twice", what, where, len(same), remedy))
    return found


def _may_be_one(same: list[str], named: Mapping[str, str]) -> bool:
    """Whether a column may have these roles at once: numbers of sessions are times too, and of several treatments the
    person may be the cluster."""
    return set(same) == {"session", "time"} or (set(same) == {"person", "cluster"} and "episode" in named)


def _in_index(frame: nw.DataFrame[Any]) -> list[Any]:
    """Names in the index of a pandas dataframe."""
    if not frame.implementation.is_pandas_like():
        return []
    return [name for name in frame.to_native().index.names if isinstance(name, str)]


def _sort(person: pl.Series, session: np.ndarray) -> tuple[np.ndarray | None, np.ndarray, np.ndarray, np.ndarray]:
    """Order (None if sorted, without duplicates), starts, persons and the sessions in that order."""
    starts = run_starts(person)
    persons, ascending = run_labels(person, starts)
    rises = session[1:] > session[:-1]
    rises[starts[1:-1] - 1] = True
    if ascending and rises.all():
        return None, starts, persons, session
    names, codes = levels(person)
    order = _order(codes, len(names), session)
    starts = np.concatenate([[0], np.cumsum(np.bincount(codes))])
    return order, starts.astype(np.int64), names, session[order]


def _order(codes: np.ndarray, n_persons: int, session: np.ndarray) -> np.ndarray:
    """int64 (n_rows,): rows by person, then session, those of one session as they came."""
    first = int(session.min())
    width = int(session.max()) - first + 1
    key = codes * np.int64(width) + (session - first)
    if n_persons * width <= 4 * len(key):  # few places are empty: each row goes to its own, nothing is sorted
        place = np.full(n_persons * width, -1)
        place[key] = np.arange(len(key))
        order = place[place >= 0]
        if len(order) == len(key):  # no two rows had the same
            return order
    return np.argsort(key, kind="stable")


def _duplicates(
    persons: np.ndarray,
    session: np.ndarray,
    starts: np.ndarray,
    order: np.ndarray,
    roles: Roles,
    origin: Origin,
    columns: list[str],
) -> Finding | None:
    """A Finding on persons with two rows for one session, or None."""
    again = np.zeros(len(session), bool)
    again[1:] = session[1:] == session[:-1]
    again[starts[:-1]] = False
    rows = np.flatnonzero(again)
    if not len(rows):
        return None
    codes = np.searchsorted(starts, rows, side="right") - 1
    n_persons = len(np.unique(codes))
    said = []
    for row, code in zip(rows[:3].tolist(), codes[:3].tolist(), strict=True):
        here = order[[row - 1, row]].tolist()
        said.append(f"{roles.person} {persons[code]}, {roles.session} {session[row]} ({origin.say(here)})")
    rest = f" and {len(rows) - 3:,} more" if len(rows) > 3 else ""
    one = f"{counted(len(rows), 'row repeats', 'rows repeat')} a session of the same person"
    return Finding(
        "error",
        "duplicate-session",
        f"{one} ({counted(n_persons, 'person')}).",
        "; ".join(said) + rest,
        len(rows),
        _one_row(roles, columns),
    )


def _one_row(roles: Roles, columns: list[str]) -> str:
    """What to do about several rows of a session."""
    keep = "Keep one row for each person and session, or correct the numbers"
    if roles.episode:
        return f"{keep}."
    said = "; or, if persons were treated more than once, name the column that tells their treatments apart: "
    return Wording(keep, said, episode_option(columns), ".")
