"""The multilevel model as its users meet it: what a fit gives, predictions, questions, errors."""

from __future__ import annotations

import json
import math
import pickle

import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from helpers import demo
from helpers.dense import covariance
from helpers.multilevel import fitted
from helpers.sessions import nested
from sessionwise.models import MLM

FORMULA = "y ~ x + s + (1 + x | p)"


def table(seed: int = 3, persons: int = 40) -> pl.DataFrame:
    return nested(seed, persons, attended=0.8)


@pytest.fixture(scope="module")
def panel() -> sw.Panel:
    return sw.Panel(table(), person="p", session="s", cluster="g", time="t")


@pytest.fixture(scope="module")
def fit(panel):
    return MLM(FORMULA).fit(panel)


# --- what a fit gives ---------------------------------------------------------------------------


def test_names_and_numbers_go_together(fit, panel):
    assert list(fit.fixef) == ["(Intercept)", "x", "s"] == list(fit.se) == list(fit.df) == list(fit.p)
    assert fit.varcorr["p"].terms == ("(Intercept)", "x")
    np.testing.assert_allclose(fit.varcorr["p"].sd ** 2, fit.varcorr["p"].cov.diagonal())
    assert fit.varcorr["p"].estimated.all()
    assert fit.n_parameters == 7
    np.testing.assert_allclose(fit.aic, fit.deviance + 14)
    np.testing.assert_allclose(fit.bic, fit.deviance + 7 * math.log(fit.nobs))
    assert (fit.nobs, fit.npersons, fit.nclusters) == (len(panel), panel.n_persons, {"p": panel.n_persons})
    assert fit.residual == {}


def test_uncorrelated_terms_have_no_covariance(panel):
    v = MLM("y ~ x + (1 + x || p)").fit(panel).varcorr["p"]
    assert v.cov[0, 1] == 0
    assert not v.estimated[0, 1]
    two = MLM("y ~ x + (1 | p) + (0 + x | p)").fit(panel).varcorr["p"]
    np.testing.assert_allclose(two.cov, v.cov, rtol=1e-5)


def test_tables_are_of_the_kind_that_came_in():
    pandas = sw.Panel(table().to_pandas(), person="p", session="s")
    fit = MLM(FORMULA).fit(pandas)
    tidy = fit.tidy()
    assert type(tidy).__module__.startswith("pandas")
    assert tidy["term"].tolist() == ["(Intercept)", "x", "s"]
    assert type(fit.ranef()).__module__.startswith("pandas")


def test_print_html_json(fit):
    text = str(fit)
    assert text.splitlines()[0].startswith("Multilevel model (REML): ")
    assert "Converged." in text
    assert max(map(len, text.splitlines())) <= 80
    assert "<table>" in fit._repr_html_()
    told = json.loads(json.dumps(fit.to_dict(), allow_nan=False))
    assert told["fixef"]["x"] == pytest.approx(fit.fixef["x"])
    assert told["varcorr"]["p"]["terms"] == ["(Intercept)", "x"]
    assert set(told["verdict"]) == {"converged", "admissible", "message", "remedy", "state"}
    for key in ("se", "df", "p", "sigma", "deviance", "loglik", "aic", "bic", "nobs", "npersons", "nclusters"):
        assert key in told


def test_a_fit_can_be_pickled_and_holds_no_session_row(fit):
    again = pickle.loads(pickle.dumps(fit))
    assert again.deviance == fit.deviance
    np.testing.assert_array_equal(again.vcov, fit.vcov)
    # What goes row by row are two arrays of the residuals' structure, empty of data where residuals are independent.
    rows = [a for a in _arrays(fit) if fit.nobs in a.shape]
    assert all(np.isnan(a).all() or not a.any() for a in rows)


def _arrays(thing, seen=None):
    """Every array reachable from a frozen record."""
    seen = set() if seen is None else seen
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, np.ndarray):
        yield thing
    elif isinstance(thing, dict):
        for value in thing.values():
            yield from _arrays(value, seen)
    elif isinstance(thing, tuple | list):
        for value in thing:
            yield from _arrays(value, seen)
    elif hasattr(thing, "__dataclass_fields__"):
        for name in thing.__dataclass_fields__:
            yield from _arrays(getattr(thing, name), seen)


