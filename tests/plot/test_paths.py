"""Path diagrams: labels and nodes that do not overlap, at any number of waves and width."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import sessionwise as sw
from sessionwise import plot

NAMES = ("symptoms", "alliance")


def diagram(waves: int, *, equal: bool = False, intercepts: bool = True, negative: bool = False) -> plot.PathDiagram:
    rng = np.random.default_rng(3)
    labels = tuple(f"session {i + 1}" for i in range(waves))
    ways = list(itertools.product(NAMES, NAMES))
    arrows = []
    for start, end in itertools.pairwise(labels):
        for a, b in ways:
            estimate = (0.35 if a == b else -0.12) + (0 if equal else 0.05 * rng.normal())
            arrows.append(plot.Arrow(a, start, b, end, estimate, estimate - 0.08, estimate + 0.08))
    levels = plot.Intercepts((18.2, -0.02 if negative else 0.4), -0.45, -0.6, -0.3) if intercepts else None
    correlations = tuple(plot.Correlation(label, -0.3, -0.5, -0.1) for label in labels)
    return plot.PathDiagram(NAMES, labels, tuple(arrows), correlations, levels)


def places(rows: list[dict[str, Any]], width: int) -> list[tuple[float, float, str]]:
    """Label centres in pixels."""
    return [(row["_x"] * (width - 20) + row["_px"], row["_y"], row["_label"]) for row in rows if row["_label"]]


@pytest.mark.parametrize("intercepts", [True, False])
@pytest.mark.parametrize("width", [640, 360])
@pytest.mark.parametrize("waves", [2, 3, 6, 12])
def test_labels_do_not_overlap(waves: int, width: int, intercepts: bool) -> None:
    """A label is at most 6.2 pixels a letter wide and 12 high."""
    labels = places(plot.paths(diagram(waves, intercepts=intercepts), width=width).datasets["paths"], width)
    for (x, y, a), (u, v, b) in itertools.combinations(labels, 2):
        assert abs(x - u) >= 6.2 * (len(a) + len(b)) / 2 or abs(y - v) >= 12, (a, b)


def test_rows_are_the_arrows() -> None:
    d = diagram(4)
    chart = plot.paths(d)
    rows = plot.figure_table(chart)
    assert [row["kind"] for row in rows].count("cross-lagged") == 6
    assert rows[0]["from"] == "symptoms, session 1"
    assert rows[0]["estimate"] == pytest.approx(d.arrows[0].estimate)
    assert [row["kind"] for row in rows][-1] == "correlation"
    assert plot.figure_table(chart, "intercepts")[1] == {"variable": "alliance", "variance of random intercept": 0.4}


def test_equal_coefficients_are_written_once() -> None:
    chart = plot.paths(diagram(12, equal=True))
    labels = [row["_label"] for row in chart.datasets["paths"] if row["kind"] != "correlation" and row["_label"]]
    assert sorted(labels) == [".35", ".35", "−.12", "−.12"]
    assert "alliance → next symptoms −0.12 (95 % interval −0.20 to −0.04)" in plot.embed(chart).title


def test_thick_and_dashed() -> None:
    arrows = (
        plot.Arrow("a", "1", "b", "2", 0.5, 0.4, 0.6),
        plot.Arrow("b", "1", "a", "2", 0.05, -0.1, 0.2),
        plot.Arrow("a", "1", "a", "2", 0.05, -0.1, 0.2, significant=True, standardised=0.9),
    )
    rows = plot.paths(plot.PathDiagram(("a", "b"), ("1", "2"), arrows)).datasets["paths"]
    assert [row["_dash"] for row in rows] == [[1, 0], [5, 3], [1, 0]]
    assert rows[1]["_thick"] < rows[0]["_thick"] < rows[2]["_thick"]


def test_negative_variance_is_said() -> None:
    assert "A negative variance is impossible" in plot.embed(plot.paths(diagram(3, negative=True))).subtitle


def test_wave_labels_fit_their_boxes() -> None:
    boxes = [row["_text"] for row in plot.paths(diagram(8)).datasets["nodes"] if row["_node"] == "box"]
    assert boxes == [str(i) for i in range(1, 9)] * 2


def test_errors() -> None:
    with pytest.raises(sw.ModelError, match="two variables"):
        plot.paths(plot.PathDiagram(("a", "a"), ("1", "2"), ()))
    with pytest.raises(sw.ModelError, match="waves cannot be drawn"):
        plot.paths(plot.PathDiagram(("a", "b"), ("1",), ()))
    skip = plot.Arrow("a", "1", "b", "3", 0.1, 0.0, 0.2)
    with pytest.raises(sw.ModelError, match="neither to the next wave nor to the other variable"):
        plot.paths(plot.PathDiagram(("a", "b"), ("1", "2", "3"), (skip,)))
    unknown = plot.Arrow("a", "1", "bb", "2", 0.1, 0.0, 0.2)
    with pytest.raises(sw.ModelError, match="no variable 'bb'"):
        plot.paths(plot.PathDiagram(("a", "b"), ("1", "2"), (unknown,)))
