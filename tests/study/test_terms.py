"""Terms and reasons by their parts: names of columns and categories that look like something else."""

from __future__ import annotations

import polars as pl

import sessionwise as sw
from helpers.demo import few, panel
from sessionwise.study.records import Direction, Moderation

#: Categories that hold what names of coefficients are made of.
LABELS = {0: "T.low", 1: "mid: [a]", 2: "high [T.b]"}


def odd() -> pl.DataFrame:
    arm = (pl.col("patient") % 3).replace_strict(LABELS)
    return few(90).with_columns(arm.alias("arm"), pl.col("age").alias("age_of_onset"), pl.lit(1.0).alias("age"))


def test_a_category_is_told_as_it_is() -> None:
    found = sw.Study("core_om", "wai_sr", moderators=["arm"], dynamic=False).run(panel(odd()))
    assert isinstance(found.forward, Direction)
    (m,) = found.forward.moderators
    assert isinstance(m, Moderation)
    assert [c.category for c in m.interactions] == ["high [T.b]", "mid: [a]"]
    told = [row["at"] for row in found.tables()["forward_slopes"].to_dicts()]
    assert told == [
        "arm = T.low",
        "arm = high [T.b]",
        "arm = mid: [a]",
        "difference, arm = high [T.b] minus arm = T.low",
        "difference, arm = mid: [a] minus arm = T.low",
    ]
    labels = [c.label for c in m.interactions]
    assert labels[1] == "WAI-SR, the session before (within) × arm[T.mid: [a]]"
    assert found.to_dict()["forward"]["moderators"][0]["interactions"][1]["category"] == "mid: [a]"


def test_a_process_with_a_colon_in_its_name() -> None:
    data = odd().rename({"wai_sr": "wai: total", "core_om": "core [om]"})
    found = sw.Study("core [om]", "wai: total", moderators=["pd", "gender"], dynamic=False).run(panel(data))
    assert isinstance(found.forward, Direction)
    told = [row["at"] for row in found.tables()["forward_slopes"].to_dicts()]
    assert "difference, pd = 1 minus pd = 0" in told
    names = [c.label for step in found.forward.steps for c in step.coefficients]
    assert "wai: total, the session before (within)" in names


def test_a_covariate_whose_name_begins_like_another() -> None:
    """The age that is the same for all is in no model, though a column that is begins with its name."""
    found = sw.Study("core_om", "wai_sr", covariates=["age", "age_of_onset"], dynamic=False).run(panel(odd()))
    assert isinstance(found.forward, Direction)
    assert found.forward.covariates == ("age_of_onset",)


def test_a_reason_names_scores_as_sentences_do() -> None:
    """A score's column is called by its instrument; one whose name holds these letters is not."""
    rows = pl.int_range(pl.len())
    data = few(90).with_columns(
        pl.when(rows % 9 == 4).then(None).otherwise(40 - pl.col("core_om").clip(0, 40)).alias("ors"),
        pl.when(rows % 11 == 4).then(None).otherwise("therapist").alias("sponsors"),
    )
    found = sw.Study("ors", "wai_sr", dynamic=False).run(panel(data, cluster="sponsors"))
    why = next(step.why for step in found.flow if step.what == "in the main model")
    assert "the response ORS is missing" in why
    assert "ORS is missing at the previous session" in why
    assert "the grouping factor sponsors is missing" in why
