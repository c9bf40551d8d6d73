"""`sessionwise analyze`: whole runs, what was not named, refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import sessionwise as sw
from sessionwise.cli.analyze import prepare
from sessionwise.cli.analyze import run as analyze
from sessionwise.cli.settings import settings as read_settings

from .commands import run


def test_a_settings_file_and_the_options_give_the_same_bytes(scores_file: Path, tmp_path: Path) -> None:
    """Report, tables and JSON; only the line of the time differs."""
    config = tmp_path / "study.toml"
    config.write_text(
        f'file = "{scores_file}"\nperson = "patient"\nsession = "session"\noutcome = "core_om"\nprocess = "wai_sr"\n'
        'moderators = ["pd"]\nfirst-sessions = 5\n',
        encoding="utf-8",
    )
    one = json.loads(
        run("analyze", "--config", config, "-o", tmp_path / "a.html", "--results", tmp_path / "a", "--json")
    )
    two = json.loads(
        run(
            "analyze", scores_file, "--person", "patient", "--session", "session", "--outcome", "core_om", "--process",
            "wai_sr", "--moderator", "pd", "--first-sessions", "5", "-o", tmp_path / "b.html", "--results",
            tmp_path / "b", "--json",
        )
    )  # fmt: skip
    assert one.pop("written")["report"].endswith("a.html")
    assert two.pop("written")["report"].endswith("b.html")
    assert one == two
    assert one["guessed"] == {}
    assert one["result"]["study"]["first_sessions"] == 5
    texts = [(tmp_path / name).read_text(encoding="utf-8").splitlines() for name in ("a.html", "b.html")]
    different = [a for a, b in zip(*texts, strict=True) if a != b]
    assert all("Time taken: " in line for line in different)
    assert len([line for line in texts[0] if "Time taken: " in line]) == 1
    tables = sorted(p.name for p in (tmp_path / "a").iterdir())
    assert "sensitivity.csv" in tables
    assert all((tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes() for name in tables)


def test_columns_that_are_not_named_are_guessed_and_told(tmp_path: Path) -> None:
    path = tmp_path / "sessions.csv"
    sw.datasets.demo(persons=30).frame.write_csv(path)
    prepared = prepare(read_settings({"file": path}, None))
    roles = {"person": "patient", "session": "session", "cluster": "therapist"}
    scored = {"instrument": "core-om and wai-sr", "outcome": "core_om", "process": "wai_sr"}
    assert prepared.guessed == roles | scored
    assert prepared.guesses.startswith("person = patient, session = session")
    assert prepared.settings.answering.instrument == ("core-om", "wai-sr")
    assert prepared.settings.sessions.cluster == "therapist"
    assert {"core_om", "wai_sr"} <= set(prepared.panel.columns)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-o", "r.pdf"], "the report is HTML"),
        (["-o", "nowhere/r.html"], "no such folder"),
        (["--outcome", "core_om_wellbeing"], "Add -i core-om"),
        (["--outcome", "core_omm"], "Did you mean 'core_om'"),
        (["--outcome", "gender", "--process", "core_om"], "holds text"),
        (["--outcome", "core_om", "--process", "core_om"], "same column"),
        (["--trend", "cubic"], "trend is 'cubic'"),
        (["--config", "none.toml"], "cannot read the settings"),
    ],
)
def test_wrong_options_are_explained(options: list[str], message: str, scores_file: Path) -> None:
    with pytest.raises(sw.SessionwiseError, match=message):
        run("analyze", scores_file, *options)


def test_a_file_is_needed() -> None:
    with pytest.raises(sw.SessionwiseError, match="no file was named"):
        run("analyze")


def test_remedies_name_options(scores_file: Path) -> None:
    with pytest.raises(sw.StudyError, match="--first-sessions is 1") as caught:
        run("analyze", scores_file, "--first-sessions", "1")
    assert caught.value.remedy


def test_progress_is_told_part_by_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scores_file: Path) -> None:
    steps: list[str] = []

    def stopped(*_: object, **options: Any) -> object:
        options["progress"]("the sample", 0, 5)
        raise sw.StudyError("enough.")

    monkeypatch.setattr(sw.Study, "run", stopped)
    asked = read_settings({"file": scores_file, "output": tmp_path / "r.html"}, None)
    with pytest.raises(sw.StudyError, match="enough"):
        analyze(asked, steps.append)
    assert steps == ["reading and scoring", "the sample (1 of 5)"]
