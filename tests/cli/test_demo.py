"""`sessionwise demo`: what was found beside what is true."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import sessionwise as sw
from sessionwise.cli.demo import WHY
from sessionwise.study.recovered import recovered

from .commands import run


def test_demo_finds_what_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = sw.datasets.demo
    truth = sw.datasets.demo_truth
    monkeypatch.setattr(sw.datasets, "demo", lambda seed: small(seed, 120))
    monkeypatch.setattr(sw.datasets, "demo_truth", lambda seed: truth(seed, 120))
    told = json.loads(run("demo", "--out", tmp_path / "demo", "--json"))
    assert told["simulated"] is True
    assert Path(told["written"]["report"]).stat().st_size > 500_000
    rows = {row["what"].strip(): row for row in told["recovered"]}
    assert rows["pd = 0"]["true"] == sw.datasets.Truth().b0
    effect = rows["WAI-SR → next CORE-OM, mean"]
    assert effect["corrected_low"] < effect["corrected"] < effect["corrected_high"]
    assert effect["riclpm_low"] < effect["riclpm"] < effect["riclpm_high"]
    few = {(c["direction"], c["key"]): c for c in told["result"]["few_sessions"]["coefficients"]}
    few_effect = few["forward", "effect"]
    assert effect["corrected"] == pytest.approx(few_effect["estimate"] - few_effect["bias"])
    assert rows["CORE-OM → next CORE-OM"]["corrected"] > rows["CORE-OM → next CORE-OM"]["found"]
    page = Path(told["written"]["report"]).read_text(encoding="utf-8")
    assert page.index("These data are simulated") < page.index(told["result"]["answer"][0][:40])


def test_the_demo_truth_is_that_of_the_models() -> None:
    """With plenty of exact scores the coefficients corrected for few sessions are those stated as true."""
    table = sw.datasets.demo(seed=3, persons=2500, scale_scores=True)
    panel = sw.Panel(table, person="patient", session="session", cluster="therapist")
    rows = recovered(
        sw.Study("core_om", "wai_sr", moderators=["pd"], dynamic=False).run(panel), sw.datasets.demo_truth(3, 2500)
    )
    for row in rows:
        if row.corrected is not None:  # 3.5 standard errors, and what drop-out by alliance does
            assert abs(row.corrected - row.true) < 3.5 * (row.high - row.low) / 3.92 + 0.02 * abs(row.true), row


def test_the_demo_says_why_found_and_true_differ() -> None:
    assert "chance" in WHY
    assert "differ in their effects" in WHY
