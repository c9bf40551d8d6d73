"""Lags given another variable of the same wave, and the warning of the dynamic panel model: both against the truth."""

from __future__ import annotations

import numpy as np
import pytest

import sessionwise as sw

A, B, C, D = 0.3, -0.8, -0.1, 0.4  # y on y, y on w, w on y, w on w
VAR_Y, VAR_W, COV = 2.0, 1.0, -0.6
TRUTH = {
    "y ~ lag(y)": A, "y ~ lag(w)": B, "w ~ lag(y)": C, "w ~ lag(w)": D, "residual var(y)": VAR_Y,
    "residual cov(y, w)": COV, "residual var(w)": VAR_W, "intercept var(y)": 4.0, "intercept cov(y, w)": -0.5,
    "intercept var(w)": 1.0, "mean(y)": 10.0, "mean(w)": 4.0,
}  # fmt: skip
#: Estimates may be off by so many standard errors; two of the tests look at one sample only.
WITHIN = 3.5


@pytest.fixture(scope="module")
def panel() -> sw.Panel:
    return sw.RICLPM("y", "w", waves=5).simulate(TRUTH, 1500, seed=5, dropout=0.05, skipped=0.03)


def test_lags_given_the_variable_rated_first(panel: sw.Panel) -> None:
    found = sw.RICLPM("y", "w", waves=5).fit(panel).lags_given("y")
    ratio = COV / VAR_Y
    truth = [C - ratio * A, D - ratio * B, ratio]
    assert found["predictor"].to_list() == ["y", "w", "y"]
    assert found["lag"].to_list() == [1, 1, 0]
    z = (found["estimate"].to_numpy() - truth) / found["se"].to_numpy()
    assert np.abs(z).max() < WITHIN


def test_lags_given_agree_with_a_model_that_has_the_path(panel: sw.Panel) -> None:
    """With residual moments equal over waves the ratio is that of two parameters: no average is in it."""
    fit = sw.RICLPM("y", "w", waves=5, residuals="equal").fit(panel)
    e = fit.estimates
    ratio = e["residual cov(y, w)"] / e["residual var(y)"]
    expected = [e["w ~ lag(y)"] - ratio * e["y ~ lag(y)"], e["w ~ lag(w)"] - ratio * e["y ~ lag(w)"], ratio]
    np.testing.assert_allclose(fit.lags_given("y")["estimate"].to_numpy(), expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("model", "first"),
    [
        (sw.RICLPM("y", "w", waves=5), "x"),
        (sw.RICLPM("y", "w", waves=5, lags="free"), "y"),
        (sw.DPM("y ~ pre(lag(w))", waves=5), "y"),
    ],
)
def test_lags_given_are_refused_elsewhere(panel: sw.Panel, model, first: str) -> None:
    with pytest.raises(sw.ModelError, match="of the same wave"):
        model.fit(panel).lags_given(first)


def test_a_dynamic_panel_model_warns_of_residuals_that_go_with_the_predictor(panel: sw.Panel) -> None:
    without = sw.DPM("y ~ pre(lag(w))", waves=5).fit(panel)
    given = sw.DPM("y ~ pre(lag(w))", waves=5, same_wave=True).fit(panel)
    assert [f.code for f in without.findings.warnings] == ["same-wave"]
    assert "same_wave=True" in without.findings.warnings.items[0].remedy
    assert not given.findings.warnings
    # What the warning says: the lag is off without, and not with.
    off = [(f.estimates["y ~ lag(w)"] - B) / f.se["y ~ lag(w)"] for f in (without, given)]
    assert abs(off[0]) > 5
    assert abs(off[1]) < WITHIN
    # The score test is near the likelihood-ratio test that it stands for.
    statistic = float(without.findings.warnings.items[0].what.split(" = ")[1].split(",")[0])
    assert statistic == pytest.approx(without.lrt(given).chi2, rel=0.15)


def test_no_warning_where_nothing_is_shared() -> None:
    truth = TRUTH | {"residual cov(y, w)": 0.0}
    quiet = sw.RICLPM("y", "w", waves=5).simulate(truth, 1500, seed=5)
    assert not sw.DPM("y ~ pre(lag(w))", waves=5).fit(quiet).findings.warnings
