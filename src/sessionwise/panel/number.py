"""number_sessions: sessions numbered 1, 2, 3, ... within persons, in the order of their dates."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np

from ..errors import Argument, PanelError, Wording, some
from ..findings import Finding, Findings
from ..options import A_NAME, takes
from ..words import counted
from .episodes import unit_labels
from .frames import column, eager, restore
from .labels import levels, person_labels, time_values
from .roles import role_errors
from .table import Origin, Table

if TYPE_CHECKING:
    import polars as pl


@takes(PanelError, person=A_NAME, by=A_NAME, into=A_NAME, episode=A_NAME)
def number_sessions(table: Any, *, person: str, by: str, into: str = "session", episode: str | None = None) -> Any:
    """The table with a column `into` that numbers each person's rows 1, 2, 3, ... in the order of `by`.

    Missed sessions get no number: the session before and the one after them become neighbours.

    Parameters
    ----------
    table : any dataframe, or a Table from `read`.
    person : the column that says whose row it is.
    by : a column of dates (ISO text is read as dates) or numbers, different for each row of a person.
    into : the new column.
    episode : a column that tells a person's treatments apart; each of them is numbered from 1.

    Returns
    -------
    The kind of dataframe that came in (a Table with a note among its findings), rows in their order.

    Raises
    ------
    PanelError : no such column, empty cells, two rows of a person with one date, `into` there already.
    """
    frame, origin, lazy = eager(table)
    if into in frame.columns:
        raise PanelError(
            f"There is a column {into!r} already.",
            where=f"columns: {some(frame.columns, 12)}",
            remedy=Wording(
                "Name another column with ", Argument("into='...'", ("--session", "NAME")), ", or drop this one."
            ),
        )
    labels, times = _columns(frame, person, by, episode, origin)
    numbers = _ranks(labels, times, person, by, frame, origin)
    numbered = frame.with_columns(nw.new_series(into, numbers, nw.Int64, backend=frame.implementation))
    if not isinstance(table, Table):
        return restore(numbered, lazy)
    within = f"{person!r}" if episode is None else f"{person!r} and {episode!r}"
    what = f"Sessions were numbered by {by!r} within {within}; missed sessions have no number."
    note = Finding("note", "sessions-numbered", what, f"column {into!r}", len(numbers))
    return replace(table, frame=numbered.to_native(), findings=table.findings + Findings([note]))


def _columns(
    frame: nw.DataFrame[Any], person: str, by: str, episode: str | None, origin: Origin
) -> tuple[pl.Series, np.ndarray]:
    """Labels of persons, or of their treatments, and times, complete."""
    found = role_errors(frame, {"person": person, "time": by} | ({"episode": episode} if episode else {}))
    Findings(found).stop_on_error(PanelError)
    labels = person_labels(column(frame, person), person, origin, found)
    if labels is not None and episode is not None:
        labels = unit_labels(labels, frame, person, episode, origin, found)
    times = time_values(column(frame, by), by, origin, found)
    if times is not None and np.isnan(times).any():
        rows = np.flatnonzero(np.isnan(times))
        what = f"Column {by!r} is empty in {counted(len(rows), 'row')}, which cannot be put in order."
        remedy = "Fill in the dates, or delete these rows."
        found.append(Finding("error", "time-missing", what, origin.say(rows), len(rows), remedy))
    Findings(found).stop_on_error(PanelError)
    assert labels is not None
    assert times is not None
    return labels, times


def _ranks(
    labels: pl.Series, times: np.ndarray, person: str, by: str, frame: nw.DataFrame[Any], origin: Origin
) -> np.ndarray:
    """int64 (n_rows,): 1 for a person's first row in time, and so on."""
    names, codes = levels(labels)
    order = np.lexsort((times, codes))
    new = np.diff(codes[order], prepend=-1) != 0
    tied = np.flatnonzero((np.diff(times[order], prepend=np.nan) == 0) & ~new)
    if len(tied):
        pair = np.sort(order[tied[0] - 1 : tied[0] + 1])
        shown = column(frame, by)[int(pair[0])]
        persons = len(np.unique(codes[order[tied]]))
        raise PanelError(
            f"{counted(len(tied), 'row has', 'rows have')} the same {by!r} as another row of "
            f"the same person ({counted(persons, 'person')}).",
            where=f"first: {person} {names[codes[pair[0]]]}, {by} {shown} ({origin.say(pair)})",
            remedy="Join or delete the double rows, or give a column that has the time of day as well.",
        )
    starts = np.flatnonzero(new)
    ranks = np.empty(len(codes), np.int64)
    ranks[order] = np.arange(len(codes)) - np.repeat(starts, np.diff(np.append(starts, len(codes)))) + 1
    return ranks
