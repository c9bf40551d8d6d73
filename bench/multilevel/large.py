"""1.2 million persons, ours alone: seconds of every step, and the peak memory of a process that reads and fits."""

from __future__ import annotations

import statistics
from pathlib import Path

import polars as pl

from ..timing import Row, peak_gb, say
from .data import simulate
from .model import MODELS, Model
from .peers import ours

FOLDER = Path(__file__).parents[1] / "data"
PERSONS = 1_200_000
RUNS = 3


def make() -> Path:
    """The file, written once."""
    path = FOLDER / f"multilevel-{PERSONS}.parquet"
    if not path.exists():
        FOLDER.mkdir(exist_ok=True)
        pl.DataFrame(simulate(PERSONS)).write_parquet(path)
    return path


def rows() -> list[Row]:
    path = make()
    frame = pl.read_parquet(path)
    table = []
    for i, model in enumerate(MODELS):
        say(f"{PERSONS:,} persons: {model.random}")
        memory = peak_gb("bench.multilevel.once", str(path), str(i))
        table.append(_row(frame, model, memory))
    return table


def _row(frame: pl.DataFrame, model: Model, memory: float) -> Row:
    runs = []
    for _ in range(RUNS):
        stages, likelihood = ours.stages(frame, model)
        runs.append(stages)
    steps = ("panel", "design", "products", "fit")
    middle = {step: statistics.median(getattr(run, step) for run in runs) for step in steps}
    one = statistics.median(ours.evaluation(likelihood, model, 1) for _ in range(RUNS))
    both = statistics.median(ours.evaluation(likelihood, model, 0) for _ in range(RUNS))
    remark = (
        f"Panel {middle['panel']:.2f}, design {middle['design']:.2f}, cross-products {middle['products']:.2f}, "
        f"fit from them {middle['fit']:.2f} s ({runs[0].evaluations} evaluations); one criterion and gradient "
        f"{one / PERSONS * 1e9:.3g} ns a person on one thread, {both / PERSONS * 1e9:.3g} on all cores"
    )
    total = statistics.median(run.total for run in runs)
    return Row(f"fit, {PERSONS:,} persons: {model.random}", total, memory_gb=memory, remark=remark)
