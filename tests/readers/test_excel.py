"""Excel workbooks: values as stored, oddities named with their address, everything else refused with a remedy."""

from __future__ import annotations

import datetime
from pathlib import Path

import polars as pl
import pytest

from sessionwise.errors import ReadError
from sessionwise.readers import read

openpyxl = pytest.importorskip("openpyxl")


@pytest.fixture
def book(tmp_path: Path):
    def book(rows: list[list[object]], *more: list[list[object]], name: str = "book.xlsx") -> Path:
        workbook = openpyxl.Workbook()
        workbook.active.title = "Sessions"
        for i, sheet in enumerate([rows, *more]):
            target = workbook.active if i == 0 else workbook.create_sheet(f"More {i}")
            for row in sheet:
                target.append(row)
        workbook.save(tmp_path / name)
        return tmp_path / name

    return book


def said(table, code: str):
    return next(f for f in table.findings if f.code == code)


def test_values_are_read_as_stored(book) -> None:
    day, stamp = datetime.date(2020, 1, 31), datetime.datetime(2020, 1, 31, 10, 5)
    table = read(book([["id", "n", "x", "day", "stamp", "word"], ["007", 1, 1 / 3, day, stamp, "müde"]]))
    assert table.frame.row(0) == ("007", 1, 1 / 3, day, stamp, "müde")
    assert table.frame.schema["n"] == pl.Int64
    assert table.frame.schema["day"] == pl.Date
    assert table.row_word == "row"
    assert table.row_numbers.tolist() == [2]


def test_all_digits_of_numbers_among_markers_are_kept(book) -> None:
    table = read(book([["id", "x"], [1, 0.123456789012], [2, "NA"], [3, 2]]))
    assert table["x"].to_list() == [0.123456789012, None, 2.0]
    assert read(book([["g"], ["f"], ["NULL"]]))["g"].to_list() == ["f", "NULL"]
    assert said(table, "missing-marker").count == 1


def test_numbers_stored_as_text_are_noted(book) -> None:
    table = read(book([["id", "x"], [1, "3"], [2, "4"]]))
    assert table["x"].to_list() == [3, 4]
    assert "columns x" in said(table, "numbers-as-text").where


def test_one_typing_error_keeps_the_column_text(book) -> None:
    table = read(book([["id", "x"], [1, 3], [2, "3o"], [3, 2], [4, 1]]))
    assert table["x"].to_list() == ["3", "3o", "2", "1"]
    assert "row 3" in said(table, "text-in-numbers").where


def test_times_of_day_are_times(book) -> None:
    time, midnight, stamp = datetime.time(10, 5), datetime.time(0), datetime.datetime(2020, 1, 31, 10, 5)
    rows = [["id", "t", "zero", "gap", "text", "mixed"], [1, time, midnight, time, time, stamp]]
    table = read(book([*rows, [2, midnight, midnight, "NA", "late", time], [3, None, None, None, None, None]]))
    assert table["t"].to_list() == [time, midnight, None]
    assert table["zero"].to_list() == [midnight, midnight, None]
    assert table["gap"].to_list() == [time, None, None]
    assert table["text"].to_list() == ["10:05:00", "late", None]
    assert [f.count for f in table.findings if f.code == "times-of-day"] == [2, 2, 1, 1]
    doubt = said(table, "times-among-dates")
    assert (doubt.severity, doubt.count, "row 3" in doubt.where) == ("warning", 1, True)
    assert table["mixed"][0] == stamp


def test_cells_of_blanks_are_missing_and_rows_of_them_blank(book) -> None:
    table = read(book([["id", "w"], [1, "a"], [" ", "  "], [3, "  "]]))
    assert table.frame.rows() == [(1, "a"), (3, None)]
    assert table.row_numbers.tolist() == [2, 4]
    assert "1 blank row" in said(table, "blank-rows").what


def test_error_cells_and_formulas_without_value_are_named(book, tmp_path: Path) -> None:
    file = book([["id", "x", "y"], [1, "=A2+1", 2], [2, 3, "#DIV/0!"]])
    workbook = openpyxl.load_workbook(file)
    workbook.active["C3"].data_type = "e"
    workbook.save(file)
    table = read(file)
    assert "B2" in said(table, "formula-without-value").where
    assert said(table, "formula-without-value").what.startswith("1 formula has no stored result and was")
    assert said(table, "error-cells").what.startswith("1 cell holds an error and was")
    assert "C3 (#DIV/0!)" in said(table, "error-cells").where
    assert table["x"].to_list() == [None, 3]


