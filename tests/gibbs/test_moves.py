"""Calibration (Talts et al. 2018) of the moves that draw several things at once: variances with persons' effects
integrated out, and what persons' courses have in common exchanged with the common course, beside outcomes of both."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sessionwise.gibbs.chains import Plan, run_chains
from sessionwise.gibbs.layout import Layout
from sessionwise.gibbs.specification import Grid, Priors, Specification, Structure, Term, VariancePrior

K, SESSIONS, STEPS = 2, 5, 16
#: Levels and trends of both variables, then each one's effect on the other.
LEVELS, EFFECTS = 4, 6
TERMS = (Term(0, 0, 1), Term(0, 1, 1, random=True), Term(1, 0, 1, random=True), Term(1, 1, 1))
REGRESSED = np.array([[True], [False], [True], [False], [True], [True]])
SCALE = np.diag([9.0, 0.9, 9.0, 0.9, 0.5, 0.5])
#: Inverse Wishart of one variance; each further effect of a group takes one degree off.
DEGREES = 15.0
GAMMA_PRECISION, THETA, NOISE = 4.0, (0.2, 0.01), VariancePrior(False, 12.0, 9 * np.eye(K))
OUTCOME = (1.0, 5.0, 4.0)


def drawn(rng: np.random.Generator, persons: int) -> tuple[Specification, np.ndarray]:
    """Data from the priors, and what is true of `judged`. The course, whose prior is flat, is zero: all else is the
    same whatever it is."""
    omega = np.zeros((EFFECTS, EFFECTS))
    omega[:LEVELS, :LEVELS] = stats.invwishart(DEGREES - LEVELS + 1, SCALE[:LEVELS, :LEVELS]).rvs(random_state=rng)
    for j in range(LEVELS, EFFECTS):
        omega[j, j] = stats.invwishart(DEGREES, SCALE[j : j + 1, j : j + 1]).rvs(random_state=rng)
    gamma = np.where(REGRESSED[:, 0], rng.normal(0.0, GAMMA_PRECISION**-0.5, EFFECTS), 0.0)
    gamma[LEVELS:] *= 0.2
    theta = rng.normal(THETA[0], THETA[1] ** 0.5, 2)
    sigma, first = (stats.invwishart(12, NOISE.scale).rvs(random_state=rng) for _ in range(2))
    b = gamma + rng.multivariate_normal(np.zeros(EFFECTS), omega, persons)
    z = np.empty((persons, SESSIONS, K))
    z[:, 0] = rng.multivariate_normal(np.zeros(K), first, persons)
    for t in range(1, SESSIONS):
        before = z[:, t - 1]
        expected = np.column_stack(
            [theta[0] * before[:, 0] + b[:, 4] * before[:, 1], theta[1] * before[:, 1] + b[:, 5] * before[:, 0]]
        )
        z[:, t] = expected + rng.multivariate_normal(np.zeros(K), sigma, persons)
    own = np.column_stack([np.ones(SESSIONS), np.arange(SESSIONS) - 2.0])
    y = z + np.einsum("te,pke->ptk", own, b[:, :LEVELS].reshape(persons, K, 2))
    coefficients = rng.normal(0.0, OUTCOME[0] ** -0.5, 1 + EFFECTS)
    variance = stats.invgamma(OUTCOME[1], scale=OUTCOME[2]).rvs(random_state=rng)
    outcome = coefficients[0] + b @ coefficients[1:] + variance**0.5 * rng.standard_normal(persons)
    grid = Grid(
        np.arange(persons + 1) * SESSIONS, np.tile(np.arange(SESSIONS), persons), y.reshape(-1, K),
        np.ones((persons, 1)), own, np.eye(SESSIONS)[:, 1:], outcomes=outcome[:, None],
    )  # fmt: skip
    structure = Structure(
        K, 1, TERMS, (False,) * K, 2, REGRESSED,
        outcome_on_predictors=np.ones((1, 1), dtype=bool), outcome_on_effects=np.ones((1, EFFECTS), dtype=bool),
    )  # fmt: skip
    precision = np.full((EFFECTS, 1), GAMMA_PRECISION)
    precision[LEVELS:] *= 25.0
    priors = Priors(
        (np.full(2, THETA[0]), np.full(2, 1 / THETA[1])), (np.zeros((EFFECTS, 1)), precision), NOISE, NOISE,
        VariancePrior(False, DEGREES, SCALE), VariancePrior(True, 2.0, np.ones(LEVELS)), (np.zeros(K), np.zeros(K)),
        outcome=OUTCOME,
    )  # fmt: skip
    low = np.tril_indices(LEVELS)
    truth = (
        theta,
        gamma[REGRESSED[:, 0]],
        omega[:LEVELS, :LEVELS][low],
        np.diag(omega)[LEVELS:],
        coefficients,
        [variance],
    )
    return Specification(grid, structure, priors), np.concatenate(truth)


def ranks_of(seed: int) -> np.ndarray:
    """Rank of what is true among STEPS - 1 nearly independent draws."""
    spec, truth = drawn(np.random.default_rng([79, seed]), 15)
    layout = Layout.of(spec)
    judged = np.r_[layout.theta, layout.gamma, layout.omega, layout.outcomes]
    plan = Plan(chains=2, warm_up=300, first=600, rhat=1.05, size=6.0 * STEPS, most=8000, persons=2)
    found = run_chains(spec, seed, plan, judged=lambda draws: draws[:, :, judged])
    flat = found.draws[:, :, judged].reshape(-1, len(judged))
    return np.asarray((flat[:: len(flat) // (STEPS - 1)][: STEPS - 1] < truth).sum(axis=0))


@pytest.mark.parametrize("studies", [60, pytest.param(500, marks=pytest.mark.slow)])
def test_calibration_of_variances_courses_and_outcomes(studies: int) -> None:
    """Chi-square of ranks at 1e-4, Bonferroni over parameters."""
    ranks = np.array([ranks_of(seed) for seed in range(studies)])
    for j in range(ranks.shape[1]):
        counts = np.bincount(ranks[:, j] * 4 // STEPS, minlength=4)
        assert stats.chisquare(counts).pvalue > 1e-4 / ranks.shape[1], (j, counts)
