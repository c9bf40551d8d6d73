"""The section of the dynamic model: figures and sentences are those of the result, and tell no more than they may."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from sessionwise.reports import Painter, html, write_tables, write_word
from sessionwise.reports.passed_on import FEWEST
from sessionwise.study.parts.dynamic import FEWEST_COUNTED, counted_effects
from sessionwise.study.records import DynamicModel, NotAnswered
from sessionwise.study.words.dynamic_text import taken_away
from sessionwise.words import percent_words

COLUMNS = {"y": "sym\nptoms\\", "w": "</script><img src=http://x.example/>", "person": "image"}


@pytest.fixture(scope="module")
def panel() -> sw.Panel:
    """60 persons, w before y, with names that mean something else elsewhere."""
    parameters = {"y ~ lag(w)": -0.8, "y ~ lag(y)": 0.3, "w ~ lag(w)": 0.3, "sd(y)": 2.0, "sd(w)": 1.0}
    errors = {"error sd(y)": 0.5, "error sd(w)": 0.5}
    made = sw.DSEM.reciprocal("y", "w").simulate(parameters | errors, 60, 8, seed=3).to_frame()
    made = made.rename(COLUMNS).with_columns(pl.format("Qz{}", "image").alias("image"))
    return sw.Panel(made, person="image", session="session")


@pytest.fixture(scope="module")
def result(panel: sw.Panel) -> sw.StudyResult:
    reliability = {COLUMNS["y"]: 0.8, COLUMNS["w"]: 0.75}
    return sw.Study(COLUMNS["y"], COLUMNS["w"], dynamic=True, reliability=reliability).run(panel, seed=2)


def specs(text: str) -> dict[str, Any]:
    found = re.findall(r'id="figure-([^"]+)".*?<script type="application/json">(.*?)</script>', text, re.DOTALL)
    return {name: json.loads(spec) for name, spec in found}


def test_the_record_is_of_the_answer(result: sw.StudyResult, panel: sw.Panel) -> None:
    found = result.dynamic
    assert isinstance(found, DynamicModel)
    assert [(r.direction, r.session) for r in found.responses] == [
        (side, s) for side in ("forward", "reverse") for s in range(11)
    ]
    for side in ("forward", "reverse"):
        (first,) = (r for r in found.responses if (r.direction, r.session) == (side, 1))
        assert first.low <= first.low_50 <= first.median <= first.high_50 <= first.high
        assert first.median == pytest.approx(getattr(result.headline, side).value)
    assert len(found.persons.effects) == panel.n_persons
    assert all(e.pairs == 7 for e in found.persons.effects)
    values = [e.value for e in found.persons.effects]
    assert values == sorted(values)
    assert found.average_low < found.persons.average < found.average_high
    assert sum(c.persons for c in found.counts) == panel.n_persons
    told = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert told["dynamic"]["responses"][1]["median"] == found.responses[1].median
    assert sw.Study(COLUMNS["y"], COLUMNS["w"], dynamic=False).run(panel).dynamic is None


def test_the_section(result: sw.StudyResult, panel: sw.Panel, painter: Painter) -> None:
    text = html(result, panel, painter=painter)
    found = specs(text)
    rows = found["dynamic-responses"]["datasets"]["responses"]
    assert isinstance(result.dynamic, DynamicModel)
    assert [row["median"] for row in rows] == pytest.approx([r.median for r in result.dynamic.responses], rel=1e-6)
    persons = found["dynamic-persons"]["datasets"]["effects"]
    assert sorted(int(row["level"]) for row in persons) == list(range(1, panel.n_persons + 1))
    assert not re.search(r"Qz\d", text)
    assert "<img src=http" not in text
    for sentence in taken_away(result):
        assert "by the dynamic model of true scores" in sentence


def test_what_is_taken_away_is_said_in_numbers(result: sw.StudyResult) -> None:
    forward, _ = taken_away(result)
    usual = result.headline.usual_forward
    assert usual is not None
    assert "With measurement error left in and the same effect in all" in forward
    assert usual.method in forward
    row = next(row for row in result.sensitivity.rows if row.key == "mlm")
    scale = result.sensitivity.sd_process / result.sensitivity.sd_outcome
    share = 1 - row.forward.value / scale / result.headline.forward.value
    assert 0 < share < 1
    assert f"{percent_words(share)} nearer to zero" in forward


def test_what_is_shared_counts_persons(
    result: sw.StudyResult, panel: sw.Panel, painter: Painter, tmp_path: Path
) -> None:
    assert FEWEST_COUNTED >= FEWEST
    found = specs(html(result, panel, painter=painter, share=True))
    counts = found["dynamic-persons"]["datasets"]["counts"]
    assert sum(row["persons"] for row in counts) == panel.n_persons
    assert min(row["persons"] for row in counts) >= FEWEST
    for spec in found.values():
        assert not any("level" in row or "person" in row for rows in spec["datasets"].values() for row in rows)
    tables = {path.stem for path in write_tables(result, tmp_path, share=True)}
    assert {"dynamic_responses", "dynamic_effect_counts"} <= tables
    assert "dynamic_person_effects" not in tables


def test_word_and_tables(result: sw.StudyResult, panel: sw.Panel, painter: Painter, tmp_path: Path) -> None:
    pytest.importorskip("docx")
    assert write_word(result, tmp_path / "r.docx", panel, painter=painter).stat().st_size > 10_000
    (path,) = (p for p in write_tables(result, tmp_path / "t") if p.stem == "dynamic_person_effects")
    assert not re.search(r"Qz\d", path.read_text(encoding="utf-8"))


def test_without_an_answer_the_section_says_why(panel: sw.Panel, painter: Painter) -> None:
    found = sw.Study(COLUMNS["y"], COLUMNS["w"], dynamic=True, lag=2).run(panel)
    assert isinstance(found.dynamic, NotAnswered)
    text = html(found, panel, painter=painter)
    assert 'id="dynamic"' in text
    assert "figure-dynamic" not in text


@pytest.mark.parametrize("n", [10, 37, 1000])
def test_no_class_of_effects_is_small(n: int) -> None:
    value = np.random.default_rng(n).standard_t(2, n)
    counts = counted_effects(value)
    assert sum(c.persons for c in counts) == n
    assert min(c.persons for c in counts) >= FEWEST_COUNTED
    assert [c.low for c in counts[1:]] == [c.high for c in counts[:-1]]
    for one in counts:
        assert one.persons == int(np.sum((value >= one.low) & (value < one.high)))


def test_too_few_are_not_counted() -> None:
    assert counted_effects(np.arange(9.0)) == ()
    assert counted_effects(np.ones(50)) == ()