def test_singular_fit_says_what_is_zero():
    rng = np.random.default_rng(1)
    data = table().with_columns(pl.Series("y", rng.standard_normal(len(table()))))
    fit = MLM("y ~ x + (1 + x || p)").fit(sw.Panel(data, person="p", session="s"))
    assert fit.verdict.converged
    zero = [t for t, sd in zip(fit.varcorr["p"].terms, fit.varcorr["p"].sd, strict=True) if sd == 0]
    assert zero
    assert all(name in fit.verdict.message for name in zero)
    assert "Leave out" in fit.verdict.remedy
    assert not fit.findings.warnings


def test_without_random_terms_it_is_least_squares(panel):
    fit = MLM("y ~ x + s").fit(panel)
    x = np.column_stack([np.ones(len(panel)), panel["x"], panel["s"]])
    beta, rss = np.linalg.lstsq(x, panel["y"], rcond=None)[:2]
    np.testing.assert_allclose(list(fit.fixef.values()), beta, rtol=1e-9)
    np.testing.assert_allclose(fit.sigma**2, rss[0] / (len(panel) - 3), rtol=1e-9)
    np.testing.assert_allclose(list(fit.df.values()), len(panel) - 3)
    assert fit.varcorr == {}
    assert "Converged" in str(fit)


# --- single sessions ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options", [{}, {"residual": "ar1", "variance_by": "b"}, {"residual": "car1"}, {"variance_by": "b"}]
)
def test_forecast_is_the_normal_theory_prediction(panel, options):
    """Each row given the person's earlier rows, by the covariance matrix of the person's sessions."""
    f = fitted(table(), FORMULA, **options)
    found, s, x, y = f.fit.forecast(panel), f.solution, f.x, f.y
    whole = covariance(f.design, s, f.at)
    for a, b in zip(f.design.starts[:-1], f.design.starts[1:], strict=True):
        r = np.arange(a, b)
        v = whole[np.ix_(r, r)]
        for t, now in enumerate(r):
            k = np.linalg.solve(v[:t, :t], v[:t, t]) if t else np.zeros(0)
            mean = x[now] @ s.beta + k @ (y[r[:t]] - x[r[:t]] @ s.beta)
            apart_x = x[now] - x[r[:t]].T @ k
            variance = v[t, t] - k @ v[:t, t] + apart_x @ s.vcov @ apart_x
            np.testing.assert_allclose(found["prediction"][int(now)], mean, rtol=1e-9)
            np.testing.assert_allclose(found["sd"][int(now)], math.sqrt(variance), rtol=1e-9)


def test_forecast_of_persons_who_were_not_in_the_fit(panel):
    here = panel.subset(panel.persons[:27])
    there = panel.subset(panel.persons[27:])  # of other therapists
    fit = MLM("y ~ x + s + (1 + x | p) + (1 | g)").fit(here)
    found = fit.forecast(there)
    assert found["prediction"].is_not_nan().all()
    first = there.starts[:-1]
    population = fit.predict(there, "population")
    np.testing.assert_allclose(found["prediction"].to_numpy()[first], population[first])
    # later sessions are nearer to what was observed than the population's mean is
    later = np.setdiff1d(np.arange(len(there)), first)
    error = np.abs(there["y"] - found["prediction"].to_numpy())[later].mean()
    assert error < np.abs(there["y"] - population)[later].mean()


def test_forecast_where_the_response_is_missing(panel):
    fit = MLM(FORMULA).fit(panel)
    y = panel["y"].copy()
    y[3] = np.nan
    gap = panel.with_columns({"y": y})
    found = fit.forecast(gap)["prediction"].to_numpy()
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found[:4], fit.forecast(panel)["prediction"].to_numpy()[:4])


