"""Scores against an answer key written out by hand here: other lists, other arithmetic (exact fractions)."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sessionwise as sw
from helpers.answer_keys import KEYS, RANGES, upto
from sessionwise.scoring import ScoreRecord, item_columns

Row = list[int | None]


def by_hand(name: str, row: Row, low: int, high: int) -> dict[str, float]:
    """Every score with exact fractions; NaN where none is to be made."""
    key = KEYS[name]
    scores: dict[str, float] = {}
    for column, part in key.scores.items():
        if part.is_sum_of_scores:
            continue
        answers = []
        for item in key.members(column):
            answer = row[item - 1]
            if answer is not None:
                answers.append(high - answer + low if item in key.turned else answer)
        if len(part.of) - len(answers) > part.may_miss or not answers:
            scores[column] = float("nan")
            continue
        mean = Fraction(sum(answers), len(answers))
        times = {"sum": len(part.of), "mean": 1, "mean10": 10}[part.scoring] * part.times
        scores[column] = float(mean * times)
    for column, part in key.scores.items():
        if part.is_sum_of_scores:
            scores[column] = sum(scores[str(one)] for one in part.of)
    return scores


def panel_of(rows: list[Row], prefix: str, dtype: type[pl.DataType] = pl.Int64) -> sw.Panel:
    columns = {f"{prefix}_{i + 1}": pl.Series([row[i] for row in rows], dtype=dtype) for i in range(len(rows[0]))}
    frame = pl.DataFrame({"p": np.arange(len(rows)) // 3, "s": np.arange(len(rows)) % 3, **columns})
    return sw.Panel(frame, person="p", session="s")


def assert_agrees(rows: list[Row], name: str, low: int, high: int, dtype: type[pl.DataType] = pl.Int64) -> None:
    scored = sw.score(panel_of(rows, name.replace("-", "_"), dtype), name, answers=(low, high))
    expected = [by_hand(name, row, low, high) for row in rows]
    for column, part in KEYS[name].scores.items():
        own = [scores[column] for scores in expected]
        if part.is_sum_of_scores:  # rounded once for each part
            np.testing.assert_allclose(scored[column], own, rtol=1e-14, err_msg=column)
        else:
            np.testing.assert_array_equal(scored[column], own, err_msg=column)


def complete_rows(rng: np.random.Generator, count: int, name: str, low: int, high: int) -> list[Row]:
    key = KEYS[name]
    return [[int(rng.choice(key.answers(item, low, high))) for item in upto(key.items)] for _ in range(count)]


def test_every_instrument_has_a_hand_written_key() -> None:
    assert set(KEYS) == set(sw.instruments())
    for name, key in KEYS.items():
        assert tuple(key.scores) == sw.instrument(name).columns


@pytest.mark.parametrize("name", KEYS)
def test_the_range_and_direction_of_every_score(name: str) -> None:
    """Lowest and highest score are reached by the answers that a person most and least burdened gives, and told so."""
    key, shipped = KEYS[name], sw.instrument(name)
    up = [key.low if item in key.turned else key.high for item in upto(key.items)]
    down = [key.high if item in key.turned else key.low for item in upto(key.items)]
    scored = sw.score(panel_of([down, up], name.replace("-", "_")), name)
    for scale, (column, part) in zip(shipped.scales, key.scores.items(), strict=True):
        n = len(key.members(column))
        times = part.times * {"sum": n, "mean": 1, "mean10": 10}[part.scoring]
        least, most = key.low * times, key.high * times
        assert scored[column].tolist() == [least, most], column
        assert scale.limits(shipped.low, shipped.high) == (least, most)
        assert (scale.higher == shipped.higher) is not part.better


@pytest.mark.parametrize("name", KEYS)
def test_subscales_share_no_item_and_stay_within_the_form(name: str) -> None:
    key = KEYS[name]
    total, *rest = key.scores
    items = [item for column in rest if column not in key.overlap for item in key.members(column)]
    assert len(set(items)) == len(items)
    assert set(items) | set(key.members(total)) <= set(upto(key.items))
    assert set(key.turned) <= set(upto(key.items))


@pytest.mark.parametrize(("name", "low", "high"), RANGES)
def test_complete_answers(name: str, low: int, high: int) -> None:
    items = KEYS[name].items
    rows = complete_rows(np.random.default_rng(1), 60, name, low, high)
    rows += [[low] * items, [high] * items]
    assert_agrees(rows, name, low, high)


@pytest.mark.parametrize(("name", "low", "high"), RANGES)
def test_each_reversed_item_alone(name: str, low: int, high: int) -> None:
    items = KEYS[name].items
    rows: list[Row] = []
    for item in range(items):
        rows.append([low] * items)
        rows[-1][item] = high
    assert_agrees(rows, name, low, high)


@pytest.mark.parametrize(("name", "low", "high"), RANGES)
def test_at_and_beyond_every_limit_of_missing_items(name: str, low: int, high: int) -> None:
    key = KEYS[name]
    rng = np.random.default_rng(2)
    rows: list[Row] = []
    for column, part in key.scores.items():
        members = key.members(column)
        for missing in {part.may_miss, part.may_miss + 1, 1, len(members) - 1, len(members)}:
            for row in complete_rows(rng, 10, name, low, high):
                for item in rng.choice(members, size=min(missing, len(members)), replace=False):
                    row[item - 1] = None
                rows.append(row)
    rows.append([None] * key.items)
    assert_agrees(rows, name, low, high)


@settings(max_examples=60)
@given(st.data())
def test_any_answers(data: st.DataObject) -> None:
    name, low, high = data.draw(st.sampled_from(RANGES))
    key, gaps = KEYS[name], data.draw(st.booleans())
    own = [st.sampled_from(key.answers(item, low, high)) for item in upto(key.items)]
    row = st.tuples(*(st.none() | answer if gaps else answer for answer in own)).map(list)
    rows = data.draw(st.lists(row, min_size=1, max_size=8))
    dtype = data.draw(
        st.sampled_from([pl.Int8, pl.UInt8, pl.Int16, pl.Int32, pl.Int64, pl.UInt64, pl.Float32, pl.Float64])
    )
    assert_agrees(rows, name, low, high, dtype)


def test_a_total_of_parts_counts_what_its_parts_did() -> None:
    full: Row = [1] * 25
    rows: list[Row] = [full[:] for _ in range(6)]
    rows[1][2] = rows[1][7] = None  # two of the five of emotional problems: pro-rated
    rows[2][2] = rows[2][7] = rows[2][12] = None  # three: no score
    rows[3] = [None] * 25
    rows[4][0] = None  # prosocial, not in the total
    rows[5][6] = rows[5][10] = None  # one each of conduct problems and peer problems
    scored = sw.score(panel_of(rows, "sdq"), "sdq")
    total, emotional, *_ = scored.records[0].scales
    assert (total.complete, total.prorated, total.items_filled, total.too_few, total.empty) == (2, 2, 4, 1, 1)
    assert (emotional.complete, emotional.prorated, emotional.too_few, emotional.empty) == (3, 1, 1, 1)
    assert np.isnan(scored["sdq"]).tolist() == [False, False, True, True, False, False]
    assert np.isnan(scored["sdq_externalising"]).tolist() == [False, False, False, True, False, False]
    (note,) = (f for f in scored.findings if f.code == "scored")
    assert "1 had too many items of a part missing and no score" in note.what
    assert "1 had an item missing and no score" in next(
        f.what for f in sw.score(panel_of([[1, None, 1, 1]], "phq_4"), "phq-4").findings if f.code == "scored"
    )


def test_an_item_with_answers_of_its_own() -> None:
    rows: list[Row] = [[1, 2, 3, 4, 0, 1, 2, 3, 2, 4], [0] * 8 + [1, 3], [0] * 8 + [7, None]]
    for dtype in (pl.Int8, pl.Float64):
        panel = panel_of(rows, "audit", dtype)
        with pytest.raises(sw.ScoreError) as error:
            sw.score(panel, "audit")
        assert "and 3 answers are outside, or are none that their item has (items 9, 10: 0, 2, 4)" in error.value.what
        assert "column 'audit_9': 1 at p 0, s 1" in error.value.where
        scored = sw.score(panel, "audit", out_of_range="missing")
        np.testing.assert_array_equal(scored["audit"], [22, np.nan, np.nan])
        np.testing.assert_array_equal(scored["audit_consumption"], [6, 0, 0])
        assert scored.records[0].out_of_range == 3
        (warning,) = (f for f in scored.findings if f.code == "answers-out-of-range")
        assert "or none that their item has (items 9, 10: 0, 2, 4), were taken as missing" in warning.what
    answers = sw.reliability(panel_of([[1] * 8 + [2, 2], [1] * 8 + [1, 2]], "audit"), "audit")
    assert answers.left_out == 1


def test_a_score_that_would_have_an_items_name_says_what_to_rename() -> None:
    columns = {f"phq_{i}": [1, 2] for i in range(1, 10)}
    panel = sw.Panel(pl.DataFrame({"p": [1, 1], "s": [1, 2], **columns}), person="p", session="s")
    with pytest.raises(sw.ScoreError, match=r"the column 'phq_9', which holds its item 9[\s\S]*Rename[\s\S]*'phq9_1'"):
        sw.score(panel, "phq-9")


def test_many_rows_in_chunks_and_unsorted() -> None:
    """Past the kernel's blocks (512 rows), across chunks of different lengths, and in another row order."""
    rng = np.random.default_rng(3)
    rows = complete_rows(rng, 3000, "core-om", 0, 4)
    for row in rows:
        for item in np.flatnonzero(rng.random(34) < 0.03):
            row[item] = None
    frame = panel_of(rows, "core_om").to_frame()
    pieces = pl.concat([frame[:7], frame[7:1000], frame[1000:1001], frame[1001:]], rechunk=False)
    assert pieces["core_om_1"].n_chunks() == 4
    for table in (pieces, frame.sample(fraction=1, shuffle=True, seed=4)):
        scored = sw.score(sw.Panel(table, person="p", session="s"), "core-om")
        for column in KEYS["core-om"].scores:
            np.testing.assert_array_equal(scored[column], [by_hand("core-om", row, 0, 4)[column] for row in rows])


