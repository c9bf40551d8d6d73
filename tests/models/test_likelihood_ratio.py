"""LikelihoodRatioTest: one record for tests between multilevel and between panel models."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError

import numpy as np
import polars as pl
import pytest

import sessionwise as sw

OF_MULTILEVEL = ("p_naive", "weights", "dfs", "reml")


@pytest.fixture(scope="module")
def panel() -> sw.Panel:
    rng = np.random.default_rng(7)
    person, session = np.repeat(np.arange(60), 5), np.tile(np.arange(1, 6), 60)
    stable = rng.standard_normal((60, 2))[person]
    x, y = (stable + rng.standard_normal((300, 2))).T
    return sw.Panel(pl.DataFrame({"p": person, "s": session, "x": x, "y": y}), person="p", session="s")


@pytest.fixture(scope="module")
def multilevel(panel: sw.Panel) -> sw.LikelihoodRatioTest:
    return sw.MLM("y ~ x + (1 + x | p)").fit(panel).lrt(sw.MLM("y ~ x + (1 | p)").fit(panel))


@pytest.fixture(scope="module", params=["observed", "robust"])
def of_panel(request: pytest.FixtureRequest, panel: sw.Panel) -> sw.LikelihoodRatioTest:
    return sw.RICLPM("x", "y", waves=4, errors=request.param).fit(panel).stationarity(panel)


def test_of_multilevel_models(multilevel: sw.LikelihoodRatioTest) -> None:
    assert multilevel.weights == (0.5, 0.5)
    assert multilevel.dfs == (1, 2)
    assert multilevel.p < multilevel.p_naive
    assert multilevel.reml
    assert multilevel.factor is None
    text = str(multilevel)
    assert "REML criterion" in text
    assert "p by chi2(2)" in text
    assert "p by a 50:50 mixture of chi-squared with 1 and 2 df" in text


def test_of_panel_models(of_panel: sw.LikelihoodRatioTest) -> None:
    assert all(getattr(of_panel, name) is None for name in OF_MULTILEVEL)
    scaled = of_panel.factor is not None
    assert ("scaled (Satorra & Bentler 2001)" in str(of_panel)) == scaled
    assert "p by" not in str(of_panel)


def test_both_are_one_frozen_record(multilevel: sw.LikelihoodRatioTest, of_panel: sw.LikelihoodRatioTest) -> None:
    assert sw.Difference is sw.LikelihoodRatioTest
    for test in (multilevel, of_panel):
        assert type(test) is sw.LikelihoodRatioTest
        assert hash(test) == hash(type(test)(**{name: getattr(test, name) for name in test.to_dict()}))
        assert json.loads(json.dumps(test.to_dict(), allow_nan=False))["chi2"] == test.chi2
        assert max(map(len, str(test).splitlines())) <= 80
        with pytest.raises(FrozenInstanceError):
            test.p = 0.0  # type: ignore[misc]


def test_a_test_without_a_value_is_null_in_json() -> None:
    test = sw.LikelihoodRatioTest(np.nan, 3, np.nan, "The scaled test has no value.", factor=-0.5)
    assert [test.to_dict()[name] for name in ("chi2", "df", "p", "factor")] == [None, 3, None, -0.5]
    assert "–" in str(test)


def test_what_is_no_multilevel_fit_is_refused(panel: sw.Panel) -> None:
    fit = sw.MLM("y ~ x + (1 | p)").fit(panel)
    for other in (3, None, sw.RICLPM("x", "y", waves=4).fit(panel)):
        with pytest.raises(sw.ModelError, match="is no fit of a multilevel model") as caught:
            fit.lrt(other)  # type: ignore[arg-type]
        assert caught.value.remedy
