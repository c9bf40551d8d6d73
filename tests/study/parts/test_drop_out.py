"""Drop-out: level and change by brute force, the hazard model against simulated leaving, its baseline."""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from sessionwise.study.parts.drop_out import _level_and_change, _logistic, _periods, leaving
from sessionwise.study.study_data import setting


def test_level_and_change_by_brute_force():
    rng = np.random.default_rng(5)
    sizes = rng.integers(1, 7, 40)
    data = pl.DataFrame(
        {
            "patient": np.repeat(np.arange(40), sizes),
            "session": np.concatenate([np.arange(1, n + 1) for n in sizes]),
            "y": np.where(rng.random(sizes.sum()) < 0.3, np.nan, 100 + rng.standard_normal(sizes.sum())),
        }
    ).with_columns(pl.col("y").fill_nan(None))
    panel = sw.Panel(data, person="patient", session="session")
    level, change = _level_and_change(panel, "y")
    for a, b in zip(panel.starts[:-1], panel.starts[1:], strict=True):
        own = panel["y"][a:b]
        for i in range(len(own)):
            seen = own[: i + 1][~np.isnan(own[: i + 1])]
            if not len(seen):
                assert np.isnan(level[a + i])
                assert np.isnan(change[a + i])
                continue
            assert level[a + i] == seen[-1]
            assert change[a + i] == pytest.approx(seen[-1] - seen[:-1].mean() if len(seen) > 1 else 0.0, abs=1e-9)


def test_logistic_regression():
    """At the maximum the score is zero, and errors are those of the information there."""
    rng = np.random.default_rng(6)
    x = np.column_stack([np.ones(500), rng.standard_normal((500, 2))])
    y = (rng.random(500) < 1 / (1 + np.exp(-(x @ [-1, 0.5, -0.7])))).astype(float)
    beta, covariance = _logistic(x, y)
    se = np.sqrt(covariance.diagonal())
    p = 1 / (1 + np.exp(-x @ beta))
    assert x.T @ (y - p) == pytest.approx(np.zeros(3), abs=1e-4)
    assert covariance == pytest.approx(np.linalg.inv(x.T @ (x * (p * (1 - p))[:, None])), rel=1e-5, abs=1e-8)
    assert (np.abs(beta - [-1, 0.5, -0.7]) < 3.5 * se).all()


def test_perfect_separation_and_dependence():
    x = np.column_stack([np.ones(100), np.arange(100.0)])
    assert _logistic(x, (np.arange(100) >= 50).astype(float)) is None
    assert _logistic(np.column_stack([x, x[:, 1]]), (np.arange(100) % 3 == 0).astype(float)) is None


def test_periods_have_enough_and_cover_all():
    rng = np.random.default_rng(7)
    sessions = np.sort(rng.integers(1, 30, 400))
    left = rng.random(400) < 0.15
    indicator, told = _periods(sessions, left)
    assert (indicator.sum(axis=1) == 1).all()
    assert [t[2] for t in told] == indicator.sum(axis=0).astype(int).tolist()
    assert sum(t[3] for t in told) == left.sum()
    assert all(t[3] >= 5 and t[2] - t[3] >= 5 for t in told)
    assert told[0][0] == sessions.min()
    assert told[-1][1] == sessions.max()
    for a, b in itertools.pairwise(told):
        assert a[1] < b[0]


def test_leaving_that_depends_on_the_process():
    """1,500 persons with a log odds of -0.8 for one point of the process: within 3 errors."""
    rng = np.random.default_rng(8)
    rows = []
    for person in range(1500):
        mean = rng.standard_normal()
        for session in range(1, 11):
            y, w = rng.standard_normal(), mean + 0.7 * rng.standard_normal()
            rows.append((person, session, y, w))
            if rng.random() < 1 / (1 + np.exp(-(-1.5 - 0.8 * w))):
                break
    data = pl.DataFrame(rows, schema=["person", "session", "y", "w"], orient="row")
    found = leaving(
        setting(sw.Study("y", "w", dynamic=False), sw.Panel(data, person="person", session="session"), 1)
    ).model
    effects = {e.key: e for e in found.effects}
    level = effects["process_level"]
    log, se = np.log(level.odds_ratio.value), level.odds_ratio.se / level.odds_ratio.value
    assert abs(log / level.sd + 0.8) < 3 * se / level.sd
    for key in ("outcome_level", "outcome_change", "process_change"):
        assert effects[key].odds_ratio.p > 0.001
    assert found.events < 1500  # who stayed to session 10 could not be seen to leave
    assert "w, last" in found.words
