"""Episodes: the treatments of a person, where some had more than one. Each is a unit of its own.

What goes from session to session (lags, trends, numbers of sessions, means within persons, drop-out) belongs to one
treatment and must not cross into the next, which may begin years later with another therapist. So the rows of a Panel
with an episode are those of person × episode: `Roles.person` is a column made of both, and the column of persons stays
as it is, one level above, for `(1 | patient)` or as the cluster.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np

from ..errors import Argument, Wording
from ..findings import Finding
from ..words import counted
from .as_text import as_text
from .frames import column
from .labels import person_labels
from .table import Origin

if TYPE_CHECKING:
    import polars as pl

#: Names of columns of episodes, without signs and in small letters.
NAMES = {
    f"{name}{tail}" for name in ("episode", "treatmentepisode", "course") for tail in ("", "id", "no", "nr", "number")
} | {f"treatment{tail}" for tail in ("no", "nr", "number")}


def episode_column(columns: list[str] | tuple[str, ...]) -> str | None:
    """The one column that is named like a treatment's number; None if none is, or several."""
    alike = [name for name in columns if "".join(c for c in name.lower() if c.isalnum()) in NAMES]
    return alike[0] if len(alike) == 1 else None


def episode_option(columns: list[str] | tuple[str, ...]) -> Argument:
    """The role as a user gives it: with the column that is named so, if there is one."""
    name = episode_column(columns) or "..."
    return Argument(f"episode={name!r}" if name != "..." else "episode=...", ("--episode", name))


def unit_name(person: str, episode: str) -> str:
    """Name of the column that is made of both."""
    return f"{person}_{episode}"


def unit_labels(
    labels: pl.Series, frame: nw.DataFrame[Any], person: str, episode: str, origin: Origin, found: list[Finding]
) -> pl.Series | None:
    """Labels of person × episode in the file's order, '1001:2'; None with an error found.

    labels : of persons, none missing. person, episode : the columns.
    """
    import polars as pl

    numbers = person_labels(column(frame, episode), episode, origin, found, "episode")
    if numbers is None:
        return None
    one, other, unit = as_text(labels), as_text(numbers), unit_name(person, episode)
    both = (one + ":" + other).alias(unit)
    if both.n_unique() < pl.DataFrame({"person": one, "episode": other}).n_unique():
        what = f"Labels of {person!r} and {episode!r} hold colons, so that joined some are the same."
        found.append(Finding("error", "episode-colon", what, "", 0, "Replace the colons in one of the columns."))
        return None
    if unit in frame.columns and not both.equals(as_text(column(frame, unit))):
        what = f"There is a column {unit!r} already, which is to hold {person} and {episode}."
        found.append(Finding("error", "episode-name-taken", what, f"column {unit!r}", 0, "Rename this column."))
        return None
    return both


def with_unit(
    frame: nw.DataFrame[Any], unit: str, persons: np.ndarray, starts: np.ndarray, order: np.ndarray | None
) -> nw.DataFrame[Any]:
    """The frame with the column of person × episode, where it has none. persons, starts, order : as in `PersonRows`."""
    if unit in frame.columns:
        return frame
    labels = np.repeat(persons, np.diff(starts)).astype(object)
    if order is not None:
        placed = np.empty_like(labels)
        placed[order] = labels
        labels = placed
    return frame.with_columns(nw.new_series(unit, labels.tolist(), nw.String, backend=frame.implementation))


def several_treatments(frame: nw.DataFrame[Any], person: str, episode: str, n: int) -> Finding:
    """What a reader must know of a Panel with episodes. n : how many there are."""
    persons = column(frame, person).n_unique()
    what = (
        f"{counted(n, 'treatment')} of {counted(persons, 'person')}: each treatment ({unit_name(person, episode)}) "
        "counts as a person, so that no lag, trend, mean or number of sessions goes from one to the next."
    )
    group = person if person.isidentifier() else f"`{person}`"
    remedy = Wording(
        f"Treatments of one {person} are taken as independent unless a formula has (1 | {group}), or the person is "
        "the cluster: ",
        Argument(f"cluster={person!r}", ("--cluster", person)),
        ".",
    )
    return Finding("note", "episodes", what, f"column {episode!r}", n, remedy if n > persons else "")
