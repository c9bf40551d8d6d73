"""The saturated model against a plain EM algorithm, the model without covariances, and variables that depend on each
other."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.normal import by_persons
from helpers.structures import values
from sessionwise.sem import Dependent, evaluate, independence, loglik, patterns, saturated

EM = 1e-8  # relative: where a plain EM stops


def em(given: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means and covariances of largest likelihood, person by person (Little & Rubin)."""
    mean, covariance = np.nanmean(given, axis=0), np.diag(np.nanvar(given, axis=0))
    for _ in range(5000):
        first, second = np.zeros_like(mean), np.zeros_like(covariance)
        for row in given:
            o = np.isfinite(row)
            full, rest = np.where(o, row, 0.0), np.zeros_like(covariance)
            if not o.all():
                b = np.linalg.solve(covariance[np.ix_(o, o)], covariance[np.ix_(o, ~o)]).T
                full[~o] = mean[~o] + b @ (row[o] - mean[o])
                rest[np.ix_(~o, ~o)] = covariance[np.ix_(~o, ~o)] - b @ covariance[np.ix_(o, ~o)]
            first += full
            second += np.outer(full, full) + rest
        new = first / len(given)
        fresh = second / len(given) - np.outer(new, new)
        moved = max(np.abs(new - mean).max(), np.abs(fresh - covariance).max())
        mean, covariance = new, fresh
        if moved < 1e-11:
            break
    return mean, covariance


@pytest.mark.parametrize("seed", range(3))
def test_saturated_is_what_em_finds(seed):
    given = values(np.random.default_rng(seed), 50, 3, missing=0.2)
    data, _ = patterns(given)
    found = saturated(data)
    assert found is not None
    mean, covariance = em(given)
    np.testing.assert_allclose(found.mean, mean, atol=EM * np.sqrt(covariance.diagonal().max()))
    np.testing.assert_allclose(found.covariance, covariance, atol=EM * covariance.max())
    assert found.criterion == pytest.approx(loglik([(found.structure, data)], found.theta))
    best = evaluate([(found.structure, data)], found.theta)
    assert best.gradient @ np.linalg.solve(best.hessian, best.gradient) < 1e-12


def test_saturated_of_complete_data():
    given = values(np.random.default_rng(0), 30, 4, missing=0.0)
    data, _ = patterns(given)
    found = saturated(data)
    assert found is not None
    covariance = np.cov(given.T, bias=True)
    np.testing.assert_allclose(found.covariance, covariance)
    wanted = -2 * by_persons(given.mean(axis=0), covariance, given).sum()
    assert found.criterion == pytest.approx(wanted)
    assert loglik([(found.structure, data)], found.theta) == pytest.approx(wanted)


def test_independence():
    given = values(np.random.default_rng(1), 40, 4)
    data, _ = patterns(given)
    found = independence(data)
    np.testing.assert_allclose(found.mean, np.nanmean(given, axis=0))
    np.testing.assert_allclose(found.covariance, np.diag(np.nanvar(given, axis=0)))
    assert found.criterion == pytest.approx(loglik([(found.structure, data)], found.theta))
    np.testing.assert_allclose(evaluate([(found.structure, data)], found.theta).gradient, 0, atol=1e-9)


@pytest.mark.parametrize("missing", [0.0, 0.15])
def test_variables_that_depend_on_each_other(missing):
    given = values(np.random.default_rng(2), 60, 5, missing)
    copied = np.column_stack([given, given[:, 1]])
    with pytest.raises(Dependent, match="depend on each other") as caught:
        saturated(patterns(copied)[0])
    assert sorted(caught.value.variables) == [1, 5]
    summed = np.column_stack([given, given[:, 0] - 2 * given[:, 3] + 7])
    with pytest.raises(Dependent) as caught:
        saturated(patterns(summed)[0])
    assert sorted(caught.value.variables) == [0, 3, 5]


def test_few_persons_are_not_dependent_variables():
    """As many persons as variables fit any plane: no chi-square, but nothing was copied."""
    for n in (3, 5):
        assert saturated(patterns(values(np.random.default_rng(n), n, 5, 0.0))[0]) is None
    assert saturated(patterns(values(np.random.default_rng(1), 8, 6, 0.3))[0]) is None


def test_a_pair_that_nobody_has():
    given = values(np.random.default_rng(3), 40, 3, 0.0)
    given[:20, 0] = np.nan
    given[20:, 1] = np.nan
    assert saturated(patterns(given)[0]) is None
