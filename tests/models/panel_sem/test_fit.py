"""What a fit is: frozen, without session rows, the same each time, printable, plain in JSON; its tests and tables."""

from __future__ import annotations

import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, fields, is_dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import sessionwise as sw
from helpers.crosslagged import panel, panel_of, table
from sessionwise.models.panel_sem.solution import FEW_STARTS

MODELS = {
    "ri-clpm": sw.RICLPM("x", "y", waves=4),
    "three": sw.RICLPM("x", "y", "z", waves=4, lags="free", means="linear"),
    "groups": sw.RICLPM("x", "y", waves=4, group="group", same="lag", errors="robust"),
    "indicators": sw.RICLPM(("x", "x2"), "y", waves=4),
    "covariates": sw.RICLPM("x", "y", waves=4, covariates=["w"]),
    "two waves": sw.CLPM("x", "y", waves=2),
    "clpm robust": sw.CLPM("x", "y", waves=4, errors="robust"),
    "dpm": sw.DPM("y ~ lag(y) + lag(y, 2) + pre(lag(x)) + z | w", waves=4),
    "dpm free": sw.DPM("y ~ lag(x)", waves=4, lags="free", errors="robust"),
    "from the end": sw.RICLPM("x", "y", waves=3, from_end=True),
}


def data(missing: float = 0.1) -> pl.DataFrame:
    return table(5, 150, missing=missing).with_columns((pl.col("x") + 0.5 * pl.col("z")).alias("x2"))


@pytest.fixture(scope="module", params=list(MODELS))
def fit(request) -> sw.SEMFit:
    return MODELS[request.param].fit(panel_of(data()))


def test_pickle(fit):
    back = pickle.loads(pickle.dumps(fit))
    assert str(back) == str(fit)
    assert back.to_dict() == fit.to_dict()
    assert back.model == fit.model
    np.testing.assert_array_equal(back.vcov, fit.vcov)


def test_json(fit):
    plain = json.loads(json.dumps(fit.to_dict(), allow_nan=False))
    assert [row["term"] for row in plain["parameters"]] == list(fit.terms)
    assert plain["deviance"] == pytest.approx(fit.deviance)
    assert plain["verdict"]["converged"] is True
    assert all((row["p"] is None) == ("var(" in row["term"]) for row in plain["parameters"])


def test_print(fit):
    shown = str(fit)
    assert fit.model.title in " ".join(shown.split())
    assert fit.verdict.message in " ".join(shown.split())
    assert "AIC" in shown
    assert "<table" in fit._repr_html_()
    assert repr(fit).startswith("<SEMFit ")


def test_frozen(fit):
    with pytest.raises(FrozenInstanceError):
        fit.person = "other"


def test_tables_are_of_the_kind_that_came_in(fit):
    assert isinstance(fit.tidy(), pl.DataFrame)
    tidy = fit.tidy(0.9)
    np.testing.assert_allclose(tidy["estimate"], list(fit.estimates.values()))
    np.testing.assert_allclose(tidy["high"] - tidy["low"], 2 * 1.6448536 * tidy["se"], rtol=1e-6)
    lags = fit.lags()
    chosen = tidy.filter(pl.col("kind") == "lag")
    np.testing.assert_array_equal(lags["estimate"], chosen["estimate"])
    np.testing.assert_array_equal(lags["p"], chosen["p"].cast(pl.Float64))
    stable = fit.intercepts().filter(pl.col("variance") > 0)
    np.testing.assert_allclose(stable["sd"] ** 2, stable["variance"])
    assert len(fit.intercepts()) == len(fit.solution.grouped.blueprint.persons) * len(fit.solution.data)


def test_pandas_in_pandas_out():
    found = MODELS["ri-clpm"].fit(sw.Panel(data().to_pandas(), person="person", session="session"))
    for one in (found.tidy(), found.lags(), found.within(), found.intercepts(), found.standardised(), found.long_run()):
        assert isinstance(one, pd.DataFrame)


def arrays(thing: Any, seen: set[int]) -> list[np.ndarray]:
    """Every array that can be reached from a fit."""
    if id(thing) in seen or isinstance(thing, str | int | float | type):
        return []
    seen.add(id(thing))
    if isinstance(thing, np.ndarray):
        return [thing]
    if isinstance(thing, dict):
        inner = list(thing.values())
    elif isinstance(thing, list | tuple):
        inner = list(thing)
    elif is_dataclass(thing):
        inner = [getattr(thing, f.name) for f in fields(thing)] + list(getattr(thing, "__dict__", {}).values())
    else:
        inner = []
    return [a for x in inner for a in arrays(x, seen)]


