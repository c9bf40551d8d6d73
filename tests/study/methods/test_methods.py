"""The registry: every method gives both directions, or says why not; and whether methods agree, in words."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from helpers.demo import few, frame, panel, result
from sessionwise.study.methods.registry import methods
from sessionwise.study.records import Assumptions, Estimate, NotAnswered
from sessionwise.study.study_data import setting

DATA = {
    "all": frame(),
    "15 persons": few(15),
    "6 persons": few(6),
    "three sessions": frame().filter(pl.col("session") <= 3),
    "two sessions": frame().filter(pl.col("session") <= 2),
    "no gaps left": frame().filter(pl.col("session") % 2 == 1),
}


def test_keys():
    keys = [m.key for m in methods()]
    assert keys[:2] == ["net", "mlm"]  # the answer, then what is in use
    assert len(set(keys)) == len(keys)
    assert len({m.label for m in methods()}) == len(keys)


@pytest.mark.parametrize("name", DATA)
def test_an_estimate_or_a_reason(name):
    found = sw.Study("core_om", "wai_sr", dynamic=False).run(panel(DATA[name]))
    applying = [
        m.key
        for m in methods()
        if m.applies(setting(sw.Study("core_om", "wai_sr", dynamic=False), panel(DATA[name]), 1))
    ]
    assert [r.key for r in found.sensitivity.rows] == applying
    for row in found.sensitivity.rows:
        for one in (row.forward, row.reverse):
            if isinstance(one, NotAnswered):
                assert one.question
                assert one.why.endswith(".")
                continue
            assert isinstance(one, Estimate)
            numbers = [one.value, one.se, one.low, one.high, one.p]
            assert np.isfinite(numbers).all()
            assert one.low < one.value < one.high
            assert row.persons
        assert all(getattr(row.assumes, f.name) for f in fields(Assumptions))


def test_methods_differ_in_what_they_say_they_differ_in():
    rows = {r.key: r for r in result().sensitivity.rows}
    main = rows["mlm"].assumes
    points = {
        "no-trend": "trend",
        "linear-trend": "trend",
        "own-trend": "trend",
        "no-cluster": "levels",
        "ar1": "residuals",
        "first-sessions": "sample",
        "complete-cases": "sample",
    }
    panel_models = {"riclpm", "dpm"}  # differ in several points, person means the first
    assert set(points) == set(rows) - {"mlm", "net"} - panel_models
    assert all(rows[key].assumes.means != main.means for key in panel_models)
    for key, point in points.items():
        other = rows[key].assumes
        assert apart(main, other) == [point]
    assert apart(main, rows["net"].assumes) == ["means", "levels", "effects"]


def apart(one: Assumptions, other: Assumptions) -> list[str]:
    return [f.name for f in fields(one) if getattr(one, f.name) != getattr(other, f.name)]


def test_complete_cases_are_complete():
    found = result()
    first = found.sensitivity.first
    data = frame().filter(pl.col("session") <= first)
    whole = data.group_by("patient").len().filter(pl.col("len") == first)
    row = next(r for r in found.sensitivity.rows if r.key == "complete-cases")
    assert row.persons == len(whole)
    assert row.sessions == len(whole) * (first - 1)


def test_two_levels_without_clusters():
    row = next(r for r in result().sensitivity.rows if r.key == "no-cluster")
    plain = sw.Study("core_om", "wai_sr", dynamic=False).run(sw.Panel(frame(), person="patient", session="session"))
    assert row.forward.value == pytest.approx(plain.sensitivity.rows[1].forward.value, rel=1e-4)
    assert "no-cluster" not in {r.key for r in plain.sensitivity.rows}


def test_what_is_shown_and_not_judged():
    """A method that takes less out, or more, disagrees for what that does: it is no second opinion."""
    assert {m.key for m in methods() if not m.judged} == {"no-trend", "linear-trend", "dsem"}
    rows = {r.key: r for r in result().sensitivity.rows}
    assert rows["no-trend"].apart_forward is None  # its bias is not known
    assert rows["linear-trend"].apart_forward is not None
    assert rows["net"].apart_forward is None  # the first
    words = " ".join(result().sensitivity.words)
    judged = len([r for r in rows if r not in ("no-trend", "linear-trend")])
    assert f"in {judged} analyses" in words
