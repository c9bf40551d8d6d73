"""Places of results: tried before any work, with nothing left of the trial; nothing of the user's is written over."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import polars as pl
import pytest

import sessionwise as sw
from sessionwise.cli.places import ReportFiles

from .commands import ITEMS, ROLES, main, run

ASKED = [*ROLES, "--outcome", "core_om", "--process", "wai_sr", "--quick"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-o", "."], r"HTML[\s\S]*report\.html"),
        (["-o", "folder"], r"HTML[\s\S]*folder/report\.html"),
        (["-o", "folder.html"], "this is a folder"),
        (["-o", "file/r.html"], "no such folder"),
        (["-o", "/proc/r.html"], "cannot write"),
        (["-o", "theirs.html"], "not written by sessionwise[\\s\\S]*--overwrite"),
        (["--results", "file"], "this is a file"),
        (["--results", "file/x"], "this is a file"),
        (["--results", "/proc/results"], "cannot write"),
        (["--docx", "-o", "edited.html"], "not written by sessionwise, or was changed since"),
        (["--results", "theirs"], "not written by sessionwise"),
        (["--results", "data"], "the input file"),
    ],
)
def test_places_are_tried_before_any_work(
    options: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The data hold nothing: reading them would be another error."""
    monkeypatch.chdir(tmp_path)
    for name in ("folder", "folder.html", "theirs", "data"):
        Path(name).mkdir()
    for name in ("s.csv", "file", "edited.docx", "theirs.html", "theirs/course.csv"):
        Path(name).write_text("here before", encoding="utf-8")
    Path("data/sessions.csv").hardlink_to("s.csv")
    before = sorted(Path().rglob("*"))
    code, _, error = main(capsys, monkeypatch, "analyze", "s.csv", *options)
    assert code == 1
    assert re.search(message, error), error
    assert sorted(Path().rglob("*")) == before
    assert Path("theirs/course.csv").read_text(encoding="utf-8") == "here before"


def test_results_may_stand_beside_the_data_and_are_written_over_when_they_are_ours(
    scores_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(scores_file, "data.csv")
    data = Path("data.csv").read_bytes()
    where = ["-o", "r.html", "--results", "."]
    run("analyze", "data.csv", *ASKED, *where)
    first = Path("r.html").read_bytes()
    Path("r.html").unlink()
    run("analyze", "data.csv", *ASKED, *where)  # its own tables are no hindrance
    assert len(Path("r.html").read_bytes()) == len(first)
    with Path("course.csv").open("a", encoding="utf-8") as file:
        file.write("a line of my own\n")
    with pytest.raises(sw.SessionwiseError, match=r"course\.csv"):
        run("analyze", "data.csv", *ASKED, *where)
    assert Path("data.csv").read_bytes() == data
    assert Path("course.csv").read_text(encoding="utf-8").endswith("my own\n")


def test_the_remedy_works_as_it_is_said(items_file: Path, tmp_path: Path) -> None:
    scored, theirs = tmp_path / "scored.csv", "theirs"
    scored.write_text(theirs, encoding="utf-8")
    asked = ["score", items_file, *ROLES, *ITEMS, "-o", scored]
    with pytest.raises(sw.SessionwiseError, match="overwrite=True") as raised:
        run(*asked)
    assert "--overwrite" in raised.value.remedy.for_command_line()
    assert scored.read_text(encoding="utf-8") == theirs
    run(*asked, "--overwrite")
    assert len(pl.read_csv(scored)) == len(pl.read_csv(items_file))
    run(*asked)  # it is ours now


def test_the_data_are_never_overwritten(scores_file: Path, tmp_path: Path) -> None:
    copy = tmp_path / "data.html"
    copy.write_bytes(scores_file.read_bytes())
    (tmp_path / "link.html").symlink_to(copy)
    for name in ("data.html", "link.html"):
        with pytest.raises(sw.SessionwiseError, match="overwrite your data"):
            run("analyze", copy, "-o", tmp_path / name, "--overwrite")
        with pytest.raises(sw.SessionwiseError, match="overwrite your data"):
            run("analyze", tmp_path / name, "-o", copy)
    assert copy.read_bytes() == scores_file.read_bytes()


def test_the_demo_writes_over_no_data_of_the_users(tmp_path: Path) -> None:
    mine = tmp_path / "sessions.csv"
    mine.write_text("patient,session,x\n1,1,mine\n", encoding="utf-8")
    with pytest.raises(sw.SessionwiseError, match=r"sessions\.csv"):
        run("demo", "--out", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["sessions.csv"]
    assert "mine" in mine.read_text(encoding="utf-8")


@pytest.mark.skipif(os.name != "posix", reason="of POSIX systems")
@pytest.mark.parametrize("json", [[], ["--json"]])
def test_a_name_that_is_no_text_is_refused_before_the_work(
    json: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = os.fsdecode(os.fsencode(tmp_path / "caf") + b"\xe9.csv")
    for verb in ("check", "analyze", "describe"):
        code, out, error = main(capsys, monkeypatch, verb, odd, *ROLES, *json)
        assert code == 1
        assert "not UTF-8" in out + error
        (out + error).encode()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device here")
def test_figures_are_no_device(scores_file: Path, tmp_path: Path) -> None:
    (tmp_path / "missing.png").symlink_to("/dev/full")
    with pytest.raises(sw.SessionwiseError, match="a device"):
        run("describe", scores_file, *ROLES, "--column", "core_om", "--figures", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["missing.png"]


def test_the_word_file_stands_beside_the_report() -> None:
    place = ReportFiles(Path("a/r.html"), docx=True).word_place
    assert place is not None
    assert place.path == Path("a/r.docx")
    assert ReportFiles().word_place is None
    assert ReportFiles().report == Path("report.html")


def test_a_write_that_fails_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(sw.SessionwiseError, match="this is a file"):
        run("demo", "--out", tmp_path / "file")
