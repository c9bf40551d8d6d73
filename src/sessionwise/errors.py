"""One tree of errors. Every message says what is wrong, where it is, and what to do about it.

What to do may be an argument in Python and an option on the command line. Such a sentence is a `Wording`: a record
of its parts, from which each interface makes its words; no sentence is ever read back.
"""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Argument:
    """What a user is to write, in a sentence.

    python : an argument or a call, such as ``lag=1``. option : the words that a shell is to hand over for it, not yet
    quoted, such as ``("--lag", "1")``.
    """

    python: str
    option: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Datum:
    """What stands in a cell of the data, or is a person's label, in a sentence: for who has the data, not for a file
    that is passed on."""

    text: str


class Wording(str):
    """A sentence that names arguments: the text that Python shows, and `for_command_line` with options instead.

    parts : texts, Arguments, Data, and other Wordings, whose parts become its own.

    >>> said = Wording("Use ", Argument("lag=1", ("--lag", "1")), ".")
    >>> said
    'Use lag=1.'
    >>> said.for_command_line()
    'Use --lag 1.'
    >>> Wording("The first is ", Datum("'Smith'"), ".").without_data()
    'The first is ….'
    """

    __slots__ = ("_parts",)
    _parts: tuple[str | Argument | Datum, ...]

    def __new__(cls, *parts: str | Argument | Datum) -> Wording:
        flat = tuple(one for part in parts for one in (part.parts if isinstance(part, Wording) else (part,)))
        made = super().__new__(cls, "".join(_in_python(one) for one in flat))
        made._parts = flat
        return made

    @property
    def parts(self) -> tuple[str | Argument | Datum, ...]:
        """Texts, Arguments and Data, in their order."""
        return self._parts

    @property
    def holds_data(self) -> bool:
        """Whether it quotes a cell or a person's label."""
        return any(isinstance(one, Datum) for one in self._parts)

    def for_command_line(self) -> str:
        """The sentence with options, quoted as a shell takes them; still a Wording if it quotes data."""
        said = Wording(*(shlex.join(one.option) if isinstance(one, Argument) else one for one in self._parts))
        return said if self.holds_data else str(said)

    def without_data(self) -> Wording:
        """The sentence with '…' in the place of data."""
        return Wording(*("…" if isinstance(one, Datum) else one for one in self._parts))

    def __reduce__(self) -> tuple[object, ...]:
        return Wording, self._parts


def _in_python(part: str | Argument | Datum) -> str:
    match part:
        case Argument(python=text) | Datum(text):
            return text
    return part


#: A call of `read` around one of its arguments.
READ = "sessionwise.read(path, {})"


def missing_codes(codes: Mapping[str, Sequence[object]], *, more: bool = False, call: str = READ) -> Argument:
    """Codes to be declared missing in reading.

    codes : column -> numbers or texts; an Ellipsis among them stands for others. more : whether other columns have some
    too. call : around the argument, '{}' for nothing.

    >>> Wording("Declare them: ", missing_codes({"PHQ 9": [-9.0, "n/a"]}), ".").for_command_line()
    "Declare them: --missing 'PHQ 9=-9' --missing 'PHQ 9=n/a'."
    """
    python, option = [], []
    for column, own in codes.items():
        plain = [_whole(code) for code in own]
        python.append(f"{column!r}: [{', '.join('...' if code is ... else repr(code) for code in plain)}]")
        for code in plain:
            option += ["..."] if code is ... else ["--missing", f"{column}={code}"]
    if more:
        python.append("...")
        option.append("...")
    return Argument(call.format(f"missing={{{', '.join(python)}}}"), tuple(option))


def read_option(name: str, value: object = None, *, call: str = "{}") -> Argument:
    """Another argument of `read`: its name alone, with a value, or with a dict column -> value.

    >>> Wording("Say so: ", read_option("types", {"code": "text"}), ".").for_command_line()
    'Say so: --read types.code=text.'
    """
    if value is None:
        return Argument(call.format(f"{name}="), ("--read", f"{name}="))
    given = {f"{name}.{key}": one for key, one in value.items()} if isinstance(value, Mapping) else {name: value}
    option = (word for key, one in given.items() for word in ("--read", f"{key}={one}"))
    return Argument(call.format(f"{name}={value!r}"), tuple(option))


def joined(sentences: Sequence[str]) -> str:
    """Sentences with a space between them, none of whose parts is lost."""
    return Wording(*(part for i, one in enumerate(sentences) for part in ([" ", one] if i else [one])))


def model_option(name: str, value: object) -> Argument:
    """A field of a model's description, and the option of `fit` for it.

    value : text, a number, a tuple of waves, True for what is switched on, or a list of one.

    >>> Wording("Use ", model_option("residuals", "equal"), ".").for_command_line()
    'Use --residuals equal.'
    """
    flag = f"--{name.replace('_', '-')}"
    several = value if isinstance(value, list | tuple) else [value]
    words = (flag,) if value is True else (flag, ",".join(map(str, several)))
    return Argument(f"{name}={value!r}", words)


def _whole(code: object) -> object:
    """A whole number as one: -9.0 is -9."""
    if not isinstance(code, float):
        return code
    return int(code) if code.is_integer() and abs(code) < 1e15 else float(code)


class SessionwiseError(Exception):
    """Base of every error this package raises on purpose.

    Parameters
    ----------
    what : what is wrong, one sentence.
    where : file, row, person, session or column, as the user knows them; empty if it is everywhere.
    remedy : what the user can do, one sentence. Like `what` it is a Wording where it names an argument.
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


class ForkError(SessionwiseError):
    """The process was forked from one that had used tables."""


class ModelWarning(UserWarning):
    """What a reader of a table must know and it has no place for, such as few clusters or lost replicates."""


def nearest(name: str, known: Iterable[str]) -> str:
    """``" Did you mean 'x'?"`` for the known name closest to `name`, or an empty string."""
    known = list(known)
    by_lower = {str(k).lower(): k for k in known}
    close = difflib.get_close_matches(str(name).lower(), by_lower, n=1, cutoff=0.6)
    return f" Did you mean {by_lower[close[0]]!r}?" if close else ""


def some(things: Iterable[object], most: int = 5) -> str:
    """The first few of `things` in one line, with how many more there are."""
    things = list(things)
    text = ", ".join(str(t) for t in things[:most])
    rest = len(things) - most
    return f"{text} and {rest} more" if rest > 0 else text
