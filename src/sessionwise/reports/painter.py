"""Painter: Vega-Lite specifications as still pictures (SVG, PNG), painted in a process of its own.

The drawing engine needs most of a second to begin and holds the interpreter while it draws, so it begins beside the
analysis and draws on another core. Where no second process can be had, it draws in this one.

This file is also that process's program; it knows nothing of the package.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Literal, Self

Format = Literal["svg", "png"]
#: Pixels of a PNG for one of the figure.
SCALE = 2


class Painter:
    """Begins a process; `paint` answers with a Future. To be closed, or used in a with statement.

    >>> with Painter() as painter:
    ...     picture = painter.paint({"mark": "point", "data": {"values": [{}]}}).result()
    >>> picture[:4]
    b'<svg'
    """

    def __init__(self) -> None:
        command = [sys.executable, "-P", __file__]
        try:
            self._process: subprocess.Popen[bytes] | None = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        except (OSError, ValueError):
            self._process = None
        self._queue = ThreadPoolExecutor(1)

    def paint(self, spec: dict[str, Any], kind: Format = "svg") -> Future[bytes]:
        """A picture, some time later. spec : with a width in pixels, and its config."""
        return self._queue.submit(self._painted, json.dumps([kind, spec]))

    def close(self) -> None:
        self._queue.shutdown(wait=True, cancel_futures=True)
        if self._process is not None:
            self._process.communicate()
            self._process = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _painted(self, line: str) -> bytes:
        answer = self._asked(line)
        return base64.b64decode(answer) if answer else _paint(line)  # here, where the process has gone

    def _asked(self, line: str) -> bytes:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            return b""
        try:
            process.stdin.write(line.encode() + b"\n")
            process.stdin.flush()
            return process.stdout.readline()
        except OSError:
            return b""


@contextmanager
def at_work(painter: Painter | None) -> Iterator[Painter]:
    """The painter given, or one that is closed afterwards."""
    if painter is not None:
        yield painter
        return
    with Painter() as own:
        yield own


def _paint(line: str) -> bytes:
    import vl_convert

    kind, spec = json.loads(line)
    if kind == "png":
        png: bytes = vl_convert.vegalite_to_png(spec, scale=SCALE)
        return png
    svg: str = vl_convert.vegalite_to_svg(spec)
    return svg.encode()


def _serve() -> None:
    """One line in, one line out; the engine is warm before the first."""
    _paint(json.dumps(["svg", {"mark": "point", "data": {"values": [{}]}}]))
    for line in sys.stdin:
        print(base64.b64encode(_paint(line)).decode(), flush=True)


if __name__ == "__main__":
    _serve()
