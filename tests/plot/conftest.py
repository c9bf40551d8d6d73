"""Panels and fits that several tests of figures share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from helpers import demo


@pytest.fixture(scope="session")
def panel() -> sw.Panel:
    """120 persons of the demo, scored."""
    return demo.scored(120)


@pytest.fixture(scope="session")
def fit(panel: sw.Panel) -> sw.MLMFit:
    """A random slope of the process and an interaction."""
    formula = "core_om ~ session + within(wai_sr) * pd + (1 + within(wai_sr) | patient) + (1 | therapist)"
    return sw.MLM(formula).fit(panel)


@pytest.fixture(scope="session")
def dsem(panel: sw.Panel) -> sw.DSEMFit:
    """The dynamic model, cross-lagged effects of each person's own; drawn so far that it can be looked at."""
    return sw.DSEM.reciprocal("core_om", "wai_sr", course=None, error="items").fit(panel, size=50, most=500)


@pytest.fixture(scope="session")
def straight() -> Callable[..., sw.Panel]:
    """One person a slope, each on a line from their own level."""

    def made(slopes: list[float], noise: float = 0.0, sessions: int = 6) -> sw.Panel:
        rng = np.random.default_rng(1)
        p, s = np.repeat(np.arange(len(slopes)), sessions), np.tile(np.arange(sessions), len(slopes))
        y = 5.0 * p + np.array(slopes)[p] * s + noise * rng.normal(size=len(p))
        return sw.Panel(pl.DataFrame({"p": p, "s": s, "y": y}), person="p", session="s")

    return made
