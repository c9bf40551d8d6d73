"""Delimited text: what is read, what is said about it, and what is refused."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.places import shared
from sessionwise.errors import ReadError
from sessionwise.panel.table import Table
from sessionwise.readers import read


def codes(table: Table) -> list[str]:
    return [f.code for f in table.findings]


def said(table: Table, code: str):
    return next(f for f in table.findings if f.code == code)


# --- read right ----------------------------------------------------------------------------------------------------


def test_a_clean_file_is_read_without_a_word(write) -> None:
    table = read(write("id,session,core\n1,1,2.5\n1,2,\n2,1,3\n"))
    assert table.frame.to_dict(as_series=False) == {"id": [1, 1, 2], "session": [1, 2, 1], "core": [2.5, None, 3.0]}
    assert not table.findings
    assert table.source == "sessions.csv"
    assert table.row_word == "line"
    assert table.row_numbers is None


@pytest.mark.parametrize(("sign", "name"), [(";", "semicolon"), ("\t", "tab"), ("|", "vertical bar")])
def test_other_delimiters_are_found_and_noted(write, sign: str, name: str) -> None:
    table = read(write("id,session,core\n1,1,2\n".replace(",", sign)))
    assert table.columns == ("id", "session", "core")
    assert name in said(table, "delimiter").what


def test_a_given_delimiter_is_used(write) -> None:
    assert read(write("id~core\n1~2\n"), delimiter="~")["core"].to_list() == [2]


def test_excel_s_sep_line_tells_the_delimiter(write) -> None:
    table = read(write("sep=|\nid|core\n1|2\n"))
    assert table["core"].to_list() == [2]
    assert table.row_numbers.tolist() == [3]


def test_decimal_commas_are_found_and_noted(write) -> None:
    table = read(write("id;core;n\n1;1,5;3\n2;2,25;4\n"))
    assert table["core"].to_list() == [1.5, 2.25]
    assert table["n"].to_list() == [3, 4]
    assert "core" in said(table, "decimal-comma").where


def test_quoted_decimal_commas_are_found_in_a_comma_file(write) -> None:
    assert read(write('id,core\n1,"1,5"\n2,"2,25"\n'))["core"].to_list() == [1.5, 2.25]


def test_commas_before_three_digits_are_a_doubt_unless_declared(write) -> None:
    file = write("id;core\n1;1,250\n2;2,500\n")
    table = read(file)
    assert table["core"].to_list() == ["1,250", "2,500"]
    assert "decimal=" in said(table, "thousands").remedy
    assert read(file, decimal=",")["core"].to_list() == [1.25, 2.5]


def test_cells_of_blanks_are_missing(write) -> None:
    table = read(write('id,word,pad\n1,a,007\n2,  ,  \n3,"\t",01\n'), types={"pad": "text"})
    assert table["word"].to_list() == ["a", None, None]
    assert table["pad"].to_list() == ["007", None, "01"]
    assert read(write("id,word\n1, a b \n2,\n"))["word"].to_list() == [" a b ", None]


def test_numbers_too_large_are_said_to_be(write) -> None:
    file = write("a,b\n1,1e400\n2,1.5\n")
    table = read(file)
    assert table["b"].to_list() == ["1e400", "1.5"]
    assert "too large" in said(table, "too-large").what
    with pytest.raises(ReadError, match="too large"):
        read(file, types={"b": "number"})


def test_one_is_counted_as_one(write) -> None:
    assert "1 row without any value was left out" in said(read(write("a,b\n1,\n2,2\n,\n")), "blank-rows").what
    assert "1 cell has leading zeros" in said(read(write("a,b\n1,07\n2,2\n")), "leading-zeros").what
    assert "1 of 3 cells is not a number" in said(read(write("a\n1\n3o\n2\n")), "text-in-numbers").what
    assert "1 line above the header was" in said(read(write("x\na,b\n1,2\n"), header_row=2), "lines-skipped").what


def test_points_beside_commas_in_another_column_are_a_doubt(write) -> None:
    table = read(write("id;core;wai\n1;1,5;2.75\n2;2,25;3.5\n"))
    assert table["wai"].to_list() == [2.75, 3.5]
    assert "wai" in said(table, "mixed-decimals").where


def test_points_before_three_digits_in_a_file_with_decimal_commas_are_a_doubt(write) -> None:
    table = read(write("id;core;wai\n1;1,5;2.750\n2;2,25;3.500\n"))
    assert table["wai"].to_list() == ["2.750", "3.500"]
    assert "column wai" in said(table, "thousands").where


@pytest.mark.parametrize("name", ["n", "cell", "v", "b", "0", "1", "nan"])
def test_column_names_used_inside_do_no_harm(write, name: str) -> None:
    table = read(write(f"{name},x\nNA,1.5\n3,2\n"))
    assert table[name].to_list() == [None, 3]


def test_comma_and_point_in_one_column_stay_text(write) -> None:
    table = read(write("id;core\n1;1,5\n2;2.5\n"))
    assert table["core"].to_list() == ["1,5", "2.5"]
    assert said(table, "mixed-decimals").severity == "warning"


@pytest.mark.parametrize("marker", ["NA", "N/A", "NaN", "NULL", "#N/A", ".", "na"])
def test_missing_markers_among_numbers_are_counted(write, marker: str) -> None:
    table = read(write(f"id,core\n1,2\n2,{marker}\n3,{marker}\n"))
    assert table["core"].to_list() == [2, None, None]
    note = said(table, "missing-marker")
    assert (note.count, marker in note.what, "core (2)" in note.where) == (2, True, True)


def test_markers_in_text_stay_and_are_named(write) -> None:
    file = write("id,gender\n1,f\n2,NA\n")
    table = read(file)
    assert table["gender"].to_list() == ["f", "NA"]
    assert "missing={'gender'" in said(table, "marker-in-text").remedy
    assert read(file, missing={"gender": "NA"})["gender"].to_list() == ["f", None]


def test_typing_errors_leave_the_column_text_and_lose_nothing(write) -> None:
    table = read(write("id,core\n1,2\n2,3o\n3,4 (?)\n4,4\n5,1\n"))
    assert table["core"].to_list() == ["2", "3o", "4 (?)", "4", "1"]
    warning = said(table, "text-in-numbers")
    assert warning.count == 2
    assert "lines 3, 4" in warning.where


def test_leading_zeros_stay(write) -> None:
    file = write("id,session,x\n007,1,1\n010,2,2\n")
    table = read(file)
    assert table["id"].to_list() == ["007", "010"]
    assert table["session"].to_list() == [1, 2]
    assert said(table, "leading-zeros").count == 2
    assert read(file, types={"id": "number"})["id"].to_list() == [7, 10]


def test_a_leading_zero_far_down_stays(write) -> None:
    rows = "".join(f"{i},1\n" for i in range(10, 5000)) + "05000,1\n"
    assert read(write("id,x\n" + rows))["id"].to_list()[-1] == "05000"


def test_plus_signs_and_too_long_numbers_stay(write) -> None:
    table = read(write("a,b,c\n+5,12345678901234567890,9007199254740993\n6,1,0.5\n"))
    assert table["a"].to_list() == ["+5", "6"]
    assert table["b"].to_list() == ["12345678901234567890", "1"]
    assert table["c"].to_list() == ["9007199254740993", "0.5"]
    assert codes(table).count("too-long") == 2


def test_infinity_and_nan_are_not_read_as_numbers(write) -> None:
    assert read(write("a,b\ninf,1\n2.5,1\n"))["a"].to_list() == ["inf", "2.5"]
    assert read(write("a,b\nnan,1\n2.5,1\n"))["a"].to_list() == [None, 2.5]


def test_iso_dates_are_read(write) -> None:
    table = read(write("id,day,stamp\n1,2020-01-31,2020-01-31 10:00\n2,,2020-02-01T11:30:15\n"))
    assert table.frame.schema["day"] == pl.Date
    assert table.frame.schema["stamp"] == pl.Datetime("us")
    assert table["stamp"].dt.minute().to_list() == [0, 30]


def test_other_dates_stay_text_unless_declared(write) -> None:
    file = write("id,day\n1,31.12.2020\n2,03.04.2020\n")
    assert "dates=" in said(read(file), "date-as-text").remedy
    assert str(read(file, dates={"day": "%d.%m.%Y"})["day"][1]) == "2020-04-03"


def test_dates_that_do_not_exist_stay_text(write) -> None:
    table = read(write("id,day\n1,2020-01-31\n2,2020-02-30\n"))
    assert table["day"].to_list() == ["2020-01-31", "2020-02-30"]
    assert "line 3" in said(table, "impossible-date").where


def test_truth_values(write) -> None:
    assert read(write("id,a,b\n1,TRUE,true\n2,,false\n3,FALSE,true\n"))["a"].to_list() == [True, None, False]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "utf-32", "utf-8"])
def test_encodings(write, encoding: str) -> None:
    table = read(write("id,name\n1,müde\n2,zart\n3,grün\n".encode(encoding)))
    assert table["name"].to_list() == ["müde", "zart", "grün"]
    assert ("encoding" in codes(table)) == (not encoding.startswith("utf-8"))


def test_utf8_letters_in_another_encoding_are_a_doubt(write) -> None:
    table = read(write("id,name\n1,müde\n".encode() + "2,grün\n".encode("cp1252")))
    assert said(table, "mixed-encoding").severity == "warning"


def test_quotes_line_breaks_and_blank_lines_keep_line_numbers(write) -> None:
    table = read(write('id,note\n1,"a\nb"\n\n2,"say ""no"", please"\n\n\n3,c\n'))
    assert table["note"].to_list() == ["a\nb", 'say "no", please', "c"]
    assert table.row_numbers.tolist() == [2, 5, 8]
    assert said(table, "blank-lines").count == 3


def test_a_quote_inside_a_field_is_read_as_it_stands(write) -> None:
    table = read(write('id,note,x\n1,5" nails,2\n\n2,a,3\n'))
    assert table["note"].to_list() == ['5" nails', "a"]
    assert table.row_numbers.tolist() == [2, 4]


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
def test_line_ends(write, end: str) -> None:
    table = read(write("id,core\n1,2\n2,3\n".replace("\n", end)))
    assert table.frame.to_dict(as_series=False) == {"id": [1, 2], "core": [2, 3]}


def test_rows_and_columns_without_anything_are_left_out_and_counted(write) -> None:
    table = read(write("id;core;;\n1;2;;\n;;;\n2;3;;\n"))
    assert table.columns == ("id", "core")
    assert table["id"].to_list() == [1, 2]
    assert table.row_numbers.tolist() == [2, 4]
    assert (said(table, "blank-rows").count, said(table, "empty-columns").count) == (1, 2)


def test_lines_above_the_header_are_left_out_on_request(write) -> None:
    table = read(write("Our clinic\nexport of May\nid,core\n1,2\n"), header_row=3)
    assert table["core"].to_list() == [2]
    assert table.row_numbers.tolist() == [4]
    assert "lines-skipped" in codes(table)


# --- properties ----------------------------------------------------------------------------------------------------

NUMBERS = st.floats(-1e6, 1e6).map(lambda x: round(x, 3))
WORDS = st.text(st.characters(codec="cp1252", exclude_categories=("Cc", "Zs", "Zl", "Zp")), min_size=1, max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(st.integers(-(10**9), 10**9), st.none() | NUMBERS, WORDS), min_size=1, max_size=30),
    sign=st.sampled_from([",", ";", "\t", "|"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"]),
    end=st.sampled_from(["\n", "\r\n"]),
    comma=st.booleans(),
    quotes=st.booleans(),
)
def test_what_is_written_is_read(tmp_path: Path, rows, sign, encoding, end, comma, quotes) -> None:
    import csv
    import io

    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=sign, lineterminator=end, quoting=csv.QUOTE_ALL if quotes else csv.QUOTE_MINIMAL)
    writer.writerow(["patient", "core", "word"])
    for n, x, word in rows:
        decimals = "" if x is None else f"{x:.3f}".replace(".", "," if comma else ".")
        writer.writerow([n, decimals, "w" + word])
    file = tmp_path / "x.csv"
    file.write_bytes(out.getvalue().encode(encoding))
    plain_utf16 = encoding == "utf-16-le"
    options = {"encoding": encoding if plain_utf16 or encoding == "cp1252" else None, "delimiter": sign}
    table = read(file, decimal="," if comma else ".", types={"word": "text"}, **options)
    assert table["patient"].to_list() == [n for n, _, _ in rows]
    assert table["word"].to_list() == ["w" + w for _, _, w in rows]
    assert table["core"].to_list() == [x for _, x, _ in rows]


def test_fast_and_exact_ways_agree(write) -> None:
    body = "".join(f"{i},{i % 7},{i / 8},t{i}\n" for i in range(10, 3000))
    fast = read(write("id,a,b,c\n" + body))
    exact = read(write('id,a,b,c\n"1",1,0.5,t\n' + body, "quoted.csv"))
    assert fast.frame.equals(exact.frame[1:])
    assert not fast.findings
    assert not exact.findings


# --- reference files -----------------------------------------------------------------------------------------------


def test_sudden_gains() -> None:
    table = read(shared("sudden_gains.csv"), wide=["bdi_s{}", "rq_s{}"], person="id")
    assert table["id"].n_unique() == 43
    assert table["session"].min() == 0
    assert table["session"].max() == 12
    assert {"bdi", "rq"} <= set(table.columns)
    plain = read(shared("sudden_gains.csv"))
    assert plain["bdi_s0"].to_list()[:2] == [33, 26]
    assert said(plain, "missing-marker").count == 140
    assert "['bdi_s{}', 'rq_s{}']" in said(plain, "looks-wide").remedy


def test_wage_data() -> None:
    table = read(shared("wage_data.csv"))
    assert table.frame.shape == (4165, 6)
    assert table["lwage"][0] == 5.56067991256714
    assert not table.findings


def test_declaring_the_text_makes_the_column_numeric(tmp_path: Path) -> None:
    """The remedy that a column kept as text names works as it is written."""
    file = tmp_path / "typo.csv"
    file.write_text("p,s,bdi,age\n1,1,12,30\n1,2,3o,30\n2,1,-9,99\n2,2,8,41\n", encoding="utf-8")
    kept = read(file)
    assert kept.frame["bdi"].dtype == pl.String
    (doubt,) = (f for f in kept.findings if f.code == "text-in-numbers")
    assert "missing={'bdi': ['3o']}" in doubt.remedy
    table = read(file, missing={"bdi": ["3o"]})
    assert table.frame["bdi"].to_list() == [12, None, -9, 8]
    assert not any(f.code == "text-in-numbers" for f in table.findings)
    both = read(file, missing={"*": [-9], "bdi": ["3o", -9], "age": 99})
    assert both.frame["bdi"].to_list() == [12, None, None, 8]
    assert both.frame["age"].to_list() == [30, 30, None, 41]


def test_a_settled_column_is_known_by_its_name_not_by_a_sentence(write) -> None:
    """Its name may hold what separates parts of a place."""
    file = write('"bdi, sum",bdi\n1,1\n3o,3o\n2,2\n')
    assert [f.column for f in read(file).findings] == ["bdi, sum", "bdi"]
    table = read(file, missing={"bdi, sum": ["3o"]})
    assert [f.column for f in table.findings if f.code == "text-in-numbers"] == ["bdi"]
    assert all("column" not in told for told in table.findings.to_dicts())
