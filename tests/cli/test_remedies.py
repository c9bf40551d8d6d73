"""Remedies as options of the command line."""

from __future__ import annotations

import pytest

from sessionwise.cli.remedies import in_options, reworded
from sessionwise.study.records import NotAnswered


@pytest.mark.parametrize(
    ("python", "options"),
    [
        (
            "Declare them: sessionwise.read(path, missing={'a': [-9, 99], 'b': ['n/a']}).",
            "Declare them: --missing a=-9 --missing a=99 --missing b=n/a.",
        ),
        ("sessionwise.read(path, missing={'a': [-9], ...}).", "--missing a=-9 ...."),
        ("sessionwise.read(path, missing={...}).", "--missing COLUMN=CODE."),
        ("sessionwise.read(path, missing={'column': ['text', ...]}).", "--missing column=text ...."),
        ("number_sessions(table, person='p', by='date', into='n').", "--number-by date."),
        ("score it with answers=(1, 7).", "score it with --answers NAME=1-7."),
        ("A smaller number, first_sessions=.", "A smaller number, --first-sessions."),
        ("Use lag=1.", "Use --lag 1."),
        ("number_sessions(table, by=...); on the command line, --number-by.",) * 2,
    ],
)
def test_remedies_in_options(python: str, options: str) -> None:
    assert in_options(python) == options


def test_what_is_not_answered_names_options() -> None:
    told = (NotAnswered("a", "b", "Use lag=1."), 3, ("x",))
    assert reworded(told) == (NotAnswered("a", "b", "Use --lag 1."), 3, ("x",))
    assert reworded(told[1:])[1] is told[2]
