"""Slopes against the derivative of predictions, for every kind of variable that a formula accepts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sessionwise as sw

#: Formulas in which x stands in more than one variable, or in one that bends.
FORMS = (
    "x + I(x^2)",
    "x + I(x^2) + I(x^3)",
    "x + poly(x, 2)",
    "x + bs(x, df=5)",
    "x + log(x)",
    "x + exp(x) + sqrt(x)",
    "x + I(1/x)",
    "x + I(2 - x^2/3)",
    "x + scale(x)",
    "x * I(x > 2.5)",
    "x * z + I(x^2)",
    "x * sex + I(x^2):sex",
    "x + I(log(x)^2) + lag(x)",
    "x + I(x^2) + between(x)",
)


@pytest.fixture(scope="module")
def panel() -> sw.Panel:
    rng = np.random.default_rng(5)
    n, t = 60, 6
    d = pd.DataFrame({"id": np.repeat(np.arange(n), t), "session": np.tile(np.arange(1, t + 1), n)})
    d["x"], d["z"] = 1 + 3 * rng.random(len(d)), rng.normal(size=len(d))
    d["sex"] = np.where(d.id % 2, "f", "m")
    d["y"] = np.sin(d.x) + d.x * d.z + rng.normal(size=len(d))
    return sw.Panel(d, person="id", session="session")


@pytest.mark.parametrize("form", FORMS)
def test_a_slope_is_the_derivative_of_what_is_predicted(form: str, panel: sw.Panel) -> None:
    fit = sw.MLM(f"y ~ {form} + (1 | id)").fit(panel)
    at = {"x": [1.5, 2.2, 3.1]} | ({"z": [0.5]} if "z" in form else {}) | ({"sex": ["f"]} if "sex" in form else {})
    found = fit.slopes("x", at=at)
    last = panel.subset([0, 1])

    def predicted(x: float) -> float:
        columns = {"x": np.full(len(last), x), "z": np.full(len(last), 0.5)}
        shifted = last.with_columns(columns)
        changed = fit.predict(shifted) if "sex" not in form else fit.predict(shifted)[6:]  # person 1 is 'f'
        return float(changed[-1])

    if "lag" in form or "between" in form:  # other sessions stay where they are
        slope = [fit.fixef["x"] + _rest(form, fit, x) for x in at["x"]]
    else:
        slope = [(predicted(x + 1e-5) - predicted(x - 1e-5)) / 2e-5 for x in at["x"]]
    np.testing.assert_allclose(found["estimate"], slope, rtol=1e-6, atol=1e-6)


def _rest(form: str, fit: sw.MLMFit, x: float) -> float:
    """The part of the derivative beside the straight one, by hand."""
    if "log" in form:
        return fit.fixef["I(log(x)^2)"] * 2 * np.log(x) / x
    return fit.fixef["I(x^2)"] * 2 * x


def test_where_nothing_is_said_it_is_at_the_mean_and_one_sd_beside(panel: sw.Panel) -> None:
    found = sw.MLM("y ~ x + I(x^2) + (1 | id)").fit(panel).slopes("x")
    x = panel["x"]
    np.testing.assert_allclose(found["x"], [x.mean() - x.std(), x.mean(), x.mean() + x.std()])


def test_the_error_is_that_of_the_combination(panel: sw.Panel) -> None:
    fit = sw.MLM("y ~ x + I(x^2) + (1 | id)").fit(panel)
    found, by_hand = fit.slopes("x", at={"x": 2.0}), fit.contrast({"x": 1, "I(x^2)": 4})
    for name in ("estimate", "se", "df", "p", "low", "high"):
        assert found[name][0] == pytest.approx(by_hand[name][0], rel=1e-7)


def test_a_category_of_the_predictor_has_no_slope(panel: sw.Panel) -> None:
    halves = panel.with_columns({"half": np.where(panel["x"] > 2, 1.0, 0.0)})
    with pytest.raises(sw.ModelError, match="category"):
        sw.MLM("y ~ half + C(half) + (1 | id)").fit(halves).slopes("half")


def test_names_are_those_of_the_file(panel: sw.Panel) -> None:
    odd = panel.with_columns({"x (raw)": panel["x"], "my z": panel["z"]})
    fit = sw.MLM("y ~ `x (raw)` * `my z` + (1 | id)").fit(odd)
    assert list(fit.fixef) == ["(Intercept)", "`x (raw)`", "my z", "`x (raw)`:my z"]
    for name in ("x (raw)", "`x (raw)`"):
        assert list(fit.slopes(name, at={"my z": [0.0]})["my z"]) == [0.0]


def test_values_of_a_moderator_are_known_beside_a_spline() -> None:
    """Columns that go together closely are taken apart inside the engine; mean and SD of each are still known."""
    rng = np.random.default_rng(3)
    n, t = 30, 24
    d = pd.DataFrame({"id": np.repeat(np.arange(n), t), "session": np.tile(np.arange(1, t + 1), n)})
    d["x"], d["z"] = rng.normal(size=len(d)), (rng.random(n) < 0.3)[d.id] * 1.0
    d["w"] = d.z + rng.normal(size=n)[d.id]
    d["y"] = d.x * d.w + rng.normal(size=len(d))
    beyond = " + ".join(f"I((session > {at}) * (session - {at})^3)" for at in (4, 7))
    powers = f"session + I(session^2) + I(session^3) + {beyond}"
    fit = sw.MLM(f"y ~ x * w + x * z + {powers} + (1 | id)").fit(sw.Panel(d, person="id", session="session"))
    assert np.count_nonzero(np.delete(fit.solution.problem.transform.fixed, 0, axis=0)) > len(fit.terms) - 1
    found = fit.slopes("x")
    expected = [d.w.mean() - d.w.std(ddof=0), d.w.mean(), d.w.mean() + d.w.std(ddof=0)]
    np.testing.assert_allclose(sorted(set(np.round(found["w"], 12))), expected, rtol=1e-9)
    assert sorted(set(found["z"])) == [0.0, 1.0]