def test_no_session_rows():
    """What a fit holds does not grow with persons: counts, means and covariances by pattern."""
    fits = [MODELS["clpm robust"].fit(panel(1, n, 4)) for n in (150, 600)]
    for one in fits:
        str(one)  # whatever is kept for later is there
    sizes = [sum(a.nbytes for a in arrays(one, set())) for one in fits]
    assert sizes[0] == sizes[1]
    assert len(pickle.dumps(fits[1])) < 1.05 * len(pickle.dumps(fits[0]))


def test_the_same_each_time_and_in_threads(fit):
    source = panel_of(data())
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: fit.model.fit(source), range(2)))
    for one in found:
        np.testing.assert_array_equal(one.solution.theta, fit.solution.theta)
        np.testing.assert_array_equal(one.vcov, fit.vcov)
        assert one.deviance == fit.deviance


def test_prints_of_any_size():
    long = "a column with a name that is longer than anybody would want it to be, really"
    named = data(0.0).rename({"x": long})
    assert long[:20] in str(sw.RICLPM(long, "y", waves=4).fit(panel_of(named)))
    assert "sessions 1 to 13" in str(sw.CLPM("x", "y", waves=13).fit(panel(2, 300, 13))).replace("\n", " ")
    assert "none is missing" in str(sw.CLPM("x", "y", waves=2).fit(panel()))
    odd = data(0.0).rename({"x": "var(x)", "y": "lag(y, 2) [1]", "group": "g (a)"})
    found = sw.RICLPM("var(x)", "lag(y, 2) [1]", waves=4, group="g (a)").fit(panel_of(odd))
    str(found)
    assert found.lags()["p"].null_count() == 0
    json.dumps(found.to_dict(), allow_nan=False)


# --- tests between models -----------------------------------------------------------------------


def test_what_is_not_nested_is_refused():
    source = panel_of(data())
    one, other = (sw.RICLPM("x", "y", waves=4, lags=lags, means=means).fit(source) for lags, means in
                  (("free", "equal"), ("equal", "free")))  # fmt: skip
    for small, large in ((one, other), (other, one)):
        with pytest.raises(sw.ModelError, match="the models are not nested") as caught:
            small.lrt(large)
        assert "AIC" in caught.value.remedy
    with pytest.raises(sw.ModelError, match="neither is nested"):
        one.lrt(one)
    for different in (
        sw.RICLPM("x", "y", waves=3).fit(source), sw.RICLPM("x", "z", waves=4).fit(source),
        sw.RICLPM("x", "y", waves=4).fit(panel_of(data().filter(pl.col("person") > 3))),
        sw.RICLPM("x", "y", waves=4).fit(panel_of(data().with_columns(pl.col("x") * 2))),
    ):  # fmt: skip
        with pytest.raises(sw.ModelError, match="not to the same data") as caught:
            one.lrt(different)
        assert caught.value.remedy


def test_what_is_nested():
    """Whatever the order of variables, the nodes, and the groups."""
    source = panel_of(data(0.05))
    pairs = [
        (sw.CLPM("x", "y", waves=4), sw.RICLPM("y", "x", waves=4)),
        (sw.CLPM("x", "y", waves=4), sw.RICLPM("x", "y", waves=4, lags="free", without="x")),
        (sw.RICLPM("x", "y", waves=4, means="equal"), sw.RICLPM("x", "y", waves=4, means="linear")),
        (sw.RICLPM("x", "y", waves=4, means="linear"), sw.RICLPM("x", "y", waves=4)),
        (sw.RICLPM("x", "y", waves=4), sw.RICLPM("x", "y", waves=4, group="group", same="mean")),
        (sw.DPM("y ~ pre(lag(x))", waves=4, residuals="equal"), sw.DPM("y ~ pre(lag(x))", waves=4, same_wave=True)),
        (sw.DPM("y ~ lag(x)", waves=4), sw.DPM("y ~ pre(lag(x))", waves=4)),
    ]
    for small, large in pairs:
        one, other = small.fit(source), large.fit(source)
        found = one.lrt(other)
        assert found == other.lrt(one)
        assert found.chi2 == pytest.approx(one.deviance - other.deviance)


