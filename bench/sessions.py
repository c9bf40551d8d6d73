"""A million sessions with 46 items: read + Panel + score, beside polars only reading the file."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import numpy as np
import polars as pl

import sessionwise as sw

from .timing import Row, in_turn, peak_gb

TITLE, ABOUT = "Reading and scoring", ""
FOLDER = Path(__file__).parent / "data"
ROWS, PER_PERSON = 1_000_000, 8


def make() -> dict[str, Path]:
    """The files, written once: 125,000 persons, 34 + 12 items, 1 % of answers missing."""
    paths = {kind: FOLDER / f"sessions.{kind}" for kind in ("csv", "parquet")}
    if not all(path.exists() for path in paths.values()):
        FOLDER.mkdir(exist_ok=True)
        rng = np.random.default_rng(20130601)
        persons = ROWS // PER_PERSON
        columns = {
            "patient": np.repeat(np.arange(1, persons + 1), PER_PERSON),
            "session": np.tile(np.arange(1, PER_PERSON + 1), persons),
        }
        frame = pl.DataFrame(columns).with_columns(
            *(_answers(rng, f"core_om_{i}", 0, 4) for i in range(1, 35)),
            *(_answers(rng, f"wai_sr_{i}", 1, 5) for i in range(1, 13)),
        )
        frame.write_csv(paths["csv"])
        frame.write_parquet(paths["parquet"])
    return paths


def _answers(rng: np.random.Generator, name: str, low: int, high: int) -> pl.Series:
    answers = pl.Series(name, rng.integers(low, high + 1, ROWS))
    return answers.set(pl.Series(rng.random(ROWS) < 0.01), None)


def scored(path: Path) -> sw.Panel:
    """What is timed."""
    return sw.score(sw.Panel(sw.read(path), person="patient", session="session"), "core-om", "wai-sr")


def rows(*, slow: bool = False) -> list[Row]:
    table = []
    for kind, path in make().items():
        alone = pl.read_csv if kind == "csv" else pl.read_parquet
        ours, theirs, ratio = in_turn(lambda p=path: scored(p), lambda p=path, r=alone: r(p), runs=7)
        memory = peak_gb("bench.sessions", str(path))
        table.append(
            Row(f"1 M sessions, {kind}: read + Panel + score", ours, "polars, read only", theirs, ratio, memory)
        )
    return table


if __name__ == "__main__":
    scored(Path(sys.argv[1]))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
