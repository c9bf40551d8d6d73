"""describe: counts against plain polars, what is listed where, how it prints and travels."""

from __future__ import annotations

import json
import math
import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionwise.datasets import demo
from sessionwise.descriptions import Description, describe, drop_out
from sessionwise.descriptions.sample import wilson
from sessionwise.errors import PanelError, ScoreError
from sessionwise.panel import Panel
from sessionwise.scoring import instrument

ROLES = {"person": "patient", "session": "session", "cluster": "therapist", "time": "date"}


@pytest.fixture(scope="module")
def raw() -> Panel:
    return Panel(demo(), **ROLES)


@pytest.fixture(scope="module")
def scored(raw: Panel) -> Panel:
    new = {}
    for name in ("core-om", "wai-sr"):
        key = instrument(name)
        new[key.columns[0]] = np.nanmean(
            [
                key.low + key.high - raw[f"{key.columns[0]}_{i}"] if i in key.reversed else raw[f"{key.columns[0]}_{i}"]
                for i in key.items
            ],
            axis=0,
        )
    return raw.with_columns(new)


@pytest.fixture(scope="module")
def told(scored: Panel) -> Description:
    return describe(scored)


def small(**columns: object) -> Panel:
    rows = {"person": [1, 1, 2, 2, 2, 3], "session": [1, 4, 1, 2, 3, 2]}
    return Panel(pl.DataFrame(rows | columns), person="person", session="session")


# --- sample, drop-out, missing values ------------------------------------------------------------------


def test_the_sample_is_counted(told: Description) -> None:
    frame = demo().frame
    n = frame.group_by("patient").len()["len"]
    s = told.sample
    assert (s.persons, s.sessions) == (frame["patient"].n_unique(), frame.height)
    assert s.per_person is not None
    assert (s.per_person.min, s.per_person.median, s.per_person.max) == (n.min(), n.median(), n.max())
    assert s.per_person.mean == pytest.approx(n.mean())
    assert s.per_person.sd == pytest.approx(n.std())
    assert s.per_person.counts == {k: (n == k).sum() for k in sorted(set(n))}
    assert s.clusters is not None
    assert s.clusters.persons is not None
    per = frame.group_by("therapist").agg(pl.col("patient").n_unique())["patient"]
    assert (s.clusters.number, s.clusters.persons.max, s.clusters.persons.median) == (len(per), per.max(), per.median())
    assert s.time is not None
    assert (s.time.first, s.time.last) == (str(frame["date"].min()), str(frame["date"].max()))
    days = frame.group_by("patient").agg((pl.col("date").max() - pl.col("date").min()).dt.total_days().alias("d"))
    assert s.time.median_length == days["d"].median()
    gaps = frame.group_by("patient").agg((pl.col("session").max() - pl.col("session").min() + 1).alias("w"))["w"]
    assert (s.scheduled, s.skipped) == (gaps.sum(), gaps.sum() - frame.height)


def test_drop_out_counts_who_comes_again(raw: Panel) -> None:
    frame = demo().frame
    last = frame.group_by("patient").agg(pl.max("session"))["session"]
    got = drop_out(raw)
    for s, persons, share, ended in zip(got.session, got.persons, got.share, got.ended, strict=True):
        assert persons == (last >= s).sum()
        assert ended == (last == s).sum()
        assert share == persons / len(last)
    assert got.ended.sum() == len(last)
    assert np.all((got.low <= got.share) & (got.share <= got.high))


def test_small_sample_by_hand() -> None:
    d = describe(small(x=[1.0, None, 2.0, 3.0, None, 4.0]))
    assert d.drop_out.session.tolist() == [1, 2, 3, 4]
    assert d.drop_out.persons.tolist() == [3, 3, 2, 1]
    assert d.drop_out.ended.tolist() == [0, 1, 1, 1]
    assert (d.sample.skipped, d.sample.scheduled) == (2, 8)
    assert d.missing.columns == ("x",)
    assert d.missing.rows.tolist() == [2, 2, 1, 1]
    assert d.missing.missing.tolist() == [[0, 0, 1, 1]]
    assert d.missing.share.tolist() == [2 / 6]
    assert d.missing.share_by_session.tolist() == [[0, 0, 1, 1]]


def test_wilsons_interval_is_that_of_the_textbook() -> None:
    """Newcombe 1998 (Stat Med 17, 857–872), table I, method 3: 81/263, 15/148, 0/20, 1/29."""
    for count, n, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        got = wilson(np.array([count]), n)
        assert (got[0][0], got[1][0]) == pytest.approx((low, high), abs=5e-5)


