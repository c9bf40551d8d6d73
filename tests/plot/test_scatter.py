"""Within-person scatter: pairs, the slope within persons, and persons' shrunken slopes."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from sessionwise import plot
from sessionwise.plot.scatter import paired
from sessionwise.plot.within import common_slope, person_slopes


def simulated(persons: int, sd: float, slope: float = -1.0, sessions: int = 8) -> sw.Panel:
    """Outcome = level + (slope + person's own) × process of the session before + noise."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(persons, sessions)) + rng.normal(size=(persons, 1))
    own = slope + sd * rng.normal(size=(persons, 1))
    y = 4 * rng.normal(size=(persons, 1)) + np.concatenate([x[:, :1], own * x[:, :-1]], 1)
    y += 0.5 * rng.normal(size=y.shape)
    who, when = np.divmod(np.arange(x.size), sessions)
    frame = pl.DataFrame({"p": who, "s": when, "x": x.ravel(), "y": y.ravel()})
    return sw.Panel(frame, person="p", session="s")


def test_pairs_count_session_numbers_not_rows() -> None:
    frame = pl.DataFrame({"p": [1, 1, 1, 2, 2], "s": [1, 2, 4, 3, 4], "x": [1.0, 2, 3, 4, 5], "y": [9.0, 8, 7, 6, 5]})
    panel = sw.Panel(frame, person="p", session="s")
    assert paired(panel, "y", "x", 1).rows.tolist() == [1, 4]
    assert paired(panel, "y", "x", 2).rows.tolist() == [2]
    assert paired(panel, "y", "x", 0).rows.tolist() == [0, 1, 2, 3, 4]


def test_slope_is_that_of_least_squares_with_an_intercept_for_each_person(panel: sw.Panel) -> None:
    pairs = paired(panel, "core_om", "wai_sr", 1)
    used = sw.MLM("core_om ~ lag(wai_sr) + (1 | patient)").fit(panel).nobs
    assert len(pairs.rows) == used
    dummies = np.eye(panel.n_persons)[pairs.codes]
    raw = np.concatenate([pairs.x[:, None] + 3 * dummies.sum(1)[:, None], dummies], axis=1)
    expected = np.linalg.lstsq(raw, panel["core_om"][pairs.rows], rcond=None)[0][0]
    found = common_slope(pairs.codes, pairs.x, pairs.y, panel.n_persons)
    assert found is not None
    assert found.value == pytest.approx(expected)


def test_shrunken_slopes_find_the_truth() -> None:
    """Their spread is that simulated: 200 persons, SD 0.5, error of its estimate about 0.04."""
    panel = simulated(200, 0.5)
    pairs = paired(panel, "y", "x", 1)
    own = person_slopes(pairs.codes, pairs.x, pairs.y, panel.n_persons)
    assert own.sd == pytest.approx(0.5, abs=0.12)
    assert np.nanstd(own.value) < own.sd
    same = simulated(200, 0.0)
    pairs = paired(same, "y", "x", 1)
    assert person_slopes(pairs.codes, pairs.x, pairs.y, 200).sd < 0.12


def test_title_and_lines() -> None:
    chart = plot.scatter(simulated(50, 0.3), "y", "x", labels={"y": "symptoms", "x": "alliance"}, persons=7, points=90)
    told = plot.embed(chart)
    assert told.title.startswith(
        "Before anything is held constant: after ss with more alliance than usual, symptoms is lower, by "
    )
    assert told.heads["process"] == "alliance at the previous s, less the mean"
    assert told.heads["outcome"] == "symptoms, less the mean"
    assert "90 of 350 pairs" in told.subtitle
    assert len({row["person"] for row in plot.figure_table(chart, "persons")}) == 7
    assert len(plot.figure_table(chart, "pairs")) == 90
    few = plot.embed(plot.scatter(simulated(5, 0.3), "y", "x"))
    assert "too few persons" in few.title
    assert "neither" in plot.embed(plot.scatter(simulated(40, 0.0, slope=0.0), "y", "x")).title
    assert plot.embed(plot.scatter(simulated(50, 0.3), "y", "x", 0)).title.startswith(
        "Before anything is held constant: at ss"
    )


def test_errors() -> None:
    panel = simulated(5, 0.3)
    with pytest.raises(sw.PanelError, match="both 'y'"):
        plot.scatter(panel, "y", "y")
    with pytest.raises(sw.PanelError, match="lag is -1"):
        plot.scatter(panel, "y", "x", -1)
    with pytest.raises(sw.PanelError, match="no column"):
        plot.scatter(panel, "y", "z")
    constant = panel.with_columns({"c": panel.codes.astype(float)})
    with pytest.raises(sw.PanelError, match="does not vary within persons"):
        plot.scatter(constant, "y", "c")
    with pytest.raises(sw.PanelError, match="does not vary"):
        plot.scatter(panel, "y", "x", 20)
