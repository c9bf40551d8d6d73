"""R-hat and effective sizes where they are known, and beside ArviZ where that is installed."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from sessionwise.gibbs.diagnostics import convergence, rank_normalised, split

CHAINS, KEPT, MANY = 4, 4000, 40


def autoregressive(a: float, seed: int) -> np.ndarray:
    """(chains, kept, many) stationary with a variance of 1."""
    rng = np.random.default_rng(seed)
    out = np.empty((CHAINS, KEPT, MANY))
    out[:, 0] = rng.standard_normal((CHAINS, MANY))
    for t in range(1, KEPT):
        out[:, t] = a * out[:, t - 1] + np.sqrt(1 - a**2) * rng.standard_normal((CHAINS, MANY))
    return out


@pytest.mark.parametrize("a", [0.0, 0.5, 0.9])
def test_draws_that_forget_by_a_known_rate(a: float) -> None:
    """Bulk size n(1 - a)/(1 + a). Its mean over 40 columns varies by 2 % (iid: 1 %), and it is biased by about 2 %."""
    found = convergence(autoregressive(a, 1))
    assert found.bulk.mean() == pytest.approx(CHAINS * KEPT * (1 - a) / (1 + a), rel=0.06)
    assert found.largest_rhat < 1.02
    assert found.met(1.05, 100)
    assert not found.met(1.05, 1e9)


def test_chains_that_disagree() -> None:
    draws = np.random.default_rng(2).standard_normal((CHAINS, 1000, 3))
    draws[0, :, 1] += 1.0  # a mean of its own
    draws[0, :, 2] *= 4.0  # a spread of its own: only folded ranks tell
    rhat = convergence(draws).rhat
    assert rhat[0] < 1.01
    assert rhat[1] > 1.05
    assert rhat[2] > 1.05


def test_a_number_that_never_moves_is_not_judged() -> None:
    draws = np.random.default_rng(3).standard_normal((CHAINS, 1000, 2))
    draws[:, :, 1] = 2.0
    found = convergence(draws)
    assert np.isnan([found.rhat[1], found.bulk[1], found.tail[1]]).all()
    assert found.met(1.02, 400)


def test_ranks_and_halves() -> None:
    draws = np.arange(10.0).reshape(2, 5, 1)
    assert split(draws)[:, :, 0].tolist() == [[0, 1], [5, 6], [3, 4], [8, 9]]
    ties = rank_normalised(np.array([[[1.0], [1.0]], [[3.0], [2.0]]]))[..., 0]
    assert ties[0, 0] == ties[0, 1] == pytest.approx(NormalDist().inv_cdf((1.5 - 0.375) / 4.25))
    assert ties[1, 0] > ties[1, 1] > 0 - 1e-9


def test_beside_arviz() -> None:
    arviz = pytest.importorskip("arviz", reason="ArviZ is not installed")
    draws = autoregressive(0.7, 4)[:, :1001, :3] ** 3
    found = convergence(draws)
    for j in range(3):
        one = draws[:, :, j]
        assert found.rhat[j] == pytest.approx(float(arviz.rhat(one)), rel=1e-3)
        assert found.bulk[j] == pytest.approx(float(arviz.ess(one, method="bulk")), rel=0.02)
        assert found.tail[j] == pytest.approx(float(arviz.ess(one, method="tail")), rel=0.02)
