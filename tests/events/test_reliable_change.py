"""Reliable change against the published formulas and worked numbers, and R's clinicalsignificance.

The R package's counts are those that its repository stores for its example data `claus_2020`; they are compared where
these data lie in ../shared/reference, and the formulas without them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from helpers.places import shared
from sessionwise.events.reliable_change.cutoffs import Norm, cutoff
from sessionwise.events.reliable_change.indices import Sample, difference_reliability, index

#: Indices are exact; what is left is rounding.
EXACT = 1e-12


def of(pre: list[float], post: list[float], **settings: Any) -> list[dict[str, Any]]:
    n = len(pre)
    table = pl.DataFrame({"p": [*range(n), *range(n)], "s": [1] * n + [2] * n, "y": [*pre, *post]})
    rule = sw.ReliableChange("y", **({"better": "lower"} | settings))
    rows: list[dict[str, Any]] = rule.changes(sw.Panel(table, person="p", session="s")).to_dicts()
    return rows


PRE, POST = [30.0, 20, 10, 8, 6, 4, 2], [3.0, 2, 2, 2, 2, 2, 1]


# --- formulas -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        # SD 5, r .8: SEM 2.236068, √2·SEM 3.162278, SD·√(1 − r²) = 3; M 10, T = 10 + .8·(30 − 10) = 26
        ("jacobson-truax", (3 - 30) / 3.1622776602),
        ("edwards-nunnally", (3 - 26) / 2.2360679775),
        ("gulliksen-lord-novick", (3 - 26) / 3),
        ("hsu-linn-lord", (3 - 7 - 16) / 3),
        ("nunnally-kotsch", (3 - 26) / math.sqrt(0.64 * 5 + 25 * 0.3)),
    ],
)
def test_indices_by_hand(method: str, expected: float) -> None:
    sample = Sample(10.0, 5.0, 7.0, 6.0, 0.4)
    assert index(method, np.array(30.0), np.array(3.0), sample, 0.8, 0.7) == pytest.approx(expected, rel=1e-9)


def test_hageman_and_arrindell_by_hand() -> None:
    """SD 5 and 6, SEM² = 5, correlation .4: R = (25·.8 + 36·(1 − 5/36) − 24) / (25 + 36 − 24) = 27/37."""
    sample = Sample(10.0, 5.0, 7.0, 6.0, 0.4)
    share = 27 / 37
    assert difference_reliability(sample, 0.8) == pytest.approx(share, rel=EXACT)
    found = index("hageman-arrindell", np.array(30.0), np.array(3.0), sample, 0.8)
    expected = (-27 * share + (7 - 10) * (1 - share)) / (math.sqrt(share) * math.sqrt(10))
    assert found == pytest.approx(expected, rel=EXACT)


def test_the_reliable_change_of_the_field() -> None:
    """SD 10.5, reliability .961 give 5.747681 (R package suddengains); a change must exceed it."""
    given = {"reliability": 0.961, "norm": (20.0, 10.5)}
    rows = of([30.0, 30, 30], [30 - 5.7476, 30 - 5.7477, 30 + 5.7477], **given)
    assert [row["category"] for row in rows] == ["unchanged", "improved", "deteriorated"]


def test_cutoffs() -> None:
    """Jacobson & Truax (1991): patients 40 (7.5), community 60 (7.5), higher is better; and clinicalsignificance."""
    clinical, functional = Norm(40, 7.5), Norm(60, 7.5)
    assert [cutoff(kind, clinical, functional, "higher") for kind in ("a", "b", "c")] == [55, 45, 50]  # type: ignore[arg-type]
    clinical, functional = Norm(35.48, 8.16), Norm(8, 8)
    assert cutoff("a", clinical, None, "lower") == pytest.approx(19.16)  # clinicalsignificance on BDI, a and c
    assert cutoff("b", clinical, functional, "lower") == 24
    assert cutoff("c", clinical, functional, "lower") == pytest.approx(21.6, abs=0.01)


def test_four_categories() -> None:
    given = {"reliability": 0.8, "norm": (25.0, 5.0), "cutoff": 15.0}  # reliable: more than 6.2
    rows = of([25.0, 25, 25, 25, 14, 22], [10.0, 15, 20, 32, 4, 15.9], **given)
    expected = ["recovered", "improved", "unchanged", "deteriorated", "improved", "unchanged"]
    assert [row["category"] for row in rows] == expected
    turned = of([-25.0], [-10.0], better="higher", reliability=0.8, norm=(-25, 5), cutoff=-15.0)
    assert turned[0]["category"] == "recovered"


def test_percentage_and_anchor() -> None:
    rows = of([20.0, 20, 20, 20], [10.0, 10.1, 26, 25.9], method="percentage", percentage=0.5, worsening=0.3)
    assert [row["category"] for row in rows] == ["improved", "unchanged", "deteriorated", "unchanged"]
    rows = of([20.0, 20, 20], [15.0, 15.1, 25], method="anchor", difference=5)
    assert [row["category"] for row in rows] == ["improved", "unchanged", "deteriorated"]


def test_the_instrument_gives_change_and_cutoff() -> None:
    """PHQ-9: 6 points, and 10 is still a patient's score."""
    table = pl.DataFrame({"p": [1, 1, 2, 2, 3, 3], "s": [1, 2] * 3, "phq_9": [16.0, 10, 15, 9, 15, 10]})
    found = sw.ReliableChange("phq_9").changes(sw.Panel(table, person="p", session="s"))
    assert found["category"].to_list() == ["improved", "recovered", "unchanged"]