def test_fractions_on_visual_analogue_items() -> None:
    rows = [[2.5, 7.3, 10.0, 0.0], [1.1, None, 3.0, 4.0]]
    frame = pl.DataFrame({"p": [1, 1], "s": [1, 2], **{f"ors{i + 1}": [row[i] for row in rows] for i in range(4)}})
    scored = sw.score(sw.Panel(frame, person="p", session="s"), "ors")
    np.testing.assert_allclose(scored["ors"], [19.8, np.nan], rtol=1e-15)


def test_other_dataframes_score_alike() -> None:
    rows: list[Row] = complete_rows(np.random.default_rng(5), 40, "wai-sr", 1, 5)
    rows[3][2] = None
    rows[7] = [None] * 12
    polars = panel_of(rows, "wai_sr")
    expected = sw.score(polars, "wai-sr")["wai_sr"]
    table = polars.to_frame()
    for other in (table.to_pandas(), table.to_arrow(), table.lazy()):
        np.testing.assert_array_equal(sw.score(sw.Panel(other, person="p", session="s"), "wai-sr")["wai_sr"], expected)


def test_record_and_findings_count_what_was_done() -> None:
    full: Row = [1] * 12
    rows: list[Row] = [full[:] for _ in range(6)]
    rows[1][0] = None  # pro-rated in the total, task too few
    rows[2][0] = rows[2][1] = None  # too few
    rows[3] = [None] * 12
    scored = sw.score(panel_of(rows, "wai_sr"), "wai-sr")
    (record,) = scored.records
    assert isinstance(record, ScoreRecord)
    total, task, goal, _ = record.scales
    assert (total.complete, total.prorated, total.items_filled, total.too_few, total.empty) == (3, 1, 1, 1, 1)
    assert (task.complete, task.prorated, task.items_filled, task.too_few, task.empty) == (3, 0, 0, 2, 1)
    assert (goal.complete, goal.too_few, goal.empty) == (5, 0, 1)
    (note,) = (f for f in scored.findings if f.code == "scored")
    assert (
        "4 of 6 sessions, 1 of them pro-rated (1 missing item filled); 1 had more than 1 missing item and" in note.what
    )
    assert "wai_sr_task" in str(record)
    assert record.to_dict()["answers"] == [1, 5]


