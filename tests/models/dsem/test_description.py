"""DSEM: formulas, options, and what is refused before any data are seen."""

from __future__ import annotations

from typing import Any

import pytest

import sessionwise as sw
from sessionwise.models.dsem.paths import parsed


def test_paths_of_formulas() -> None:
    paths = parsed(("`core om` ~ lag(`core om`) + lag(wai, 2) + wai + mood", "wai ~ lag(wai, k=1)"))
    assert [p.name for p in paths.paths] == [
        "core om ~ lag(core om)", "core om ~ lag(wai, 2)", "core om ~ wai", "core om ~ mood", "wai ~ lag(wai)",
    ]  # fmt: skip
    assert (paths.variables, paths.covariates, paths.lags, paths.instant) == (("core om", "wai"), ("mood",), 2, True)
    assert sw.DSEM.reciprocal("core om", "wai").paths.variables == ("core om", "wai")
    three = parsed(("a ~ lag(a) + lag(b, 2)", "b ~ lag(c)", "c ~ b + lag(c)"))
    assert three.lags == 2


@pytest.mark.parametrize(
    ("formulas", "said"),
    [
        (("y ~ lag(y)", "y ~ lag(w)"), "y has two formulas"),
        (("y ~ x", "x ~ y"), "in a circle: y → x → y"),
        (("a ~ b", "b ~ c", "c ~ a"), "in a circle"),
        (("y ~ y",), "y predicts itself"),
        (("y ~ lag(y) + lag(y)",), "is there twice"),
        (("y ~ lag(y, 4)",), "3 is the most"),
        (("a ~ lag(b, 3)", "b ~ lag(a)", "c ~ lag(a)"), "2 is the most"),
        (("y ~ lag(y, 0)",), "no whole number"),
        (("y ~ lag(y, by='row')",), "no option 'by'"),
        (("y ~ lag(y) + lag(z)",), "z has no formula of its own"),
        (("y ~ lag(y):x",), "cannot stand at the within level"),
        (("lag(y) ~ y",), "begins with a column"),
        (tuple(f"{v} ~ lag({v})" for v in "abcde"), "5 variables"),
        ((), "0 variables"),
    ],
)
def test_formulas_that_are_refused(formulas: tuple[str, ...], said: str) -> None:
    with pytest.raises(sw.FormulaError, match=said.replace("(", r"\(")) as caught:
        sw.DSEM(formulas)
    assert caught.value.remedy


@pytest.mark.parametrize(
    "options",
    [
        {"random": ("y ~ lag(q)",)}, {"random": "some"}, {"error": "scores"}, {"error": {"q": 1.0}},
        {"error": {"y": -1.0}}, {"error": {"y": float("nan")}}, {"error": ("y", 0.1)}, {"between": "pd"},
        {"between": "~ pd * age"}, {"between": "~"}, {"effect_sd": 0}, {"course": "steps"}, {"trend": "cubic"},
        {"first": "none"}, {"priors": "flat"}, {"correlated": True}, {"variances": "free"}, {"factor": 1},
    ],
    ids=str,
)  # fmt: skip
def test_options_that_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(sw.SessionwiseError) as caught:
        sw.DSEM.reciprocal("y", "w", **options)
    assert caught.value.remedy


def test_lists_and_dicts_can_be_given_and_the_description_hashed() -> None:
    one = sw.DSEM(["y ~ lag(y)", "w ~ lag(w)"], random=["y ~ lag(y)"], error={"w": 0.1, "y": 0.2}, outcomes=["o"])
    other = sw.DSEM(
        ("y ~ lag(y)", "w ~ lag(w)"), random=("y ~ lag(y)",), error=(("w", 0.1), ("y", 0.2)), outcomes=("o",)
    )
    assert one == other
    assert hash(one) == hash(other)
    assert sw.DSEM("y ~ lag(y)").within == ("y ~ lag(y)",)
