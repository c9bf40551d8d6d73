"""Options: what may be given, and what is said where something else is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sessionwise.errors import ModelError, ReadError, SessionwiseError, StudyError
from sessionwise.options import known_name, one_of, valid_level

SOURCES = Path(__file__).parent.parent / "src" / "sessionwise"


@pytest.mark.parametrize(
    ("what", "value", "choices"),
    [
        ("lags", "equal", ("equal", "free")),
        ("trend", None, (None, "linear")),
        ("same", "lag", ["lag", "mean"]),
        ("decimal", ",", iter([None, ".", ","])),
    ],
)
def test_a_choice_passes(what, value, choices):
    one_of(what, value, choices)


@pytest.mark.parametrize(
    ("what", "value", "choices", "message", "remedy"),
    [
        ("lags", "eqal", ("equal", "free"), "lags is 'eqal'. Did you mean 'equal'?", "Use one of 'equal', 'free'."),
        ("lags", "EQUAL", ("equal", "free"), "lags is 'EQUAL'. Did you mean 'equal'?", "Use one of 'equal', 'free'."),
        ("trend", "cubic", (None, "linear"), "trend is 'cubic'.", "Use one of None, 'linear'."),
        ("trend", "Non", (None, "linear"), "trend is 'Non'.", "Use one of None, 'linear'."),
        ("order", None, ("a first", "b first"), "order is None.", "Use one of 'a first', 'b first'."),
        ("method", 3, ("ML", "REML"), "method is 3.", "Use one of 'ML', 'REML'."),
    ],
)
@pytest.mark.parametrize("error", [ModelError, StudyError, ReadError])
def test_what_is_no_choice(what, value, choices, message, remedy, error):
    with pytest.raises(error) as caught:
        one_of(what, value, choices, error, where="there")
    assert (caught.value.what, caught.value.remedy, caught.value.where) == (message, remedy, "there")
    assert type(caught.value) is error


def test_the_usual_error_is_that_of_models():
    for call in (lambda: one_of("a", 1, ()), lambda: known_name("column", "a", ()), lambda: valid_level(2)):
        with pytest.raises(ModelError):
            call()


def test_a_name_that_is_there():
    known_name("column", "wai", ["wai", "core"])
    known_name("column", "wai", iter(["wai", "core"]))


@pytest.mark.parametrize(
    ("name", "given", "message", "remedy"),
    [
        ("wia", {}, "there is no column 'wia'. Did you mean 'wai'?", "Use one of wai, core."),
        ("wia", {"remedy": "Read it."}, "there is no column 'wia'. Did you mean 'wai'?", "Read it."),
        ("x", {}, "there is no column 'x'.", "Use one of wai, core."),
    ],
)
def test_a_name_that_is_not_there(name, given, message, remedy):
    with pytest.raises(StudyError) as caught:
        known_name("column", name, ["wai", "core"], StudyError, where="formula", **given)
    assert (caught.value.what, caught.value.remedy, caught.value.where) == (message, remedy, "formula")


def test_only_the_first_of_many_names_are_told():
    with pytest.raises(ModelError, match="and 8 more"):
        known_name("column", "x", [f"item_{i}" for i in range(20)])


@pytest.mark.parametrize("level", [0.5, 0.95, 1e-9, np.float64(0.9)])
def test_levels(level):
    assert valid_level(level) == level


@pytest.mark.parametrize("level", [0, 1, 95, -0.5, float("nan"), float("inf")])
@pytest.mark.parametrize("error", [ModelError, SessionwiseError])
def test_what_is_no_level(level, error):
    with pytest.raises(error, match=f"level is {level}") as caught:
        valid_level(level, error)
    assert "between 0 and 1" in caught.value.remedy


def test_a_level_is_checked_in_one_place():
    written = [p.name for p in SOURCES.rglob("*.py") if "0 < level < 1" in p.read_text(encoding="utf-8")]
    assert written == ["options.py"]
