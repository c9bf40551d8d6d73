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
from sessionwise.scoring import ScoreRecord, item_columns

# instrument -> (items, low, high, reversed, scale column -> (items, 'sum' | 'mean' | 'mean10', may be missing))
KEYS: dict[str, tuple[int, int, int, list[int], dict[str, tuple[list[int], str, int]]]] = {
    "core-om": (
        34,
        0,
        4,
        [3, 4, 7, 12, 19, 21, 31, 32],
        {
            "core_om": (
                [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17]
                + [18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34],
                "mean10",
                3,
            ),
            "core_om_wellbeing": ([4, 14, 17, 31], "mean10", 0),
            "core_om_problems": ([2, 5, 8, 11, 13, 15, 18, 20, 23, 27, 28, 30], "mean10", 1),
            "core_om_functioning": ([1, 3, 7, 10, 12, 19, 21, 25, 26, 29, 32, 33], "mean10", 1),
            "core_om_risk": ([6, 9, 16, 22, 24, 34], "mean10", 0),
            "core_om_nonrisk": (
                [4, 14, 17, 31, 2, 5, 8, 11, 13, 15, 18, 20, 23, 27, 28, 30]
                + [1, 3, 7, 10, 12, 19, 21, 25, 26, 29, 32, 33],
                "mean10",
                3,
            ),
        },
    ),
    "core-10": (10, 0, 4, [2, 3], {"core_10": ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], "mean10", 1)}),
    "wai-sr": (
        12,
        1,
        5,
        [],
        {
            "wai_sr": ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], "mean", 1),
            "wai_sr_task": ([1, 2, 10, 12], "mean", 0),
            "wai_sr_goal": ([4, 6, 8, 11], "mean", 0),
            "wai_sr_bond": ([3, 5, 7, 9], "mean", 0),
        },
    ),
    "sai": (6, 0, 5, [], {"sai": ([1, 2, 3, 4, 5, 6], "mean", 0)}),
    "ors": (4, 0, 10, [], {"ors": ([1, 2, 3, 4], "sum", 0)}),
    "srs": (4, 0, 10, [], {"srs": ([1, 2, 3, 4], "sum", 0)}),
    "phq-9": (9, 0, 3, [], {"phq_9": ([1, 2, 3, 4, 5, 6, 7, 8, 9], "sum", 1)}),
    "gad-7": (7, 0, 3, [], {"gad_7": ([1, 2, 3, 4, 5, 6, 7], "sum", 1)}),
    "oq-45": (
        45,
        0,
        4,
        [1, 12, 13, 20, 21, 24, 31, 37, 43],
        {
            "oq_45": (
                [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23]
                + [24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45],
                "sum",
                4,
            ),
            "oq_45_distress": (
                [2, 3, 5, 6, 8, 9, 10, 11, 13, 15, 22, 23, 24, 25, 27] + [29, 31, 33, 34, 35, 36, 40, 41, 42, 45],
                "sum",
                2,
            ),
            "oq_45_relations": ([1, 7, 16, 17, 18, 19, 20, 26, 30, 37, 43], "sum", 1),
            "oq_45_role": ([4, 12, 14, 21, 28, 32, 38, 39, 44], "sum", 0),
        },
    ),
}
RANGES = [(name, key[1], key[2]) for name, key in KEYS.items()] + [("wai-sr", 1, 7), ("sai", 1, 6)]
Row = list[int | None]


def by_hand(row: Row, low: int, high: int, turned: list[int], scale: tuple[list[int], str, int]) -> float:
    """One score with exact fractions; NaN where none is to be made."""
    items, scoring, may_miss = scale
    answers = []
    for item in items:
        answer = row[item - 1]
        if answer is not None:
            answers.append(high - answer + low if item in turned else answer)
    missing = len(items) - len(answers)
    if missing > may_miss or not answers:
        return float("nan")
    mean = Fraction(sum(answers), len(answers))
    return float({"sum": mean * len(items), "mean": mean, "mean10": mean * 10}[scoring])


