"""Places of results: tried before any work, with nothing left of the trial."""

from __future__ import annotations

from pathlib import Path

import pytest

import sessionwise as sw
from sessionwise.cli.places import ReportFiles, can_be_written

from .commands import run


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-o", "."], r"HTML[\s\S]*report\.html"),
        (["-o", "folder"], r"HTML[\s\S]*folder/report\.html"),
        (["-o", "folder.html"], "this is a folder"),
        (["-o", "file/r.html"], "no such folder"),
        (["-o", "/proc/r.html"], "cannot write"),
        (["--results", "file"], "cannot write"),
        (["--results", "/proc/results"], "cannot write"),
        (["--docx", "-o", "edited.html"], "Word file of this name"),
        (["--results", "."], "beside your data"),
    ],
)
def test_places_are_tried_before_any_work(
    options: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("s.csv", "file", "edited.docx"):
        Path(name).write_text("here before", encoding="utf-8")
    for name in ("folder", "folder.html"):
        Path(name).mkdir()
    before = sorted(Path().iterdir())
    with pytest.raises(sw.SessionwiseError, match=message):
        run("analyze", "s.csv", *options)
    assert sorted(Path().iterdir()) == before
    assert Path("edited.docx").read_text(encoding="utf-8") == "here before"


def test_the_data_are_never_overwritten(scores_file: Path, tmp_path: Path) -> None:
    copy = tmp_path / "data.html"
    copy.write_bytes(scores_file.read_bytes())
    with pytest.raises(sw.SessionwiseError, match="overwrite your data"):
        run("analyze", copy, "-o", copy)
    assert copy.read_bytes() == scores_file.read_bytes()


def test_a_trial_leaves_what_is_there(tmp_path: Path) -> None:
    there = tmp_path / "r.html"
    there.write_text("old", encoding="utf-8")
    can_be_written(there)
    can_be_written(tmp_path / "new.html")
    assert [p.name for p in tmp_path.iterdir()] == ["r.html"]
    assert there.read_text(encoding="utf-8") == "old"


def test_the_word_file_stands_beside_the_report() -> None:
    assert ReportFiles(Path("a/r.html"), docx=True).word == Path("a/r.docx")
    assert ReportFiles().word is None
    assert ReportFiles().report == Path("report.html")


def test_a_write_that_fails_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(sw.SessionwiseError, match="cannot write"):
        run("demo", "--out", tmp_path / "file")