def test_fitted_plus_residuals_is_the_response(fit, panel):
    np.testing.assert_allclose(fit.fitted(panel) + fit.residuals(panel), panel["y"])
    np.testing.assert_allclose(fit.predict(panel), fit.fitted(panel))


def test_unseen_levels_get_no_effect(fit, panel):
    data = table().with_columns(pl.col("p") + 1000)
    new = sw.Panel(data, person="p", session="s")
    np.testing.assert_allclose(fit.predict(new), fit.predict(new, "population"))


def test_a_category_that_was_not_there_is_refused(panel):
    fit = MLM("y ~ arm + (1 | p)").fit(panel)
    data = table().with_columns(pl.lit("d").alias("arm"))
    with pytest.raises(sw.DesignError, match="not there when the design was made"):
        fit.predict(sw.Panel(data, person="p", session="s"))


def test_kinds_of_prediction(fit, panel):
    with pytest.raises(sw.ModelError, match="kind"):
        fit.predict(panel, "persons")
    with pytest.raises(sw.ModelError, match="next"):
        fit.forecast(panel, "person")


# --- simulation ---------------------------------------------------------------------------------


def test_simulating_gives_the_parameters_back():
    """In the mean over draws: within 4 Monte Carlo errors of the truth."""
    panel = sw.Panel(table(persons=60), person="p", session="s", cluster="g", time="t")
    model = MLM("y ~ x + (1 + x | p) + (1 | g)", residual="ar1", variance_by="b")
    truth = {
        "fixef": {"(Intercept)": 3.0, "x": -0.5},
        "varcorr": {"p": [[1.0, 0.2], [0.2, 0.5]], "g": [[0.4]]},
        "sigma": 1.5,
        "residual": {"phi": 0.3, "sd ratio b=1": 1.4},
    }
    fits = [model.fit(model.simulate(panel, **truth, seed=seed)) for seed in range(25)]
    slopes = np.array([f.fixef["x"] for f in fits])
    assert abs(slopes.mean() + 0.5) < 4 * slopes.std(ddof=1) / 5
    ratios = np.log([f.residual["sd ratio b=1"] for f in fits])
    assert abs(ratios.mean() - math.log(1.4)) < 4 * ratios.std(ddof=1) / 5


def test_simulating_is_repeatable_and_needs_no_response(panel):
    model = MLM("new ~ x + (1 | p)")
    options = {"fixef": {"(Intercept)": 0, "x": 1}, "varcorr": {"p": 1.0}, "sigma": 1.0}
    one, two = (model.simulate(panel, **options, seed=5) for _ in range(2))
    np.testing.assert_array_equal(one["new"], two["new"])
    assert not np.array_equal(one["new"], model.simulate(panel, **options, seed=6)["new"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"fixef": {"x": 1}}, "without a value"),
        ({"fixef": {"(Intercept)": 0, "x": 1, "xx": 1}}, "Did you mean"),
        ({"varcorr": {"q": 1.0}}, "covariances"),
        ({"varcorr": {"p": -1.0}}, "does not fit"),
        ({"sigma": 0.0}, "sigma"),
        ({"residual": {"phi": 0.3}}, "phi"),
    ],
)
def test_impossible_parameters(panel, change, said):
    good = {"fixef": {"(Intercept)": 0, "x": 1}, "varcorr": {"p": 1.0}, "sigma": 1.0, "seed": 1}
    with pytest.raises(sw.ModelError, match=said):
        MLM("y ~ x + (1 | p)").simulate(panel, **(good | change))


def test_fit_simulate(fit, panel):
    new = fit.simulate(panel, seed=2)
    assert not np.array_equal(new["y"], panel["y"])
    np.testing.assert_array_equal(new["y"], fit.simulate(panel, seed=2)["y"])
    with pytest.raises(sw.ModelError, match="was fitted to"):
        fit.simulate(panel.subset(panel.persons[:10]), seed=2)


# --- questions ----------------------------------------------------------------------------------