def test_user_is_told_what_is_not_verified() -> None:
    scored = sw.score(panel_of([[1] * 12], "wai_sr"), "wai-sr")
    (warning,) = (f for f in scored.findings if f.code == "key-unverified")
    assert warning.severity == "warning"
    assert "how many items may be missing has not been verified" in warning.what


def test_answers_out_of_range_stop_or_are_counted() -> None:
    rows: list[Row] = [[1] * 34 for _ in range(4)]
    rows[2][4] = 5
    rows[3][4] = 99
    panel = panel_of(rows, "core_om")
    with pytest.raises(sw.ScoreError) as error:
        sw.score(panel, "core-om")
    assert "answered from 0 to 4, and 2 answers are outside" in error.value.what
    assert "'core_om_5': 5 at p 0, s 2 (row 2 (counted from 0)); p 1, s 0" in error.value.where
    assert "out_of_range='missing'" in error.value.remedy
    scored = sw.score(panel, "core-om", out_of_range="missing")
    rows[2][4] = rows[3][4] = None
    assert scored["core_om"].tolist() == sw.score(panel_of(rows, "core_om"), "core-om")["core_om"].tolist()
    (warning,) = (f for f in scored.findings if f.code == "answers-out-of-range")
    assert warning.count == 2
    assert scored.records[0].out_of_range == 2


