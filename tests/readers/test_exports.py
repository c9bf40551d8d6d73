"""Files as programs write them: row names, short lines, padded titles, codes as text, signs in numbers, JSON."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import polars as pl
import pytest

from sessionwise.errors import ReadError
from sessionwise.readers import read


def codes(table) -> list[str]:
    return [f.code for f in table.findings if f.code != "delimiter"]


@pytest.mark.parametrize("names", [["0", "1", "2"], ['"1"', '"2"', '"3"'], ["1.1", "1.2", "2.1"], ["a", "b", "c"]])
@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_a_first_column_of_row_names_is_left_out(write, names: list[str], sign: str) -> None:
    text = "".join(f"{n}{sign}{i}{sign}1{sign}{i}\n" for i, n in enumerate(names))
    table = read(write(f'""{sign}id{sign}session{sign}x\n{text}'))
    assert table.columns == ("id", "session", "x")
    assert table["x"].to_list() == [0, 1, 2]
    assert codes(table) == ["row-names"]


@pytest.mark.parametrize("first", [["a", "a", "b"], ["a", "", "b"]])
def test_a_first_column_that_is_no_row_names_is_refused(write, first: list[str]) -> None:
    with pytest.raises(ReadError, match="Column 1 has no name"):
        read(write(",id,x\n" + "".join(f"{n},1,2\n" for n in first)))
    with pytest.raises(ReadError, match="Column 2 has no name"):
        read(write("id,,x\n1,2,3\n2,3,4\n"))


@pytest.mark.parametrize("quote", ["", '"'])
def test_lines_without_their_last_fields_are_read(write, quote: str) -> None:
    text = f"id;session;x;note\n1;1;4;{quote}x{quote}\n1;2;5\n2;1\n2;2;3;y\n"
    table = read(write(text))
    assert table.frame.rows() == [(1, 1, 4, "x"), (1, 2, 5, None), (2, 1, None, None), (2, 2, 3, "y")]
    (warning,) = (f for f in table.findings if f.code == "short-lines")
    assert (warning.count, "lines 3, 4" in warning.where) == (2, True)


BROKEN = {
    "a line break in a text": "id;s;x;note\n1;1;4;a\n1;2;5;it went\nwell;;;\n2;1\nagain;3;y\n",
    "pieces of one record": "id;s;x;note\na;1;4;a\nb;2\n5;well;y\nc;1;3;y\n",
    "one field only": "id;s;x\n1;1;4\nend of file\n",
    "too many": "id;s;x\n1;1;4\n1;2\n1;3;4;5\n",
}


@pytest.mark.parametrize("case", BROKEN)
def test_lines_that_are_no_short_records_are_refused(write, case: str) -> None:
    with pytest.raises(ReadError, match=r"too (few|many) or too (few|many)"):
        read(write(BROKEN[case]))


def test_a_title_padded_with_delimiters_is_named(write) -> None:
    file = write("Export of 3 May,,,\nid,session,x,y\n1,1,2,3\n1,2,3,4\n")
    with pytest.raises(ReadError, match="title above the header") as caught:
        read(file)
    assert "header_row=2" in caught.value.remedy
    assert read(file, header_row=2)["y"].to_list() == [3, 4]


MISSING = [
    ("#NULL!", ["#NULL!", "1", "2"], [None, 1, 2]),
    ("none", ["none", "TRUE", "false"], [None, True, False]),
    ("none", ["none", "2020-01-31", "2020-02-01"], [None, dt.date(2020, 1, 31), dt.date(2020, 2, 1)]),
    ("none", ["none", "30:05:00", "0:50:00"], [None, dt.timedelta(hours=30, minutes=5), dt.timedelta(minutes=50)]),
    ("none", ["none", "a", "b"], [None, "a", "b"]),
    ("none", ["none", "01", "02"], [None, "01", "02"]),
]


@pytest.mark.parametrize(("code", "cells", "values"), MISSING, ids=[m[1][1] for m in MISSING])
@pytest.mark.parametrize("named", [False, True])
def test_a_text_code_for_all_columns_leaves_their_types(write, code: str, cells, values, named: bool) -> None:
    file = write("id,x,y\n" + "".join(f"{i},{c},k\n" for i, c in enumerate(cells)))
    table = read(file, missing={"x": code} if named else code)
    assert table["x"].to_list() == values
    assert "text-in-numbers" not in codes(table)
    assert table["y"].to_list() == ["k", "k", "k"]


@pytest.mark.parametrize("marker", ["NA", "N/A", "NULL", ""])
def test_truth_values_with_missing_markers(write, marker: str) -> None:
    table = read(write(f'id,x\n1,TRUE\n2,FALSE\n3,"{marker}"\n'))
    assert table["x"].to_list() == [True, False, None]
    assert codes(table) == (["missing-marker"] if marker else [])


SIGNS = [
    (["1'234", "12", "1'234'567"], [1234, 12, 1_234_567], ["signs-taken-off"]),
    (["1’234.5", "12"], [1234.5, 12], ["signs-taken-off"]),
    (["1\xa0234", "12"], [1234, 12], ["signs-taken-off"]),
    (["1\u202f234", "12"], [1234, 12], ["signs-taken-off"]),
    (["1 234", "12"], [1234, 12], ["signs-taken-off"]),
    (["\u22121.5", "2"], [-1.5, 2], []),
    (["45%", "7.5 %", "100%"], [45, 7.5, 100], ["signs-taken-off"]),
    (["45%", "7"], ["45%", "7"], ["percents"]),
    (["12 34", "5"], ["12 34", "5"], ["text-in-numbers"]),
    (["a%", "5"], ["a%", "5"], ["text-in-numbers"]),
    (["2020-01-31T10:05:00Z"] * 2, [dt.datetime(2020, 1, 31, 10, 5)] * 2, ["time-zones"]),
    (["2020-01-31T10:05:00.5+01:00", "NA"], [dt.datetime(2020, 1, 31, 10, 5, 0, 500_000), None], None),
    (["2020-01-31 10:05+0200", "2020-01-31 10:05 +01"], [dt.datetime(2020, 1, 31, 10, 5)] * 2, ["time-zones"]),
]


@pytest.mark.parametrize(("cells", "values", "said"), SIGNS, ids=[s[0][0] for s in SIGNS])
def test_numbers_and_times_as_other_countries_write_them(write, cells, values, said) -> None:
    table = read(write("id;x\n" + "".join(f"{i};{c}\n" for i, c in enumerate(cells))))
    assert table["x"].to_list() == values
    assert said is None or codes(table) == said


NEAR = ["BDI_s3", "bdi_S_4", "bdi-s5", "dbi_s6", "bdis7"]


@pytest.mark.parametrize("name", NEAR)
def test_columns_nearly_like_a_pattern_are_named(write, name: str) -> None:
    table = read(write(f"id,bdi_s1,bdi_s2,{name},age1\na,1,2,3,4\nb,2,3,4,5\n"), wide="bdi_s{}", person="id")
    (warning,) = table.findings.warnings
    assert warning.code == "wide-near-miss"
    assert repr(name) in warning.what
    assert "age1" not in warning.what


RECORDS = [{"id": "007", "n": 1, "at": {"day": "2020-01-31"}}, {"id": "008", "n": None, "new": 2.5}]
JSON = {
    "an array": json.dumps(RECORDS),
    "an indented array": json.dumps(RECORDS, indent=2),
    "a record a line": "\n".join(map(json.dumps, RECORDS)) + "\n",
    "a byte order mark": "\ufeff" + json.dumps(RECORDS),
}


@pytest.mark.parametrize("how", JSON)
@pytest.mark.parametrize("name", ["x.json", "x.ndjson", "x.csv"])
def test_json_records(write, how: str, name: str) -> None:
    table = read(write(JSON[how], name))
    assert table.frame.to_dict(as_series=False) == {
        "id": ["007", "008"],
        "n": [1, None],
        "at.day": [dt.date(2020, 1, 31), None],
        "new": [None, 2.5],
    }


JSON_REFUSED = [
    ('[{"a": [1]}]', "is a list"),
    ('[{"a": 1}, 3]', "must be an object"),
    ('[{"a": 1},', "not JSON"),
    ('{"a": 1}\n{"a": \n', "not JSON"),
    ("[]", "no records"),
    ('[{"a":' * 100_000, "nested too deeply"),
    ('[{"": 1}]', "no name"),
]


@pytest.mark.parametrize(("text", "what"), JSON_REFUSED, ids=[r[1] for r in JSON_REFUSED])
def test_json_that_is_no_table_is_refused(write, text: str, what: str) -> None:
    with pytest.raises(ReadError, match=what) as caught:
        read(write(text, "x.json"))
    assert caught.value.remedy


def test_questionnaire_responses(write) -> None:
    def response(person: str, day: str, *answers: int) -> dict:
        items = [{"linkId": f"phq_{i}", "answer": [{"valueInteger": a}]} for i, a in enumerate(answers, 1)]
        group = {"linkId": "g", "item": items[1:]}
        more = {"linkId": "why", "answer": [{"valueCoding": {"code": "x"}}, {"valueCoding": {"code": "y"}}]}
        return {
            "resourceType": "QuestionnaireResponse",
            "subject": {"reference": person},
            "authored": day,
            "item": [items[0], group, more],
        }

    both = [response("Patient/1", "2020-01-31", 3, 2), response("Patient/2", "2020-02-01", 1, 0)]
    bundle = {"resourceType": "Bundle", "entry": [{"resource": r} for r in both]}
    for text in ("\n".join(map(json.dumps, both)), json.dumps(bundle)):
        table = read(write(text, "x.json"))
        assert table.frame.select("subject", "authored", "phq_1", "phq_2", "why").rows() == [
            ("Patient/1", dt.date(2020, 1, 31), 3, 2, "x;y"),
            ("Patient/2", dt.date(2020, 2, 1), 1, 0, "x;y"),
        ]


def test_rare_types_of_parquet(tmp_path: Path) -> None:
    from decimal import Decimal

    frame = pl.DataFrame(
        {
            "id": [1, 2],
            "bytes": [b"a", b"b"],
            "digits": pl.Series([1, 2], dtype=pl.Int128),
            "decimal": [Decimal("1.5"), Decimal("2")],
            "far": pl.Series([0, 2**30], dtype=pl.Int32).cast(pl.Date),
            "length": [dt.timedelta(hours=30), None],
        }
    )
    frame.write_parquet(tmp_path / "x.parquet")
    table = read(tmp_path / "x.parquet")
    assert table.frame.rows() == [
        (1, "a", 1, 1.5, dt.date(1970, 1, 1), dt.timedelta(hours=30)),
        (2, "b", 2, 2.0, None, None),
    ]
    assert sorted(codes(table)) == ["impossible-date", "type-changed", "type-changed", "type-changed"]
    with pytest.raises(ReadError, match="max_cells"):
        read(tmp_path / "x.parquet", max_cells=5)
