"""Panel: any dataframe in, sorted integer structure, the same kind out."""

import datetime as dt
import pickle

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
from sessionwise.panel.table import Table

DATA = {
    "p": ["b", "a", "b", "a", "c"],
    "s": [2, 1, 1, 3, 1],
    "t": ["T1", "T2", None, "T2", "T3"],
    "d": [dt.date(2020, 1, 9), dt.date(2020, 1, 1), dt.date(2020, 1, 2), None, dt.date(2020, 5, 1)],
    "x": [1.5, None, 3.0, 4.0, 5.0],
    "n": [1, 2, 3, 4, None],
}
ROLES = {"person": "p", "session": "s", "cluster": "t", "time": "d"}
MAKERS = {
    "pandas": lambda d: pd.DataFrame(d, index=[3, 3, 1, 0, 9][: len(d["p"])]),
    "pandas nullable": lambda d: pd.DataFrame(d).convert_dtypes(),
    "pandas arrow": lambda d: pd.DataFrame(d).convert_dtypes(dtype_backend="pyarrow"),
    "polars": pl.DataFrame,
    "lazy": pl.LazyFrame,
    "pyarrow": pa.table,
    "duckdb": lambda d: duckdb.connect().from_arrow(pa.table(d)),
    "table": lambda d: Table(pl.DataFrame(d)),
}
makers = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS.keys())


def panel(**more):
    return Panel(pl.DataFrame(DATA | more), **ROLES)


@makers
def test_structure_is_the_same_whatever_came_in(make):
    p = Panel(make(DATA), **ROLES)
    assert p.persons.tolist() == ["a", "b", "c"]
    assert p.starts.tolist() == [0, 2, 4, 5]
    assert p.sessions.tolist() == [1, 3, 1, 2, 1]
    assert p.codes.tolist() == [0, 0, 1, 1, 2]
    assert p.sessions_per_person.tolist() == [2, 2, 1]
    assert p.clusters.tolist() == ["T1", "T2", "T3"]
    assert p.cluster_codes.tolist() == [1, 1, -1, 0, 2]
    np.testing.assert_array_equal(p.times, [18262, np.nan, 18263, 18270, 18383])
    np.testing.assert_array_equal(p["x"], [np.nan, 4, 3, 1.5, 5])
    np.testing.assert_array_equal(p["n"], [2, 4, 3, 1, np.nan])
    assert (len(p), p.n_persons, p.columns) == (5, 3, tuple(DATA))
    assert p == panel()


@makers
def test_the_same_kind_with_its_types_comes_out(make):
    data = make(DATA)
    out = Panel(data, **ROLES).with_columns({"z": np.array([1, np.nan, 3, 4, 5])}).to_frame()
    if isinstance(data, Table):
        assert type(out) is pl.DataFrame
        assert out.schema == data.frame.schema | {"z": pl.Float64}
        return
    assert type(out) is type(data)
    if isinstance(data, pd.DataFrame):
        assert out.dtypes[list(DATA)].to_dict() == data.dtypes.to_dict()
        assert out["s"].tolist() == [1, 3, 1, 2, 1]
    if isinstance(data, pl.DataFrame):
        assert out.schema == data.schema | {"z": pl.Float64}
        assert out["z"].to_list() == [1, None, 3, 4, 5]
    if isinstance(data, pa.Table):
        assert out.schema.names == [*DATA, "z"]
        assert out.schema.field("d").type == pa.date32()
    assert Panel(out, **ROLES)["z"][0] == 1


@makers
def test_pickling(make):
    p = Panel(make(DATA), **ROLES).with_columns({"z": np.arange(5.0)}, [Finding("note", "n", "A note.")])
    back = pickle.loads(pickle.dumps(p))
    assert back == p
    assert back.findings == p.findings
    assert type(back.to_frame()) is type(p.to_frame())
    for array in (back["z"], back.persons, back.sessions, back.starts):
        assert not array.flags.writeable