def panel_of(rows: list[Row], prefix: str, dtype: type[pl.DataType] = pl.Int64) -> sw.Panel:
    columns = {f"{prefix}_{i + 1}": pl.Series([row[i] for row in rows], dtype=dtype) for i in range(len(rows[0]))}
    frame = pl.DataFrame({"p": np.arange(len(rows)) // 3, "s": np.arange(len(rows)) % 3, **columns})
    return sw.Panel(frame, person="p", session="s")


def assert_agrees(rows: list[Row], name: str, low: int, high: int, dtype: type[pl.DataType] = pl.Int64) -> None:
    _, _, _, turned, scales = KEYS[name]
    scored = sw.score(panel_of(rows, name.replace("-", "_"), dtype), name, answers=(low, high))
    for column, scale in scales.items():
        expected = [by_hand(row, low, high, turned, scale) for row in rows]
        np.testing.assert_array_equal(scored[column], expected, err_msg=column)


def complete_rows(rng: np.random.Generator, count: int, items: int, low: int, high: int) -> list[Row]:
    return [[int(a) for a in rng.integers(low, high + 1, items)] for _ in range(count)]


def test_every_instrument_has_a_hand_written_key() -> None:
    assert set(KEYS) == set(sw.instruments())
    for name, (_, _, _, _, scales) in KEYS.items():
        assert tuple(scales) == sw.instrument(name).columns


@pytest.mark.parametrize(("name", "low", "high"), RANGES)
def test_complete_answers(name: str, low: int, high: int) -> None:
    items = KEYS[name][0]
    rows = complete_rows(np.random.default_rng(1), 60, items, low, high)
    rows += [[low] * items, [high] * items]
    assert_agrees(rows, name, low, high)


@pytest.mark.parametrize(("name", "low", "high"), RANGES)
def test_each_reversed_item_alone(name: str, low: int, high: int) -> None:
    items = KEYS[name][0]
    rows: list[Row] = []
    for item in range(items):
        rows.append([low] * items)
        rows[-1][item] = high
    assert_agrees(rows, name, low, high)


@pytest.mark.parametrize(("name", "low", "high"), RANGES)
def test_at_and_beyond_every_limit_of_missing_items(name: str, low: int, high: int) -> None:
    items, _, _, _, scales = KEYS[name]
    rng = np.random.default_rng(2)
    rows: list[Row] = []
    for members, _, may_miss in scales.values():
        for missing in {may_miss, may_miss + 1, 1, len(members) - 1, len(members)}:
            for row in complete_rows(rng, 10, items, low, high):
                for item in rng.choice(members, size=min(missing, len(members)), replace=False):
                    row[item - 1] = None
                rows.append(row)
    rows.append([None] * items)
    assert_agrees(rows, name, low, high)


@settings(max_examples=60)
@given(st.data())
def test_any_answers(data: st.DataObject) -> None:
    name, low, high = data.draw(st.sampled_from(RANGES))
    answer = st.one_of(st.none(), st.integers(low, high)) if data.draw(st.booleans()) else st.integers(low, high)
    rows = data.draw(st.lists(st.lists(answer, min_size=KEYS[name][0], max_size=KEYS[name][0]), min_size=1, max_size=8))
    dtype = data.draw(
        st.sampled_from([pl.Int8, pl.UInt8, pl.Int16, pl.Int32, pl.Int64, pl.UInt64, pl.Float32, pl.Float64])
    )
    assert_agrees(rows, name, low, high, dtype)


def test_many_rows_in_chunks_and_unsorted() -> None:
    """Past the kernel's blocks (512 rows), across chunks of different lengths, and in another row order."""
    rng = np.random.default_rng(3)
    rows = complete_rows(rng, 3000, 34, 0, 4)
    for row in rows:
        for item in np.flatnonzero(rng.random(34) < 0.03):
            row[item] = None
    frame = panel_of(rows, "core_om").to_frame()
    pieces = pl.concat([frame[:7], frame[7:1000], frame[1000:1001], frame[1001:]], rechunk=False)
    assert pieces["core_om_1"].n_chunks() == 4
    _, _, _, turned, scales = KEYS["core-om"]
    for table in (pieces, frame.sample(fraction=1, shuffle=True, seed=4)):
        scored = sw.score(sw.Panel(table, person="p", session="s"), "core-om")
        for column, scale in scales.items():
            np.testing.assert_array_equal(scored[column], [by_hand(row, 0, 4, turned, scale) for row in rows])


def test_fractions_on_visual_analogue_items() -> None:
    rows = [[2.5, 7.3, 10.0, 0.0], [1.1, None, 3.0, 4.0]]
    frame = pl.DataFrame({"p": [1, 1], "s": [1, 2], **{f"ors{i + 1}": [row[i] for row in rows] for i in range(4)}})
    scored = sw.score(sw.Panel(frame, person="p", session="s"), "ors")
    np.testing.assert_allclose(scored["ors"], [19.8, np.nan], rtol=1e-15)


def test_other_dataframes_score_alike() -> None:
    rows: list[Row] = complete_rows(np.random.default_rng(5), 40, 12, 1, 5)
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
    rows = complete_rows(np.random.default_rng(6), 30, 9, 0, 3)
    panel = panel_of(rows, "phq_9")
    some = panel.subset([2, 5, 9])
    expected = sw.score(panel, "phq-9").subset([2, 5, 9])["phq_9"]
    scored = sw.score(some, "phq-9")
    np.testing.assert_array_equal(scored["phq_9"], expected)
    assert scored.records[0].scales[0].complete == 9
    assert item_columns(sw.instrument("phq-9"), panel.columns)[9] == "phq_9_9"
