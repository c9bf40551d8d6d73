"""Which clusters robust errors take, and which are refused."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from points import setup, table

from sessionwise.errors import ModelError
from sessionwise.mixed.inference import robust
from sessionwise.mixed.inference.clusters import clusters


@pytest.mark.parametrize(
    ("formula", "theta", "by", "n"),
    [
        ("y ~ x + (1 | person)", [1.0], "person", 24),
        ("y ~ x + (1 | person) + (1 | therapist)", [1.0, 1.0], "therapist", 8),
        ("y ~ x + (1 | therapist) + (1 | person)", [1.0, 1.0], "therapist", 8),
        ("y ~ x + (1 | person) + (1 | therapist) + (1 | clinic)", [1.0, 1.0, 1.0], "clinic", 4),
        ("y ~ x + (1 | person) + (1 | person:spell)", [1.0, 1.0], "person", 24),
        ("y ~ x + (1 | therapist)", [1.0], "therapist", 8),
        ("y ~ x", [], "person", 24),
    ],
)
def test_clusters_by_default(formula, theta, by, n):
    s = setup(table(), formula)
    r = robust(s.at(theta), s.design)
    assert (r.by, r.n_clusters) == (by, n)


def test_clusters_by_name_and_by_codes():
    formula = "y ~ x + (1 | person) + (1 | therapist)"
    s = setup(table(), formula)
    solution = s.at([1.0, 1.0])
    named = robust(solution, s.design, "therapist")
    given = robust(solution, s.design, [f"T{c}" for c in s.column("therapist")])
    np.testing.assert_allclose(given.vcov, named.vcov, rtol=1e-12)
    assert (named.by, given.by) == ("therapist", "the codes given")


def refused(formula: str, theta: list[float], by: object, **residual: str) -> ModelError:
    s = setup(table(), formula, **residual)
    with pytest.raises(ModelError) as caught:
        robust(s.at(theta, [0.3] if residual else []), s.design, s.column(by) if by in s.panel.columns else by)
    assert caught.value.remedy
    return caught.value


def test_clusters_that_cut_through_groups():
    error = refused("y ~ x + (1 | person) + (1 | therapist)", [1.0, 1.0], "person")
    assert "cut through groups of therapist" in error.what
    assert "lies in clusters" in error.where
    refused("y ~ x + (1 | person)", [1.0], "half")
    refused("y ~ x", [], "half", kind="ar1")


def test_crossed_factors_have_no_clusters_of_their_own():
    error = refused("y ~ x + (1 | person) + (1 | spell)", [1.0, 1.0], None)
    assert "person" in error.where
    assert "spell" in error.where


@pytest.mark.parametrize(
    ("by", "says"),
    [
        ("persom", "Did you mean 'person'?"),
        ([1, 2, 3], "shape"),
        ([None] * len(table()), "not known"),
        ([np.nan] * len(table()), "not known"),
        ([1] * len(table()), "at least two"),
    ],
)
def test_clusters_that_cannot_be(by, says):
    assert says in str(refused("y ~ x + (1 | person)", [1.0], by))


def test_a_cluster_with_too_many_rows(monkeypatch):
    monkeypatch.setattr("sessionwise.mixed.inference.sandwich.MOST_ROWS", 3)
    error = refused("y ~ x + (1 + x | person)", [1.0, 0.0, 1.0], None)
    assert "person" in error.where


def test_clusters_say_who_is_where():
    s = setup(table(), "y ~ x + (1 | person) + (1 | therapist)")
    found = clusters(s.at([1.0, 1.0]), s.design, None)
    assert found.labels[found.codes].tolist() == s.panel["therapist"][s.design.rows].tolist()