def test_numbers_of_other_types():
    frame = pl.DataFrame({"p": [1, 1], "s": [1, 2], "b": [True, None], "e": [None, None]})
    frame = frame.with_columns(dec=pl.Series(["1.5", "2"]).cast(pl.Decimal(5, 2)))
    p = Panel(frame, person="p", session="s")
    np.testing.assert_array_equal(p["b"], [1, np.nan])
    np.testing.assert_array_equal(p["e"], [np.nan, np.nan])
    np.testing.assert_array_equal(p["dec"], [1.5, 2])
    assert p.is_numeric("b")
    assert not panel().is_numeric("t")
    assert not panel().is_numeric("d")


@pytest.mark.parametrize(("values", "numeric"), [([1, 2.5], True), ([1, "a"], False), ([None, 2], True)])
def test_is_numeric_agrees_with_getitem_for_objects(values, numeric):
    frame = pd.DataFrame({"p": [1, 1], "s": [1, 2], "x": pd.Series(values, dtype=object)})
    p = Panel(frame, person="p", session="s")
    assert p.is_numeric("x") is numeric
    if numeric:
        assert p["x"].dtype == np.float64
    else:
        with pytest.raises(PanelError, match="holds text"):
            p["x"]


@pytest.mark.parametrize("sort", [True, False])
def test_arrays_are_read_only(sort):
    frame = pl.DataFrame(DATA)
    p = Panel(frame.sort("p", "s") if sort else frame, **ROLES).with_columns({"z": np.arange(5.0)})
    arrays = [p.persons, p.starts, p.sessions, p.clusters, p.cluster_codes, p.times, p["x"], p["n"], p["z"]]
    arrays += [p.labels("t").codes, p.labels("t").levels]
    for array in [*arrays, p.subset(["a"]).clusters, p.subset(["a"])["z"]]:
        with pytest.raises(ValueError, match="read-only"):
            array[0] = array[0]


def test_a_panel_is_read_only():
    with pytest.raises(AttributeError, match="read-only"):
        panel().roles = None
    with pytest.raises(TypeError, match="unhashable"):
        hash(panel())


def test_changing_the_dataframe_changes_nothing():
    frame = pd.DataFrame({"p": [1, 1], "s": [1, 2], "x": [1.0, 2.0]})
    p = Panel(frame, person="p", session="s")
    frame.loc[0, "x"] = 99
    out = p.to_frame()
    out.loc[0, "x"] = 99
    assert p["x"].tolist() == [1, 2]


def test_labels_in_category_order():
    frame = pd.DataFrame({"p": [1, 1, 2], "s": [2, 1, 1], "c": pd.Categorical(["hi", "lo", None], ["lo", "mid", "hi"])})
    labels = Panel(frame, person="p", session="s").labels("c")
    assert labels.levels.tolist() == ["lo", "hi"]  # in the categories' order, only those in use
    assert labels.codes.tolist() == [0, 1, -1]
    plain = panel().labels("t")
    assert (plain.levels.tolist(), plain.codes.tolist()) == (["T1", "T2", "T3"], [1, 1, -1, 0, 2])


def test_labels_and_series_of_added_columns():
    p = panel().with_columns({"z": np.array([2, np.nan, 1, 1, 2])})
    assert p.labels("z").levels.tolist() == [1, 2]
    assert p.labels("z").codes.tolist() == [1, -1, 0, 0, 1]
    assert p.series("z").to_list() == [2, None, 1, 1, 2]
    assert p.series("t").to_list() == ["T2", "T2", None, "T1", "T3"]


def test_equality_does_not_look_at_kind_or_row_order():
    p = panel()
    assert p == Panel(pd.DataFrame(DATA).iloc[::-1], **ROLES)
    assert p != Panel(pl.DataFrame(DATA), person="p", session="s")
    assert p != panel(x=[1.5, None, 3.0, 4.0, 6.0])
    assert p != panel(t=["T1", "T2", None, "T2", "T4"])
    assert p != p.subset(["a"])
    assert p != p.with_columns({"z": np.zeros(5)})
    assert p != "a panel"


