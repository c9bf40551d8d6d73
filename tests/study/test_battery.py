"""The headline over a battery of simulated studies in which what is true is known.

200 studies each, of 200 persons with 3 to 15 sessions, in none of which either score does anything to the other. A
share of p claims over 200 studies has a Monte Carlo error of sqrt(p (1 - p) / 200): 1.5 % at 5 %. What is checked is
that the claims seen are no more than a share that is stated would bring in 99 of 100 batteries (binomial).
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.stats import binom

import sessionwise as sw
from helpers.places import ROOT

if TYPE_CHECKING:
    from types import ModuleType

BATTERY = ROOT.parent / "shared" / "cases" / "truth" / "battery.py"
STUDIES = 200
#: Claims of an effect that is zero, in either direction, that are stated at most.
CLAIMS = {"null": 0.07, "exptrend": 0.07, "ceiling-null": 0.07, "ceiling-trend": 0.10, "dropout": 0.10}
CAUTION = 0.10


def battery() -> ModuleType:
    if not BATTERY.exists():
        pytest.skip("the battery of truths (shared/cases/truth/battery.py) is not beside the project")
    spec = importlib.util.spec_from_file_location("battery", BATTERY)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def most(share: float) -> int:
    """So many of the studies are not passed in 99 of 100 batteries where this is the share."""
    return int(binom.ppf(0.99, STUDIES, share))


@pytest.mark.slow
@pytest.mark.parametrize("scenario", CLAIMS)
def test_claims_of_an_effect_that_is_zero(scenario: str) -> None:
    gen = battery().gen
    claims, cautions = np.zeros(2, dtype=int), 0
    for seed in range(STUDIES):
        data, true, _ = gen(scenario, seed)
        assert true == 0
        found = sw.Study("y", "w", expected="negative").run(sw.Panel(data, person="patient", session="session"))
        for i, effect in enumerate((found.headline.forward, found.headline.reverse)):
            claims[i] += effect.low > 0 or effect.high < 0
        cautions += bool(found.caution)
    share = claims / STUDIES
    error = np.sqrt(share * (1 - share) / STUDIES)
    print(f"{scenario}: claims forward {share[0]:.3f} ({error[0]:.3f}), reverse {share[1]:.3f} ({error[1]:.3f}), "
          f"caution {cautions / STUDIES:.3f}")  # fmt: skip
    assert claims.max() <= most(CLAIMS[scenario])
    if scenario == "null":
        assert cautions <= most(CAUTION)


def test_the_bound() -> None:
    """Of 200 studies at 7 %, 14 are expected, with an SD of 3.6."""
    assert most(0.07) == 23
    assert binom.cdf(most(0.07), STUDIES, 0.07) >= 0.99 > binom.cdf(most(0.07) - 1, STUDIES, 0.07)
