"""`sessionwise score`."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

import sessionwise as sw

from .commands import ITEMS, ROLES, run


def test_it_writes_the_scales(items_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "scored.parquet"
    told = json.loads(run("score", items_file, *ROLES, *ITEMS, "-o", out, "--json"))
    written = pl.read_parquet(out)
    assert told["columns"] == [*sw.instrument("core-om").columns, *sw.instrument("wai-sr").columns]
    panel = sw.Panel(sw.read(items_file, person="patient"), person="patient", session="session")
    assert written.equals(sw.score(panel, "core-om", "wai-sr").to_frame())
    assert set(told["columns"]) == set(written.columns) - set(panel.columns)
    total = told["records"][0]["scales"][0]
    assert total["complete"] + total["prorated"] == written["core_om"].is_not_null().sum()
    assert "pro-rated" in run("score", items_file, *ROLES, "-i", "core-om")


def test_every_option_about_answers(tmp_path: Path) -> None:
    path = tmp_path / "w.csv"
    rows = ["patient,session," + ",".join(f"a{i}" for i in range(1, 13)), "1,1" + ",7" * 12, "1,2" + ",-9" * 12]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    answers = ["-i", "wai-sr", "--items", "wai-sr=a{}", "--answers", "wai-sr=1-7", "--missing", "-9"]
    told = json.loads(run("score", path, *ROLES, *answers, "--json"))
    total = told["records"][0]["scales"][0]
    assert (total["complete"], total["empty"]) == (1, 1)
    assert told["records"][0]["answers"] == [1, 7]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--missing", "none"], "--missing needs a number"),
        (["--read", "header_rows=4"], "Did you mean 'header_row'"),
        (["--read", "header_row"], "--read needs option=value"),
        (["--answers", "1-7"], "--answers needs instrument=value"),
        (["--answers", "wai-sr=seven"], "--answers needs low-high"),
        (["--out-of-range", "drop"], r"--out-of-range is 'drop'[\s\S]*'error', 'missing'"),
        (["-o", "scored.docx"], "cannot write a .docx"),
        (["-o", "nowhere/scored.csv"], "no such folder"),
    ],
)
def test_wrong_options_are_explained(options: list[str], message: str, items_file: Path) -> None:
    with pytest.raises(sw.SessionwiseError, match=message):
        run("score", items_file, *ROLES, "-i", "core-om", *options)


def test_the_data_are_never_overwritten(items_file: Path) -> None:
    before = items_file.read_bytes()
    with pytest.raises(sw.SessionwiseError, match="overwrite your data"):
        run("score", items_file, *ROLES, "-i", "core-om", "-o", items_file)
    assert items_file.read_bytes() == before


def test_no_cell_of_the_scores_is_a_formula(items_file: Path, tmp_path: Path) -> None:
    frame = pl.read_csv(items_file).with_columns(note=pl.lit("=1+1"), sign=pl.lit("-"))
    frame.write_csv(tmp_path / "in.csv")
    run("score", tmp_path / "in.csv", *ROLES, "-i", "core-om", "-o", tmp_path / "out.csv")
    out = pl.read_csv(tmp_path / "out.csv")
    assert out["note"].unique().to_list() == ["'=1+1"]
    assert out["sign"].unique().to_list() == ["-"]
    assert out["core_om"].dtype == pl.Float64


def test_help_lists_the_instruments() -> None:
    listed = " ".join(run("score", "--help").split())
    assert f"Instruments: {', '.join(sw.instruments())}." in listed


def test_what_a_score_is_stands_beside_its_counts(tmp_path: Path) -> None:
    """The range of the scores, which tells that they are a percentage, and what the instrument's note says."""
    path = tmp_path / "w.csv"
    path.write_text("patient,session,who5_1,who5_2,who5_3,who5_4,who5_5\n1,1,5,4,3,2,1\n1,2,0,0,0,0,\n")
    text = " ".join(run("score", path, *ROLES, "-i", "who-5").split())
    assert "who_5 0 to 100 1 0 0 1 0" in text
    assert "note: The percentage score, sum × 4 (0–100)" in text
    told = json.loads(run("score", path, *ROLES, "-i", "who-5", "-o", tmp_path / "o.csv", "--json"))
    assert told["columns"] == ["who_5"]
    assert pl.read_csv(tmp_path / "o.csv")["who_5"].to_list() == [60.0, None]
