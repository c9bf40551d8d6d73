"""number_sessions: 1, 2, 3, ... by date, the same kind of dataframe out."""

import datetime as dt

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionwise.errors import PanelError
from sessionwise.findings import Finding, Findings
from sessionwise.panel import Panel
from sessionwise.panel.number import number_sessions
from sessionwise.panel.table import Table

DATA = {"p": ["b", "a", "b", "a"], "d": [dt.date(2020, 1, 3), dt.date(2020, 2, 1), dt.date(2020, 1, 1), None]}
FULL = DATA | {"d": [dt.date(2020, 1, 3), dt.date(2020, 2, 1), dt.date(2020, 1, 1), dt.date(2020, 1, 5)]}
NUMBERS = [2, 2, 1, 1]

MAKERS = {
    "polars": pl.DataFrame,
    "lazy": pl.LazyFrame,
    "pandas": lambda d: pd.DataFrame(d, index=[9, 8, 7, 7]),
    "pyarrow": pa.table,
    "duckdb": lambda d: duckdb.connect().from_arrow(pa.table(d)),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS.keys())
@pytest.mark.parametrize("as_text", [False, True])
def test_every_kind_of_dataframe(make, as_text):
    data = make(FULL | {"d": [str(d) for d in FULL["d"]]} if as_text else FULL)
    out = number_sessions(data, person="p", by="d")
    assert type(out) is type(data)
    panel = Panel(out, person="p", session="session")
    assert panel.sessions.tolist() == [1, 2, 1, 2]
    plain = (
        pl.DataFrame(out.arrow() if isinstance(out, duckdb.DuckDBPyRelation) else out.lazy().collect())
        if not (isinstance(out, pd.DataFrame | pa.Table))
        else pl.DataFrame(out.to_dict("list") if isinstance(out, pd.DataFrame) else out)
    )
    assert plain["session"].to_list() == NUMBERS
    assert plain["session"].dtype == pl.Int64


def test_a_table_keeps_its_findings_and_place():
    note = Finding("note", "x", "Before.")
    rows = np.array([11, 12, 13, 14])
    table = Table(pl.DataFrame(FULL), "f.csv", Findings([note]), {"d": "Date"}, {}, "line", rows)
    out = number_sessions(table, person="p", by="d", into="nr")
    assert isinstance(out, Table)
    assert out["nr"].to_list() == NUMBERS
    assert [f.code for f in out.findings] == ["x", "sessions-numbered"]
    assert (out.source, out.variable_labels, out.origin.say([0])) == ("f.csv", {"d": "Date"}, "f.csv, line 11")
    assert table.columns == ("p", "d")


def test_empty_dates_are_named():
    with pytest.raises(PanelError, match="'d' is empty in 1 row") as caught:
        number_sessions(Table(pl.DataFrame(DATA), "f.csv"), person="p", by="d")
    assert caught.value.where == "f.csv, row 5"
    assert caught.value.remedy


def test_missing_persons_are_named():
    with pytest.raises(PanelError, match="is empty in 1 row") as caught:
        number_sessions(pl.DataFrame(FULL | {"p": ["b", None, "b", "a"]}), person="p", by="d")
    assert "row 1" in caught.value.where


def test_two_rows_on_one_date_are_named():
    frame = pl.DataFrame({"p": [2, 1, 1, 1], "d": [5, 7, 5, 7]})
    with pytest.raises(PanelError, match=r"1 row has the same 'd'.*\(1 person\)") as caught:
        number_sessions(frame, person="p", by="d")
    assert caught.value.where == "first: p 1, d 7 (rows 1, 3 (counted from 0))"
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("kwargs", "says"),
    [
        ({"person": "q", "by": "d"}, "no column 'q'"),
        ({"person": "p", "by": "date"}, "no column 'date'"),
        ({"person": "p", "by": "p"}, "2 roles"),
        ({"person": "p", "by": "d", "into": "d"}, "a column 'd' already"),
        ({"person": "d", "by": "p"}, "no date"),
    ],
)
def test_wrong_columns(kwargs, says):
    with pytest.raises(PanelError, match=says) as caught:
        number_sessions(pl.DataFrame(FULL), **kwargs)
    assert caught.value.remedy


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-50, 50)), min_size=1, max_size=40, unique=True), st.randoms())
def test_any_row_order_gives_the_same_numbers(rows, random):
    def numbered(pairs):
        frame = pl.DataFrame(pairs, schema=["p", "d"], orient="row")
        return {(p, d): s for p, d, s in number_sessions(frame, person="p", by="d").iter_rows()}

    shuffled = random.sample(rows, len(rows))
    got = numbered(rows)
    assert numbered(shuffled) == got
    for person in {p for p, _ in rows}:
        own = sorted((d, s) for (p, d), s in got.items() if p == person)
        assert [s for _, s in own] == list(range(1, len(own) + 1))


def test_two_persons_on_one_date_are_fine():
    frame = pl.DataFrame({"p": [1, 1, 2, 2], "d": [1, 2, 2, 3]})
    assert number_sessions(frame, person="p", by="d")["session"].to_list() == [1, 2, 1, 2]
