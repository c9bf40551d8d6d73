"""Qualtrics exports: names, question texts and ImportIds above the answers, as CSV and as a workbook."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
import xlsxwriter

from sessionwise.errors import ReadError
from sessionwise.readers import read

NAMES = ["StartDate", "Status", "ResponseId", "id", "session", "PHQ9_1"]
TEXTS = [
    "Start Date",
    "Response Type",
    "Response ID",
    "Your\ncode",
    "session",
    "Over the last 2 weeks - Little interest",
]
IDS = [
    '{"ImportId":"startDate","timeZone":"Europe/Oslo"}',
    *(f'{{"ImportId":"{i}"}}' for i in ("status", "_recordId", "QID1_TEXT", "QID2", "QID3_1")),
]
ANSWERS = [
    ["2020-01-31 10:00:00", "IP Address", "R_1", "P1", "1", "0"],
    ["2020-02-07 10:00:00", "IP Address", "R_2", "P1", "2", ""],
    ["2020-02-07 11:00:00", "IP Address", "R_3", "P2", "1", "3"],
]


def save(folder: Path, rows: list[list[str]], kind: str, delimiter: str = ",") -> Path:
    file = folder / f"survey.{kind}"
    if kind == "csv":
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=delimiter).writerows(rows)
        file.write_bytes(text.getvalue().encode("utf-8-sig"))
        return file
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet()
        for i, row in enumerate(rows):
            for j, cell in enumerate(row):
                sheet.write(i, j, int(cell) if cell.isdigit() else cell)
    return file


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_rows_between_names_and_answers_are_left_out(tmp_path: Path, kind: str) -> None:
    table = read(save(tmp_path, [NAMES, TEXTS, IDS, *ANSWERS], kind))
    assert table.columns == tuple(NAMES)
    assert table["PHQ9_1"].to_list() == [0, None, 3]
    assert table["session"].to_list() == [1, 2, 1]
    assert table.frame["StartDate"].dtype.is_temporal()
    assert table.variable_labels["id"] == "Your code"
    assert "session" not in table.variable_labels  # the text says no more than the name
    (note,) = (f for f in table.findings if f.code == "qualtrics")
    assert note.count == 2
    # line 3 ends a text with a line break; in a workbook rows are counted
    assert table.row_numbers.tolist() == ([5, 6, 7] if kind == "csv" else [4, 5, 6])


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("above", [[IDS], [IDS, TEXTS]])
def test_the_row_of_import_ids_is_enough(tmp_path: Path, kind: str, above: list[list[str]]) -> None:
    table = read(save(tmp_path, [NAMES, *above[:1], *ANSWERS], kind))
    assert (table["PHQ9_1"].to_list(), dict(table.variable_labels)) == ([0, None, 3], {})


LEGACY = ["ResponseID", "ResponseSet", "IPAddress", "StartDate", "Finished"]
OLD = [["R_1", "Default", "1.1.1.1", "2014-01-31", "1"], ["R_2", "Default", "1.1.1.1", "2014-02-07", "1"]]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("own", [LEGACY, ["V1", "V2", "V3", "V4", "V5"]])
def test_the_legacy_format_has_texts_and_no_import_ids(tmp_path: Path, kind: str, own: list[str]) -> None:
    """qualtRics once skipped a patient's first row of it, as if ImportIds stood there (its pull request 43)."""
    rows = [[*own, "Q1", "Q2"], [*LEGACY, "Which session?", "Little interest"], *([*o, "1", "2"] for o in OLD)]
    table = read(save(tmp_path, rows, kind))
    assert (table["Q1"].to_list(), table["Q2"].to_list()) == ([1, 1], [2, 2])
    assert table.variable_labels["Q1"] == "Which session?"
    (note,) = (f for f in table.findings if f.code == "qualtrics")
    assert note.count == 1


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_row_of_import_ids_that_was_taken_out(tmp_path: Path, kind: str) -> None:
    table = read(save(tmp_path, [NAMES, TEXTS, *ANSWERS], kind))
    assert table["PHQ9_1"].to_list() == [0, None, 3]
    assert table.variable_labels["id"] == "Your code"


def test_answers_are_no_texts(tmp_path: Path) -> None:
    answers = [["Status", "Finished", "Start date", "Max"], ["name", "progress", "x", "Ida"]]
    table = read(save(tmp_path, [["Status", "progress", "name", "who"], *answers], "csv"))
    assert len(table) == 2


def test_semicolons_and_single_quotes(tmp_path: Path) -> None:
    ids = [i.replace('"', "'") for i in IDS]
    table = read(save(tmp_path, [NAMES, TEXTS, ids, *ANSWERS], "csv", ";"))
    assert table["PHQ9_1"].to_list() == [0, None, 3]


def test_a_title_above_the_names(tmp_path: Path) -> None:
    table = read(save(tmp_path, [["Survey of May"], NAMES, TEXTS, IDS, *ANSWERS], "csv"), header_row=2)
    assert table["session"].to_list() == [1, 2, 1]


def test_answers_of_a_preview_stay_and_are_told(tmp_path: Path) -> None:
    preview = ["2020-01-30 10:00:00", "Survey Preview", "R_0", "P0", "1", "1"]
    table = read(save(tmp_path, [NAMES, TEXTS, IDS, preview, *ANSWERS], "csv"))
    assert table["id"].to_list() == ["P0", "P1", "P1", "P2"]
    (warning,) = (f for f in table.findings if f.code == "survey-preview")
    assert (warning.severity, warning.count) == ("warning", 1)


def test_without_answers(tmp_path: Path) -> None:
    for kind in ("csv", "xlsx"):
        with pytest.raises(ReadError, match=r"no answers|no rows"):
            read(save(tmp_path, [NAMES, TEXTS, IDS], kind))


def test_json_in_some_cells_is_no_row_of_import_ids(tmp_path: Path) -> None:
    rows = [NAMES, ["", "", '{"ImportId":"QID1"}', "P0", "1", "0"], *ANSWERS]
    assert len(read(save(tmp_path, rows, "csv"))) == 4