@pytest.mark.parametrize("errors", ["observed", "robust"])
def test_stationarity(errors):
    source = panel_of(data())
    free, equal = (sw.RICLPM("x", "y", waves=4, lags=k, errors=errors).fit(source) for k in ("free", "equal"))
    found = equal.stationarity(source)
    assert found == free.stationarity(source)
    assert (found.df, found.factor is None) == (8, errors == "observed")
    assert found.chi2 == free.lrt(equal).chi2
    assert "Lags equal over waves (smaller) or free (larger)" in str(found).replace("\n", " ")
    json.dumps(found.to_dict(), allow_nan=False)
    assert "<table" in found._repr_html_()
    dpm = sw.DPM("y ~ pre(lag(x))", waves=4, errors=errors).fit(source)
    assert dpm.stationarity(source).df == 4
    with pytest.raises(sw.ModelError, match="not to the same data"):
        equal.stationarity(panel_of(data().filter(pl.col("person") > 3)))
    two = sw.CLPM("x", "y", waves=2).fit(source)
    with pytest.raises(sw.ModelError, match="nothing to be equal to"):
        two.stationarity(source)


def test_same_over_groups():
    source = panel_of(data())
    fit = sw.RICLPM("x", "y", waves=4, group="group").fit(source)
    same = sw.RICLPM("x", "y", waves=4, group="group", same="lag").fit(source)
    found = fit.same_over_groups(source)
    assert found == same.same_over_groups(source)
    assert (found.df, found.chi2) == (4, fit.lrt(same).chi2)
    assert fit.same_over_groups(source, "mean").df == 8
    for what in ("lags", "loading"):
        with pytest.raises(sw.ModelError, match=f"no parameters of kind '{what}'"):
            fit.same_over_groups(source, what)
    with pytest.raises(sw.ModelError, match="has no groups"):
        MODELS["ri-clpm"].fit(source).same_over_groups(source)


def test_long_run_of_two_variables():
    fit = MODELS["ri-clpm"].fit(panel_of(data()))
    e, t = fit.estimates, fit.long_run()
    wanted = [e["x ~ lag(y)"] / (1 - e["x ~ lag(x)"]), e["y ~ lag(x)"] / (1 - e["y ~ lag(y)"])]
    np.testing.assert_allclose(t["estimate"], wanted)
    place = [fit.terms.index(n) for n in ("x ~ lag(y)", "x ~ lag(x)")]
    slope = np.array([1 / (1 - e["x ~ lag(x)"]), e["x ~ lag(y)"] / (1 - e["x ~ lag(x)"]) ** 2])
    assert t["se"][0] == pytest.approx(np.sqrt(slope @ fit.vcov[np.ix_(place, place)] @ slope), rel=1e-6)
    with pytest.raises(sw.ModelError, match="differ over waves"):
        MODELS["three"].fit(panel_of(data())).long_run()


def test_long_run_of_a_dynamic_panel_model():
    """Several lags add up; lags under which the outcome grows without limit have none."""
    truth = {"y ~ lag(y)": 0.4, "y ~ lag(y, 2)": 0.1, "y ~ lag(x)": -0.5, "residual var(y)": 1.0}
    model = sw.DPM("y ~ lag(y) + lag(y, 2) + pre(lag(x))", waves=6, residuals="equal")
    names = model.fit(panel(7, 400, 6)).terms
    rest = {n: float("var(" in n) for n in names if n not in truth}
    rest |= {n: 1.0 for n in names if n.startswith("var(")} | {"intercept var(y)": 0.2}
    fit = model.fit(model.simulate(truth | rest, 2000, seed=1))
    e, t = fit.estimates, fit.long_run()
    stays = 1 - e["y ~ lag(y)"] - e["y ~ lag(y, 2)"]
    assert t["predictor"].to_list() == ["x"]
    np.testing.assert_allclose(t["estimate"], [e["y ~ lag(x)"] / stays])
    assert t["se"].is_finite().all()
    grows = MODELS["dpm"].fit(panel_of(data()))
    assert grows.estimates["y ~ lag(y)"] + grows.estimates["y ~ lag(y, 2)"] > 1
    with pytest.raises(sw.ModelError, match="grow without limit"):
        grows.long_run()
    assert grows.to_dict()["long_run"] == []


def test_persons_are_few_by_group():
    """So few in each group may leave two optima, however many there are in all."""
    data = table(4, 240).with_columns(which=pl.col("person") % 2)
    model = sw.CLPM("x", "y", waves=4)
    whole, halves = model.fit(panel_of(data)), replace(model, group="which").fit(panel_of(data))
    assert (whole.solution.optimum.starts, halves.solution.optimum.starts) == (1, FEW_STARTS)
