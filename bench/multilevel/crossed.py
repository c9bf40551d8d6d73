"""Crossed grouping factors with many levels, beside the peers that have a sparse factorisation for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import ModuleType

import pandas as pd
import polars as pl

from ..timing import Row, seconds, shown
from .data import simulate_crossed
from .fits import alone, compared
from .model import Model
from .peers import ours

#: Persons, therapists, rows: as lme4's InstEval has every tenth student, and all.
SIZES = ((298, 1_004, 7_179), (2_972, 1_128, 73_421))
MODEL = Model(slopes=False, therapists=True, setting=True)
PEERS = ("mixedlm", "lme4")


def rows(peers: Mapping[str, ModuleType]) -> list[Row]:
    """A row for each size and peer; what our degrees of freedom take, which are no part of a fit, in the remark."""
    table = []
    for persons, therapists, sessions in SIZES:
        data = simulate_crossed(persons, therapists, sessions)
        frames = pl.DataFrame(data), pd.DataFrame(data)
        what = f"fit, {persons:,} persons x {therapists:,} therapists, {sessions:,} sessions: {MODEL.random}"
        beside = [
            compared(what, frames, MODEL, name, peer) for name, peer in peers.items() if name.startswith(PEERS)
        ] or [alone(what, frames[0], MODEL)]
        said = _of_ours(frames[0])
        table += [replace(row, remark="; ".join(filter(None, [said, row.remark]))) for row in beside]
    return table


def _of_ours(frame: pl.DataFrame) -> str:
    fit, warm = (ours.description(MODEL).fit(ours.panel(frame, MODEL)) for _ in range(2))
    assert warm.df
    system = fit.solution.problem.crossed
    assert system is not None
    taken = shown(seconds(lambda: fit.df))
    return f"{system.tail:,} of {system.effect[-1]:,} effects in one dense matrix; Satterthwaite's df {taken} more"
