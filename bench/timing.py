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

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. Seconds are medians; `ratio` is the median of the ratios ours / theirs pair by pair.

    difference : of the criterion reached, theirs minus ours.
    """

    what: str
    ours: float = NAN
    peer: str = ""
    theirs: float = NAN
    ratio: float = NAN
    memory_gb: float = NAN
    difference: float = NAN
    remark: str = ""


def in_turn(ours: Callable[[], object], theirs: Callable[[], object], runs: int) -> tuple[float, float, float]:
    """Median seconds of both after one warm-up of each, and the median ratio ours / theirs."""
    ours(), theirs()
    return pairs(lambda: seconds(ours), lambda: seconds(theirs), runs)


#: Seconds.
PAUSE = 0.1


def pairs(ours: Callable[[], float], theirs: Callable[[], float], runs: int) -> tuple[float, float, float]:
    """The same without warm-up, for functions that say themselves how many seconds they took. A pause before each lets
    the other's threads, which wait for more work, go to sleep."""
    mine, others = [], []
    for _ in range(runs):
        time.sleep(PAUSE)
        others.append(theirs())
        time.sleep(PAUSE)
        mine.append(ours())
    ratio = statistics.median(a / b for a, b in zip(mine, others, strict=True))
    return statistics.median(mine), statistics.median(others), ratio


def seconds(run: Callable[[], object]) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def each(run: Callable[[], object], least: float = 0.1) -> float:
    """Seconds of one call, from as many calls as take `least` seconds together."""
    run()
    start, runs = time.perf_counter(), 0
    while (taken := time.perf_counter() - start) < least or not runs:
        run()
        runs += 1
    return taken / runs


def process(arguments: list[str], runs: int) -> float:
    """Median seconds of a whole process, started anew each time, after one warm-up."""

    def run() -> None:
        subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL)

    run()
    return statistics.median(seconds(run) for _ in range(runs))


def peak_gb(module: str, *arguments: str) -> float:
    """Peak resident memory of `python -m module ...`, which prints its own ru_maxrss in KiB."""
    done = subprocess.run([sys.executable, "-m", module, *arguments], check=True, capture_output=True, text=True)
    return int(done.stdout.split()[-1]) / 2**20


def say(what: str) -> None:
    """What is being timed now, for whoever waits."""
    print(what, file=sys.stderr, flush=True)


def shown(time: float) -> str:
    """Seconds with a unit, three digits."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if time >= size:
            return f"{time / size:.3g} {unit}"
    return f"{time / 1e-6:.3g} µs"


def machine() -> str:
    """The processor's name, cores and Python, for the table's head."""
    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            name = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return f"{name}, {os.cpu_count()} cores, Python {platform.python_version()}"
