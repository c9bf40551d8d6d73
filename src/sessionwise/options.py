"""Options: what an argument may be, checked once, with an error that says what was meant."""

from __future__ import annotations

import inspect
import math
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from functools import wraps
from numbers import Integral, Real
from typing import Any, TypeVar, cast

from .errors import ModelError, SessionwiseError, nearest, some

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Kind:
    """What an argument may be.

    noun : in a sentence, such as 'a whole number, 0 or more'. holds : whether a value is one. remedy : where it is more
    than to give one. wrong : what is said of another value.
    """

    noun: str
    holds: Callable[[Any], bool]
    remedy: str = ""
    wrong: str = "{name} is {value}, not {noun}."

    def __or__(self, other: Kind) -> Kind:
        """One or the other."""
        return Kind(f"{self.noun} or {other.noun}", lambda value: self.holds(value) or other.holds(value))


def takes(error: type[SessionwiseError] = ModelError, /, **kinds: Kind) -> Callable[[F], F]:
    """Decorates a public function: arguments of another kind are refused before any library below sees them.

    A parameter's own default is always taken, so that one which may be left out may be None without saying so.

    >>> @takes(persons=whole_number(1))
    ... def drawn(persons):
    ...     return persons
    >>> drawn(2.5)
    Traceback (most recent call last):
    sessionwise.errors.ModelError: persons is 2.5, not a whole number, 1 or more.
      remedy: Give a whole number, 1 or more.
    """

    def decorate(function: F) -> F:
        signature = inspect.signature(function)
        left_out = {name: parameter.default for name, parameter in signature.parameters.items()}

        @wraps(function)
        def checked(*args: Any, **kwargs: Any) -> Any:
            try:
                given = signature.bind(*args, **kwargs).arguments
            except TypeError:
                given = {}  # Python's own error says which argument is missing or unknown
            for name, kind in kinds.items():
                if name in given and given[name] is not left_out[name]:
                    of_kind(name, given[name], kind, error)
            return function(*args, **kwargs)

        return cast(F, checked)

    return decorate


def fields_of_kind(described: Any, error: type[SessionwiseError] = ModelError, /, **kinds: Kind) -> None:
    """Stop at a field of a description that is of another kind; one that is as it is by default is taken.

    Raises
    ------
    SessionwiseError : see `of_kind`.
    """
    defaults = {f.name: f.default for f in fields(described)}
    for name, kind in kinds.items():
        value = getattr(described, name)
        if value is not defaults[name]:
            of_kind(name, value, kind, error)


def of_kind(name: str, value: object, kind: Kind, error: type[SessionwiseError] = ModelError) -> None:
    """Stop at an argument of another kind.

    Raises
    ------
    SessionwiseError : "person is ['id'], not the name of a column.", with the one name of a list as the remedy.
    """
    if kind.holds(value):
        return
    remedy = kind.remedy or f"Give {kind.noun}."
    alone = list(value) if isinstance(value, list | tuple | set) else []
    if len(alone) == 1 and kind.holds(alone[0]):
        remedy = f"Give it alone: {name}={alone[0]!r}."
    raise error(kind.wrong.format(name=name, value=shown(value), noun=kind.noun), remedy=remedy)


def shown(value: object) -> str:
    """A value that was given, in a sentence: as it is written if that is short, else what it is."""
    plain = value is None or isinstance(value, str | int | float | list | tuple | set | dict)
    written = repr(value) if plain else ""
    if plain and len(written) <= 60 and " object at 0x" not in written:
        return written
    kind = type(value).__name__
    return f"{'an' if kind[0].lower() in 'aeiou' else 'a'} {kind}"


def is_number(value: object) -> bool:
    """Whether it is a number, and not NaN."""
    return isinstance(value, Real) and not isinstance(value, bool) and not math.isnan(value)


def is_whole(value: object) -> bool:
    """Whether it is an integer of any library; true and false are none."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def a_number(above: float = -math.inf, below: float = math.inf) -> Kind:
    """A finite number between two others, both left out."""
    limits = [f"above {above:g}"] * (above > -math.inf) + [f"below {below:g}"] * (below < math.inf)
    return Kind(
        " ".join(["a number", " and ".join(limits)]).strip(), lambda value: is_number(value) and above < value < below
    )


def whole_number(least: int, most: int = 2**63 - 1) -> Kind:
    """A whole number of at least so much."""
    return Kind(f"a whole number, {least} or more", lambda value: is_whole(value) and least <= value <= most)


def an_object(*classes: str) -> Kind:
    """One of the package's own objects, by the names of their classes, which may stand above the caller."""
    nouns = [f"{'an' if name[0] in 'AEIOUM' and name[:2] not in ('Mo', 'Un') else 'a'} {name}" for name in classes]
    return Kind(
        " or ".join(nouns),
        lambda value: any(c.__name__ in classes and c.__module__.startswith("sessionwise") for c in type(value).mro()),
    )