def test_slopes_at_values_of_a_moderator(panel):
    fit = MLM("y ~ x * pd + (1 | p)").fit(panel)
    slopes = fit.slopes("x")
    assert slopes["pd"].to_list() == [0, 1]
    np.testing.assert_allclose(slopes["estimate"], [fit.fixef["x"], fit.fixef["x"] + fit.fixef["x:pd"]])
    v = fit.vcov
    np.testing.assert_allclose(slopes["se"][1] ** 2, v[1, 1] + v[3, 3] + 2 * v[1, 3])
    np.testing.assert_allclose(fit.slopes("x", at={"pd": [0.5]})["estimate"], fit.fixef["x"] + 0.5 * fit.fixef["x:pd"])


def test_slopes_by_category_are_those_of_separate_coding(panel):
    one = MLM("y ~ x * arm + (1 | p)").fit(panel)
    other = MLM("y ~ 0 + arm + arm:x + (1 | p)").fit(panel)
    slopes = one.slopes("x")
    assert slopes["arm"].to_list() == ["a", "b", "c"]
    names = [n for n in other.terms if n.endswith(":x")]
    np.testing.assert_allclose(slopes["estimate"], [other.fixef[n] for n in names], rtol=1e-6)
    np.testing.assert_allclose(slopes["se"], [other.se[n] for n in names], rtol=1e-6)


def test_slopes_around_the_mean(panel):
    fit = MLM("y ~ x * s + (1 | p)").fit(panel)
    at = fit.slopes("x")["s"].to_numpy()
    s = panel["s"]
    np.testing.assert_allclose(at, [s.mean() - s.std(), s.mean(), s.mean() + s.std()])


def test_contrast_and_joint(panel):
    fit = MLM("y ~ x * arm + (1 | p)").fit(panel)
    found = fit.contrast({"b - c": {"arm[T.b]": 1, "arm[T.c]": -1}, "b": {"arm[T.b]": 1}})
    np.testing.assert_allclose(found["estimate"][0], fit.fixef["arm[T.b]"] - fit.fixef["arm[T.c]"])
    assert found["contrast"].to_list() == ["b - c", "b"]
    joint = fit.joint(["x:arm[T.b]", "x:arm[T.c]"])
    assert joint.df1 == 2
    single = fit.joint("x")
    np.testing.assert_allclose(single.f, fit.tests.statistic[1] ** 2)
    with pytest.raises(sw.ModelError, match="Did you mean"):
        fit.contrast({"arm[T.B]": 1})


def test_confint_methods(fit, panel):
    wald = fit.confint()
    np.testing.assert_allclose(wald["low"], fit.tests.low)
    profile = fit.confint("profile", which=["x"])
    assert profile["low"][0] < fit.fixef["x"] < profile["high"][0]
    np.testing.assert_allclose(profile["high"] - profile["low"], (wald["high"] - wald["low"])[1], rtol=0.1)
    with pytest.raises(sw.ModelError, match="panel=panel"):
        fit.confint("bootstrap")
    with pytest.raises(sw.ModelError, match="method"):
        fit.confint("profiles")


def test_lrt_in_either_order(panel):
    small, large = (MLM(f, "ML").fit(panel) for f in ("y ~ x + (1 | p)", "y ~ x + (1 + x | p)"))
    one, two = small.lrt(large), large.lrt(small)
    assert one.chi2 == two.chi2 == pytest.approx(small.deviance - large.deviance)
    assert one.df == 2
    assert one.p < one.p_naive


def test_robust_by_a_column_of_the_panel(panel):
    fit = MLM("y ~ x + pd + (1 | p)").fit(panel)
    by_g = fit.robust(panel, by="g")
    assert by_g["term"].to_list() == list(fit.terms)
    assert (by_g["df"].to_numpy() < 12).all()
    data = table().with_columns(pl.when(pl.col("p") < 4).then(None).otherwise(pl.col("g")).alias("h"))
    with pytest.raises(sw.ModelError, match="missing"):
        fit.robust(sw.Panel(data, person="p", session="s"), by="h")


# --- what is refused, and how -------------------------------------------------------------------


