"""The normal likelihood of any pattern of missing values and its derivatives, for random structures: against SciPy
person by person, and against numerical differentiation."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.normal import by_persons
from helpers.structures import setup, structure, values
from sessionwise.sem import covariance as of_estimates
from sessionwise.sem import evaluate, loglik, meat, optimise, patterns, saturated, trace

STEP = 1e-5  # of central differences: their error is about 1e-9 of the derivative
DERIVATIVE = 2e-7  # relative to the largest entry
MONTE_CARLO = 4.5  # standard errors
SEEDS = range(8)


def differences(function, theta: np.ndarray) -> np.ndarray:
    """Derivatives by each parameter, first axis."""
    steps = STEP * np.eye(len(theta))
    return np.array([(function(theta + s) - function(theta - s)) / (2 * STEP) for s in steps])


def close(found: np.ndarray, wanted: np.ndarray, slack: float = DERIVATIVE) -> None:
    np.testing.assert_allclose(found, wanted, rtol=0, atol=slack * np.abs(wanted).max())


@pytest.mark.parametrize("seed", SEEDS)
def test_criterion_is_that_of_persons(seed):
    what, theta, data, _, given = setup(seed)
    at = what.moments(theta)
    wanted = -2 * by_persons(at.mean, at.covariance, given).sum()
    assert loglik([(what, data)], theta) == pytest.approx(wanted, rel=1e-12)
    assert evaluate([(what, data)], theta).criterion == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_moments_and_jacobian(seed):
    what, theta, *_ = setup(seed)
    at = what.moments(theta)
    low = np.tril_indices(what.k)
    by_covariance, by_mean = what.jacobian(at)
    close(by_covariance, differences(lambda t: what.moments(t).covariance[low], theta))
    close(by_mean, differences(lambda t: what.moments(t).mean, theta))


@pytest.mark.parametrize("seed", SEEDS)
def test_gradient_and_hessian(seed):
    what, theta, data, _, _ = setup(seed)
    other, _ = structure(np.random.default_rng(seed), 5)  # a second group with the same parameters and other data
    more, _ = patterns(values(np.random.default_rng(seed + 100), 15, 5))
    groups = [(what, data), (other, more)]
    found = evaluate(groups, theta)
    close(found.gradient, differences(lambda t: loglik(groups, t), theta))
    close(found.hessian, differences(lambda t: evaluate(groups, t).gradient, theta))
    np.testing.assert_array_equal(found.hessian, found.hessian.T)


@pytest.mark.parametrize("seed", SEEDS)
def test_scores_and_meat(seed):
    what, theta, data, rows, given = setup(seed)

    def logliks(t: np.ndarray) -> np.ndarray:
        at = what.moments(t)
        return by_persons(at.mean, at.covariance, given)

    scores = differences(logliks, theta)
    close(meat([(what, data)], [rows], theta), scores @ scores.T, 1e-6)
    close(-2 * scores.sum(axis=1), evaluate([(what, data)], theta).gradient, 1e-6)


@pytest.mark.parametrize("seed", range(2))
def test_expected_information_is_the_average_of_observed(seed):
    """Over data drawn from the model with the same values missing."""
    rng = np.random.default_rng(seed)
    what, theta = structure(rng, 4, 2)
    lost = np.isnan(values(rng, 60, 4))
    at = what.moments(theta)
    root = np.linalg.cholesky(at.covariance)
    found, expected = [], []
    for _ in range(150):
        given = at.mean + rng.standard_normal(lost.shape) @ root.T
        given[lost] = np.nan
        data, _ = patterns(given)
        found.append(evaluate([(what, data)], theta).hessian)
        expected.append(evaluate([(what, data)], theta, expected=True).hessian)
    np.testing.assert_allclose(np.std(expected, axis=0), 0, atol=1e-9)  # it depends on which values are observed only
    error = np.std(found, axis=0) / np.sqrt(len(found))
    assert np.all(np.abs(np.mean(found, axis=0) - expected[0]) <= MONTE_CARLO * error + 1e-9)


def test_no_likelihood():
    what, theta, data, _, _ = setup(0)
    at = np.where(np.isin(np.arange(what.size), what.spread.which), -1.0, theta)
    assert loglik([(what, data)], at) == np.inf
    with pytest.raises(np.linalg.LinAlgError):
        evaluate([(what, data)], at)
    with pytest.raises(np.linalg.LinAlgError, match="no start"):
        optimise([(what, data)], [at])


def test_order_of_persons_changes_nothing():
    rng = np.random.default_rng(4)
    given = values(rng, 60, 5)
    order = rng.permutation(60)
    one, rows = patterns(given)
    other, shuffled = patterns(given[order])
    np.testing.assert_array_equal(one.observed, other.observed)
    np.testing.assert_array_equal(one.count, other.count)
    np.testing.assert_allclose(one.mean, other.mean, atol=1e-13)
    np.testing.assert_allclose(one.covariance, other.covariance, atol=1e-13)
    np.testing.assert_array_equal(rows.pattern[order], shuffled.pattern)
    assert np.all(np.diff(one.count) <= 0)
    np.testing.assert_array_equal(one.observed[rows.pattern], np.isfinite(given))


@pytest.mark.parametrize("k", [3, 8, 9, 17])  # about the bytes into which patterns are packed
def test_patterns_hold_means_and_covariances(k):
    given = values(np.random.default_rng(k), 50, k, missing=0.1)
    data, rows = patterns(given)
    assert (data.n, data.k, data.complete) == (50, k, False)
    for p, seen in enumerate(data.observed):
        own = given[rows.pattern == p][:, seen]
        assert len(own) == data.count[p]
        np.testing.assert_allclose(data.mean[p, seen], own.mean(axis=0))
        wanted = np.atleast_2d(np.cov(own.T, bias=True)) if len(own) > 1 else np.zeros((seen.sum(), seen.sum()))
        np.testing.assert_allclose(data.covariance[p][np.ix_(seen, seen)], wanted, atol=1e-14)
        assert not data.covariance[p][~seen].any()
    both = np.isfinite(given).T.astype(float) @ np.isfinite(given)
    np.testing.assert_array_equal(data.pairs, both)


def test_covariance_of_estimates():
    def covariance(hessian, squares=None):  # without data nothing but the Hessian tells
        return of_estimates([], np.zeros(2), hessian, squares)

    hessian = np.array([[4.0, 1.0], [1.0, 2.0]])
    np.testing.assert_allclose(covariance(hessian), 2 * np.linalg.inv(hessian))
    squares = np.array([[2.0, 0.3], [0.3, 1.0]])
    np.testing.assert_allclose(
        covariance(hessian, squares), 4 * np.linalg.inv(hessian) @ squares @ np.linalg.inv(hessian)
    )
    scale = np.array([1e-6, 1e6])  # units do not count
    np.testing.assert_allclose(
        covariance(hessian * np.outer(scale, scale)) * np.outer(scale, scale), covariance(hessian)
    )
    for flat in ([[1.0, 1.0], [1.0, 1.0]], [[1.0, 0.0], [0.0, -1.0]], [[1.0, 0.0], [0.0, 0.0]]):
        assert np.isnan(covariance(np.array(flat))).all()
        assert np.isnan(covariance(np.array(flat), squares)).all()


def test_trace_counts_parameters_of_a_true_model():
    """tr A^-1 B is about the number of parameters where data are normal."""
    given = np.random.default_rng(1).standard_normal((20_000, 4)) @ np.array([[1.0, 0.5, 0, 0]] * 4 + np.eye(4))
    data, rows = patterns(given)
    found = saturated(data)
    assert found is not None
    own = [(found.structure, data)]
    squares = meat(own, [rows], found.theta)
    assert trace(evaluate(own, found.theta).hessian, squares) == pytest.approx(14, rel=0.03)
