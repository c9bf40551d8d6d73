"""Small studies of two scores a session, y and w, of which what is true is known."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

import sessionwise as sw


class Shape(NamedTuple):
    """What is true, in the units of the innovations of both scores, which have SD 1.

    forward, reverse : of w on the next y, of y on the next w. y, w : of each on its own next value. same : correlation
    of both innovations of a session. course : how far both go along one exponential curve, the same for all (y down,
    w up). own : SD of persons' own slopes on session number, which go together as the course does. leaving : log odds
    of leaving for one point of w less, above -2. stay : what the forward effect is more in who has many sessions.
    """

    forward: float = 0.0
    reverse: float = 0.0
    y: float = 0.3
    w: float = 0.3
    same: float = -0.3
    course: float = 0.0
    own: float = 0.0
    leaving: float = 0.0
    stay: float = 0.0


#: No effect either way.
NULL = Shape()


def two_scores(seed: int, shape: Shape = NULL, *, persons: int = 80, longest: int = 12) -> pl.DataFrame:
    """p : person, 3 to `longest` sessions each; s : session from 1; y, w : both scores."""
    rng = np.random.default_rng(seed)
    sessions = rng.integers(3, longest + 1, persons)
    before, t = 20, np.arange(longest)
    forward = shape.forward + shape.stay * (sessions > np.median(sessions))
    y, w = np.zeros((2, persons, before + longest))
    for s in range(1, before + longest):
        e, f = rng.standard_normal((2, persons))
        y[:, s] = shape.y * y[:, s - 1] + forward * w[:, s - 1] + e
        w[:, s] = shape.w * w[:, s - 1] + shape.reverse * y[:, s - 1]
        w[:, s] += shape.same * e + np.sqrt(1 - shape.same**2) * f
    slopes, level = shape.own * rng.standard_normal(persons)[:, None], rng.standard_normal((2, persons, 1))
    bend = shape.course * (1 - np.exp(-t / 2))
    y, w = y[:, before:] - bend - slopes * t + 2 * level[0] + 10, w[:, before:] + bend + slopes * t + level[1] + 5
    if shape.leaving:
        leaves = rng.random((persons, longest)) < 1 / (1 + np.exp(2 + shape.leaving * (w - 5)))
        leaves[:, :2], leaves[:, -1] = False, True
        sessions = 1 + leaves.argmax(axis=1)
    there = t < sessions[:, None]
    p = np.repeat(np.arange(persons), longest).reshape(persons, longest)
    s = np.tile(t + 1, (persons, 1))
    return pl.DataFrame({"p": p[there], "s": s[there], "y": y[there], "w": w[there]})


def panel_of(table: pl.DataFrame) -> sw.Panel:
    return sw.Panel(table, person="p", session="s")