def test_missing_cells_are_counted(told: Description) -> None:
    frame = demo().frame
    m = told.missing
    assert m.rows.sum() == frame.height
    np.testing.assert_allclose(m.share_by_session[:, 0], m.missing[:, 0] / (frame["session"] == 1).sum())
    for name in ("core_om_19", "wai_sr_12", "gender"):
        at = m.columns.index(name)
        assert m.count[at] == frame[name].null_count()
        by = frame.group_by("session").agg(pl.col(name).null_count()).sort("session")
        assert m.missing[at].tolist() == by[name].to_list()


# --- what is listed where --------------------------------------------------------------------------------


def test_scales_stand_for_their_items_and_persons_have_their_own_list(told: Description, raw: Panel) -> None:
    assert [v.name for v in told.variables] == ["core_om", "wai_sr"]
    assert [p.name for p in told.persons] == ["age", "pd"]
    assert [c.name for c in told.categories] == ["gender"]
    assert len(told.reliability) == 10
    items = describe(raw)
    assert len(items.variables) == 46
    assert all(v.icc_interval is None and v.icc is not None for v in items.variables)
    named = describe(raw, ["core_om_1"])
    assert named["core_om_1"].icc_interval is not None  # type: ignore[union-attr]


def test_persons_are_described_over_persons(told: Description) -> None:
    frame = demo().frame.unique("patient", keep="first")
    age = told["age"]
    assert (age.mean, age.sd) == (pytest.approx(frame["age"].mean()), pytest.approx(frame["age"].std()))  # type: ignore[union-attr]
    assert told["gender"].counts == {k: (frame["gender"] == k).sum() for k in ("man", "woman")}  # type: ignore[union-attr]


def test_a_variable_is_described_over_sessions(told: Description, scored: Panel) -> None:
    v, values = told["core_om"], scored["core_om"]
    assert (v.n, v.mean, v.sd) == (len(values), pytest.approx(values.mean()), pytest.approx(values.std(ddof=1)))  # type: ignore[union-attr]
    assert (v.min, v.max) == (values.min(), values.max())  # type: ignore[union-attr]


def test_text_and_empty_columns_are_said() -> None:
    d = describe(
        small(
            word=["a", "b", "a", "a", "b", "b"],
            empty=pl.Series([None] * 6, dtype=pl.Float64),
            group=["x", "x", "y", "y", "y", None],
            note=[None, "late", None, None, None, None],
        )
    )
    assert [c.name for c in d.categories] == ["group", "note"]
    assert d["group"].counts == {"x": 1, "y": 1}  # type: ignore[union-attr]
    assert d["group"].missing == 1
    codes = {f.code: f.what for f in d.findings}
    assert "word" in codes["text"]
    assert "empty" in codes["no-values"]
    assert "1 person has one session" in codes["one-session"]
    with pytest.raises(PanelError, match="'word' holds text"):
        describe(small(word=["a", "b", "a", "a", "b", "b"]), ["word"])
    with pytest.raises(PanelError, match="there is no column 'x'"):
        describe(small(), ["x"])
    with pytest.raises(PanelError, match="Did you mean 'group'"):
        d["gruop"]


def test_instruments_named_must_be_there(raw: Panel) -> None:
    with pytest.raises(ScoreError, match="phq-9"):
        describe(raw, instruments=["phq-9"])
    assert [r.name for r in describe(raw, ["age"], instruments="wai-sr").reliability] == list(
        instrument("wai-sr").columns
    )
    assert not describe(raw, ["age"], instruments=()).reliability


def test_columns_that_two_instruments_claim_are_not_guessed() -> None:
    rng = np.random.default_rng(1)
    frame = demo(persons=10).frame.select("patient", "session")
    columns = {f"core_{i}": rng.integers(0, 5, frame.height) for i in range(1, 35)}
    p = Panel(frame.with_columns(**{k: pl.Series(v) for k, v in columns.items()}), person="patient", session="session")
    d = describe(p)
    claimed = {name.split("_")[1] for name in (r.name for r in d.reliability)}
    assert claimed <= {"om"}


# --- how it prints and travels ---------------------------------------------------------------------------


