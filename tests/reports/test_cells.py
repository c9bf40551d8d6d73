"""Text that a spreadsheet would run as a formula."""

from __future__ import annotations

import pytest

from sessionwise.reports.cells import guarded
from sessionwise.reports.csv_files import csv_text
from sessionwise.study import StudyTable
from sessionwise.study.study_table import Column


@pytest.mark.parametrize("text", ["=1+1", "+1-cmd", "-2+3", "@sum(a1)", "\t=1", "\r=1", "--1"])
def test_a_formula_has_an_apostrophe(text: str) -> None:
    assert guarded(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "-", "a=b", "-5", "+4.2", "-1e-5", "a-b", "'=1", "−0.2"])
def test_numbers_and_plain_text_stay(text: str) -> None:
    assert guarded(text) == text


def test_numbers_in_a_table_stay_numbers() -> None:
    columns = (Column("a", "A"), Column("b", "B", "number"))
    assert csv_text(StudyTable("t", "T", columns, (("=1+1", -1.5), ("-5", None)))) == "a,b\n'=1+1,-1.5\n-5,\n"
