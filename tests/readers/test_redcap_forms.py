"""REDCap's other exports: one row a value (EAV), and labels in the header."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from helpers.workbooks import save, table
from sessionwise.errors import ReadError
from sessionwise.readers import read

EVENTS = """record,redcap_event_name,field_name,value
01,session_1_arm_1,record_id,01
01,session_1_arm_1,phq9,10
01,session_1_arm_1,seen,2020-01-31
01,session_1_arm_1,problems,1
01,session_1_arm_1,problems,3
01,session_2_arm_1,phq9,8
01,session_2_arm_1,problems,2
02,session_1_arm_1,record_id,02
02,session_1_arm_1,phq9,
02,session_1_arm_1,note,"felt ""well"", then not"
02,session_2_arm_1,phq9,7
"""


def test_one_row_a_record_and_event(write) -> None:
    found = read(write(EVENTS))
    assert found.columns[:3] == ("record_id", "session", "redcap_event_name")
    assert found["record_id"].to_list() == ["01", "01", "02", "02"]  # as written
    assert found["session"].to_list() == [1, 2, 1, 2]
    assert found["phq9"].to_list() == [10, 8, None, 7]
    assert found["seen"].dtype == pl.Date
    assert [found[f"problems___{i}"].to_list() for i in (1, 2, 3)] == [
        [1, 0, None, None],
        [0, 1, None, None],
        [1, 0, None, None],
    ]
    assert found["note"].to_list() == [None, None, 'felt "well", then not', None]
    assert found.row_numbers.tolist() == [2, 7, 9, 12]
    (note,) = (f for f in found.findings if f.code == "redcap-eav")
    assert note.count == 11


@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("event", ["redcap_event_name", "event", "event_name"])
def test_all_numbers_and_any_name_of_the_event(write, event: str, quote: str) -> None:
    rows = [("1.1", "session_1", "x", "1.50"), ("1.10", "session_1", "x", "2"), ("1.1", "session_2", "x", "3")]
    text = f"record,{event},field_name,value\n" + "".join(
        ",".join(f"{quote}{c}{quote}" for c in r) + "\n" for r in rows
    )
    found = read(write(text), person="record")
    assert found["record"].to_list() == ["1.1", "1.10", "1.1"]
    assert found["x"].to_list() == [1.5, 2, 3]


def test_repeated_instruments(write) -> None:
    head = "record,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,field_name,value\n"
    rows = ["1,,,,sex,f", "1,,phq,1,phq9,10", "1,,phq,2,phq9,8", "1,,wai,1,wai,5", "2,,phq,1,phq9,3"]
    found = read(write(head + "\n".join(rows) + "\n"), spread=["sex"], redcap={"": None})
    assert found.frame.select("record", "session", "sex", "phq9", "wai").rows() == [
        (1, 1, "f", 10, 5),
        (1, 2, "f", 8, None),
        (2, 1, None, 3, None),
    ]


def test_without_events_it_is_one_row_a_record(write) -> None:
    text = "record,field_name,value\n" + "".join(f"{p},core_{i},{p + i}\n" for p in (1, 2) for i in (1, 2, 3))
    found = read(write(text))
    assert found.frame.rows() == [(1, 2, 3, 4), (2, 3, 4, 5)]
    assert read(write(text), wide="core_{}", person="record")["core"].to_list() == [2, 3, 4, 3, 4, 5]


def test_codes_and_types_are_of_fields(write) -> None:
    text = "record,field_name,value\n1,x,-9\n1,z,007\n2,x,4\n2,z,5\n"
    found = read(write(text), missing={"x": -9}, types={"z": "number"})
    assert found.frame.rows() == [(1, None, 7), (2, 4, 5)]


def test_json_and_workbooks(tmp_path: Path, write) -> None:
    head, *rows = (line.split(",", 3) for line in EVENTS.splitlines())
    records = [dict(zip(head, row, strict=True)) for row in rows]
    found = read(write(json.dumps(records), "x.json"))
    assert found["phq9"].to_list() == [10, 8, None, 7]
    assert found.row_numbers.tolist() == [1, 6, 8, 11]
    file = save(tmp_path / "x.xlsx", {"S": table(head, *rows)})
    with pytest.raises(ReadError, match="saved as a workbook") as caught:
        read(file)
    assert "redcap=False" in caught.value.remedy
    assert read(file, redcap=False).columns == tuple(head)


def test_as_it_is(write) -> None:
    found = read(write(EVENTS), redcap=False)
    assert (found.columns[2:], len(found)) == (("field_name", "value"), 11)
    other = read(write("record,field_name,value,clinic\n1,x,2,A\n1,y,3,A\n"))
    assert len(other) == 2


REFUSED = [
    ("1,x,2\n,x,3\n", "without a 'record'"),
    ("1,x,2\n2,,3\n", "without a 'field_name'"),
    ("1,record,2\n2,x,3\n", "one of the export's own columns"),
    ("1,^a$,2\n2,x,3\n", "patterns of names"),
]


@pytest.mark.parametrize(("rows", "what"), REFUSED)
def test_what_cannot_be_turned(write, rows: str, what: str) -> None:
    with pytest.raises(ReadError, match=what) as caught:
        read(write("record,field_name,value\n" + rows))
    assert caught.value.remedy


def test_hostile_fields_and_a_limit(write) -> None:
    text = "record,field_name,value\n1,*,2\n1,a|b,3\n2,*,4\n"
    assert read(write(text)).frame.rows() == [(1, 2, 3), (2, 4, None)]
    wide = "record,field_name,value\n" + "".join(f"{i},x{i},1\n" for i in range(100))
    with pytest.raises(ReadError, match="100 rows and 100 columns"):
        read(write(wide), max_cells=500)


LABELS = "Record ID,Event Name,Repeat Instrument,Repeat Instance,PHQ total,Alliance\n"


@pytest.mark.parametrize("arm", ["", " (Arm 1: Treatment)"])
def test_labels_for_names(write, arm: str) -> None:
    text = LABELS + f"1,Session 1{arm},,,10,4\n1,Session 2{arm},,,8,5\n"
    found = read(write(text))
    assert found["session"].to_list() == [1, 2]
    (note,) = (f for f in found.findings if f.code == "redcap-labels")
    assert "'Event Name' as 'redcap_event_name'" in note.what
    assert read(write(text), redcap=False).columns[1] == "Event Name"
    named = read(write(text), redcap={f"Session 1{arm}": 0})
    assert named["session"].to_list() == [0, 2]


def test_labels_that_stand_twice_name_the_export_to_take(write) -> None:
    text = LABELS.replace("Alliance", "Complete?,Alliance,Complete?") + "1,Session 1,,,10,2,4,2\n"
    with pytest.raises(ReadError, match="'Complete\\?' stands more than once") as caught:
        read(write(text))
    assert "export the raw data" in caught.value.remedy


def test_a_column_called_so_elsewhere_is_no_export(write) -> None:
    found = read(write("id,session,Event Name\n1,1,a\n1,2,b\n"))
    assert found.columns == ("id", "session", "Event Name")
