"""`sessionwise track`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import sessionwise as sw

from .commands import ROLES, run


@pytest.fixture(scope="module")
def scores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("track") / "scores.csv"
    sw.datasets.demo(persons=80, scale_scores=True).frame.write_csv(file)
    return file


@pytest.fixture(scope="module")
def reference(scores: Path) -> Path:
    file = scores.with_name("course.json")
    options = ["--learn", file, "--column", "core_om", "--folds", 4]
    assert "4-fold cross-validation of 80 persons" in run("track", scores, *ROLES, *options)
    return file


def panel(file: Path) -> sw.Panel:
    return sw.Panel(sw.read(file), person="patient", session="session")


def test_it_learns_what_the_library_learns(scores: Path, tmp_path: Path) -> None:
    options = ["--learn", tmp_path / "c.json", "--column", "core_om", "--folds", 3, "--seed", 5, "--json"]
    told = json.loads(run("track", scores, *ROLES, *options))
    described = sw.ExpectedCourse("core_om")
    assert told["course"] == json.loads(json.dumps(described.fit(panel(scores)).to_dict()))
    validated = described.validate(panel(scores), folds=3, seed=5).to_dict()
    assert told["validated"] == json.loads(json.dumps(validated))


def test_it_tracks_what_the_library_tracks_and_names_nobody(scores: Path, reference: Path) -> None:
    told = json.loads(run("track", scores, *ROLES, "--reference", reference, "--json"))
    found = sw.read_course(reference).track(panel(scores))
    assert {key: told[key] for key in found.to_dict()} == json.loads(json.dumps(found.to_dict()))
    assert told["sessions"] == []


def test_who_is_asked_for_is_shown(scores: Path, reference: Path, tmp_path: Path) -> None:
    label = panel(scores).persons[0]
    options = ["--reference", reference, "--show", label, "--figures", tmp_path / "figures"]
    text = run("track", scores, *ROLES, *options)
    assert f"{label}, session 1" in text
    (picture,) = (tmp_path / "figures").glob("[!.]*")
    assert picture.name == "track-core_om.png"
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "either --reference or --learn"),
        (["--learn", "other.json"], "--learn needs a measure"),
        (["--reference", "none.json"], "no course can be read"),
        (["--learn", "other.json", "--column", "core_om", "--shape", "cubic"], "--shape is 'cubic'"),
    ],
)
def test_what_cannot_be_meant(
    scores: Path, options: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(sw.SessionwiseError, match=said) as caught:
        run("track", scores, *ROLES, *options)
    assert caught.value.remedy
