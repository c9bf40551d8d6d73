"""`sessionwise detect`."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

import sessionwise as sw
from sessionwise.cli.detect import DETECTORS
from sessionwise.events import DETECTORS as REGISTRY

from .commands import ROLES, run

RULE = ["--detector", "sudden-gain", "--column", "core_om"]


@pytest.fixture(scope="module")
def scores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("detect") / "scores.csv"
    sw.datasets.demo(persons=80, scale_scores=True).frame.write_csv(file)
    return file


def panel(file: Path) -> sw.Panel:
    return sw.Panel(sw.read(file), person="patient", session="session")


def test_every_detector_can_be_asked_for(scores: Path) -> None:
    assert tuple(REGISTRY) == DETECTORS
    for name in DETECTORS:
        told = json.loads(
            run("detect", scores, *ROLES, "--detector", name, "--column", "core_om", "--patients", 50, "--json")
        )
        assert told["detector"] == name


def test_it_tells_what_the_library_tells(scores: Path, tmp_path: Path) -> None:
    options = [*ROLES, *RULE, "--set", "cutoff=4", "--set", "stability=none", "--patients", 200, "--seed", 3]
    told = json.loads(run("detect", scores, *options, "--json"))
    rule = sw.SuddenGain("core_om", cutoff=4, stability="none")
    expected = sw.detect(panel(scores), rule, patients=200, seed=3)
    assert len(expected)
    assert {key: told[key] for key in expected.to_dict()} == json.loads(json.dumps(expected.to_dict()))
    text = run("detect", scores, *options, "--figures", tmp_path / "figures")
    assert "By chance" in text
    (picture,) = (tmp_path / "figures").glob("[!.]*")
    assert picture.name == "sudden-gain-core_om.png"
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_without_simulation(scores: Path) -> None:
    told = json.loads(run("detect", scores, *ROLES, *RULE, "--patients", 0, "--json"))
    assert told["false_alarms"] is None


def test_several_numbers_and_directions(scores: Path) -> None:
    options = ["--detector", "rupture-repair", "--column", "wai_sr", "--set", "thresholds=1.5,2.5", "--patients", 0]
    told = json.loads(run("detect", scores, *ROLES, *options, "--json"))
    assert told["settings"]["thresholds"] == [1.5, 2.5]
    assert told["settings"]["better"] == "higher"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--detector", "sudden-gains", "--column", "core_om"], "Did you mean 'sudden-gain'"),
        ([*RULE, "--set", "cut=7"], "Did you mean 'cutoff'"),
        ([*RULE, "--set", "cutoff"], "a setting of sudden-gain and its value"),
        ([*RULE, "--set", "cutoff=many"], "cutoff is 'many'"),
        (["--detector", "sudden-gain", "--column", "core"], "there is no column 'core'"),
        (["--detector", "sudden-gain", "--column", "age"], "smallest change that counts"),
    ],
)
def test_what_cannot_be_meant(scores: Path, options: list[str], said: str) -> None:
    with pytest.raises(sw.SessionwiseError, match=said) as caught:
        run("detect", scores, *ROLES, *options)
    assert caught.value.remedy


def test_nothing_found_draws_nothing(tmp_path: Path) -> None:
    pl.DataFrame({"patient": [1, 1], "session": [1, 2], "y": [3, 3]}).write_csv(tmp_path / "few.csv")
    options = ["--detector", "control-chart", "--column", "y", "--figures", tmp_path / "figures"]
    assert "nothing found" in run("detect", tmp_path / "few.csv", *ROLES, *options)
    assert not list((tmp_path / "figures").glob("*.png"))
