"""Threads of linear algebra: one, where matrices are small.

BLAS shares the product of two matrices of some dozen rows among threads that wait for each other by spinning; where
other work runs on the machine, that takes many times as long as one thread alone.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import Any


def one_thread() -> AbstractContextManager[Any]:
    """Within it NumPy's linear algebra takes one thread; what it was before is put back."""
    limit: AbstractContextManager[Any] = _controller().limit(limits=1, user_api="blas")
    return limit


@cache
def _controller() -> Any:
    """To look for the libraries takes a millisecond; to set their threads, none."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
