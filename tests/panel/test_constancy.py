"""Constancy: what is the same in all of a person's rows, in columns of every type."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionwise.errors import PanelError
from sessionwise.panel import Panel
from sessionwise.panel.constancy import own_values

# Rows in the file's order: b2, a1, b1, a3, c1, a2. Persons: a (three rows), b (two), c (one).
PERSONS, SESSIONS = ["b", "a", "b", "a", "c", "a"], [2, 1, 1, 3, 1, 2]
ORDER = [1, 5, 3, 2, 0, 4]
DAY, OTHER = dt.date(2020, 1, 9), dt.date(2021, 1, 9)
NAN = float("nan")

# values in the file's order -> each person's value, or who changes
CONSTANT = {
    "numbers": ([2.0, 1.0, 2.0, 1.0, 3.0, 1.0], [1.0, 2.0, 3.0]),
    "numbers with missing": ([None, 1.0, 2.0, None, None, 1.0], [1.0, 2.0, None]),
    "NaN": ([NAN, NAN, 2.0, 1.0, NAN, NAN], [1.0, 2.0, None]),
    "at one session only": ([2, None, None, 1, 3, None], [1, 2, 3]),
    "infinite": ([np.inf, 1.0, np.inf, 1.0, -np.inf, 1.0], [1.0, np.inf, -np.inf]),
    "both zeros": ([0.0, 0.0, -0.0, -0.0, 0.0, 0.0], [0.0, 0.0, 0.0]),
    "whole numbers": ([2, 1, 2, 1, 3, 1], [1, 2, 3]),
    "the same for all": ([7] * 6, [7, 7, 7]),
    "text": (["x", "y", "x", "y", "y", "y"], ["y", "x", "y"]),
    "text with blanks": (["x", " ", "", "y", "  ", None], ["y", "x", None]),
    "booleans": ([True, False, True, False, True, None], [False, True, True]),
    "dates": ([DAY, OTHER, None, OTHER, DAY, OTHER], [OTHER, DAY, DAY]),
    "nothing": ([None] * 6, [None] * 3),
}
CHANGING = {
    "numbers": ([2.0, 1.0, 2.0, 1.5, 3.0, 1.0], "a"),
    "after a missing value": ([2.0, 1.0, 2.0, 1.5, 3.0, None], "a"),
    "one of two": ([2.5, 1.0, 2.0, 1.0, 3.0, 1.0], "b"),
    "nearly the same": ([2.0, 1.0, 2.0, 1.0 + 1e-15, 3.0, 1.0], "a"),
    "back again": ([2, 1, 2, 1, 3, 9], "a"),
    "text": (["x", "y", "X", "y", "y", "y"], "b"),
    "text with spaces": (["x", "y", "x", "y ", "y", "y"], "a"),
    "booleans": ([True, False, True, True, True, False], "a"),
    "dates": ([DAY, OTHER, OTHER, OTHER, DAY, OTHER], "b"),
}
MAKERS = {
    "polars": pl.DataFrame,
    "pandas": lambda data: pd.DataFrame({name: pd.Series(values) for name, values in data.items()}),
    "pandas nullable": lambda data: pd.DataFrame(data).convert_dtypes(),
}


def panel_of(values, make=pl.DataFrame):
    return Panel(make({"p": PERSONS, "s": SESSIONS, "v": values}), person="p", session="s")


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@pytest.mark.parametrize(("values", "expected"), CONSTANT.values(), ids=CONSTANT)
def test_constant(make, values, expected):
    panel = panel_of(values, make)
    assert panel.is_constant("v")
    found = panel.per_person("v")
    assert isinstance(found, pl.Series)
    assert found.dtype == panel.series("v").dtype
    assert found.to_list() == expected


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@pytest.mark.parametrize(("values", "who"), CHANGING.values(), ids=CHANGING)
def test_changing(make, values, who):
    panel = panel_of(values, make)
    assert not panel.is_constant("v")
    with pytest.raises(PanelError, match="column 'v' changes within persons") as caught:
        panel.per_person("v")
    assert caught.value.where == f"1 person, such as p {who}"
    assert caught.value.remedy


@pytest.mark.parametrize("kind", [pl.Categorical, pl.Enum(["y", "x", "unused"])])
def test_categories_keep_their_type(kind):
    panel = panel_of(pl.Series(["x", "y", None, "y", None, "y"], dtype=kind))
    assert panel.is_constant("v")
    assert panel.per_person("v").dtype == kind
    assert panel.per_person("v").to_list() == ["y", "x", None]
    assert not panel_of(pl.Series(["x", "y", "x", "x", None, "y"], dtype=kind)).is_constant("v")


def test_added_columns_and_roles():
    panel = panel_of([1] * 6).with_columns({"z": np.array([1.0, np.nan, 1, 2, 2, np.nan])})
    assert panel.per_person("z").to_list() == [1.0, 2.0, None]
    assert panel.per_person("p").to_list() == ["a", "b", "c"]
    assert not panel.is_constant("s")


def test_all_who_change_are_counted():
    with pytest.raises(PanelError) as caught:
        panel_of([1, 2, 3, 4, 5, 6]).per_person("v")
    assert caught.value.where == "2 persons, such as p a"


@pytest.mark.parametrize("ask", [Panel.is_constant, Panel.per_person])
def test_a_column_that_is_not_there(ask):
    with pytest.raises(PanelError, match="there is no column 'w'"):
        ask(panel_of([1] * 6), "w")


def test_no_rows():
    empty = panel_of([1, 2, 3, 4, 5, 6]).subset([])
    assert empty.is_constant("v")
    assert empty.per_person("v").to_list() == []


def test_a_subset_is_judged_by_its_own_persons():
    panel = panel_of([2.5, 1.0, 2.0, 1.0, 3.0, 1.0])
    assert not panel.is_constant("v")
    assert panel.subset(["a", "c"]).per_person("v").to_list() == [1.0, 3.0]


ROWS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from([None, 0.0, 1.0])), max_size=12)


@given(ROWS)
def test_as_by_definition(rows):
    """Against sets of values, person by person."""
    rows = sorted(rows, key=lambda row: row[0])
    persons = sorted({who for who, _ in rows})
    starts = np.array([0, *np.cumsum([sum(who == p for who, _ in rows) for p in persons])], np.int64)
    own = own_values(pl.Series([value for _, value in rows], dtype=pl.Float64), starts)
    values = [[(i, v) for i, (who, v) in enumerate(rows) if who == p and v is not None] for p in persons]
    assert own.first.tolist() == [seen[0][0] if seen else -1 for seen in values]
    assert own.changing.tolist() == [k for k, seen in enumerate(values) if len({v for _, v in seen}) > 1]
