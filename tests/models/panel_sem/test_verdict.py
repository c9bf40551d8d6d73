"""Solutions that are not possible, and those that are none: each is named for what it is, with a remedy that works."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from helpers.crosslagged import panel, panel_of, table

NONE_STABLE = {
    "x ~ lag(x)": 0.5, "x ~ lag(y)": 0.1, "y ~ lag(x)": 0.1, "y ~ lag(y)": 0.5, "intercept var(x)": 0.0,
    "intercept cov(x, y)": 0.0, "intercept var(y)": 0.8, "residual var(x)": 1.0, "residual cov(x, y)": 0.2,
    "residual var(y)": 1.0, "mean(x)": 3.0, "mean(y)": 5.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def negative() -> tuple[sw.Panel, sw.SEMFit]:
    """No person differs in x but by the lags; in this draw the estimate of that variance falls below zero."""
    data = sw.RICLPM("x", "y", waves=5).simulate(NONE_STABLE, 300, seed=3)
    return data, sw.RICLPM("x", "y", waves=5).fit(data)


def test_a_negative_variance_is_named(negative):
    _, fit = negative
    value = fit.estimates["intercept var(x)"]
    assert value < 0
    assert not fit.verdict
    assert (fit.verdict.converged, fit.verdict.admissible) == (True, False)
    assert fit.verdict.state == "inadmissible"
    assert f"intercept var(x) is negative ({value:.3g})" in fit.verdict.message
    assert "without=" in fit.verdict.remedy
    assert "not admissible" in str(fit)
    assert json.loads(json.dumps(fit.to_dict(), allow_nan=False))["verdict"]["admissible"] is False
    assert np.isnan(fit.intercepts()["sd"][0])  # of a negative variance


def test_the_remedy_works(negative):
    data, fit = negative
    mended = sw.RICLPM("x", "y", waves=5, without="x").fit(data)
    assert mended.verdict
    assert mended.verdict.state == "converged"
    assert mended.n_parameters == fit.n_parameters - 2
    assert mended.intercepts()["variable"].to_list() == ["y"]
    found = fit.lrt(mended)
    assert found.df == 2
    assert "cannot be below zero" in found.words
    both = sw.RICLPM("x", "y", waves=5, without=("x", "y")).fit(data)
    plain = sw.CLPM("x", "y", waves=5).fit(data)
    assert both.deviance == pytest.approx(plain.deviance)


def test_negative_variance_of_a_group_and_of_a_persons_effect():
    rng = np.random.default_rng(0)
    found = []
    for seed in rng.integers(0, 1000, 6).tolist():
        data = panel(seed, 150, stable=0.0)
        found += [sw.RICLPM("x", "y", waves=4, group="group").fit(data), sw.DPM("y ~ pre(lag(x))", waves=4).fit(data)]
    named = [f.verdict.message for f in found if not f.verdict]
    assert any("intercept var(x) (a) is negative" in m for m in named)
    assert any("intercept var(y) is negative" in m for m in named)


def test_impossible_correlations():
    """Both variances are above zero, their correlation is beyond one."""
    for seed in range(40):
        fit = sw.RICLPM("x", "y", waves=4).fit(panel(seed, 80, stable=0.35))
        e = fit.estimates
        variances = e["intercept var(x)"], e["intercept var(y)"]
        if min(variances) > 0 and e["intercept cov(x, y)"] ** 2 > variances[0] * variances[1]:
            break
    assert not fit.verdict
    assert "the correlations of the random intercepts of x, y are impossible" in fit.verdict.message


def test_no_optimum():
    """More columns than persons: the likelihood has no end. Nothing is shown as if it were an estimate."""
    data = panel(1, 9, 6)
    fit = sw.RICLPM("x", "y", "z", waves=6, lags="free").fit(data)
    assert not fit.verdict.converged
    assert "No number here should be used" in fit.verdict.message
    assert fit.verdict.remedy
    assert fit.verdict.remedy in str(fit).replace("\n", " ")
    for ask in (fit.lags, fit.standardised, fit.long_run, lambda: fit.lrt(fit)):
        with pytest.raises(sw.ModelError, match="needs a fit that reached its optimum") as caught:
            ask()
        assert caught.value.remedy == fit.verdict.remedy
    with pytest.raises(sw.ModelError, match="needs a fit that reached its optimum"):
        fit.stationarity(data)
    plain = json.loads(json.dumps(fit.to_dict(), allow_nan=False))
    assert (plain["lags"], plain["verdict"]["converged"]) == ([], False)


def test_what_the_data_do_not_determine_is_named():
    """x of sessions 1 and 2 is never there together with y: nothing tells how they go together."""
    odd = pl.col("person") % 2 == 0
    data = table(1, 200).with_columns(
        pl.when(odd).then(pl.col("x")).alias("x"), pl.when(~odd).then(pl.col("y")).alias("y")
    )
    fit = sw.CLPM("x", "y", waves=4).fit(panel_of(data))
    assert not fit.verdict
    assert fit.verdict.state == "not-determined"
    assert "do not determine" in fit.verdict.message
    assert "(" in fit.verdict.message
    assert fit.indices is None
    assert np.isnan(fit.chi2)
    assert "no chi-square, indices or scaled tests" in str(fit)


def test_singular_information():
    """The expected information can be singular where the Hessian is not: no errors are made of it."""
    found = []
    for seed in range(12):
        data = panel_of(table(seed, 60, 3, missing=0.1).with_columns(pl.col("y") * 1e4))
        model = sw.DPM("x ~ pre(y) + lag(z) | w", lags="free", residuals="equal", same_wave=True, errors="expected")
        found.append(model.fit(data))
    assert all(np.isfinite(f.vcov).all() for f in found if f.verdict.converged)
    assert all(f.vcov.diagonal().min() > 0 for f in found if f.verdict.converged)
    assert any("information there is singular" in f.verdict.message for f in found)


@pytest.mark.parametrize("seed", [3, 11])
def test_a_search_on_persistent_series_reaches_an_optimum(seed):
    """Persons' levels and what carries over can hardly be told apart, so that the way is long."""
    rng, rows = np.random.default_rng(seed), []
    for p in range(46):
        y, x = rng.normal(size=2)
        for s in range(1, 5):
            x = 0.9 * x + 0.4 * rng.normal()
            y = 0.97 * y - 0.1 * x + 0.15 * rng.normal() + 0.01
            rows.append((p, s, y, x))
    data = pl.DataFrame(rows, schema=["p", "s", "y", "x"], orient="row")
    fit = sw.DPM("y ~ pre(lag(x))", waves=4).fit(sw.Panel(data, person="p", session="s"))
    assert fit.solution.optimum.converged
    assert fit.verdict.state == "inadmissible"
