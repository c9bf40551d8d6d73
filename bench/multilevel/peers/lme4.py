"""lme4 in one R process that stays open; R itself says how long lmer() took (lme4.R)."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..model import Model
from . import Absent, Fitted, Ready

SCRIPT = Path(__file__).with_name("lme4.R")
VERSION = 'cat("lme4", format(packageVersion("lme4")), paste0("(R ", getRversion(), ")"))'


def version() -> str:
    try:
        asked = subprocess.run(["Rscript", "--vanilla", "-e", VERSION], capture_output=True, text=True, check=False)
    except OSError as error:
        raise Absent("R is not installed (no Rscript)") from error
    if asked.returncode:
        raise Absent("R has no package lme4")
    return asked.stdout


def most(model: Model) -> int:
    return 20_000


def closest(model: Model) -> Model | None:
    return model


@contextmanager
def ready(frame: Any, model: Model) -> Iterator[Ready]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sessions.csv"
        frame.to_csv(file, index=False)
        command = ["Rscript", "--vanilla", str(SCRIPT), str(file), model.formula, model.method]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as r:
            assert r.stdin is not None
            yield Ready(lambda: Fitted(*_numbers(r, "fit")), lambda: _numbers(r, "kernel")[0])
            r.stdin.close()


def _numbers(r: subprocess.Popen[str], what: str) -> tuple[float, float, bool]:
    assert r.stdin is not None
    assert r.stdout is not None
    r.stdin.write(what + "\n")
    r.stdin.flush()
    answer = r.stdout.readline().split()
    if len(answer) != 3:
        raise RuntimeError(f"R stopped at {what!r}; its message is above.")
    return float(answer[0]), float(answer[1]), answer[2] == "TRUE"
