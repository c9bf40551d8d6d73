"""Delimited text: what is read, what is said about it, and what is refused."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessionwise.errors import ReadError
from sessionwise.read import read
from sessionwise.table import Table

REFERENCE = Path(__file__).parents[3] / "shared" / "reference"


@pytest.fixture
def write(tmp_path: Path):
    def write(content: str | bytes, name: str = "sessions.csv") -> Path:
        file = tmp_path / name
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    return write


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


# --- refused -------------------------------------------------------------------------------------------------------

REFUSED = {
    "empty": ("", "is empty", "sessions.csv", "xport"),
    "blank": ("\n \n", "is empty", "sessions.csv", "xport"),
    "header only": ("id,core\n", "no rows", "sessions.csv", "with the data"),
    "double name": ("id,core,core\n1,2,3\n", "'core' stands more than once", "line 1", "name of its own"),
    "no name": (",core\n1,2\n", "Column 1 has no name", "line 1", "row.names = FALSE"),
    "numbers for names": ("1,2\n3,4\n", "numbers only", "line 1", "column names"),
    "short line": ("id,core\n1,2\n3\n4,5\n", "line 3 has 1", "line 3", "Correct these lines"),
    "long line": ("id,core\n1,2\n3,4,5\n", "line 3 has 3", "line 3", "quotation marks"),
    "one short, one long": ("id,a,b\n1,2\n3,4,5,6\n", "2 lines have", "lines 2, 3", "Correct"),
    "short after quotes": ('id,a\n"x\ny",2\n\n3\n', "line 5 has 1", "line 5", "Correct"),
    "mixed delimiters": ("id;a;b\n1;2;3\n4,5,6\n", "line 3 has 1", "line 3", "separated by comma"),
    "second header": ("id,core\n1,2\nid,core\n3,4\n", "header line stands again", "line 3", "Take these lines out"),
    "open quote": ('id,core\n1,"2\n3,4\n', "quotation mark is opened", "line 2", "Close it"),
    "text after quote": ('id,core\n1,"2"x\n3,4\n', "cannot be split", "line 2", "quotation marks"),
    "title": ("Export of 3 May\nid,core\n1,2\n3,4\n", "header line has one field", "line 1", "header_row="),
    "spaces": ("id core wai\n1 2 3\n", "several words", "line 1", "delimiter="),
    "zero byte": ("id,core\n" + "1,2\n" * 2000 + "3,\0\n", "zero bytes", "line 2002", "again"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_place_and_remedy(write, case: str) -> None:
    content, what, where, remedy = REFUSED[case]
    with pytest.raises(ReadError) as caught:
        read(write(content))
    assert what in caught.value.what
    assert "sessions.csv" in caught.value.where
    assert where in caught.value.where
    assert remedy in caught.value.remedy


OPTIONS = [
    ({"sheet": 1}, "sheet="),
    ({"delimiter": "ab"}, "not one sign"),
    ({"decimal": "x"}, "decimal"),
    ({"encoding": "klingon"}, "encoding"),
    ({"encoding": "ascii"}, "do not fit"),
    ({"header_row": 9}, "lines 1 to 3"),
    ({"types": {"coer": "text"}}, "Did you mean 'core'?"),
    ({"types": {"core": "float"}}, "type 'float'"),
    ({"types": {"core": "number"}}, "declared a number"),
    ({"dates": {"core": "%d.%m.%Y"}}, "are not dates"),
    ({"missing": {"coer": 99}}, "Did you mean 'core'?"),
    ({"missing": object()}, "not a code"),
    ({"wide": "core_{}"}, "who is who"),
    ({"value_labels": "categories"}, "no meaning"),
    ({"redcap": True}, "neither"),
]


@pytest.mark.parametrize(("options", "what"), OPTIONS, ids=[str(o) for o, _ in OPTIONS])
def test_options_that_cannot_be_meant_are_refused(write, options: dict, what: str) -> None:
    with pytest.raises(ReadError, match="(?s)" + what.replace("?", r"\?")) as caught:
        read(write("id,core\n1,ü\n2,b\n"), **options)
    assert caught.value.remedy


MAGIC = {
    "gzip": (b"\x1f\x8b\x08\0", "Unpack"),
    "PDF": (b"%PDF-1.7", "CSV"),
    "SQLite": (b"SQLite format 3\0", "CSV"),
    "PNG": (b"\x89PNG\r\n", "CSV"),
    "web page": (b"<html><body>", "Excel"),
    "damaged": (b"PK\x03\x04abc", "again"),
    "workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1abc", "save"),
    "SPSS": (b"$FL2@(#) SPSS", "again"),
    "Parquet": (b"PAR1abc", "again"),
    "zero bytes": (bytes(range(256)), "export"),
}


@pytest.mark.parametrize("kind", MAGIC)
def test_other_kinds_of_file_are_named(write, kind: str) -> None:
    content, remedy = MAGIC[kind]
    with pytest.raises(ReadError) as caught:
        read(write(content))
    assert kind in str(caught.value)
    assert "sessions.csv" in caught.value.where
    assert remedy in caught.value.remedy


def test_a_zip_archive_is_named(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "a.csv", "w") as archive:
        archive.writestr("x.csv", "a,b\n1,2\n")
    with pytest.raises(ReadError, match="ZIP archive"):
        read(tmp_path / "a.csv")


def test_text_under_another_name_is_refused(write) -> None:
    with pytest.raises(ReadError, match=r"ends in \.xlsx"):
        read(write("id,core\n1,2\n", "book.xlsx"))


def test_paths(tmp_path: Path, write) -> None:
    write("id,core\n1,2\n", "sessions.csv")
    with pytest.raises(ReadError, match=r"Did you mean 'sessions\.csv'") as caught:
        read(tmp_path / "sesions.csv")
    assert caught.value.remedy
    with pytest.raises(ReadError, match="no folder"):
        read(tmp_path / "nowhere" / "a.csv")
    with pytest.raises(ReadError, match="a folder"):
        read(tmp_path)
    odd = write("id,core\n1,2\n", "a[1]*.csv")
    assert len(read(odd)) == 1


# --- properties ----------------------------------------------------------------------------------------------------

NUMBERS = st.floats(-1e6, 1e6).map(lambda x: round(x, 3))
WORDS = st.text(st.characters(codec="cp1252", exclude_categories=("Cc", "Zs", "Zl", "Zp")), min_size=1, max_size=8)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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

reference = pytest.mark.skipif(not REFERENCE.is_dir(), reason="the folder ../shared/reference is not there")


@reference
def test_sudden_gains() -> None:
    table = read(REFERENCE / "sudden_gains.csv", wide=["bdi_s{}", "rq_s{}"], person="id")
    assert table["id"].n_unique() == 43
    assert table["session"].min() == 0
    assert table["session"].max() == 12
    assert {"bdi", "rq"} <= set(table.columns)
    plain = read(REFERENCE / "sudden_gains.csv")
    assert plain["bdi_s0"].to_list()[:2] == [33, 26]
    assert said(plain, "missing-marker").count == 140
    assert "['bdi_s{}', 'rq_s{}']" in said(plain, "looks-wide").remedy


@reference
def test_wage_data() -> None:
    table = read(REFERENCE / "wage_data.csv")
    assert table.frame.shape == (4165, 6)
    assert table["lwage"][0] == 5.56067991256714
    assert not table.findings
