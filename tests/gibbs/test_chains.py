"""The sampler beside dense Gaussian conditionals, its calibration, and that numbers depend on the seed alone."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from sessionwise.gibbs.chains import Plan, run_chains
from sessionwise.gibbs.diagnostics import effective_size
from sessionwise.gibbs.layout import Layout
from sessionwise.gibbs.specification import Grid, Priors, Specification, Structure, Term, VariancePrior

K = 2
TERMS = tuple(Term(i, j, 1) for i in range(K) for j in range(K))
#: A prior so tight that what it is of is known.
TIGHT = 1e8
#: Sweeps in which the step of an estimated error learns its width.
ADAPTING = 400
#: Monte Carlo errors that a mean may be off; of some hundred means the largest is beyond 5 once in ten thousand runs.
MOST_ERRORS = 5.0


def known_variance(value: np.ndarray) -> VariancePrior:
    """Inverse Wishart so tight that the matrix is known; a mean of value."""
    return VariancePrior(False, TIGHT + len(value) + 1, TIGHT * value)


def specification(
    values: np.ndarray,
    starts: np.ndarray,
    *,
    theta: np.ndarray,
    theta_precision: float = TIGHT,
    gamma_precision: float = 1.0,
    sigma: VariancePrior,
    first: VariancePrior,
    omega: VariancePrior,
    error: np.ndarray | None = None,
    error_sd: np.ndarray | None = None,
) -> Specification:
    """Two variables on each other at lag 1, levels normal; all persons begin at session 1."""
    counts = np.diff(starts)
    longest = int(counts.max())
    session = np.concatenate([np.arange(n) for n in counts])
    grid = Grid(
        starts, session, values, np.ones((len(counts), 1)), np.ones((longest, 1)), np.zeros((longest, 0)), error
    )
    structure = Structure(K, 1, TERMS, (False,) * K, 1, np.ones((K, 1), dtype=bool))
    priors = Priors(
        (theta, np.full(4, theta_precision)),
        (np.zeros((K, 1)), np.full((K, 1), gamma_precision)),
        sigma,
        first,
        omega,
        VariancePrior(True, 2.0, np.ones(K)),
        (np.zeros(K), np.zeros(K)),
        error_sd=error_sd,
    )
    return Specification(grid, structure, priors, 0 if error_sd is None else ADAPTING)


PHI = np.array([[0.4, -0.2], [0.15, 0.3]])
SIGMA = np.array([[0.8, 0.2], [0.2, 0.6]])
FIRST = np.array([[1.2, 0.1], [0.1, 0.9]])
OMEGA = np.array([[1.0, 0.3], [0.3, 0.5]])


def drawn_scores(
    rng: np.random.Generator, persons: int, sessions: int, mean: np.ndarray, phi: np.ndarray, sigma: np.ndarray,
    first: np.ndarray, omega: np.ndarray, error: np.ndarray | None, missing: float,
) -> np.ndarray:  # fmt: skip
    """(persons, sessions, K), NaN where missing; each person's first and last session is there."""
    level = mean + rng.multivariate_normal(np.zeros(K), omega, persons)
    z = np.empty((persons, sessions, K))
    z[:, 0] = rng.multivariate_normal(np.zeros(K), first, persons)
    for t in range(1, sessions):
        z[:, t] = z[:, t - 1] @ phi.T + rng.multivariate_normal(np.zeros(K), sigma, persons)
    y = level[:, None] + z
    if error is not None:
        y = y + np.sqrt(error) * rng.standard_normal(y.shape)
    gone = rng.random((persons, sessions)) < missing
    gone[:, [0, -1]] = False
    y[gone] = np.nan
    return y


def dense_levels(spec: Specification, mean_precision: float) -> tuple[np.ndarray, np.ndarray]:
    """Posterior means and SDs of all persons' levels where everything else is known, by one dense Gaussian."""
    starts, values = spec.grid.starts, spec.grid.values
    n = spec.grid.persons
    blocks, gains, observed = [], [], []
    for i in range(n):
        y = values[starts[i] : starts[i + 1]]
        t = len(y)
        process = np.zeros((t * K, t * K))
        variance = FIRST
        for a in range(t):
            column = variance
            for b in range(a, t):
                process[b * K : b * K + K, a * K : a * K + K] = column
                process[a * K : a * K + K, b * K : b * K + K] = column.T
                column = PHI @ column
            variance = PHI @ variance @ PHI.T + SIGMA
        if spec.grid.error is not None:
            process += np.diag(spec.grid.error[starts[i] : starts[i + 1]].ravel())
        there = ~np.isnan(y.ravel())
        blocks.append(process[np.ix_(there, there)])
        gains.append(np.tile(np.eye(K), (t, 1))[there])
        observed.append(y.ravel()[there])
    prior = np.kron(np.eye(n), OMEGA) + np.kron(np.ones((n, n)), np.eye(K) / mean_precision)
    precision = np.linalg.inv(prior)
    right = np.zeros(n * K)
    for i, (block, gain, y) in enumerate(zip(blocks, gains, observed, strict=True)):
        own = slice(i * K, i * K + K)
        precision[own, own] += gain.T @ np.linalg.solve(block, gain)
        right[own] += gain.T @ np.linalg.solve(block, y)
    covariance = np.linalg.inv(precision)
    return (covariance @ right).reshape(n, K), np.sqrt(np.diag(covariance)).reshape(n, K)


