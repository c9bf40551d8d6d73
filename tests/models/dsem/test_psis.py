"""Smoothed weights against ArviZ 0.23's `psislw` (r_eff=1), and cases with no tail to fit."""

from __future__ import annotations

import numpy as np
import pytest

from sessionwise.models.dsem.psis import pareto, reliable_below, smoothed


def test_weights_and_k_are_those_of_arviz() -> None:
    quantiles = (np.arange(1, 101) - 0.5) / 100
    ratios = np.column_stack([-np.log1p(-quantiles) * spread for spread in (0.3, 0.6, 1.2)])
    weights, k = smoothed(ratios)
    np.testing.assert_allclose(k, [0.37726987, 0.54914357, 0.89236322], atol=1e-8)
    largest = [
        [-3.81883358, -3.64516288, -3.36861605],
        [-3.25869727, -2.96865999, -2.3521956],
        [-2.69221661, -2.21578113, -1.21360643],
    ]
    np.testing.assert_allclose(weights[-3:].T, largest, atol=1e-8)
    np.testing.assert_allclose(np.exp(weights).sum(axis=0), 1.0)


@pytest.mark.parametrize("k", [-0.3, 0.2, 0.6])
def test_a_pareto_tail_is_found(k: float) -> None:
    """From quantiles of the distribution itself, so that nothing is by chance; the prior draws k by 0.005."""
    quantiles = (np.arange(2000) + 0.5) / 2000
    x = 3.0 * np.expm1(-k * np.log1p(-quantiles)) / k
    found, sigma = pareto(np.sort(x)[:, None])
    assert found[0] == pytest.approx(k, abs=0.02)
    assert sigma[0] == pytest.approx(3.0, rel=0.02)


def test_ratios_that_are_all_alike_and_that_have_one_giant() -> None:
    alike, giant = np.zeros(400), np.zeros(400)
    giant[7] = 50.0
    weights, k = smoothed(np.column_stack([alike, giant]))
    np.testing.assert_allclose(weights[:, 0], -np.log(400))
    assert k[0] == -np.inf
    assert k[1] > reliable_below(400) or np.isinf(k[1])
    assert np.isfinite(weights).all()


def test_how_large_k_may_be() -> None:
    assert reliable_below(400) == pytest.approx(1 - 1 / np.log10(400))
    assert reliable_below(10**6) == 0.7
