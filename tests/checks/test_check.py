"""check: each kind of trouble is found, named and counted; clean data give no noise."""

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionwise.checks import check
from sessionwise.datasets import demo
from sessionwise.errors import InstrumentError, PanelError
from sessionwise.findings import Finding, Findings
from sessionwise.panel import Panel
from sessionwise.panel.table import Table
from sessionwise.scoring import instrument

ROLES = {"person": "p", "session": "s"}
PERSONS, SESSIONS = 30, 4


def clean(**columns):
    """30 persons in 10 clusters, sessions 1 to 4, a week apart."""
    p, s = np.repeat(np.arange(PERSONS), SESSIONS), np.tile(np.arange(1, SESSIONS + 1), PERSONS)
    date = [dt.date(2020, 1, 1) + dt.timedelta(days=int(7 * b + a)) for a, b in zip(p, s, strict=True)]
    frame = pl.DataFrame({"p": p, "s": s, "t": p % 10, "d": date, "x": (p * 7 + s * 3) % 11 / 2})
    return frame.with_columns(**{k: pl.Series(v) for k, v in columns.items()})


def items(frame, name="core-om", seed=1, already=False):
    """Answers by one factor, reversed items turned unless `already`."""
    key = instrument(name)
    rng = np.random.default_rng(seed)
    level = rng.normal(size=frame.height)
    columns = {}
    for item in key.items:
        width = key.high - key.low
        answer = np.clip(np.round(key.low + width / 2 + level + rng.normal(size=len(level))), key.low, key.high)
        turn = item in key.reversed and not already
        columns[f"{name.replace('-', '_')}_{item}"] = (key.low + key.high - answer if turn else answer).astype(int)
    return frame.with_columns(**{k: pl.Series(v) for k, v in columns.items()})


def put(frame, column, rows, value):
    values = frame[column].to_list()
    for row in rows:
        values[row] = value
    return frame.with_columns(pl.Series(column, values, strict=False))


def codes(found):
    return {f.code for f in found}


def one(found, code):
    hits = [f for f in found if f.code == code]
    assert len(hits) == 1, codes(found)
    return hits[0]


# --- quiet where nothing is wrong ------------------------------------------------------------------


def test_clean_data_give_nothing():
    assert not check(items(items(clean()), "wai-sr", seed=2), **ROLES, cluster="t", time="d")


def test_the_demo_gives_sensible_notes_only():
    found = check(demo(), person="patient", session="session", cluster="therapist", time="date")
    assert [f.code for f in found] == ["simulated", "session-gaps", "single-session", "cluster-of-one"]
    assert not found.errors
    assert not found.warnings
    truth = demo().frame.group_by("patient").agg(n=pl.len())
    assert one(found, "single-session").count == truth.filter(pl.col("n") == 1).height
    gaps = demo().frame.sort("patient", "session").select(pl.col("session").diff().over("patient") - 1).to_series()
    assert one(found, "session-gaps").count == gaps.sum()


# --- data and roles --------------------------------------------------------------------------------


def test_panel_table_and_dataframe_agree():
    frame = put(clean(), "s", [5], 9)
    expected = check(frame, **ROLES)
    assert expected == check(Panel(frame, **ROLES))
    assert expected == check(Table(frame), **ROLES)
    assert expected == check(frame.lazy(), **ROLES)
    assert expected == check(frame.to_pandas(), **ROLES)
    assert expected == check(frame.to_arrow(), **ROLES)


def test_findings_of_the_data_are_included():
    note = Finding("note", "n", "A note.")
    table = Table(clean(), findings=Findings([note]))
    for found in (
        check(table, **ROLES),
        check(Panel(table, **ROLES)),
        check(table),
        check(table, person="s", session="p"),
    ):
        assert note in found


def test_structural_errors_are_listed_at_once_and_columns_still_checked():
    frame = clean(e=[None] * 120).with_columns(p=pl.col("p").replace(3, None), s=pl.col("s") + 0.5)
    found = check(frame, **ROLES, time="x")
    assert codes(found.errors) == {"person-missing", "session-not-whole"}
    assert one(found, "empty-column").where == "column 'e'"


