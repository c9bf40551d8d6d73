"""Outcomes of two or a few values: said by a fit, refused by a study until they are said to be scores."""

import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from sessionwise.cli.remedies import in_options
from sessionwise.models import MLM
from sessionwise.panel.few_values import few_values


def panel(outcome: str = "y", persons: int = 60) -> sw.Panel:
    """y a score, cut into two values (above) or four steps."""
    rng = np.random.default_rng(3)
    p, s = np.repeat(np.arange(persons), 6), np.tile(np.arange(1, 7), persons)
    x = rng.standard_normal(len(p))
    y = rng.standard_normal(persons)[p] - x + rng.standard_normal(len(p))
    steps = np.clip(np.round(y), -1, 2)
    data = pl.DataFrame({"p": p, "s": s, "y": y, "x": x, "above": (y > 0).astype(int), "steps": steps})
    return sw.Panel(data.with_columns(bond=pl.Series(np.clip(np.round(2 * x), -2, 2))), person="p", session="s")


@pytest.mark.parametrize(
    ("values", "few"),
    [
        ([0.0, 1.0] * 20, (0, 1)),
        ([0.5, np.nan, 2.5] * 20, (0.5, 2.5)),
        ([0.0, 1.0] * 5, ()),
        ([1.0, 2.0, 3.0] * 20, (1, 2, 3)),
        ([1.0, 2.0, 3.0] * 10, ()),
        ([1.0, 2.5, 3.0] * 20, ()),
        (list(range(6)) * 20, ()),
        ([1.0, 2.0] * 100 + [9.5], ()),
        ([4.0] * 100, ()),
        ([], ()),
    ],
)
def test_which_scores_have_few_values(values, few):
    assert few_values(np.array(values, np.float64)) == few


@pytest.mark.parametrize(("outcome", "said"), [("above", "two values, 0 and 1"), ("steps", "4 values, -1, 0, 1 and 2")])
def test_a_fit_says_what_few_values_mean(outcome, said):
    (doubt,) = [f for f in MLM(f"{outcome} ~ x + (1 | p)").fit(panel()).findings if f.code == "few-values"]
    assert doubt.severity == "warning"
    assert said in doubt.what
    assert "continuous score" in doubt.what
    assert "multilevel model" in doubt.remedy or "clmm" in doubt.remedy


def test_a_score_and_predictors_of_few_values_are_not_warned_of():
    fit = MLM("y ~ above + steps + (1 | p)").fit(panel())
    assert not [f for f in fit.findings if f.code == "few-values"]


@pytest.mark.parametrize(("outcome", "process"), [("above", "x"), ("steps", "x"), ("y", "above")])
def test_a_study_refuses_until_they_are_said_to_be_scores(outcome, process):
    name = process if outcome == "y" else outcome
    with pytest.raises(sw.StudyError, match="is analysed as a continuous score") as caught:
        sw.Study(outcome, process, dynamic=False).run(panel())
    assert f"as_scored=['{name}']." in caught.value.remedy
    assert f"--as-scored {name}." in in_options(caught.value).remedy
    result = sw.Study(outcome, process, as_scored=[name], dynamic=False).run(panel())
    (doubt,) = [f for f in result.findings if f.code == "few-values"]
    assert name in doubt.what


def test_a_process_of_a_few_steps_is_analysed_and_said():
    result = sw.Study("y", "bond", dynamic=False).run(panel())
    assert [f.column for f in result.findings if f.code == "few-values"] == ["bond"]
