"""Small data for the tests of panel models: two variables x and y, a third one z, covariates and a group."""

from __future__ import annotations

import numpy as np
import polars as pl

import sessionwise as sw


def table(
    seed: int = 1, persons: int = 120, waves: int = 4, *, stable: float = 1.0, missing: float = 0.0
) -> pl.DataFrame:
    """One row for each person and session; a row stays where its values are missing."""
    rng = np.random.default_rng(seed)
    lags = np.array([[0.3, 0.1, 0.0], [0.2, 0.4, 0.0], [0.0, 0.0, 0.2]])
    person = stable * rng.standard_normal((persons, 3)) @ np.array([[1, 0.3, 0.2], [0, 1, 0.2], [0, 0, 1]])
    within = np.empty((persons, waves, 3))
    within[:, 0] = 1.1 * rng.standard_normal((persons, 3))
    for t in range(1, waves):
        within[:, t] = within[:, t - 1] @ lags.T + rng.standard_normal((persons, 3))
    values = (person[:, None] + within + 0.2 * np.arange(waves)[:, None]).reshape(-1, 3)
    values[rng.random(values.shape) < missing] = np.nan
    p = np.repeat(np.arange(persons), waves)
    return pl.DataFrame(
        {
            "person": p,
            "session": np.tile(np.arange(1, waves + 1), persons),
            **{name: pl.Series(values[:, i]).fill_nan(None) for i, name in enumerate("xyz")},
            "w": (person[:, 0] + rng.standard_normal(persons))[p],
            "group": np.where(np.arange(persons) % 3, "a", "b")[p],
        }
    )


def panel_of(data: pl.DataFrame) -> sw.Panel:
    return sw.Panel(data, person="person", session="session")


def panel(*args: int, **options: float) -> sw.Panel:
    return panel_of(table(*args, **options))
