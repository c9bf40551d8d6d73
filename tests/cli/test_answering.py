"""Instruments and how a file answers them: understood alike by every verb, or refused."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

import sessionwise as sw

from .commands import ROLES, run


def test_check_and_describe_score_as_they_are_told(tmp_path: Path) -> None:
    """Answers 1 to 7, columns named otherwise, reversed items turned round already."""
    rng = sw.datasets.demo(persons=40).frame
    path = tmp_path / "odd.csv"
    turned = {f"core_om_{i}": 4 - pl.col(f"core_om_{i}") for i in sw.instrument("core-om").reversed}
    odd = rng.with_columns(**turned).rename({f"core_om_{i}": f"q{i}" for i in range(1, 35)})
    odd.write_csv(path)
    how = ["-i", "core-om", "--items", "core-om=q{}", "--already-reversed"]
    codes = {f["code"] for f in json.loads(run("check", path, *ROLES, *how, "--json"))["findings"]}
    assert not codes & {"already-reversed", "instrument-not-found"}
    told = json.loads(run("describe", path, *ROLES, *how, "--json"))
    right = sw.score(sw.Panel(rng, person="patient", session="session"), "core-om")
    expected = sw.reliability(right, "core-om").r_cn
    (found,) = (r for r in told["reliability"] if r["name"] == "core_om")
    assert found["r_cn"] == pytest.approx(expected)


@pytest.mark.parametrize("verb", ["check", "score", "describe"])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-i", "core-om", "--answers", "wai-sr=1-7"], "--answers is about 'wai-sr', which is not named with -i"),
        (["-i", "core-om", "--items", "core-10=q{}"], "--items is about 'core-10'.*Did you mean 'core-om'"),
        (["--answers", "wai-sr=1-7"], "Add -i wai-sr"),
        (["--already-reversed"], "--already-reversed needs an instrument"),
    ],
)
def test_no_option_is_ignored(verb: str, options: list[str], message: str, items_file: Path) -> None:
    with pytest.raises(sw.SessionwiseError, match=message):
        run(verb, items_file, *ROLES, *options)


@pytest.mark.parametrize("verb", ["analyze", "score", "describe"])
def test_a_wrong_out_of_range_is_refused_without_an_instrument(verb: str, scores_file: Path) -> None:
    with pytest.raises(sw.SessionwiseError, match=r"--out-of-range is 'misssing'\. Did you mean 'missing'"):
        run(verb, scores_file, *ROLES, "--out-of-range", "misssing")
