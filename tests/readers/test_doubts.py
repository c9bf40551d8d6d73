"""Cells of which two readings are possible: thousands or decimals, identifiers or numbers, codes or values."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from sessionwise.errors import ReadError
from sessionwise.panel.table import Table
from sessionwise.readers import read


def codes(table: Table) -> list[str]:
    return [f.code for f in table.findings]


def said(table: Table, code: str):
    return next(f for f in table.findings if f.code == code)


# --- points ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", [";", "\t"])
def test_points_before_three_digits_are_a_doubt_unless_declared_or_shown(write, sign: str) -> None:
    text = "id;core;word\n1;1.234;a\n2;999;b\n3;12.500;c\n".replace(";", sign)
    table = read(write(text))
    assert table["core"].to_list() == ["1.234", "999", "12.500"]
    warning = said(table, "thousands")
    assert (warning.severity, "decimal=" in warning.remedy) == ("warning", True)
    declared = read(write(text), decimal=".")
    assert declared["core"].to_list() == [1.234, 999, 12.5]
    assert "thousands" not in codes(declared)
    shown = read(write(text.replace("word", "wai").replace("a", "2.5").replace("b", "").replace("c", "0.125")))
    assert shown.frame[:, 1].to_list() == [1.234, 999, 12.5]
    assert "thousands" not in codes(shown)
    assert "thousands" in codes(read(write(text), types={"core": "number"}))


def test_points_before_three_digits_are_decimals_in_a_comma_file(write) -> None:
    assert read(write("id,core\n1,1.234\n2,12.500\n"))["core"].to_list() == [1.234, 12.5]


def test_points_are_judged_by_the_whole_file(write) -> None:
    rows = "".join(f"{i};1.{i % 900 + 100}\n" for i in range(3000))
    assert "thousands" in codes(read(write("id;core\n" + rows)))
    assert "thousands" not in codes(read(write("id;core\n" + rows + "3000;2.5\n")))


# --- identifiers -----------------------------------------------------------------------------------------------------


IDENTIFIERS = [("1.1", "1.10"), ("1E4", "10000"), ("1,1", "1,10"), ("2.0", "2")]


@pytest.mark.parametrize("cells", IDENTIFIERS, ids=str)
@pytest.mark.parametrize("quote", ["", '"'])
def test_identifiers_that_would_be_one_number_stay_text(write, cells: tuple[str, str], quote: str) -> None:
    one, other = cells
    file = write(f"who;x\n{quote}{one}{quote};1\n{other};2\n{one} ;3\n")
    table = read(file, person="who")
    assert table["who"].to_list() == [one, other, one]
    assert said(table, "cells-merged").severity == "note"
    number = read(file, person="who", types={"who": "number"})
    assert number["who"].n_unique() == 1
    assert said(number, "cells-merged").severity == "warning"


def test_texts_that_differ_by_blanks_only_are_one_number(write) -> None:
    table = read(write("id,x\n1.1,1\n 1.1,2\n"), person="id")
    assert table["id"].to_list() == [1.1, 1.1]
    assert "cells-merged" not in codes(table)


def test_merged_cells_are_a_doubt_in_what_looks_like_an_identifier(write) -> None:
    by_name = said(read(write("case_no,x\n1.1,1\n1.10,2\n")), "cells-merged")
    assert (by_name.severity, by_name.count) == ("warning", 2)
    assert "'1.1' and '1.10'" in by_name.what
    assert "types={'case_no': 'text'}" in by_name.remedy
    assert "cells-merged" in codes(read(write("chart,x\n1E4,1\n10000,2\n")))
    rows = "".join(f"{10000 + i},{i}\n" for i in range(2000))
    assert "cells-merged" in codes(read(write("chart,x\n1E4,1\n" + rows)))


def test_measurements_written_in_several_ways_are_no_doubt(write) -> None:
    table = read(write("id,core,p\n1,1.5,1e-05\n2,1.50,0.00001\n3,2,0.5\n4,2.0,1\n"))
    assert table["core"].to_list() == [1.5, 1.5, 2, 2]
    assert not table.findings


# --- codes that mean missing -----------------------------------------------------------------------------------------


def test_codes_declared_missing_are_counted_by_column(write) -> None:
    file = write("id,core,wai\n1,99,5\n2,3,99\n99,99,-9\n")
    table = read(file, missing={"core": 99, "wai": [99, -9]})
    assert table["core"].to_list() == [None, 3, None]
    assert table["wai"].to_list() == [5, None, None]
    assert table["id"].to_list() == [1, 2, 99]
    notes = {f.what.split()[1]: f.where for f in table.findings if f.code == "declared-missing"}
    assert notes == {"99,": "columns core (2), wai (1)", "-9,": "columns wai (1)"}
    assert read(file, missing=99)["id"].to_list() == [1, 2, None]
    assert "in no cell" in said(read(file, missing=[77]), "declared-missing").what


def test_codes_without_a_column_are_looked_for_in_numbers_only(write) -> None:
    file = write("code,kind,core\n007,99,99\n098,a,3\n99,b,99\n")
    table = read(file, missing=[99])
    assert table["code"].to_list() == ["007", "098", "99"]
    assert table["kind"].to_list() == ["99", "a", "b"]
    assert table["core"].to_list() == [None, 3, None]
    assert read(file, missing={"kind": 99, "code": 99})["kind"].to_list() == [None, "a", "b"]
    assert read(file, missing=["99"])["kind"].to_list() == [None, "a", "b"]


def test_the_person_is_no_missing_code(write) -> None:
    file = write("patient,core\n98,99\n99,3\n")
    table = read(file, missing=[99], person="patient")
    assert table["patient"].to_list() == [98, 99]
    assert "missing-in-identifier" not in codes(table)
    warning = said(read(file, missing=[99]), "missing-in-identifier")
    assert warning.severity == "warning"
    assert "person='patient'" in warning.remedy
    named = read(file, missing={"patient": 99}, person="patient")
    assert named["patient"].to_list() == [98, None]
    assert "leave 'patient' out" in said(named, "missing-in-identifier").remedy


def test_codes_in_a_column_of_different_whole_numbers_are_a_doubt(write) -> None:
    file = write("nr,core\n" + "".join(f"{i},{i % 5}\n" for i in range(90, 120)))
    assert "column nr" in said(read(file, missing=99), "missing-in-identifier").where
    assert "missing-in-identifier" not in codes(read(file, missing=4))
    assert "missing-in-identifier" not in codes(read(file, missing={"nr": 99}))


@pytest.mark.parametrize("code", [9999999, -99999999.0, 0.5, 123456.75])
def test_codes_are_looked_for_with_all_their_digits(write, code: float) -> None:
    text = repr(code).removesuffix(".0")
    file = write(f"a,core,x\n1,{text},{text}\n2,3o,1\n3,2,2\n")
    table = read(file, missing={"core": code, "x": code})
    assert table["core"].to_list() == [None, "3o", "2"]
    assert table["x"].to_list() == [None, 1, 2]


def test_a_code_beyond_what_a_column_holds_is_in_no_cell(tmp_path: Path) -> None:
    pl.DataFrame({"x": pl.Series([1, 2], dtype=pl.Int8)}).write_parquet(tmp_path / "x.parquet")
    assert "in no cell" in said(read(tmp_path / "x.parquet", missing=999), "declared-missing").what


def test_person_must_exist(write) -> None:
    with pytest.raises(ReadError, match="Did you mean 'patient'"):
        read(write("patient,core\n1,2\n"), person="patiant")


LISTS = ["1,3", "2", "1,10", "1,1", "2,3", "3", "0,10", "0,1"]
DECIMALS = ["1,05", "2,125", "100,5", "-1,5", "1,5e3", ",5", "12,"]


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_commas_between_choices_are_not_decimal_signs(write, sign: str) -> None:
    def file(cells, other):
        rows = "".join(f'{i}{sign}"{c}"{sign}{o}\n' for i, (c, o) in enumerate(zip(cells, other, strict=True)))
        return write(f"id{sign}problems{sign}slider\n{rows}")

    beside = read(file(LISTS, [f"{i}.25" for i in range(8)]))  # another column has decimal points
    assert beside["problems"].to_list() == LISTS
    assert beside["slider"].dtype == pl.Float64
    (warning,) = (f for f in beside.findings.warnings if "problems" in f.what)
    assert (warning.code, "'slider'" in warning.what) == ("mixed-decimals", True)
    alone = read(file(LISTS, range(8)))  # '0,1' and '0,10' would be one number
    assert alone["problems"].to_list() == LISTS
    assert [f.code for f in alone.findings.warnings] == ["choices"]
    rising = ["1,3", "2,4", "3,5", "1,2", "4,9", "2,10", "5", "6,11"]
    assert read(file(rising, range(8)))["problems"].to_list() == rising
    for settled in ({"decimal": ","}, {"types": {"problems": "number"}}):
        assert read(file(LISTS, range(8)), **settled)["problems"].to_list() == [1.3, 2, 1.1, 1.1, 2.3, 3, 0.1, 0.1]
    assert not read(file(LISTS, range(8)), types={"problems": "text"}).findings.warnings


@pytest.mark.parametrize("cell", DECIMALS)
def test_a_cell_that_can_only_be_a_decimal_settles_the_file(write, cell: str) -> None:
    table = read(write(f"id;a;b\n1;1,3;{cell}\n2;1,10;2,5\n3;1,1;3,5\n"))
    assert table["a"].to_list() == [1.3, 1.1, 1.1]
    assert table["b"].dtype == pl.Float64