def test_duplicates_and_their_instrument_checks():
    frame = put(put(items(clean()), "s", [1], 1), "core_om_3", [7], 99)
    found = check(frame, **ROLES)
    assert "1 person" in one(found, "duplicate-session").what
    assert "rows 0, 1" in one(found, "duplicate-session").where
    assert "row 7" in one(found, "answer-out-of-range").where


def test_role_columns_that_are_not_there():
    found = check(clean(), person="q", session="s", cluster="tt")
    assert [f.code for f in found.errors] == ["role-column-missing", "role-column-missing"]


def test_without_roles_only_columns_are_checked():
    found = check(clean(k=[7] * 120))
    assert codes(found) == {"no-structure", "constant-column"}
    assert codes(check(clean().with_columns(p=None), person="p")) == {"no-structure", "person-missing"}


def test_roles_with_a_panel_are_refused():
    with pytest.raises(PanelError, match="roles already") as caught:
        check(Panel(clean(), **ROLES), person="p")
    assert "person" in caught.value.where
    with pytest.raises(PanelError, match="not a table"):
        check([1, 2], **ROLES)


# --- sessions --------------------------------------------------------------------------------------


def test_gaps():
    frame = put(clean(), "s", [7, 11], 6).filter(pl.int_range(pl.len()) != 13)
    gap = one(check(frame, **ROLES), "session-gaps")
    assert gap.severity == "note"
    assert gap.count == 5
    assert "3 of 30 persons" in gap.what
    assert "at most 2 in a row" in gap.what
    assert gap.where.startswith("p 1, s 6 (row 7")


@pytest.mark.parametrize(("number", "code"), [(40, "session-gaps"), (50, "session-jump"), (5000, "session-jump")])
def test_implausible_jumps(number, code):
    found = check(put(clean(), "s", [11], number), **ROLES)
    hit = one(found, code)
    assert codes(found) == {code}
    assert f"p 2, s {number} (row 11" in hit.where
    assert hit.severity == ("warning" if code == "session-jump" else "note")


def test_a_long_gap_is_a_jump_however_many_sessions_there_are():
    frame = pl.DataFrame({"p": np.repeat(np.arange(25), 12), "s": np.tile(np.arange(1, 13), 25)})
    assert codes(check(put(frame, "s", [11], 12 + 60), **ROLES)) == {"session-jump"}
    assert codes(check(put(frame, "s", [11], 12 + 50), **ROLES)) == {"session-gaps"}


def test_jumps_of_many_are_the_design():
    assert codes(check(put(clean(), "s", range(3, 120, 4), 104), **ROLES)) == {"session-gaps"}


def test_first_sessions():
    late = one(check(put(clean(), "s", [0], 0), **ROLES), "first-session")
    assert (late.severity, late.count) == ("note", 1)
    assert "does not begin with session 1 but with 0" in late.what
    frame = clean().with_columns(s=pl.col("s") + 6 * (pl.col("p") < 2))
    assert one(check(frame, **ROLES), "first-session").count == 2
    one_late = clean().with_columns(s=pl.col("s") + 6 * (pl.col("p") == 1))
    assert codes(check(one_late, **ROLES)) == {"first-session"}
    everybody = one(check(clean().with_columns(s=pl.col("s") - 1), **ROLES), "first-session")
    assert "Every person's first session has the number 0" in everybody.what


def test_negative_sessions():
    hit = one(check(put(clean(), "s", [0], -9), **ROLES), "negative-session")
    assert (hit.severity, hit.count) == ("warning", 1)
    assert "p 0, s -9 (row 0" in hit.where


# --- dates -----------------------------------------------------------------------------------------


def test_sessions_out_of_order():
    frame = clean()
    frame = put(put(frame, "d", [5], frame["d"][6]), "d", [6], frame["d"][5])
    hit = one(check(frame, **ROLES, time="d"), "sessions-out-of-order")
    assert (hit.severity, hit.count) == ("warning", 1)
    assert "p 1, s 3 (row 6" in hit.where
    assert "number_sessions(table, person='p', by='d'" in hit.remedy


def test_order_is_seen_across_missing_dates():
    frame = put(put(clean(), "d", [5], None), "d", [6], dt.date(2019, 12, 1))
    found = check(frame, **ROLES, time="d")
    assert codes(found) == {"sessions-out-of-order", "time-missing"}


