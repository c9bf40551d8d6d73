"""Guesses: columns that were not named, where only one can be meant. What is guessed is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import InstrumentError, ScoreError, SessionwiseError, some
from ..options import known_name
from ..words import agree, listed

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


def role(what: str, columns: Sequence[str]) -> str | None:
    """The one column that is named like a person, session or cluster; None if none is.

    Raises
    ------
    SessionwiseError : several are.
    """
    found = [name for name in columns if "".join(c for c in name.lower() if c.isalnum()) in NAMES[what]]
    if len(found) > 1:
        raise SessionwiseError(
            f"no {what} column was named, and it could be any of {some([repr(n) for n in found])}.",
            remedy=f"Add --{what} and its name.",
        )
    return found[0] if found else None


def no_role(what: str, columns: Sequence[str]) -> SessionwiseError:
    """That a column is needed and none is named like one."""
    return SessionwiseError(
        f"no {what} column was named, and none of the columns has such a name.",
        where=f"columns: {some(columns, 12)}",
        remedy=f"Add --{what} and its name."
        if what != "session"
        else "Add --session and its name; or --wide if each person has one row; or --number-by and a column of dates.",
    )


def instruments_in(columns: Sequence[str]) -> tuple[str, ...]:
    """Names of the instruments all of whose items are there."""
    from ..scoring import instrument, instruments, item_columns

    found = []
    for name in instruments():
        try:
            item_columns(instrument(name), columns)
        except (ScoreError, InstrumentError):
            continue
        found.append(name)
    return tuple(found)


def scales(panel: Panel, outcome: str | None, process: str | None) -> tuple[str, str]:
    """Outcome and process, those missing filled in: the only two scores of instruments, of which one is better when it
    is high (the process) and one when it is low (the outcome).

    Raises
    ------
    SessionwiseError : it cannot be told.
    """
    known = {column: key for column, key in _totals().items() if column in panel}
    rest = [column for column in known if column not in (outcome, process)]
    if outcome is None and process is None and len(rest) == 2:
        worse = [column for column in rest if known[column].higher == "worse"]
        if len(worse) == 1:
            return worse[0], next(column for column in rest if column not in worse)
    if (outcome is None) != (process is None) and len(rest) == 1:
        return outcome or rest[0], process or rest[0]
    if outcome is not None and process is not None:
        return outcome, process
    lacking = [option for option, name in (("--outcome", outcome), ("--process", process)) if name is None]
    raise SessionwiseError(
        f"{listed(lacking)} {agree(len(lacking), 'is', 'are')} not given, nor told by the columns.",
        where=f"columns: {some(_numeric(panel), 12)}",
        remedy=f"Add {listed([f'{option} NAME' for option in lacking])}; or -i INSTRUMENT, if there are items.",
    )


def not_scored(panel: Panel, columns: Sequence[str]) -> None:
    """Refuse a column that is not there, with the instrument that would give it.

    Raises
    ------
    SessionwiseError : a column is missing.
    """
    made = {column: key.name for key in _totals().values() for column in key.columns}
    for name in columns:
        if name not in panel and name in made:
            raise SessionwiseError(
                f"there is no column {name!r} yet.",
                where=f"columns: {some(panel.columns, 12)}",
                remedy=f"Add -i {made[name]}, which scores it from its items.",
            )
        known_name("column", name, panel.columns, SessionwiseError)


def no_numbers(panel: Panel, names: dict[str, str]) -> None:
    """Refuse an outcome or process that holds text. names : option -> column.

    Raises
    ------
    SessionwiseError : one does.
    """
    for option, name in names.items():
        if panel.is_numeric(name):
            continue
        held = panel.labels(name).levels.tolist()
        if not held:
            raise SessionwiseError(f"the {option} {name!r} has no value in any session.", remedy="Name another column.")
        odd = [text for text in map(str, held) if not _is_number(text)] or list(map(str, held))
        raise SessionwiseError(
            f"the {option} {name!r} holds text, not numbers.",
            where=f"such as {some([repr(text) for text in odd])}",
            remedy=f"Declare what means missing: --missing {name}=CODE; or say how numbers are written: "
            "--read decimal=, ; or correct the file.",
        )


def _is_number(text: str) -> bool:
    try:
        return abs(float(text)) < float("inf")
    except ValueError:
        return False


def _totals() -> dict[str, Instrument]:
    """Column of each instrument's total -> instrument."""
    from ..scoring import instrument, instruments

    keys = [instrument(name) for name in instruments()]
    return {key.columns[0]: key for key in keys}


def _numeric(panel: Panel) -> list[str]:
    roles = panel.roles.named().values()
    return [name for name in panel.columns if name not in roles and panel.is_numeric(name)]