@pytest.mark.parametrize("latent", [False, True], ids=["observed", "error and skipped sessions"])
def test_levels_where_the_rest_is_known(latent: bool) -> None:
    """Levels given all scores are Gaussian in closed form; with error and skipped sessions the states are integrated
    out in it, and drawn by the sampler."""
    rng = np.random.default_rng(11)
    persons, sessions = 12, 6
    error = np.array([0.5, 0.3]) if latent else None
    y = drawn_scores(rng, persons, sessions, np.zeros(K), PHI, SIGMA, FIRST, OMEGA, error, 0.3 if latent else 0.0)
    starts = np.arange(persons + 1) * sessions
    spec = specification(
        y.reshape(-1, K), starts, theta=PHI.ravel(), sigma=known_variance(SIGMA), first=known_variance(FIRST),
        omega=known_variance(OMEGA), error=None if error is None else np.broadcast_to(error, (len(y) * sessions, K)),
    )  # fmt: skip
    drawn = run_chains(spec, 3, Plan(size=3000, first=2000, most=8000, persons=4000))
    mean, sd = dense_levels(spec, 1.0)
    size = np.minimum(drawn.convergence.bulk[Layout.of(spec).gamma].min(), 3000)
    np.testing.assert_array_less(np.abs(drawn.effects - mean) / (sd / np.sqrt(size)), MOST_ERRORS)
    np.testing.assert_array_less(np.abs(drawn.effect_sd / sd - 1) * np.sqrt(2 * size), MOST_ERRORS)


