"""Situations in which another program gave a wrong number, as its users reported them, rebuilt with data made here.

Each test names the report. What is right is least squares, a likelihood with a matrix for each person, or the fit of
the same rows written differently.

Tolerances
----------
DENSE 1e-6 of the deviance: an independent search by Nelder and Mead.
"""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl
import pytest
from scipy.optimize import minimize

import sessionwise as sw

DENSE = 1e-6


def rows(persons: int, sessions: int, seed: int) -> tuple[pl.DataFrame, np.random.Generator]:
    rng = np.random.default_rng(seed)
    return (
        pl.DataFrame(
            {
                "p": np.repeat(np.arange(persons), sessions),
                "s": np.tile(np.arange(1, sessions + 1), persons),
                "x": rng.normal(size=persons * sessions),
            }
        ),
        rng,
    )


def panel_of(table: pl.DataFrame) -> sw.Panel:
    return sw.Panel(table, person="p", session="s")


@pytest.mark.parametrize("method", ["REML", "ML"])
def test_effects_between_persons_stand_where_persons_do_not_differ(method: str) -> None:
    """statsmodels 10239: intercept and between-person effects came out as 0.0, converged, at a variance of zero."""
    table, rng = rows(30, 6, 1)
    noise = rng.normal(size=(30, 6))
    noise -= 0.98 * noise.mean(axis=1, keepdims=True)
    z = (table["p"] % 2).cast(float)
    table = table.with_columns(z=z, y=5 + 2 * z + table["x"] / 2 + pl.Series(noise.ravel()))
    fit = sw.MLM("y ~ z + x + (1 | p)", method).fit(panel_of(table))
    assert (fit.verdict.state, fit.varcorr["p"].sd[0]) == ("singular", 0)
    design = np.column_stack([np.ones(180), z, table["x"]])
    beta, squares = np.linalg.lstsq(design, table["y"].to_numpy(), rcond=None)[:2]
    np.testing.assert_allclose(list(fit.fixef.values()), beta, rtol=1e-9)
    variance = squares[0] / (180 - 3 if method == "REML" else 180)
    np.testing.assert_allclose(
        list(fit.se.values()), np.sqrt(variance * np.diag(np.linalg.inv(design.T @ design))), rtol=1e-7
    )


@pytest.mark.parametrize(
    "terms",
    [
        "poly(s, 3) + (poly(s, 2) | p)",
        "poly(s, 2) + (s | p)",
        "bs(s, df=4) + (bs(s, df=3) | p)",
        "scale(s) + (scale(s) | p)",
        "center(s) + (1 + center(s) || p)",
    ],
)
def test_single_sessions_are_predicted_with_the_knots_and_means_of_the_fit(terms: str) -> None:
    """lme4 313, glmmTMB 402 and 632: polynomials and splines of random effects were learned anew from new data."""
    table, rng = rows(40, 9, 2)
    own = rng.normal(size=(40, 2)) * [2, 0.5]
    y = 10 + own[table["p"], 0] + own[table["p"], 1] * table["s"].to_numpy() + rng.normal(size=360)
    panel = panel_of(table.with_columns(y=y))
    fit = sw.MLM(f"y ~ {terms}").fit(panel)
    some = (pl.col("p") < 7) & (pl.col("s") == 4)
    found = fit.predict(panel_of(table.with_columns(y=y).filter(some)))
    np.testing.assert_allclose(found, fit.fitted(panel)[table.select(some.alias("b"))["b"].to_numpy()], rtol=1e-12)


def test_a_lagged_predictor_stays_at_its_session_in_predictions() -> None:
    """plm 67: predict with lag() in the formula gave values one period too early."""
    data = {"p": [1, 1, 1, 2, 2, 2, 3, 3, 3], "s": [1, 2, 3] * 3, "y": [100.0, 150, 200, 1000, 1200, 1250, 10, 20, 45]}
    panel = panel_of(pl.DataFrame(data))
    fit = sw.MLM("y ~ lag(y) + (1 | p)", "ML").fit(panel)
    nan = np.nan
    lagged = np.array([nan, 100, 150, nan, 1000, 1200, nan, 10, 20])
    wanted = fit.fixef["(Intercept)"] + fit.fixef["lag(y)"] * lagged
    np.testing.assert_allclose(fit.predict(panel, "population"), wanted, rtol=1e-12)


