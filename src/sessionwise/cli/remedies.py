"""What the command line says of arguments: options. Wherever a result, findings or an error hold a Wording, that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from typing import Any

from ..errors import SessionwiseError, Wording


def in_options(value: Any) -> Any:
    """`value` with options in the place of arguments; the same object where there is none to be changed."""
    if isinstance(value, Wording):
        return value.for_command_line()
    if isinstance(value, SessionwiseError):
        said = {"what": value.what, "remedy": value.remedy}
        changed = _changed(said)
        return type(value)(**(said | changed), where=value.where) if changed else value
    if type(value) in (tuple, list):
        made = type(value)(map(in_options, value))
        return value if all(a is b for a, b in zip(made, value, strict=True)) else made
    if type(value) is dict:
        changed = _changed(value)
        return value | changed if changed else value
    if is_dataclass(value) and not isinstance(value, type):
        changed = _changed({f.name: getattr(value, f.name) for f in fields(value)})
        return replace(value, **changed) if changed else value
    return value


def _changed(given: dict[str, Any]) -> dict[str, Any]:
    return {name: made for name, one in given.items() if (made := in_options(one)) is not one}


@contextmanager
def options_in_errors() -> Iterator[None]:
    """Errors from within say options."""
    try:
        yield
    except SessionwiseError as error:
        raise in_options(error) from error.__cause__
