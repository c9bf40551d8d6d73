"""A Panel on a fit's grid: the fitted one as it was, others in the fit's units; what is refused."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from helpers.dynamic import fitted, gappy
from sessionwise.models.dsem.data import scaled
from sessionwise.models.dsem.on_grid import on_grid
from sessionwise.models.dsem.parameters import parameters, spaced

MODELS: list[Any] = [
    sw.DSEM.reciprocal("y", "w", random="none", trend="quadratic", first="stationary", error={"y": 0.1}),
    sw.DSEM(("y ~ lag(y) + x", "w ~ lag(w, 2)"), random="none", between="~ pd", treatment_length=True),
]


@pytest.mark.parametrize("model", MODELS)
def test_the_fitted_panel_stands_as_it_did(model: sw.DSEM) -> None:
    fit, data = fitted(model), scaled(model, model.paths, gappy())
    grid = on_grid(model, fit.kept, gappy())
    np.testing.assert_array_equal(grid.starts, data.grid.starts)
    np.testing.assert_array_equal(grid.session, data.grid.session)
    np.testing.assert_array_equal(grid.values, data.grid.values)
    np.testing.assert_allclose(grid.own_course, data.grid.own_course[data.grid.session], atol=1e-12)
    np.testing.assert_allclose(grid.predictors, data.grid.predictors, atol=1e-12)
    if data.grid.error is not None:
        np.testing.assert_allclose(grid.error, data.grid.error)
    if data.grid.covariates is not None:
        np.testing.assert_allclose(grid.covariates, data.grid.covariates)


@cache
def demo() -> tuple[sw.Panel, sw.DSEMFit]:
    table = sw.datasets.demo(persons=60)
    panel = sw.score(sw.Panel(table, person="patient", session="session"), "core-om", "wai-sr")
    model = sw.DSEM.reciprocal("core_om", "wai_sr", error="items", random="none", course=None)
    return panel, model.fit(panel, size=20, most=200, chains=2)


def test_error_is_by_the_items_answered_and_that_of_the_fit() -> None:
    panel, fit = demo()
    data = scaled(fit.model, fit.model.paths, panel)
    whole = on_grid(fit.model, fit.kept, panel)
    np.testing.assert_allclose(whole.error, data.grid.error)  # some items are missing in the demo
    few = panel.subset(panel.persons[:2])
    np.testing.assert_allclose(on_grid(fit.model, fit.kept, few).error, whole.error[: few_rows(fit, few)])
    scores = panel.to_frame().select("patient", "session", "core_om", "wai_sr")
    alone = on_grid(fit.model, fit.kept, sw.Panel(scores, person="patient", session="session"))
    complete = fit.kept.error_complete / fit.kept.sd**2
    seen = ~np.isnan(alone.values)
    for k in range(2):
        np.testing.assert_allclose(alone.error[seen[:, k], k], complete[k])


def few_rows(fit: sw.DSEMFit, panel: sw.Panel) -> int:
    return int(on_grid(fit.model, fit.kept, panel).starts[-1])


def test_sessions_beyond_those_of_the_fit() -> None:
    """The common course stays as it was at its end, own courses go on."""
    model = sw.DSEM.reciprocal("y", "w", random="none", trend="linear")
    fit = fitted(model)
    table = pl.DataFrame({"person": [99] * 3, "session": [8, 12, 14], "y": [1.0, 2, 3], "w": [0.0, 1, 2]})
    panel = sw.Panel(table, person="person", session="session")
    grid = on_grid(model, fit.kept, panel)
    assert grid.session.tolist() == list(range(7, 14))
    np.testing.assert_allclose(np.diff(grid.own_course[:, 1]), 1 / fit.kept.trend_unit)
    assert np.isfinite(fit.one_step_ahead(panel, draws=5)["pit"].to_numpy()).all()


def test_a_covariate_that_is_missing_is_not_looked_up_later() -> None:
    model = sw.DSEM(("y ~ lag(y) + x",), random="none")
    table = pl.DataFrame({"person": [1] * 4, "session": [1, 2, 3, 4], "y": [1.0, 2, 3, 4], "x": [None, 1.0, None, 5.0]})
    panel = sw.Panel(table, person="person", session="session")
    kept = fitted(model).kept
    back = [
        on_grid(model, kept, panel, ahead=ahead).covariates[:, 0] * kept.covariate_sd[0] + kept.covariate_centre[0]
        for ahead in (True, False)
    ]
    np.testing.assert_allclose(back[0], [kept.covariate_centre[0], 1, 1, 5], atol=1e-12)
    np.testing.assert_allclose(back[1], [3, 1, 3, 5], atol=1e-12)


def test_kinds_of_persons_are_those_of_the_fit() -> None:
    table = gappy().to_frame().with_columns(kind=pl.col("person").replace_strict({i: "abc"[i % 3] for i in range(40)}))
    model = sw.DSEM.reciprocal("y", "w", random="none", course=None, between="~ kind")
    panel = sw.Panel(table, person="person", session="session")
    fit = model.fit(panel, size=20, most=100, chains=1)
    one = on_grid(model, fit.kept, panel.subset([1, 2]))
    np.testing.assert_allclose(one.predictors, np.array([[1, 1, 0], [1, 0, 1]]) - [0, *fit.kept.predictor_means[1:]])
    number = sw.Panel(table.with_columns(kind=pl.lit(1.0)), person="person", session="session")
    unknown = on_grid(model, fit.kept, number).predictors
    np.testing.assert_allclose(unknown[0], [1, *-fit.kept.predictor_means[1:]])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"y": pl.lit("high")}, "y holds no numbers"),
        ({"y": pl.lit(np.inf)}, "y holds infinite"),
        ({"pd": pl.lit("much")}, "held numbers in the fit"),
    ],
)
def test_what_is_refused(change: dict[str, Any], said: str) -> None:
    model = sw.DSEM(("y ~ lag(y)",), random="none", between="~ pd")
    panel = sw.Panel(gappy().to_frame().with_columns(**change), person="person", session="session")
    with pytest.raises(sw.ModelError, match=said):
        on_grid(model, fitted(model).kept, panel)


def test_draws_in_standard_units_say_what_those_in_the_datas_do() -> None:
    model = sw.DSEM.reciprocal("y", "w", correlated="all", trend="linear", error={"y": 0.1})
    fit = fitted(model)
    found = parameters(fit, np.arange(fit.reported.draws[..., 0].size))
    kept, units = fit.kept, fit.effects.units
    assert fit.effects.names == ("y", "trend(y)", "w", "trend(w)", "y ~ lag(w)", "w ~ lag(y)")
    sd = np.sqrt(np.diagonal(found.omega, axis1=1, axis2=2)) * units
    np.testing.assert_allclose(sd[:, 5], fit.draws("sd(w ~ lag(y))").ravel())
    correlation = found.omega[:, 1, 4] * units[1] * units[4] / sd[:, 1] / sd[:, 4]
    np.testing.assert_allclose(correlation, fit.draws("cor(trend(y), y ~ lag(w))").ravel(), atol=1e-9)
    np.testing.assert_allclose(found.gamma[:, 0, 0] * kept.sd[0] + kept.centre[0], fit.draws("y").ravel())
    np.testing.assert_allclose(found.theta[:, 0], fit.draws("y ~ lag(y)").ravel())
    np.testing.assert_allclose(found.course[:, 3, 1] * kept.sd[1], fit.draws("course(w, 4)").ravel())
    assert not found.course[:, 0].any()
    np.testing.assert_allclose(found.error[:, 0], 1.0)  # a given variance is known
    assert spaced(4, 400).tolist() == [0, 133, 266, 399]


@pytest.mark.parametrize("asked", ["loo", "one_step_ahead", "predictive_checks"])
def test_scores_of_which_the_first_is_given_have_no_likelihood(asked: str) -> None:
    fit = fitted(sw.DSEM.reciprocal("y", "w", random="none", first="given"))
    with pytest.raises(sw.ModelError, match="says nothing of where a person begins") as caught:
        getattr(fit, asked)(gappy())
    assert "first='own'" in str(caught.value.remedy)
