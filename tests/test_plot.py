"""Figures: what they say is what the data say; they render without a network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from sessionwise import plot


@pytest.fixture(scope="module")
def panel() -> sw.Panel:
    demo = sw.Panel(sw.datasets.demo(persons=120), person="patient", session="session")
    return sw.score(demo, "core-om", "wai-sr")


def straight(slopes: list[float], noise: float = 0.0, sessions: int = 6) -> sw.Panel:
    """One person a slope, each on a line from their own level."""
    rng = np.random.default_rng(1)
    p, s = np.repeat(np.arange(len(slopes)), sessions), np.tile(np.arange(sessions), len(slopes))
    y = 5.0 * p + np.array(slopes)[p] * s + noise * rng.normal(size=len(p))
    return sw.Panel(pl.DataFrame({"p": p, "s": s, "y": y}), person="p", session="s")


@pytest.mark.parametrize("make", [lambda p: plot.trajectories(p, "core_om"), plot.dropout, plot.missing])
def test_renders_with_text_for_those_who_cannot_see_it(make: object, panel: sw.Panel, tmp_path: Path) -> None:
    chart = make(panel)  # type: ignore[operator]
    chart.save(tmp_path / "figure.svg")
    assert "<svg" in (tmp_path / "figure.svg").read_text(encoding="utf-8")
    told = chart.to_dict()
    assert told["title"]["text"]
    assert told["title"]["text"] in told["description"]


def test_title_of_the_course_is_the_slope_within_persons() -> None:
    title = plot.trajectories(straight([-0.5] * 30), "y").to_dict()["title"]["text"]
    assert title == "y falls 0.5 a s within persons (95 % interval 0.5 to 0.5)"
    assert "rises 2" in plot.trajectories(straight([2.0] * 30), "y").to_dict()["title"]["text"]
    unclear = plot.trajectories(straight([0.0] * 30, noise=1.0), "y").to_dict()["title"]["text"]
    assert unclear == "y does not clearly rise or fall over ss"


def test_those_who_leave_do_not_make_a_trend() -> None:
    """High persons leave early: the mean falls, nobody changes."""
    frame = straight([0.0] * 60).to_frame().filter(pl.col("s") < 6 - pl.col("p") // 12)
    noisy = frame.with_columns(y=pl.col("y") + np.random.default_rng(2).normal(size=len(frame)))
    title = plot.trajectories(sw.Panel(noisy, person="p", session="s"), "y").to_dict()["title"]["text"]
    assert "does not clearly" in title


def test_average_and_interval_are_those_of_the_attending(panel: sw.Panel) -> None:
    rows = plot._average(panel.sessions, panel["core_om"])
    first = panel["core_om"][panel.sessions == 1]
    assert rows[0]["n"] == len(first)
    assert rows[0]["mean"] == pytest.approx(first.mean())
    half = 1.9799 * first.std(ddof=1) / np.sqrt(len(first))  # t with 119 degrees of freedom
    assert (rows[0]["low"], rows[0]["high"]) == pytest.approx((first.mean() - half, first.mean() + half), rel=1e-4)
    assert min(row["n"] for row in rows) >= plot.FEWEST


def test_drop_out_title(panel: sw.Panel) -> None:
    title = plot.dropout(panel).to_dict()["title"]["text"]
    session = int(title.rsplit(" ", 1)[1])
    last = panel.sessions[panel.starts[1:] - 1]
    assert (last >= session).mean() < 0.5 <= (last >= session - 1).mean()
    assert plot.dropout(straight([0.0] * 5)).to_dict()["title"]["text"] == "100% of the persons reach s 5"


def test_missing_counts(panel: sw.Panel) -> None:
    chart = plot.missing(panel, ["core_om_1", "pd"]).to_dict()
    share = np.isnan(panel["core_om_1"]).mean()
    assert chart["title"]["text"].endswith(f"most in core_om_1 ({plot._percent(share)})")
    assert plot.missing(panel, ["pd"]).to_dict()["title"]["text"] == "None of the values are missing"


def test_few_persons_make_no_claim() -> None:
    """With five persons clustered errors are too small: the title states a mean, not a trend."""
    assert "on average" in plot.trajectories(straight([-0.5] * 5, noise=0.1), "y").to_dict()["title"]["text"]


@pytest.mark.slow
def test_a_trend_is_claimed_where_there_is_none_in_one_of_twenty() -> None:
    """500 studies of 12 persons without a trend: 5 % claims, Monte Carlo error 1 %, bound at 3.5 of these."""
    claims = 0
    for seed in range(500):
        rng = np.random.default_rng(seed)
        frame = straight([0.0] * 12).to_frame().with_columns(y=rng.normal(size=72))
        slope = plot._within_slope(sw.Panel(frame, person="p", session="s"), "y")
        assert slope is not None
        claims += slope[1] * slope[2] > 0
    assert 8 <= claims <= 42


def test_few_persons_and_sessions() -> None:
    for panel in (straight([1.0]), straight([1.0, 2.0], sessions=1)):
        for chart in (plot.trajectories(panel, "y"), plot.dropout(panel), plot.missing(panel)):
            chart.to_dict()


def test_errors(panel: sw.Panel) -> None:
    with pytest.raises(sw.PanelError, match="Did you mean 'core_om'"):
        plot.trajectories(panel, "coreom")
    with pytest.raises(sw.PanelError, match="Did you mean 'core_om'"):
        plot.missing(panel, ["coreom"])
    empty = panel.with_columns({"x": np.full(len(panel), np.nan)})
    with pytest.raises(sw.PanelError, match="no value to draw"):
        plot.trajectories(empty, "x")
