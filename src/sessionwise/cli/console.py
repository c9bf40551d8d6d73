"""Console: what a verb shows while it works and when it is done."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

from .remedies import in_options


@contextmanager
def busy(what: str) -> Iterator[Callable[..., None]]:
    """On a terminal a spinner with what runs, and a line with its time for what has run; nothing elsewhere.

    Call it with what is done next, or with what runs and how far it is.
    """
    if not sys.stderr.isatty():
        yield lambda what, far="": None
        return
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    since = [monotonic()]
    with console.status(what) as status:

        def say(then: str, far: str = "") -> None:
            nonlocal what
            if then == what and far:
                status.update(f"{what}: {far}")
            if then != what:
                console.print(f"{what}: {monotonic() - since[0]:.1f} s", style="dim")
                what, since[0] = then, monotonic()
                status.update(then)

        yield say
        say("")


def print_result(as_json: bool, record: dict[str, Any], *shown: Any) -> None:
    """One JSON object, or what a person wants to read; both say options, not arguments."""
    record, shown = in_options(record), in_options(shown)
    if as_json:
        from .. import __version__

        print(json.dumps({"sessionwise": __version__, **record}, indent=2, ensure_ascii=False, allow_nan=False))
        return
    from rich.console import Console

    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 100
    console = Console(highlight=False, width=width)
    for thing in shown:
        console.print(thing, markup=False, soft_wrap=isinstance(thing, str))
        if not isinstance(thing, str):
            console.print()