def test_same_dates():
    frame = clean()
    hit = one(check(put(frame, "d", [5], frame["d"][4]), **ROLES, time="d"), "same-date")
    assert (hit.severity, hit.count) == ("note", 1)
    assert "p 1, s 2 (row 5" in hit.where


def test_a_date_that_never_changes():
    frame = clean().with_columns(d=pl.date(2020, 1, 1) + pl.duration(days=pl.col("p")))
    found = check(frame, **ROLES, time="d")
    assert codes(found) == {"time-constant"}
    assert one(found, "time-constant").severity == "warning"


@pytest.mark.parametrize("year", [220, 1899, 2002, 2035, 2100, 9999])
def test_implausible_dates(year):
    found = check(put(clean(), "d", [5], dt.date(year, 1, 20)), **ROLES, time="d")
    assert codes(found) == {"implausible-date"}
    assert "column 'd': p 1, s 2 (row 5" in one(found, "implausible-date").where
    assert str(year) in one(found, "implausible-date").what


def test_a_clinic_of_thirty_years_has_no_implausible_dates_but_slips_of_decades():
    frame = clean().with_columns(d=pl.col("d") + pl.duration(days=365 * pl.col("p")))
    assert not check(frame, **ROLES, time="d")
    slip = put(frame, "d", [3], frame["d"][3] + dt.timedelta(days=20 * 365))
    assert one(check(slip, **ROLES, time="d"), "implausible-date").count == 1


def test_times_as_numbers_have_no_implausible_dates():
    frame = clean().with_columns(d=pl.col("s") * 100_000.0)
    assert not check(frame, **ROLES, time="d")


# --- persons and clusters --------------------------------------------------------------------------


def test_single_sessions_and_few_persons():
    frame = clean().filter((pl.col("p") < 19) & ((pl.col("p") > 1) | (pl.col("s") == 1)))
    found = check(frame, **ROLES)
    single = one(found, "single-session")
    assert (single.severity, single.count, single.where) == ("note", 2, "p 0, 1")
    assert "2 of 19 persons (11 %)" in single.what
    assert one(found, "few-persons").severity == "warning"
    assert "few-persons" not in codes(check(clean().filter(pl.col("p") < 20), **ROLES))


@pytest.mark.parametrize(("a", "b"), [("P1", "p1"), ("P1", "P1 "), ("P1", "P01"), ("A  b", "a b"), ("7", "07")])
def test_person_labels_alike(a, b):
    labels = [f"X{p}" for p in clean()["p"]]
    labels[:4], labels[4:8] = [a] * 4, [b] * 4
    found = check(clean(p=labels), **ROLES)
    assert codes(found) == {"person-spelling"}
    hit = one(found, "person-spelling")
    assert (hit.severity, hit.count) == ("warning", 1)
    assert repr(a) in hit.where
    assert repr(b) in hit.where


def test_person_labels_that_only_look_alike():
    labels = [f"{p // 10}-{p % 10}" for p in clean()["p"]]
    assert not check(clean(p=labels), **ROLES)


def test_clusters_that_change_or_are_missing():
    found = check(put(put(clean(), "t", [5], 9), "t", [10, 11], None), **ROLES, cluster="t")
    assert codes(found) == {"cluster-changes", "cluster-missing"}
    change, missing = one(found, "cluster-changes"), one(found, "cluster-missing")
    assert (change.severity, change.count, change.where) == ("note", 1, "p 1")
    assert "crossed" in change.remedy
    assert (missing.severity, missing.count) == ("warning", 2)
    assert "p 2, s 3" in missing.where


def test_clusters_too_few_or_of_one_person_or_of_every_person():
    two = clean().with_columns(t=pl.when(pl.col("p") == 3).then(1).otherwise(0))
    found = check(two, **ROLES, cluster="t")
    assert codes(found) == {"few-clusters", "cluster-of-one"}
    assert one(found, "cluster-of-one").where == "t 1"
    same = check(clean().with_columns(t=pl.col("p") + 100), **ROLES, cluster="t")
    assert codes(same) == {"cluster-is-person"}
    assert one(same, "cluster-is-person").severity == "warning"


# --- columns ---------------------------------------------------------------------------------------


