"""Settings of `analyze`: from a study.toml and from options."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import sessionwise as sw
from sessionwise.cli.files import SessionsFile
from sessionwise.cli.places import ReportFiles
from sessionwise.cli.settings import Settings
from sessionwise.cli.settings import settings as read_settings

from .commands import run


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('outcom = "x"', r"no setting 'outcom'\. Did you mean 'outcome'"),
        ("outcome = 3", "outcome is 3"),
        ('lag = "two"', "lag is 'two'"),
        ("docx = 1", "docx is 1"),
        ("moderator = [true]", "moderator is"),
        ("outcome = ", "no TOML"),
        ('trend = "lin"', r"trend is 'lin'\.[\s\S]*'linear', 'quadratic', 'none'"),
        ('out-of-range = "misssing"', r"out-of-range is 'misssing'\. Did you mean 'missing'"),
        ('[study]\noutcome = "x"', r"no table \[study\][\s\S]*at the top of the file"),
    ],
)
def test_a_wrong_setting_is_named(text: str, message: str, tmp_path: Path) -> None:
    config = tmp_path / "study.toml"
    config.write_text(text, encoding="utf-8")
    with pytest.raises(sw.SessionwiseError, match=message) as caught:
        run("analyze", "--config", config)
    assert str(config) in caught.value.where


def test_settings_of_every_kind(tmp_path: Path) -> None:
    config = tmp_path / "study.toml"
    config.write_text(
        'file = "s.csv"\nread = {header_row = 3, decimal = ","}\nmissing = [-9, "n/a"]\ndocx = true\n'
        'answers = {wai-sr = "1-7"}\noutcome = "a"\noutput = "r.html"\nresults = "tables"\n'
        'instrument = ["wai-sr", "own.toml"]\n[items]\ncore-om = "q{}"\n',
        encoding="utf-8",
    )
    asked = read_settings({"outcome": "b", "moderator": ["x"], "docx": False}, config)
    assert asked.sessions.file == tmp_path / "s.csv"
    assert asked.sessions.read == ("header_row=3", "decimal=,")
    assert asked.sessions.missing == ("-9", "n/a")
    assert asked.files == ReportFiles(tmp_path / "r.html", tmp_path / "tables", docx=True)
    assert asked.answering.instrument == ("wai-sr", str(tmp_path / "own.toml"))
    assert asked.answering.answers == ("wai-sr=1-7",)
    assert asked.answering.items == ("core-om=q{}",)
    assert (asked.outcome, asked.moderator) == ("b", ("x",))
    asked = replace(asked, answering=replace(asked.answering, instrument=()))
    assert asked.command() == (
        "sessionwise analyze s.csv --outcome b --moderator x --answers wai-sr=1-7 --items 'core-om=q{}' "
        "--missing -9 --missing n/a --read header_row=3 --read decimal=,"
    )


def test_an_option_goes_before_the_file(tmp_path: Path) -> None:
    config = tmp_path / "study.toml"
    config.write_text('file = "s.csv"\nlag = 2\ntrend = "none"\nwide = "x{}"\nnumber-by = "day"\n', encoding="utf-8")
    asked = read_settings({"lag": 3, "file": Path("t.csv")}, config)
    assert asked == Settings(SessionsFile(Path("t.csv"), None, wide=("x{}",), number_by="day"), lag=3, trend="none")


def test_settings_become_a_study() -> None:
    asked = Settings(SessionsFile(Path("s.csv"), "p"), outcome="a", process="b")
    assert asked.study() == sw.Study("a", "b")
    assert replace(asked, quick=True).study() == sw.Study("a", "b", dynamic=False)
    with pytest.raises(sw.SessionwiseError, match="exclude each other"):
        replace(asked, quick=True, dynamic=True).study()
    asked = replace(asked, moderator=("m",), covariate=("c", "d"), trend="none", lag=2, order="together")
    asked = replace(asked, expected="positive", first_sessions=7, as_scored=("a",))
    assert asked.study() == sw.Study(
        "a", "b", moderators=["m"], covariates=["c", "d"], trend=None, lag=2, order="together",
        expected="positive", first_sessions=7, as_scored=["a"],
    )  # fmt: skip


def test_a_number_of_0_is_given() -> None:
    assert read_settings({"file": Path("s.csv"), "lag": 0}, None).lag == 0
