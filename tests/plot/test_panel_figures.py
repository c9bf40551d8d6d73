"""Trajectories, drop-out and missing values: what they say is what the data say."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from sessionwise import plot
from sessionwise.plot.trajectories import average, slope_over_sessions

Straight = Callable[..., sw.Panel]


def title(chart: object) -> str:
    return plot.embed(chart).title


def test_title_of_the_course_is_the_slope_within_persons(straight: Straight) -> None:
    said = title(plot.trajectories(straight([-0.5] * 30), "y"))
    assert said == "y falls 0.5 a s within persons (95 % interval 0.5 to 0.5)"
    assert "rises 2" in title(plot.trajectories(straight([2.0] * 30), "y"))
    assert title(plot.trajectories(straight([0.0] * 30, 1.0), "y")) == "y does not clearly rise or fall over ss"


def test_those_who_leave_do_not_make_a_trend(straight: Straight) -> None:
    """High persons leave early: the mean falls, nobody changes."""
    frame = straight([0.0] * 60).to_frame().filter(pl.col("s") < 6 - pl.col("p") // 12)
    noisy = frame.with_columns(y=pl.col("y") + np.random.default_rng(2).normal(size=len(frame)))
    assert "does not clearly" in title(plot.trajectories(sw.Panel(noisy, person="p", session="s"), "y"))


def test_average_and_interval_are_those_of_the_attending(panel: sw.Panel) -> None:
    rows = average(panel.sessions, panel["core_om"])
    first = panel["core_om"][panel.sessions == 1]
    assert rows[0]["n"] == len(first)
    assert rows[0]["mean"] == pytest.approx(first.mean(), rel=1e-6)
    half = 1.9799 * first.std(ddof=1) / np.sqrt(len(first))  # t with 119 degrees of freedom
    assert (rows[0]["low"], rows[0]["high"]) == pytest.approx((first.mean() - half, first.mean() + half), rel=1e-4)
    assert min(row["n"] for row in rows) >= plot.FEWEST
    assert plot.figure_table(plot.trajectories(panel, "core_om")) == rows


def test_drop_out_title(panel: sw.Panel, straight: Straight) -> None:
    said = title(plot.dropout(panel))
    session = int(said.rsplit(" ", 1)[1])
    last = panel.sessions[panel.starts[1:] - 1]
    assert (last >= session).mean() < 0.5 <= (last >= session - 1).mean()
    assert title(plot.dropout(straight([0.0] * 5))) == "100 % of the persons reach s 5"


def test_missing_counts(panel: sw.Panel) -> None:
    chart = plot.missing(panel, ["core_om_1", "pd"])
    share = np.isnan(panel["core_om_1"]).mean()
    assert title(chart).endswith(f"most in core_om_1 ({100 * share:.1f} %)")
    assert title(plot.missing(panel, ["pd"])) == "None of the values are missing"
    rows = [row for row in plot.figure_table(chart) if row["column"] == "core_om_1"]
    assert sum(row["share"] * row["sessions"] for row in rows) == pytest.approx(share * len(panel))


def test_one_person_without_a_value_does_not_make_all_else_pale(panel: sw.Panel) -> None:
    gap = np.where((panel.sessions == panel.sessions.max()) | (np.arange(len(panel)) % 50 == 0), np.nan, 1.0)
    scale = plot.missing(panel.with_columns({"x": gap}), ["x"]).to_dict()["layer"][0]["encoding"]["color"]
    assert scale["scale"]["domain"][-1] < 0.2
    assert "or more" in scale["legend"]["labelExpr"]


def test_few_persons_make_no_claim(straight: Straight) -> None:
    """With five persons clustered errors are too small: the title states a mean, not a trend."""
    assert "on average" in title(plot.trajectories(straight([-0.5] * 5, noise=0.1), "y"))


@pytest.mark.slow
def test_a_trend_is_claimed_where_there_is_none_in_one_of_twenty(straight: Straight) -> None:
    """500 studies of 12 persons without a trend: 5 % claims, Monte Carlo error 1 %, bound at 3.5 of these."""
    claims = 0
    frame = straight([0.0] * 12).to_frame()
    for seed in range(500):
        made = frame.with_columns(y=np.random.default_rng(seed).normal(size=72))
        slope = slope_over_sessions(sw.Panel(made, person="p", session="s"), "y")
        assert slope is not None
        claims += slope.clear
    assert 8 <= claims <= 42


def test_few_persons_and_sessions(straight: Straight) -> None:
    for few in (straight([1.0]), straight([1.0, 2.0], sessions=1)):
        for chart in (plot.trajectories(few, "y"), plot.dropout(few), plot.missing(few)):
            chart.to_dict()


def test_errors(panel: sw.Panel) -> None:
    with pytest.raises(sw.PanelError, match="Did you mean 'core_om'"):
        plot.trajectories(panel, "coreom")
    with pytest.raises(sw.PanelError, match="Did you mean 'core_om'"):
        plot.missing(panel, ["coreom"])
    empty = panel.with_columns({"x": np.full(len(panel), np.nan)})
    with pytest.raises(sw.PanelError, match="no value to draw"):
        plot.trajectories(empty, "x")
    with pytest.raises(sw.PanelError, match="cannot be read"):
        plot.dropout(panel, width=100)
