"""Indirect effects: products of what is reported, and found again where they are known."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl
import pytest

import sessionwise as sw

PERSONS = sw.DSEM.reciprocal("y", "w", course=None, random="none", between="~ pd", outcomes=("o",))
OF_PERSONS = {
    "y ~ lag(y)": 0.3, "w ~ lag(w)": 0.3, "y ~ lag(w)": -0.2, "sd(y)": 1.0, "sd(w)": 1.0, "y | pd": 0.8, "w | pd": -0.5,
    "o ~ y": 0.6, "o ~ w": 0.2, "o ~ pd": 0.3, "residual sd(o)": 0.5,
}  # fmt: skip
THREE = ("x ~ lag(x)", "m ~ lag(m) + lag(x)", "y ~ lag(y) + lag(m) + lag(x)")


@cache
def of_persons() -> sw.models.DSEMFit:
    return PERSONS.fit(PERSONS.simulate(OF_PERSONS, 200, 6, seed=2), size=80, chains=2)


def test_a_predictor_by_way_of_levels() -> None:
    table = of_persons().indirect("pd", "o", level=0.999)
    assert table.columns == ["path", "kind", "median", "low", "high"]
    true = {
        ("pd → y → o", "indirect"): 0.48,
        ("pd → w → o", "indirect"): -0.1,
        ("pd → all random effects → o", "indirect"): 0.38,
        ("pd → o", "direct"): 0.3,
        ("pd → o", "total"): 0.68,
    }
    rows = {(r["path"], r["kind"]): r for r in table.to_dicts()}
    assert set(rows) == set(true)
    for key, value in true.items():
        assert rows[key]["low"] < value < rows[key]["high"], (key, rows[key])


def test_it_is_the_product_of_what_is_reported() -> None:
    fit = of_persons()
    product = fit.draws("y | pd") * fit.draws("o ~ y")
    (row,) = fit.indirect("pd", "o").filter(pl.col("path") == "pd → y → o").to_dicts()
    assert [row["median"], row["low"], row["high"]] == pytest.approx(np.quantile(product, [0.5, 0.025, 0.975]).tolist())
    # within: the mean over persons of the effect two sessions later, which without random coefficients is the response
    later = fit.indirect("w", "y").filter(pl.col("kind") == "total")["median"][0]
    response = fit.impulse_responses(2).filter(
        (pl.col("session") == 2) & (pl.col("outcome") == "y") & (pl.col("predictor") == "w")
    )["median"][0]
    assert later == pytest.approx(response)


@pytest.mark.slow
def test_covariance_of_random_coefficients_is_in_the_mean_product() -> None:
    """a and b correlate by .8 with SDs of .3 and .25: E(ab) = .2 x .2 + .06 = .10, which their means alone miss."""
    model = sw.DSEM(
        THREE, random=("m ~ lag(x)", "y ~ lag(m)"), correlated="all", course=None, error=None, priors="weak"
    )
    true = {
        "x ~ lag(x)": 0.2, "m ~ lag(m)": 0.2, "y ~ lag(y)": 0.2, "m ~ lag(x)": 0.2, "y ~ lag(m)": 0.2,
        "y ~ lag(x)": 0.1, "sd(m ~ lag(x))": 0.3, "sd(y ~ lag(m))": 0.25, "cor(m ~ lag(x), y ~ lag(m))": 0.8,
        "sd(x)": 1.0, "sd(m)": 1.0, "sd(y)": 1.0,
    }  # fmt: skip
    fit = model.fit(model.simulate(true, 300, 15, seed=5), size=150, chains=2)
    (row,) = fit.indirect("x", "y").filter(pl.col("path") == "x → m, 1 later → y, 2 later").to_dicts()
    assert row["low"] < 0.10 < row["high"]
    means = np.median(fit.draws("m ~ lag(x)") * fit.draws("y ~ lag(m)"))
    assert row["median"] > means + 0.03


@pytest.mark.parametrize(
    ("predictor", "outcome", "said"),
    [
        ("pd", "y", "neither a predictor and an outcome"),
        ("age", "o", "No person-level predictor is called 'age'"),
        ("y", "y", "neither"),
    ],
)
def test_what_has_no_indirect_effect_is_refused(predictor: str, outcome: str, said: str) -> None:
    with pytest.raises(sw.ModelError, match=said) as caught:
        of_persons().indirect(predictor, outcome)
    assert caught.value.remedy
