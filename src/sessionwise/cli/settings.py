"""Settings: what `analyze` is asked for, from the command line and from a study.toml.

A key of the file is the name of an option, as `first-sessions` or `first_sessions`; what is given on the command line
goes before what the file says.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from ..errors import SessionwiseError, nearest
from .answering import Answering
from .files import SessionsFile
from .options import (
    OUT_OF_RANGE,
    SINGULAR,
    OptionsOf,
    OutOfRange,
    Values,
    built,
    chosen,
    flag,
    literals,
    options,
    used,
    values_of,
)
from .places import ReportFiles

if TYPE_CHECKING:
    from ..study import Study


@dataclass(frozen=True, slots=True)
class Settings:
    """One field for each option of `analyze`, here or in one of the parts; None or empty: not given."""

    sessions: SessionsFile
    outcome: Annotated[str | None, typer.Option(help="What treatment is to change, such as core_om.")] = None
    process: Annotated[str | None, typer.Option(help="What is thought to change it, such as wai_sr.")] = None
    moderator: Annotated[tuple[str, ...], typer.Option(help="Does the effect depend on it? Repeat for more.")] = ()
    covariate: Annotated[tuple[str, ...], typer.Option(help="Held constant; repeat for more.")] = ()
    trend: Annotated[
        str | None, typer.Option(help="Over sessions: 'free' (default), 'linear', 'quadratic', 'none'.")
    ] = None
    lag: Annotated[int | None, typer.Option(help="Sessions from predictor to response (default 1).")] = None
    order: Annotated[
        str | None, typer.Option(help="In a session: 'outcome first' (default), 'process first', 'together'.")
    ] = None
    expected: Annotated[
        str | None, typer.Option(help="Direction of the effect: 'negative', 'positive'; default from the instruments.")
    ] = None
    first_sessions: Annotated[int | None, typer.Option(help="How many, for analyses of first sessions.")] = None
    as_scored: Annotated[
        tuple[str, ...],
        typer.Option(help="Column whose values are scores, however odd, few or labelled; repeat for more."),
    ] = ()
    dynamic: Annotated[
        bool, typer.Option("--dynamic", help="Fit the dynamic model (DSEM) also to more than 20,000 sessions.")
    ] = False
    quick: Annotated[
        bool, typer.Option("--quick", help="Leave out the dynamic model, which takes seconds and gives the answer.")
    ] = False
    reliability: Annotated[
        tuple[str, ...],
        typer.Option(help="Of change, for the dynamic model, such as wai_sr=0.8; default from items. Repeat."),
    ] = ()
    files: ReportFiles = field(default_factory=ReportFiles)
    answering: Answering = field(default_factory=Answering)
    out_of_range: OutOfRange = None

    def study(self) -> Study:
        """The question; what was not said is left to Study.

        Raises
        ------
        StudyError : options that there are not. SessionwiseError : both --dynamic and --quick.
        """
        from ..study import Study

        given = used({f.name: getattr(self, SINGULAR.get(f.name, f.name)) for f in fields(Study)})
        if self.quick:
            if self.dynamic:
                raise SessionwiseError("--dynamic and --quick exclude each other.", remedy="Leave one of them out.")
            given["dynamic"] = False
        if self.reliability:
            given["reliability"] = dict(map(_share, self.reliability))
        if self.trend == "none":
            given["trend"] = None
        return Study(**given)

    def command(self) -> str:
        """How to ask for it again; where results go is left out, so that the same question has one text."""
        words = ["sessionwise", "analyze", self.sessions.file.name]
        results = {f.name for f in fields(ReportFiles)}
        for name, value in used(values_of(self)).items():
            if name == "file" or name in results:
                continue
            if value is True:
                words.append(flag(name))
                continue
            for text in value if isinstance(value, tuple) else (value,):
                words += [flag(name), str(text)]
        return shlex.join(words)


def _share(text: str) -> tuple[str, float]:
    """'wai_sr=0.8'.

    Raises
    ------
    SessionwiseError : no column, no `=`, no number.
    """
    name, sign, number = text.rpartition("=")
    try:
        return (name, float(number)) if name and sign else (text, float("nan"))
    except ValueError:
        return name, float("nan")


def settings(given: Values, config: Path | None) -> Settings:
    """given : by field, of the options that were used. config : the file, if any.

    Raises
    ------
    SessionwiseError : the file cannot be read, holds an unknown key, or a value that there is not; no file of sessions.
    """
    values = _from_file(config) if config is not None else {}
    for name, value in used(given).items():
        _check_choice(flag(name), name, value)
        values[name] = value
    if "file" not in values:
        raise SessionwiseError("no file was named.", remedy="Name it after the verb, or as file = in the settings.")
    return built(Settings, {"person": None, **values})


def _check_choice(written: str, name: str, value: Any, where: str = "") -> None:
    choices = _choices()
    if name in choices:
        chosen(written, value, choices[name], where)


def _choices() -> dict[str, tuple[str, ...]]:
    """Settings with few possible values."""
    from ..study import Study

    of_study = literals(Study)
    return {**of_study, "trend": (*of_study["trend"], "none"), "out_of_range": OUT_OF_RANGE}


def _from_file(config: Path) -> dict[str, Any]:
    """The file's settings by field; paths in it start from its folder."""
    import tomllib

    try:
        keys = tomllib.loads(config.read_text(encoding="utf-8"))
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
    readers = _readers()
    values = {}
    for key, value in keys.items():
        name = _field(key, value, config, readers)
        values[name] = readers[name](key, value, config)
        _check_choice(key, name, values[name], str(config))
        if isinstance(values[name], Path):
            values[name] = config.parent / values[name]
    if "instrument" in values:
        names = values["instrument"]
        values["instrument"] = tuple(str(config.parent / n) if n.endswith(".toml") else n for n in names)
    return values


def _field(key: str, value: Any, config: Path, known: Mapping[str, Any]) -> str:
    name = key.replace("-", "_")
    name = SINGULAR.get(name, name)
    if name not in known:
        keys = [n.replace("_", "-") for n in known]
        table = isinstance(value, Mapping)
        what = f"there is no table [{key}] in the settings." if table else f"there is no setting {key!r}."
        top = f"Keys stand at the top of the file: leave out the line [{key}]. " if table else ""
        raise SessionwiseError(
            what + nearest(key, keys), where=str(config), remedy=f"{top}Settings: {', '.join(keys)}."
        )
    return name


Reader = Callable[[str, Any, Path], Any]


def _readers() -> dict[str, Reader]:
    """Field -> what turns the value of its key into that of the option."""
    by_kind: dict[Any, Reader] = {Path: _path, str: _text, int: _number, bool: _flag, list[str]: _texts}
    readers = {}
    for option in options(OptionsOf(Settings)):
        kind, *_ = get_args(option.annotation)
        readers[option.name] = by_kind[next((part for part in get_args(kind) if part in by_kind), kind)]
    return readers


def _wrong(key: str, value: Any, config: Path, needed: str) -> SessionwiseError:
    return SessionwiseError(f"{key} is {value!r}.", where=str(config), remedy=f"Give {needed}.")


def _text(key: str, value: Any, config: Path) -> str:
    if not isinstance(value, str):
        raise _wrong(key, value, config, "text in quotes")
    return value


def _path(key: str, value: Any, config: Path) -> Path:
    text = _text(key, value, config)
    if not text.strip():
        raise _wrong(key, value, config, "the path of a file or folder, or leave it out")
    return Path(text)


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
