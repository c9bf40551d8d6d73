"""Remedies as they are said on the command line: options instead of arguments in Python."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from typing import Any

from ..errors import SessionwiseError
from ..findings import Finding
from ..study.records import NotAnswered

_PLAIN = (
    (r"number_sessions\(.*?\bby=(?:'([^']*)'|\.\.\.).*?\)", lambda m: f"--number-by {m[1] or 'COLUMN'}"),
    (r"sessionwise\.read\(path, missing=(.*?)\)", lambda m: _missing(m[1])),
    (r"answers=\((\S+), (\S+)\)", lambda m: f"--answers NAME={m[1]}-{m[2]}"),
    (r"\bfirst_sessions\b(?:=(\d*))?", lambda m: f"--first-sessions {m[1] or ''}".rstrip()),
    (r"\blag=(\d+)", lambda m: f"--lag {m[1]}"),
)


def in_options(text: str) -> str:
    """A remedy with the options there are; one that names an option already is left as it is.

    >>> in_options("Declare them: sessionwise.read(path, missing={'bdi': [-9, 99]}).")
    'Declare them: --missing bdi=-9 --missing bdi=99.'
    """
    if "--" in text:
        return text
    for pattern, option in _PLAIN:
        text = re.sub(pattern, option, text)
    return text


def reworded(value: Any) -> Any:
    """A result or findings with their remedies as options; the same object where there is none to be changed."""
    if isinstance(value, NotAnswered):
        return replace(value, needed=in_options(value.needed))
    if isinstance(value, Finding):
        return replace(value, remedy=in_options(value.remedy))
    if isinstance(value, tuple):
        made = tuple(map(reworded, value))
        return value if all(a is b for a, b in zip(made, value, strict=True)) else made
    if is_dataclass(value) and not isinstance(value, type):
        old = {f.name: getattr(value, f.name) for f in fields(value)}
        new = {name: made for name, one in old.items() if (made := reworded(one)) is not one}
        return replace(value, **new) if new else value
    return value


@contextmanager
def options_in_errors() -> Iterator[None]:
    """Errors from within say options."""
    try:
        yield
    except SessionwiseError as error:
        what, remedy = in_options(error.what), in_options(error.remedy)
        if (what, remedy) == (error.what, error.remedy):
            raise
        raise type(error)(what, where=error.where, remedy=remedy) from error


def _missing(declared: str) -> str:
    """{'bdi': [-9, 99], ...} as --missing bdi=-9 --missing bdi=99 ..."""
    more = " ..." if ", ..." in declared else ""
    try:
        codes = ast.literal_eval(declared.replace(", ...", ""))
        pairs = [(column, code) for column, own in codes.items() for code in own if code is not ...]
    except (ValueError, SyntaxError, AttributeError, TypeError):
        pairs = []
    return " ".join(f"--missing {column}={code}" for column, code in pairs or [("COLUMN", "CODE")]) + more