def refused(match, formula, data=None, error=sw.SessionwiseError, roles=None, **options):
    data = table() if data is None else data
    with pytest.raises(error, match=match) as caught:
        MLM(formula, **options).fit(sw.Panel(data, person="p", session="s", **(roles or {})))
    assert caught.value.remedy
    return caught.value


def test_bad_input():
    assert "'x'" in str(refused("no column 'xx'", "y ~ xx + (1 | p)"))
    refused("no function", "y ~ whithin(x) + (1 | p)")
    refused("one level only", "y ~ x + (1 | one)", table().with_columns(pl.lit(1).alias("one")))
    refused("as many as there are rows", "y ~ x + (1 | row)", table().with_row_index("row"))
    refused("in every row used", "y ~ x + (1 | p)", table().with_columns(pl.lit(2.0).alias("y")))
    infinite = table().with_columns(pl.when(pl.col("x") > 1).then(math.inf).otherwise(pl.col("x")).alias("x"))
    refused("infinite", "y ~ x + (1 | p)", infinite)
    refused("every person has one", "y ~ lag(x) + (1 | g)", table().filter(pl.col("s") == 2))
    refused("perfectly", "y ~ z + (1 | p)", table().with_columns((2 * pl.col("y")).alias("z")))
    refused("several sessions", "y ~ x", table().filter(pl.col("s") == 2), residual="ar1")
    refused("time=", "y ~ x", residual="car1")
    refused("no column 'gg'", "y ~ x", variance_by="gg")
    refused("20 values", "y ~ x", variance_by="p")
    same_time = table().with_columns(pl.lit(1.0).alias("t"))
    refused("not later", "y ~ x", same_time, residual="car1", roles={"time": "t"})


@pytest.mark.parametrize("option", [{"method": "REMl"}, {"residual": "ar2"}])
def test_unknown_options_name_the_nearest(option):
    with pytest.raises(sw.ModelError, match="Did you mean"):
        MLM("y ~ x", **option)


def test_dependent_columns_are_left_out_and_named(panel):
    fit = MLM("y ~ x + I(2 * x) + (1 | p)").fit(panel)
    assert "I(2 * x)" not in fit.fixef
    assert any(f.code == "rank-deficient" for f in fit.findings)
    assert "left out" in str(fit)


def test_a_lagged_response_is_doubted(panel):
    fit = MLM("y ~ lag(y) + lag(within(x)) + (1 | p)").fit(panel)
    (doubt,) = [f for f in fit.findings if f.code == "lagged-response"]
    assert doubt.severity == "warning"
    assert "0.30 would come out as about" in doubt.what
    assert any(f.code == "lagged-response" for f in MLM("lead(y) ~ y + (1 | p)").fit(panel).findings)
    assert not any(f.code == "lagged-response" for f in MLM("y ~ lag(x) + (1 | p)").fit(panel).findings)


def test_ranef_needs_a_group_where_there_are_several(panel):
    fit = MLM("y ~ x + (1 | p) + (1 | g)").fit(panel)
    assert fit.ranef("g").columns == ["g", "(Intercept)", "se (Intercept)"]
    with pytest.raises(sw.ModelError, match="was named"):
        fit.ranef()
    with pytest.raises(sw.ModelError, match="Did you mean"):
        fit.ranef("G")


def test_a_slope_that_cannot_differ_is_not_called_converged():
    panel = demo.panel(demo.frame(120))
    fit = MLM("core_om ~ session + pd + (1 + pd | patient)").fit(panel)
    assert not fit.verdict.converged
    assert [f.code for f in fit.findings if f.severity == "warning"] == ["constant-slope"]
    assert "pd does not vary within patient" in str(fit).replace("\n", " ")
    assert MLM("core_om ~ session + pd + (1 + session | patient)").fit(panel).verdict.converged


def test_factors_that_divide_alike_and_two_sessions_with_ar1():
    twice = table().with_columns((pl.col("g") + 100).alias("h"))
    refused("in the same way", "y ~ x + (1 | g) + (1 | h)", twice)
    two = table().filter(pl.col("s") <= 2)
    refused("cannot be told from random effects", "y ~ x + (1 | p)", two, residual="ar1")
    MLM("y ~ x", residual="ar1").fit(sw.Panel(two, person="p", session="s"))


