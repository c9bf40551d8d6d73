"""`sessionwise analyze`: whole runs, what was not named, refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import sessionwise as sw
from sessionwise.cli.analyze import prepare
from sessionwise.cli.analyze import run as analyze
from sessionwise.cli.settings import settings as read_settings

from .commands import ROLES, run


def test_a_settings_file_and_the_options_give_the_same_bytes(scores_file: Path, tmp_path: Path) -> None:
    """Report, tables and JSON; only the line of the time differs."""
    config = tmp_path / "study.toml"
    config.write_text(
        f'file = "{scores_file}"\nperson = "patient"\nsession = "session"\noutcome = "core_om"\nprocess = "wai_sr"\n'
        'moderators = ["pd"]\nfirst-sessions = 5\nquick = true\n',
        encoding="utf-8",
    )
    one = json.loads(
        run("analyze", "--config", config, "-o", tmp_path / "a.html", "--results", tmp_path / "a", "--json")
    )
    two = json.loads(
        run(
            "analyze", scores_file, "--person", "patient", "--session", "session", "--outcome", "core_om", "--process",
            "wai_sr", "--moderator", "pd", "--first-sessions", "5", "--quick", "-o", tmp_path / "b.html", "--results",
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


def test_persons_are_numbered_and_the_key_is_for_its_owner_alone(scores_file: Path, tmp_path: Path) -> None:
    """The same numbers in the report, the tables, the JSON and the key; what was found is told on the terminal."""
    data = tmp_path / "data.csv"
    frame = pl.read_csv(scores_file).with_columns(patient=pl.format("Qz{}", "patient"))
    data.write_text(frame.write_csv(), encoding="utf-8")
    asked = [
        "analyze",
        data,
        *ROLES,
        "--outcome",
        "core_om",
        "--process",
        "wai_sr",
        "--quick",
        "-o",
        tmp_path / "r.html",
    ]
    told = run(*asked, "--results", tmp_path / "res", "--key", tmp_path / "key.csv", "--json")
    files = [tmp_path / "r.html", *(tmp_path / "res").glob("*.csv")]
    assert "Qz" not in told + "".join(path.read_text(encoding="utf-8") for path in files)
    assert (tmp_path / "key.csv").stat().st_mode & 0o077 == 0
    key = dict(pl.read_csv(tmp_path / "key.csv").select("number", "label").iter_rows())
    assert set(key.values()) == set(frame["patient"])
    by_label = json.loads(run(*asked, "--labels", "--json"))["result"]["persons"]["effects"]
    by_number = json.loads(told)["result"]["persons"]["effects"]
    assert [(key[e["person"]], e["value"]) for e in by_number] == [(e["person"], e["value"]) for e in by_label]
    assert "Qz" in (tmp_path / "r.html").read_text(encoding="utf-8")
    shared = run(*asked, "--share", "--json")
    assert json.loads(shared)["result"]["persons"]["effects"] == []


@pytest.mark.parametrize("options", [["--labels", "--share"], ["--labels", "--key", "k"], ["--share", "--key", "k"]])
def test_options_that_exclude_each_other(options: list[str], scores_file: Path, tmp_path: Path) -> None:
    with pytest.raises(sw.SessionwiseError, match=r"two different reports|no key"):
        run("analyze", scores_file, *options, "-o", tmp_path / "r.html")


def test_places_in_the_data_are_told_on_the_terminal_alone(scores_file: Path, tmp_path: Path) -> None:
    frame = pl.read_csv(scores_file)
    first = frame.head(1).with_columns(session=pl.lit(70).cast(frame["session"].dtype))
    pl.concat([frame, first]).write_csv(tmp_path / "data.csv")
    asked = ["analyze", tmp_path / "data.csv", *ROLES, "--outcome", "core_om", "--process", "wai_sr", "--quick"]
    text = run(*asked, "-o", tmp_path / "r.html")
    assert "session 70" in text
    assert "stand here alone" in text
    assert ", session 70 (" not in (tmp_path / "r.html").read_text(encoding="utf-8")