def test_against_each_session_gives_runs() -> None:
    table = pl.DataFrame({"p": [1] * 7, "s": range(1, 8), "phq_9": [18.0, 17, 11, 8, 17, 10, 25]})
    panel = sw.Panel(table, person="p", session="s")
    found = sw.detect(panel, sw.ReliableChange("phq_9", against="each"), false_alarms=False).table().to_dicts()
    assert [(r["kind"], r["start"], r["turning"], r["end"]) for r in found] == [
        ("recovered", 2, 4, 4),
        ("improved", 5, 6, 6),
        ("deteriorated", 6, 7, 7),
    ]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "reliability of 'y' is not known"),
        ({"method": "anchor"}, "smallest difference"),
        ({"cutoff": "c", "reliability": 0.8}, "cut-off c needs"),
        ({"method": "hierarchical-linear"}, "no slopes"),
        ({"method": "hierarchical-linear", "against": "each"}, "a slope is one"),
        ({"method": "jacobson"}, "Did you mean 'jacobson-truax'"),
        ({"reliability": 1.0}, "reliability is 1.0"),
    ],
)
def test_what_is_missing_is_said(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(sw.ModelError, match=said) as caught:
        of(PRE, POST, **settings)
    assert caught.value.remedy


# --- a hierarchical linear model ----------------------------------------------------------------------


def test_slopes_are_the_best_predictions_of_the_model() -> None:
    """Against the predictions and their conditional covariance from dense matrices, one person at a time."""
    rng = np.random.default_rng(4)
    rows = []
    for i, (a, b) in enumerate(rng.standard_normal((60, 2))):
        rows += [(i, t, 20 + 3 * a + (b - 0.5) * t + 2 * rng.standard_normal()) for t in range(rng.integers(3, 9))]
    panel = sw.Panel(pl.DataFrame(rows, schema=["p", "t", "y"], orient="row"), person="p", session="t")
    found = sw.ReliableChange("y", "hierarchical-linear", better="higher").changes(panel)
    fit = sw.MLM("y ~ t + (1 + t | p)").fit(panel)
    between, noise, fixed = fit.varcorr["p"].cov, fit.sigma**2, np.array([fit.fixef["(Intercept)"], fit.fixef["t"]])
    for i in range(panel.n_persons):
        rows_of = slice(panel.starts[i], panel.starts[i + 1])
        z = np.column_stack([np.ones(rows_of.stop - rows_of.start), panel["t"][rows_of]])
        v = z @ between @ z.T + noise * np.eye(len(z))
        u = between @ z.T @ np.linalg.solve(v, panel["y"][rows_of] - z @ fixed)
        left = between - between @ z.T @ np.linalg.solve(v, z @ between)
        assert found["index"][i] == pytest.approx((fixed[1] + u[1]) / math.sqrt(left[1, 1]), rel=1e-4)


# --- the R package ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def claus() -> sw.Panel:
    table = pl.read_csv(shared("claus_2020.csv"), null_values="NA")
    return sw.Panel(table.drop_nulls("hamd"), person="id", session="time")


@pytest.mark.parametrize(
    ("method", "settings", "expected"),
    [
        # recovered, improved, unchanged, deteriorated: cs_combined(hamd, 1 and 4, reliability .8, c of 8 (8))
        ("jacobson-truax", {}, (26, 3, 10, 1)),
        ("edwards-nunnally", {}, (26, 6, 5, 3)),
        ("hsu-linn-lord", {}, (12, 0, 16, 12)),
        ("gulliksen-lord-novick", {}, (26, 3, 10, 1)),
        ("nunnally-kotsch", {"reliability_post": 0.5}, (26, 2, 11, 1)),
        ("hageman-arrindell", {}, (23, 9, 7, 1)),
    ],
)
def test_counts_of_clinicalsignificance(
    claus: sw.Panel, method: str, settings: dict[str, Any], expected: tuple[int, ...]
) -> None:
    ends = pl.DataFrame({"id": claus.series("id"), "time": claus.series("time"), "hamd": claus["hamd"]})
    both = ends.filter(pl.col("time").is_in([1, 4])).filter(pl.len().over("id") == 2)
    rule = sw.ReliableChange("hamd", method, reliability=0.8, cutoff="c", functional=(8, 8), **settings)  # type: ignore[arg-type]
    categories = rule.changes(sw.Panel(both, person="id", session="time"))["category"].to_list()
    names = ("recovered", "improved", "unchanged", "deteriorated")
    assert tuple(categories.count(name) for name in names) == expected


def test_slopes_of_clinicalsignificance_are_deviations(claus: sw.Panel) -> None:
    """It counts 11 improved and 9 deteriorated of 40 in a sample in which nearly all improve."""
    by = {
        slope: sw.ReliableChange("hamd", "hierarchical-linear", slope=slope).changes(claus)["category"].to_list()  # type: ignore[arg-type]
        for slope in ("own", "deviation")
    }
    assert (by["deviation"].count("improved"), by["deviation"].count("deteriorated")) == (11, 9)
    assert by["own"].count("improved") > 30
    assert not by["own"].count("deteriorated")
