"""Whole processes: --help, check + score + describe of the demo file, and a study run from Python."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import sessionwise as sw

from .timing import Row, pairs, process

TITLE, ABOUT = "Command line", "Whole processes, started anew each time."
CHECK_SCORE_DESCRIBE = """
import sys
import sessionwise as sw
panel = sw.Panel(sw.read(sys.argv[1]), person="patient", session="session", cluster="therapist", time="date")
panel = sw.score(panel, "core-om", "wai-sr")
print(sw.check(panel))
print(sw.describe(panel))
"""
STUDY = """
import time
import sessionwise as sw
table = sw.datasets.demo(scale_scores=True)
panel = sw.Panel(table, person="patient", session="session", cluster="therapist")
start = time.perf_counter()
sw.Study("core_om", "wai_sr", moderators=["pd"]).run(panel)
print(time.perf_counter() - start)
"""
#: What a user may set who knows that more threads of linear algebra only wait for each other here.
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}


def rows(*, slow: bool = False) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sessions.csv"
        sw.datasets.demo().frame.write_csv(file)
        verb = [str(Path(sys.executable).parent / "sessionwise")]
        roles = [str(file), "--person", "patient", "--session", "session", "--cluster", "therapist", "--time", "date"]
        items = ["-i", "core-om", "-i", "wai-sr"]
        nothing = process([sys.executable, "-c", "pass"], runs=5)
        return [
            Row("sessionwise --help", process([*verb, "--help"], runs=7), "python -c pass", nothing),
            Row(
                "demo file: check + score + describe, one process",
                process([sys.executable, "-c", CHECK_SCORE_DESCRIBE, str(file)], 7),
            ),
            Row("demo file: sessionwise check", process([*verb, "check", *roles], 5)),
            Row("demo file: sessionwise score", process([*verb, "score", *roles, *items], 5)),
            Row("demo file: sessionwise describe", process([*verb, "describe", *roles, *items], 5)),
            Row(
                "demo: Study.run from Python, nothing set",
                *_beside(pairs(lambda: _study({}), lambda: _study(ONE_THREAD), 7), "OPENBLAS_NUM_THREADS=1"),
            ),
        ]


def _beside(times: tuple[float, float, float], what: str) -> tuple[float, str, float, float]:
    """Seconds of ours and the other, as a Row takes them."""
    ours, theirs, ratio = times
    return ours, what, theirs, ratio


def _study(setting: dict[str, str]) -> float:
    """Seconds of a study in a fresh process, without its imports of the package itself."""
    free = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    command = [sys.executable, "-c", STUDY]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=free | setting)
    return float(done.stdout)