def all_objects(value: object, name: str) -> bool:
    """Whether it holds nothing but the package's own objects of a class."""
    several = isinstance(value, list | tuple) or an_object(f"{name}s").holds(value)
    return several and all(map(an_object(name).holds, cast("Iterable[object]", value)))


def _are_names(value: object) -> bool:
    if isinstance(value, str):
        return bool(value)
    several = isinstance(value, Iterable) and not isinstance(value, Mapping) and not hasattr(value, "columns")
    return several and all(isinstance(one, str) for one in cast("Iterable[object]", value))


def _are_numbers(value: object) -> bool:
    import numpy as np

    if isinstance(value, np.ndarray):
        return value.ndim == 1 and value.dtype.kind in "biuf"
    try:
        return np.asarray(list(value) if isinstance(value, set) else value, np.float64).ndim == 1
    except (TypeError, ValueError):
        return False


def _are_instruments(value: object) -> bool:
    one = A_PATH | an_object("Instrument")
    several = isinstance(value, list | tuple | Mapping) and all(map(one.holds, value))
    return one.holds(value) or several


A_NAME = Kind("the name of a column", lambda value: isinstance(value, str) and bool(value))
NAMES = Kind("a list of names", _are_names)
TEXT = Kind("text", lambda value: isinstance(value, str))
TEXTS = Kind("a list of texts", lambda value: isinstance(value, list | tuple) and _are_names(value))
A_FORMULA = Kind("a formula such as 'y ~ x + (1 | person)'", lambda value: isinstance(value, str))
NUMBERS = Kind("a list of numbers", _are_numbers)
A_DICT = Kind("a dict", lambda value: isinstance(value, Mapping))
YES_OR_NO = Kind("True or False", lambda value: type(value).__name__ in ("bool", "bool_"))
A_LEVEL = Kind("a level of confidence between 0 and 1, such as 0.95", lambda value: is_number(value) and 0 < value < 1)
#: As many digits as NumPy takes.
A_SEED = whole_number(0, 2**256)
A_PATH = Kind("the path of a file", lambda value: isinstance(value, str | os.PathLike) and bool(os.fspath(value)))
A_FUNCTION = Kind("a function", callable)
A_LIST = Kind("a list", lambda value: isinstance(value, list | tuple) or an_object("Findings").holds(value))
LABELS = Kind("a list of labels", lambda value: not isinstance(value, str | Mapping) and hasattr(value, "__len__"))
PANEL = Kind(
    "a Panel",
    an_object("Panel").holds,
    "Make one of it first: sw.Panel(table, person=..., session=...).",
    "{value} is no Panel.",
)
A_SHARE = Kind("a probability from 0 up to, not including, 1", lambda value: is_number(value) and 0 <= value < 1)
A_WIDTH = whole_number(1, 100_000)
A_CHART = Kind("a figure of sessionwise.plot", lambda value: hasattr(value, "to_dict") and hasattr(value, "encoding"))
PERSONS = Kind(
    "a list of person labels", lambda value: isinstance(value, Iterable) and not isinstance(value, str | Mapping)
)
FINDINGS = Kind("Findings", lambda value: all_objects(value, "Finding"))
RECORDS = Kind("a list of records", lambda value: isinstance(value, Iterable) and not isinstance(value, str))
MASK = Kind("an array of true or false", lambda value: getattr(value, "ndim", 0) == 1 and value.dtype.kind == "b")
ITEMS = Kind("the names of the items' columns", lambda value: isinstance(value, Mapping) or _are_names(value))
ESTIMATES = Kind("a list of estimates", lambda value: isinstance(value, Iterable) and not isinstance(value, str))
#: One instrument or several, by name, file or object; or with their items.
INSTRUMENTS = Kind("an instrument, or a list of them", lambda value: _are_instruments(value))
DEGREES_OF_FREEDOM = TEXT | a_number(0)


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
    if not ((value is None or isinstance(value, str | int | float)) and value in choices):
        hint = nearest(
            value if isinstance(value, str) else "", [choice for choice in choices if isinstance(choice, str)]
        )
        raise error(
            f"{what} is {shown(value)}.{hint}", where=where, remedy=f"Use one of {', '.join(map(repr, choices))}."
        )


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
    of_kind(kind, name, Kind(f"the name of a {kind}", lambda given: isinstance(given, str)), error)
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
    if not (is_number(level) and 0 < level < 1):
        raise error(f"level is {shown(level)}.", remedy="Give a level of confidence between 0 and 1, such as 0.95.")
    return level
