"""R's data files, and those of jamovi and JASP, which are not read. The files are made by R: tests/reference/r_data."""

from __future__ import annotations

import datetime as dt
import sys
import zipfile
from pathlib import Path

import pytest

from helpers.places import ROOT
from sessionwise.errors import ReadError
from sessionwise.readers import read

FILES = ROOT / "tests" / "reference" / "r_data"


@pytest.fixture
def rdata() -> None:
    pytest.importorskip("rdata")


SAME = ["gzip.rds", "xz.rds", "bzip2.rds", "plain.rds", "ascii.rds", "version2.rds", "tibble.rds", "one.RData"]


@pytest.mark.usefixtures("rdata")
@pytest.mark.parametrize("name", SAME)
def test_a_data_frame_however_it_was_saved(name: str) -> None:
    table = read(FILES / name)
    day, stamp, span = dt.date, dt.datetime, dt.timedelta
    assert {name: table[name].to_list() for name in table.columns} == {
        "id": ["a", "a", "b", None],
        "session": [1, 2, 3, 4],
        "phq": [1.5, None, 3.0, None],
        "whole": [1, 2, 3, 4],
        "sex": ["f", "m", None, "f"],
        "ok": [True, None, False, True],
        "day": [day(2020, 1, 31), None, day(2020, 2, 29), day(1899, 12, 31)],
        "at": [stamp(2020, 7, 1, 10), stamp(2020, 1, 1, 10), None, None],
        "len": [span(minutes=30), span(minutes=90), None, span(minutes=1)],
        "gender": [1, 2, None, 1],
        "ü": ["ø", "x", "y", "z"],
    }
    assert table["sex"].dtype.categories.to_list() == ["m", "f"]
    assert table.variable_labels == {"phq": "PHQ total", "gender": "Gender"}
    assert table.value_labels == {"gender": {1: "Man", 2: "Woman"}}
    assert [f.code for f in table.findings] == ["time-zones"]


@pytest.mark.usefixtures("rdata")
def test_one_of_several_data_frames() -> None:
    with pytest.raises(ReadError, match="2 data frames") as caught:
        read(FILES / "two.RData")
    assert "sheet='d'" in caught.value.remedy
    assert [len(read(FILES / "two.RData", sheet=sheet)) for sheet in ("d", "d2", 1, 2)] == [4, 2, 4, 2]
    for wrong in ("d3", 0, 3, -1, ""):
        with pytest.raises(ReadError, match="no data frame"):
            read(FILES / "two.RData", sheet=wrong)
    with pytest.raises(ReadError, match="no data frame 'd'") as caught:
        read(FILES / "gzip.rds", sheet="d")
    assert "Leave sheet= out" in caught.value.remedy


@pytest.mark.usefixtures("rdata")
def test_labels_as_categories_rows_with_names_and_times_without_a_zone() -> None:
    table = read(FILES / "gzip.rds", value_labels=["gender"])
    assert table["gender"].to_list() == ["Man", "Woman", None, "Man"]
    named = read(FILES / "others.RData", sheet="named")
    assert (named["x"].to_list(), [f.code for f in named.findings]) == ([1, 2], ["row-names"])
    local = read(FILES / "others.RData", sheet="local")
    assert local["at"].to_list()[1] == dt.datetime(1970, 1, 1, 0, 0, 1)
    assert local["big"].to_list() == [1e300, float("inf")]


REFUSED = {
    "listed": "holds lists",
    "matrix": "holds lists, a matrix",
    "complex": "other objects",
    "empty": "no rows",
    "rowless": "no rows",
    "twice": "stands more than once",
}


@pytest.mark.usefixtures("rdata")
@pytest.mark.parametrize("name", REFUSED)
def test_data_frames_that_are_no_tables(name: str) -> None:
    with pytest.raises(ReadError, match=REFUSED[name]):
        read(FILES / "refused.RData", sheet=name)


@pytest.mark.usefixtures("rdata")
def test_other_objects_limits_and_damage(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="no data frame"):
        read(FILES / "list.rds")
    with pytest.raises(ReadError, match="2,000,000,000 rows"):
        read(FILES / "bomb.rds")
    with pytest.raises(ReadError, match="more than the 10 cells"):
        read(FILES / "gzip.rds", max_cells=10)
    for name in ("plain.rds", "gzip.rds", "ascii.rds"):
        good = (FILES / name).read_bytes()
        for i in range(20, len(good), 7 if name == "gzip.rds" else 41):
            file = tmp_path / name
            for bad in (good[:i], good[:i] + bytes([good[i] ^ 0x55]) + good[i + 1 :]):
                file.write_bytes(bad)
                try:
                    read(file)
                except ReadError as error:
                    said = error.remedy
                    assert said, (name, i)
    with pytest.raises(ReadError, match="has no meaning"):
        read(FILES / "gzip.rds", delimiter=",")


def test_without_the_package_the_error_names_it_and_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rdata", None)
    for name in ("gzip.rds", "xz.rds", "ascii.rds", "one.RData"):
        with pytest.raises(ReadError, match="needs the package rdata") as caught:
            read(FILES / name)
        assert "sessionwise[r]" in caught.value.remedy
        assert "write.csv(x, file, row.names = FALSE)" in caught.value.remedy


def test_compressed_text_is_no_r_data(tmp_path: Path) -> None:
    import gzip

    file = tmp_path / "x.csv.gz"
    file.write_bytes(gzip.compress(b"id,x\n1,2\n"))
    with pytest.raises(ReadError, match="gzip-compressed"):
        read(file)
    file.write_bytes(b"\x1f\x8b\x08\xff\xff")
    with pytest.raises(ReadError, match="gzip-compressed"):
        read(file)


PROGRAMS = {
    "jamovi": ("x.omv", ["META-INF/MANIFEST.MF", "metadata.json", "data.bin", "xdata.json"]),
    "JASP": ("x.jasp", ["manifest.json", "internal.sqlite"]),
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_files_of_other_programs_name_the_way_out(tmp_path: Path, program: str) -> None:
    name, parts = PROGRAMS[program]
    for file in (tmp_path / name, tmp_path / "renamed.zip"):
        with zipfile.ZipFile(file, "w") as archive:
            for part in parts:
                archive.writestr(part, "{}")
        with pytest.raises(ReadError, match=f"a file of {program}, which is not read") as caught:
            read(file)
        assert "CSV or as an SPSS file" in caught.value.remedy