def test_stored_results_of_formulas_are_read(tmp_path: Path) -> None:
    xlsxwriter = pytest.importorskip("xlsxwriter")
    workbook = xlsxwriter.Workbook(str(tmp_path / "f.xlsx"))
    sheet = workbook.add_worksheet()
    sheet.write_row(0, 0, ["id", "x"])
    sheet.write_row(1, 0, [1])
    sheet.write_formula(1, 1, "=A2*2", None, 2)
    workbook.close()
    table = read(tmp_path / "f.xlsx")
    assert table["x"].to_list() == [2]
    assert not table.findings


def test_blank_rows_and_columns_before_the_table(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    for i, row in enumerate([["id", "x", "empty"], [1, 2], [], [2, 3]]):
        for j, value in enumerate(row):
            sheet.cell(4 + i, 3 + j, value)
    workbook.save(tmp_path / "b.xlsx")
    table = read(tmp_path / "b.xlsx")
    assert table.frame.to_dict(as_series=False) == {"id": [1, 2], "x": [2, 3], "empty": [None, None]}
    assert table.row_numbers.tolist() == [5, 7]
    assert said(table, "blank-rows").count == 1


def test_the_only_sheet_with_cells_is_read(book) -> None:
    assert read(book([], [["id"], [1]]))["id"].to_list() == [1]


def test_a_sheet_by_name_and_by_number(book) -> None:
    file = book([["a"], [1]], [["b"], [2]])
    assert read(file, sheet="More 1").columns == ("b",)
    assert read(file, sheet=1).columns == ("a",)


def test_a_title_above_the_header(book) -> None:
    file = book([["Clinic"], [], ["id", "x", "y"], [1, 2, 3]])
    with pytest.raises(ReadError, match="title") as caught:
        read(file)
    assert "header_row=3" in caught.value.remedy
    assert "row 1" in caught.value.where
    table = read(file, header_row=3)
    assert table["y"].to_list() == [3]
    assert table.row_numbers.tolist() == [4]


def test_a_workbook_named_csv_is_read_as_one(book) -> None:
    table = read(book([["id"], [1]], name="book.csv"))
    assert "Excel" in said(table, "content-not-extension").what


REFUSED = [
    ([["id"]], {}, "no rows", "row 1"),
    ([["id", "id"], [1, 2]], {}, "more than once", "row 1"),
    ([["id", "x", None], [1, 2, 3]], {}, "no name", "row 1"),
    ([[1, 2], [3, 4]], {}, "numbers only", "row 1"),
    ([["id"], [1]], {"sheet": "Sesions"}, "Did you mean 'Sessions'", "book.xlsx"),
    ([["id"], [1]], {"sheet": 3}, "sheets 1 to 1", "book.xlsx"),
    ([["id"], [1]], {"header_row": 30}, "header_row=30", "Sessions"),
    ([["id"], [1]], {"delimiter": ";"}, "no meaning", "book.xlsx"),
    ([["id"], ["a"]], {"types": {"id": "number"}}, "declared a number", "row 2"),
    ([], {}, "empty", "Sessions"),
]


@pytest.mark.parametrize(("rows", "options", "what", "where"), REFUSED, ids=[r[2] for r in REFUSED])
def test_refused_with_place_and_remedy(book, rows, options, what: str, where: str) -> None:
    with pytest.raises(ReadError) as caught:
        read(book(rows), **options)
    assert what in caught.value.what
    assert "book.xlsx" in caught.value.where
    assert where in caught.value.where
    assert caught.value.remedy


def test_several_sheets_are_listed(book) -> None:
    with pytest.raises(ReadError, match="2 sheets") as caught:
        read(book([["a"], [1]], [["b"], [2]]))
    assert "'Sessions', 'More 1'" in caught.value.remedy


def test_text_among_dates_is_named(tmp_path: Path) -> None:
    import datetime as dt

    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["p", "s", "seen"])
    for i in range(6):
        sheet.append([1, i + 1, "10.01.2023" if i == 3 else dt.datetime(2023, 1, 1 + i)])
    book.save(tmp_path / "mixed.xlsx")
    table = read(tmp_path / "mixed.xlsx")
    (warning,) = (f for f in table.findings if f.code == "mixed-dates")
    assert warning.count == 1
    assert "'10.01.2023'" in warning.what
    assert "column seen, row 5" in warning.where