def test_ar1_knows_sessions_that_nobody_had() -> None:
    """glmmTMB 1278: time as a factor dropped the levels without rows, and distances over them became 1."""
    rng = np.random.default_rng(5)
    noise = rng.normal(size=(60, 14))
    for t in range(1, 14):
        noise[:, t] = 0.7 * noise[:, t - 1] + np.sqrt(1 - 0.7**2) * noise[:, t]
    kept = np.array([1, 3, 4, 6, 10, 11, 12, 13, 14])
    y = noise[:, kept - 1] + 3
    table = pl.DataFrame({"p": np.repeat(np.arange(60), 9), "s": np.tile(kept, 60), "y": y.ravel()})
    fit = sw.MLM("y ~ 1", "ML", residual="ar1").fit(panel_of(table))

    def deviance(at: np.ndarray) -> float:
        v = np.exp(2 * at[1]) * np.tanh(at[0]) ** np.abs(kept[:, None] - kept)
        inverse = np.linalg.inv(v)
        away = y - (y @ inverse).sum() / (60 * inverse.sum())
        return float(540 * np.log(2 * np.pi) + 60 * np.linalg.slogdet(v)[1] + np.sum(away @ inverse * away))

    best = minimize(deviance, [0.8, 0.0], method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-10})
    assert fit.deviance == pytest.approx(best.fun, abs=DENSE)
    assert fit.residual["phi"] == pytest.approx(np.tanh(best.x[0]), abs=1e-6)
    shuffled = table.sample(fraction=1, shuffle=True, seed=1)
    assert sw.MLM("y ~ 1", "ML", residual="ar1").fit(panel_of(shuffled)).deviance == fit.deviance


def test_neither_the_order_of_terms_nor_of_rows_nor_of_labels_changes_a_fit() -> None:
    """lme4 449, r2mlm 25, r-devel 18505: another order of random terms or of labels gave other numbers."""
    table, rng = rows(24, 8, 7)
    table = table.with_columns(c=pl.col("p") % 6, t=rng.integers(0, 5, 192))
    own, x = rng.normal(size=(24, 2)) * [1, 0.5], table["x"].to_numpy()
    y = 1 + x + own[table["p"], 0] + own[table["p"], 1] * x + rng.normal(size=6)[table["c"]]
    table = table.with_columns(y=y + 0.7 * rng.normal(size=5)[table["t"]] + rng.normal(size=192))
    terms = ("(1 + x | p)", "(1 | c)", "(1 | t)")
    fits = [sw.MLM(f"y ~ x + {' + '.join(t)}").fit(panel_of(table)) for t in itertools.permutations(terms)]
    named = table.with_columns(p=pl.format("P{}", 23 - pl.col("p")), c=pl.format("c{}", 5 - pl.col("c")))
    fits += [
        sw.MLM(f"y ~ x + {' + '.join(terms)}").fit(panel_of(t))
        for t in (named, table.sample(fraction=1, shuffle=True, seed=2))
    ]
    for fit in fits[1:]:
        assert fit.deviance == pytest.approx(fits[0].deviance, abs=1e-7)
        np.testing.assert_allclose(list(fit.df.values()), list(fits[0].df.values()), rtol=1e-5)
        assert fit.varcorr["p"].cov == pytest.approx(fits[0].varcorr["p"].cov, rel=1e-5, abs=1e-7)


def test_profiles_go_on_where_a_correlation_is_at_its_limit() -> None:
    """lme4 193 and 203: a slope's profile ended where the correlation did, at an eighth of the rise."""
    rng = np.random.default_rng(11)
    s = np.tile(np.arange(4), 25)
    y = 20 - 1.5 * s + np.repeat(5 * rng.normal(size=25), 4) + np.repeat(0.3 * rng.normal(size=25), 4) * s
    table = pl.DataFrame({"p": np.repeat(np.arange(25), 4), "s": s, "y": y + 4 * rng.normal(size=100)})
    ends = sw.MLM("y ~ s + (1 + s | p)").fit(panel_of(table)).confint("profile", which=["sd_s|p"])
    assert ends["low"][0] == 0
    high = ends["high"][0]
    times = np.column_stack([np.ones(4), np.arange(4)])
    each = table["y"].to_numpy().reshape(25, 4)

    def deviance(at: np.ndarray, slope: float | None = None) -> float:
        sd = np.exp(at[3]) if slope is None else slope
        cov = np.exp(at[0]) * sd * np.tanh(at[1])
        v = times @ [[np.exp(2 * at[0]), cov], [cov, sd**2]] @ times.T + np.exp(2 * at[2]) * np.eye(4)
        inverse = np.linalg.inv(v)
        beta = np.linalg.solve(times.T @ inverse @ times, times.T @ inverse @ each.mean(axis=0))
        away = each - times @ beta
        return float(25 * np.linalg.slogdet(v)[1] + np.sum(away @ inverse * away))

    def least(slope: float | None) -> float:
        options = {"xatol": 1e-8, "fatol": 1e-10, "maxiter": 6000}
        starts = ([1.6, -3.0, 1.4, -2.0], [1.6, 0.0, 1.4, 0.0], [1.6, -0.9, 1.2, 0.4])
        found = [
            minimize(deviance, x if slope is None else x[:3], (slope,), "Nelder-Mead", options=options) for x in starts
        ]
        return float(min(f.fun for f in found))

    assert least(high) - least(None) == pytest.approx(3.841459, abs=1e-4)
