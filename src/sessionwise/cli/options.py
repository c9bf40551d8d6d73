"""Options of the verbs, each declared once: as a field of the dataclass that it helps to build.

A field's type is `Annotated` with what Typer needs: the help and, if it is not that of the field, the option's name.
A verb takes such dataclasses as its parameters; `verb` makes the options of their fields.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from functools import wraps
from inspect import Parameter, Signature
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import typer
from typer.models import ArgumentInfo, OptionInfo

from ..errors import SessionwiseError, nearest

T = TypeVar("T")
#: Values by the field that they are for.
Values = Mapping[str, Any]

#: Headings of --help for what is needed less often; options without a heading stand before them.
INSTRUMENTS, READING = "Instruments", "Reading the file"
#: Fields that hold several and whose option, repeated for each, names one.
SINGULAR = {"moderators": "moderator", "covariates": "covariate", "instruments": "instrument"}
OUT_OF_RANGE = ("error", "missing")


@dataclass(frozen=True, slots=True)
class OptionsOf:
    """Annotates a parameter of a verb that is given the values of the options used, instead of what is built of them.

    kind : the dataclass. without : fields that are no options here. optional : none needs to be given.
    """

    kind: type
    without: tuple[str, ...] = ()
    optional: bool = False


def verb(function: Callable[..., None]) -> Callable[..., None]:
    """A command for Typer, of a function whose parameters are options or dataclasses made of options.

    A parameter that is annotated with a dataclass stands for one option for each of its fields, and is given the
    dataclass; one annotated with `OptionsOf` stands for them too, and is given the values by field. What Typer sees is
    the signature with the options themselves: first those without a heading, then each heading's.
    """
    hints = get_type_hints(function, include_extras=True)
    parameters: list[Parameter] = []
    groups: dict[str, OptionsOf] = {}
    for parameter in inspect.signature(function).parameters.values():
        hint = hints[parameter.name]
        if (group := _group(hint)) is None:
            parameters.append(parameter.replace(annotation=hint, kind=Parameter.KEYWORD_ONLY))
        else:
            groups[parameter.name] = group
            parameters += options(group)

    @wraps(function)
    def command(**given: Any) -> None:
        _not_empty(given)
        arguments = {}
        for name in hints.keys() - {"return"}:
            if name not in groups:
                arguments[name] = given[name]
                continue
            values = {option.name: given[option.name] for option in options(groups[name])}
            arguments[name] = built(hints[name], values) if is_dataclass(hints[name]) else used(values)
        function(**arguments)

    parameters = [_no_empty_path(parameter) for parameter in sorted(parameters, key=_heading)]
    command.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command


def _not_empty(given: Values) -> None:
    """Stop at an option that was given and holds nothing: it would count as left out.

    Raises
    ------
    SessionwiseError : which.
    """
    for field, value in given.items():
        if any(isinstance(one, str) and not one.strip() for one in (value if isinstance(value, list) else [value])):
            raise _empty(flag(SINGULAR.get(field, field)))


def _empty(name: str) -> SessionwiseError:
    return SessionwiseError(f"{name} is empty.", remedy=f"Give {name} a value, or leave it out.")


def _path_for(error: SessionwiseError) -> Callable[[str], Path]:
    def path(text: str) -> Path:
        if not str(text).strip():
            raise error
        return Path(text)

    return path


def _no_empty_path(parameter: Parameter) -> Parameter:
    """The parameter, and if it is a path, without taking an empty one for the folder one is in, as Path('') is."""
    kind, *details = get_args(parameter.annotation)
    if Path not in (kind, *get_args(kind)):
        return parameter
    named = [copy(detail) for detail in details]
    for detail in named:
        if isinstance(detail, OptionInfo | ArgumentInfo):
            written = next((word for word in detail.param_decls or () if word.startswith("--")), flag(parameter.name))
            no_file = SessionwiseError("the file's name is empty.", remedy="Name the file.")
            detail.parser = _path_for(no_file if isinstance(detail, ArgumentInfo) else _empty(written))
    annotated: Any = Annotated
    return parameter.replace(annotation=annotated[(kind, *named)])


def options(group: OptionsOf) -> list[Parameter]:
    """One parameter of a command for each field of a dataclass, and of those in it, in the order of --help."""
    return sorted(_options(group), key=_heading)


def built(kind: type[T], values: Values) -> T:
    """A dataclass, and those in it, of values by field; a field without a value keeps its default.

    A field that holds several is a tuple, whatever sequence its value is.
    """
    arguments: dict[str, Any] = {}
    for f, hint in _fields(kind):
        if is_dataclass(hint):
            arguments[f.name] = built(hint, values)  # type: ignore[arg-type]
        elif f.name in values:
            value = values[f.name]
            arguments[f.name] = tuple(value or ()) if get_origin(get_args(hint)[0]) is tuple else value
    return kind(**arguments)


def used(values: Values) -> dict[str, Any]:
    """The values of options that were given; 0 is one."""
    return {name: value for name, value in values.items() if not (value is None or value is False or value in ([], ()))}


def values_of(described: Any) -> dict[str, Any]:
    """The value of every option that a dataclass was built of, in the order of --help."""
    values = _flat(described)
    return {option.name: values[option.name] for option in options(OptionsOf(type(described)))}


def flag(field: str) -> str:
    """A field as its option is written: first_sessions is --first-sessions."""
    return f"--{field.replace('_', '-')}"


def literals(kind: type) -> dict[str, tuple[str, ...]]:
    """Field -> its possible values, for the fields of a dataclass that are one of few texts."""
    choices = {}
    for f, hint in _fields(kind):
        for part in (hint, *get_args(hint)):
            if get_origin(part) is Literal:
                choices[f.name] = get_args(part)
    return choices


def chosen(name: str, value: str, choices: Sequence[str], where: str = "") -> str:
    """The value, if it is one of the choices.

    name : of the option or setting, as it is written. where : the file, if it is not the command line.

    Raises
    ------
    SessionwiseError : it is none of them.
    """
    if value not in choices:
        raise SessionwiseError(
            f"{name} is {value!r}.{nearest(value, choices)}",
            where=where,
            remedy=f"Use one of {', '.join(map(repr, choices))}.",
        )
    return value


def number(option: str, text: str) -> float:
    """A number; whole ones are int, as they stand in files.

    Raises
    ------
    SessionwiseError : it is none.
    """
    try:
        value = float(text)
        if math.isnan(value):
            raise ValueError(text)
    except ValueError:
        raise SessionwiseError(f"{option} needs a number, not {text!r}.", remedy=f"For example {option} -9.") from None
    return int(value) if value.is_integer() else value


def _out_of_range(text: str | None) -> str | None:
    """Whether or not there is an instrument to be scored."""
    return None if text is None else chosen("--out-of-range", text, OUT_OF_RANGE)


OutOfRange = Annotated[
    str | None,
    typer.Option(
        help="Answers outside the range: 'error' (default) or 'missing'.",
        callback=_out_of_range,
        rich_help_panel=INSTRUMENTS,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print a JSON object instead of tables.")]


def _options(group: OptionsOf) -> Iterator[Parameter]:
    for f, hint in _fields(group.kind):
        if is_dataclass(hint):
            yield from _options(OptionsOf(hint, group.without, group.optional))  # type: ignore[arg-type]
        elif f.name not in group.without:
            required = f.default is MISSING and not group.optional
            default = None if f.default is MISSING or f.default == () else f.default
            yield Parameter(
                f.name,
                Parameter.KEYWORD_ONLY,
                default=Parameter.empty if required else default,
                annotation=_for_typer(hint),
            )


def _flat(described: Any) -> dict[str, Any]:
    """Field -> value, of a dataclass and of those in it."""
    values: dict[str, Any] = {}
    for f in fields(described):
        value = getattr(described, f.name)
        values |= _flat(value) if is_dataclass(value) else {f.name: value}
    return values


def _fields(kind: Any) -> Iterator[tuple[Field[Any], Any]]:
    """Fields with their types."""
    hints = get_type_hints(kind, include_extras=True)
    return ((f, hints[f.name]) for f in fields(kind))


def _group(hint: Any) -> OptionsOf | None:
    if is_dataclass(hint):
        return OptionsOf(hint)  # type: ignore[arg-type]
    return next((detail for detail in getattr(hint, "__metadata__", ()) if isinstance(detail, OptionsOf)), None)


def _for_typer(hint: Any) -> Any:
    """An option that is repeated is a list to Typer, and None where it is not given."""
    kind, *details = get_args(hint)
    several: Any = list[str] | None
    annotated: Any = Annotated
    return annotated[(several if get_origin(kind) is tuple else kind, *details)]


def _heading(option: Parameter) -> int:
    panels = [getattr(detail, "rich_help_panel", None) for detail in option.annotation.__metadata__]
    return max(0 if panel is None else (INSTRUMENTS, READING).index(panel) + 1 for panel in panels)
