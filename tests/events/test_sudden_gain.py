"""Sudden gains against the counts that the R package suddengains gives for its example data, and by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from helpers.places import shared


def of(*persons: list[float | None], **settings: Any) -> Any:
    rows = [(i, t, y) for i, ys in enumerate(persons) for t, y in enumerate(ys, 1)]
    table = pl.DataFrame(rows, schema=["p", "s", "y"], orient="row", strict=False)
    rule = sw.SuddenGain("y", **({"cutoff": 7.0, "better": "lower"} | settings))
    return sw.detect(sw.Panel(table, person="p", session="s"), rule, false_alarms=False)


@pytest.fixture(scope="module")
def example() -> sw.Panel:
    wide = pl.read_csv(shared("sudden_gains.csv"), null_values="NA")
    names = [f"bdi_s{i}" for i in range(1, 13)]
    long = wide.unpivot(index="id", on=names, variable_name="session", value_name="bdi")
    numbered = long.with_columns(pl.col("session").str.strip_prefix("bdi_s").cast(pl.Int64))
    return sw.Panel(numbered, person="id", session="session")


def test_counts_of_the_r_package(example: sw.Panel) -> None:
    """sgdata, sessions 1 to 12, cut-off 7, pooled SD (R package suddengains)."""
    found = sw.detect(example, sw.SuddenGain("bdi", cutoff=7), false_alarms=False)
    counts = found.counts
    assert (counts.persons, counts.events, counts.with_events, counts.several) == (43, 24, 15, 8)
    assert found.found.more["reversed"].sum() == 4
    size = found.found.magnitude
    assert round(float(size.mean()), 2) == 11
    assert round(float(size.std(ddof=1)), 2) == 3.43


def test_every_rule_gives_another_count(example: sw.Panel) -> None:
    """Published variants are not one criterion: no two agree here."""
    counts = [
        len(sw.detect(example, sw.SuddenGain("bdi", cutoff=7, stability=rule), false_alarms=False))  # type: ignore[arg-type]
        for rule in ("pooled-sd", "t-test", "half-kept", "own-sd", "none")
    ]
    assert len(set(counts)) == 5
    assert max(counts) == counts[-1]


GAIN = [30.0, 31, 30, 18, 17, 18, 17]


def test_a_gain_by_hand() -> None:
    (row,) = of(GAIN).table().to_dicts()
    assert (row["start"], row["turning"], row["before"], row["after"]) == (3, 4, 30, 18)
    assert (row["kind"], row["magnitude"], row["reversed"], row["reversal"]) == ("sudden gain", 12, False, 0)
    # criterion 1: 12/7; 2: 12/(30/4); 3: (91/3 − 53/3)/(t(.975, 4)·√(1/3))
    third = (91 / 3 - 53 / 3) / (2.7764451 * np.sqrt(1 / 3))
    assert row["evidence"] == pytest.approx(min(12 / 7, 12 / 7.5, third))


def test_a_loss_is_its_mirror_image() -> None:
    """Not every worsening is one, as by the second criterion of suddengains."""
    rise = [61 - y for y in GAIN]
    (row,) = of(rise, direction="loss").table().to_dicts()
    assert (row["kind"], row["start"], row["before"], row["after"]) == ("sudden loss", 3, 31, 43)
    assert not len(of(rise))
    assert not len(of([40.0, 41, 40, 48, 47, 48, 47], direction="loss"))  # 8 is less than a quarter of 40
    assert len(of([40.0, 41, 40, 48, 47, 48, 47], direction="loss", share=0.2))


def test_each_criterion_alone_stops_a_gain() -> None:
    assert not len(of(GAIN, cutoff=12.5))
    assert not len(of(GAIN, share=0.41))
    assert not len(of([30.0, 40, 30, 18, 28, 10, 17]))
    assert len(of([30.0, 40, 30, 18, 28, 10, 17], stability="none"))


def test_a_reversal_is_where_half_of_the_gain_is_lost() -> None:
    (row,) = of([*GAIN, 23.9]).table().to_dicts()
    assert not row["reversed"]
    (row,) = of([*GAIN, 24.0, 17]).table().to_dicts()
    assert (row["reversed"], row["reversal"]) == (True, 8)


def test_half_of_it_must_be_kept_at_each_of_the_next_two() -> None:
    settings: dict[str, Any] = {"stability": "half-kept"}
    assert len(of([30.0, 18, 24, 24], **settings))
    assert not len(of([30.0, 18, 24, 24.5], **settings))
    assert len(of([30.0, 18, None, 24], **settings))
    assert not len(of([31.0, 30, 18], **settings))  # nothing after it: not known


def test_own_sd() -> None:
    series = [30.0, 30, 30, 20, 20, 20]
    sd = np.std(series, ddof=1)
    assert len(of(series, stability="own-sd", own_sds=10 / sd - 0.01))
    assert not len(of(series, stability="own-sd", own_sds=10 / sd + 0.01))


def test_fewer_values_need_a_larger_t() -> None:
    """With two values on each side t(.975, 2) = 4.303, with three and two t(.975, 3) = 3.182."""
    pair = [None, 30.0, 26, 16, 14]  # means 28 and 15; pooled SD √5 (8 and 2, over 2)
    assert len(of(pair))  # 13 > 4.303·√5 = 9.62
    assert not len(of([None, 30.0, 24, 17, 14], cutoff=7))  # 11.5 < 4.303·√11.25 = 14.4
    assert not len(of([30.0, 30, 18]))  # one value after it


def test_a_skipped_session_is_no_interval() -> None:
    assert not len(of([30.0, 31, 30, None, 18, 17, 18]))


def test_the_cutoff_of_the_instrument() -> None:
    table = pl.DataFrame({"p": [1] * 6, "s": range(6), "phq_9": [20.0, 21, 20, 8, 9, 8]})
    panel = sw.Panel(table, person="p", session="s")
    found = sw.detect(panel, sw.SuddenGain("phq_9"), false_alarms=False)
    assert found.detector.cutoff == 6
    assert len(found) == 1
    with pytest.raises(sw.ModelError, match="smallest change that counts") as caught:
        sw.detect(panel.with_columns({"y": panel["phq_9"]}), sw.SuddenGain("y"))
    assert "cutoff=7" in caught.value.remedy
