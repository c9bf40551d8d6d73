"""One tree of errors. Every message says what is wrong, where it is, and what to do about it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SessionwiseError(Exception):
    """Base of every error this package raises on purpose.

    Parameters
    ----------
    what : what is wrong, one sentence.
    where : file, row, person, session or column, as the user knows them; empty if it is everywhere.
    remedy : what the user can do, one sentence.
    """

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        self.what = what
        self.where = where
        self.remedy = remedy
        lines = [what]
        if where:
            lines.append(f"  where:  {where}")
        if remedy:
            lines.append(f"  remedy: {remedy}")
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions pickle by their positional arguments; ours are keyword-only.
        return _rebuild, (type(self), self.what, self.where, self.remedy)


def _rebuild(kind: type[SessionwiseError], what: str, where: str, remedy: str) -> SessionwiseError:
    return kind(what, where=where, remedy=remedy)


class ReadError(SessionwiseError):
    """A file could not be read as a table."""


class PanelError(SessionwiseError):
    """A table could not become a Panel, or a Panel was asked for something it does not have."""


class InstrumentError(SessionwiseError):
    """An instrument file is malformed, or an instrument is not known."""


class ScoreError(SessionwiseError):
    """Items could not be found, or hold answers the instrument does not allow."""


class FormulaError(SessionwiseError):
    """A formula could not be understood, or names a column or function that is not there."""


class DesignError(SessionwiseError):
    """The columns of a model could not be made from the data, or no model could be fitted to them."""


class GramError(SessionwiseError):
    """Cross-products could not be formed, added or sliced."""


class ModelError(SessionwiseError):
    """A model cannot be fitted to these data, or a fit cannot give what it was asked for."""


class StudyError(SessionwiseError):
    """A study cannot be made of these columns or options."""


class ModelWarning(UserWarning):
    """What a reader of a table must know and it has no place for, such as few clusters or lost replicates."""


def nearest(name: str, known: Iterable[str]) -> str:
    """``" Did you mean 'x'?"`` for the known name closest to `name`, or an empty string."""
    known = list(known)
    by_lower = {k.lower(): k for k in known}
    close = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return f" Did you mean {by_lower[close[0]]!r}?" if close else ""


def some(things: Iterable[object], most: int = 5) -> str:
    """The first few of `things` in one line, with how many more there are."""
    things = list(things)
    text = ", ".join(str(t) for t in things[:most])
    rest = len(things) - most
    return f"{text} and {rest} more" if rest > 0 else text
