"""Small multiples of persons beside the course that was expected."""

from __future__ import annotations

import pytest

import sessionwise as sw


@pytest.fixture(scope="module")
def tracked() -> sw.TrackedCourse:
    panel = sw.Panel(sw.datasets.demo(persons=80, scale_scores=True), person="patient", session="session")
    return sw.ExpectedCourse("core_om").fit(panel).track(panel)


def test_ratings_bands_and_alarms_are_those_of_the_table(tracked: sw.TrackedCourse) -> None:
    who = str(tracked.persons[0])
    rows = sw.plot.expected_course(tracked, persons=[who]).to_dict()["datasets"]["ratings"]
    columns = tracked.columns()
    own = [i for i, label in enumerate(columns["person"]) if str(label) == who]
    assert [row["session"] for row in rows] == [columns["session"][i] for i in own]
    assert [row["rating"] for row in rows] == pytest.approx([columns["rating"][i] for i in own], rel=1e-6)
    assert rows[0]["low"] is None
    assert [r["low"] for r in rows[1:]] == pytest.approx([columns["course_low"][i] for i in own[1:]], rel=1e-6)


def test_without_names_those_not_on_track_are_drawn(tracked: sw.TrackedCourse) -> None:
    rows = sw.plot.expected_course(tracked).to_dict()["datasets"]["ratings"]
    assert {row["person"] for row in rows} == {str(label) for label in tracked.alarmed[:12]}


def test_nobody_to_draw(tracked: sw.TrackedCourse) -> None:
    with pytest.raises(sw.PanelError, match="no person 'nobody'"):
        sw.plot.expected_course(tracked, persons=["nobody"])
    with pytest.raises(sw.PanelError, match="on track"):
        sw.plot.expected_course(tracked, persons=[])