def test_with_columns():
    p = panel()
    more = p.with_columns({"x": np.arange(5), "z": np.ones(5)}, [Finding("note", "n", "A note.")], ["record"])
    assert more.columns == (*DATA, "z")
    assert more["x"].tolist() == [0, 1, 2, 3, 4]
    assert more.to_frame()["x"].to_list() == [0, 1, 2, 3, 4]
    assert [f.code for f in more.findings] == ["n"]
    assert more.records == ("record",)
    assert "z" in more
    assert "z" not in p
    assert p.records == ()


def test_with_columns_copies_what_can_change():
    values = np.zeros(5)
    p = panel().with_columns({"z": values})
    values[0] = 9
    assert p["z"][0] == 0


def test_subset_by_label_and_by_mask():
    p = panel().with_columns({"z": np.arange(5.0)})
    expected = Panel(p.to_frame().filter(pl.col("p").is_in(["a", "c"])), **ROLES)
    for wanted in (["a", "c"], ["c", "a", "a"], np.array([True, False, True]), [True, False, True], ("a", "c")):
        small = p.subset(wanted)
        assert small == expected
        assert small.persons.tolist() == ["a", "c"]
        assert small.starts.tolist() == [0, 2, 3]
        assert small.clusters.tolist() == ["T2", "T3"]
        assert small.cluster_codes.tolist() == expected.cluster_codes.tolist()
        np.testing.assert_array_equal(small.times, expected.times)
    assert len(p.subset([])) == 0
    assert "0 persons" in repr(p.subset([]))
    assert p.subset([])._repr_html_()


def test_a_panel_from_a_panel():
    note = Finding("note", "n", "A note.")
    p = Panel(Table(pl.DataFrame(DATA), "f.csv", Findings([note])), **ROLES).with_columns({"z": np.arange(5.0)})
    again = Panel(p, person="p", session="s")
    assert again["z"].tolist() == p["z"].tolist()
    assert again.findings == p.findings


def test_where_is_in_the_words_of_the_user():
    p = Panel(Table(pl.DataFrame(DATA), "f.csv", row_word="line"), **ROLES)
    assert p.where([0]) == "p a, s 1 (f.csv, line 3)"
    assert p.where([2, 4]) == "p b, s 1 (f.csv, line 4); p c, s 1 (f.csv, line 6)"
    assert p.where(range(5), most=1) == "p a, s 1 (f.csv, line 3) and 4 more"
    assert p.subset(["c"]).where([0]) == "p c, s 1 (f.csv, line 6)"
    assert panel().where([0]) == "p a, s 1 (row 1 (counted from 0))"


def test_it_prints_itself():
    text = repr(panel())
    assert "3 persons, 5 sessions (1 to 2 each, median 2), 3 clusters, 6 columns" in text
    assert "cluster='t'" in text
    page = panel(t=["<b>", "T2", None, "T2", "T3"])._repr_html_()
    assert "&lt;b&gt;" in page
    long = Panel(pl.DataFrame({"p": [1] * 12, "s": range(12)}), person="p", session="s")
    assert long._repr_html_().count("<tr>") == 11
    assert "first 10 of 12 rows" in long._repr_html_()


def mostly_numbers():
    cells = ["1", "2", "3", "4", "n.a."]
    return Panel(Table(pl.DataFrame(DATA | {"m": cells}), "f.csv", row_word="line"), **ROLES)