def test_empty_and_constant_columns_are_grouped():
    found = check(clean(e=[None] * 120, f=[float("nan")] * 120, k=[3] * 120, w=["a"] * 120), **ROLES)
    assert one(found, "empty-column").where == "columns 'e', 'f'"
    assert one(found, "constant-column").where == "columns 'k', 'w'"
    assert codes(check(clean(k=[3] * 119 + [4], m=[1] * 119 + [None]), **ROLES)) == set()


def test_text_in_numbers():
    text = [str(i % 50) for i in range(120)]
    text[17], text[20] = "12a", "unknown"
    found = check(clean(age=text, note=[f"note {i}" for i in range(120)]), **ROLES)
    assert codes(found) == {"text-in-numbers"}
    hit = one(found, "text-in-numbers")
    assert (hit.severity, hit.count) == ("warning", 2)
    assert "column 'age': '12a' at p 4, s 2 (row 17" in hit.where
    assert "missing=" in hit.remedy


def test_text_columns_with_few_numbers_are_text():
    assert not check(clean(c=["1", "2", "a", "b", "c"] * 24), **ROLES)


def test_numbers_as_text():
    assert codes(check(clean(age=[f"{i},5" for i in range(120)]), **ROLES)) == {"numbers-as-text"}


@pytest.mark.parametrize(
    ("values", "code", "rows"),
    [
        ([0, 1, 2, 3, 4], -9, [3]),
        ([0, 1, 2, 3, 4], -99, [3]),
        ([0, 1, 2, 3, 4], 99, [3]),
        ([0, 1, 2, 3, 4], 9, [3, 50]),
        ([0, 1], 9, [3]),
        ([18, 25, 44, 65, 70], 999, [3]),
        ([18, 25, 44, 60, 65], 99, [3, 50]),
        ([0.5, 1.5, 20.0, 100.0], 9999.0, [3]),
    ],
)
def test_missing_codes(values, code, rows):
    column = [values[(i // 4) % len(values)] for i in range(120)]
    for row in rows:
        column[row] = code
    found = check(clean(v=column), **ROLES)
    assert codes(found) == {"missing-code"}
    hit = one(found, "missing-code")
    assert (hit.severity, hit.count) == ("warning", len(rows))
    assert f"'v': [{code:g}]" in hit.remedy
    assert "(row 3 " in hit.where


@pytest.mark.parametrize(
    ("values", "rare"),
    [
        ([18, 25, 44, 70, 91], 99),
        ([18, 25, 44, 60, 70], 88),
        ([0, 1, 2, 3, 4], 9),
        ([1, 2, 3, 4, 5, 6, 7], 8),
        ([0, 3, 5, 7, 8], 9),
        ([-3.5, 0.5, 2.0], -9),
        ([-1, 0, 1], -1),
        ([0, 50, 75, 90, 100], 99),
        ([1, 99], 99),
    ],
)
def test_legitimate_values_are_no_codes(values, rare):
    column = [values[i % len(values)] for i in range(120)]
    column[3] = rare
    assert not check(clean(v=column), **ROLES)


def test_a_gap_smaller_than_half_the_spread_is_no_code():
    column = [[18, 25, 44, 60, 65][(i // 4) % 5] for i in range(120)]
    column[3] = column[50] = 88
    assert not check(clean(v=column), **ROLES)


def test_several_codes_in_several_columns_are_one_finding():
    a, b = [i % 5 for i in range(120)], [i % 3 for i in range(120)]
    a[1], a[2], b[7], b[9] = 88, 99, -99, -8
    hit = one(check(clean(a=a, b=b), **ROLES), "missing-code")
    assert hit.what.startswith("-99, -8, 88, 99 in 2 columns (4 cells)")
    assert hit.remedy.endswith("missing={'a': [88, 99], 'b': [-99, -8]}).")


# --- instruments -----------------------------------------------------------------------------------


def test_answers_out_of_range():
    frame = put(put(items(clean()), "core_om_3", [17, 20], 5), "core_om_4", [3], -9)
    found = check(frame, **ROLES)
    assert codes(found) == {"answer-out-of-range"}
    hit = one(found, "answer-out-of-range")
    assert (hit.severity, hit.count) == ("warning", 3)
    assert "core-om outside 0 to 4" in hit.what
    assert "column 'core_om_3': 5 at p 4, s 2 (row 17" in hit.where
    assert "column 'core_om_4': -9 at p 0, s 4 (row 3" in hit.where
    assert "missing={'core_om_3': [5], ...}" in hit.remedy


def test_another_range_and_a_shifted_one():
    wai = items(clean(), "wai-sr").with_columns(pl.col("^wai_sr_.*$") + 2)
    assert "answers=(1, 7)" in one(check(wai, **ROLES), "answer-out-of-range").remedy
    core = items(clean()).with_columns(pl.col("^core_om_.*$") + 1)
    assert "shift them by one" in one(check(core, **ROLES), "answer-out-of-range").remedy


def test_answers_not_whole():
    frame = put(items(clean()).with_columns(pl.col("core_om_3").cast(float)), "core_om_3", [17], 2.5)
    found = check(frame, **ROLES)
    assert codes(found) == {"answer-not-whole"}
    assert "2.5 at p 4, s 2" in one(found, "answer-not-whole").where


def test_answers_that_an_item_does_not_have():
    """Items 9 and 10 of the AUDIT are scored 0, 2 or 4; 7 is outside the range, and 1.5 not whole."""
    answers = {f"audit_{i}": [0, 2, 4, 2] for i in range(1, 9)} | {
        "audit_9": [1, 3, 4, None],
        "audit_10": [2.0, 7.0, 1.5, 0.0],
    }
    found = check(pl.DataFrame({"p": [1, 1, 2, 2], "s": [1, 2, 1, 2], **answers}), person="p", session="s")
    hit = one(found, "answer-not-there")
    assert (hit.count, hit.severity) == (2, "warning")
    assert "items 9, 10: 0, 2, 4" in hit.what
    assert "column 'audit_9': 1 at p 1, s 1" in hit.where
    assert {"answer-out-of-range", "answer-not-whole"} <= codes(found)


def test_instruments_asked_for():
    frame = items(clean())
    assert not check(frame, **ROLES, instruments=["core-om"])
    hit = one(check(frame, **ROLES, instruments=["core-om", "wai-sr"]), "instrument-not-found")
    assert hit.severity == "error"
    assert "wai-sr" in hit.what
    with pytest.raises(InstrumentError):
        check(frame, **ROLES, instruments=["unheard-of"])


def test_instruments_under_other_names():
    frame = items(clean()).rename(lambda c: c.replace("core_om_", "Q"))
    frame = put(frame, "Q3", [17], 7)
    assert not check(frame, **ROLES)
    hit = one(check(frame, **ROLES, instruments={"core-om": "Q{}"}), "answer-out-of-range")
    assert "column 'Q3': 7" in hit.where


def test_a_column_is_judged_by_one_instrument():
    frame = put(items(clean()), "core_om_2", [17], 9)
    named = {"core-10": [f"core_om_{i}" for i in range(1, 11)]}
    assert "core-10 outside" in one(check(frame, **ROLES, instruments=named), "answer-out-of-range").what


def test_reversed_already():
    found = check(items(clean(), already=True), **ROLES)
    assert codes(found) == {"already-reversed"}
    hit = one(found, "already-reversed")
    assert (hit.severity, hit.count) == ("warning", 8)
    assert "Items 3, 4, 7, 12, 19, 21, 31, 32 of core-om" in hit.what
    assert "already_reversed=True" in hit.remedy
    key = instrument("core-om").already_reversed()
    assert not check(items(clean(), already=True), **ROLES, instruments=[key])


def test_unrelated_answers_are_not_called_reversed():
    rng = np.random.default_rng(3)
    columns = {f"core_om_{i}": rng.integers(0, 5, 120) for i in range(1, 35)}
    assert not check(clean(**columns), **ROLES)


def test_straight_lining():
    frame = items(clean())
    for i in range(1, 35):
        frame = put(frame, f"core_om_{i}", [8, 40], 2)
    found = check(frame, **ROLES)
    assert codes(found) == {"straight-lining"}
    hit = one(found, "straight-lining")
    assert (hit.severity, hit.count) == ("note", 2)
    assert "all 34 items of core-om" in hit.what
    assert "p 2, s 1" in hit.where
    assert not check(put(frame, "core_om_34", [8, 40], 3), **ROLES)


def copied(frame, row):
    items_ = [c for c in frame.columns if c.startswith(("core", "wai"))]
    for name in items_:
        frame = put(frame, name, [row], frame[name][row - 1])
    return frame


def test_copied_answers():
    frame = put(items(items(clean()), "wai-sr", seed=2), "core_om_9", [9], None)
    hit = one(check(copied(frame, 10), **ROLES), "copied-answers")
    assert (hit.severity, hit.count) == ("note", 1)
    assert "all 46 answers" in hit.what
    assert hit.where.startswith("p 2, s 3 (row 10")


def test_what_is_no_copy():
    frame = items(clean())
    assert not check(copied(frame, 8), **ROLES)  # another person's row
    assert not check(put(copied(frame, 10), "core_om_5", [10], None), **ROLES)
    flat = items(clean(), "wai-sr").with_columns(pl.col("^wai_sr_.*$") * 0 + 5)
    assert "copied-answers" not in codes(check(flat, **ROLES))


# --- what holds for any data -----------------------------------------------------------------------


def test_every_finding_of_a_bad_file_has_its_parts_and_the_lines_are_few():
    frame = items(items(clean(), already=True), "wai-sr", seed=2)
    frame = put(put(put(frame, "s", [3], 90), "d", [9], dt.date(1820, 1, 1)), "t", [7], None)
    for i in range(1, 13):
        frame = put(frame, f"wai_sr_{i}", [i], 9)
    frame = frame.with_columns(pl.lit(None).alias("e"), pl.lit(1).alias("k"))
    found = check(Table(frame, "f.csv", row_word="line"), **ROLES, cluster="t", time="d", instruments=["phq-9"])
    assert codes(found) == {
        "instrument-not-found",
        "session-jump",
        "implausible-date",
        "cluster-missing",
        "answer-out-of-range",
        "already-reversed",
        "empty-column",
        "constant-column",
    }
    assert len(found) == 8
    for finding in found:
        assert finding.what
        assert finding.where
        if finding.severity != "note":
            assert finding.remedy
    assert "f.csv, line" in one(found, "session-jump").where


pairs = st.lists(st.tuples(st.integers(0, 6), st.integers(-2, 90)), min_size=1, max_size=30, unique=True)


@settings(max_examples=50)
@given(pairs, st.randoms())
def test_row_order_and_labels_do_not_matter(rows, random):
    def summary(rows, label):
        frame = pl.DataFrame(
            {
                "p": [label(p) for p, _ in rows],
                "s": [s for _, s in rows],
                "t": [f"T{(p + s) % 3}" if s % 5 else None for p, s in rows],
                "d": [dt.date(2020, 1, 1) + dt.timedelta(days=s * s) for _, s in rows],
                "x": [-9 if s == 3 else s % 4 for _, s in rows],
            }
        )
        found = check(frame, **ROLES, cluster="t", time="d")
        return [(f.severity, f.code, f.what, f.count) for f in found]

    expected = summary(rows, lambda p: p)
    assert summary(random.sample(rows, len(rows)), lambda p: p) == expected
    assert summary(rows, lambda p: f"q{p}") == expected


def test_a_subset_is_checked_as_itself():
    frame = put(clean(), "s", [11], 99)
    panel = Panel(frame, **ROLES)
    assert "session-jump" in codes(check(panel))
    assert "session-jump" not in codes(check(panel.subset(panel.persons != 2)))


def test_pandas_objects_and_odd_columns_do_no_harm():
    frame = clean().to_pandas()
    frame["o"] = pd.Series([1, "a"] * 60, dtype=object)
    frame["l"] = [[1, 2]] * 120
    frame["td"] = pd.Timedelta(1)
    check(frame, **ROLES)
    check(clean().with_columns(l=pl.lit([1, 2]), st=pl.struct("s", "x"), td=pl.duration(days=1)), **ROLES)
    check(clean().clear(), **ROLES)
    check(pl.DataFrame())


def test_absurd_numbers_are_named():
    frame = clean().with_columns(y=pl.Series([1.0, float("inf"), -1.7e308] + [2.0] * (len(clean()) - 3)))
    (finding,) = (f for f in check(frame, **ROLES) if f.code == "extreme-number")
    assert finding.severity == "warning"
    assert finding.count == 2
    assert "column 'y': inf at" in finding.where
