"""Forked processes, in which polars, which holds every table, would wait for ever.

Its threads do not live on in a process that `fork` made, and what they held stays locked. Started by `fork` after
polars was at work (what `multiprocessing` does by default on Linux before Python 3.14), a process is told so where it
first asks for a table, rather than left to hang. `spawn` and `forkserver` start processes anew.
"""

from __future__ import annotations

import os
import sys

from .errors import ForkError


class _Process:
    """forked : whether this process was forked after polars had been loaded."""

    forked = False


def _after_fork() -> None:
    _Process.forked = _Process.forked or "polars" in sys.modules


if hasattr(os, "register_at_fork"):  # no Windows
    os.register_at_fork(after_in_child=_after_fork)


def must_not_be_forked() -> None:
    """Stop in a forked process.

    Raises
    ------
    ForkError : it is one.
    """
    if _Process.forked:
        raise ForkError(
            "this process was forked after tables had been used, and would wait for ever for threads that it lacks.",
            remedy="Start processes anew, as multiprocessing.get_context('spawn') does.",
        )
