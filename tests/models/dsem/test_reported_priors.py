"""Priors as they are reported: those that the sampler is given, in the data's units."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import sessionwise as sw
from helpers import demo
from sessionwise.models.dsem.data import scaled
from sessionwise.models.dsem.estimate import _is_random, _structure
from sessionwise.models.dsem.priors import priors
from sessionwise.models.dsem.reported_priors import ReportedPrior, reported_priors

MODELS = [
    sw.DSEM.reciprocal("core_om", "wai_sr", trend="linear", random="all", between="~ pd", effect_sd=0.2),
    sw.DSEM(
        ("core_om ~ lag(core_om) + lag(wai_sr)", "wai_sr ~ lag(wai_sr) + core_om"), variances="random", course=None
    ),
    sw.DSEM(("core_om ~ lag(core_om) + age",), random="none", course=None),
]


@pytest.mark.parametrize("model", MODELS, ids=["all random", "random variances", "a covariate"])
def test_they_are_those_of_the_sampler(model: sw.DSEM) -> None:
    panel = demo.scored(60)
    panel = panel.with_columns({"age": panel["age"] + np.arange(len(panel)) % 3})
    fit = model.fit(panel, size=10, most=100, chains=2)
    found = reported_priors(fit.model, fit.effects, fit.reported)
    data = scaled(model, model.paths, panel)
    structure = _structure(
        model, model.paths, tuple(_is_random(model, p, model.paths) for p in model.paths.paths), data
    )
    given = priors(model.priors, structure, model.effect_sd, np.full(structure.variables, np.inf))
    for name, unit, scale in zip(fit.effects.names, fit.effects.units, given.omega.scale, strict=True):
        assert found[f"sd({name})"] == ReportedPrior("half-t", float(scale * unit))
        assert name not in found or found[name].flat
    sd = fit.within_sd | ({"age": float(data.covariate_sd[0])} if "age" in model.paths.covariates else {})
    for path in fit.effects.common:
        assert found[path.name].family == "normal"
        assert found[path.name].scale == pytest.approx(sd[path.response] / sd[path.predictor])
    if model.between != "~ 1":
        assert found["core_om | pd"].flat


@pytest.mark.parametrize(
    ("prior", "same"),
    [
        (ReportedPrior("normal", 2.5), stats.norm(0, 2.5)),
        (ReportedPrior("uniform", 1.0), stats.uniform(-1, 2)),
    ],
)
def test_densities_and_quantiles(prior: ReportedPrior, same: object) -> None:
    x = np.linspace(-3, 3, 13)
    np.testing.assert_allclose(prior.density(x), same.pdf(x), rtol=1e-12)
    for p in (0.1, 0.25, 0.5, 0.9):
        assert prior.quantile(p) == pytest.approx(same.ppf(p))


def test_half_t() -> None:
    prior, x = ReportedPrior("half-t", 0.7), np.linspace(-1, 5, 25)
    np.testing.assert_allclose(prior.density(x), np.where(x >= 0, 2 * stats.t(2, scale=0.7).pdf(x), 0), rtol=1e-12)
    for p in (0.1, 0.25, 0.5, 0.9):
        assert prior.quantile(p) == pytest.approx(stats.t(2, scale=0.7).ppf((1 + p) / 2))


def test_a_prior_of_ones_own_is_told_as_it_was_given() -> None:
    own = {"core_om ~ lag(wai_sr)": (-1.0, 0.5), "sd(core_om ~ lag(wai_sr))": 0.7, "core_om ~ lag(core_om)": (0.2, 0.1)}
    model = sw.DSEM.reciprocal("core_om", "wai_sr", course=None, priors=own)
    fit = model.fit(demo.scored(60), size=10, most=100, chains=2)
    found = reported_priors(fit.model, fit.effects, fit.reported)
    told = found["core_om ~ lag(wai_sr)"]
    assert told == ReportedPrior("normal", 0.5, -1.0)
    np.testing.assert_allclose(told.quantile(0.975), stats.norm(-1, 0.5).ppf(0.975))
    np.testing.assert_allclose(told.density(np.array([-1.3, 0.0])), stats.norm(-1, 0.5).pdf([-1.3, 0.0]))
    assert found["sd(core_om ~ lag(wai_sr))"] == ReportedPrior("half-t", 0.7)
    assert found["core_om ~ lag(core_om)"] == ReportedPrior("normal", 0.1, 0.2)
    assert found["sd(wai_sr ~ lag(core_om))"].family == "half-t"  # what is not named keeps the weak one
    assert sw.plot.prior_posterior(fit, ["core_om ~ lag(wai_sr)"]) is not None