@pytest.mark.parametrize(
    ("act", "what", "where", "remedy"),
    [
        (lambda: panel()["y"], "no column 'y'", "p, s, t", "Use one"),
        (lambda: panel().labels("pp"), "no column 'pp'", "columns", "Use one"),
        (lambda: panel().series("y"), "no column 'y'", "columns", "Use one"),
        (lambda: panel().is_numeric("y"), "no column 'y'", "columns", "Use one"),
        (lambda: panel()["t"], "holds text", "'t'", "labels('t')"),
        (lambda: panel()["d"], "holds dates", "'d'", "labels('d')"),
        (lambda: mostly_numbers()["m"], "holds text", "'n.a.' in f.csv, line 6", "declare them missing"),
        (lambda: panel().with_columns({"s": np.zeros(5)}), "has a role", "", "new Panel"),
        (lambda: panel().with_columns({"z": np.zeros(4)}), "shape (4,)", "", "each row"),
        (lambda: panel().with_columns({"z": np.zeros((5, 1))}), "shape (5, 1)", "", "each row"),
        (lambda: panel().subset(["a", "x"]), "1 of the persons", "", "panel.persons"),
        (lambda: panel().subset(np.array([True])), "shape (1,)", "", "each of panel.persons"),
        (lambda: Panel(pl.DataFrame(DATA), person="q", session="s"), "no column 'q'", "p, s, t", "holds the person"),
        (lambda: Panel(pl.DataFrame(DATA), person="p", session="p"), "2 roles", "p, s, t", "of its own"),
        (lambda: Panel([1], person="p", session="s"), "a list is not a table", "", "sessionwise.read"),
        (lambda: Panel(pl.DataFrame(DATA), person="s", session="n"), "is empty in 1 row", "row 4", "delete"),
        (lambda: Panel(pl.DataFrame(DATA).clear(), **ROLES), "no rows", "", "Check the file"),
    ],
)
def test_every_error_says_what_where_and_the_remedy(act, what, where, remedy):
    with pytest.raises(PanelError) as caught:
        act()
    assert what in caught.value.what
    assert where in caught.value.where
    assert remedy in caught.value.remedy


def test_several_errors_are_counted():
    frame = pl.DataFrame({"p": [None, 1], "s": [1.5, 2.0]})
    with pytest.raises(PanelError, match="and 1 more error; see check"):
        Panel(frame, person="p", session="s")


def test_persons_of_mixed_types_are_text():
    p = Panel(pd.DataFrame({"p": [10, "a", 2.5], "s": [1, 1, 1]}), person="p", session="s")
    assert p.persons.tolist() == ["10", "2.5", "a"]


# --- what holds for any panel ---------------------------------------------------------------------

keys = st.lists(st.tuples(st.integers(0, 5), st.integers(-3, 30)), min_size=1, max_size=30, unique=True)


def made(rows, label=lambda p: p):
    columns = {
        "p": [label(p) for p, _ in rows],
        "s": [s for _, s in rows],
        "t": [f"T{p % 3}" if s % 5 else None for p, s in rows],
        "d": [float(100 * p + s) for p, s in rows],
        "x": [p * s / 7 if s % 3 else None for p, s in rows],
    }
    return Panel(pl.DataFrame(columns, strict=False), **ROLES)


def parts(p):
    return [
        a.tolist() for a in (p.starts, p.sessions, p.cluster_codes, p.clusters, p.times, np.nan_to_num(p["x"], nan=-99))
    ]


@given(keys, st.randoms())
def test_row_order_does_not_matter(rows, random):
    a, b = made(rows), made(random.sample(rows, len(rows)))
    assert a == b
    assert parts(a) == parts(b)
    assert a.persons.tolist() == b.persons.tolist()


@given(keys)
def test_relabelling_persons_in_order_leaves_all_else(rows):
    a, b = made(rows), made(rows, lambda p: f"person {p:03d}")
    assert parts(a) == parts(b)
    assert [f"person {p:03d}" for p in a.persons] == b.persons.tolist()


@given(keys)
def test_subset_of_all_is_the_panel(rows):
    p = made(rows)
    assert p.subset(p.persons) == p
    assert parts(p.subset(np.ones(p.n_persons, bool))) == parts(p)


@given(keys, st.data())
def test_subsets_agree_with_a_panel_of_those_rows(rows, data):
    p = made(rows)
    chosen = data.draw(st.sets(st.sampled_from(p.persons.tolist()), min_size=1))
    rest = [q for q in p.persons.tolist() if q not in chosen]
    small = p.subset(chosen)
    fresh = made([r for r in rows if r[0] in chosen])
    assert small == fresh
    assert parts(small) == parts(fresh)
    assert len(small) + len(p.subset(rest)) == len(p)
    if rest:
        union = pl.concat([small.to_frame(), p.subset(rest).to_frame()])
        assert Panel(union, **ROLES) == p
    assert small.subset(chosen) == small


@given(keys)
def test_out_and_in_again(rows):
    p = made(rows)
    assert Panel(p.to_frame(), **ROLES) == p
    assert pickle.loads(pickle.dumps(p)) == p
