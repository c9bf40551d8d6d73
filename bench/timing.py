"""How things are timed: in turn (ours, theirs, ours, ...), so that a slow moment of the machine hits both."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. Seconds are medians; `ratio` is the median of the ratios pair by pair."""

    what: str
    ours: float
    peer: str = ""
    theirs: float = float("nan")
    ratio: float = float("nan")
    memory_gb: float = float("nan")


def in_turn(ours: Callable[[], object], theirs: Callable[[], object], runs: int) -> tuple[float, float, float]:
    """Median seconds of both after one warm-up of each, and the median ratio ours / theirs."""
    ours(), theirs()
    mine, others = [], []
    for _ in range(runs):
        others.append(_seconds(theirs))
        mine.append(_seconds(ours))
    ratio = statistics.median(a / b for a, b in zip(mine, others, strict=True))
    return statistics.median(mine), statistics.median(others), ratio


def process(arguments: list[str], runs: int) -> float:
    """Median seconds of a whole process, started anew each time, after one warm-up."""

    def run() -> None:
        subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL)

    run()
    return statistics.median(_seconds(run) for _ in range(runs))


def peak_gb(module: str, *arguments: str) -> float:
    """Peak resident memory of `python -m module ...`, which prints its own ru_maxrss in KiB."""
    done = subprocess.run([sys.executable, "-m", module, *arguments], check=True, capture_output=True, text=True)
    return int(done.stdout.split()[-1]) / 2**20


def machine() -> str:
    """The processor's name, cores and Python, for the table's head."""
    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            name = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return f"{name}, {os.cpu_count()} cores, Python {platform.python_version()}"


def _seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start