def test_it_prints_in_80_columns_headline_first(told: Description, raw: Panel) -> None:
    text = str(told)
    assert max(map(len, text.splitlines())) <= 80
    assert text.startswith("646 persons, 4,340 sessions, median 6 (1–22) a person, ")
    for word in ("ICC", "Still in treatment", "Reliability", "note: ", "REML"):
        assert word in text
    assert max(map(len, str(describe(raw)).splitlines())) <= 80
    assert "…" not in text
    assert max(map(len, str(told.reliability[0]).splitlines())) <= 80
    assert "<table>" in told._repr_html_()
    assert "<table>" in told.reliability[0]._repr_html_()
    assert repr(told.reliability[0]).startswith("<Reliability core_om: within persons 0.")
    assert repr(told) == "<Description 646 persons, 4,340 sessions, 2 variables>"


def test_to_dict_is_json_with_stable_keys(told: Description) -> None:
    data = json.loads(json.dumps(told.to_dict(), allow_nan=False))
    assert list(data) == [
        "sample", "drop_out", "missing", "variables", "persons", "categories", "reliability", "findings",
    ]  # fmt: skip
    assert list(data["variables"][0]) == [
        "name", "n", "persons", "missing", "mean", "sd", "min", "max", "sd_within", "sd_between", "icc",
        "icc_interval", "icc_cluster", "icc_cluster_interval", "reliability", "harmonic_n", "components",
    ]  # fmt: skip
    assert list(data["variables"][0]["components"]) == [
        "within", "person", "cluster", "icc", "icc_cluster", "icc_interval", "icc_cluster_interval", "criterion",
    ]  # fmt: skip
    assert data["sample"]["persons"] == 646
    assert data["drop_out"]["persons"][0] == 646
    assert data["reliability"][0]["nested"]["residual"] > 0


def test_tables_can_be_written(told: Description) -> None:
    tables = told.tables()
    assert list(tables) == [
        "sample", "sessions_per_person", "drop_out", "missing", "variables", "persons", "categories", "reliability",
        "notes",
    ]  # fmt: skip
    for table in tables.values():
        assert table.height
        table.write_csv()
    assert tables["missing"].height == len(told.missing.columns) * len(told.missing.session)
    bare = describe(small())
    assert all(isinstance(t.write_csv(), str) for t in bare.tables().values())
    assert str(bare)


@settings(max_examples=20)
@given(st.integers(0, 1000))
def test_row_order_labels_and_doubling(seed: int) -> None:
    frame = demo(seed, persons=12, scale_scores=True).frame
    a = describe(Panel(frame, **ROLES))
    other = frame.sample(fraction=1.0, shuffle=True, seed=seed).with_columns(patient=50_000 - pl.col("patient"))
    b = describe(Panel(other, **ROLES))
    same(a.to_dict(), b.to_dict())
    twice = pl.concat([frame, frame.with_columns(patient=pl.col("patient") + 50_000)])
    c = describe(Panel(twice, **ROLES))
    assert c.sample.persons == 2 * a.sample.persons
    np.testing.assert_allclose(c.drop_out.share, a.drop_out.share)
    np.testing.assert_array_equal(c.missing.missing, 2 * a.missing.missing)
    assert c["wai_sr"].mean == pytest.approx(a["wai_sr"].mean)  # type: ignore[union-attr]


def same(a: object, b: object) -> None:
    if isinstance(a, dict) and isinstance(b, dict):
        assert a.keys() == b.keys()
        for key in a:
            same(a[key], b[key])
    elif isinstance(a, list) and isinstance(b, list):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            same(x, y)
    elif isinstance(a, float) and isinstance(b, float):
        assert math.isclose(a, b, rel_tol=1e-4, abs_tol=1e-5)
    else:
        assert a == b


def test_scipy_and_rich_are_not_needed_to_describe() -> None:
    code = (
        "import sys; from sessionwise.datasets import demo; from sessionwise.panel import Panel;"
        "from sessionwise.descriptions import describe;"
        "describe(Panel(demo(persons=30), person='patient', session='session'));"
        "assert not {'scipy', 'rich', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_absurd_numbers_are_left_out_and_named() -> None:
    frame = pl.DataFrame({"p": [1, 1, 2, 2], "s": [1, 2, 1, 2], "y": [1.0, -1.7e308, 2.0, float("inf")]})
    d = describe(Panel(frame, person="p", session="s"))
    assert any(f.code == "extreme-number" and "y" in f.what for f in d.findings)
    assert d.missing.count[d.missing.columns.index("y")] == 2
