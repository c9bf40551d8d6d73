"""The dynamic model in a study: it answers where it was asked for, the usual analysis stands beside it."""

from __future__ import annotations

import functools

import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from sessionwise.study import StudyResult
from sessionwise.study.parts import dynamic as parts
from sessionwise.study.records import NotAnswered

TRUE = -0.8


@functools.cache
def panel(error: float = 0.5) -> sw.Panel:
    """60 persons, 8 sessions; w goes before y, both rated with error."""
    model = sw.DSEM.reciprocal("y", "w")
    parameters = {"y ~ lag(w)": TRUE, "y ~ lag(y)": 0.3, "w ~ lag(w)": 0.3, "sd(y)": 2.0, "sd(w)": 1.0}
    errors = {f"error sd({name})": error for name in ("y", "w")}
    return model.simulate(parameters | errors, 60, 8, seed=3)


@functools.cache
def result(**options: object) -> StudyResult:
    return sw.Study("y", "w", dynamic=True, **options).run(panel(), seed=2)  # type: ignore[arg-type]


def test_the_answer_is_the_dynamic_models_and_the_usual_one_is_kept() -> None:
    found = result().headline
    usual = sw.Study("y", "w", dynamic=False).run(panel()).headline
    assert not isinstance(found.forward, NotAnswered)
    assert not isinstance(usual.forward, NotAnswered)
    assert found.forward.method.startswith("dynamic structural equation model of scores")
    assert found.usual_forward == usual.forward
    assert found.usual_reverse == usual.reverse
    assert found.dynamic.startswith("Converged")
    assert usual.usual_forward is None
    assert usual.dynamic == ""


def test_the_row_of_the_table_is_the_answer() -> None:
    rows = {row.key: row for row in result().sensitivity.rows}
    answer = result().headline.forward
    assert not isinstance(answer, NotAnswered)
    assert [key for key, row in rows.items() if row.label.endswith("(answer)")] == ["dsem"]
    assert rows["dsem"].forward.value == pytest.approx(answer.standardised.value)
    assert "Asparouhov" in " ".join(result().references)
    assert "dynamic structural equation model" in " ".join(result().methods)


def test_what_the_usual_analysis_says_stands_in_the_answer() -> None:
    assert "; with the same effect in all, " in result().answer[0]
    known = sw.Study("y", "w", dynamic=True, reliability={"y": 0.8, "w": 0.75}).run(panel(), seed=2)
    assert "with measurement error left in and the same effect in all" in known.answer[0]


def test_what_it_does_not_take_in_is_said() -> None:
    table = panel().to_frame()
    x = pl.Series("x", np.random.default_rng(1).normal(size=len(table)))
    other = sw.Panel(table.with_columns(x), person="person", session="session")
    assert "covariates" in sw.Study("y", "w", dynamic=True, covariates=["x"]).run(other).headline.dynamic


def test_a_reliability_makes_the_effect_of_true_scores_larger() -> None:
    told = sw.Study("y", "w", dynamic=True, reliability={"y": 0.8, "w": 0.75}).run(panel(), seed=2).headline
    assert not isinstance(told.forward, NotAnswered)
    assert "true scores" in told.forward.method
    assert told.forward.value < result().headline.forward.value < 0
    assert told.forward.low <= TRUE <= told.forward.high


def test_equal_seeds_give_equal_answers() -> None:
    again = sw.Study("y", "w", dynamic=True).run(panel(), seed=2)
    assert again.headline == result().headline
    assert sw.Study("y", "w", dynamic=True).run(panel(), seed=5).headline != result().headline


def test_where_it_cannot_be_had_the_usual_analysis_answers() -> None:
    found = sw.Study("y", "w", dynamic=True, lag=2).run(panel())
    assert "lag is 2" in found.headline.dynamic
    assert found.headline.usual_forward is None
    rows = {row.key: row for row in found.sensitivity.rows}
    assert isinstance(rows["dsem"].forward, NotAnswered)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"dynamic": False, "reliability": {"y": 0.8}}, "is left out"),
        ({"dynamic": True, "reliability": {"z": 0.8}}, "neither the outcome nor the process"),
        ({"dynamic": True, "reliability": {"y": 0.0}}, "of y is 0.0"),
        ({"dynamic": True, "reliability": {"y": 1.5}}, "of y is 1.5"),
        ({"dynamic": "yes"}, "dynamic"),
    ],
)
def test_what_cannot_be_meant_is_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(sw.StudyError, match=said):
        sw.Study("y", "w", **options)  # type: ignore[arg-type]


def test_items_tell_the_error() -> None:
    table = sw.datasets.demo(persons=120, seed=5)
    scored = sw.score(sw.Panel(table, person="patient", session="session"), "core-om", "wai-sr")
    found = sw.Study("core_om", "wai_sr", dynamic=True).run(scored).headline
    assert not isinstance(found.forward, NotAnswered)
    assert "true scores" in found.forward.method


def test_a_study_that_was_asked_for_it_says_so() -> None:
    study = sw.Study("y", "w", dynamic=True, reliability={"y": 0.8})
    assert repr(study) == "Study(outcome='y', process='w', dynamic=True, reliability={'y': 0.8})"
    assert hash(study) == hash(sw.Study("y", "w", dynamic=True, reliability={"y": 0.8}))
    assert np.isfinite(dict(study.reliability)["y"])
    assert isinstance(panel().to_frame(), pl.DataFrame)


def test_it_is_fitted_unasked_unless_there_are_very_many_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    unasked = sw.Study("y", "w").run(panel(), seed=2)
    assert unasked.headline == result().headline
    assert repr(unasked.study) == "Study(outcome='y', process='w')"
    monkeypatch.setattr(parts, "UNASKED", 100)
    many = sw.Study("y", "w").run(panel(), seed=2)
    assert isinstance(many.dynamic, NotAnswered)
    assert "480 sessions" in many.headline.dynamic
    assert "dynamic=True" in many.dynamic.words
    assert many.headline.forward == result().headline.usual_forward


@pytest.mark.parametrize(
    ("options", "kept", "said"),
    [
        ({}, "partly", "measurement error is left in"),
        ({"reliability": {"y": 0.8, "w": 0.75}}, "yes", "taken out"),
        ({"dynamic": False}, "partly", "left out"),
        ({"lag": 2}, "yes", "The model is for lag 1"),
    ],
)
def test_the_order_of_precedence_is_stated(options: dict[str, object], kept: str, said: str) -> None:
    found = sw.Study("y", "w", **options).run(panel(), seed=2)  # type: ignore[arg-type]
    (rule,) = (r for r in found.checklist if r.rule.startswith("Say beforehand"))
    assert rule.kept == kept
    assert said in rule.done
    assert ("where its chains agree, else" in " ".join(found.methods)) is (
        "dynamic" not in options and "lag" not in options
    )
