"""The registry: every method gives both directions, or says why not; and whether methods agree, in words."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from helpers.demo import few, frame, panel, result
from sessionwise.study.methods.agreement import agreement
from sessionwise.study.methods.registry import methods
from sessionwise.study.records import Assumptions, Estimate, NotAnswered, SensitivityRow
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
    assert keys[0] == "mlm"
    assert len(set(keys)) == len(keys)
    assert len({m.label for m in methods()}) == len(keys)


@pytest.mark.parametrize("name", DATA)
def test_an_estimate_or_a_reason(name):
    found = sw.Study("core_om", "wai_sr").run(panel(DATA[name]))
    applying = [m.key for m in methods() if m.applies(setting(sw.Study("core_om", "wai_sr"), panel(DATA[name]), 1))]
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
        "mlm-corrected": "means",
        "no-trend": "trend",
        "own-trend": "trend",
        "no-cluster": "levels",
        "ar1": "residuals",
        "first-sessions": "sample",
        "complete-cases": "sample",
    }
    panel_models = {"riclpm", "dpm"}  # differ in several points, person means the first
    assert set(points) == set(rows) - {"mlm"} - panel_models
    assert all(rows[key].assumes.means != main.means for key in panel_models)
    for key, point in points.items():
        other = rows[key].assumes
        assert [f.name for f in fields(main) if getattr(main, f.name) != getattr(other, f.name)] == [point]


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
    plain = sw.Study("core_om", "wai_sr").run(sw.Panel(frame(), person="patient", session="session"))
    assert row.forward.value == pytest.approx(plain.sensitivity.rows[0].forward.value, rel=1e-4)
    assert "no-cluster" not in {r.key for r in plain.sensitivity.rows}


def rows(*values: tuple[float, float]) -> tuple[SensitivityRow, ...]:
    """Made-up methods, each with an estimate and a half width."""
    made = []
    for i, (value, half) in enumerate(values):
        e = Estimate(value, half / 2, value - half, value + half, None, 0.5)
        assumes = Assumptions(f"means {i}", "t", "l", "r", "s")
        made.append(SensitivityRow(f"m{i}", f"Method {i}", assumes, e, e, 0.01, None, 10, 100))
    return tuple(made)


@pytest.mark.parametrize(
    ("values", "agree", "words"),
    [
        (((-0.2, 0.1), (-0.25, 0.1)), True, "Methods agree on WAI-SR → next CORE-OM: the effect is negative in all"),
        (((0.01, 0.1), (-0.02, 0.1)), True, "no interval leaves out zero"),
        (((-0.2, 0.1), (0.2, 0.1)), False, "clearly in the other direction"),
        (((-0.2, 0.1), (-0.12, 0.15)), True, "Not distinguishable from zero in Method 1 (−0.12 [−0.27, 0.03])"),
        (((-0.2, 0.05), (-0.05, 0.12)), False, "not distinguishable from zero"),
        (((-0.2, 0.05), (-0.5, 0.05)), False, "the intervals do not overlap"),
        (((-0.1, 0.15), (-0.2, 0.12)), True, "Distinguishable from zero only in Method 1"),
        (((-0.05, 0.1), (-0.2, 0.08)), False, "which leaves out zero where the main model does not"),
    ],
)
def test_agreement(values, agree, words):
    given = setting(sw.Study("core_om", "wai_sr"), panel(), 1)
    found = agreement(given, rows(*values))[0]
    assert found.agree is agree
    assert words in found.words
    assert found.words.startswith("Methods agree" if agree else "Methods disagree")
    if not agree:
        assert "it differs in person means (means 1, not means 0)" in found.words
        assert "expected to be off by 0.010 because of few sessions" in found.words


def test_nothing_to_compare():
    found = agreement(setting(sw.Study("core_om", "wai_sr"), panel(), 1), rows((-0.2, 0.1)))
    assert found[0].agree
    assert found[0].words.startswith("No comparison of methods")
