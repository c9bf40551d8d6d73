"""Priors of one's own, and how far the answer goes with the prior of random coefficients' SDs."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest

import sessionwise as sw

TRUTH = {
    "y ~ lag(y)": 0.3, "w ~ lag(w)": 0.3, "y ~ lag(w)": -0.2, "sd(y)": 1.0, "sd(w)": 1.0, "y": 10.0, "y | pd": 0.5,
}  # fmt: skip
BASE = sw.DSEM.reciprocal("y", "w", course=None, between="~ pd")


@cache
def drawn(unit: float = 1.0) -> sw.Panel:
    table = BASE.simulate(TRUTH, 60, 6, seed=3).to_frame().with_columns(pl.col("y") * unit)
    return sw.Panel(table, person="person", session="session")


def fitted(priors: dict[str, Any], unit: float = 1.0, **options: Any) -> sw.models.DSEMFit:
    model = sw.DSEM.reciprocal("y", "w", course=None, between="~ pd", priors=priors, **options)
    return model.fit(drawn(unit), size=30, most=500, chains=2)


@pytest.mark.parametrize("random", ["none", "all"])
def test_a_prior_that_is_certain_is_the_posterior(random: str) -> None:
    """Of a common or a mean coefficient, a level and what a predictor adds."""
    told = {"y ~ lag(w)": (0.4, 1e-4), "y": (12.0, 1e-4), "y | pd": (-1.0, 1e-4)}
    fit = fitted(told, random=random)
    for name, (mean, sd) in told.items():
        assert np.abs(fit.draws(name) - mean).max() < 6 * sd, name


def test_scales_of_sds() -> None:
    wide, small = (fitted({"sd(y ~ lag(w))": s, "sd(y)": 1.0}).draws("sd(y ~ lag(w))").mean() for s in (1.0, 1e-4))
    assert small < 0.01 < wide
    error = fitted({"error sd(y)": 1e-3}, error="estimated")
    assert np.median(error.draws("error sd(y)")) < 0.1 < np.median(error.draws("error sd(w)"))


def test_priors_are_in_the_columns_units() -> None:
    """y in a thousandth of the unit, and the priors with it: the same draws in these units."""
    one = fitted({"y ~ lag(w)": (0.1, 0.1), "w ~ lag(y)": (0.0, 0.1), "y": (11.0, 0.5), "sd(y)": 2.0}, random="none")
    other = fitted(
        {"y ~ lag(w)": (100, 100), "w ~ lag(y)": (0.0, 1e-4), "y": (11_000, 500), "sd(y)": 2000}, 1000, random="none"
    )
    for name, factor in {"y ~ lag(w)": 1000, "w ~ lag(y)": 1e-3, "y": 1000, "sd(y)": 1000}.items():
        np.testing.assert_allclose(other.draws(name), one.draws(name) * factor, rtol=1e-6)


@pytest.mark.parametrize(
    ("priors", "said"),
    [
        ({"y ~ lag(w)": (0, -1)}, "mean, sd"),
        ({"y ~ lag(w)": (0, 0)}, "SD above 0"),
        ({"y ~ lag(w)": 1.0}, "mean, sd"),
        ({"y ~ lag(w)": (float("nan"), 1.0)}, "mean, sd"),
        ({"sd(y)": 0}, "scale of a half-t"),
        ({"sd(y)": (0, 1)}, "scale of a half-t"),
        ({"sd(y)": float("inf")}, "scale of a half-t"),
    ],
)
def test_impossible_priors_are_refused(priors: dict[str, Any], said: str) -> None:
    with pytest.raises(sw.ModelError, match=said):
        sw.DSEM.reciprocal("y", "w", priors=priors)


@pytest.mark.parametrize("name", ["y ~ lag(q)", "q", "trend(y)", "y | age"])
def test_what_has_no_prior_is_refused(name: str) -> None:
    with pytest.raises(sw.ModelError, match="no parameter that can have a prior") as caught:
        fitted({name: (0, 1)})
    assert "Use y ~ lag(y)" in caught.value.remedy


def test_a_description_with_priors_can_be_hashed() -> None:
    one = sw.DSEM.reciprocal("y", "w", priors={"sd(y)": 2, "y ~ lag(w)": [0, 1]})
    assert hash(one) == hash(sw.DSEM.reciprocal("y", "w", priors=(("sd(y)", 2.0), ("y ~ lag(w)", (0.0, 1.0)))))


def test_sensitivity_to_the_prior() -> None:
    fit = BASE.fit(drawn(), size=30, most=500, chains=2)
    found = fit.prior_sensitivity(drawn(), size=30, most=500, chains=2)
    table = found.table()
    assert table.columns == ["effect_sd", "outcome", "predictor", "median", "low", "high"]
    assert sorted(set(table["effect_sd"])) == [0.15, 0.3, 0.6]
    assert len(table) == 12
    asked = {(e.outcome, e.predictor): e.estimate for e in fit.lagged_effects()}
    own = table.filter(pl.col("effect_sd") == 0.3).to_dicts()
    assert {(r["outcome"], r["predictor"]): r["median"] for r in own} == asked
    assert len(found.to_dict()["rows"]) == 12
    with pytest.raises(sw.ModelError, match="no coefficient differs between persons"):
        sw.DSEM.reciprocal("y", "w", random="none", course=None).fit(drawn(), size=10, most=100).prior_sensitivity(
            drawn()
        )
