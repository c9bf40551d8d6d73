"""The same persons with 8, 80 and 800 sessions each: a fit does not take longer once the cross-products are there."""

from __future__ import annotations

import statistics

import pandas as pd

from ..timing import Row, say, shown
from .data import simulate
from .model import MODELS
from .peers import ours

PERSONS = 5_000
SESSIONS = (8, 80, 800)
RUNS = 7


def rows() -> list[Row]:
    """In turn over the lengths, so that a slow moment of the machine hits all."""
    model = MODELS[1]
    say(f"{', '.join(map(str, SESSIONS))} sessions each")
    made = [ours.stages(pd.DataFrame(simulate(PERSONS, sessions)), model) for sessions in SESSIONS]
    runs = [
        [(ours.evaluation(likelihood, model, 0), ours.optimum(likelihood, model)) for _, likelihood in made]
        for _ in range(RUNS)
    ]
    table = []
    for i, (sessions, (stages, _)) in enumerate(zip(SESSIONS, made, strict=True)):
        one, whole = (statistics.median(run[i][part] for run in runs) for part in (0, 1))
        what = f"fit from cross-products, {PERSONS:,} persons, {sessions} sessions each: {model.random}"
        remark = f"{stages.evaluations} evaluations of {shown(one)}; the products, once, {shown(stages.products)}"
        table.append(Row(what, whole, remark=remark))
    return table
