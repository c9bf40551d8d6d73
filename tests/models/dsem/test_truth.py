"""Demo studies made anew from stated truths, scored from items: bias and coverage of both effects."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import sessionwise as sw
from sessionwise.datasets import Truth

TRUTHS = {
    "as the demo": Truth(),
    "no effect": Truth(b0=0.0, b_pd=0.0, c=0.0),
    "the other way round": Truth(b0=1.0, b_pd=0.5, c=0.03),
    "persons differ": Truth(sd_b=1.5),
    "no ruptures": Truth(rupture_rate=0.0),
    "few sessions": Truth(planned_min=2, planned_extra=2.0, planned_max=8),
    "unreliable": Truth(core_noise=1.0, wai_noise=0.9),
}


def studied(truth: Truth, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(2,) what is true, (2, 3) estimate, low, high: of alliance on symptoms, of symptoms on alliance."""
    table = sw.datasets.demo(seed, 150, truth=truth)
    panel = sw.score(sw.Panel(table, person="patient", session="session"), "core-om", "wai-sr")
    model = sw.DSEM.reciprocal("core_om", "wai_sr", error="items", treatment_length=True)
    effects = {e.outcome: e for e in model.fit(panel, seed=seed, size=200, most=10_000).lagged_effects()}
    pd = float(np.mean([panel["pd"][panel.codes == i][0] for i in range(panel.n_persons)]))
    found = [(e.estimate, e.low, e.high) for e in (effects["core_om"], effects["wai_sr"])]
    return np.array([truth.b0 + truth.b_pd * pd, truth.c]), np.array(found)


@pytest.mark.parametrize(
    ("name", "studies"),
    [("as the demo", 4), *(pytest.param(name, 24, marks=pytest.mark.slow) for name in TRUTHS)],
)
def test_both_effects_are_found(name: str, studies: int) -> None:
    """Bias beside 5 % of the effect or .05 of its error, and 3.5 errors of the mean; coverage, the binomial's .001.

    The error of an estimate is told by its interval: that of four estimates says little."""
    drawn = [studied(TRUTHS[name], 3000 + i) for i in range(studies)]
    true, found = np.array([t for t, _ in drawn]), np.array([f for _, f in drawn])
    bias = (found[:, :, 0] - true).mean(axis=0)
    error = np.sqrt((((found[:, :, 2] - found[:, :, 1]) / 3.92) ** 2).mean(axis=0))
    allowed = np.maximum(0.05 * np.abs(true.mean(axis=0)), 0.05 * error)
    assert np.all(np.abs(bias) < allowed + 3.5 * error / np.sqrt(studies))
    covers = ((found[:, :, 1] <= true) & (true <= found[:, :, 2])).sum(axis=0)
    assert np.all(covers >= stats.binom(studies, 0.95).ppf(0.001))