def test_phi_of_zero_in_continuous_time_is_a_result():
    """Residuals that alternate correlate negatively, which continuous time cannot: phi ends at its limit."""
    rng = np.random.default_rng(2)
    data = table(seed=11, persons=60)
    p, s = data["p"].to_numpy(), data["s"].to_numpy()
    y = rng.standard_normal(60)[p] + (-1.0) ** s * rng.standard_normal(60)[p] + 0.5 * rng.standard_normal(len(p))
    data = data.with_columns(pl.Series("y", y))
    panel = sw.Panel(data, person="p", session="s", time="t")
    fits = [MLM("y ~ x + (1 | p)", residual=kind).fit(panel) for kind in ("car1", "independent")]
    assert fits[0].verdict.converged
    assert fits[0].residual["phi"] < 1e-3
    np.testing.assert_allclose(fits[0].deviance, fits[1].deviance, atol=1e-6)
    assert "phi is estimated as zero" in fits[0].verdict.message


def test_means_given_for_the_fit_are_kept(panel):
    means = {"x": {p: (p % 5) / 2 for p in panel.persons.tolist()}}
    fit = MLM("y ~ within(x) + between(x) + (1 | p)").fit(panel, means=means)
    design = sw.design(panel, fit.model.formula, means=means)
    assert fit.deviance == pytest.approx(MLM(fit.model.formula).fit(panel, means=means).deviance)
    expected = design.matrix[:, list(design.fixed)] @ fit.solution.beta
    np.testing.assert_allclose(fit.predict(panel, "population"), expected)
    assert fit.robust(panel)["se"][2] == pytest.approx(fit.se["between(x)"], rel=0.5)
    other = {"x": dict.fromkeys(panel.persons.tolist(), 1.0)}
    assert not np.allclose(fit.predict(panel, "population", means=other), expected)


def test_a_forecast_does_not_look_ahead(panel):
    fit = MLM("y ~ within(x) + (1 | p)").fit(panel)
    with pytest.raises(sw.ModelError, match="cannot know the later ones"):
        fit.forecast(panel)
    known = {"x": dict.fromkeys(panel.persons.tolist(), 0.0)}
    early = sw.Panel(table().filter(pl.col("s") <= 3), person="p", session="s")
    whole = fit.forecast(panel, means=known).filter(pl.col("s") <= 3)
    np.testing.assert_allclose(fit.forecast(early, means=known)["prediction"], whole["prediction"])


def test_another_panel_is_not_taken_for_the_fits(fit, panel):
    other = panel.with_columns({"y": panel["y"] * 3})
    for ask in (fit.robust, fit.explained, lambda p: fit.simulate(p, seed=1)):
        with pytest.raises(sw.ModelError, match="other values of the response"):
            ask(other)


def test_slopes_refuse_what_is_not_one_slope(panel):
    with pytest.raises(sw.ModelError, match="neither has a slope of its own"):
        MLM("y ~ x * arm + log(s) + s + (1 | p)").fit(panel).slopes("log(s)")
    with pytest.raises(sw.ModelError, match="neither has a slope of its own"):
        MLM("y ~ x + within(x) + (1 | p)").fit(panel).slopes("within(x)")
    with pytest.raises(sw.ModelError, match="neither has a slope of its own"):
        MLM("y ~ x + I(x * s) + (1 | p)").fit(panel).slopes("x")
    MLM("y ~ x + lag(x) + (1 | p)").fit(panel).slopes("x")


def test_anova_tests_terms(panel):
    fit = MLM("y ~ x * arm + (1 | p)").fit(panel)
    found = fit.anova()
    assert found["term"].to_list() == ["x", "arm", "x:arm"]
    assert found["df1"].to_list() == [1, 2, 2]
    joint = fit.joint("x:arm", df="kenward-roger")
    assert fit.anova("kenward-roger")["f"][2] == pytest.approx(joint.f)


