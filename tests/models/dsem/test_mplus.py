"""Beside Mplus: posterior medians, SDs and intervals of the DSEM chapter's models (reference/SOURCES.md there).

100 persons by 50 occasions, Mplus's default priors, the session before the first unobserved. Tolerances: medians 0.15
posterior SD or 0.002, SDs 10 %, ends of intervals 0.25 SD, beside the rounding of the reference to three decimals: both
sides are Monte Carlo. Models 1 and 5 of the reference are of other data than the files beside it: test_other_data.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from helpers.places import ROOT

FOLDER = next(
    (p / "shared/reference/dsem" for p in ROOT.parents if (p / "shared/reference/dsem").exists()), ROOT / "no"
)
here = pytest.mark.skipif(not FOLDER.exists(), reason="the reference of Mplus (../shared/reference/dsem) is not here")

MEDIAN, LEAST, SD, END, ROUNDING = 0.15, 0.002, 0.10, 0.25, 0.0005
WITHIN = ("X ~ lag(X) + Y", "Y ~ lag(Y) + lag(X)")
MODEL = sw.DSEM(
    WITHIN, random="all", variances="random", course=None, first="previous", priors="mplus", correlated="all"
)
NAMES = {
    "X": "X", "Y": "Y", "PHI_X": "X ~ lag(X)", "PHI_Y": "Y ~ lag(Y)", "PHI_XY": "Y ~ lag(X)", "BETA_YX": "X ~ Y",
    "PSI_X": "log variance(X)", "PSI_Y": "log variance(Y)",
}  # fmt: skip


@cache
def reference(number: int) -> dict[str, dict[str, float]]:
    found = json.loads((FOLDER / "mplus_estimates.json").read_text())[str(number)]["parameters"]
    return {name: row for name, row in found.items() if row["sd"] > 0}


def table(number: int) -> pl.DataFrame:
    return pl.read_csv(FOLDER / f"model_{number}.csv")


def draws(fit: sw.DSEMFit, name: str) -> np.ndarray:
    """Of a parameter as Mplus calls it."""
    _, kind, *rest = name.replace("Residual Variances", "Variances").split()
    own: Any = lambda term: fit.draws(term).ravel()  # noqa: E731
    if kind == "C":  # C BY X
        return own(f"loading({NAMES[rest[1]]})")
    if kind in ("Means", "Intercepts"):
        return own(NAMES[rest[0]])
    if kind == "Variances":
        return own("factor sd" if rest[0] == "C" else f"sd({NAMES[rest[0]]})") ** 2
    a, b = NAMES[kind], NAMES[rest[1]]  # A WITH B
    pair = f"cor({a}, {b})" if f"cor({a}, {b})" in fit.reported.names else f"cor({b}, {a})"
    return own(pair) * own(f"sd({a})") * own(f"sd({b})")


@here
@pytest.mark.slow
@pytest.mark.parametrize(("number", "options"), [(2, {}), (4, {"factor": True})], ids=["2", "4: one factor"])
def test_beside_mplus(number: int, options: dict[str, Any]) -> None:
    from dataclasses import replace

    panel = sw.Panel(table(number), person="id", session="day")
    fit = replace(MODEL, **options).fit(panel, seed=1, size=1000, most=8000)
    wrong = {}
    for name, row in reference(number).items():
        found = draws(fit, name)
        low, median, high = np.quantile(found, [0.025, 0.5, 0.975])
        off = {
            "median": abs(median - row["median"]) - ROUNDING > max(MEDIAN * row["sd"], LEAST),
            "sd": abs(found.std() - row["sd"]) - ROUNDING > SD * row["sd"],
            "low": abs(low - row["lower"]) - ROUNDING > END * row["sd"],
            "high": abs(high - row["upper"]) - ROUNDING > END * row["sd"],
        }
        if any(off.values()):
            wrong[name] = (median, found.std(), low, high, row)
    assert not wrong


@here
@pytest.mark.parametrize("number", [1, 5])
def test_other_data(number: int) -> None:
    """Persons' means, and for model 5 a regression on them, are not the reference's: no sampler is needed to see it."""
    means = table(number).group_by("id").mean()
    row = reference(number)
    if number == 1:
        error = means["X"].std() / np.sqrt(len(means))
        assert abs(means["X"].mean() - row["between Means X"]["median"]) > 2 * error
        assert means["X"].var() > row["between Variances X"]["upper"]
    else:
        design = np.column_stack([np.ones(len(means)), means["P"], means["X"], means["Y"]])
        slope = np.linalg.lstsq(design, means["O"].to_numpy(), rcond=None)[0][3]
        assert slope > 1
        assert row["between O ON Y"]["upper"] < 0
