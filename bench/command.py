"""Whole processes: --help, and check + score + describe of the demo file."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import sessionwise as sw

from .timing import Row, process

TITLE, ABOUT = "Command line", "Whole processes, started anew each time."
CHECK_SCORE_DESCRIBE = """
import sys
import sessionwise as sw
panel = sw.Panel(sw.read(sys.argv[1]), person="patient", session="session", cluster="therapist", time="date")
panel = sw.score(panel, "core-om", "wai-sr")
print(sw.check(panel))
print(sw.describe(panel))
"""


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
        ]
