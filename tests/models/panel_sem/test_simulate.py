"""Panels drawn from given parameters and from fits: what is put in comes out."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from helpers.crosslagged import panel, panel_of, table

TRUTH = {
    "x ~ lag(x)": 0.3, "x ~ lag(y)": -0.1, "y ~ lag(x)": -0.2, "y ~ lag(y)": 0.4, "intercept var(x)": 0.8,
    "intercept cov(x, y)": -0.3, "intercept var(y)": 1.0, "residual var(x)": 1.0, "residual cov(x, y)": -0.2,
    "residual var(y)": 1.2, "mean(x)": 3.0, "mean(y)": 5.0,
}  # fmt: skip
MONTE_CARLO = 4.0  # standard errors
PERSONS = 3000


def near(fit: sw.SEMFit, truth: dict[str, float]) -> None:
    assert fit.verdict
    for name, value in fit.estimates.items():
        short = name.rsplit(" [", 1)[0]
        wanted = truth.get(name, truth.get(short))
        if wanted is not None:
            assert abs(value - wanted) < MONTE_CARLO * fit.se[name], name


@pytest.mark.parametrize(("dropout", "skipped"), [(0.0, 0.0), (0.1, 0.1)])
def test_estimates_are_near_the_truth(dropout, skipped):
    model = sw.RICLPM("x", "y", waves=5)
    data = model.simulate(TRUTH, PERSONS, seed=1, dropout=dropout, skipped=skipped)
    fit = model.fit(data)
    near(fit, TRUTH)
    there = len(data) / (5 * PERSONS)
    staying = np.mean([(1 - dropout) ** t * (1 - skipped) ** (t > 0) for t in range(5)])
    assert there == pytest.approx(staying, abs=0.01)
    assert fit.npersons == PERSONS
    assert fit.indices.rmsea < 0.02


def test_free_lags_and_first_wave_given():
    truth = TRUTH | {
        "x ~ lag(y) [3]": 0.5,
        "var(x) [1]": 2.0,
        "var(y) [1]": 3.0,
        "cov(x, y) [1]": 0.0,
        "mean(x) [2]": 9.0,
    }
    model = sw.CLPM("x", "y", waves=(1, 2, 3), lags="free")
    given = {k: v for k, v in truth.items() if not k.startswith("intercept")}
    near(model.fit(model.simulate(given, PERSONS, seed=2)), given)


def test_dynamic_panel_model():
    model = sw.DPM("y ~ pre(lag(x)) | w", waves=4)
    first = model.fit(panel(3, 400))
    truth = first.estimates
    again = model.fit(model.simulate(truth, PERSONS, seed=5))
    for name, value in truth.items():
        if np.isfinite(again.se[name]):
            assert abs(again.estimates[name] - value) < 4.5 * again.se[name], name


@pytest.mark.parametrize("covariates", [(), ("w",)])
def test_from_a_fit(covariates):
    """With the names of the Panel that it came from; means are means, whatever the covariate's is."""
    data = table(4, 400, missing=0.05).with_columns(pl.col("w") + 20).rename({"person": "patient", "session": "visit"})
    model = sw.RICLPM("x", "y", waves=4, covariates=covariates)
    fit = model.fit(sw.Panel(data, person="patient", session="visit"))
    drawn = fit.simulate(PERSONS, seed=1)
    assert (drawn.roles.person, drawn.roles.session, drawn.n_persons) == ("patient", "visit", PERSONS)
    near(model.fit(drawn), fit.estimates)
    for name in "xy":
        for wave in range(1, 5):
            values = data.filter(pl.col("visit") == wave)[name].drop_nulls()
            assert abs(fit.estimates[f"mean({name}) [{wave}]"] - values.mean()) < 0.2
            own = drawn[name][drawn.sessions == wave]
            assert abs(own.mean() - values.mean()) < 0.3
    if covariates:
        assert fit.estimates["mean(w)"] == pytest.approx(data["w"].mean(), abs=0.2)
    assert fit.simulate(seed=1).n_persons == 400


def test_means_with_covariates_move_with_neither():
    """The covariate's mean is not in the means of waves."""
    data = table(4, 200, missing=0.1)
    one = sw.RICLPM("x", "y", waves=4, covariates="w").fit(panel_of(data))
    other = sw.RICLPM("x", "y", waves=4, covariates="w").fit(panel_of(data.with_columns(pl.col("w") * 3 - 70)))
    for name in one.terms:
        if name.startswith("mean(") and "w" not in name:
            assert other.estimates[name] == pytest.approx(one.estimates[name], rel=1e-6)
    assert other.estimates["x ~ w"] == pytest.approx(one.estimates["x ~ w"] / 3, rel=1e-6)


def test_groups_and_waves_from_the_end():
    fit = sw.RICLPM("x", "y", waves=4, group="group").fit(panel(3, 300))
    drawn = fit.simulate(400, seed=2)
    assert drawn.labels("group").levels.tolist() == ["a", "b"]
    again = sw.RICLPM("x", "y", waves=4, group="group").fit(drawn)
    assert again.terms == fit.terms
    back = sw.RICLPM("x", "y", waves=4, from_end=True).fit(panel(3, 300))
    assert sorted(set(back.simulate(50, seed=1).sessions)) == [1, 2, 3, 4]


def test_seed():
    model = sw.RICLPM("x", "y", waves=3)
    one, same, other = (model.simulate(TRUTH, 20, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(one["x"], same["x"])
    assert not np.array_equal(one["x"], other["x"])


WRONG = {
    "unknown": (TRUTH | {"y ~ lag(z)": 0.1}, {}, "no parameter 'y ~ lag"),
    "missing": ({k: v for k, v in TRUTH.items() if k != "residual var(x)"}, {}, r"without a value: residual var\(x\)"),
    "growing": (TRUTH | {"x ~ lag(x)": 1.2}, {}, "vary more and more"),
    "impossible": (TRUTH | {"intercept cov(x, y)": 3.0}, {}, "impossible"),
    "negative": (TRUTH | {"residual var(x)": -1.0}, {}, "impossible"),
    "not a number": (TRUTH | {"residual var(x)": np.nan}, {}, "finite"),
    "text": (TRUTH | {"residual var(x)": "much"}, {}, "finite"),
    "dropout": (TRUTH, {"dropout": 1.0}, "dropout is 1.0"),
    "skipped": (TRUTH, {"skipped": -0.1}, "skipped is -0.1"),
    "nobody": (TRUTH, {"persons": 0}, "persons is 0"),
}


@pytest.mark.parametrize("name", list(WRONG))
def test_wrong_parameters(name):
    parameters, options, what = WRONG[name]
    with pytest.raises(sw.ModelError, match=what) as caught:
        sw.RICLPM("x", "y", waves=4).simulate(parameters, **{"persons": 10, "seed": 1, **options})
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("model", "what"),
    [
        (sw.RICLPM("x", "y"), "does not say which waves"),
        (sw.RICLPM("x", "y", waves=2), "2 waves"),
        (sw.RICLPM("x", "y", waves=(3, 1, 2)), "waves is"),
        (sw.RICLPM("x", "y", waves=4, group="group"), "one group is simulated at a time"),
    ],
    ids=str,
)
def test_wrong_descriptions(model, what):
    with pytest.raises(sw.ModelError, match=what) as caught:
        model.simulate(TRUTH, 10, seed=1)
    assert caught.value.remedy