def prior_draw(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Coefficients, mean levels, and the three covariances, from the priors that calibration uses."""
    return (
        rng.normal(0.1, 0.15, (K, K)),
        rng.normal(0.0, 1.0, K),
        *(stats.invwishart(12, 9 * np.eye(K)).rvs(random_state=rng) for _ in range(3)),
    )


def ranks_of(
    seed: int, error: np.ndarray | None, missing: float, persons: int, sessions: int, steps: int
) -> np.ndarray:
    """Rank of each true parameter among `steps` - 1 nearly independent draws from its posterior."""
    rng = np.random.default_rng([77, seed])
    phi, mean, sigma, first, omega = prior_draw(rng)
    y = drawn_scores(rng, persons, sessions, mean, phi, sigma, first, omega, error, missing)
    prior = VariancePrior(False, 12.0, 9 * np.eye(K))
    spec = specification(
        y.reshape(-1, K), np.arange(persons + 1) * sessions, theta=np.full(4, 0.1), theta_precision=0.15**-2,
        sigma=prior, first=prior, omega=prior,
        error=None if error is None else np.broadcast_to(error, (persons * sessions, K)),
    )  # fmt: skip
    layout = Layout.of(spec)
    wanted = np.r_[layout.theta, layout.gamma, layout.sigma, layout.omega, layout.first]
    drawn = run_chains(
        spec, seed, Plan(chains=2, warm_up=200, first=400, rhat=1.05, size=8.0 * steps, most=6000, persons=2),
        judged=lambda draws: draws[:, :, wanted],
    )  # fmt: skip
    low = np.tril_indices(K)
    truth = np.concatenate([phi.ravel(), mean, sigma[low], omega[low], first[low]])
    flat = drawn.draws[:, :, wanted].reshape(-1, len(wanted))
    few = flat[:: len(flat) // (steps - 1)][: steps - 1]
    return np.asarray((few < truth).sum(axis=0))


def assert_uniform(ranks: np.ndarray, steps: int, bins: int) -> None:
    """ranks : (replications, parameters), from 0 to steps - 1; by chi-square at 1e-4, Bonferroni over parameters."""
    for j in range(ranks.shape[1]):
        counts = np.bincount(ranks[:, j] * bins // steps, minlength=bins)
        assert stats.chisquare(counts).pvalue > 1e-4 / ranks.shape[1], (j, counts)


def test_calibration() -> None:
    """Talts et al. (2018), small: nothing latent."""
    ranks = np.array([ranks_of(seed, None, 0.0, persons=10, sessions=5, steps=16) for seed in range(60)])
    assert_uniform(ranks, 16, 4)


def error_ranks_of(seed: int, persons: int, sessions: int, steps: int) -> np.ndarray:
    """As `ranks_of`, with errors whose SDs are half-t and drawn beside the rest; some sessions are skipped."""
    rng = np.random.default_rng([78, seed])
    phi, mean, sigma, first, omega = prior_draw(rng)
    scale = np.full(K, 0.5)
    sd = scale * np.abs(rng.standard_t(2, K))
    y = drawn_scores(rng, persons, sessions, mean, phi, sigma, first, omega, sd**2, 0.1)
    prior = VariancePrior(False, 12.0, 9 * np.eye(K))
    spec = specification(
        y.reshape(-1, K), np.arange(persons + 1) * sessions, theta=np.full(4, 0.1), theta_precision=0.15**-2,
        sigma=prior, first=prior, omega=prior, error=np.ones((persons * sessions, K)), error_sd=scale,
    )  # fmt: skip
    layout = Layout.of(spec)
    wanted = np.r_[layout.theta, layout.gamma, layout.sigma, layout.omega, layout.first, layout.error]
    drawn = run_chains(
        spec, seed, Plan(chains=2, warm_up=ADAPTING, first=800, rhat=1.05, size=6.0 * steps, most=6000, persons=2),
        judged=lambda draws: draws[:, :, wanted],
    )  # fmt: skip
    low = np.tril_indices(K)
    truth = np.concatenate([phi.ravel(), mean, sigma[low], omega[low], first[low], sd**2])
    flat = drawn.draws[:, :, wanted].reshape(-1, len(wanted))
    few = flat[:: len(flat) // (steps - 1)][: steps - 1]
    return np.asarray((few < truth).sum(axis=0))


@pytest.mark.slow
def test_calibration_with_an_estimated_error() -> None:
    ranks = np.array([error_ranks_of(seed, persons=15, sessions=8, steps=32) for seed in range(200)])
    assert_uniform(ranks, 32, 8)


@pytest.mark.slow
def test_calibration_with_error_and_skipped_sessions() -> None:
    error = np.array([0.4, 0.2])
    ranks = np.array([ranks_of(seed, error, 0.2, persons=20, sessions=6, steps=64) for seed in range(500)])
    assert_uniform(ranks, 64, 16)


def small(persons: int = 15) -> Specification:
    y = drawn_scores(np.random.default_rng(5), persons, 5, np.zeros(K), PHI, SIGMA, FIRST, OMEGA, None, 0.2)
    weak = VariancePrior(False, 3.0, 0.5 * np.eye(K))
    return specification(
        y.reshape(-1, K), np.arange(persons + 1) * 5, theta=np.zeros(4), theta_precision=1.0,
        sigma=weak, first=weak, omega=weak,
    )  # fmt: skip


def test_numbers_depend_on_the_seed_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = Plan(warm_up=20, first=60, size=1, rhat=100.0, threads=1)
    one = run_chains(small(), 4, plan)
    three = run_chains(small(), 4, replace(plan, threads=3))
    monkeypatch.setattr("sessionwise.gibbs.chains.PIECE", 0.0)  # one sweep at a time
    pieces = run_chains(small(), 4, plan)
    for other in (three, pieces):
        np.testing.assert_array_equal(one.draws, other.draws)
        np.testing.assert_array_equal(one.persons, other.persons)
        np.testing.assert_array_equal(one.effects, other.effects)
    assert not np.array_equal(one.draws, run_chains(small(), 5, plan).draws)
    assert not np.array_equal(one.draws[0], one.draws[1])
    assert one.draws.shape == (4, 60, Layout.of(small()).size)


def test_persons_draws_and_their_moments_agree() -> None:
    drawn = run_chains(small(), 1, Plan(first=1000, size=400, persons=2000))
    assert 2000 <= len(drawn.persons) <= 4000
    size = effective_size(drawn.persons.reshape(4, -1, 30)[:, :, :]).reshape(15, 2)
    error = drawn.effect_sd / np.sqrt(size)
    np.testing.assert_array_less(np.abs(drawn.persons.mean(axis=0) - drawn.effects) / error, MOST_ERRORS)
    means = drawn.draws.reshape(-1, drawn.layout.size)[drawn.persons_at][:, drawn.layout.means]
    np.testing.assert_allclose(drawn.persons.mean(axis=1), means, atol=1e-12)  # each with the draw that it belongs to


def test_an_interrupt_keeps_what_was_drawn() -> None:
    told: list[int] = []

    def progress(kept: int, size: float) -> None:
        told.append(kept)
        if kept >= 200 and len(told) > 1 and threading.current_thread() is threading.main_thread():
            os.kill(os.getpid(), signal.SIGINT)

    drawn = run_chains(small(), 1, Plan(first=100_000, most=200_000, size=1e9), progress=progress)
    assert drawn.interrupted
    assert not drawn.met
    assert 200 <= drawn.draws.shape[1] < 100_000
    assert np.isfinite(drawn.draws).all()


def test_an_early_interrupt_is_one() -> None:
    def progress(kept: int, size: float) -> None:
        raise KeyboardInterrupt

    plan = Plan(first=10, most=10, size=1e9, warm_up=1)
    with pytest.raises(KeyboardInterrupt):
        run_chains(small(), 1, plan, progress=progress)
