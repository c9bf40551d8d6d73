"""Against R: lme4 for variance components, psych and lme4 for reliability (tests/reference/describe/make.R).

Tolerances
----------
COMPONENT 1e-5 relative: lme4's optimiser stops on the criterion, whose root of rounding error is about 1e-6
    in the parameters; agreement found is 5e-7 or better, 1e-4 was asked for.
CRITERION 1e-8 relative: both are minimised, so errors of the parameters enter squared.
END 1e-5 absolute, on the scale of the ICC: ends are where the criterion is within 1e-5 of its target.
PSYCH 1e-6 relative: balanced data, the same closed formulas; stored with 12 digits, data with 4 decimals.
NESTED 1e-4 relative: balanced and interior, so that REML (an optimiser in R) equals the analysis of variance.
PSYCH_LME 1e-3: psych reads nlme's printed components, which have few digits.
"""

from __future__ import annotations

import math

import polars as pl
import pytest

from helpers.places import REFERENCE
from sessionwise.descriptions import reliability, variance_components
from sessionwise.panel import Panel

COMPONENT, CRITERION, END, PSYCH, NESTED, PSYCH_LME = 1e-5, 1e-8, 1e-5, 1e-6, 1e-4, 1e-3
FOLDER = REFERENCE / "describe"
ITEMS = [f"item{i}" for i in range(1, 6)]


def expected(source: str, data: str) -> dict[str, float]:
    table = pl.read_csv(FOLDER / "expected.csv", schema_overrides={"value": pl.String})
    rows = table.filter(pl.col("source") == source, pl.col("data") == data).select("quantity", "value").rows()
    return {name: math.nan if value.strip() == "NA" else float(value) for name, value in rows}


def levels(data: str) -> Panel:
    table = pl.read_csv(FOLDER / "levels.csv").filter(pl.col("data") == data)
    return Panel(table, person="person", session="session", cluster="cluster")


@pytest.fixture(scope="module")
def items() -> Panel:
    return Panel(pl.read_csv(FOLDER / "items.csv"), person="person", session="session")


@pytest.mark.parametrize("data", ["interior2", "zero2", "interior3", "zero_cluster3", "zero_person3"])
def test_components_intervals_and_criterion_are_lme4s(data: str) -> None:
    want = expected("lme4", data)
    got = variance_components(levels(data), "y", cluster=data.endswith("3"))
    assert got.within == pytest.approx(want["within"], rel=COMPONENT)
    assert got.person == pytest.approx(want["person"], rel=COMPONENT, abs=1e-9)
    assert got.criterion == pytest.approx(want["criterion"], rel=CRITERION)
    assert got.icc_interval == pytest.approx((want["low"], want["high"]), abs=END)
    if data.endswith("3"):
        assert got.cluster == pytest.approx(want["cluster"], rel=COMPONENT, abs=1e-9)
        assert got.icc_cluster_interval == pytest.approx((want["cluster_low"], want["cluster_high"]), abs=END)
    else:
        assert got.cluster is None
        assert got.icc_cluster_interval is None


@pytest.mark.parametrize(
    ("data", "zero"), [("zero2", "no-between"), ("zero_cluster3", "no-cluster"), ("zero_person3", "no-between")]
)
def test_a_variance_of_zero_is_a_result_with_a_note(data: str, zero: str) -> None:
    got = variance_components(levels(data), "y", cluster=data.endswith("3"))
    assert [f.code for f in got.findings] == [zero]
    assert 0.0 in (got.person, got.cluster)


def test_crossed_components_and_coefficients_are_psychs(items: Panel) -> None:
    want, got = expected("psych", "items"), reliability(items, ITEMS)
    assert got.components is not None
    assert dict(got.components) == pytest.approx({name: want[name] for name in got.components}, rel=PSYCH)
    for name in ("r_kf", "r_1r", "r_kr", "r_c"):
        assert getattr(got, name) == pytest.approx(want[name], rel=PSYCH)


def test_nested_components_are_those_of_lme4_with_items_crossed(items: Panel) -> None:
    want, got = expected("nested", "items"), reliability(items, ITEMS).nested
    assert got is not None
    assert {name: got[name] for name in want} == pytest.approx(want, rel=NESTED)


@pytest.mark.parametrize(("source", "tolerance"), [("replicates", NESTED), ("psych_nested", PSYCH_LME)])
def test_nested_coefficients_with_items_as_replicates(items: Panel, source: str, tolerance: float) -> None:
    """psych's nested model has no items: its R_kRn is ours, its R_Cn our r_cn_replicates."""
    want, got = expected(source, "items"), reliability(items, ITEMS)
    assert got.r_krn == pytest.approx(want["r_krn"], rel=tolerance)
    assert got.r_cn_replicates == pytest.approx(want["r_cn"], rel=tolerance)
    assert got.nested is not None
    within = want["session"] + want["residual"] / 5
    assert got.nested["session"] + got.nested["residual"] / 5 == pytest.approx(within, rel=tolerance)
    assert got.nested["person"] + got.nested["person_item"] / 5 == pytest.approx(want["person"], rel=tolerance)
