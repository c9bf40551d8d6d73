"""Tables as they are shown: three significant digits, points beneath each other, intervals."""

from __future__ import annotations

from dataclasses import replace

import pytest

import sessionwise as sw
from helpers.demo import result
from sessionwise.reports.printed_tables import minus, shown, side_by_side
from sessionwise.study import StudyTable
from sessionwise.study.records import Direction, Step
from sessionwise.study.study_table import Column


def texts(table: StudyTable) -> list[list[str]]:
    return [[cell.lines[0] for cell in row] for row in shown(table).rows]


def test_points_stand_beneath_each_other() -> None:
    table = StudyTable("t", "T", (Column("b", "b", "number"),), ((-0.936,), (0.0535,), (-17.0,), (None,), (1.5e-7,)))
    rows = [row[0] for row in texts(table)]
    assert rows == ["−0.936\u2007", "0.0535", "−17.0\u2007\u2007\u2007", "–", "1.50e-07"]
    lengths = {len(r) - r.index(".") for r in rows[:3]}
    assert lengths == {5}


def test_whole_numbers_leave_room_for_the_point() -> None:
    table = StudyTable("t", "T", (Column("b", "b", "number"),), ((0,), (1.25,)))
    assert [row[0] for row in texts(table)] == ["0\u2008\u2007\u2007", "1.25"]


def test_intervals_are_one_column_with_alike_decimals() -> None:
    columns = (
        Column("b", "b", "number"),
        Column("low", "Low", "number", "low"),
        Column("high", "High", "number", "high"),
        Column("p", "p", "p"),
        Column("s", "Share", "share"),
    )
    table = StudyTable("t", "T", columns, ((1.0, -0.0512, 0.61, 0.0001, 0.0512), (2.0, None, None, None, 1.0)))
    assert [h.title for h in shown(table).head] == ["b", "95 % interval", "p", "Share"]
    assert texts(table) == [["1.00", "[−0.051, 0.610]", "<.001", "5.1 %"], ["2.00", "", "–", "100.0 %"]]
    assert [row[1].by for row in shown(table).rows] == [-0.0512, None]


@pytest.mark.parametrize(("given", "said"), [("-0.5", "−0.5"), ("core-10", "core-10"), ("a -.5", "a −.5")])
def test_minus(given: str, said: str) -> None:
    assert minus(given) == said


def test_models_stand_side_by_side(result: sw.StudyResult) -> None:
    one = result.forward
    assert isinstance(one, Direction)
    table = side_by_side(result.tables()["forward_models"], one)
    assert [h.title for h in table.head] == ["", *(s.label for s in one.steps)]
    assert "AIC" not in [row[0].lines[0] for row in table.rows]
    assert any("same sessions" in note for note in table.notes)
    sessions = next(row for row in table.rows if row[0].lines == ("Sessions",))
    assert [cell.lines for cell in sessions[1:]] == [(f"{s.sessions:,}",) for s in one.steps]
    intercept = table.rows[0][1]
    assert len(intercept.lines) == 2
    assert intercept.lines[1].startswith("[")
    assert len(table.rows) - table.foot == len({c.label for s in one.steps for c in s.coefficients if not c.course})
    assert all(len(row) == len(table.head) for row in table.rows)
    names = [row[0].lines[0] for row in table.rows]
    assert names[0] == "Intercept"
    assert names[-1] == "Patients"
    assert len(names) == len(set(names))


def test_a_singular_fit_is_noted_below_its_model(result: sw.StudyResult) -> None:
    """Whatever the words of its verdict."""
    one = result.forward
    assert isinstance(one, Direction)
    first, *others, last = (step for step in one.steps if isinstance(step, Step))
    first = replace(first, singular=False, verdict="Not singular at all.")
    one = replace(one, steps=(first, *others, replace(last, singular=True, verdict="Edge.")))
    made = replace(result, forward=one).tables()["forward_models"]
    notes = side_by_side(made, one).notes
    assert f"{last.label}: Edge." in notes
    assert not any("at all" in note for note in notes)
    assert notes[-1] == made.notes[-1]


def test_the_foot_is_what_is_told_of_whole_models():
    """A free course has many coefficients that are not listed: they count for nothing there."""
    one = result().forward
    table = result().tables()["forward_models"]
    shown = side_by_side(table, one)
    listed = {c.label for step in one.steps for c in step.coefficients if not c.course}
    assert any(c.course for step in one.steps for c in step.coefficients)
    assert shown.foot == len(shown.rows) - sum(row[0].lines[0] in listed for row in shown.rows)
    assert 0 < shown.foot < len(shown.rows)
