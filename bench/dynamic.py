"""The dynamic model to a stated number of effective draws."""

from __future__ import annotations

import numpy as np
import polars as pl

import sessionwise as sw

from .timing import NAN, Row, each, say

TITLE = "Dynamic model (DSEM)"
ABOUT = (
    "Time until R-hat is below 1.01 and effective draws, bulk and tail, are above the number stated for everything "
    "that is reported, four chains on all cores. Mplus with four processors took 117 s on the model of 100 persons (by "
    "its own clock on another machine, to a fixed number of draws). NumPyro and idiographic (R) are not measured."
)


def rows(*, slow: bool = False) -> list[Row]:
    """Both studies; `slow` changes nothing."""
    say("dynamic model, everything random")
    panel = _intensive()
    model = sw.DSEM(
        ("x ~ lag(x) + y", "y ~ lag(y) + lag(x)"),
        random="all",
        variances="random",
        correlated="all",
        course=None,
        first="previous",
        priors="mplus",
    )
    one = each(lambda: model.fit(panel, size=1000))
    say("dynamic model of the demo")
    scored = sw.score(sw.Panel(sw.datasets.demo(), person="patient", session="session"), "core-om", "wai-sr")
    latent = sw.DSEM.reciprocal("core_om", "wai_sr", error="items")
    two = each(lambda: latent.fit(scored, size=400))
    return [
        Row("100 persons x 50, eight random effects, more than 1,000", one, "", NAN, NAN),
        Row("the demo (646 persons, 4,340 sessions), true scores, more than 400", two, "", NAN, NAN),
    ]


def _intensive() -> sw.Panel:
    """100 persons, 50 occasions; all coefficients and log innovation variances differ between persons."""
    rng = np.random.default_rng(2)
    persons, sessions = 100, 50
    level = rng.normal([3.0, 1.0], [1.2, 0.8], (persons, 2))
    ax, ay, cross, within = (rng.normal(m, 0.2, persons) for m in (0.17, 0.27, 0.05, 0.3))
    sd = np.exp(rng.normal(-0.75, 0.5, (persons, 2)))
    z = np.zeros((sessions + 20, persons, 2))
    for t in range(1, len(z)):
        e = sd * rng.standard_normal((persons, 2))
        z[t, :, 1] = ay * z[t - 1, :, 1] + cross * z[t - 1, :, 0] + e[:, 1]
        z[t, :, 0] = ax * z[t - 1, :, 0] + within * z[t, :, 1] + e[:, 0]
    values = (level + z[20:]).transpose(1, 0, 2).reshape(-1, 2)
    table = pl.DataFrame(
        {
            "person": np.repeat(np.arange(persons), sessions),
            "session": np.tile(np.arange(1, sessions + 1), persons),
            "x": values[:, 0],
            "y": values[:, 1],
        }
    )
    return sw.Panel(table, person="person", session="session")
