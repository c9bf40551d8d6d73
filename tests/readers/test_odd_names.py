"""Columns and files whose names mean something to a library below are columns and files like any others."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import polars as pl
import pytest

from sessionwise import datasets
from sessionwise.checks import check
from sessionwise.descriptions import describe
from sessionwise.errors import PanelError, ReadError
from sessionwise.panel import Panel, number_sessions
from sessionwise.readers import long_to_wide, read, wide_to_long
from sessionwise.scoring import score
from sessionwise.study import Study

NAMES = ["*", "^a", "a$", "(a", "a\\b", "{}", "\U0001f600", "core.*"]
# Also names that polars or the code gives to columns of its own.
HOSTILE = [*NAMES, "count", "literal", "cell", "index", "record", "value", "t", "^a.*b"]
ROLES = ["id", "session", "outcome", "process", "therapist", "seen", "phq9_1"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("ending", ["csv", "xlsx", "parquet"])
def test_any_name_of_a_column(tmp_path: Path, name: str, ending: str) -> None:
    frame = pl.DataFrame({"id": ["a", "a", "b"], "session": [1, 2, 1], name: [3, None, 5], "core_1": [1.5, 2, 3]})
    file = tmp_path / f"x.{ending}"
    {"csv": frame.write_csv, "parquet": frame.write_parquet, "xlsx": frame.write_excel}[ending](file)
    table = read(file, missing=5)
    assert table.frame.rows() == [("a", 1, 3, 1.5), ("a", 2, None, 2.0), ("b", 1, None, 3.0)]
    panel = Panel(table, person="id", session="session")
    assert str(check(panel))
    assert str(describe(panel))
    wide = long_to_wide(table, {name: "x_{}", "core_1": "y_{}"}, person="id")
    assert wide["x_1"].to_list() == [3, None]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_in_wide_files_and_redcap_exports(tmp_path: Path, name: str) -> None:
    wide = pl.DataFrame({name: ["a", "b"], "core_1": [1, 2], "core_2": [None, 3], "sex*": ["f", "m"]})
    wide.write_csv(tmp_path / "wide.csv")
    assert read(tmp_path / "wide.csv", wide="core_{}", person=name).frame.rows() == [
        ("a", 1, "f", 1),
        ("b", 1, "m", 2),
        ("b", 2, "m", 3),
    ]
    export = pl.DataFrame(
        {
            name: [1, 1, 1],
            "redcap_repeat_instrument": ["core", "wai", "core"],
            "redcap_repeat_instance": [1, 1, 2],
            "^a.*": [1, None, 2],
            "ab": [None, 7, None],
        }
    )
    export.write_csv(tmp_path / "redcap.csv")
    table = read(tmp_path / "redcap.csv", spread=["ab"])
    assert table.frame.select(pl.nth(1, 4, 5)).rows() == [(1, 1, 7), (2, 2, 7)]


def demo(role: str, name: str) -> pl.DataFrame:
    """Six persons of three sessions; the column `role` is called `name`."""
    start = dt.date(2020, 1, 1)
    rows = [(f"p{i // 3}", i % 3 + 1, start + dt.timedelta(days=7 * (i % 3))) for i in range(18)]
    scores = {"outcome": [i * 7 % 11 for i in range(18)], "process": [i * 5 % 13 for i in range(18)]}
    items = {f"phq9_{j}": [(i + j) % 4 for i in range(18)] for j in range(1, 10)}
    frame = pl.DataFrame(
        {"id": [r[0] for r in rows], "session": [r[1] for r in rows], "seen": [r[2] for r in rows], **scores}
        | {"therapist": [f"t{i // 6}" for i in range(18)], **items}
    )
    return frame.rename({role: name})


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_in_any_role(tmp_path: Path, name: str, role: str) -> None:
    frame = demo(role, name)
    frame.write_csv(tmp_path / "x.csv")

    def called(other: str) -> str:
        return name if other == role else other

    roles = {"person": called("id"), "session": called("session"), "cluster": called("therapist")}
    table = read(tmp_path / "x.csv", person=called("id"), missing={called("outcome"): 99})
    assert table.frame.rows() == frame.rows()
    assert str(check(table, **roles, time=called("seen")))
    panel = Panel(table, **roles, time=called("seen"))
    items = [called(f"phq9_{j}") for j in range(1, 10)]
    total = [sum(row) for row in frame.select(pl.nth(range(6, 15))).rows()]
    assert score(panel, "phq-9", items=items)["phq_9"].tolist() == total
    assert str(describe(panel, [called("outcome"), called("process")]))
    numbered = number_sessions(table, person=called("id"), by=called("seen"), into="number")
    assert numbered["number"].to_list() == frame[called("session")].to_list()
    scores = frame.select(pl.nth(0, 1, 3, 4))
    wide = long_to_wide(
        scores, {called("outcome"): "y_{}", called("process"): "x_{}"}, person=called("id"), session=called("session")
    )
    patterns = {called("outcome"): "y_{}", called("process"): "x_{}"}
    long = wide_to_long(wide, patterns, person=called("id"), session=called("session"))
    assert long.frame.rows() == scores.rows()


def test_any_name_in_a_study() -> None:
    made = datasets.demo(persons=40, scale_scores=True).frame
    usual = Study("core_om", "wai_sr", moderators=["pd"], dynamic=False).run(
        Panel(made, person="patient", session="session")
    )
    panel = Panel(made.rename({"core_om": "*", "wai_sr": "^a", "pd": "count"}), person="patient", session="session")
    result = Study("*", "^a", moderators=["count"], dynamic=False).run(panel)
    assert result.headline.forward == usual.headline.forward


@pytest.mark.parametrize("name", ["^core.*$", "^$", "^.*$"])
@pytest.mark.parametrize("ending", ["csv", "xlsx", "parquet"])
def test_names_that_polars_takes_for_patterns_are_refused(tmp_path: Path, name: str, ending: str) -> None:
    frame = pl.DataFrame({"id": ["a", "b"], "session": [1, 1], name: [3, None]})
    file = tmp_path / f"x.{ending}"
    {"csv": frame.write_csv, "parquet": frame.write_parquet, "xlsx": frame.write_excel}[ending](file)
    with pytest.raises(ReadError, match="patterns of names") as caught:
        read(file)
    assert repr(name) in caught.value.what
    assert "Rename" in caught.value.remedy
    with pytest.raises(PanelError, match="patterns of names"):
        Panel(frame, person="id", session="session")


@pytest.mark.skipif(os.name != "posix", reason="names of files are bytes on POSIX only")
def test_a_file_whose_name_is_not_utf8(tmp_path: Path) -> None:
    for ending, content in (("csv", b"id,x\n1,2\n"), ("bad", b"id,x\n1\n")):
        path = os.path.join(os.fsencode(tmp_path), b"caf\xe9." + ending.encode())
        try:
            with open(path, "wb") as file:
                file.write(content)
        except OSError:
            pytest.skip("this file system has UTF-8 names only")
    table = read(Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), b"caf\xe9.csv"))))
    assert table.source.encode() == b"caf\\xe9.csv"
    with pytest.raises(ReadError) as caught:
        read(os.fsdecode(path))
    str(caught.value).encode()


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(ReadError, match="no end"):
            read(path)
    with pytest.raises(ReadError, match="folder"):
        read(tmp_path)
    (tmp_path / "file.csv").write_text("id,x\n1,2\n")
    with pytest.raises(ReadError, match="no folder"):
        read(tmp_path / "file.csv" / "more.csv")
    with pytest.raises(ReadError, match="could not be opened"):
        read(tmp_path / ("x" * 5000))
    with pytest.raises(ReadError, match="could not be opened"):
        read("a\0b")


def test_a_folder_that_may_not_be_entered(tmp_path: Path, monkeypatch) -> None:
    def refuse(self: Path, **_: object) -> object:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(ReadError, match="may not be read"):
        read(tmp_path / "x" / "a.csv")
