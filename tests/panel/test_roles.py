"""roles: role columns to sorted integer arrays, or a Finding that says why not."""

import datetime as dt

import numpy as np
import polars as pl
import pytest

from sessionwise.panel.frames import eager
from sessionwise.panel.labels import levels
from sessionwise.panel.roles import Roles, structure
from sessionwise.panel.table import Origin, Table

ROLES = Roles("p", "s")
ORIGIN = Origin("file.csv", "line", first=2)


def build(p, s, roles=ROLES, **more):
    frame, _, _ = eager(pl.DataFrame({"p": p, "s": s, **more}, strict=False))
    return structure(frame, roles, ORIGIN)


def only_error(p, s, roles=ROLES, **more):
    built, found = build(p, s, roles, **more)
    assert built is None
    (error,) = found.errors
    assert error.what.endswith((".", "?"))
    assert error.remedy
    return error


def test_sorted_by_person_then_session():
    built, found = build(["b", "a", "b", "a"], [2, 1, 1, 3])
    assert not found
    assert built.order.tolist() == [1, 3, 2, 0]
    assert built.persons.tolist() == ["a", "b"]
    assert built.starts.tolist() == [0, 2, 4]
    assert built.sessions.tolist() == [1, 3, 1, 2]
    assert (built.starts.dtype, built.sessions.dtype, built.order.dtype) == (np.int64, np.int64, np.int64)


def test_no_order_where_the_table_is_sorted():
    assert build([1, 1, 2], [1, 2, 1])[0].order is None
    assert build([1, 1, 2], [2, 1, 1])[0].order.tolist() == [1, 0, 2]
    assert build([2, 1], [1, 1])[0].order.tolist() == [1, 0]


@pytest.mark.parametrize("far", [1, 40_000], ids=["close", "far apart"])
@pytest.mark.parametrize(
    "label", [int, str, lambda p: p + 0.5, lambda p: f"pä{p:02d}"], ids=["int", "str", "dec", "text"]
)
def test_any_order_of_rows_is_sorted(far, label):
    rows = [(p, s * far) for p in range(1, 10) for s in (1, 2)]
    shuffled = [rows[i] for i in np.random.default_rng(3).permutation(len(rows))]
    built, _ = build([label(p) for p, _ in shuffled], [s for _, s in shuffled])
    assert [shuffled[i] for i in built.order] == rows
    assert built.persons.tolist() == [label(p) for p in range(1, 10)]
    assert built.starts.tolist() == list(range(0, 19, 2))
    assert built.sessions.tolist() == [s for _, s in rows]


def test_persons_in_blocks_that_come_twice():
    built, _ = build(["a", "b", "a"], [1, 1, 2])
    assert built.starts.tolist() == [0, 2, 3]


@pytest.mark.parametrize("first", [0, 1, 7, -2])
def test_sessions_may_start_anywhere(first):
    assert build([1, 1], [first, first + 1])[0].sessions.tolist() == [first, first + 1]


@pytest.mark.parametrize(
    ("text", "numbers", "noted"),
    [
        (["S1", "S3"], [1, 3], True),
        (["session 1", "Session 12"], [1, 12], True),
        (["T_01", "t_2"], [1, 2], True),
        (["S-1", "s-2"], [1, 2], True),
        (["1", "2"], [1, 2], False),
        ([" 1", "2 "], [1, 2], True),
        (["1.0", "2.0"], [1, 2], False),
        (["-1", "2"], [-1, 2], False),
    ],
)
def test_sessions_as_text(text, numbers, noted):
    built, found = build([1, 1], text)
    assert built.sessions.tolist() == numbers
    assert [f.code for f in found] == ["session-from-text"] * noted


