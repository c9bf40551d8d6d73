"""Whole fits from a dataframe: beside lavaan where it is there, and ours alone where it would take minutes."""

from __future__ import annotations

import statistics
import time

import polars as pl

import sessionwise as sw

from ..multilevel.fits import SAME
from ..multilevel.peers import Absent, Fitted
from ..timing import NAN, PAUSE, Row, pairs, say
from . import lavaan
from .data import Case, long, patterns, wide

MISSING = Case(420, 6, 0.08, 0.08, 0.01)
COMPLETE = Case(1189, 5, 0.0, 0.0, 0.0)
LARGE = Case(5_000, 12, 0.05, 0.07, 0.008)
RUNS = 7


def rows() -> list[Row]:
    try:
        peer = lavaan.version()
    except Absent as reason:
        print(f"lavaan is left out: {reason}.", flush=True)
        peer = ""
    beside = [_beside(case, peer) if peer else _alone(case) for case in (MISSING, COMPLETE)]
    return [*beside, _alone(LARGE)]


def ours(frame: pl.DataFrame, waves: int) -> Fitted:
    """Everything that lavaan's side gives, too."""
    begin = time.perf_counter()
    fit = sw.RICLPM("y", "x", waves=waves).fit(sw.Panel(frame, person="person", session="session"))
    measures, errors = fit.indices, fit.se
    taken = time.perf_counter() - begin
    return Fitted(taken, fit.deviance, fit.verdict.converged and measures is not None and bool(errors))


def _beside(case: Case, peer: str) -> Row:
    values = case.simulate()
    frame = long(values)
    say(f"{_what(case)}, beside {peer}")
    with lavaan.ready(wide(values), case.waves) as theirs:
        my_fit, their_fit = ours(frame, case.waves), theirs()
        times = pairs(lambda: ours(frame, case.waves).seconds, lambda: theirs().seconds, RUNS)
    difference = their_fit.criterion - my_fit.criterion
    said = [f"{patterns(values)} patterns"] if patterns(values) > 1 else ["no value missing"]
    said += [] if my_fit.converged else ["ours says: not converged"]
    said += [] if their_fit.converged else ["theirs says: not converged"]
    said += ["**not the same fit**"] if not abs(difference) <= SAME else []
    return Row(_what(case), times[0], peer, times[1], times[2], difference=difference, remark="; ".join(said))


def _alone(case: Case) -> Row:
    values = case.simulate()
    frame = long(values)
    say(_what(case))
    found = ours(frame, case.waves)
    seconds = []
    for _ in range(RUNS):
        time.sleep(PAUSE)
        seconds.append(ours(frame, case.waves).seconds)
    remark = f"{patterns(values)} patterns" + ("" if found.converged else "; ours says: not converged")
    return Row(_what(case), statistics.median(seconds), "", NAN, NAN, remark=remark)


def _what(case: Case) -> str:
    return f"RI-CLPM, {case.persons:,} persons, {case.waves} waves"
