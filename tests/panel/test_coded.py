"""Codes of categories, as labels of a file tell them: categories in a study, and never by themselves a score."""

import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from sessionwise.models import MLM
from sessionwise.panel import Table
from sessionwise.panel.coded import coded_values

SEX = {1: "Man", 2: "Kvinna", 9: "Okänt"}


def table(**labels) -> Table:
    rng = np.random.default_rng(2)
    p, s = np.repeat(np.arange(60), 6), np.tile(np.arange(1, 7), 60)
    level = rng.standard_normal(60)[p]
    x = rng.standard_normal(360)
    data = pl.DataFrame(
        {"p": p, "s": s, "y": level - x + rng.standard_normal(360), "x": x, "item": rng.integers(1, 4, 360)}
        | {"sex": p % 2 + 1.0, "steps": p % 7 + 1, "age": p + 20}
    )
    data = data.with_columns(sex=pl.when(pl.col("s") == 1).then("sex"))  # at the first session only, as often
    return Table(data, "f.sav", value_labels={"sex": SEX} | labels, variable_labels={"y": "Besvär", "x": "Allians"})


def panel(**labels) -> sw.Panel:
    return sw.Panel(table(**labels), person="p", session="s")


@pytest.mark.parametrize(
    ("name", "labels", "coded"),
    [
        ("sex", SEX, True),
        ("sex", {9: "missing"}, False),
        ("steps", {1: "not at all", 7: "very"}, False),
        ("steps", dict(enumerate("abcde", 1)), True),
        ("age", {n: f"{n} years" for n in range(20, 80)}, False),
        ("item", {1: "no", 2: "some", 3: "much"}, False),
    ],
    ids=["sex", "code for missing", "ends of a scale", "most", "many", "measured at each session"],
)
def test_which_values_are_codes(name, labels, coded):
    assert bool(coded_values(panel(**{name: labels}), name)) is coded


def test_labels_that_are_the_same_stay_apart():
    codes = coded_values(panel(steps={1: "a", 2: "a", 3: "b", 4: "c"}), "steps")
    assert list(codes.values()) == ["a (1)", "a (2)", "b", "c", "5", "6", "7"]


def test_labels_go_with_the_panel():
    made = panel().with_columns({"z": np.zeros(360)}).subset([1, 2])
    assert made.value_labels["sex"] == SEX
    assert sw.Panel(made, person="p", session="s").variable_labels["y"] == "Besvär"
    assert sw.Panel(table().frame, person="p", session="s").value_labels == {}


def test_a_study_takes_a_coded_moderator_as_categories_and_says_how_to_have_a_number():
    result = sw.Study("y", "x", moderators=["sex"], dynamic=False).run(panel())
    (moderation,) = result.forward.moderators
    assert [slope.at for slope in moderation.slopes] == ["sex = Man", "sex = Kvinna"]
    (note,) = [f for f in result.findings if f.code == "coded-as-categories"]
    assert "1 Man, 2 Kvinna" in note.what
    assert note.remedy == "To have it as a number: as_scored=['sex']."
    assert note.remedy.for_command_line() == "To have it as a number: --as-scored sex."
    assert "Allians" in result.answer[0]


def test_as_scored_keeps_the_number():
    result = sw.Study("y", "x", moderators=["sex"], as_scored=["sex"], dynamic=False).run(panel())
    (moderation,) = result.forward.moderators
    assert [slope.at for slope in moderation.slopes] == [
        "sex = 1 (mean − SD)",
        "sex = 1.50 (mean)",
        "sex = 2 (mean + SD)",
    ]
    assert not [f for f in result.findings if f.code == "coded-as-categories"]


def test_a_formula_says_that_codes_are_numbers_and_how_to_have_categories():
    data = table()
    data = sw.Panel(
        Table(data.frame.with_columns(sex=pl.col("p") % 2 + 1), value_labels=data.value_labels), person="p", session="s"
    )
    (note,) = [f for f in MLM("y ~ x * sex + (1 | p)").fit(data).findings if f.code == "coded-as-number"]
    assert "C(sex)" in note.remedy
    fit = MLM("y ~ x * C(sex) + (1 | p)").fit(data)
    assert "C(sex)[T.2]" in fit.fixef
    assert not [f for f in fit.findings if f.code == "coded-as-number"]
