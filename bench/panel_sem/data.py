"""Simulated persons of a random-intercept cross-lagged panel model; numbers the same on every machine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

LAGS = np.array([[0.3, -0.1], [-0.15, 0.3]])
RESIDUAL = np.array([[0.9, -0.2], [-0.2, 0.9]])
BETWEEN = np.array([[1.8, -0.7], [-0.7, 1.8]])


@dataclass(frozen=True, slots=True)
class Case:
    """Probabilities: `dropout`, of leaving after a wave; `skipped`, of missing a wave in between; `unanswered`, of
    leaving x out at a wave attended."""

    persons: int
    waves: int
    dropout: float
    skipped: float
    unanswered: float
    seed: int = 1

    def simulate(self) -> np.ndarray:
        """(persons, waves, 2) of y and x, NaN where missing; nobody misses the first wave."""
        rng = np.random.default_rng(self.seed)
        shape = self.persons, self.waves
        level = rng.standard_normal((self.persons, 2)) @ np.linalg.cholesky(BETWEEN).T
        noise = rng.standard_normal((*shape, 2)) @ np.linalg.cholesky(RESIDUAL).T
        values = np.empty((*shape, 2))
        now = noise[:, 0]
        for t in range(self.waves):
            now = now if t == 0 else now @ LAGS.T + noise[:, t]
            values[:, t] = level + now + np.array([15 - 0.3 * t, 5 + 0.1 * t])
        stays = np.cumprod(rng.random(shape) >= self.dropout, axis=1).astype(bool)
        seen = stays & (rng.random(shape) >= self.skipped)
        seen[:, 0] = True
        values[~seen] = np.nan
        values[rng.random(shape) < self.unanswered, 1] = np.nan
        return values


def patterns(values: np.ndarray) -> int:
    """How many patterns of missing values there are."""
    return len(np.unique(np.isfinite(values).reshape(len(values), -1), axis=0))


def long(values: np.ndarray) -> pl.DataFrame:
    """One row a person and session attended."""
    person, wave = np.nonzero(np.isfinite(values[:, :, 0]))
    columns = {"person": person, "session": wave + 1, "y": values[person, wave, 0], "x": values[person, wave, 1]}
    return pl.DataFrame(columns).fill_nan(None)


def wide(values: np.ndarray) -> pl.DataFrame:
    """One row a person: y1, y2, ..., x1, x2, ..."""
    waves = range(values.shape[1])
    columns = {f"{name}{t + 1}": values[:, t, i] for i, name in enumerate("yx") for t in waves}
    return pl.DataFrame(columns).fill_nan(None)
