"""A program that writes files and is killed: `python killed_writer.py FOLDER calls` or `... FOLDER times KILLS SEED`.

A child process writes new contents over old ones with `write_files`, and is killed with SIGKILL at its n-th call of the
system (write, fsync, replace), for n = 1, 2, ... until it comes through; or after a random time. After each kill every
file must hold the whole old or the whole new content, and the next run must take either for its own. Prints what was
seen as JSON.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from sessionwise.outputs import Place, write_files

SIZES = {"report.html": 3_000_000, "report.docx": 100_000, "results/flow.csv": 20, "results/course.csv": 40_000}


def contents(folder: Path, sign: bytes) -> dict[Place, bytes]:
    return {Place(folder / name, folder=True): sign * size for name, size in SIZES.items()}


def child(folder: Path, sign: bytes, prepare: Callable[[], None]) -> int:
    """Number of the process that writes."""
    number = os.fork()
    if number == 0:
        prepare()
        write_files(contents(folder, sign))
        os._exit(0)
    return number


def kill_at(n: int) -> None:
    calls = 0

    def counted(real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object) -> object:
            nonlocal calls
            calls += 1
            if calls == n:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments)

        return call

    for name in ("write", "fsync", "replace"):
        setattr(os, name, counted(getattr(os, name)))


def state(folder: Path, old: bytes, new: bytes) -> str:
    """'o' and 'n' for each file; anything else is half a file."""
    seen = ""
    for name, size in SIZES.items():
        held = (folder / name).read_bytes()
        seen += "o" if held == old * size else "n" if held == new * size else "?"
    return seen


def main() -> None:
    folder, how = Path(sys.argv[1]), sys.argv[2]
    kills = int(sys.argv[3]) if how == "times" else 10_000
    chance = random.Random(int(sys.argv[4]) if how == "times" else 0)
    old, new = b"a", b"b"
    write_files(contents(folder, old))
    states, killed, through = [], 0, 0
    for n in range(1, kills + 1):
        if how == "calls":
            number = child(folder, new, lambda n=n: kill_at(n))
        else:
            number = child(folder, new, lambda: None)
            time.sleep(chance.uniform(0, 0.05))
            os.kill(number, signal.SIGKILL)
        status = os.waitpid(number, 0)[1]
        states.append(state(folder, old, new))
        came_through = os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0
        through, killed = through + came_through, killed + (not came_through)
        write_files(contents(folder, new))  # whatever stands there is its own: no error
        assert state(folder, old, new) == "nnnn"
        old, new = new, old
        if how == "calls" and came_through:
            break
    print(json.dumps({"states": states, "killed": killed, "through": through}))


if __name__ == "__main__":
    main()
