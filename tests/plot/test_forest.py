"""Forest: rows in order, answers on one scale, reasons where there is none."""

from __future__ import annotations

import itertools
import math
from types import SimpleNamespace

import pytest

import sessionwise as sw
from sessionwise import plot

THERE, BACK = "alliance → symptoms", "symptoms → alliance"
MANY = [
    plot.Estimate(f"Method {i} with a name of some length", way, -0.1 + 0.01 * i, -0.2 + 0.01 * i, 0.015 * i)
    for way in (THERE, BACK)
    for i in range(-7, 7)
]


def test_rows_are_the_estimates() -> None:
    rows = plot.figure_table(plot.forest(MANY))
    assert [(row["method"], row["direction"]) for row in rows] == [(e.label, e.direction) for e in MANY]
    assert [row["estimate"] for row in rows] == pytest.approx([e.estimate for e in MANY])


def test_dicts_and_objects_do_as_well() -> None:
    as_dict = {"label": "A", "direction": THERE, "estimate": -0.1, "low": -0.2, "high": -0.05, "note": ""}
    as_object = SimpleNamespace(label="A", direction=THERE, estimate=-0.1, low=-0.2, high=-0.05)
    record = plot.Estimate("A", THERE, -0.1, -0.2, -0.05)
    charts = [plot.forest([given]).to_json() for given in (as_dict, as_object, record)]
    assert len(set(charts)) == 1


def test_title_says_how_large_effects_are() -> None:
    below, none, above = (-0.2, -0.3, -0.1), (0.0, -0.1, 0.1), (0.2, 0.1, 0.3)
    made = [plot.Estimate(f"{i}", THERE, *v) for i, v in enumerate((below, below, none))]
    assert plot.embed(plot.forest(made)).title == f"{THERE}: −0.2 to 0.0 by 3 methods"
    mixed = [*made, plot.Estimate("x", THERE, *above), plot.Estimate("y", BACK, *below), plot.Estimate("z", "w")]
    told = plot.embed(plot.forest(mixed)).title
    assert told == f"{THERE}: −0.2 to 0.2 by 4 methods; {BACK}: −0.2 by 1 method; w: no answer"


def test_reasons_stand_in_their_rows() -> None:
    reason = "fewer than three waves have enough persons for this model"
    chart = plot.forest([*MANY, {"label": "RI-CLPM", "direction": THERE, "estimate": math.nan, "note": reason}])
    row = next(row for row in plot.figure_table(chart) if row["method"] == "RI-CLPM")
    assert row["estimate"] is None
    assert row["note"] == reason
    assert "1 answer could not be had" in plot.embed(chart).subtitle
    assert reason in plot.alt_text(chart)
    placed = next(row for row in chart.datasets["estimates"] if row["method"] == "RI-CLPM")
    assert " ".join(placed["_reason"]) == reason


def test_rows_do_not_meet() -> None:
    """Each row is as high as its text."""
    rows = plot.forest(MANY).datasets["estimates"]
    places = [row["_label_y"] + 13 * i for row in rows for i in range(len(row["_label"]))]
    assert min(b - a for a, b in itertools.pairwise(places)) >= 13


def test_errors() -> None:
    with pytest.raises(sw.ModelError, match="no estimates"):
        plot.forest([])
    with pytest.raises(sw.ModelError, match=r"has no direction.\n  where:  estimate 1"):
        plot.forest([{"label": "A"}])
    with pytest.raises(sw.ModelError, match="does not hold the estimate"):
        plot.forest([plot.Estimate("A", THERE, 0.5, 0.1, 0.2)])


@pytest.mark.parametrize(
    ("ends", "text"),
    [
        ((-0.5, 0.25), "0.10 [−0.50, 0.25]"),
        ((-0.5, 0.5), "0.1 [−0.5, 0.5]"),
        ((-1234.5, 2000.4), "0 [−1,234, 2,000]"),
        ((-3e6, 5e6), "0 [−3,000,000, 5,000,000]"),
        ((-3e-5, 5e-5), "0.00000 [−0.00003, 0.00005]"),
    ],
)
def test_all_numbers_have_the_decimals_that_the_largest_needs(ends: tuple[float, float], text: str) -> None:
    value = 0.1 if abs(ends[1]) < 1 and abs(ends[1]) > 1e-3 else 0.0
    made = plot.forest([plot.Estimate("A", THERE, value, *ends)]).datasets["estimates"]
    assert [row["_text"] for row in made if row["_row"] == "estimate"] == [text]
