"""AR(1) near -1: residuals that all but alternate, without a random intercept in the truth, over scales of the outcome.

The optimum is that of the dense criterion, written with whitened differences (y_t - phi y_{t-1}) / sqrt(1 - phi^2)."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.optimize import minimize

import sessionwise as sw

PERSONS, SESSIONS = 30, 8
CLOSE = 1e-7  # of -2 log-likelihoods of up to 8,000: the simplex ends at 1e-10, 1 - phi^2 loses four digits


def alternating(phi: float, scale: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    e = rng.normal(size=(PERSONS, SESSIONS))
    for s in range(1, SESSIONS):
        e[:, s] = phi * e[:, s - 1] + np.sqrt(1 - phi**2) * e[:, s]
    return scale * (5 + e)


def dense(at: np.ndarray, y: np.ndarray) -> float:
    """-2 log-likelihood at (atanh phi, log of the intercept's variance relative to the residual one)."""
    phi, left, ratio = np.tanh(at[0]), 1 / np.cosh(at[0]) ** 2, np.exp(at[1])

    def white(values: np.ndarray) -> np.ndarray:
        return np.concatenate([values[:, :1], (values[:, 1:] - phi * values[:, :-1]) / np.sqrt(left)], axis=1)

    one = white(np.ones((1, SESSIONS)))[0]
    size = 1 + ratio * (one @ one)
    mean = (white(y) @ one).sum() / (PERSONS * (one @ one))
    off = white(y) - mean * one
    squares = (off**2).sum() - ratio / size * ((off @ one) ** 2).sum()
    of_determinants = PERSONS * ((SESSIONS - 1) * np.log(left) + np.log(size))
    return float(of_determinants + y.size * (1 + np.log(2 * np.pi * squares / y.size)))


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("phi", [-0.9, -0.99, -0.999, -0.9999])
def test_the_optimum_is_that_of_the_dense_criterion(phi: float, scale: float) -> None:
    y = alternating(phi, scale, 3)
    exact = {"xatol": 1e-9, "fatol": 1e-10, "maxiter": 4000}
    starts = [np.array([np.arctanh(phi), ratio]) for ratio in (-20.0, -4.0)]
    least = min(minimize(dense, start, args=(y,), method="Nelder-Mead", options=exact).fun for start in starts)
    who, when = np.repeat(np.arange(PERSONS), SESSIONS), np.tile(np.arange(1, SESSIONS + 1), PERSONS)
    panel = sw.Panel(pl.DataFrame({"p": who, "s": when, "y": y.ravel()}), person="p", session="s")
    fit = sw.MLM("y ~ 1 + (1 | p)", residual="ar1", method="ML").fit(panel)
    assert fit.verdict.converged
    assert fit.deviance == pytest.approx(least, abs=CLOSE)
