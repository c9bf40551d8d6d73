"""RI-CLPM, CLPM and dynamic panel models against lavaan: tests/reference/sem has results, data and script.

Both look for the optimum of one likelihood. lavaan stops `distance` standard errors short of it (stored with each case:
1e-6 to 3e-5, and 6e-4 in `group_free`), and by no more than that may we differ, or little more.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import ncx2

import sessionwise as sw
from helpers import lavaan

CASES = lavaan.CASES

LIKELIHOOD = 1e-8  # absolute, of log-likelihood and chi-square, besides the square of lavaan's distance
INDICES = 2e-7  # absolute; lavaan solves for the interval of RMSEA to about 1e-7
NUMERIC = 2e-7  # estimates in standard errors, and errors relative, besides lavaan's distance
SCALED = 1e-6  # of factors and of indices made from them: functions of errors
STANDARDISED = 1e-6  # of a standard error; errors relative 1e-4, as both sides differentiate numerically


@pytest.fixture(params=list(CASES))
def case(request):
    return CASES[request.param]


def plain(case: dict) -> sw.SEMFit:
    return lavaan.fitted(case["id"], "observed" if case["information"] == "observed" else "auto")


def robust(case: dict) -> sw.SEMFit:
    return lavaan.fitted(case["id"], "robust")


def test_likelihood_and_chi_square(case):
    fit, ml = plain(case), case["ml"]
    assert fit.verdict
    assert fit.solution.errors == case["information"]
    slack = LIKELIHOOD + 5 * case["distance"] ** 2
    assert fit.loglik == pytest.approx(ml["logl"], abs=slack)
    assert fit.loglik > ml["logl"] - LIKELIHOOD  # nobody's is higher
    assert fit.chi2 == pytest.approx(ml["chisq"], abs=2 * slack)
    assert fit.chi2 == pytest.approx(2 * (ml["unrestricted.logl"] - fit.loglik), abs=2 * slack)
    assert (fit.df, fit.n_parameters, fit.npersons) == (ml["df"], ml["npar"], sum(case["nobs"]))
    assert fit.aic == pytest.approx(ml["aic"], abs=2 * slack)
    assert fit.bic == pytest.approx(ml["bic"], abs=2 * slack)
    if "patterns" in case:
        assert [len(d.count) for d in fit.solution.data] == case["patterns"]


def test_indices(case):
    found, ml = plain(case).indices, case["ml"]
    assert found is not None
    wanted = {
        "p": "pvalue", "cfi": "cfi", "tli": "tli", "rmsea": "rmsea", "rmsea_low": "rmsea.ci.lower",
        "rmsea_high": "rmsea.ci.upper", "p_close": "rmsea.pvalue", "srmr": "srmr",
    }  # fmt: skip
    slack = INDICES + case["distance"] / 50
    for ours, theirs in wanted.items():
        assert getattr(found, ours) == pytest.approx(ml[theirs], abs=slack), ours
    assert found.baseline_chi2 == pytest.approx(ml["baseline.chisq"], rel=1e-9)
    assert found.baseline_df == ml["baseline.df"]


def test_estimates_and_errors(case):
    slack = NUMERIC + 1.5 * case["distance"]  # a Newton step is not the whole way
    rows = lavaan.estimates(plain(case), case)
    assert {name for name, *_ in rows} == set(plain(case).terms)
    for name, value, se, theirs, their_se, _ in rows:
        assert value == pytest.approx(theirs, abs=slack * their_se), name
        assert se == pytest.approx(their_se, rel=slack), name
    for name, value, se, theirs, their_se, their_robust in lavaan.estimates(robust(case), case):
        assert value == pytest.approx(theirs, abs=slack * their_se), name
        assert se == pytest.approx(their_robust, rel=slack), name


def test_scaled(case):
    fit, mlr, slack = robust(case), case["mlr"], SCALED + case["distance"] / 5
    found = fit.scaled_indices
    assert found is not None
    assert fit.scaling_factor == pytest.approx(mlr["chisq.scaling.factor"], rel=slack)
    assert found.chi2 == pytest.approx(mlr["chisq.scaled"], rel=slack)
    assert found.baseline_chi2 == pytest.approx(mlr["baseline.chisq.scaled"], rel=slack)
    assert found.df == mlr["df.scaled"]
    for ours, theirs in {
        "p": "pvalue.scaled",
        "cfi": "cfi.scaled",
        "tli": "tli.scaled",
        "rmsea": "rmsea.scaled",
    }.items():
        assert getattr(found, ours) == pytest.approx(mlr[theirs], abs=slack), ours


def test_interval_of_the_scaled_rmsea(case):
    """Ours is that of the scaled chi-square with df degrees of freedom, as its p-value is. lavaan 0.6-14 takes the
    unscaled chi-square with df times the factor instead, which disagrees with its own p-value: both computed here."""
    fit, mlr, ml = robust(case), case["mlr"], case["ml"]
    found, n, groups = fit.scaled_indices, sum(case["nobs"]), len(case["nobs"])
    factor = mlr["chisq.scaling.factor"]

    def interval(x: float, df: float) -> list[float]:
        ends = []
        for tail in (0.95, 0.05):
            away = lambda lam, tail=tail: float(ncx2.cdf(x, df, lam)) - tail  # noqa: E731
            end = brentq(away, 1e-12, 10 * x, xtol=1e-12) if away(1e-12) > 0 else 0.0
            ends.append(np.sqrt(groups * end / (n * df)))
        return ends

    slack = SCALED + case["distance"] / 5
    theirs = [mlr["rmsea.ci.lower.scaled"], mlr["rmsea.ci.upper.scaled"]]
    assert interval(ml["chisq"], ml["df"] * factor) == pytest.approx(theirs, abs=slack)
    ours = [found.rmsea_low, found.rmsea_high]
    assert interval(ml["chisq"] / factor, ml["df"]) == pytest.approx(ours, abs=slack)
    close = ncx2.sf(ml["chisq"] / factor, ml["df"], 0.05**2 * n * ml["df"] / groups)
    assert found.p_close == pytest.approx(close, abs=slack)


@pytest.mark.parametrize("errors", ["plain", "robust"])
def test_standardised_lags_by_wave(case, errors):
    fit = plain(case) if errors == "plain" else robust(case)
    if not fit.model.has_within:
        with pytest.raises(sw.ModelError, match="no standardised lags"):
            fit.standardised()
        return
    names, p = lavaan.Names(case), case["parameters"]
    columns = ("lhs", "op", "rhs", "group", "std", "std_se", "std_se_robust")
    wanted = {}
    for lhs, op, rhs, group, std, se, se_robust in zip(*(p[c] for c in columns), strict=True):
        if op == "~" and lhs.startswith("w"):
            label = "ab"[group - 1] if case["settings"].get("group") else None
            (outcome, wave), (predictor, _) = names.node(lhs), names.node(rhs)
            wanted[outcome, predictor, wave, label] = std, se if errors == "plain" else se_robust
    t = fit.standardised()
    rows = {(r["outcome"], r["predictor"], r["wave"], r["group"]): r for r in t.to_dicts()}
    assert set(rows) == set(wanted)
    assert len(rows) == len(wanted) == len(t)
    slack = STANDARDISED + 2 * case["distance"]
    for key, (std, se) in wanted.items():
        assert rows[key]["estimate"] == pytest.approx(std, abs=slack * se)
        assert rows[key]["se"] == pytest.approx(se, rel=1e-4 + slack)


@pytest.mark.parametrize("test", lavaan.STORED["lrt"], ids=lambda t: f"{t['large']}-{t['small']}-{t['estimator']}")
def test_differences(test):
    fits = [CASES[test[size]] for size in ("large", "small")]
    large, small = (plain(c) if test["estimator"] == "ML" else robust(c) for c in fits)
    short = max(c["distance"] for c in fits)
    slack = LIKELIHOOD + 5 * short**2
    for found in (large.lrt(small), small.lrt(large)):
        assert (found.factor is None) == (test["estimator"] == "ML")
        tolerance = 2 * slack if test["estimator"] == "ML" else (SCALED + short / 5) * test["chisq_diff"]
        assert found.chi2 == pytest.approx(test["chisq_diff"], abs=tolerance)
        assert found.df == test["df_diff"]
        assert found.p == pytest.approx(test["p"], abs=SCALED + short / 5)


@pytest.mark.parametrize("name", ["covariate", "covariate_missing"])
def test_persons_with_covariates_only_are_left_out(name):
    """lavaan keeps three of them, who say nothing of x and y: with complete covariates chi-square and lags are the
    same, with missing ones they differ in the fourth digit."""
    case = CASES[name]
    public, all_of_them = lavaan.model(case, "auto").fit(lavaan.panel(case["data"])), plain(case)
    assert (public.npersons, all_of_them.npersons) == (397, 400)
    assert "3 persons with no value at these waves" in str(public.findings)
    slack = 1e-8 if name == "covariate" else 1e-3
    assert public.chi2 == pytest.approx(all_of_them.chi2, abs=slack)
    for i, p in enumerate(public.parameters):
        if p.kind == "lag":
            se = all_of_them.se[p.name]
            assert public.estimates[p.name] == pytest.approx(all_of_them.estimates[p.name], abs=slack * se)
            assert np.sqrt(public.vcov[i, i]) == pytest.approx(se, rel=slack)
