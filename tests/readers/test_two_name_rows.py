"""Names of groups above names of columns: refused with what reads the file, followed here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import xlsxwriter

from sessionwise.cli.files import read_options
from sessionwise.errors import Argument, ReadError, Wording
from sessionwise.readers import read
from sessionwise.readers.two_name_rows import joined_names

DATA = [["p1", "1", "3", "4", "2", "5"], ["p2", "2", "5", "4", "1", "5"]]
JOINED = ("id", "sex", "Session 1_phq", "Session 1_wai", "Session 2_phq", "Session 2_wai")
HEADS = {
    "gaps": ([",,Session 1,,Session 2,", "id,sex,phq,wai,phq,wai"], JOINED),
    "gaps in both": (["id,sex,Session 1,,Session 2,", ",,phq,wai,phq,wai"], JOINED),
    "repeated": ([",,Session 1,Session 1,Session 2,Session 2", "id,sex,phq,wai,phq,wai"], JOINED),
    "repeated, no gaps": (
        ["id,sex,Session 1,Session 1,Session 2,Session 2", ",,phq,wai,phq,wai"],
        JOINED,
    ),
    "lower names differ": (
        [",,Session 1,,Session 2,", "id,sex,phq1,wai1,phq2,wai2"],
        ("id", "sex", "Session 1_phq1", "Session 1_wai1", "Session 2_phq2", "Session 2_wai2"),
    ),
}


def save(folder: Path, head: list[str], kind: str) -> Path:
    rows = [*(line.split(",") for line in head), *DATA]
    file = folder / f"x.{kind}"
    if kind == "csv":
        file.write_text("".join(",".join(row) + "\n" for row in rows))
        return file
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet()
        for i, row in enumerate(rows):
            for j, cell in enumerate(row):
                if cell:
                    sheet.write(i, j, int(cell) if cell.isdigit() else cell)
    return file


@pytest.mark.parametrize("case", HEADS)
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_both_rows_are_offered_and_read(tmp_path: Path, case: str, kind: str) -> None:
    head, names = HEADS[case]
    file = save(tmp_path, head, kind)
    with pytest.raises(ReadError, match="names of groups") as caught:
        read(file)
    assert isinstance(caught.value.remedy, Wording)
    ways = [part for part in caught.value.remedy.parts if isinstance(part, Argument)]
    read_by = [read(file, **read_options(way.option[1:])).columns for way in ways]
    assert read_by[0] == names
    assert len(ways) == (2 if case == "lower names differ" else 1)
    assert all(way == tuple(head[1].split(",")) for way in read_by[1:])
    table = read(file, header_row=[1, 2])
    assert (table.columns, table[names[2]].to_list()) == (names, [3, 5])
    assert table.row_numbers.tolist() == [3, 4]
    assert [f.code for f in table.findings] == ["names-joined"]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_lower_row_alone_and_a_title(tmp_path: Path, kind: str) -> None:
    head, names = HEADS["gaps"]
    with pytest.raises(ReadError, match="above it tells the columns apart") as caught:
        read(save(tmp_path, head, kind), header_row=2)
    assert "header_row=[1, 2]" in caught.value.remedy
    file = save(tmp_path, ["Study of 2020,,,,,", *head], kind)
    with pytest.raises(ReadError, match="title above the header"):
        read(file)
    with pytest.raises(ReadError, match="tells the columns apart") as caught:
        read(file, header_row=3)
    assert "header_row=[2, 3]" in caught.value.remedy
    assert read(file, header_row=(2, 3)).columns == names


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_joined_names_are_turned_as_any_wide_file(tmp_path: Path, kind: str) -> None:
    file = save(tmp_path, HEADS["gaps"][0], kind)
    table = read(file, header_row=[1, 2], wide={"phq": "Session {}_phq", "wai": "Session {}_wai"}, person="id")
    assert table.frame.rows() == [
        ("p1", 1, 1, 3, 4),
        ("p1", 2, 1, 2, 5),
        ("p2", 1, 2, 5, 4),
        ("p2", 2, 2, 1, 5),
    ]


@pytest.mark.parametrize("text", [",id,group\n1,a,b\n2,a,c\n", ",id,group\nr1,a,b\nr2,a,c\n", "id,note,\na,b,\nc,d,\n"])
def test_files_that_were_read_before_are_read(write, text: str) -> None:
    assert len(read(write(text))) == 2


PADDED = {
    "Study X,,,\nid,session,phq,wai\np1,1,3,4\np1,2,3,5\n": 2,
    "Study X,,,\nof 2020,,,\nid,session,phq,wai\np1,1,3,4\np1,2,3,5\n": 3,
    "Study X,,,\n,id,session,phq\n1,p1,1,3\n2,p1,2,3\n": 2,
    "Study X,\nid,phq\np1,3\np1,3\n": 2,
    "Study X\nid,session,phq\np1,1,3\np1,2,3\n": 2,
    "Study X\n\nid,session,phq\np1,1,3\np1,2,3\n": 3,
    "Study X; of 2020\nid;session;phq\np1;1;3\np1;2;3\n": 2,
    "Study X, of 2020\nid;session;phq\np1;1;3\np1;2;3\n": 2,
}


@pytest.mark.parametrize("text", PADDED)
def test_the_remedy_for_a_title_reads_the_file(write, text: str) -> None:
    file = write(text)
    with pytest.raises(ReadError) as caught:
        read(file)
    (row,) = re.findall(r"header_row=(\d+)", caught.value.remedy)
    assert int(row) == PADDED[text]
    assert read(file, header_row=int(row))["phq"].to_list() == [3, 3]


@pytest.mark.parametrize("rows", [[1], [1, 3], [2, 1], ["1", "2"], [True, 2], [1, 2, 3], []])
def test_rows_that_do_not_follow_each_other_are_refused(write, rows: list[object]) -> None:
    with pytest.raises(ReadError, match="follow each other"):
        read(write("id,x\n1,2\n"), header_row=rows)


def test_rows_of_different_length_or_none_cannot_be_joined(write) -> None:
    with pytest.raises(ReadError, match="cannot be joined"):
        read(write("a,b\nc,d,e\n1,2,3\n"), header_row=[1, 2])
    with pytest.raises(ReadError):
        read(write("a,b\n"), header_row=[1, 2])


def test_names_are_joined_until_a_column_has_its_own() -> None:
    assert joined_names(["a", "", "b", "", "c"], ["", "x", "y", "z", ""]) == ["a", "x", "b_y", "b_z", "c"]
    assert joined_names(["id", "t1"], ["id", "t1"]) == ["id", "t1"]


TEXTS = {
    "questions": ["id,session,phq1,phq2", "Your code,Session,Little interest,Feeling down"],
    "blank above what is known": ["id,when,phq1,phq2", ",,Response,Response"],
    "some without a text": ["id,session,phq1,phq2", "Your code,,Little interest,Feeling down"],
}


@pytest.mark.parametrize("case", TEXTS)
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_texts_below_the_names_are_told_and_read_each_way(tmp_path: Path, case: str, kind: str) -> None:
    """As SurveyMonkey writes them. Declared missing, as was advised once, they became a person without values."""
    upper, lower = (line.split(",") for line in TEXTS[case])
    file = tmp_path / f"x.{kind}"
    rows = [upper, lower, ["p1", "1", "3", "4"], ["p1", "2", "2", "5"], ["p2", "1", "", ""]]
    if kind == "csv":
        file.write_text("".join(",".join(row) + "\n" for row in rows))
    else:
        with xlsxwriter.Workbook(file) as book:
            sheet = book.add_worksheet()
            for i, row in enumerate(rows):
                for j, cell in enumerate(row):
                    if cell:
                        sheet.write(i, j, int(cell) if cell.isdigit() else cell)
    with pytest.raises(ReadError, match="second row of names") as caught:
        read(file)
    assert isinstance(caught.value.remedy, Wording)
    ways = [part for part in caught.value.remedy.parts if isinstance(part, Argument)]
    assert len(ways) == 3
    both = read(file, **read_options(ways[0].option[1:]))
    assert (len(both), both[both.columns[2]].to_list()) == (3, [3, 2, None])
    if all(lower):
        assert read(file, **read_options(ways[1].option[1:])).columns == tuple(lower)
    as_told = read(file, **read_options(ways[2].option[1:]))
    assert (as_told.columns, len(as_told)) == (tuple(upper), 4)


@pytest.mark.parametrize(
    "first",
    ["p1,1,none,none", "p1,1,none,4", "x,x,3,none", "x,y,3,4"],
    ids=["a number in the row", "one column", "a number among texts", "numbers"],
)
def test_a_first_row_of_answers_is_no_second_header(tmp_path: Path, first: str) -> None:
    file = tmp_path / "x.csv"
    file.write_text(f"id,session,phq1,phq2\n{first}\np1,2,2,5\np2,1,3,1\n")
    assert len(read(file)) == 3
