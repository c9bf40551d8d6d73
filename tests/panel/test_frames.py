"""frames: any dataframe in, one meaning of missing, the same kind out."""

import datetime as dt
import subprocess
import sys

import duckdb
import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from sessionwise.errors import PanelError
from sessionwise.panel.frames import attach, column, eager, restore
from sessionwise.panel.table import Table

DATA = {"i": [1, 2, 3], "f": [1.5, None, float("nan")], "t": ["a", None, "b"], "b": [True, None, False]}


def duck(data):
    frame = pa.table(data)
    return duckdb.connect().from_arrow(frame)


MAKERS = {
    "pandas": pd.DataFrame,
    "pandas nullable": lambda d: pd.DataFrame(d).convert_dtypes(),
    "pandas arrow": lambda d: pd.DataFrame(d).convert_dtypes(dtype_backend="pyarrow"),
    "polars": lambda d: pl.DataFrame(d, strict=False),
    "lazy": lambda d: pl.LazyFrame(d, strict=False),
    "pyarrow": pa.table,
    "duckdb": duck,
    "table": lambda d: Table(pl.DataFrame(d, strict=False)),
}
makers = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS.keys())


@makers
def test_missing_means_null_whatever_it_was(make):
    frame, _, _ = eager(make(DATA))
    assert column(frame, "i").to_list() == [1, 2, 3]
    assert column(frame, "f").to_list() == [1.5, None, None]
    assert column(frame, "t").to_list() == ["a", None, "b"]
    assert column(frame, "b").cast(pl.Int8).to_list() == [1, None, 0]


@makers
def test_the_same_kind_comes_out(make):
    data = make(DATA)
    frame, _, lazy = eager(data)
    out = restore(attach(frame, {"z": np.array([1.0, np.nan, 3.0])}), lazy)
    expected = pl.DataFrame if isinstance(data, Table) else type(data)
    assert type(out) is expected
    assert column(eager(out)[0], "z").to_list() == [1.0, None, 3.0]


def test_dates_and_categories_of_pandas():
    frame = pd.DataFrame(
        {
            "d": pd.to_datetime(["2020-01-02", None]),
            "c": pd.Categorical(["b", None], categories=["b", "a"], ordered=True),
        }
    )
    got, _, _ = eager(frame)
    assert column(got, "d").cast(pl.Date).to_list() == [dt.date(2020, 1, 2), None]
    assert column(got, "c").dtype == pl.Enum(["b", "a"])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2.5, None], [1.0, 2.5, None]),
        ([1, "a", None], ["1", "a", None]),
        ([1, 2, None], [1, 2, None]),
        ([True, None, False], [True, None, False]),
        ([2**70, 1, None], [float(2**70), 1.0, None]),
    ],
)
def test_object_columns_of_pandas(values, expected):
    frame, _, _ = eager(pd.DataFrame({"x": pd.Series(values, dtype=object)}))
    assert column(frame, "x").to_list() == expected


@pytest.mark.parametrize("thing", [[1, 2], None, "file.csv", {"a": [1]}, pl.Series([1])])
def test_not_a_dataframe(thing):
    with pytest.raises(PanelError, match="is not a table") as caught:
        eager(thing)
    assert "sessionwise.read" in caught.value.remedy


def test_columns_of_one_name():
    with pytest.raises(PanelError, match="several columns of one name") as caught:
        eager(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    assert "a, a" in caught.value.where
    assert caught.value.remedy


@pytest.mark.parametrize("wrap", [lambda d: d, Table], ids=["polars", "table"])
def test_changing_a_polars_frame_afterwards_changes_nothing(wrap):
    data = pl.DataFrame({"x": [1, 2]})
    frame, _, _ = eager(wrap(data))
    data.drop_in_place("x")
    assert column(frame, "x").to_list() == [1, 2]


def test_changing_pandas_in_or_out_changes_nothing():
    data = pd.DataFrame({"x": [1, 2]})
    frame, _, _ = eager(data)
    data.loc[0, "x"] = 99
    out = restore(frame, None)
    out.loc[0, "x"] = 99
    assert column(frame, "x").to_list() == [1, 2]


def test_attach_goes_by_position_not_by_the_index_of_pandas():
    frame, _, _ = eager(pd.DataFrame({"x": [1, 2, 3]}, index=[7, 5, 7]))
    out = attach(frame, {"z": np.array([1.0, 2.0, 3.0])}).to_native()
    assert out["z"].tolist() == [1.0, 2.0, 3.0]
    assert out.index.tolist() == [7, 5, 7]


def test_attach_nothing_is_nothing():
    frame = nw.from_native(pl.DataFrame({"x": [1]}), eager_only=True)
    assert attach(frame, {}) is frame


def test_origin_of_a_table_is_kept():
    _, origin, lazy = eager(Table(pl.DataFrame({"x": [1, 2]}), source="s.csv", row_word="line"))
    assert origin.say([1]) == "s.csv, line 3"
    assert lazy is None


WITHOUT_PYARROW = """
import sys
from importlib.machinery import PathFinder
find = PathFinder.find_spec
def find_but_pyarrow(name, path=None, target=None):
    return None if name.split(".")[0] == "pyarrow" else find(name, path, target)
PathFinder.find_spec = find_but_pyarrow
import numpy as np, pandas as pd
from sessionwise.panel import Panel
from sessionwise.checks import check
frame = pd.DataFrame({"p": ["b", "a", "b"], "s": [2, 1, 1], "x": [1.0, None, 3.0], "n": [1, None, 2],
                      "c": pd.Categorical(["u", None, "v"]), "d": pd.to_datetime(["2020-01-08", None, "2020-01-01"])})
frame["i"] = frame["n"].astype("Int64")
panel = Panel(frame, person="p", session="s", cluster="c", time="d").with_columns({"z": np.arange(3.0)})
assert panel.persons.tolist() == ["a", "b"], panel.persons
assert np.array_equal(panel["x"], [np.nan, 3.0, 1.0], equal_nan=True)
assert np.array_equal(panel["i"], [np.nan, 2.0, 1.0], equal_nan=True)
assert panel.labels("c").codes.tolist() == [-1, 1, 0]
assert panel.to_frame()["z"].tolist() == [0.0, 1.0, 2.0]
assert len(check(panel)) > 0 and panel == panel.subset(["a", "b"])
assert "pyarrow" not in sys.modules
print("done")
"""


def test_pandas_works_without_pyarrow():
    run = subprocess.run([sys.executable, "-c", WITHOUT_PYARROW], capture_output=True, text=True, check=False)
    assert run.stdout == "done\n", run.stderr
