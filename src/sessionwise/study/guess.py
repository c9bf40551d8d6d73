"""Guess: columns that were not named, where only one can be meant. What is guessed is told.

What is refused here, and what to do about it, is said by the functions at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import (
    READ,
    SessionwiseError,
    Wording,
    missing_codes,
    nearest,
    read_option,
    some,
)
from ..panel.episodes import episode_column

if TYPE_CHECKING:
    from ..panel import Panel
    from ..scoring import Instrument

#: Names of columns, without signs and in small letters.
NAMES = {
    "person": {
        f"{name}{tail}"
        for name in ("patient", "person", "client", "participant", "subject", "case", "record", "pat", "subj")
        for tail in ("", "id", "no", "nr", "number", "code")
    }
    | {"id", "pid"},
    "session": {
        f"{name}{tail}"
        for name in ("session", "sess", "visit", "occasion", "wave")
        for tail in ("", "no", "nr", "number", "num", "id")
    },
    "cluster": {
        f"{name}{tail}" for name in ("therapist", "clinician", "counsellor", "counselor") for tail in ("", "id")
    },
}


@dataclass(frozen=True, slots=True)
class GuessedRoles:
    """Columns of persons, sessions, clusters and episodes, as they were named or else taken by their names.

    person : None if each row of a wide file is one. session : None if it is to be made, of a wide or a dated file.
    guessed : role -> what was taken for it, of the roles that were not named.
    """

    person: str | None
    session: str | None
    cluster: str | None
    guessed: Mapping[str, str]
    episode: str | None = None


@dataclass(frozen=True, slots=True)
class GuessedScales:
    """Columns of outcome and process, as they were named or else taken. guessed : 'outcome', 'process' -> column, of
    what was not named."""

    outcome: str
    process: str
    guessed: Mapping[str, str]


def roles(
    columns: Callable[[], Sequence[str]],
    *,
    person: str | None,
    session: str | None,
    cluster: str | None,
    wide: bool,
    dated: bool,
    episode: str | None = None,
    how_to_turn: Callable[[], str] = str,
) -> GuessedRoles:
    """Who, when, with whom and in which treatment. Clusters and episodes are looked for only where a person or session
    is, and episodes not in a wide file.

    columns : the file's, read if they are needed. person, session, cluster, episode : as named.
    wide : one row a person, so that no column of sessions is needed. dated : sessions are numbered by their dates.
    how_to_turn : what to do with the file if it looks wide, else nothing; asked if no column of sessions is found.

    Raises
    ------
    SessionwiseError : no column is named like a person or session, or several are.
    """
    named = {"person": person, "session": session, "cluster": cluster}
    has_sessions = bool(session or wide or dated)
    if person and has_sessions:
        return GuessedRoles(person, session, cluster, {}, episode)
    names = columns()
    guessed: dict[str, str] = {}
    for what in named:
        if named[what] or (what == "session" and has_sessions):
            continue
        column = role(what, [name for name in names if name not in named.values()])
        if column is not None:
            named[what] = guessed[what] = column
        elif what == "person" and wide:
            guessed[what] = "each row"
        elif what != "cluster":
            raise _no_role(what, names, how_to_turn() if what == "session" else "")
    if episode is None and not wide:
        episode = episode_column([name for name in names if name not in named.values()])
        guessed |= {"episode": episode} if episode else {}
    return GuessedRoles(named["person"], named["session"], named["cluster"], guessed, episode)


def role(what: str, columns: Sequence[str]) -> str | None:
    """The one column that is named like a person, session or cluster; None if none is.

    Raises
    ------
    SessionwiseError : several are.
    """
    alike = [name for name in columns if "".join(c for c in name.lower() if c.isalnum()) in NAMES[what]]
    if len(alike) > 1:
        raise _several_for_role(what, alike)
    return alike[0] if alike else None


def instruments(columns: Sequence[str], outcome: str | None, process: str | None) -> tuple[str, ...]:
    """The only two instruments all of whose items are there, if outcome or process was not named; else none.

    Columns that two instruments' items could be, such as the PHQ-8's in a PHQ-9, are the longer one's.
    """
    from ..scoring import answered

    if outcome and process:
        return ()
    found, _ = answered(columns)
    return tuple(sorted(one.instrument.name for one in found)) if len(found) == 2 else ()


def scales(panel: Panel, outcome: str | None, process: str | None, others: Sequence[str] = ()) -> GuessedScales:
    """Outcome and process: as named, or the only two scores of instruments, of which one is better when it is high (the
    process) and one when it is low (the outcome).

    others : further columns that the study needs.

    Raises
    ------
    SessionwiseError : a column is not there, outcome or process holds no numbers or cannot be told.
    """
    for name in (outcome, process, *others):
        if name and name not in panel:
            raise _no_column(panel, name)
    pair = _pair(panel, outcome, process)
    for what, name in zip(("outcome", "process"), pair, strict=True):
        if not panel.is_numeric(name):
            raise _no_numbers(panel, what, name)
    named = {"outcome": outcome, "process": process}
    guessed = {what: name for what, name in zip(named, pair, strict=True) if not named[what]}
    return GuessedScales(*pair, guessed)


def _pair(panel: Panel, outcome: str | None, process: str | None) -> tuple[str, str]:
    """Columns of outcome and process. What is an item, such as 'phq_9' after 'phq_8', is no score."""
    from ..scoring import answered

    items = {column for one in answered(panel.columns)[0] for column in one.columns.values()}
    known = {column: key for column, key in _totals().items() if column in panel and column not in items}
    rest = [column for column in known if column not in (outcome, process)]
    if outcome is None and process is None and len(rest) == 2:
        worse = [column for column in rest if known[column].higher == "worse"]
        if len(worse) == 1:
            return worse[0], next(column for column in rest if column not in worse)
    if (outcome is None) != (process is None) and len(rest) == 1:
        return outcome or rest[0], process or rest[0]
    if outcome is not None and process is not None:
        return outcome, process
    raise _no_scales(panel, [what for what, name in (("outcome", outcome), ("process", process)) if name is None])


def _totals() -> dict[str, Instrument]:
    """Column of each instrument's total -> instrument."""
    from ..scoring import instrument
    from ..scoring import instruments as known

    keys = [instrument(name) for name in known()]
    return {key.columns[0]: key for key in keys}


