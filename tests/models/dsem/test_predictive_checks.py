"""Replicates against the model's own normal vector; statistics by hand; what is found in other data."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl
import pytest
from scipy import stats

import sessionwise as sw
from helpers import dynamic
from helpers.dynamic import fitted, gappy
from sessionwise.models.dsem.on_grid import own_grid
from sessionwise.models.dsem.parameters import parameters
from sessionwise.models.dsem.replicates import replicates

MODEL = sw.DSEM.reciprocal("y", "w", course=None, random=("y ~ lag(w)",))
TRUTH = {
    "y ~ lag(y)": 0.3, "y ~ lag(w)": -0.25, "w ~ lag(w)": 0.35, "y": 10.0, "w": 4.0, "sd(y)": 1.5, "sd(w)": 1.0,
    "sd(y ~ lag(w))": 0.15, "innovation sd(y)": 1.2, "innovation sd(w)": 0.8, "innovation cor(y, w)": -0.2,
}  # fmt: skip


@pytest.mark.parametrize(
    "model",
    [
        sw.DSEM.reciprocal("y", "w", random="none", trend="linear", error={"y": 0.09}),
        sw.DSEM(("y ~ lag(y) + w + x", "w ~ lag(w) + lag(y, 2)"), random="none", between="~ pd", first="stationary"),
    ],
)
def test_replicates_have_the_models_means_and_covariances(model: sw.DSEM) -> None:
    """4,000 replicates at one draw; a mean and a covariance beyond 5 Monte Carlo errors once in a million."""
    fit, count = fitted(model), 4000
    grid, draws = own_grid(fit, gappy()), parameters(fit, np.full(count, 7))
    found = (replicates(fit, grid, draws, np.random.default_rng(1)) - fit.kept.centre) / fit.kept.sd
    np.testing.assert_array_equal(np.isnan(found[0]), np.isnan(grid.values))
    for person in (0, 11, 25):
        mean, covariance, _ = dynamic.scores(fit, grid, draws, 0, person, np.zeros(0))
        rows = slice(grid.starts[person], grid.starts[person + 1])
        own = found[:, rows].reshape(count, -1)
        own = own[:, ~np.isnan(own[0])]
        sd = np.sqrt(np.diag(covariance))
        assert (np.abs(own.mean(axis=0) - mean) < 5 * sd / np.sqrt(count)).all()
        spread = np.sqrt((covariance**2 + np.outer(sd**2, sd**2)) / count)
        assert (np.abs(np.cov(own.T) - covariance) < 5 * spread).all()


@cache
def drawn(seed: int = 3) -> sw.Panel:
    return MODEL.simulate(TRUTH, 120, 7, seed=seed)


def checked(panel: sw.Panel, model: sw.DSEM = MODEL) -> sw.models.dsem.PredictiveChecks:
    return model.fit(panel, seed=1, size=40, most=1500, chains=2).predictive_checks(panel)


def test_statistics_are_those_of_the_scores() -> None:
    panel = gappy()
    table = fitted(MODEL).predictive_checks(panel, replicates=20).tidy()
    observed = {(r["variable"], r["statistic"]): r["observed"] for r in table.to_dicts()}
    frame = panel.to_frame().sort("person", "session")
    seen = frame.filter(pl.col("y").is_not_null())
    means = seen.group_by("person").agg(pl.col("y").mean().alias("m"), pl.len().alias("n"))
    both = seen.join(means, on="person").with_columns(d=pl.col("y") - pl.col("m")).sort("person", "session")
    y = seen["y"].to_numpy()
    assert observed["y", "mean"] == pytest.approx(y.mean())
    assert observed["y", "SD between persons"] == pytest.approx(means["m"].std())
    assert observed["y", "SD within persons"] == pytest.approx(np.sqrt((both["d"] ** 2).sum() / (means["n"] - 1).sum()))
    assert observed["y", "skewness"] == pytest.approx(stats.skew(y))
    assert observed["y", "share at the maximum"] == pytest.approx(1 / len(y))
    before = both.select("person", session=pl.col("session") + 1, before=pl.col("d"))
    pairs = both.join(before, on=["person", "session"])
    a, b = pairs["d"].to_numpy(), pairs["before"].to_numpy()
    assert observed["y", "autocorrelation within"] == pytest.approx((a @ b) / np.sqrt((a @ a) * (b @ b)))
    ends = both.group_by("person").agg(pl.len().alias("n"), (pl.col("y").last() - pl.col("y").first()).alias("change"))
    assert observed["y", "mean change, first to last"] == pytest.approx(ends.filter(pl.col("n") > 1)["change"].mean())
    w = frame.join(frame.group_by("person").agg(pl.col("w").mean().alias("mw")), on="person")
    before = w.select("person", session=pl.col("session") + 1, before=pl.col("w") - pl.col("mw"))
    pairs = both.join(before, on=["person", "session"])
    a, b = pairs["d"].to_numpy(), pairs["before"].to_numpy()
    assert observed["y", "correlation within with w before"] == pytest.approx((a @ b) / np.sqrt((a @ a) * (b @ b)))


def test_what_the_model_made_is_not_odd() -> None:
    """19 statistics, p outside .005 to .995 is once in a hundred for each at most; the seed is fixed."""
    found = checked(drawn())
    assert not found.findings, found
    assert "look like the scores" in str(found)
    assert len(found.checks) == 19


def test_p_is_spread_over_its_range() -> None:
    """Posterior predictive p of data of the model: none near the ends over 6 studies, and not all in the middle."""
    p = np.array([[c.p for c in checked(drawn(seed)).checks] for seed in range(20, 26)])
    assert ((p < 0.005) | (p > 0.995)).sum() <= 3
    assert p.min() < 0.25 < 0.75 < p.max()


def test_a_ceiling_is_said() -> None:
    table = drawn().to_frame().with_columns(w=pl.col("w").clip(upper_bound=4.8))
    found = checked(sw.Panel(table, person="person", session="session"))
    codes = {(f.code, f.column) for f in found.findings}
    assert ("predictive-check", "w") in codes
    assert "skewness" in str(found.findings)
    assert "ceiling" in " ".join(f.what for f in found.findings) or "goes on where the scores end" in str(found)
    assert "(!)" in str(found)


def test_a_course_that_the_model_leaves_out_is_said() -> None:
    table = drawn().to_frame().with_columns(y=pl.col("y") - 0.5 * pl.col("session"))
    panel = sw.Panel(table, person="person", session="session")
    assert any("first to last" in f.what for f in checked(panel).findings)
    free = sw.DSEM.reciprocal("y", "w", random="none")
    assert not any("first to last" in f.what for f in checked(panel, free).findings)


def test_same_seed_same_numbers() -> None:
    fit = fitted(MODEL)
    one, same, other = (fit.predictive_checks(gappy(), replicates=30, seed=s) for s in (1, 1, 2))
    assert one.checks == same.checks
    assert one.checks != other.checks
    assert one.to_dict()["replicates"] == 30
