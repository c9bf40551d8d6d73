"""Settings: what `analyze` is asked for, from the command line and from a study.toml.

A key of the file is the name of an option, as `first-sessions` or `first_sessions`; what is given on the command line
goes before what the file says.
"""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_args

from ..errors import SessionwiseError, nearest
from ..study.study import Expected, Order

#: Plural forms that one would write in a file.
_PLURALS = {"moderators": "moderator", "covariates": "covariate", "instruments": "instrument"}
#: Settings with few possible values.
_CHOICES = {
    "trend": ("linear", "quadratic", "none"),
    "order": get_args(Order),
    "expected": get_args(Expected),
    "out_of_range": ("error", "missing"),
}
#: Where results go: no part of what was asked.
_OUTPUTS = ("output", "results", "docx")


@dataclass(frozen=True, slots=True)
class Settings:
    """One field for each option of `analyze`; None or empty: not given."""

    file: Path | None = None
    person: str | None = None
    session: str | None = None
    cluster: str | None = None
    time: str | None = None
    outcome: str | None = None
    process: str | None = None
    moderator: tuple[str, ...] = ()
    covariate: tuple[str, ...] = ()
    trend: str | None = None
    lag: int | None = None
    order: str | None = None
    expected: str | None = None
    first_sessions: int | None = None
    as_scored: tuple[str, ...] = ()
    instrument: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    already_reversed: bool = False
    out_of_range: str | None = None
    missing: tuple[str, ...] = ()
    wide: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    number_by: str | None = None
    output: Path | None = None
    results: Path | None = None
    docx: bool = False

    def command(self) -> str:
        """How to ask for it again; where results go is left out, so that the same question has one text."""
        words = ["sessionwise", "analyze", self.file.name if self.file else ""]
        for f in fields(self)[1:]:
            value = getattr(self, f.name)
            if value in (None, (), False) or f.name in _OUTPUTS:
                continue
            option = f"--{f.name.replace('_', '-')}"
            if value is True:
                words.append(option)
            for text in value if isinstance(value, tuple) else () if value is True else (value,):
                words += [option, str(text)]
        return shlex.join(words)


def settings(given: Mapping[str, Any], config: Path | None) -> Settings:
    """given : by field, from the command line. config : the file, if any.

    Raises
    ------
    SessionwiseError : the file cannot be read, holds an unknown key, or a value that there is not.
    """
    told = _from_file(config) if config is not None else {}
    for name, value in given.items():
        if value not in (None, (), [], False):
            _is_choice(f"--{name.replace('_', '-')}", name, value, "")
            told[name] = tuple(value) if isinstance(value, list) else value
    return Settings(**told)


def _is_choice(said: str, name: str, value: Any, where: str) -> None:
    choices = _CHOICES.get(name)
    if choices and value not in choices:
        raise SessionwiseError(
            f"{said} is {value!r}.{nearest(str(value), choices)}",
            where=where,
            remedy=f"Use one of {', '.join(map(repr, choices))}.",
        )


def _from_file(config: Path) -> dict[str, Any]:
    """Settings of a file; paths in it start from its own folder."""
    try:
        held = tomllib.loads(config.read_text(encoding="utf-8"))
    except OSError as error:
        raise SessionwiseError(
            f"cannot read the settings: {error.strerror or type(error).__name__}.",
            where=str(config),
            remedy="Check the path.",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SessionwiseError(
            f"the settings are no TOML: {error}.",
            where=str(config),
            remedy='Write one key a line, such as: outcome = "core_om"',
        ) from error
    told = {}
    for key, value in held.items():
        name = _name(key, value, config)
        told[name] = _KINDS[name](key, value, config)
        _is_choice(key, name, told[name], str(config))
    for name in ("file", "output", "results"):
        if name in told:
            told[name] = config.parent / told[name]
    own = told.get("instrument", ())
    return told | {"instrument": tuple(str(config.parent / n) if n.endswith(".toml") else n for n in own)}


def _name(key: str, value: Any, config: Path) -> str:
    name = key.replace("-", "_")
    name = _PLURALS.get(name, name)
    if name not in _KINDS:
        known = [n.replace("_", "-") for n in _KINDS]
        table = isinstance(value, Mapping)
        what = f"there is no table [{key}] in the settings." if table else f"there is no setting {key!r}."
        top = f"Keys stand at the top of the file: leave out the line [{key}]. " if table else ""
        raise SessionwiseError(
            what + nearest(key, known), where=str(config), remedy=f"{top}Settings: {', '.join(known)}."
        )
    return name


def _wrong(key: str, value: Any, config: Path, needed: str) -> SessionwiseError:
    return SessionwiseError(f"{key} is {value!r}.", where=str(config), remedy=f"Give {needed}.")


def _text(key: str, value: Any, config: Path) -> str:
    if not isinstance(value, str):
        raise _wrong(key, value, config, "text in quotes")
    return value


def _path(key: str, value: Any, config: Path) -> Path:
    return Path(_text(key, value, config))


def _number(key: str, value: Any, config: Path) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong(key, value, config, "a whole number")
    return value


def _flag(key: str, value: Any, config: Path) -> bool:
    if not isinstance(value, bool):
        raise _wrong(key, value, config, "true or false")
    return value


def _texts(key: str, value: Any, config: Path) -> tuple[str, ...]:
    """One text or number, a list of them, or a table: {wai-sr = "1-7"} is wai-sr=1-7."""
    if isinstance(value, Mapping):
        return tuple(f"{k}={one}" for k, v in value.items() for one in _texts(f"{key}.{k}", v, config))
    several = value if isinstance(value, list) else [value]
    if any(isinstance(v, bool | list | Mapping) or not isinstance(v, str | int | float) for v in several):
        raise _wrong(key, value, config, 'text in quotes, or a list of texts such as ["a", "b"]')
    return tuple(map(str, several))


_READERS: dict[str, Callable[[str, Any, Path], Any]] = {
    "Path | None": _path,
    "str | None": _text,
    "int | None": _number,
    "bool": _flag,
    "tuple[str, ...]": _texts,
}
_KINDS = {f.name: _READERS[str(f.type)] for f in fields(Settings)}