def test_already_reversed_items_are_left_alone() -> None:
    rows: list[Row] = [[0] * 10]
    rows[0][1] = 4  # item 2 is a reversed one
    panel = panel_of(rows, "core_10")
    assert sw.score(panel, "core-10")["core_10"].tolist() == [4.0]  # item 3 counts 4, item 2 counts 0
    assert sw.score(panel, "core-10", already_reversed=True)["core_10"].tolist() == [4.0]
    rows[0][1] = 0
    panel = panel_of(rows, "core_10")
    assert sw.score(panel, "core-10")["core_10"].tolist() == [8.0]
    assert sw.score(panel, "core-10", already_reversed=True)["core_10"].tolist() == [0.0]


def test_mappings_and_settings_by_instrument() -> None:
    frame = pl.DataFrame(
        {"p": [1], "s": [1]} | {f"q{i:02}": [2] for i in range(1, 11)} | {f"a{i}": [7] for i in range(1, 13)}
    )
    panel = sw.Panel(frame, person="p", session="s")
    scored = sw.score(
        panel, "core-10", "wai-sr", items={"core-10": "q{:02}", "wai-sr": "a{}"}, answers={"wai-sr": (1, 7)}
    )
    assert scored["wai_sr"].tolist() == [7.0]
    assert scored["core_10"].tolist() == [20.0]
    one = sw.score(panel, "wai-sr", items={i: f"a{i}" for i in range(1, 13)}, answers=(1, 7))
    assert one["wai_sr"].tolist() == [7.0]
    with pytest.raises(sw.ScoreError, match="items was given once for 2 instruments"):
        sw.score(panel, "core-10", "wai-sr", items="q{:02}")
    with pytest.raises(sw.ScoreError, match="'phq-9' is not among the instruments"):
        sw.score(panel, "core-10", "wai-sr", items={"core-10": "q{:02}", "phq-9": "a{}"})
    with pytest.raises(sw.InstrumentError, match="not used with answers from 0 to 9"):
        sw.score(panel, "wai-sr", items="a{}", answers=(0, 9))


def test_errors() -> None:
    panel = panel_of([[1] * 12], "wai_sr")
    with pytest.raises(sw.ScoreError, match=r"out_of_range is 'eror'\. Did you mean 'error'"):
        sw.score(panel, "wai-sr", out_of_range="eror")  # type: ignore[arg-type]
    with pytest.raises(sw.ScoreError, match="no instrument"):
        sw.score(panel)
    with pytest.raises(sw.InstrumentError, match="wai-sr"):
        sw.score(panel, "wai-rs")
    with pytest.raises(sw.ScoreError, match=r"already[\s\S]*Rename or drop"):
        sw.score(sw.score(panel, "wai-sr"), "wai-sr")
    text = panel.to_frame().with_columns(wai_sr_3=pl.lit("four"))
    with pytest.raises(sw.PanelError, match="'wai_sr_3' holds text"):
        sw.score(sw.Panel(text, person="p", session="s"), "wai-sr")
    empty = panel.to_frame().with_columns(pl.lit(None).alias(f"wai_sr_{i}") for i in range(1, 13))
    scored = sw.score(sw.Panel(empty, person="p", session="s"), "wai-sr")
    assert np.isnan(scored["wai_sr"]).all()


def test_an_instrument_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mood.toml"
    path.write_text(
        'name = "mood"\ntitle = "Mood"\nitems = 3\nrange = [0, 10]\nhigher = "better"\nreversed = [2]\n'
        'prefixes = ["mood"]\nlicence = "ours"\n'
        '[[scale]]\nname = ""\ntitle = "all items"\nitems = "all"\nscoring = "sum"\nmax_missing = 1\n'
        '[[source]]\nabout = ["items", "range", "reversed", "scoring", "missing"]\n'
        'citation = "us"\ncertainty = "source"\n',
        encoding="utf-8",
    )
    frame = pl.DataFrame({"p": [1, 1], "s": [1, 2], "mood1": [3, 4], "mood2": [1, None], "mood3": [5, 7]})
    scored = sw.score(sw.Panel(frame, person="p", session="s"), path)
    assert scored["mood"].tolist() == [3 + 9 + 5, 16.5]


def test_subset_scores_its_own_rows() -> None:
    rows = complete_rows(np.random.default_rng(6), 30, "phq-9", 0, 3)
    panel = panel_of(rows, "phq_9")
    some = panel.subset([2, 5, 9])
    expected = sw.score(panel, "phq-9").subset([2, 5, 9])["phq_9"]
    scored = sw.score(some, "phq-9")
    np.testing.assert_array_equal(scored["phq_9"], expected)
    assert scored.records[0].scales[0].complete == 9
    assert item_columns(sw.instrument("phq-9"), panel.columns)[9] == "phq_9_9"
