"""Instruments by name or by file."""

from __future__ import annotations

import functools
import os
import re
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from ..errors import InstrumentError, nearest
from .instrument import Instrument
from .key_file import parse, read_file


def instruments() -> tuple[str, ...]:
    """The names of the instruments that come with the package, sorted."""
    return tuple(sorted(_files()))


def instrument(name: str | os.PathLike[str] | Instrument) -> Instrument:
    """An instrument by name, or from your own file.

    name : a name from `instruments()` (case and the separators ``-``, ``_``, ``.`` and space do not matter:
        ``"CORE OM"`` is ``"core-om"``), a path to a TOML file (any path object, or text that ends in
        ``.toml``), or an Instrument, which is returned as it is.

    Raises InstrumentError if the name is not known, or the file is missing or malformed.
    """
    if isinstance(name, Instrument):
        return name
    if not isinstance(name, str | os.PathLike):
        raise InstrumentError(
            f"an instrument is asked for by name or file, not by {name!r}",
            remedy=f"use one of {', '.join(instruments())}, or the path to your own instrument file (.toml)",
        )
    if isinstance(name, os.PathLike) or name.lower().endswith(".toml"):
        return read_file(Path(name))
    known = {_plain(k): k for k in _files()}
    if _plain(name) not in known:
        raise InstrumentError(
            f"there is no instrument {name!r}.{nearest(name, instruments())}",
            remedy=f"use one of {', '.join(instruments())}, or the path to your own instrument file (.toml)",
        )
    return _shipped(known[_plain(name)])


def _plain(name: str) -> str:
    return re.sub(r"[-_.\s]+", "", name).lower()


def _folder() -> Traversable:
    return resources.files(__package__) / "instruments"


@functools.cache
def _files() -> dict[str, str]:
    """Name -> file name."""
    return {f.name.removesuffix(".toml"): f.name for f in _folder().iterdir() if f.name.endswith(".toml")}


@functools.cache
def _shipped(name: str) -> Instrument:
    file = _files()[name]
    return parse((_folder() / file).read_text(encoding="utf-8"), file)