def test_what_a_table_cannot_say_is_warned_of(panel):
    data = table().filter(pl.col("g") < 3)
    few = sw.Panel(data, person="p", session="s", cluster="g")
    fit = MLM("y ~ x + (1 | p)").fit(few)
    with pytest.warns(sw.ModelWarning, match="cluster"):
        fit.robust(few, by="g")


@pytest.mark.parametrize("ask", ["forecast", "robust"])
def test_levels_are_shares(fit, panel, ask):
    with pytest.raises(sw.ModelError, match="level is 95"):
        getattr(fit, ask)(panel, level=95)


def test_which_parameters(fit, panel):
    assert fit.confint(which="x")["parameter"].to_list() == ["x"]
    assert fit.confint("profile", which="sigma")["parameter"].to_list() == ["sigma"]
    assert fit.confint("bootstrap", which=["x", "sigma"], panel=panel, n=5, seed=1)["parameter"].len() == 2
    with pytest.raises(sw.ModelError, match="no parameter"):
        fit.confint(which=["xx"])


def test_a_stratum_of_one_row_is_refused():
    data = table().with_columns(pl.when(pl.int_range(pl.len()) == 0).then(9).otherwise(pl.col("b")).alias("b"))
    refused("one row only", "y ~ x", data, variance_by="b")


def test_what_has_no_maximum_can_still_be_printed():
    """Two rows a stratum that the model can fit exactly: the likelihood grows without end, and the verdict says so."""
    rng = np.random.default_rng(4)
    p, s = np.repeat(np.arange(3), 3), np.tile(np.arange(3), 3)
    data = pl.DataFrame({"p": p, "s": s, "x": rng.standard_normal(9), "k": p, "y": rng.standard_normal(9)})
    fit = MLM("y ~ x + s + (1 | p)", "ML", variance_by="k").fit(sw.Panel(data, person="p", session="s"))
    assert str(fit).startswith("Multilevel model (ML)")
    json.dumps(fit.to_dict(), allow_nan=False)


# --- persons without a random term --------------------------------------------------------------


def independence(formula: str, panel: sw.Panel, **options: str) -> list[sw.Finding]:
    return [f for f in MLM(formula, **options).fit(panel).findings if f.code == "sessions-independent"]


def test_sessions_without_a_random_term_are_said_to_be_independent_and_the_formula_to_use(panel):
    (doubt,) = independence("y ~ x", panel)
    assert doubt.severity == "warning"
    assert doubt.count == (panel.sessions_per_person > 1).sum()
    assert doubt.remedy == "Give persons an intercept that varies, with the formula 'y ~ x + (1 | p)'."
    assert independence("y ~ x + (1 | p)", panel) == []


def test_the_remedy_names_persons_as_a_formula_does_and_a_shell_takes_it(panel):
    data = table().rename({"p": "Patient ID"})
    other = sw.Panel(data, person="Patient ID", session="s")
    (doubt,) = independence("y ~ x", other)
    assert doubt.remedy.endswith("'y ~ x + (1 | `Patient ID`)'.")
    assert doubt.remedy.for_command_line() == doubt.remedy
    formula = doubt.remedy.split("'")[1]
    assert independence(formula, other) == []
    assert MLM(formula).fit(other).se["x"] != MLM("y ~ x").fit(other).se["x"]


def test_a_random_term_of_something_larger_leaves_sessions_of_a_person_independent(panel):
    assert len(independence("y ~ x + (1 | g)", panel)) == 1
    assert independence("y ~ x + (0 + x | p)", panel) == []
    assert independence("y ~ x + (1 | p:e)", panel) == []
    assert independence("y ~ x + (1 | g) + (1 | p:e)", panel) == []


def test_correlated_residuals_and_single_sessions_are_not_warned_of(panel):
    assert independence("y ~ x", panel, residual="ar1") == []
    once = sw.Panel(table().group_by("p").first(), person="p", session="s")
    assert independence("y ~ x", once) == []
