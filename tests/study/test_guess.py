"""What was not named: taken by the names of columns where only one can be meant, refused elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest

import sessionwise as sw
from sessionwise.study import guess


def panel(*columns: str) -> sw.Panel:
    frame = pl.DataFrame({"p": [1, 1, 2], "s": [1, 2, 1], **{name: [1.0, 2.0, 3.0] for name in columns}})
    return sw.Panel(frame, person="p", session="s")


def roles(columns: Sequence[str], **named: Any) -> guess.GuessedRoles:
    unnamed: dict[str, Any] = {"person": None, "session": None, "cluster": None, "wide": False, "dated": False}
    return guess.roles(lambda: columns, **unnamed | named)


def test_roles_that_are_not_named() -> None:
    columns = ["id", "session", "therapist", "x"]
    assert roles(columns) == guess.GuessedRoles(
        "id", "session", "therapist", {"person": "id", "session": "session", "cluster": "therapist"}
    )
    named = roles(columns, person="x", cluster="id")
    assert named == guess.GuessedRoles("x", "session", "id", {"session": "session"})
    with pytest.raises(sw.SessionwiseError, match="no session column was named, and none"):
        roles(["id", "x"])
    with pytest.raises(sw.SessionwiseError, match="no person column was named, and none"):
        roles(["x"], wide=False, dated=True)


def test_rows_of_a_wide_file_may_be_persons() -> None:
    assert roles(["x1", "x2"], wide=True) == guess.GuessedRoles(None, None, None, {"person": "each row"})
    assert roles(["id", "x1"], wide=True) == guess.GuessedRoles("id", None, None, {"person": "id"})


def test_columns_are_read_only_if_they_are_needed() -> None:
    def read() -> Sequence[str]:
        raise AssertionError

    for sessions in ({"session": "s"}, {"wide": True}, {"dated": True}):
        given = {"session": None, "wide": False, "dated": False, **sessions}
        assert guess.roles(read, person="p", cluster=None, **given).guessed == {}


@pytest.mark.parametrize(
    ("what", "columns", "found"),
    [
        ("person", ["Patient_ID", "session"], "Patient_ID"),
        ("person", ["id", "x"], "id"),
        ("session", ["id", "Session No."], "Session No."),
        ("session", ["id", "week"], None),
        ("cluster", ["therapist", "x"], "therapist"),
        ("person", ["name"], None),
    ],
)
def test_a_role_by_its_name(what: str, columns: list[str], found: str | None) -> None:
    assert guess.role(what, columns) == found


def test_two_that_could_be_meant_are_refused() -> None:
    with pytest.raises(sw.SessionwiseError, match="'id', 'patient'"):
        guess.role("person", ["id", "patient", "x"])


def test_scales_by_what_a_high_score_means() -> None:
    for columns, outcome, process, guessed in (
        (("core_om", "wai_sr", "age"), None, None, {"outcome": "core_om", "process": "wai_sr"}),
        (("phq_9", "wai_sr"), "phq_9", None, {"process": "wai_sr"}),
        (("a", "wai_sr"), "a", None, {"process": "wai_sr"}),
        (("a", "b"), "a", "b", {}),
    ):
        scales = guess.scales(panel(*columns), outcome, process)
        assert scales.guessed == guessed
        assert (scales.outcome, scales.process) == (
            outcome or guessed["outcome"], process or guessed["process"],
        )  # fmt: skip
    for unclear in (panel("ors", "srs"), panel("core_om", "wai_sr", "sai"), panel("a", "b")):
        with pytest.raises(sw.SessionwiseError, match="--outcome and --process"):
            guess.scales(unclear, None, None)


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(sw.SessionwiseError, match="Add -i core-om"):
        guess.scales(panel("a", "b"), "core_om_wellbeing", "b")
    with pytest.raises(sw.SessionwiseError, match="no column 'c'"):
        guess.scales(panel("a", "b"), "a", "b", ["c"])


def test_the_only_two_instruments() -> None:
    two = [*(f"core_om_{i}" for i in range(1, 35)), *(f"srs_{i}" for i in range(1, 5))]
    assert set(guess.instruments(two, None, None)) == {"core-om", "srs"}
    assert guess.instruments(two, "a", "b") == ()
    assert guess.instruments(two[:-1], None, None) == ()


def test_what_two_forms_share_is_the_longer_ones() -> None:
    columns = [*(f"phq{i}" for i in range(1, 10)), *(f"wai{i}" for i in range(1, 13))]
    assert set(guess.instruments(columns, None, None)) == {"phq-9", "wai-sr"}  # the PHQ-8 would fit, too


def test_an_item_is_no_score() -> None:
    """'phq_9' is the last of nine items here, not the PHQ-9's total; 'phq_8' is not the PHQ-8's."""
    items = [f"phq_{i}" for i in range(1, 10)]
    with pytest.raises(sw.SessionwiseError, match="--outcome and --process"):
        guess.scales(panel(*items, "wai_sr"), None, None)
    assert guess.scales(panel("phq_9", "wai_sr"), None, None).outcome == "phq_9"


def test_episodes_are_taken_by_their_name_where_roles_are_looked_for():
    found = roles(["client", "session", "treatment_no"])
    assert (found.episode, found.guessed["episode"]) == ("treatment_no", "treatment_no")
    assert roles(["client", "session", "episode", "course"]).episode is None
    assert roles(["client", "session", "treatment"]).episode is None
    assert roles(["client", "session", "episode"], person="client", session="session").episode is None
