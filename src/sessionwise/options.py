"""Options: what an argument may be, checked once, with an error that says what was meant."""

from __future__ import annotations

from collections.abc import Iterable

from .errors import ModelError, SessionwiseError, nearest, some


def one_of(
    what: str,
    value: object,
    choices: Iterable[object],
    error: type[SessionwiseError] = ModelError,
    *,
    where: str = "",
) -> None:
    """Stop at an option that is none of its choices.

    Parameters
    ----------
    what : the option's name, as the user writes it.
    choices : what it may be; None among them if it may be left out.
    error : the class to raise. where : the place, if it is not the call.

    Raises
    ------
    SessionwiseError : "lags is 'eqal'. Did you mean 'equal'?", with all choices as the remedy.
    """
    choices = tuple(choices)
    if value not in choices:
        hint = nearest(str(value), [choice for choice in choices if isinstance(choice, str)])
        raise error(f"{what} is {value!r}.{hint}", where=where, remedy=f"Use one of {', '.join(map(repr, choices))}.")


def known_name(
    kind: str,
    name: str,
    known: Iterable[str],
    error: type[SessionwiseError] = ModelError,
    *,
    where: str = "",
    remedy: str = "",
) -> None:
    """Stop at the name of something that is not there.

    Parameters
    ----------
    kind : what bears the name: 'column', 'coefficient', ...
    known : the names there are.
    error : the class to raise. where : the place. remedy : default to use one of those known.

    Raises
    ------
    SessionwiseError : "there is no column 'wai'. Did you mean 'wai_sr'?"
    """
    known = tuple(known)
    if name not in known:
        what = f"there is no {kind} {name!r}.{nearest(str(name), known)}"
        raise error(what, where=where, remedy=remedy or f"Use one of {some(known, 12)}.")


def valid_level(level: float, error: type[SessionwiseError] = ModelError) -> float:
    """A level of confidence, which is between 0 and 1; given back as it is.

    Raises
    ------
    SessionwiseError : another number, such as 95.
    """
    if not 0 < level < 1:
        raise error(f"level is {level}.", remedy="Give a level of confidence between 0 and 1, such as 0.95.")
    return level
