"""SPSS, Stata and SAS files: labels, missing codes, types; Parquet."""

from __future__ import annotations

import datetime
import struct
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from sessionwise.errors import ReadError
from sessionwise.readers import read

pd = pytest.importorskip("pandas")
pyreadstat = pytest.importorskip("pyreadstat")

FRAME = {
    "id": [1.0, 2.0, 3.0],
    "core": [1.5, None, 99.0],
    "sex": [1.0, 2.0, 2.0],
    "word": ["a ", "bb", ""],
    "day": [datetime.date(2020, 1, 31), None, datetime.date(2021, 2, 1)],
}


@pytest.fixture
def sav(tmp_path: Path) -> Path:
    file = tmp_path / "sessions.sav"
    pyreadstat.write_sav(
        pd.DataFrame(FRAME),
        str(file),
        column_labels={"core": "Distress"},
        variable_value_labels={"sex": {1.0: "woman", 2.0: "man"}, "core": {0.0: "never"}},
        missing_ranges={"core": [99], "id": [{"lo": 3, "hi": 9}]},
    )
    return file


def said(table, code: str):
    return [f for f in table.findings if f.code == code]


def test_spss(sav: Path) -> None:
    table = read(sav)
    assert table.frame.to_dict(as_series=False) == {
        "id": [1, 2, None],
        "core": [1.5, None, None],
        "sex": [1, 2, 2],
        "word": ["a", "bb", None],
        "day": [datetime.date(2020, 1, 31), None, datetime.date(2021, 2, 1)],
    }
    assert table.frame.schema["id"] == pl.Int64
    assert table.variable_labels == {"core": "Distress"}
    assert table.value_labels["sex"] == {1: "woman", 2: "man"}
    assert [(f.count, f.where) for f in said(table, "user-missing")] == [(1, "columns id (1)"), (1, "columns core (1)")]
    assert table.row_numbers.tolist() == [1, 2, 3]


def test_value_labels_as_categories(sav: Path) -> None:
    table = read(sav, value_labels=["sex"])
    assert table.frame.schema["sex"] == pl.Enum(["woman", "man"])
    assert table["sex"].to_list() == ["woman", "man", "man"]
    every = read(sav, value_labels="categories")
    assert every["core"].to_list() == [1.5, None, None]
    assert "core" in said(every, "labels-mixed-with-numbers")[0].where
    with pytest.raises(ReadError, match=r"mixes value labels with numbers: 1\.5") as caught:
        read(sav, value_labels=["core"])
    assert "sessions.sav, column core" in caught.value.where
    with pytest.raises(ReadError, match="no labels for"):
        read(sav, value_labels=["word"])


def test_stata_extended_missing(tmp_path: Path) -> None:
    file = tmp_path / "sessions.dta"
    frame = pd.DataFrame({"id": [1, 2, 3], "x": pd.Series([1, "a", "b"], dtype=object)})
    pyreadstat.write_dta(frame, str(file), missing_user_values={"x": ["a", "b"]})
    table = read(file)
    assert table["x"].to_list() == [1, None, None]
    assert [f.what.split()[1] for f in said(table, "user-missing")] == [".a,", ".b,"]


@pytest.mark.parametrize(("ending", "writer"), [("xpt", "write_xport"), ("por", "write_por"), ("zsav", "write_sav")])
def test_other_kinds(tmp_path: Path, ending: str, writer: str) -> None:
    file = tmp_path / f"sessions.{ending}"
    getattr(pyreadstat, writer)(pd.DataFrame(FRAME), str(file), **({"compress": True} if ending == "zsav" else {}))
    table = read(file)
    assert table.frame.row(0) == (1, 1.5, 1, "a", datetime.date(2020, 1, 31))


def test_pandas_is_not_needed(sav: Path) -> None:
    code = (
        "import sys; sys.modules['pandas'] = None; from sessionwise.readers import read; "
        f"assert len(read({str(sav)!r})) == 3"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("ending", ["sav", "dta", "xpt", "por", "sas7bdat"])
def test_damaged(tmp_path: Path, ending: str) -> None:
    start = {
        "sav": b"$FL2",
        "dta": b"<stata_dta>",
        "xpt": b"HEADER RECORD*******LIBRARY",
        "por": b"0" * 40 + b"ASCII SPSS PORT FILE",
        "sas7bdat": bytes.fromhex("000000000000000000000000c2ea8160b31411cfbd92080009c7318c181f1011"),
    }[ending]
    file = tmp_path / f"x.{ending}"
    file.write_bytes(start + b"\1" * 300)
    with pytest.raises(ReadError) as caught:
        read(file)
    assert f"x.{ending}" in caught.value.where
    assert "again" in caught.value.remedy


def test_impossible_dictionaries_never_reach_the_parser(sav: Path) -> None:
    data = bytearray(sav.read_bytes())
    data[180:184] = b"\xa1\0\0\0"  # the first variable's width, its continuation records missing
    sav.write_bytes(data)
    with pytest.raises(ReadError, match="damaged or cut off"):
        read(sav)


def test_parquet(tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": ["007", "008"], "x": [1.5, float("nan")], "n": [1, None]})
    frame.write_parquet(tmp_path / "x.parquet")
    table = read(tmp_path / "x.parquet")
    assert table.frame.rows() == [("007", 1.5, 1), ("008", None, None)]
    assert said(table, "nan-missing")[0].count == 1
    frame.with_columns(pl.Series("l", [[1], [2]])).write_parquet(tmp_path / "l.parquet")
    with pytest.raises(ReadError, match="holds lists"):
        read(tmp_path / "l.parquet")


def _old_stata(version: int, missing: float) -> bytes:
    """Three columns of doubles in a format of Stata 5 (105) or 6 (108), the last one missing in the second row."""
    label = 32 if version < 108 else 81
    head = bytes([version, 2, 1, 0]) + struct.pack("<HI", 3, 3) + bytes(label) + b"01 Jan 1999 00:00".ljust(18, b"\0")
    names = b"".join(name.ljust(9, b"\0") for name in (b"id", b"s", b"y"))
    formats = b"%9.0g".ljust(12, b"\0") * 3
    rows = struct.pack("<9d", 1, 1, 2.5, 1, 2, missing, 2, 1, 3)
    return head + b"ddd" + names + bytes(8) + formats + bytes(27) + bytes(3 * label) + bytes(3) + rows


@pytest.mark.parametrize(
    ("version", "value", "read_as"),
    [(105, 2.0**333, None), (108, 2.0**1023, None), (108, 2.0**333, 2.0**333), (105, 1e100, 1e100)],
)
def test_what_old_stata_files_call_missing(tmp_path: Path, version: int, value: float, read_as: float | None) -> None:
    """pandas read the first as 1.7e100 (its issue 58149), and so does ReadStat."""
    file = tmp_path / "old.dta"
    file.write_bytes(_old_stata(version, value))
    assert read(file)["y"].to_list() == [2.5, read_as, 3.0]