@pytest.mark.parametrize(
    ("sessions", "code", "says", "line"),
    [
        (["S1", "T2", "S3"], "session-text", "'T2'", "line 3"),
        (["1", "two", "3"], "session-text", "'two'", "line 3"),
        ([1, None, 3], "session-missing", "1 row", "line 3"),
        (["1", " ", "3"], "session-missing", "1 row", "line 3"),
        ([1.0, 2.5, 3.0], "session-not-whole", "2.5", "line 3"),
        ([1.0, float("inf"), 3.0], "session-not-whole", "inf", "line 3"),
        ([1, 10**9, 3], "session-too-large", "1000000000", "line 3"),
        (["S1", "S99999999999999999999", "S3"], "session-too-large", "1e+15", "line 3"),
        ([dt.date(2020, 1, d) for d in (1, 2, 3)], "session-is-date", "dates", ""),
        ([dt.datetime(2020, 1, d) for d in (1, 2, 3)], "session-is-date", "dates", ""),
        (["1", "2020-01-02", "3"], "session-text", "'2020-01-02'", "line 3"),
    ],
)
def test_sessions_that_are_none(sessions, code, says, line):
    error = only_error([1, 1, 1], sessions)
    assert error.code == code
    assert says in error.what
    assert line in error.where
    assert "'s'" in error.what


def test_dates_as_sessions_point_to_number_sessions():
    assert "number_sessions(" in only_error([1], [dt.date(2020, 1, 1)]).remedy


@pytest.mark.parametrize(
    "p",
    [["a", None, "b"], ["a", "  ", "b"], ["a", "\u3000", "b"], ["ä", "", "b"], [1, None, 2], [1.0, float("nan"), 2.0]],
)
def test_person_missing(p):
    error = only_error(p, [1, 1, 1])
    assert (error.code, error.count, error.where) == ("person-missing", 1, "file.csv, line 3")


def test_person_labels_as_floats_are_whole_numbers():
    built, _ = build([2.0, 1.0], [1, 1])
    assert built.persons.tolist() == [1, 2]
    assert built.persons.dtype == np.int64
    assert build([1.5, 1.0], [1, 1])[0].persons.tolist() == [1.0, 1.5]


def test_duplicates_say_how_many_persons_and_the_first_few():
    error = only_error([1, 1, 1, 2, 2, 3, 4, 4], [1, 1, 1, 5, 5, 1, 2, 2])
    assert error.code == "duplicate-session"
    assert error.count == 4
    assert "4 rows repeat" in error.what
    assert "3 persons" in error.what
    assert "p 1, s 1 (file.csv, lines 2, 3)" in error.where
    assert "p 2, s 5 (file.csv, lines 5, 6)" in error.where
    assert error.where.endswith("and 1 more")


def test_all_errors_at_once():
    _, found = build([None, 1], [1.5, 1.0], Roles("p", "s", time="d"), d=["x", "y"])
    assert {f.code for f in found.errors} == {"person-missing", "session-not-whole", "time-is-text"}


def test_roles_without_column_or_with_one_twice():
    frame, _, _ = eager(pl.DataFrame({"patient": [1], "s": [1]}))
    built, found = structure(frame, Roles("pateint", "sess", cluster="s", time="s"), ORIGIN)
    assert built is None
    assert [f.code for f in found] == ["role-column-missing", "role-column-missing", "role-column-twice"]
    assert "Did you mean 'patient'?" in found.items[0].what
    assert "patient, s" in found.items[0].where
    assert "cluster, time" in found.items[2].what


def test_nested_columns_are_refused():
    assert only_error([[1], [2]], [1, 1]).code == "role-nested"


def test_no_rows():
    built, found = build(pl.Series([], dtype=pl.Int64), pl.Series([], dtype=pl.Int64))
    assert built is None
    assert [f.code for f in found] == ["no-rows"]


ONE = dt.datetime(2020, 1, 2, 12)


@pytest.mark.parametrize(
    ("times", "days"),
    [
        ([dt.date(1970, 1, 2), None], [1.0, np.nan]),
        ([dt.datetime(1970, 1, 2, 12), None], [1.5, np.nan]),
        (["1970-01-03", None], [2.0, np.nan]),
        (pl.Series(["1970-01-03", None], dtype=pl.Categorical), [2.0, np.nan]),
        ([3, None], [3.0, np.nan]),
        ([None, None], [np.nan, np.nan]),
        (pl.Series([dt.datetime(1970, 1, 2), None]).dt.replace_time_zone("Europe/Berlin"), [1.0, np.nan]),
    ],
)
def test_times(times, days):
    built, _ = build([1, 1], [1, 2], Roles("p", "s", time="d"), d=times)
    np.testing.assert_array_equal(built.times, days)


