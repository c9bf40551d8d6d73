"""Options of `read` that cannot be meant are refused, on the command line too; codes that occur nowhere are told."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from helpers.workbooks import KINDS, save, table
from sessionwise.cli.app import app
from sessionwise.cli.files import SessionsFile
from sessionwise.errors import ReadError, SessionwiseError
from sessionwise.readers import read

CSV = "id,session,x\n1,1,3\n1,2,4\n"
NONSENSE = ["--5", "-5", "0", "1e3", "x", "", "true", "None", "1,2", "1.5"]


@pytest.mark.parametrize("value", NONSENSE)
@pytest.mark.parametrize(
    "option", ["sheet", "header_row", "max_cells", "delimiter", "decimal", "encoding", "redcap", "keep"]
)
@pytest.mark.parametrize("kind", ["csv", *KINDS])
def test_nonsense_on_the_command_line(tmp_path: Path, kind: str, option: str, value: str) -> None:
    file = tmp_path / f"x.{kind}"
    if kind == "csv":
        file.write_text(CSV)
    else:
        save(file, {"S": table(["id", "session", "x"], [1, 1, 3], [1, 2, 4])})
    words = ["check", str(file), "--person", "id", "--session", "session", "--read", f"{option}={value}"]
    done = CliRunner().invoke(app, words)
    assert isinstance(done.exception, SessionwiseError), (done.exception, done.output)
    assert done.exception.remedy


@pytest.mark.parametrize(
    "events", [{"session_1_arm_1": "x"}, {"session_1_arm_1": 1.5}, {"session_1_arm_1": True}, "x", 1]
)
def test_numbers_of_events(write, events: object) -> None:
    file = write("record_id,redcap_event_name,x\n1,session_1_arm_1,3\n")
    with pytest.raises(ReadError, match="redcap="):
        read(file, redcap=events)


def test_what_has_no_meaning_for_a_file_is_refused(write) -> None:
    with pytest.raises(ReadError, match="but for a REDCap export"):
        read(write(CSV), spread=["x"])
    with pytest.raises(ReadError, match="but for a wide file") as caught:
        read(write(CSV), keep=True)
    assert "--wide" in caught.value.what.for_command_line()
    with pytest.raises(ReadError, match="spread is 5"):
        read(write(CSV), spread=5)
    export = "record_id,redcap_event_name,sex,x\n1,session_1_arm_1,f,3\n1,session_2_arm_1,,3\n"
    assert read(write(export), spread="sex")["sex"].to_list() == ["f", "f"]


def test_sessions_without_a_value_are_kept_for_rows_without_a_name(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("core_1,core_2\n1,2\n3,\n5,6\n")
    for keep, sessions in (("true", 6), ("false", 5)):
        files = SessionsFile(file, person=None, wide=("core_{}",), read=(f"keep={keep}",))
        assert len(files.long_table().table) == sessions


@pytest.mark.parametrize("kind", ["csv", *KINDS])
def test_a_code_that_occurs_nowhere_is_told(tmp_path: Path, kind: str) -> None:
    file = tmp_path / f"x.{kind}"
    if kind == "csv":
        file.write_text(CSV)
    else:
        save(file, {"S": table(["id", "session", "x"], [1, 1, 3], [1, 2, 4])})
    found = read(file, missing={"*": [-99, "n/a"], "x": [4, 77]})
    said = {f.what for f in found.findings if f.code == "declared-missing"}
    assert {
        "Code -99, declared missing, was found in no cell.",
        "Code 77, declared missing, was found in no cell.",
    } < said
    assert "Code 4, declared missing, was set missing in 1 cell." in said
    words = ["check", str(file), "--person", "id", "--session", "session", "--missing", "-99"]
    done = CliRunner().invoke(app, words, env={"COLUMNS": "300"})
    assert "Code -99, declared missing, was found in no cell" in " ".join(done.output.split())


@pytest.mark.parametrize("kind", ["csv", *KINDS])
def test_columns_without_a_name(tmp_path: Path, kind: str) -> None:
    rows = [["id", None, "x", None, None], [1, None, 3, None, None], [2, None, 4, None, None]]
    filled = [["id", None, "x", None], [1, 7, 3, 8], [2, 7, 4, 9]]
    for cells, what in ((rows, None), (filled, "Columns 2, 4 have no name but have cells")):
        file = tmp_path / f"x.{kind}"
        if kind == "csv":
            file.write_text("".join(",".join("" if c is None else str(c) for c in row) + "\n" for row in cells))
        else:
            save(file, {"S": table(*cells)})
        if what is None:
            assert read(file).columns == ("id", "x")
            continue
        with pytest.raises(ReadError, match=what):
            read(file)


RECORDS = {
    "id": [1, 2, 3],
    "a": [{"b": 1, "c": {"d": "x"}}, None, {"b": None, "c": None}],
    "*": [{"*": 1.5}, None, None],
}


def test_records_in_parquet_become_columns(tmp_path: Path) -> None:
    pl.DataFrame(RECORDS).write_parquet(tmp_path / "x.parquet")
    found = read(tmp_path / "x.parquet")
    assert found.columns == ("id", "a.b", "a.c.d", "*.*")
    assert found.frame.rows() == [(1, 1, "x", 1.5), (2, None, None, None), (3, None, None, None)]
    (note,) = found.findings
    assert (note.code, note.count) == ("records-opened", 2)


LISTS = {
    "a list": ({"a": [[1, 2], None, [3]]}, "Column 'a' holds lists"),
    "a list in a record": ({"a": [{"b": [1]}, None, None]}, "Column 'a.b' holds lists"),
    "records in a list": ({"a": [[{"b": 1}], None, None]}, "Column 'a' holds lists"),
    "a name twice": ({"a": [{"b": 1}] * 3, "a.b": [1, 2, 3]}, "'a.b' stands more than once"),
    "a pattern": ({"^a": [{"b$": 1}] * 3}, "patterns of names"),
}


@pytest.mark.parametrize("case", LISTS)
def test_lists_in_parquet_are_refused(tmp_path: Path, case: str) -> None:
    columns, what = LISTS[case]
    pl.DataFrame({"id": [1, 2, 3], **columns}).write_parquet(tmp_path / "x.parquet")
    with pytest.raises(ReadError, match=what) as caught:
        read(tmp_path / "x.parquet")
    assert caught.value.remedy
