"""Which clusters robust errors take, and which are refused."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.multilevel import setup
from helpers.sessions import nested
from sessionwise.errors import ModelError
from sessionwise.mixed.inference import robust
from sessionwise.mixed.inference.clusters import clusters


@pytest.mark.parametrize(
    ("formula", "theta", "by", "n"),
    [
        ("y ~ x + (1 | p)", [1.0], "p", 24),
        ("y ~ x + (1 | p) + (1 | g)", [1.0, 1.0], "g", 6),
        ("y ~ x + (1 | g) + (1 | p)", [1.0, 1.0], "g", 6),
        ("y ~ x + (1 | p) + (1 | g) + (1 | c)", [1.0, 1.0, 1.0], "c", 3),
        ("y ~ x + (1 | p) + (1 | p:e)", [1.0, 1.0], "p", 24),
        ("y ~ x + (1 | g)", [1.0], "g", 6),
        ("y ~ x", [], "person", 24),
    ],
)
def test_clusters_by_default(formula, theta, by, n):
    s = setup(nested(3, 24), formula)
    r = robust(s.at_parameters(theta), s.design)
    assert (r.by, r.n_clusters) == (by, n)


def test_clusters_by_name_and_by_codes():
    formula = "y ~ x + (1 | p) + (1 | g)"
    s = setup(nested(3, 24), formula)
    solution = s.at_parameters([1.0, 1.0])
    named = robust(solution, s.design, "g")
    given = robust(solution, s.design, [f"T{c}" for c in s.column("g")])
    np.testing.assert_allclose(given.vcov, named.vcov, rtol=1e-12)
    assert (named.by, given.by) == ("g", "the codes given")


def refused(formula: str, theta: list[float], by: object, **residual: str) -> ModelError:
    s = setup(nested(3, 24), formula, **residual)
    solution = s.at_parameters(theta, [0.3] if residual else [])
    with pytest.raises(ModelError) as caught:
        robust(solution, s.design, s.column(by) if by in s.panel.columns else by)
    assert caught.value.remedy
    return caught.value


def test_clusters_that_cut_through_groups():
    error = refused("y ~ x + (1 | p) + (1 | g)", [1.0, 1.0], "p")
    assert "cut through groups of g," in error.what
    assert "lies in clusters" in error.where
    refused("y ~ x + (1 | p)", [1.0], "b")
    refused("y ~ x", [], "b", kind="ar1")


def test_crossed_factors_have_no_clusters_of_their_own():
    error = refused("y ~ x + (1 | p) + (1 | e)", [1.0, 1.0], None)
    assert error.where == "crossed grouping factors: p, e"


@pytest.mark.parametrize(
    ("by", "says"),
    [
        ([1, 2, 3], "shape"),
        ([None] * len(nested(3, 24)), "not known"),
        ([np.nan] * len(nested(3, 24)), "not known"),
        ([1] * len(nested(3, 24)), "at least two"),
    ],
)
def test_clusters_that_cannot_be(by, says):
    assert says in str(refused("y ~ x + (1 | p)", [1.0], by))


def test_the_nearest_name_of_clusters():
    assert "Did you mean 'p:e'?" in str(refused("y ~ x + (1 | p) + (1 | p:e)", [1.0, 1.0], "p:ee"))


def test_a_cluster_with_too_many_rows(monkeypatch):
    monkeypatch.setattr("sessionwise.mixed.inference.sandwich.MOST_ROWS", 3)
    error = refused("y ~ x + (1 + x | p)", [1.0, 0.0, 1.0], None)
    assert error.where.startswith("p 1")


def test_clusters_say_who_is_where():
    s = setup(nested(3, 24), "y ~ x + (1 | p) + (1 | g)")
    found = clusters(s.at_parameters([1.0, 1.0]), s.design, None)
    assert found.labels[found.codes].tolist() == s.panel["g"][s.design.rows].tolist()