@pytest.mark.parametrize(
    ("times", "code"),
    [
        (["1970-01-03", "soon"], "time-is-text"),
        ([True, False], "time-not-date"),
        ([dt.timedelta(1), None], "time-not-date"),
        ([dt.time(1), None], "time-not-date"),
    ],
)
def test_times_that_are_none(times, code):
    assert only_error([1, 1], [1, 2], Roles("p", "s", time="d"), d=times).code == code


def test_clusters_and_times_follow_the_rows():
    roles = Roles("p", "s", "c", "d")
    built, _ = build([2, 1, 1], [1, 2, 1], roles, c=["x", None, "w"], d=[3, 2, 1])
    assert built.clusters.tolist() == ["w", "x"]
    assert built.cluster_codes.tolist() == [0, -1, 1]
    assert built.cluster_codes.dtype == np.int32
    assert built.times.tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("values", "names", "codes"),
    [
        (pl.Series(["b", "", "a", "  ", None]), ["a", "b"], [1, -1, 0, -1, -1]),
        (pl.Series([2.0, None, 1.0]), [1, 2], [1, -1, 0]),
        (pl.Series([1.5, 1.0]), [1.0, 1.5], [1, 0]),
        (pl.Series(["lo", "hi", None], dtype=pl.Enum(["lo", "hi"])), ["lo", "hi"], [0, 1, -1]),
        (pl.Series([True, False]), ["false", "true"], [1, 0]),
        (pl.Series([None, None]), [], [-1, -1]),
        (pl.Series(["b", "b", "", None, "b", "a"]), ["a", "b"], [1, 1, -1, -1, 1, 0]),
        (pl.Series([7, 7, None, None, 5, 7]), [5, 7], [1, 1, -1, -1, 0, 1]),
        (pl.Series([100, -100, 100], dtype=pl.Int8), [-100, 100], [1, 0, 1]),
        (pl.Series([2**62, -(2**62), 2**62]), [-(2**62), 2**62], [1, 0, 1]),
        (pl.Series([2**63 + 1, 2**63], dtype=pl.UInt64), [2**63, 2**63 + 1], [1, 0]),
        (pl.Series([], dtype=pl.String), [], []),
    ],
)
def test_levels(values, names, codes):
    labels, got = levels(values)
    assert labels.tolist() == names
    assert got.tolist() == codes


def test_head_is_the_first_rows():
    built, _ = build([1, 1, 2, 2], [1, 2, 1, 2])
    head = built.head(3)
    assert head.persons.tolist() == [1, 2]
    assert head.starts.tolist() == [0, 2, 3]
    assert built.head(99).starts.tolist() == built.starts.tolist()


def test_where_uses_the_lines_of_the_file():
    table = Table(pl.DataFrame({"p": [1], "s": [None]}), "f.csv", row_word="line", row_numbers=np.array([41]))
    frame, origin, _ = eager(table)
    _, found = structure(frame, ROLES, origin)
    assert found.items[0].where == "f.csv, line 41"


def test_a_minus_before_some_numbers_is_refused():
    """S-2, S-1, S0, S3 counts from before treatment: reading 2, 1, 0, 3 would turn the course round."""
    built, found = build([1, 1, 1, 1], ["S-2", "S-1", "S0", "S3"])
    assert built is None
    (error,) = found.errors
    assert error.code == "session-text"


def test_decimal_person_labels_are_doubted():
    built, found = build([1.1, 1.1, 2.5], [1, 2, 1])
    assert built is not None
    (warning,) = found.warnings
    assert warning.code == "person-decimal"
    assert "types={'p': 'text'}" in warning.remedy


@pytest.mark.parametrize("ids", [[2.0**53 + 2, 2.0**53 + 4], [1e17, 1e17 + 16], [1.0, 1.2e19]])
def test_long_numbers_that_lost_their_digits_are_told(ids: list[float]) -> None:
    """As R and Excel make them of long identifiers (readr's issue 976)."""
    built, found = build([*ids, *ids], [1, 1, 2, 2])
    assert built is not None
    (warning,) = found.warnings
    assert (warning.code, "last digits are lost" in warning.what) == ("person-digits-lost", True)
    exact, found = build([2**53 + 1, 2**53 + 2] * 2, [1, 1, 2, 2])
    assert exact is not None
    assert len(exact.persons) == 2
    assert not found.warnings
