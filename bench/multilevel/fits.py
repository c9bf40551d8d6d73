"""Whole fits from a dataframe, beside every peer that is there."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

import pandas as pd
import polars as pl

from ..timing import Row, pairs, say
from .data import simulate
from .model import MODELS, Model
from .peers import Fitted, ours

SIZES = (646, 20_000)
RUNS = 7
LONG = 3.0  # a peer whose first run takes more seconds is not run again
SAME = 0.01  # criteria further apart are not those of one fit


def rows(peers: Mapping[str, ModuleType], *, slow: bool) -> list[Row]:
    """peers : adapters by name. slow : those that take minutes, too."""
    table = []
    for persons in SIZES:
        data = simulate(persons)
        frames = pl.DataFrame(data), pd.DataFrame(data)
        for model in MODELS:
            beside = [_beside(frames, persons, model, name, peer, slow) for name, peer in peers.items()]
            table += [row for row in beside if row] or [alone(_what(persons, model), frames[0], model)]
    return table


def _beside(frames: tuple[Any, Any], persons: int, model: Model, name: str, peer: ModuleType, slow: bool) -> Row | None:
    """frames : ours (polars), theirs (pandas); the same numbers."""
    if persons > peer.most(model) and not slow:
        return None
    nearest: Model | None = peer.closest(model)
    if nearest is None:
        return Row(_what(persons, model), peer=name, remark="cannot fit this model")
    return compared(_what(persons, nearest), frames, nearest, name, peer)


def compared(what: str, frames: tuple[Any, Any], model: Model, name: str, peer: ModuleType) -> Row:
    """Whole fits of a model that both can fit, in turn."""
    say(f"{what}, beside {name}")
    with ours.ready(frames[0], model) as mine, peer.ready(frames[1], model) as theirs:
        # The first runs warm up; theirs counts if it was long.
        my_fit, their_fit = mine.fit(), theirs.fit()
        if their_fit.seconds > LONG:
            times = pairs(lambda: mine.fit().seconds, lambda: their_fit.seconds, 1)
        else:
            times = pairs(lambda: mine.fit().seconds, lambda: theirs.fit().seconds, RUNS)
    difference = their_fit.criterion - my_fit.criterion
    remark = _remark(model, my_fit, their_fit)
    return Row(what, times[0], name, times[1], times[2], difference=difference, remark=remark)


def _remark(model: Model, mine: Fitted, theirs: Fitted) -> str:
    said = [] if model.reml else ["ML"]
    said += [] if model.correlated else ["uncorrelated effects"]
    said += ["one run"] if theirs.seconds > LONG else []
    said += [] if mine.converged else ["ours says: not converged"]
    said += [] if theirs.converged else ["theirs warns: not converged"]
    said += ["**not the same fit**"] if not abs(theirs.criterion - mine.criterion) <= SAME else []
    return "; ".join(said)


def alone(what: str, frame: Any, model: Model) -> Row:
    """Our whole fit."""
    with ours.ready(frame, model) as mine:
        mine.fit()
        seconds, _, _ = pairs(lambda: mine.fit().seconds, lambda: 1.0, RUNS)
    return Row(what, seconds)


def _what(persons: int, model: Model) -> str:
    return f"fit, {persons:,} persons: {model.random}"
