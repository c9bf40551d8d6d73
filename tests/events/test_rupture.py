"""Ruptures by hand, and control charts against their constants."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from sessionwise.events.series import rated


def panel(*persons: list[float | None]) -> sw.Panel:
    rows = [(i, t, y) for i, ys in enumerate(persons) for t, y in enumerate(ys, 1)]
    table = pl.DataFrame(rows, schema=["p", "s", "y"], orient="row", strict=False)
    return sw.Panel(table, person="p", session="s")


def of(*persons: list[float | None], **settings: Any) -> list[dict[str, Any]]:
    rule = sw.RuptureRepair("y", **settings)
    rows: list[dict[str, Any]] = sw.detect(panel(*persons), rule, false_alarms=False).table().to_dicts()
    return rows


CALM = [4.0, 4.2, 4.0, 4.2, 4.0, 4.2, 4.0, 4.2]


def dip(*low: float) -> list[float | None]:
    return [*CALM, *low, *CALM]


def test_a_v_that_is_repaired() -> None:
    (row,) = of(dip(2.0))
    assert (row["start"], row["turning"], row["end"]) == (8, 9, 10)  # the mean is 3.98
    assert (row["repair"], row["sds"]) == ("repaired", 2.0)
    assert row["magnitude"] == pytest.approx(np.mean(dip(2.0)) - 2)  # type: ignore[arg-type]
    assert row["shape"] == "V: one down, one up"
    (row,) = of(dip(2.0), whole=1.1)
    assert (row["end"], row["shape"]) == (11, "sudden fall, slow return")


def test_shapes() -> None:
    shapes = {
        "slow fall, sudden return": dip(3.0, 2.0),
        "sudden fall, slow return": dip(2.0, 2.5, 3.0),
        "slow both ways": dip(3.0, 2.0, 2.5, 3.0),
        "no return": [*CALM, 2.0, 2.1, 2.1, 2.1, 2.1],
    }
    for shape, series in shapes.items():
        (row,) = of(series, whole=0.9)
        assert row["shape"] == shape


def test_repair_in_time_in_part_not_at_all_and_not_known() -> None:
    low = [2.0, 2.1, 2.1, 2.1]
    assert [r["repair"] for r in of(dip(*low), whole=0.9)] == ["unrepaired"]
    assert [r["repair"] for r in of(dip(*low), whole=0.9, within=4)] == ["repaired"]
    assert [r["repair"] for r in of([*CALM, 2.0, 3.4, 3.4, 3.4, 3.4])] == ["partly repaired"]
    assert [r["repair"] for r in of([*CALM, 2.0, 2.1])] == ["open"]
    assert [r["repair"] for r in of([*CALM, 2.0])] == ["open"]


def test_time_is_counted_in_sessions() -> None:
    """A rating six sessions later comes too late."""
    series = [*CALM, 2.0, None, None, None, None, None, 4.2]
    assert [r["repair"] for r in of(series)] == ["unrepaired"]
    assert [r["repair"] for r in of(series, within=6)] == ["repaired"]


def test_the_stricter_sd_counts() -> None:
    """A ripple in a calm course counts by the person's own SD alone, a wave in a rough one by the sample's alone."""
    calm: list[float | None] = [4.0, 4.0, 3.9, 4.0, 4.0, 4.0]
    rough: list[float | None] = [5.0, 1.0, 5.0, 2.0, 5.0, 1.0]
    middle: list[float | None] = [4.0, 3.4, 4.0, 3.4, 4.0, 3.4]

    def persons(spread: str) -> set[int]:
        return {r["person"] for r in of(calm, rough, *[middle] * 10, spread=spread, thresholds=(1.3,))}

    assert 0 in persons("own")
    assert 1 in persons("sample")
    assert persons("stricter") == persons("own") & persons("sample")


def test_a_trend_is_no_rupture() -> None:
    falling: list[float | None] = [10.0 - t for t in range(10)]
    assert of(falling, spread="own")
    assert not of(falling, course="trend", spread="own")
    falling[4] = 2.0
    (row,) = of(falling, course="trend", spread="own", thresholds=(1.5,))
    assert row["turning"] == 5


def test_higher_can_be_worse() -> None:
    (row,) = of([8 - y for y in dip(2.0) if y is not None], better="lower")
    assert row["turning"] == 9


# --- control charts -----------------------------------------------------------------------------------


def test_limits_are_the_mean_and_266_moving_ranges() -> None:
    series = [5.0, 7.0, 6.0, 9.0, 8.0, 7.0]
    (row,) = sw.ControlChart("y").chart(panel(series)).to_dicts()
    ranges = np.abs(np.diff(series)).mean()
    assert row["centre"] == pytest.approx(7)
    assert row["upper"] == pytest.approx(7 + 2.66 * ranges, rel=1e-3)
    assert row["lower_from"] < row["lower"] < row["lower_to"]
    wide = sw.ControlChart("y").chart(panel(series), level=0.99).to_dicts()[0]
    assert wide["lower_from"] < row["lower_from"]


def test_the_variance_of_the_mean_moving_range() -> None:
    """Cryer & Ryan (1990): .8264 n − 1.082, over (n − 1)²; to the rounding of these numbers."""
    for n in (5, 10, 30):
        relative = sw.ControlChart("y").limits(rated(panel([float(i % 3) for i in range(n)]), "y")).relative[0]
        assert relative == pytest.approx((0.8264 * n - 1.082) / (n - 1) ** 2, rel=2e-3)


def test_intervals_of_limits_cover() -> None:
    """Normal, independent ratings: the true limit is in its 95 % interval in 93 to 97 % (4 Monte Carlo errors: 1.4)."""
    rng = np.random.default_rng(2)
    for n in (8, 20):
        many = pl.DataFrame(
            {"p": np.repeat(np.arange(4000), n), "s": np.tile(np.arange(n), 4000), "y": rng.standard_normal(4000 * n)}
        )
        chart = sw.ControlChart("y").chart(sw.Panel(many, person="p", session="s"))
        covered = ((chart["lower_from"] <= -3) & (chart["lower_to"] >= -3)).mean()
        assert 0.93 < covered < 0.975


def test_a_rating_beyond_the_limits() -> None:
    series = [5.0, 5.2, 5.0, 5.1, 5.0, 5.2, 5.1, 5.0, 5.1, 5.2, 5.0, 5.1, 9.0, 5.0, 5.1]
    found = sw.detect(panel(series), sw.ControlChart("y"), false_alarms=False)
    (row,) = found.table().to_dicts()
    assert (row["start"], row["turning"], row["end"]) == (12, 13, 13)
    assert row["probability"] < 0.01
    assert not len(sw.detect(panel(series), sw.ControlChart("y", better="higher"), false_alarms=False))
