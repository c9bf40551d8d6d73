"""What must not change an estimate: order, names, units; what must change it in a known way."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sessionwise as sw
from helpers.crosslagged import panel_of, table

SAME = 1e-6  # of a standard error: two searches for one optimum
LIKELIHOOD = 1e-8  # relative
MODELS = {
    "ri-clpm": sw.RICLPM("x", "y", waves=4, residuals="equal"),
    "clpm": sw.CLPM("x", "y", waves=4, lags="free"),
    "covariate": sw.RICLPM("x", "y", waves=4, covariates="w", means="linear"),
    "dpm": sw.DPM("y ~ pre(lag(x)) | w", waves=4, same_wave=True),
}
SEEDS = st.integers(0, 10**6)


def alike(one: sw.SEMFit, other: sw.SEMFit, names: dict[str, str] | None = None) -> None:
    """Same likelihood, estimates and errors; `names`: other names of parameters."""
    assert (one.verdict.converged, one.verdict.admissible) == (other.verdict.converged, other.verdict.admissible)
    assert one.deviance == pytest.approx(other.deviance, rel=LIKELIHOOD)
    assert one.chi2 == pytest.approx(other.chi2, abs=1e-6)
    for name, value in one.estimates.items():
        twin = (names or {}).get(name, name)
        assert other.estimates[twin] == pytest.approx(value, abs=SAME * one.se[name] + 1e-12)
        assert other.se[twin] == pytest.approx(one.se[name], rel=1e-5)


@pytest.fixture(scope="module", params=list(MODELS))
def fitted(request):
    data = table(5, 150, missing=0.1)
    return MODELS[request.param], data, MODELS[request.param].fit(panel_of(data))


def test_order_of_rows_and_names_of_persons(fitted):
    model, data, fit = fitted
    renamed = data.with_columns(("P" + (997 - pl.col("person")).cast(pl.String)).alias("person"))
    alike(fit, model.fit(panel_of(renamed.sample(fraction=1.0, shuffle=True, seed=2))))


def test_nothing_of_a_person_changes_nothing(fitted):
    """A row without values, a person without rows at these waves, and a person without values at all."""
    model, data, fit = fitted
    nobody = data.filter(pl.col("person") == 0).with_columns(
        pl.lit(10_000, pl.Int64).alias("person"), *(pl.lit(None, pl.Float64).alias(c) for c in "xyz")
    )
    later = data.filter(pl.col("person") == 1).with_columns(
        pl.lit(10_001, pl.Int64).alias("person"), pl.col("session") + 4
    )
    gone = data.filter(~pl.all_horizontal(pl.col("x", "y", "z").is_null()))
    alike(fit, model.fit(panel_of(gone)))
    found = model.fit(panel_of(pl.concat([data, nobody, later])))
    alike(fit, found)
    note = next(f for f in found.findings if f.code == "no-value")
    assert note.count == 2 + sum(f.count for f in fit.findings if f.code == "no-value")


def test_later_numbers_of_sessions(fitted):
    model, data, fit = fitted
    found = model.fit(panel_of(data.with_columns(pl.col("session") + 10)))
    assert found.waves == (11, 12, 13, 14)
    assert found.deviance == pytest.approx(fit.deviance, rel=LIKELIHOOD)
    np.testing.assert_allclose(found.vcov, fit.vcov, atol=1e-7 * np.abs(fit.vcov).max())


@settings(max_examples=6, derandomize=True)
@given(seed=SEEDS, a=st.floats(-6, 6), b=st.floats(-6, 6), shift=st.floats(-50, 50))
@pytest.mark.parametrize("name", list(MODELS))
def test_units(name, seed, a, b, shift):
    """x in other units: lags rescale, standardised ones and chi-square stay."""
    data = table(seed, 80, missing=0.05)
    x, y = 10.0**a, 10.0**b
    model = MODELS[name]
    one = model.fit(panel_of(data))
    other = model.fit(panel_of(data.with_columns(pl.col("x") * x + shift * x, pl.col("y") * y)))
    assert other.verdict.converged == one.verdict.converged
    assert other.verdict.admissible == one.verdict.admissible
    if not one.verdict.converged:
        return
    values = data.select(pl.col("x", "y").count()).row(0)
    deviance = one.deviance + 2 * (values[0] * np.log(x) + values[1] * np.log(y))
    if name != "dpm":  # which does not use all values
        assert other.deviance == pytest.approx(deviance, abs=1e-5)
    assert other.chi2 == pytest.approx(one.chi2, abs=1e-5)
    unit = {"x": x, "y": y}
    for p in one.parameters:
        if p.kind == "lag":
            factor = unit[p.outcome] / unit[p.predictor]
            se = one.se[p.name] * factor
            assert other.estimates[p.name] == pytest.approx(one.estimates[p.name] * factor, abs=1e-5 * se)
            assert other.se[p.name] == pytest.approx(se, rel=1e-5)
        elif p.kind == "mean" and p.outcome == "x":
            assert other.estimates[p.name] == pytest.approx(x * (one.estimates[p.name] + shift), rel=1e-5, abs=1e-4 * x)
    if model.has_within and one.verdict:
        np.testing.assert_allclose(one.standardised()["estimate"], other.standardised()["estimate"], atol=1e-5)


@settings(max_examples=6, derandomize=True)
@given(seed=SEEDS)
@pytest.mark.parametrize("model", [sw.RICLPM, sw.CLPM])
def test_x_and_y_change_places(model, seed):
    data = panel_of(table(seed, 80, missing=0.05))
    one, other = model("x", "y", waves=4).fit(data), model("y", "x", waves=4).fit(data)
    if one.verdict.converged:
        swapped = {n: n.replace("(x, y)", "(y, x)") for n in one.terms}
        alike(one, other, swapped)


@settings(max_examples=8, derandomize=True)
@given(seed=SEEDS, missing=st.sampled_from([0.0, 0.1]))
def test_equal_is_nested_in_free(seed, missing):
    data = panel_of(table(seed, 80, missing=missing))
    for free, equal in (("lags", "lags"), ("residuals", "residuals"), ("means", "means")):
        large = sw.RICLPM("x", "y", waves=4, **{"lags": "free", "residuals": "free", "means": "free", free: "free"})
        small = sw.RICLPM("x", "y", waves=4, **{"lags": "free", "residuals": "free", "means": "free", equal: "equal"})
        fits = large.fit(data), small.fit(data)
        if all(f.verdict.converged for f in fits):
            found = fits[0].lrt(fits[1])
            assert found.chi2 >= 0
            assert 0 <= found.p <= 1
            assert found.df == fits[1].df - fits[0].df
            assert found.chi2 == pytest.approx(max(0.0, fits[1].chi2 - fits[0].chi2), abs=1e-6)


@pytest.mark.parametrize("errors", ["observed", "expected", "robust"])
def test_two_groups_of_the_same_persons(errors):
    """All equal: errors are smaller by the square root of two. All free: each group is the single fit."""
    data = table(7, 150, missing=0.1)
    twice = pl.concat(
        [data.with_columns(pl.lit(g).alias("which"), pl.col("person") + 1000 * i) for i, g in enumerate("ab")]
    )
    one = sw.RICLPM("x", "y", waves=4, errors=errors).fit(panel_of(data))
    options = {"waves": 4, "errors": errors, "group": "which"}
    free = sw.RICLPM("x", "y", **options).fit(panel_of(twice))
    kinds = ("lag", "intercept", "first", "residual", "mean")
    equal = sw.RICLPM("x", "y", same=kinds, **options).fit(panel_of(twice))
    pooled = sw.RICLPM("x", "y", waves=4, errors=errors).fit(panel_of(twice))
    assert (free.n_parameters, equal.n_parameters) == (2 * one.n_parameters, one.n_parameters)
    assert (free.df, equal.df) == (2 * one.df, 2 * one.df + one.n_parameters)
    for fit in (free, equal, pooled):
        assert fit.deviance == pytest.approx(2 * one.deviance, rel=LIKELIHOOD)
        assert fit.chi2 == pytest.approx(2 * one.chi2, rel=1e-6)
    for fit in (free, pooled):
        assert fit.scaling_factor == pytest.approx(one.scaling_factor, nan_ok=True)
    for name, se in one.se.items():
        for found in (equal, pooled):
            assert found.estimates[name] == pytest.approx(one.estimates[name], abs=SAME * se)
            assert found.se[name] == pytest.approx(se / np.sqrt(2), rel=1e-6)
        for label in "ab":
            assert free.estimates[f"{name} ({label})"] == pytest.approx(one.estimates[name], abs=SAME * se)
            assert free.se[f"{name} ({label})"] == pytest.approx(se, rel=1e-6)


def test_waves_are_session_numbers():
    """Session 3 missed by everybody: two waves of the model are then two sessions apart; a person who missed session 2
    has no value there, whatever row comes next."""
    data = table(3, 150, 5)
    fit = sw.RICLPM("x", "y", waves=(1, 2, 4, 5)).fit(panel_of(data))
    assert fit.waves == (1, 2, 4, 5)
    renumbered = data.filter(pl.col("session") != 3).with_columns(
        pl.when(pl.col("session") > 3).then(pl.col("session") - 1).otherwise(pl.col("session")).alias("session")
    )
    close = sw.RICLPM("x", "y", waves=4).fit(panel_of(renumbered))
    assert close.deviance == pytest.approx(fit.deviance, rel=LIKELIHOOD)
    assert [f.code for f in fit.findings] == ["uneven-waves", "other-waves"]
    assert [f.code for f in close.findings] == []
    without = data.filter((pl.col("session") != 2) | (pl.col("person") >= 40))
    blank = data.with_columns(
        pl.when((pl.col("session") == 2) & (pl.col("person") < 40)).then(None).otherwise(pl.col(c)).alias(c)
        for c in "xy"
    )
    model = sw.RICLPM("x", "y", waves=4)
    alike(model.fit(panel_of(without)), model.fit(panel_of(blank)))


def test_last_sessions_from_the_end():
    data = table(3, 150, 6)
    stays = 4 + np.arange(150) % 3
    ragged = data.filter(pl.col("session") <= pl.Series(stays)[data["person"]])
    fit = sw.RICLPM("x", "y", waves=4, from_end=True).fit(panel_of(ragged))
    assert fit.waves == (-3, -2, -1, 0)
    counted = ragged.with_columns((pl.col("session") - pl.col("session").max().over("person") + 4).alias("session"))
    plain = sw.RICLPM("x", "y", waves=4).fit(panel_of(counted.filter(pl.col("session") > 0)))
    assert fit.deviance == pytest.approx(plain.deviance, rel=LIKELIHOOD)
    assert fit.coverage.least == 1
    names = {n: n.replace("[", "[-").replace("[-4]", "[0]") for n in plain.terms}
    assert sw.RICLPM("x", "y", waves=(-3, -2, -1, 0), from_end=True).fit(panel_of(ragged)).terms == fit.terms
    assert len(set(names.values())) == len(names)
