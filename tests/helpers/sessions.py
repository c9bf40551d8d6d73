"""Made-up sessions: persons in therapists, an outcome y and a predictor x, for the tests of models."""

from __future__ import annotations

import numpy as np
import polars as pl

import sessionwise as sw


def nested(seed: int = 5, persons: int = 20, sessions: int = 6, *, attended: float = 0.85) -> pl.DataFrame:
    """Persons in therapists in clinics, who differ in the level of y and in its slope on x.

    p, s : person and session number, of which a share `attended` has a row; t : its time.
    g, c : the person's therapist, of six, and that one's clinic, of three.
    h : the session's therapist, of five, crossed with persons; e : spell of four sessions.
    b, k : session number modulo two and three.
    x, z : predictors that vary from session to session; w, pd, arm : of the person, a number, 0 or 1, a category.
    """
    rng = np.random.default_rng(seed)
    p, s = np.repeat(np.arange(persons), sessions), np.tile(np.arange(1, sessions + 1), persons)
    x, z = rng.standard_normal((2, len(p)))
    g = p * 6 // persons
    h = (p * 7 + s // 3) % 5
    level = 1.5 * rng.standard_normal(persons)[p] + rng.standard_normal(6)[g] + rng.standard_normal(5)[h]
    y = 20 + level + x * (1 + 0.6 * rng.standard_normal(persons)[p]) + rng.standard_normal(len(p))
    of_sessions = {"p": p, "s": s, "x": 2 * x + 4, "z": z, "h": h, "e": s // 4, "b": s % 2, "k": s % 3, "y": y}
    of_persons = {"g": g, "c": g // 2, "pd": (p % 2).astype(float), "arm": np.array(["a", "b", "c"])[p % 3]}
    time = 1.3 * s + 0.2 * rng.random(len(p))
    there = rng.random(len(p)) > 1 - attended
    last = {"t": time, "w": rng.standard_normal(persons)[p]}
    return pl.DataFrame(of_sessions | of_persons | last).filter(pl.Series(there))


def changing(seed: int, persons: int, therapists: int, sessions: int = 6, *, near: bool = False) -> pl.DataFrame:
    """Persons whose therapist, h, may change every second session: to the next in number if `near`, so that therapists
    stand in a ring, else to any. The other columns as in `nested`."""
    rng = np.random.default_rng(seed)
    p, s = np.repeat(np.arange(persons), sessions), np.tile(np.arange(1, sessions + 1), persons)
    spell = (s - 1) // 2
    h = (p + spell) % therapists if near else rng.integers(0, therapists, (persons, sessions))[p, spell]
    x, z = rng.standard_normal((2, len(p)))
    level = 1.2 * rng.standard_normal(persons)[p] + 0.8 * rng.standard_normal(therapists)[h]
    y = 20 + level + x * (1 + 0.6 * rng.standard_normal(persons)[p]) + rng.standard_normal(len(p))
    table = {"p": p, "s": s, "x": x, "z": z, "h": h, "g": p % 3, "e": spell, "b": s % 2, "k": s % 3, "y": y}
    return pl.DataFrame(table | {"t": 1.3 * s}).filter(pl.Series(rng.random(len(p)) > 0.15))


def renamed(table: pl.DataFrame, seed: int) -> pl.DataFrame:
    """The same sessions: persons and therapists under other names, rows in another order."""
    names = np.random.default_rng(seed).permutation(1000)
    other = table.with_columns(p=pl.Series(names)[table["p"]], g=7 - pl.col("g"), h=7 - pl.col("h"))
    return other.sample(fraction=1.0, shuffle=True, seed=seed)


def panel_of(table: pl.DataFrame) -> sw.Panel:
    """The Panel of `nested`, of whatever roles the table has."""
    roles = {role: name for role, name in (("cluster", "g"), ("time", "t")) if name in table.columns}
    return sw.Panel(table, person="p", session="s", **roles)
