"""lavaan in one R process that stays open; R itself says how long the fit took (lavaan.R)."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from ..multilevel.peers import Absent, Fitted

SCRIPT = Path(__file__).with_name("lavaan.R")
VERSION = 'cat("lavaan", format(packageVersion("lavaan")), paste0("(R ", getRversion(), ")"))'


def version() -> str:
    """Name and version.

    Raises
    ------
    Absent : R or lavaan is not installed.
    """
    try:
        asked = subprocess.run(["Rscript", "--vanilla", "-e", VERSION], capture_output=True, text=True, check=False)
    except OSError as error:
        raise Absent("R is not installed (no Rscript)") from error
    if asked.returncode:
        raise Absent("R has no package lavaan")
    return asked.stdout


@contextmanager
def ready(frame: pl.DataFrame, waves: int) -> Iterator[Callable[[], Fitted]]:
    """The whole fit. frame : wide, one row a person."""
    with tempfile.TemporaryDirectory() as folder:
        data, model = Path(folder) / "wide.csv", Path(folder) / "model.txt"
        frame.write_csv(data)
        model.write_text(syntax(waves), encoding="utf-8")
        command = ["Rscript", "--vanilla", str(SCRIPT), str(data), str(model)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as r:
            assert r.stdin is not None
            yield lambda: _fit(r)
            r.stdin.close()


def _fit(r: subprocess.Popen[str]) -> Fitted:
    assert r.stdin is not None
    assert r.stdout is not None
    r.stdin.write("fit\n")
    r.stdin.flush()
    answer = r.stdout.readline().split()
    if len(answer) != 3:
        raise RuntimeError("R stopped; its message is above.")
    return Fitted(float(answer[0]), float(answer[1]), answer[2] == "TRUE")


def syntax(waves: int) -> str:
    """The model in lavaan's language, for `lavaan()`, which adds nothing by itself."""
    times = range(1, waves + 1)
    lines = []
    for v in "yx":
        lines.append(f"r{v} =~ " + " + ".join(f"1*{v}{t}" for t in times))
        lines += [f"w{v}{t} =~ 1*{v}{t}" for t in times]
        lines += [f"{v}{t} ~ 1" for t in times]
        lines += [f"w{v}{t} ~~ w{v}{t}" for t in times]
        lines += [f"w{v}{t} ~ a{v}*w{v}{t - 1} + b{v}*w{'x' if v == 'y' else 'y'}{t - 1}" for t in times if t > 1]
    lines += ["ry ~~ ry", "rx ~~ rx", "ry ~~ rx"]
    lines += [f"wy{t} ~~ wx{t}" for t in times]
    return "\n".join(lines) + "\n"
