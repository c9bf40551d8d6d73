"""R² within persons and effects in persons' own SDs: against closed forms and dense Lyapunov equations."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy import linalg

import sessionwise as sw
from helpers import dynamic
from helpers.dynamic import fitted
from sessionwise.models.dsem.explained import within_persons
from sessionwise.models.dsem.parameters import parameters


def test_of_one_variable_it_is_the_squared_autoregression() -> None:
    fit = fitted(sw.DSEM(("y ~ lag(y)",), random="none", course=None))
    table = fit.r_squared(0.9)
    squared = np.quantile(fit.draws("y ~ lag(y)").ravel() ** 2, [0.5, 0.05, 0.95])
    assert table["of"].to_list() == ["average person", "mean over persons"]
    np.testing.assert_allclose(table.select("median", "low", "high").row(0), squared, rtol=1e-6)
    assert table["share"].to_list() == [1.0, 1.0]


def test_over_persons_it_is_the_mean_of_their_own() -> None:
    fit = fitted(sw.DSEM(("y ~ lag(y)",), random="all", course=None))
    own = fit.person_draws[:, :, list(fit.effects.names).index("y ~ lag(y)")]
    found = within_persons(fit)
    there = np.isfinite(found.r_squared[:, :, 0])
    # draws of persons' effects are thinned alike
    which = np.unique(np.linspace(0, len(own) - 1, min(200, len(own))).round().astype(int))
    np.testing.assert_allclose(found.r_squared[:, :, 0][there], own[which][there] ** 2, rtol=1e-6)
    assert not there[np.abs(own[which]) > 1].any()
    (average, mean) = fit.r_squared().to_dicts()
    assert mean["share"] == pytest.approx(there.mean())
    assert mean["median"] > average["median"]  # squares: own coefficients that differ add their variance
    table = fit.standardised_persons()
    assert table.columns == ["person", "outcome", "predictor", "median", "low", "high", "share"]
    one = table.filter(pl.col("person") == fit.persons[4]).to_dicts()[0]
    assert one["median"] == pytest.approx(np.median(own[which][there[:, 4], 4]), rel=1e-6)


@pytest.mark.parametrize(
    "model",
    [
        sw.DSEM.reciprocal("y", "w", course=None),
        sw.DSEM(("y ~ lag(y) + w", "w ~ lag(w) + lag(y)"), random=("y ~ w",), course=None, between="~ pd"),
        sw.DSEM(("y ~ lag(y) + lag(w, 2) + w", "w ~ lag(w)"), random="all", variances="random"),
    ],
)
def test_variances_of_persons_solve_their_equations(model: sw.DSEM) -> None:
    fit = fitted(model)
    found = within_persons(fit)
    s = fit.kept.structure
    which = np.unique(np.linspace(0, len(fit.person_at) - 1, min(200, len(fit.person_at))).round().astype(int))
    draws = parameters(fit, fit.person_at[which])
    own = (fit.person_draws[which] - fit.effects.shifts) / fit.effects.units
    k, compared = s.variables, 0
    for d in (0, 50, len(which) - 1):
        for person in (2, 17, 33):
            (a, _), noise = dynamic.coefficients(fit, draws, d, own[d, person, s.levels :])
            inverse = np.linalg.inv(np.eye(k) - a[0])
            companion = np.zeros((k * s.lags, k * s.lags))
            companion[:k] = np.hstack([inverse @ a[lag] for lag in range(1, s.lags + 1)])
            companion[k:, :-k] = np.eye(k * (s.lags - 1))
            if np.abs(np.linalg.eigvals(companion)).max() >= 0.999:
                assert np.isnan(found.variances[d, person]).all()
                continue
            q = np.zeros_like(companion)
            q[:k, :k] = inverse @ noise @ inverse.T
            exact = np.diag(linalg.solve_discrete_lyapunov(companion, q))[:k]
            np.testing.assert_allclose(found.variances[d, person], exact, rtol=1e-6)
            np.testing.assert_allclose(found.r_squared[d, person], 1 - np.diag(noise) / exact, rtol=1e-6)
            np.testing.assert_allclose(found.effects[d, person], companion[:k, :k], atol=1e-10)
            compared += 1
    assert compared >= 5


def test_where_nothing_differs_all_persons_are_average() -> None:
    fit = fitted(sw.DSEM.reciprocal("y", "w", random="none", course=None))
    average, mean = fit.standardised(), fit.standardised_mean()
    assert list(average) == list(mean)
    for name, values in average.items():
        np.testing.assert_allclose(mean[name], values, atol=0.03)  # other draws of the same posterior
    rows = fit.r_squared().to_dicts()
    for one, other in zip(rows[::2], rows[1::2], strict=True):
        assert one["median"] == pytest.approx(other["median"], abs=0.02)
    table = fit.standardised_persons()
    assert table.group_by("outcome", "predictor").agg(pl.col("median").n_unique())["median"].to_list() == [1] * 4


def test_r_squared_is_printed() -> None:
    assert "R² within persons" in str(fitted(sw.DSEM.reciprocal("y", "w", random="none", course=None)))
