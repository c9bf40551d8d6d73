"""Units of the columns: a fit in others says the same.

The log-likelihood shifts by the response's scale alone; what has no unit, such as t, degrees of freedom, correlations
and the verdict, stays; phi of continuous time is per unit of time.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl
import pytest

import sessionwise as sw

SAME = 1e-5  # t of coefficients and -2 log-likelihood: two searches for one optimum
MODELS = {
    "slopes": sw.MLM("y ~ lag(y) + within(x) * z + s + (1 + within(x) | p)"),
    "time": sw.MLM("y ~ x * z + t + (1 + x + t | p)", "ML"),
    "ar1": sw.MLM("y ~ x + z + (1 + x | p)", residual="ar1", variance_by="g"),
    "car1": sw.MLM("y ~ x + t + (1 | p)", residual="car1"),
    "car1 by g": sw.MLM("y ~ x + t", "ML", residual="car1", variance_by="g"),
    "by g": sw.MLM("y ~ x + (1 + x || p)", "ML", variance_by="g"),
    "bent": sw.MLM("y ~ poly(x, 2) + bs(t, df=4) + (1 | p)", "ML"),
    "no intercept": sw.MLM("y ~ 0 + x + t + (0 + x | p)", "ML"),
}
UNITS = (
    *({column: k} for column in "yxzt" for k in (-6, -2, 3, 6)),
    {"x": 6, "y": -6, "t": 6},
    {"x": -6, "y": 6, "t": -6},
    {"x": -6, "y": 6, "t": 6},
)


@cache
def table() -> pl.DataFrame:
    rng = np.random.default_rng(3)
    rows = []
    for p in range(60):
        (u, v), t, e = rng.normal(size=2), 0.0, 0.0
        for s in range(1, 9):
            gap = rng.uniform(2, 12)
            t, r = t + gap, 0.7 ** (gap / 5)
            e = r * e + np.sqrt(1 - r * r) * rng.normal()
            x, z = rng.normal() + 0.3 * u, rng.normal()
            rows.append((p, s, t, x, z, 5 + u + (0.4 + 0.3 * v) * x + 0.2 * z + e * (1 + 0.5 * (p % 2)), "ab"[p % 2]))
    return pl.DataFrame(rows, schema=["p", "s", "t", "x", "z", "y", "g"], orient="row")


def panel(**powers: int) -> sw.Panel:
    scaled = table().with_columns(pl.col(c) * 10.0**k for c, k in powers.items())
    return sw.Panel(scaled, person="p", session="s", time="t")


@cache
def usual(name: str) -> sw.MLMFit:
    return MODELS[name].fit(panel())


@pytest.mark.parametrize("powers", UNITS, ids=str)
@pytest.mark.parametrize("name", list(MODELS))
def test_other_units(name, powers):
    one, other = usual(name), MODELS[name].fit(panel(**powers))
    assert other.verdict.state == one.verdict.state
    t = [np.array([f.fixef[term] / f.se[term] for term in f.terms]) for f in (one, other)]
    np.testing.assert_allclose(t[1], t[0], atol=SAME)
    np.testing.assert_allclose(list(other.df.values()), list(one.df.values()), rtol=1e-4)
    for group, v in one.varcorr.items():
        np.testing.assert_allclose(other.varcorr[group].corr, v.corr, atol=1e-4)
    if one.model.method == "ML":  # a REML criterion has the predictors' units, too
        deviance = one.deviance + 2 * one.nobs * powers.get("y", 0) * np.log(10)
        assert other.deviance == pytest.approx(deviance, abs=SAME)
    for key, value in one.residual.items():
        expected = value ** (10.0 ** -powers.get("t", 0)) if key == "phi" and "car1" in name else value
        assert other.residual[key] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("power", [-6, 4, 6])
def test_what_follows_from_continuous_time(power):
    """Robust errors, bootstrap, profile and simulation, also in units of which phi is 0 or 1 in doubles."""
    model, (one, other) = MODELS["car1"], (panel(), panel(t=power))
    fits = model.fit(one), model.fit(other)
    ses = [f.robust(p)["se"].to_numpy() for f, p in zip(fits, (one, other), strict=True)]
    np.testing.assert_allclose(ses[1] * [1, 1, 10.0**power], ses[0], rtol=1e-5)
    draws = [f.confint("bootstrap", panel=p, n=4, seed=1) for f, p in zip(fits, (one, other), strict=True)]
    sd = "sd_(Intercept)|p"
    lows = [d.filter(pl.col("parameter") == sd)["low"].item() for d in draws]
    assert lows[1] == pytest.approx(lows[0], rel=1e-4)
    ends = [np.array(f.confint("profile", which=["phi"]).row(0)[2:]) for f in fits]
    assert 0 < ends[0][0] < ends[0][1] < 1
    np.testing.assert_allclose(ends[1], ends[0] ** (10.0**-power), rtol=1e-10, atol=1e-300)
    if power > 0:
        np.testing.assert_allclose(np.log(ends[1]) * 10.0**power, np.log(ends[0]), rtol=1e-5)


def test_phi_that_is_given_is_per_unit_of_time():
    given = {"fixef": {"(Intercept)": 0.0, "x": 0.0, "t": 0.0}, "varcorr": {"p": [[1.0]]}, "sigma": 1.0, "seed": 2}
    model = MODELS["car1"]
    days = model.simulate(panel(), **given, residual={"phi": 0.9})
    hundredths = model.simulate(panel(t=2), **given, residual={"phi": 0.9**0.01})
    np.testing.assert_allclose(days["y"], hundredths["y"], rtol=1e-9)
    gap = usual("car1").solution.problem.residual.unit
    assert f"at the usual gap of {gap:.2f}" in " ".join(str(usual("car1")).split())


def test_bursts_of_sessions():
    """Minutes within a day, months between days: the usual gap is no bound for the correlation over others."""
    rng = np.random.default_rng(5)
    rows = []
    for p in range(60):
        t, e = 0.0, rng.normal()
        for s in range(1, 13):
            gap = 1e5 if s % 4 == 0 else rng.uniform(0.5, 2)
            r = 0.999995**gap
            t, e = t + gap, r * e + np.sqrt(1 - r * r) * rng.normal()
            rows.append((p, s, t, e))
    made = pl.DataFrame(rows, schema=["p", "s", "t", "y"], orient="row")
    fits = [
        sw.MLM("y ~ 1", residual="car1").fit(
            sw.Panel(made.with_columns(pl.col("t") * k), person="p", session="s", time="t")
        )
        for k in (1.0, 1e-5, 1e6)
    ]
    assert all(f.verdict.converged for f in fits)
    assert fits[0].residual["phi"] == pytest.approx(0.999995, abs=3e-6)
    assert fits[1].deviance == pytest.approx(fits[0].deviance, abs=SAME)
    assert fits[2].deviance == pytest.approx(fits[0].deviance, abs=SAME)
