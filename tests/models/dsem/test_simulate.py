"""A Panel drawn from a description holds what the description says: the fit finds it again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import sessionwise as sw

BASE = {
    "y ~ lag(y)": 0.3, "w ~ lag(w)": 0.35, "y ~ lag(w)": -0.2, "w ~ lag(y)": 0.1, "sd(y)": 1.0, "sd(w)": 0.8,
    "innovation sd(y)": 1.0, "innovation sd(w)": 0.9,
}  # fmt: skip
LOGS = {name: value for name, value in BASE.items() if not name.startswith("innovation")}
#: Options, and what is true beside BASE.
OPTIONS: dict[str, tuple[dict[str, Any], dict[str, float]]] = {
    "between": ({"between": "~ pd"}, {"y | pd": 0.8, "w | pd": -0.5}),
    "trend": ({"trend": "linear", "course": None}, {"trend(y)": -0.3, "sd(trend(y))": 0.15, "trend(w)": 0.2}),
    "course": ({"course": "free"}, {"course(y, 2)": -0.7, "course(y, 6)": -1.5, "course(w, 6)": 0.8}),
    "clusters": ({"clusters": True}, {"cluster sd(y)": 0.8, "cluster sd(w)": 0.5}),
    "outcomes": ({"outcomes": ("o",)}, {"o ~ 1": 2.0, "o ~ y": 0.7, "o ~ w": -0.4, "residual sd(o)": 0.5}),
    "levels that go together": ({}, {"cor(y, w)": -0.5, "y": 20.0, "w": 4.0, "innovation cor(y, w)": -0.3}),
    "first": ({"first": "own"}, {"first sd(y)": 2.0, "first sd(w)": 0.7, "first cor(y, w)": 0.4}),
}


def found(model: sw.DSEM, panel: sw.Panel, true: dict[str, float], size: float = 80) -> None:
    """All that is true lies in intervals of 99.9 %."""
    rows = {r["term"]: r for r in model.fit(panel, size=size, chains=2, most=5000).tidy(0.999).to_dicts()}
    for name, value in true.items():
        assert rows[name]["low"] <= value <= rows[name]["high"], (name, value, rows[name])


@pytest.mark.parametrize("option", OPTIONS)
def test_each_option_is_found_again(option: str) -> None:
    options, beside = OPTIONS[option]
    model = sw.DSEM.reciprocal("y", "w", random="none", **({"course": None} | options))
    true = BASE | beside
    found(model, model.simulate(true, 150, 7, seed=4, clusters=25), true)


def test_covariates_and_predictors_that_are_given() -> None:
    model = sw.DSEM(("y ~ lag(y) + x + lag(w)", "w ~ lag(w)"), course=None, random="none", between="~ pd")
    rng = np.random.default_rng(3)
    pd, x = rng.integers(0, 2, 120).astype(float), 5 + rng.standard_normal((120, 6))
    true = {"y ~ lag(y)": 0.3, "y ~ x": 0.8, "y ~ lag(w)": -0.2, "w ~ lag(w)": 0.4, "y | pd": 1.5, "sd(y)": 0.5}
    panel = model.simulate(true, 120, 6, columns={"pd": pd, "x": x.ravel()})
    np.testing.assert_array_equal(panel["x"], x.ravel())
    np.testing.assert_array_equal(panel["pd"], np.repeat(pd, 6))
    found(model, panel, true)


def test_random_variances() -> None:
    model = sw.DSEM(("y ~ lag(y)",), course=None, variances="random")
    true = {"y ~ lag(y)": 0.3, "log variance(y)": 0.5, "sd(log variance(y))": 0.6, "sd(y)": 1.0}
    found(model, model.simulate(true, 120, 10), true)


@pytest.mark.slow
def test_one_factor() -> None:
    model = sw.DSEM.reciprocal("y", "w", course=None, factor=True)
    true = LOGS | {"factor sd": 1.5, "loading(w)": -0.6, "loading(y ~ lag(w))": 0.1, "sd(y ~ lag(w))": 0.05}
    found(model, model.simulate(true, 300, 12), true, size=100)


@pytest.mark.slow
def test_effects_that_go_with_a_predictor() -> None:
    model = sw.DSEM.reciprocal("y", "w", course=None, between="~ pd", trend="quadratic")
    true = BASE | {"y ~ lag(w) | pd": -0.15, "sd(y ~ lag(w))": 0.1, "curve(y)": 0.05, "trend(y)": -0.2}
    found(model, model.simulate(true, 300, 10), true, size=100)


@pytest.mark.parametrize(
    ("options", "given", "said"),
    [
        ({}, {"y ~ lag(q)": 1.0}, "no parameter"),
        ({}, {"sd(y)": -1.0}, "SD is 0 or more"),
        ({}, {"first sd(y)": -1.0}, "SD is 0 or more"),
        ({}, {"cor(y, w)": 1.5}, "impossible together"),
        ({}, {"y ~ lag(y)": 1.9, "w ~ lag(w)": float("nan")}, "finite number"),
        ({"course": None}, {"course(y, 2)": 1.0}, "no parameter"),
        ({"treatment_length": True}, {}, "treatment_length is not drawn"),
    ],
)
def test_impossible_truths_are_refused(options: dict[str, Any], given: dict[str, float], said: str) -> None:
    with pytest.raises(sw.ModelError, match=said) as caught:
        sw.DSEM.reciprocal("y", "w", **options).simulate(given, 10, 5)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("columns", "said"), [({"age": np.ones(10)}, "is no predictor"), ({"pd": np.ones(9)}, "10 finite")]
)
def test_columns_that_do_not_fit_are_refused(columns: dict[str, Any], said: str) -> None:
    with pytest.raises(sw.ModelError, match=said):
        sw.DSEM.reciprocal("y", "w", between="~ pd").simulate({}, 10, 5, columns=columns)


def test_a_process_that_runs_away_is_refused() -> None:
    with pytest.raises(sw.ModelError, match="runs away"):
        sw.DSEM.reciprocal("y", "w").simulate({"y ~ lag(y)": 1000.0}, 10, 50)
