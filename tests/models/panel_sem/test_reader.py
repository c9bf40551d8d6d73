"""What a careful reader found: scales, doubts and tests that must say what they are."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.optimize import minimize
from scipy.stats import chi2

import sessionwise as sw
from sessionwise.models.panel_sem.likelihood_ratio import _asked
from sessionwise.sem import evaluate

TRUTH = {
    "x ~ lag(x)": 0.3, "x ~ lag(y)": -0.15, "y ~ lag(x)": -0.1, "y ~ lag(y)": 0.3, "residual var(x)": 1.0,
    "residual cov(x, y)": -0.2, "residual var(y)": 1.0, "intercept var(x)": 1.5, "intercept cov(x, y)": 0.3,
    "intercept var(y)": 1.5, "mean(x)": 3.0, "mean(y)": 10.0,
}  # fmt: skip


def grouped(large: int = 500, small: int = 140) -> sw.Panel:
    """Two groups of different size and spread."""
    model = sw.RICLPM("x", "y", waves=4)
    tables = []
    for i, (n, k) in enumerate(((large, 1.0), (small, 2.0))):
        one = model.simulate(TRUTH, n, seed=i, skipped=0.1).to_frame()
        tables.append(one.with_columns(pl.col("person") + 10_000 * i, pl.col("x") * k, pl.lit("ab"[i]).alias("g")))
    return sw.Panel(pl.concat(tables), person="person", session="session")


def test_scaled_difference_of_one_group_and_several() -> None:
    """The factor is that of the same model written as a restriction of the larger one."""
    panel = grouped()
    many = sw.RICLPM("x", "y", waves=4, group="g", errors="robust").fit(panel)
    every = ("lag", "intercept", "first", "residual", "mean")
    written = sw.RICLPM("x", "y", waves=4, group="g", same=every, errors="robust").fit(panel)
    one = sw.RICLPM("x", "y", waves=4, errors="robust").fit(panel)
    expected, found = many.lrt(written), many.lrt(one)
    assert found.df == expected.df
    assert found.factor == pytest.approx(expected.factor, rel=1e-4)
    assert found.chi2 == pytest.approx(expected.chi2, rel=1e-4)


def test_a_test_without_a_value_answers_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    panel = grouped()
    small, large = (sw.RICLPM("x", "y", waves=4, lags=k, errors="robust").fit(panel) for k in ("equal", "free"))
    monkeypatch.setattr("sessionwise.models.panel_sem.likelihood_ratio._factor", lambda *_: -0.5)
    found = _asked(small, large, "Lags equal (smaller) or free (larger)")
    assert np.isnan(found.p)
    assert "speak" not in found.words
    assert "scaled test has no value" in found.words


def test_lags_of_groups_are_on_the_scale_of_each() -> None:
    panel = grouped()
    fit = sw.RICLPM("x", "y", waves=4, group="g", same=("lag",)).fit(panel)
    rows = {(r["outcome"], r["predictor"], r["wave"], r["group"]): r["estimate"] for r in fit.standardised().to_dicts()}
    within = {(r["wave"], r["group"]): r for r in fit.within().to_dicts()}
    for group in "ab":
        ratio = within[2, group]["sd x"] / within[3, group]["sd y"]
        assert rows["y", "x", 3, group] == pytest.approx(fit.estimates["y ~ lag(x)"] * ratio)
    drawn = sw.plot.path_diagram(fit, "b")
    arrow = next(a for a in drawn.arrows if (a.from_variable, a.to_variable, a.to_wave) == ("x", "y", "3"))
    assert arrow.standardised == pytest.approx(rows["y", "x", 3, "b"])
    assert sw.plot.alt_text(sw.plot.paths(fit, group="b"))


def test_simulation_keeps_the_sizes_of_groups_and_the_last_wave() -> None:
    fit = sw.RICLPM("x", "y", waves=4, group="g").fit(grouped())
    drawn = fit.simulate(seed=1)
    sizes = drawn.to_frame().unique("person").group_by("g").len().sort("g")["len"].to_list()
    assert sizes == [500, 140]
    model = sw.RICLPM("x", "y", waves=5, from_end=True)
    ends = {**TRUTH, "mean(x)": 0.0} | {f"mean(x) [{w}]": float(w) for w in range(-4, 1)}
    ends.pop("mean(x)")
    again = model.fit(model.simulate(ends, 800, seed=2, dropout=0.1, skipped=0.1))
    assert again.estimates["mean(x) [0]"] == pytest.approx(0.0, abs=0.25)
    assert again.estimates["mean(x) [-3]"] == pytest.approx(-3.0, abs=0.25)


def test_covariates_are_no_means_of_the_variables() -> None:
    panel = grouped()
    with_z = panel.with_columns(
        {"z": np.where(panel.persons > 10_000, 1.0, 0.0)[panel.codes] + panel.persons[panel.codes] % 3}
    )
    fit = sw.RICLPM("x", "y", waves=4, group="g", covariates="z").fit(with_z)
    assert fit.same_over_groups(with_z, "mean").df == 8


def test_the_scale_of_indicators_is_that_of_the_factor() -> None:
    rng = np.random.default_rng(3)
    base = sw.RICLPM("x", "y", waves=4).simulate(TRUTH, 600, seed=9)
    items = {f"x{j}": base["x"] + rng.standard_normal(len(base)) for j in range(3)}
    fit = sw.RICLPM(tuple(items), "y", waves=4).fit(base.with_columns(items))
    effect = next(e for e in fit.lagged_effects() if (e.outcome, e.predictor) == ("y", "x0"))
    plain = next(
        e for e in sw.RICLPM("x", "y", waves=4).fit(base).lagged_effects() if (e.outcome, e.predictor) == ("y", "x")
    )
    assert effect.scale == pytest.approx(plain.scale, rel=0.06)
    assert "(3 indicators)" in fit.title


def test_descriptions_can_be_hashed_and_say_what_is_wrong() -> None:
    given = sw.RICLPM("x", "y", waves=[1, 2, 3], covariates=["z"], same=None)
    assert hash(given) == hash(sw.RICLPM("x", "y", waves=(1, 2, 3), covariates=("z",)))
    with pytest.raises(sw.ModelError, match="y is None"):
        sw.RICLPM("x", None)  # type: ignore[arg-type]
    fit = sw.RICLPM("x", "y", waves=4).fit(grouped())
    with pytest.raises(sw.ModelError, match="int is no fit of a panel model"):
        fit.lrt(3)  # type: ignore[arg-type]
    with pytest.raises(sw.ModelError, match="no parameter of this kind"):
        sw.CLPM("x", "y", waves=4, group="g", same="intercept").fit(grouped())


def test_tables_of_several_fits_can_be_put_together() -> None:
    panel = grouped()
    fits = [sw.RICLPM("x", "y", waves=4, lags=k, group=g).fit(panel) for k, g in (("equal", None), ("free", "g"))]
    assert len(pl.concat([f.lags() for f in fits])) == 4 + 24
    assert np.isnan(fits[0].p["intercept var(x)"])


def test_lag_tests_are_likelihood_ratio_tests() -> None:
    """The same falls as SciPy finds by minimising over all other parameters with the lag held at zero."""
    panel = sw.RICLPM("x", "y", waves=4).simulate(TRUTH, 300, seed=4, skipped=0.1)
    for fit in (
        sw.RICLPM("x", "y", waves=4).fit(panel),
        sw.RICLPM("x", "y", waves=4, lags="free", errors="robust").fit(panel),
        sw.DPM("y ~ lag(y) + lag(y, 2) + pre(lag(x))", waves=4).fit(panel),
    ):
        t = fit.lag_tests()
        assert t["predictor"].to_list() == fit.lags()["predictor"].to_list()
        place = next(i for i, p in enumerate(fit.parameters) if p in fit.lag_parameters and p.outcome != p.predictor)
        expected = _held_at_zero(fit, place) - fit.solution.optimum.criterion
        at = fit.lag_parameters.index(fit.parameters[place])
        assert t["chi2"][at] == pytest.approx(expected, abs=1e-4)  # SciPy's BFGS ends at gradients of 1e-4
        assert t["p"][at] == pytest.approx(chi2.sf(t["chi2"][at], 1))


def _held_at_zero(fit: sw.SEMFit, place: int) -> float:
    """-2 log-likelihood in standard units, minimised over all parameters but one."""
    groups, rest = fit.solution.groups, np.arange(len(fit.parameters)) != place

    def function(free: np.ndarray) -> tuple[float, np.ndarray]:
        theta = np.zeros(len(rest))
        theta[rest] = free
        try:
            here = evaluate(groups, theta)
        except np.linalg.LinAlgError:
            return np.inf, np.zeros(len(free))
        return here.criterion, here.gradient[rest]

    found = minimize(function, fit.solution.optimum.theta[rest], jac=True, method="BFGS", options={"gtol": 1e-4})
    return float(found.fun)
