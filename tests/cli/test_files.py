"""A file of sessions: wide, dated, with every option of `read`."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import pytest

import sessionwise as sw
from sessionwise.cli.files import SessionsFile, read_options

from .commands import run


def test_wide_files(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    path.write_text("patient,core_1,core_2,core_3\n1,20,18,\n2,15,,12\n", encoding="utf-8")
    told = json.loads(run("describe", path, "--person", "patient", "--wide", "core_{}", "--json"))
    assert told["sample"]["sessions"] == 4


def test_persons_of_a_wide_file_may_be_its_rows(tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_text("x1,x2\n1,2\n3,4\n", encoding="utf-8")
    sessions = SessionsFile(tmp_path / "w.csv", None, wide=("x{}",))
    assert sessions.columns() == ("x1", "x2")
    rows = sessions.long_table()
    assert rows.roles.named() == {"person": "person", "session": "session"}
    assert rows.table["person"].to_list() == [1, 1, 2, 2]
    assert rows.panel().n_persons == 2


def test_no_session_column(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("p,y\n1,2\n1,3\n", encoding="utf-8")
    with pytest.raises(sw.SessionwiseError, match="no session column"):
        run("check", tmp_path / "x.csv", "--person", "p")


def test_every_option_of_read_can_be_given(tmp_path: Path) -> None:
    path = tmp_path / "german.csv"
    path.write_text("Klinik Nord\n\npatient;datum;core\n007;01.02.2023;1,5\n007;08.02.2023;-9\n", encoding="cp1252")
    reading = ["--read", "header_row=3", "--read", "dates.datum=%d.%m.%Y", "--read", "decimal=,"]
    told = json.loads(
        run("describe", path, "--person", "patient", "--number-by", "datum", "--missing", "-9", *reading, "--json")
    )
    assert told["sample"]["sessions"] == 2
    assert any(f["code"] == "sessions-numbered" for f in told["read"])


def test_options_of_read_are_arguments_of_read() -> None:
    texts = ("sheet=2", "keep=true", "redcap.base=0", "redcap.end=none", "spread=sex", "spread=age", "decimal=,")
    options = read_options(texts)
    assert options == {
        "sheet": 2,
        "keep": True,
        "redcap": {"base": 0, "end": None},
        "spread": ["sex", "age"],
        "decimal": ",",
    }
    elsewhere = {"path", "missing", "wide", "person"}  # options of their own
    with pytest.raises(sw.SessionwiseError) as caught:
        read_options(("wide=x{}",))
    known = caught.value.remedy.removeprefix("Options: ").removesuffix(".").split(", ")
    assert set(known) | elsewhere == set(inspect.signature(sw.read).parameters)
