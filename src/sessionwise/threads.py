"""Threads of linear algebra: one, wherever this package computes.

BLAS shares the product of two matrices of some dozen rows among threads that wait for each other by spinning; where
other work runs on the machine, that takes many times as long as one thread alone. So whatever users call that does
linear algebra, however deep, is held to one thread: `@one_thread()` stands on it, or on what it calls. A test calls
every public name and looks into the functions that multiply or factor matrices (tests/test_threads.py).

How many threads there are is a setting of the whole process. The first call that comes in, of whichever Python thread,
brings it down to one, and the last that goes puts back what was there before: a call that ends gives no threads to one
that is still at work. Within a call another one costs a microsecond or two.
"""

from __future__ import annotations

import sys
from contextlib import ContextDecorator
from functools import cache
from threading import Lock
from typing import Any

#: What brings a BLAS of its own into the process, beside NumPy.
_BRING_BLAS = ("scipy.special", "scipy.linalg")


class OneThread(ContextDecorator):
    """Which calls are at work, and what the libraries were set to before the first of them.

    There is one in a process; see `one_thread`. inside : calls at work. brought : how many of _BRING_BLAS were loaded
    when the libraries were last looked at. before : path of a library -> the library and its number of threads.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._inside = 0
        self._brought = 0
        self._before: dict[str, tuple[Any, int]] = {}

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside > 1 and self._brought == len(_BRING_BLAS):
                return
            try:
                self._hold()
            except BaseException:
                self._leave()
                raise

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._leave()

    def _hold(self) -> None:
        """One thread for each library that is loaded by now and not yet held."""
        brought = sum(name in sys.modules for name in _BRING_BLAS)
        if self._inside > 1 and brought == self._brought:
            return
        self._brought = brought
        for library in _libraries(brought):
            if library.filepath in self._before or (threads := library.num_threads) in (None, 1):
                continue
            if self._before:
                _release(library)
            library.set_num_threads(1)
            if library.num_threads == 1:
                self._before[library.filepath] = library, threads

    def _leave(self) -> None:
        self._inside -= 1
        if self._inside:
            return
        for library, threads in self._before.values():
            _release(library)
            library.set_num_threads(threads)
            _release(library)
        self._before.clear()


def _release(library: Any) -> None:
    """Let any Python thread set it. From 3.8 on threadpoolctl listens, for OpenBLAS, to the one that set it first and
    to no other, until that one is done: here whoever comes first and goes last are one. A setting that somebody else
    holds in another Python thread stays as it is."""
    release = getattr(library, "clear_controlling_thread", None)
    if release is not None:
        release(force=True)


@cache
def _libraries(brought: int) -> list[Any]:
    """The BLAS libraries of the process, when so many of the modules that bring one were loaded. To look for them takes
    some milliseconds, to set their threads some microseconds."""
    from threadpoolctl import ThreadpoolController

    return list(ThreadpoolController().select(user_api="blas").lib_controllers)


_THE_ONE = OneThread()


def one_thread() -> OneThread:
    """Within it NumPy's and SciPy's linear algebra take one thread; what was set before is put back at its end, also
    after an error. For a `with` statement, or as a decorator: `@one_thread()`.

    A library that is loaded within it is held from the next such call on.
    """
    return _THE_ONE
