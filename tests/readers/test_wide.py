"""Wide files to long ones and back; REDCap's exports."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionwise.errors import ReadError
from sessionwise.panel.table import Table
from sessionwise.readers import long_to_wide, read, wide_to_long

WIDE = "id,sex,bdi_s0,bdi_s1,bdi_s3,core1_0,core2_0,core1_1,core2_1\n1,f,30,25,,1,2,3,4\n2,m,20,,9,,,5,6\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "wide.csv"
    path.write_text(WIDE)
    return path


def said(table: Table, code: str):
    return next(f for f in table.findings if f.code == code)


def test_patterns(file: Path) -> None:
    table = read(file, wide=["bdi_s{}", "core{item}_{session}"], person="id")
    assert table.frame.to_dict(as_series=False) == {
        "id": [1, 1, 2, 2, 2],
        "session": [0, 1, 0, 1, 3],
        "sex": ["f", "f", "m", "m", "m"],
        "bdi": [30, 25, 20, None, 9],
        "core1": [1, 3, None, 5, None],
        "core2": [2, 4, None, 6, None],
    }
    assert said(table, "sessions-not-held").count == 1
    assert table.row_numbers.tolist() == [2, 2, 3, 3, 3]
    kept = read(file, wide="bdi_s{}", person="id", keep=True)
    assert len(kept) == 6
    assert read(file, wide={"mood": "bdi_s{}"}, person="id")["mood"].to_list() == [30, 25, 20, 9]


def test_a_wide_file_is_recognised_and_the_patterns_named(file: Path) -> None:
    warning = said(read(file), "looks-wide")
    assert warning.severity == "warning"
    assert "'bdi_s{}'" in warning.remedy
    assert "person='id'" in warning.remedy


REFUSED = [
    ({"wide": "phq_{}"}, "No column fits"),
    ({"wide": "bdi"}, "where the session's number stands"),
    ({"wide": ["bdi_s{}", "bdi_{}"]}, "No column fits"),
    ({"wide": ["bdi_s{}", "b{item}di_s{}"]}, "No column fits"),
    ({"wide": ["core1_{}", "core{item}_{session}"]}, "fits two patterns"),
    ({"wide": "bdi_s{}", "person": "idd"}, "Did you mean 'id'"),
    ({"wide": {"sex": "bdi_s{}"}}, "beside one of the same name"),
    ({"wide": "bdi_s{}", "person": None}, "who is who"),
]


@pytest.mark.parametrize(("options", "what"), REFUSED, ids=[r[1] + str(i) for i, r in enumerate(REFUSED)])
def test_refused(file: Path, options, what: str) -> None:
    with pytest.raises(ReadError) as caught:
        read(file, **{"person": "id", **options})
    assert what in caught.value.what
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("row", "what"), [("1,f,1,2,3,1,1,1,1\n", "more than one row"), (",f,1,2,3,1,1,1,1\n", "no 'id'")]
)
def test_persons_must_stand_once(tmp_path: Path, row: str, what: str) -> None:
    file = tmp_path / "w.csv"
    file.write_text(WIDE + row)
    with pytest.raises(ReadError, match=what) as caught:
        read(file, wide="bdi_s{}", person="id")
    assert "w.csv" in caught.value.where
    assert "4" in caught.value.where


def test_text_in_one_session_makes_text_and_is_said(tmp_path: Path) -> None:
    file = tmp_path / "w.csv"
    file.write_text("id,a_1,a_2\n1,3,x\n2,4,5\n")
    table = read(file, wide="a_{}", person="id")
    assert table["a"].to_list() == ["3", "x", "4", "5"]
    assert "a_2" in said(table, "wide-mixed-types").what


def test_persons_without_any_session_are_named(tmp_path: Path) -> None:
    file = tmp_path / "w.csv"
    file.write_text("id,a_1,a_2\n1,3,\n2,,\n17,,\n4,,5\n")
    warning = said(read(file, wide="a_{}", person="id"), "wide-person-lost")
    assert warning.severity == "warning"
    assert warning.what == "2 persons have no session with a value and are no longer in the table: 2, 17."
    assert "keep=True" in warning.remedy
    kept = read(file, wide="a_{}", person="id", keep=True)
    assert kept["id"].unique(maintain_order=True).to_list() == [1, 2, 17, 4]
    assert "wide-person-lost" not in [f.code for f in kept.findings]
    file.write_text("id,a_1,a_2\n1,3,\n2,,4\n")
    table = read(file, wide="a_{}", person="id")
    assert "wide-person-lost" not in [f.code for f in table.findings]
    assert said(table, "sessions-not-held").what.startswith("2 sessions")
    file.write_text("id,a_1,a_2\n1,3,5\n2,,4\n")
    assert said(read(file, wide="a_{}", person="id"), "sessions-not-held").what.startswith("1 session without")


@pytest.mark.parametrize("pattern", ["q{session}{item}", "q{item}{}", "q{session}0{item}"])
def test_numbers_without_text_between_them_are_refused(tmp_path: Path, pattern: str) -> None:
    file = tmp_path / "w.csv"
    file.write_text("id,q101,q102,q201,q203\n1,3,1,2,2\n")
    with pytest.raises(ReadError, match="no text between its two numbers") as caught:
        read(file, wide=pattern, person="id")
    assert "{session}_{item}" in caught.value.remedy
    with pytest.raises(ReadError, match="no text between"):
        wide_to_long(pl.read_csv(file), pattern, person="id")


CELL = st.none() | st.integers(-99, 99)


@given(
    rows=st.dictionaries(
        st.tuples(st.integers(1, 9), st.integers(0, 40)), st.tuples(CELL, st.integers(0, 4)), min_size=1, max_size=40
    )
)
def test_long_to_wide_and_back(rows) -> None:
    keys = sorted(rows)
    long = pl.DataFrame(
        {
            "patient": [p for p, _ in keys],
            "session": [s for _, s in keys],
            "age": [20 + p for p, _ in keys],
            "core": pl.Series([rows[k][0] for k in keys], dtype=pl.Int64),
            "wai": pl.Series([rows[k][1] for k in keys], dtype=pl.Int64),
        }
    )
    wide = long_to_wide(long, ["core", "wai"], person="patient")
    assert len(wide) == long["patient"].n_unique()
    back = wide_to_long(wide, ["core_{}", "wai_{}"], person="patient")
    got = back.frame.select(long.columns)
    assert got.with_columns(pl.col("core").cast(pl.Int64)).equals(long)


def test_long_to_wide_refuses_what_it_cannot_hold() -> None:
    frame = pl.DataFrame({"id": [1, 1], "session": [1, 2], "x": [1, 2], "y": [1, 2]})
    with pytest.raises(ReadError, match="varies within person 1"):
        long_to_wide(frame, "x", person="id")
    with pytest.raises(ReadError, match="same session twice"):
        long_to_wide(frame.with_columns(session=pl.lit(1)), ["x", "y"], person="id")
    with pytest.raises(ReadError, match="Did you mean 'id'"):
        long_to_wide(frame, ["x", "y"], person="idx")
    with pytest.raises(ReadError, match="not a table"):
        long_to_wide([1], ["x"], person="id")


@pytest.mark.parametrize("pattern", ["core", "core_{item}", "core{item}_{session}", "{}core{}"])
def test_long_to_wide_refuses_patterns_without_one_session(pattern: str) -> None:
    frame = pl.DataFrame({"id": [1], "session": [1], "core": [1]})
    with pytest.raises(ReadError, match="does not say once") as caught:
        long_to_wide(frame, {"core": pattern}, person="id")
    assert "'core_{}'" in caught.value.remedy


@pytest.mark.parametrize("columns", [[], ["session"], ["id", "x"]])
def test_long_to_wide_refuses_columns_that_cannot_be_turned(columns: list[str]) -> None:
    with pytest.raises(ReadError, match="must be named"):
        long_to_wide(pl.DataFrame({"id": [1], "session": [1], "x": [1]}), columns, person="id")


def test_long_to_wide_keeps_orders_types_and_odd_names() -> None:
    long = pl.DataFrame(
        {
            "x_1": ["b", "b", "a", "a"],
            "session": [10, 2, 2, -1],
            "c": [None, None, 7, 7],
            "x": [1.5, 2.5, 3.5, None],
            "y": ["p", "q", "r", "s"],
        }
    )
    wide = long_to_wide(long, {"y": "y_{}", "x": "t{}"}, person="x_1").frame
    assert wide.columns == ["x_1", "c", "y_-1", "y_2", "y_10", "t-1", "t2", "t10"]
    assert wide.rows() == [("b", None, None, "q", "p", None, 2.5, 1.5), ("a", 7, "s", "r", None, None, 3.5, None)]
    with pytest.raises(ReadError, match="beside one of the same name"):
        long_to_wide(long.with_columns(session=pl.Series([1, 2, 1, 2])), ["x", "y"], person="x_1")


@pytest.mark.parametrize("person", ["n", "v", "b"])
def test_any_name_of_the_person_column(person: str) -> None:
    frame = pl.DataFrame({person: [1, 1], "session": [1, 2], "x": [1, 2], "y": [5, 5]})
    assert len(long_to_wide(frame, "x", person=person)) == 1


# --- REDCap --------------------------------------------------------------------------------------------------------

REDCAP = (
    "record_id,redcap_event_name,sex,core\n"
    "1,baseline_arm_1,f,3\n1,session_1_arm_1,,2\n1,session_2_arm_1,,1\n2,baseline_arm_1,m,4\n2,session_1_arm_1,,4\n"
)
REPEATING = (
    "record_id,redcap_repeat_instrument,redcap_repeat_instance,sex,core,wai\n"
    "1,,,f,,\n1,core,1,,2,\n1,wai,1,,,5\n1,core,2,,3,\n"
)


def write(tmp_path: Path, text: str) -> Path:
    (tmp_path / "redcap.csv").write_text(text)
    return tmp_path / "redcap.csv"


def test_events_without_a_number_are_refused_with_the_mapping(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="'baseline_arm_1'") as caught:
        read(write(tmp_path, REDCAP))
    assert "redcap={'baseline_arm_1': 0}" in caught.value.remedy
    assert "redcap.csv, lines 2, 5" in caught.value.where
    assert "session" not in read(tmp_path / "redcap.csv", redcap=False).columns


def test_events_by_mapping_and_name(tmp_path: Path) -> None:
    table = read(write(tmp_path, REDCAP), redcap={"baseline_arm_1": 0}, spread=["sex"])
    assert table["session"].to_list() == [0, 1, 2, 0, 1]
    assert table["sex"].to_list() == ["f", "f", "f", "m", "m"]
    assert said(table, "spread").count == 3
    assert said(table, "redcap").severity == "note"
    plain = read(tmp_path / "redcap.csv", redcap={"baseline_arm_1": 0})
    assert plain["sex"].to_list() == ["f", None, None, "m", None]


def test_rows_of_the_person_are_left_out_on_request(tmp_path: Path) -> None:
    table = read(write(tmp_path, REDCAP), redcap={"baseline_arm_1": None}, spread=["sex"])
    assert table["session"].to_list() == [1, 2, 1]
    assert table.row_numbers.tolist() == [3, 4, 6]
    assert said(table, "redcap-person-rows").count == 2
    assert "redcap-person-lost" not in [f.code for f in table.findings]


def test_persons_without_a_session_row_are_named(tmp_path: Path) -> None:
    text = REDCAP + "9,baseline_arm_1,m,4\n"
    warning = said(read(write(tmp_path, text), redcap={"baseline_arm_1": None}), "redcap-person-lost")
    assert warning.what == "1 person has no session and is no longer in the table: 9."
    assert warning.remedy


def test_repeat_instances(tmp_path: Path) -> None:
    file = write(tmp_path, REPEATING)
    with pytest.raises(ReadError, match="No session number") as caught:
        read(file)
    assert "line 2, column redcap_repeat_instance" in caught.value.where
    assert "rows without a repeat instance" in caught.value.what
    table = read(file, redcap={"": None}, spread=["sex"])
    assert table.frame.select("session", "sex", "core", "wai").rows() == [(1, "f", 2, 5), (2, "f", 3, None)]
    assert said(table, "redcap-instruments-joined").count == 1


REDCAP_REFUSED = [
    ({"redcap": {"follow_up": 3}}, "Did you mean|does not have"),
    ({"redcap": {"baseline_arm_1": 0}, "spread": ["sexx"]}, "Did you mean 'sex'"),
    ({"redcap": {"baseline_arm_1": 0}, "spread": ["core"]}, "needs one value of 'core'"),
    ({"redcap": {"baseline_arm_1": 0}, "person": "who"}, "no column 'who'"),
]


@pytest.mark.parametrize(("options", "what"), REDCAP_REFUSED, ids=[r[1] for r in REDCAP_REFUSED])
def test_redcap_refused(tmp_path: Path, options, what: str) -> None:
    with pytest.raises(ReadError, match=what) as caught:
        read(write(tmp_path, REDCAP), **options)
    assert caught.value.remedy


def test_two_events_are_never_joined_into_one_session(tmp_path: Path) -> None:
    file = tmp_path / "redcap.csv"
    file.write_text(
        "record_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,core,wai\n"
        "1,baseline_arm_1,,,20,\n1,treatment_arm_1,session,1,18,\n1,treatment_arm_1,session,2,15,\n"
        "1,followup_arm_1,,,,4\n",
        encoding="utf-8",
    )
    with pytest.raises(ReadError) as asked:
        read(file)
    assert "'followup_arm_1': 101" in asked.value.remedy
    assert "'baseline_arm_1': 0" in asked.value.remedy
    with pytest.raises(ReadError, match="both have session number 1"):
        read(file, redcap={"baseline_arm_1": 0, "followup_arm_1": 1})
    table = read(file, redcap={"baseline_arm_1": 0, "followup_arm_1": 101})
    assert table.frame["session"].to_list() == [0, 1, 2, 101]


UNITS = [
    (["week_1_arm_1", "week_4_arm_1", "month_3_arm_1"], "'week_1_arm_1' and 'month_3_arm_1'"),
    (["session_1_arm_1", "session_2_arm_1", "follow_up_1_arm_1"], "'session_1_arm_1' and 'follow_up_1_arm_1'"),
    (["Week 1 (Arm 1: A)", "Session 1 (Arm 1: A)"], "count different things"),
    (["1_week_arm_1", "1_month_arm_1"], "count different things"),
]


@pytest.mark.parametrize(("events", "what"), UNITS, ids=[u[0][-1] for u in UNITS])
def test_events_that_count_different_things_are_not_put_in_order(tmp_path: Path, events: list[str], what: str) -> None:
    text = "record_id,redcap_event_name,core\n" + "".join(f"{p},{e},1\n" for p in (1, 2) for e in events)
    with pytest.raises(ReadError, match=what) as caught:
        read(write(tmp_path, text))
    assert f"{events[0]!r}: 1" in caught.value.remedy
    numbers = {e: i for i, e in enumerate(events, 1)}
    assert read(tmp_path / "redcap.csv", redcap=numbers)["session"].to_list() == [*numbers.values()] * 2
    odd = {e: i for e, i in numbers.items() if i == len(events)}  # those that remain count one thing
    if len(events) > 2:
        assert read(tmp_path / "redcap.csv", redcap={next(iter(odd)): 9})["session"].max() == 9


def test_events_of_two_arms_count_one_thing(tmp_path: Path) -> None:
    text = "record_id,redcap_event_name,core\n1,Session_1_arm_1,1\n1,session_2_arm_1,1\n2,session_1_arm_2,1\n"
    assert read(write(tmp_path, text))["session"].to_list() == [1, 2, 1]


@pytest.mark.parametrize("first", ["redcap_event_name", "redcap_repeat_instance"])
def test_an_export_without_record_id_has_no_persons(tmp_path: Path, first: str) -> None:
    text = f"{first},core,who\n{{}},1,a\n{{}},2,b\n".format(*(("s_1", "s_2") if "event" in first else (1, 2)))
    with pytest.raises(ReadError, match="nothing says whose rows") as caught:
        read(write(tmp_path, text))
    assert "person=" in caught.value.remedy
    assert read(tmp_path / "redcap.csv", person="who")["session"].to_list() == [1, 2]