# --- what is refused ----------------------------------------------------------------------------


def _several_for_role(what: str, columns: Sequence[str]) -> SessionwiseError:
    return SessionwiseError(
        f"no {what} column was named, and it could be any of {some([repr(name) for name in columns])}.",
        remedy=f"Add --{what} and its name.",
    )


def _no_role(what: str, columns: Sequence[str], how_to_turn: str) -> SessionwiseError:
    other = "; or --wide if each person has one row; or --number-by and a column of dates" if what == "session" else ""
    return SessionwiseError(
        f"no {what} column was named, and none of the columns has such a name.",
        where=f"columns: {some(columns, 12)}",
        remedy=how_to_turn or f"Add --{what} and its name{other}.",
    )


def _no_scales(panel: Panel, lacking: Sequence[str]) -> SessionwiseError:
    taken = panel.roles.taken().values()
    numeric = [name for name in panel.columns if name not in taken and panel.is_numeric(name)]
    return SessionwiseError(
        f"{' and '.join(f'--{what}' for what in lacking)} {'are' if len(lacking) > 1 else 'is'} not given, "
        "nor told by the columns.",
        where=f"columns: {some(numeric, 12)}",
        remedy=f"Add {' and '.join(f'--{what} NAME' for what in lacking)}; or -i INSTRUMENT, if there are items.",
    )


def _no_column(panel: Panel, name: str) -> SessionwiseError:
    """With the instrument that would give it, if there is one."""
    where = f"columns: {some(panel.columns, 12)}"
    key = next((key for key in _totals().values() if name in key.columns), None)
    if key is not None:
        return SessionwiseError(
            f"there is no column {name!r} yet.",
            where=where,
            remedy=f"Add -i {key.name}, which scores it from its items.",
        )
    return SessionwiseError(
        f"there is no column {name!r}.{nearest(name, panel.columns)}", where=where, remedy="Use one of these columns."
    )


def _no_numbers(panel: Panel, what: str, name: str) -> SessionwiseError:
    texts = [str(level) for level in panel.labels(name).levels.tolist()]
    if not texts:
        return SessionwiseError(f"the {what} {name!r} has no value in any session.", remedy="Name another column.")
    odd = [text for text in texts if not _is_number(text)] or texts
    return SessionwiseError(
        f"the {what} {name!r} holds text, not numbers.",
        where=f"such as {some([repr(text) for text in odd])}",
        remedy=Wording(
            "Declare what means missing: ",
            missing_codes({name: ["CODE"]}),
            "; or say how numbers are written: ",
            read_option("decimal", ",", call=READ),
            " ; or correct the file.",
        ),
    )


def _is_number(text: str) -> bool:
    try:
        return abs(float(text)) < float("inf")
    except ValueError:
        return False
