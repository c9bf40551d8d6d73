"""The kernel alone: one criterion with its gradient, and the fit once the cross-products are there."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import pandas as pd

from sessionwise.mixed import MixedLikelihood

from ..timing import Row, pairs, say
from .data import simulate
from .model import MODELS, Model
from .peers import ours

PERSONS = 20_000
RUNS = 7


def rows(peers: Mapping[str, ModuleType]) -> list[Row]:
    """Peers are beside the evaluation where they let us ask for one."""
    table = []
    frame = pd.DataFrame(simulate(PERSONS))
    for model in MODELS:
        say(f"kernel: {model.random}")
        stages, likelihood = ours.stages(frame, model)
        table.append(_ours(likelihood, model, threads=1))
        beside = [_beside(frame, likelihood, model, name, peer) for name, peer in peers.items()]
        table += [row for row in beside if row] or [_ours(likelihood, model, threads=0)]
        seconds = statistics.median(ours.optimum(likelihood, model) for _ in range(RUNS))
        what = f"fit from cross-products, {PERSONS:,} persons: {model.random}"
        table.append(Row(what, seconds, remark=f"{stages.evaluations} evaluations"))
    return table


def _ours(likelihood: MixedLikelihood, model: Model, threads: int) -> Row:
    seconds = statistics.median(ours.evaluation(likelihood, model, threads) for _ in range(RUNS))
    return Row(_what(model), seconds, remark=f"{'one thread' if threads else 'all cores'}; {_nanoseconds(seconds)}")


def _beside(frame: Any, likelihood: MixedLikelihood, model: Model, name: str, peer: ModuleType) -> Row | None:
    if peer.closest(model) != model or peer.most(model) < PERSONS:
        return None
    with peer.ready(frame, model) as theirs:
        if theirs.kernel is None:
            return None
        theirs.kernel()
        times = pairs(lambda: ours.evaluation(likelihood, model, 0), theirs.kernel, RUNS)
    remark = f"all cores; {_nanoseconds(times[0])}{'' if theirs.gradient else '; theirs without gradient'}"
    return Row(_what(model), times[0], name, times[1], times[2], remark=remark)


def _what(model: Model) -> str:
    return f"one criterion and gradient, {PERSONS:,} persons: {model.random}"


def _nanoseconds(seconds: float) -> str:
    return f"{seconds / PERSONS * 1e9:.3g} ns a person"
