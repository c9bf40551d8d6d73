"""One adapter per program. Each module has the same names:

- version(): name and version, raises Absent where it cannot be used;
- most(model): of how many persons it fits the model in less than a minute; with more it is left out unless asked for;
- closest(model): the nearest model that it can fit, None if there is none;
- ready(frame, model): a context that gives a Ready. What is done before the context is entered is not timed.
"""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

PEERS = ("mixedlm", "gpboost", "statsmodels", "lme4")


class Absent(Exception):
    """The program is not installed, or cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A whole fit from a dataframe: its seconds, the criterion reached (-2 log-likelihood, or REML criterion), and
    whether the program itself says that it converged."""

    seconds: float
    criterion: float
    converged: bool


@dataclass(frozen=True, slots=True)
class Ready:
    """fit : the whole fit. kernel : seconds of one evaluation of the criterion, where the program lets us ask; with
    its gradient or without."""

    fit: Callable[[], Fitted]
    kernel: Callable[[], float] | None = None
    gradient: bool = False


def present() -> dict[str, ModuleType]:
    """Adapters by name and version, of those that can be used; says which cannot."""
    found = {}
    for name in PEERS:
        module = importlib.import_module(f".{name}", __name__)
        try:
            found[module.version()] = module
        except Absent as reason:
            print(f"{name} is left out: {reason}.", flush=True)
    return found


def package(name: str) -> str:
    """Name and version of a Python package that can be imported.

    Raises
    ------
    Absent : it cannot.
    """
    try:
        importlib.import_module(name)
        return f"{name} {importlib.metadata.version(name)}"
    except Exception as error:  # a binary that does not fit the machine raises OSError, and others what they like
        raise Absent(f"{name} cannot be imported: {error}") from error
