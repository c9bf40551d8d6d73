"""What `detect` says of the data beside the events."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import sessionwise as sw


def panel(values: np.ndarray) -> sw.Panel:
    sessions = values.shape[1]
    who, when = np.divmod(np.arange(values.size), sessions)
    return sw.Panel(pl.DataFrame({"p": who, "s": when, "y": values.ravel()}), person="p", session="s")


def test_a_ceiling_is_said_and_is_in_the_false_alarms() -> None:
    values = np.minimum(5.0, np.round(5.3 + 0.5 * np.random.default_rng(1).standard_normal((300, 8)), 1))
    found = sw.detect(panel(values), sw.RuptureRepair("y"), patients=500)
    (warning,) = found.findings.warnings
    assert warning.code == "at-the-end-of-the-scale"
    assert warning.remedy
    assert found.false_alarms is not None
    assert found.false_alarms["flat"].course.high == 5.0
    with pytest.raises(sw.ModelError, match=r"shape is 'flatt'.*Did you mean 'flat'"):
        found.false_alarms["flatt"]


def test_equal_ratings_are_said() -> None:
    found = sw.detect(panel(np.full((5, 6), 2.0)), sw.SuddenGain("y", cutoff=1), patients=50)
    assert [finding.code for finding in found.findings] == ["all-equal"]


def test_who_had_too_few_ratings_is_counted() -> None:
    values = np.random.default_rng(2).standard_normal((30, 6))
    values[:4, 2:] = np.nan
    found = sw.detect(panel(values), sw.RuptureRepair("y"), patients=50)
    assert found.counts.assessed == 26
    (note,) = found.findings
    assert (note.code, note.count) == ("too-few-ratings", 4)


def test_a_method_and_the_function_are_one() -> None:
    given = panel(np.random.default_rng(3).standard_normal((40, 9)))
    rule = sw.RuptureRepair("y")
    assert str(rule.detect(given, patients=100, seed=4)) == str(sw.detect(given, rule, patients=100, seed=4))
