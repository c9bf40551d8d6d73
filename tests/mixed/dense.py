"""The slow, plain way: a model's covariance matrix of all rows, for the engine to be compared with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import sessionwise as sw
from sessionwise.mixed import MixedLikelihood, Residual


@dataclass(frozen=True)
class Dense:
    """X, y, V relative to sigma^2, and what follows from them."""

    x: np.ndarray
    y: np.ndarray
    v: np.ndarray

    def criterion(self, reml: bool) -> float:
        inverse = np.linalg.inv(self.v)
        s = self.x.T @ inverse @ self.x
        e = self.y - self.x @ self.beta()
        n, p = self.x.shape
        nu = n - p if reml else n
        log_s = np.linalg.slogdet(s)[1] if reml else 0.0
        return np.linalg.slogdet(self.v)[1] + nu * (1 + np.log(2 * np.pi * (e @ inverse @ e) / nu)) + log_s

    def beta(self) -> np.ndarray:
        inverse = np.linalg.inv(self.v)
        return np.linalg.solve(self.x.T @ inverse @ self.x, self.x.T @ inverse @ self.y)


def residual_matrix(design: sw.Design, residual: Residual, natural: np.ndarray, at: np.ndarray) -> np.ndarray:
    """R relative to sigma^2. `at`: session number or time of each row."""
    n = len(design.rows)
    person = np.repeat(np.arange(len(design.persons)), np.diff(design.starts))
    sd = np.ones(max(len(residual.labels), 1))
    r = np.eye(n)
    first = 0
    if residual.kind != "independent":
        apart = np.abs(at[:, None] - at[None, :])
        sign = np.where(np.round(apart) % 2 == 1, np.sign(natural[0]), 1.0)
        power = sign * np.abs(natural[0]) ** np.maximum(apart, 1e-12)
        r = (person[:, None] == person[None, :]) * np.where(apart == 0, 1.0, power)
        first = 1
    sd[1:] = natural[first:]
    return r * np.outer(sd[residual.strata], sd[residual.strata])


def dense(design: sw.Design, problem: MixedLikelihood, factors: list[np.ndarray], r: np.ndarray) -> Dense:
    """With relative covariance factors in user units, one for each random term."""
    v = r.copy()
    for block, factor in zip(problem.blocks, factors, strict=True):
        codes, z = design.grouping(block.group).codes, design.matrix[:, list(block.columns)]
        v += (codes[:, None] == codes[None, :]) * (z @ factor @ factor.T @ z.T)
    return Dense(design.matrix[:, list(design.fixed)], design.matrix[:, 0], v)
