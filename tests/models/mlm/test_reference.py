"""Multilevel fits against lme4 and nlme: stored results and the scripts that made them are in tests/reference/mlm.

Both programs stop when their own tolerance is met, so neither is the truth: what must hold is that our criterion is
theirs to 1e-6, or lower. Where it is, estimates agree to what a criterion that flat allows.
"""

from __future__ import annotations

import numpy as np
import pytest

import sessionwise as sw
from helpers.lme4 import CASES, fitted, panel, table

CRITERION = 1e-6  # absolute; a program's own criterion may be higher by more
FIXED = 1e-5  # relative to the larger of the coefficient and its standard error
ERRORS = 1e-4  # relative
COVARIANCES = 1e-3  # relative to the larger of the entry and the product of standard deviations, or 1e-6 sigma^2


@pytest.fixture(params=list(CASES))
def case(request):
    return CASES[request.param]


def test_criterion_and_counts(case):
    fit = fitted(case["id"])
    assert fit.verdict.converged
    assert fit.deviance < case["criterion"] + CRITERION
    if fit.deviance < case["criterion"] - CRITERION:  # theirs stopped early: the same point must cost them as much
        pytest.fail(f"ours is lower by {case['criterion'] - fit.deviance:.2g}")
    assert fit.nobs == case["nobs"]
    assert fit.n_parameters == case["npar"]
    np.testing.assert_allclose(fit.loglik, case["loglik"], atol=CRITERION)
    np.testing.assert_allclose(fit.aic, case["aic"], atol=CRITERION)
    if case["program"] == "lme4":  # nlme's BIC for REML counts n - p
        np.testing.assert_allclose(fit.bic, case["bic"], atol=CRITERION)
        for group, n in case["groups"].items():
            assert fit.nclusters[renamed(group, fit)] == n


def test_coefficients_and_errors(case):
    fit = fitted(case["id"])
    assert len(case["fixef"]) == len(fit.terms)  # in one order, by names of their own ('SexMale', 'Sex[T.Male]')
    beta, theirs = np.array(list(fit.fixef.values())), np.array(list(case["fixef"].values()))
    se = np.array(list(case["se"].values()))
    vcov = np.array(case["vcov"])
    if case["program"] == "nlme" and case["method"] == "ML" and not fit.varcorr:  # gls divides by n - p also for ML
        se, vcov = se * np.sqrt(1 - len(se) / fit.nobs), vcov * (1 - len(se) / fit.nobs)
    assert np.abs((beta - theirs) / np.maximum(np.abs(theirs), se)).max() < FIXED
    np.testing.assert_allclose(list(fit.se.values()), se, rtol=ERRORS)
    assert np.abs((fit.vcov - vcov) / np.outer(se, se)).max() < 2 * ERRORS


def test_covariances_and_residuals(case):
    fit = fitted(case["id"])
    sigma = case["sigma"]
    if "ratio" in case:  # relative to the stratum that nlme met first; ours to the first in order
        name = case["residuals"]["variance_by"]
        own = [label.removeprefix(f"{name}=") for label in fit.solution.problem.residual.labels]
        theirs = np.array([case["ratio"][label] for label in own])
        sigma *= theirs[0]
        ours = np.array([1.0, *(v for k, v in fit.residual.items() if k != "phi")])
        np.testing.assert_allclose(ours, theirs / theirs[0], rtol=COVARIANCES)
    np.testing.assert_allclose(fit.sigma, sigma, rtol=COVARIANCES)
    if "phi" in case:
        np.testing.assert_allclose(fit.residual["phi"], case["phi"], rtol=COVARIANCES)
    for group in dict.fromkeys(v["group"] for v in case.get("varcorr", [])):
        blocks = [np.atleast_2d(v["covariance"]) for v in case["varcorr"] if v["group"] == group]
        theirs = np.zeros((0, 0))
        for block in blocks:
            theirs = np.block(
                [[theirs, np.zeros((len(theirs), len(block)))], [np.zeros((len(block), len(theirs))), block]]
            )
        ours = fit.varcorr[renamed(group, fit)].cov
        sd = np.sqrt(theirs.diagonal())
        # a variance is as exact as its criterion is flat: where it is zero only absolutely, in units of sigma
        floor = 1e-6 * sigma**2 * np.outer(scales(fit, group), scales(fit, group))
        assert (np.abs(ours - theirs) <= COVARIANCES * np.outer(sd, sd) + floor).all(), (ours, theirs)


def renamed(group: str, fit: sw.MLMFit) -> str:
    """lme4 writes nested groups the other way round."""
    return group if group in fit.varcorr else ":".join(reversed(group.split(":")))


def scales(fit: sw.MLMFit, group: str) -> np.ndarray:
    """What a unit of the scaled column is in units of each effect."""
    pairs = zip(fit.solution.problem.blocks, fit.solution.problem.transform.blocks, strict=True)
    return np.concatenate([np.abs(c).max(axis=1) for b, c in pairs if b.group == renamed(group, fit)])


RANEF = 2e-4  # relative to the largest effect of its column


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if "ranef" in case])
def test_random_effects(name):
    case, fit = CASES[name], fitted(name)
    for group, stored in case["ranef"].items():
        found = fit.effects[renamed(group, fit)]
        labels = [str(label) for label in found.labels.tolist()]
        names = [x if renamed(group, fit) == group else ":".join(reversed(x.split(":"))) for x in stored["levels"]]
        at = [labels.index(name) for name in names]
        mode, sd = np.array(stored["mode"]), np.array(stored["sd"])
        size = np.maximum(np.abs(mode).max(axis=0), sd.max(axis=0))
        floor = 1e-4 * fit.sigma * scales(fit, group)
        assert (np.abs(found.values[at] - mode) <= RANEF * size + floor).all()
        ours = np.sqrt(np.einsum("nii->ni", found.covariance[at]))
        assert (np.abs(ours - sd) <= RANEF * sd + floor).all()


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if "fitted" in case])
def test_fitted_values(name):
    case, fit = CASES[name], fitted(name)
    roles, ours = case["roles"], fit.fitted(panel(case))
    frame = table(case["data"]).with_row_index("row_").sort(roles["person"], roles["session"])
    rows = [frame["row_"].to_list().index(i) for i in range(len(case["fitted"]))]
    np.testing.assert_allclose(ours[rows], case["fitted"], rtol=1e-5, atol=1e-4 * fit.sigma)
