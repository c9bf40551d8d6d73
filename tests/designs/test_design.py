"""Panel and formula to columns, against hand-computed tables, a slow reference and formulaic's own matrices."""

from __future__ import annotations

import math
import pickle
import re

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sessionwise as sw
from sessionwise.designs import design
from sessionwise.designs.rank import aliases
from sessionwise.errors import DesignError, FormulaError

NAN = math.nan


def panel_of(columns, **roles):
    return sw.Panel(pl.DataFrame(columns, strict=False), person="p", session="s", **roles)


def made(panel, expression):
    """Values of an expression over all rows, NaN where rows were dropped."""
    d = design(
        panel.with_columns({"y_": np.arange(len(panel)) % 3 + np.arange(len(panel)) * 0.1}), f"y_ ~ {expression}"
    )
    out = np.full(len(panel), NAN)
    out[d.rows] = d.columns[expression] if expression in d.names else _aliased(d, expression)
    return out


def _aliased(d, expression):
    raise AssertionError(f"{expression} is not among {d.names}: {d.findings}")


# 3 persons: 'a' skips session 3, x missing once; 'b' has two sessions; 'c' one
TABLE = {
    "p": ["a", "a", "a", "a", "b", "b", "c"],
    "s": [1, 2, 4, 5, 2, 3, 1],
    "x": [1.0, 4.0, None, 7.0, 2.0, 6.0, 5.0],
    "y": [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0],
    "g": ["u", "v", "u", None, "v", "w", "w"],
    "t": ["T1", "T1", "T2", "T2", "T2", "T2", None],
}
BY_HAND = {
    "within(x)": [-3, 0, NAN, 3, -2, 2, 0],
    "between(x)": [4, 4, 4, 4, 4, 4, 5],
    "lag(x)": [NAN, 1, NAN, NAN, NAN, 2, NAN],
    "lag(y)": [NAN, 3, NAN, 4, NAN, 5, NAN],
    "lead(y)": [1, NAN, 1, NAN, 9, NAN, NAN],
    "lag(y, k=2)": [NAN, NAN, 1, NAN, NAN, NAN, NAN],
    "lag(y, k=3)": [NAN, NAN, 3, 1, NAN, NAN, NAN],
    'lag(y, by="row")': [NAN, 3, 1, 4, NAN, 5, NAN],
    'lag(y, k=2, by="row")': [NAN, NAN, 3, 1, NAN, NAN, NAN],
    "lead(y, k=2)": [NAN, 4, NAN, NAN, NAN, NAN, NAN],
    "lag(within(x))": [NAN, -3, NAN, NAN, NAN, -2, NAN],
    "within(lag(y))": [NAN, -0.5, NAN, 0.5, NAN, 0, NAN],
    "I(x^2 + 1)": [2, 17, NAN, 50, 5, 37, 26],
    'I(g == "u")': [1, 0, 1, NAN, 0, 0, 0],
    "I(x^0)": [1, 1, NAN, 1, 1, 1, 1],
    "I(x >= 4)": [0, 1, NAN, 1, 0, 1, 1],
}


@pytest.mark.parametrize(("expression", "values"), BY_HAND.items())
def test_by_hand(expression, values):
    panel = panel_of(TABLE)
    from sessionwise.designs.values import Source, value
    from sessionwise.formula import parse_formula

    (variable,) = parse_formula(f"z ~ 0 + {expression}").variables[1:]
    np.testing.assert_allclose(value(variable, Source(panel)), values)


def test_detrend_by_hand():
    s, x = np.array([1.0, 2, 4]), np.array([0.0, 2, 1])
    line = np.polyfit(s, x, 1)
    panel = panel_of({"p": [1, 1, 1, 1, 2, 2, 3], "s": [1, 2, 3, 4, 1, 2, 1], "x": [0.0, 2, None, 1, 1, 2, 3]})
    got = made(panel, "detrend(x)")
    np.testing.assert_allclose(got[[0, 1, 3]], x - np.polyval(line, s))
    assert np.isnan(got[[2, 4, 5, 6]]).all()


def test_every_drop_is_counted_under_its_first_cause():
    rows = 30
    more = {
        "p": TABLE["p"] + ["d"] * rows,
        "s": TABLE["s"] + list(range(1, rows + 1)),
        "x": TABLE["x"] + [float(i * i % 7) for i in range(rows)],
        "y": [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, None] + [float(i % 5) for i in range(rows)],
        "g": TABLE["g"] + ["u", "v"] * (rows // 2),
        "t": TABLE["t"] + ["T1", "T2", None] * (rows // 3),
    }
    panel = panel_of(more)
    d = design(panel, "y ~ lag(x) + I(g == 'u') + (1 | t)")
    told = {r.code: r.rows.tolist() for r in d.dropped}
    assert told == {
        "response-missing": [6],
        "no-previous": [0, 4, 7],
        "previous-skipped": [2],
        "previous-missing": [3],
        "group-missing": [9, 12, 15, 18, 21, 24, 27, 30, 33, 36],
    }
    assert {r.code: r.what for r in d.dropped}["previous-missing"] == "x is missing at the previous session"
    assert d.lost.tolist() == ["c"]
    assert d.persons.tolist() == ["a", "b", "d"]
    assert d.starts.tolist() == [0, 1, 2, len(d.rows)]
    assert d.sessions.tolist() == panel.sessions[d.rows].tolist()
    codes = {f.code: f.count for f in d.findings}
    assert codes["dropped-group-missing"] == 10
    assert codes["persons-lost"] == 1
    assert d.n_rows_given == len(panel)


@pytest.mark.parametrize(
    ("expression", "codes"),
    {
        "within(x)": ["", "", "missing", ""],
        "between(x)": ["", "", "", ""],
        "between(n)": ["never-observed"] * 4,
        "lead(x)": ["", "next-skipped", "", "no-next"],
        "lag(x)": ["no-previous", "", "previous-skipped", "previous-missing"],
        "lag(x, k=2)": ["no-previous", "no-previous", "", "previous-skipped"],
        "detrend(n)": ["missing"] * 4,
        "detrend(m)": ["too-few-to-detrend", "too-few-to-detrend", "missing", "missing"],
        "log(z)": ["not-defined", "", "", ""],
        "lag(log(z))": ["no-previous", "not-defined", "previous-skipped", ""],
        "I(m + x)": ["", "", "missing", "missing"],
        "lag(lag(x))": ["no-previous", "no-previous", "previous-skipped", "previous-skipped"],
    }.items(),
)
def test_reasons(expression, codes):
    """One person with sessions 1, 2, 4, 5; another, complete, keeps the model going."""
    columns = {
        "p": [1] * 4 + [2] * 20,
        "s": [1, 2, 4, 5, *range(1, 21)],
        "x": [1.0, 2.0, None, 3.0] + [float(i * 7 % 11) for i in range(20)],
        "n": [None] * 4 + [float(i * 7 % 11) for i in range(20)],
        "m": [1.0, 2.0, None, None] + [float(i * 7 % 11) for i in range(20)],
        "z": [-1.0, 1.0, 2.0, 3.0] + [float(i * 7 % 11 + 1) for i in range(20)],
        "y": [float(i * 5 % 13) for i in range(24)],
    }
    d = design(panel_of(columns), f"y ~ {expression}")
    said = [""] * 24
    for r in d.dropped:
        for row in r.rows:
            said[row] = r.code
    assert said[:4] == codes


# --- against a slow reference --------------------------------------------------------------------

cells = st.one_of(st.none(), st.integers(-50, 50).map(float), st.floats(-1e3, 1e3).map(lambda v: round(v, 3)))


@st.composite
def tables(draw):
    """Rows (p, s, x) of up to 5 persons with gaps, in any order."""
    rows = []
    for p in range(draw(st.integers(1, 5))):
        sessions = draw(st.lists(st.integers(-2, 9), min_size=1, max_size=8, unique=True))
        rows += [(f"p{p}", s, draw(cells)) for s in sessions]
    return draw(st.permutations(rows))


def reference(rows, kind, k=1, by="session"):
    """(p, s) -> value, in plain Python."""
    persons = {}
    for p, s, x in rows:
        persons.setdefault(p, {})[s] = NAN if x is None else x
    out = {}
    for p, series in persons.items():
        observed = {s: x for s, x in series.items() if x == x}
        order = sorted(series)
        mean = sum(observed.values()) / len(observed) if observed else NAN
        for s, x in series.items():
            if kind in ("lag", "lead"):
                step = k if kind == "lag" else -k
                if by == "session":
                    v = series.get(s - step, NAN)
                else:
                    i = order.index(s) - step
                    v = series[order[i]] if 0 <= i < len(order) else NAN
            elif kind == "detrend":
                v = NAN
                if len(observed) >= 3:
                    m = sum(observed) / len(observed)
                    slope = sum((u - m) * (w - mean) for u, w in observed.items())
                    slope /= sum((u - m) ** 2 for u in observed)
                    v = x - mean - slope * (s - m)
            else:
                v = x - mean if kind == "within" else mean
            out[p, s] = v
    return [(p, s, None if v != v else v) for (p, s), v in out.items()]


def evaluated(rows, expression):
    from sessionwise.designs.values import Source, value
    from sessionwise.formula import parse_formula

    p, s, x = zip(*rows, strict=True)
    panel = panel_of({"p": p, "s": s, "x": pl.Series(x, dtype=pl.Float64)})
    (variable,) = parse_formula(f"y ~ 0 + {expression}").variables[1:]
    got = value(variable, Source(panel))
    return {(panel.persons[c], n): v for c, n, v in zip(panel.codes, panel.sessions.tolist(), got, strict=True)}


NESTED = {
    "within(x)": [("within",)],
    "between(x)": [("between",)],
    "detrend(x)": [("detrend",)],
    "lag(x)": [("lag",)],
    "lead(x)": [("lead",)],
    "lag(x, k=3)": [("lag", 3)],
    "lead(x, k=2)": [("lead", 2)],
    'lag(x, by="row")': [("lag", 1, "row")],
    'lead(x, k=2, by="row")': [("lead", 2, "row")],
    "lag(within(x))": [("within",), ("lag",)],
    "within(lag(x))": [("lag",), ("within",)],
    "lag(detrend(x))": [("detrend",), ("lag",)],
    "detrend(lag(x, k=2))": [("lag", 2), ("detrend",)],
    "lag(lead(x), k=2)": [("lead",), ("lag", 2)],
    "between(lag(within(x)))": [("within",), ("lag",), ("between",)],
}


@pytest.mark.parametrize("expression", NESTED)
@settings(max_examples=60)
@given(rows=tables())
def test_as_the_slow_reference(expression, rows):
    want = rows
    for step in NESTED[expression]:
        want = reference(want, *step)
    got = evaluated(rows, expression)
    assert len(got) == len(want)
    for p, s, v in want:
        assert got[p, s] == pytest.approx(NAN if v is None else v, abs=1e-8, nan_ok=True)


@settings(max_examples=60)
@given(rows=tables(), shift=st.integers(-100, 100))
def test_invariants(rows, shift):
    def moved(by):
        return [(p, s, None if x is None else x + by) for p, s, x in rows]

    for expression, change in {"within(x)": 0, "between(x)": shift, "detrend(x)": 0, "lag(x)": shift}.items():
        before, after = evaluated(rows, expression), evaluated(moved(shift), expression)
        for key, v in before.items():
            assert after[key] == pytest.approx(v + change, abs=1e-8, nan_ok=True)
        renamed = evaluated([("z" + p[::-1], s, x) for p, s, x in rows], expression)
        assert {("z" + p[::-1], s): v for (p, s), v in before.items()} == pytest.approx(renamed, nan_ok=True)
        assert evaluated(sorted(rows), expression) == pytest.approx(before, nan_ok=True, abs=1e-9)
        first = rows[0][0]
        apart = [[r for r in rows if (r[0] == first) is here] for here in (True, False)]
        stacked = {k: v for part in apart if part for k, v in evaluated(part, expression).items()}
        assert stacked == pytest.approx(before, nan_ok=True, abs=1e-9)


@settings(max_examples=80)
@given(rows=tables(), missing_y=st.sets(st.integers(0, 40)))
def test_every_row_is_counted_once(rows, missing_y):
    """Beside persons of whom enough is there for a model."""
    whole = [(f"q{i}", s, 1.0 + (7 * i + s * s) % 11) for i in range(6) for s in range(1, 9)]
    p, s, x = zip(*rows, *whole, strict=True)
    x = [None if v == 0 else v for v in x]  # which has no logarithm; that of a negative number is missing
    y = [None if i in missing_y else float(i * i % 17) for i in range(len(p))]
    t = [None if i % 7 == 3 else f"t{i % 3}" for i in range(len(p))]
    panel = panel_of({"p": p, "s": s, "x": pl.Series(x, dtype=pl.Float64), "y": pl.Series(y, dtype=pl.Float64), "t": t})
    d = design(panel, "y ~ lag(x) + detrend(x) + lead(within(x), k=2) + log(x) + (1 | t)")
    every = np.concatenate([d.rows, *(r.rows for r in d.dropped)])
    assert sorted(every.tolist()) == list(range(len(panel)))
    assert sorted([*d.persons.tolist(), *d.lost.tolist()]) == panel.persons.tolist()
    assert sum(f.count for f in d.findings if f.code.startswith("dropped-")) + len(d.rows) == len(panel)


# --- columns ------------------------------------------------------------------------------------

N = 240


@pytest.fixture(scope="module")
def study():
    rng = np.random.default_rng(7)
    return panel_of(
        {
            "p": np.repeat(np.arange(40), 6),
            "s": np.tile(np.arange(1, 7), 40),
            "y": rng.normal(size=N),
            "x": rng.normal(size=N),
            "z": rng.normal(50, 10, N),
            "a": pl.Series(rng.choice(["u", "v", "w"], N)),
            "b": pl.Series(rng.choice(["lo", "hi"], N), dtype=pl.Enum(["lo", "hi"])),
            "pd": np.repeat(rng.integers(0, 2, 40), 6),
            "t": np.repeat(rng.integers(0, 5, 40), 6),
        }
    )


AS_FORMULAIC = [
    "x + a",
    "a*b",
    "x*a + z",
    "a:x + x",
    "0 + a + b",
    "0 + x + a",
    "C(pd)*x",
    "C(a, contr.sum)*b",
    "C(a, contr.helmert)",
    "C(a, contr.diff)",
    "C(a, contr.poly)",
    'C(a, contr.treatment("v"))',
    'C(a, levels=["w", "u", "v"])',
    "bs(x, df=5)*b",
    "cr(z, df=4, constraints='center')",
    "poly(z, 3)",
    "scale(z) + center(x) + scale(z):b",
    "I(x**2) + log(z)",
    "a*x*b",
    "(x + z)**2",
    "a/x",
]


@pytest.mark.parametrize("right", AS_FORMULAIC)
def test_columns_are_formulaic_s(study, right):
    import formulaic

    want = formulaic.model_matrix(right, study.to_frame().to_pandas())
    d = design(study, f"y ~ {right}")
    got = d.matrix[:, list(d.fixed)]
    assert got.shape == want.shape
    plain = [re.sub(r"[ '\"]", "", n) for n in want.columns]
    names = [re.sub(r"[ '\"]", "", d.names[j]) for j in d.fixed]
    plain = [n.replace("**", "^").replace("Intercept", "(Intercept)").replace("base=", "") for n in plain]
    assert sorted(names) == sorted(plain)
    for name, column in zip(names, got.T, strict=True):
        np.testing.assert_allclose(column, want.iloc[:, plain.index(name)].astype(float), atol=1e-12, err_msg=name)


def test_category_order(study):
    d = design(study, "y ~ b + a + x:a")
    assert d.names == ("y", "(Intercept)", "b[T.hi]", "a[T.v]", "a[T.w]", "a[u]:x", "a[v]:x", "a[w]:x")
    np.testing.assert_array_equal(d.columns["b[T.hi]"], study.labels("b").codes)
    first = d.matrix[:, d.names.index("a[u]:x")]
    np.testing.assert_array_equal(first, (study.labels("a").codes == 0) * study["x"])
    assert [(t.term, t.columns) for t in d.terms] == [("1", (1,)), ("b", (2,)), ("a", (3, 4)), ("a:x", (5, 6, 7))]


def test_of_two_categories_the_first_is_fastest(study):
    d = design(study, "y ~ a * C(t)")
    assert d.names[-8:-4] == ("a[T.v]:C(t)[T.1]", "a[T.w]:C(t)[T.1]", "a[T.v]:C(t)[T.2]", "a[T.w]:C(t)[T.2]")


def test_random_terms_share_columns(study):
    d = design(study, "y ~ lag(x)*b + (1 + lag(x) | p) + (0 + b + z || t) + (1 | t/b)")
    assert d.names == ("y", "(Intercept)", "lag(x)", "b[T.hi]", "lag(x):b[T.hi]", "b[lo]", "b[hi]", "z")
    assert d.roles == ("response", "fixed+random", "fixed+random", "fixed", "fixed", "random", "random", "random")
    assert [(r.group, r.columns, r.correlated) for r in d.random] == [
        ("p", (1, 2), True),
        ("t", (5, 6, 7), False),
        ("t", (1,), True),
        ("t:b", (1,), True),
    ]
    assert [g.name for g in d.groupings] == ["p", "t", "t:b"]
    assert [g.is_person for g in d.groupings] == [True, False, False]
    assert [g.constant for g in d.groupings] == [True, True, False]
    nested = d.grouping("t:b")
    said = [f"{t}:{b}" for t, b in zip(study.series("t"), study.series("b"), strict=True)]
    assert nested.levels[nested.codes].tolist() == np.array(said)[d.rows].tolist()
    assert d.matrix.flags.f_contiguous
    assert not d.matrix.flags.writeable
    assert d.matrix.dtype == np.float64
    assert {f.code for f in d.findings} >= {"uncorrelated-categories"}


def test_persons_nested_in_clusters_are_persons(study):
    d = design(study, "y ~ x + (1 | t/p)")
    g = d.groupings[0]
    assert (g.name, g.is_person) == ("t:p", True)
    said = [f"{t}:{p}" for t, p in zip(study.series("t"), study.series("p"), strict=True)]
    assert g.levels[g.codes].tolist() == said
    assert g.codes.tolist() == study.codes.tolist()


def test_groupings_of_the_rows_left():
    t = [1, 1, 1, 2, 2, 2, None, None, 1, 1, 1, 1, 2, 3, 2]
    columns = {"p": np.repeat(np.arange(5), 3), "s": np.tile([1, 2, 3], 5), "x": np.arange(15) % 4, "t": t}
    panel = panel_of(columns | {"y": [None, 2.0, 3.0, *range(12)]})
    d = design(panel, "y ~ x + (1 | t) + (1 | p) + (1 | t:p)")
    assert d.rows.tolist() == [1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13, 14]
    assert [(g.name, g.constant, g.is_person) for g in d.groupings] == [
        ("p", True, True),
        ("t", False, False),
        ("t:p", False, False),
    ]
    assert d.grouping("t").levels[d.grouping("t").codes].tolist() == [t[row] for row in d.rows]
    nested = d.grouping("t:p")
    assert nested.levels[nested.codes].tolist() == [f"{t[row]}:{row // 3}" for row in d.rows]
    part = design(panel.subset([0, 1]), "y ~ x + (1 | t:p)").grouping("t:p")
    assert (part.levels.tolist(), part.codes.tolist(), part.is_person) == (["1:0", "2:1"], [0, 0, 1, 1, 1], True)


def test_lag_of_a_category(study):
    d = design(study, "y ~ lag(a)")
    codes = study.labels("a").codes
    assert d.names[2:] == ("lag(a)[T.v]", "lag(a)[T.w]")
    np.testing.assert_array_equal(d.columns["lag(a)[T.v]"], codes[d.rows - 1] == 1)


def test_gram_takes_a_design(study):
    d = design(study, "y ~ x + (1 | p)")
    total = sw.gram(d.columns, d.starts, d.persons).total()
    np.testing.assert_allclose(total, d.matrix.T @ d.matrix)


def test_the_example_of_the_readme():
    panel = sw.Panel(sw.datasets.demo(persons=120), person="patient", session="session", cluster="therapist")
    panel = sw.score(panel, "core-om", "wai-sr")
    text = (
        "core_om ~ lag(core_om) + lag(within(wai_sr)) * pd + between(wai_sr) + session"
        " + (1 + lag(within(wai_sr)) | patient) + (1 | therapist)"
    )
    d = design(panel, text)
    assert d.names[1:] == (
        "(Intercept)",
        "lag(core_om)",
        "lag(within(wai_sr))",
        "pd",
        "between(wai_sr)",
        "session",
        "lag(within(wai_sr)):pd",
    )
    assert d.n_rows_given == len(panel)
    assert {r.code for r in d.dropped} >= {"no-previous", "previous-skipped"}
    again = pickle.loads(pickle.dumps(d))
    assert again.names == d.names
    assert np.array_equal(again.apply(panel, response=True).matrix, d.matrix)
    assert "120 persons" not in repr(d)
    assert f"{len(d.rows):,} of {len(panel):,} rows" in repr(d)


# --- rank ---------------------------------------------------------------------------------------


def test_dependent_columns_are_named_and_left_out(study):
    d = design(study, "y ~ x + z + I(2*x - 3*z + 5) + I(x*0 + 4) + a + I(a == 'v') + (1 | p)")
    assert d.aliased == ("I(2 * x - 3 * z + 5)", "I(x * 0 + 4)", 'I(a == "v")')
    said = {f.where: f.what for f in d.findings if f.code == "rank-deficient"}
    assert "(Intercept), x, z" in said["column I(2 * x - 3 * z + 5)"]
    assert said["column I(x * 0 + 4)"].endswith("combination of (Intercept).")
    assert "combination of a[T.v]" in said['column I(a == "v")']
    assert [t.columns for t in d.terms if t.term == "I(x * 0 + 4)"] == [()]
    assert not set(d.aliased) & set(d.names)
    assert d.apply(study).names == d.names


def test_weights_of_an_alias():
    rng = np.random.default_rng(1)
    x = np.column_stack([np.ones(50), rng.normal(1e6, 1, 50), rng.normal(size=50)])
    x = np.column_stack([x, 3 + 2 * x[:, 1] - 1e-4 * x[:, 2]])
    (alias,) = aliases(x, 0)
    assert (alias.column, alias.of) == (3, (0, 1, 2))
    np.testing.assert_allclose(alias.weights, [3, 2, -1e-4], rtol=1e-4)
    assert not aliases(x[:, [0, 1, 3]], 0)  # without the third the fourth is new
    (alias,) = aliases(x[:, [1, 2, 3]] - [0, 0, 3], None)
    assert alias.of == (0,)  # the other's weight is lost in the first's mean of a million
    np.testing.assert_allclose(alias.weights, [2])
    assert not aliases(x[:, :3], 0)


@pytest.mark.parametrize("n", [300, 20_000])
def test_independent_columns_of_any_size_are_all_kept(n):
    rng = np.random.default_rng(4)
    rare = np.zeros(n)
    rare[-2] = 1
    x = np.column_stack([np.ones(n), rng.normal(2000, 5, n), 1e9 * rng.normal(size=n), rare, np.arange(n) % 8])
    assert aliases(x, 0) == ()
    assert aliases(x[:, 1:], None) == ()
    nearly = x[:, 1] - x[:, 2]
    assert aliases(np.column_stack([x, nearly * (1 + 1e-5 * rng.normal(size=n))]), 0) == ()


@pytest.mark.parametrize("size", [1e-170, 1e-3, 1.0, 1e150])
@pytest.mark.parametrize("noise", [0.0, 1e-10])
def test_a_dependent_column_is_found_among_many_rows(size, noise):
    rng = np.random.default_rng(5)
    x = np.column_stack([np.ones(20_000), size * rng.normal(size=(20_000, 2))])
    x = np.column_stack([x, x[:, 1] + 2 * x[:, 2] + noise * size * rng.normal(size=20_000)])
    assert [(a.column, a.of) for a in aliases(x, 0)] == [(3, (1, 2))]


def test_a_small_variation_around_a_large_mean_is_kept(study):
    d = design(study.with_columns({"w": 1e6 + study["x"] * 1e-2}), "y ~ w + z")
    assert not d.aliased


def test_dependent_columns_stay_for_random_terms(study):
    d = design(study, "y ~ x + I(x*2) + (0 + I(x*2) | p)")
    assert d.aliased == ("I(x * 2)",)
    assert d.roles == ("response", "fixed", "fixed", "random")
    assert d.random[0].columns == (3,)


def test_dependent_random_effects_are_named(study):
    d = design(study, "y ~ x + (1 + z + I(z*2) | t)")
    assert [f.where for f in d.findings if f.code == "random-deficient"] == ["random term (1 + z + I(z * 2) | t)"]


# --- other data ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "right", ["a*x", "scale(z)", "bs(z, df=4)", "poly(x, 2)", "C(a, contr.sum)", "0 + b:a", "cr(z, df=3)", "C(pd):x"]
)
def test_apply_codes_each_person_alike(study, right):
    whole = design(study, f"y ~ {right} + (1 | p)")
    part = study.subset(study.persons[5:9])
    d = whole.apply(part)
    assert d.names == whole.names
    rows = (study.codes >= 5) & (study.codes < 9)
    np.testing.assert_allclose(d.matrix, whole.matrix[rows], rtol=1e-12)
    assert d.persons.tolist() == [5, 6, 7, 8]


def test_apply_without_response(study):
    d = design(study, "y ~ x + (1 | p) + (1 | t)")
    frame = study.to_frame().drop("y", "t").head(12)
    new = d.apply(panel_of(frame))
    assert np.isnan(new.matrix[:, 0]).all()
    assert new.grouping("t").codes.tolist() == [-1] * 12
    assert new.grouping("p").levels.tolist() == [0, 1]
    with pytest.raises(FormulaError, match="no column 'y'"):
        d.apply(panel_of(frame), response=True)


def test_unseen_level(study):
    d = design(study, "y ~ a*x")
    frame = study.to_frame().with_columns(a=pl.Series(["uu"] * 2 + ["v"] * (N - 2)))
    with pytest.raises(DesignError, match=r"a has a value that was not there.*uu\. Did you mean 'u'") as caught:
        d.apply(panel_of(frame))
    assert "column 'a', p 0, s 1" in caught.value.where
    assert "u, v, w" in caught.value.remedy


def test_outside_the_knots(study):
    d = design(study, "y ~ bs(z, df=4)")
    with pytest.raises(DesignError, match="beyond upper and/or lower bounds"):
        d.apply(study.with_columns({"z": study["z"] * 10}))


def test_means_at_prediction(study):
    d = design(study, "y ~ lag(within(x)) + between(x)")
    short = panel_of(study.to_frame().filter(pl.col("s") <= 2))
    own = d.apply(short)
    x = study["x"].reshape(40, 6)
    np.testing.assert_allclose(own.columns["between(x)"], x[:, :2].mean(1))
    kept = d.apply(short, means=d.person_means())
    np.testing.assert_allclose(kept.columns["between(x)"], x.mean(1))
    np.testing.assert_allclose(kept.columns["lag(within(x))"], x[:, 0] - x.mean(1))
    some = d.apply(short, means={"x": {0: 9.0}})
    np.testing.assert_allclose(some.columns["between(x)"], [9.0, *x[1:, :2].mean(1)])
    with pytest.raises(DesignError, match=r"means are given for 'xx'.*Did you mean 'x'"):
        d.apply(short, means={"xx": {}})


# --- what is refused ----------------------------------------------------------------------------

REFUSED = {
    "y ~ xx": (FormulaError, r"no column 'xx'\. Did you mean 'x'\?\n  where:  term xx, character 5"),
    "yy ~ x": (FormulaError, r"no column 'yy'. Did you mean 'y'"),
    "y ~ lag(within(xx)):z": (FormulaError, r"term lag\(within\(xx\)\):z, character 16"),
    "y ~ bs(xx, df=4)": (FormulaError, "no column 'xx'"),
    "y ~ x + (1 | pp)": (FormulaError, r"no grouping factor 'pp'. Did you mean 'p'(.|\n)*\(1 \| pp\), character 14"),
    "y ~ within(a)": (FormulaError, "a holds labels, not numbers"),
    "y ~ scale(a)": (FormulaError, "a holds labels"),
    "y ~ I(a == 'q')": (FormulaError, "a has no value 'q'"),
    "y ~ I(a > 'u')": (FormulaError, "cannot be compared"),
    "y ~ day": (FormulaError, "holds dates"),
    "a ~ x": (FormulaError, "not one column of numbers"),
    "scale(y) ~ x": (FormulaError, "not one column of numbers"),
    "y ~ C(a, contr.treatment('q'))": (FormulaError, "the base 'q' is none of its values"),
    "y ~ C(a, levels=['u', 'v'])": (DesignError, "leave out or repeat values: w"),
    "y ~ bs(x, df=1)": (DesignError, r"bs\(x, df=1\) cannot be made"),
    "y ~ poly(x, degree=2, foo=1)": (DesignError, "cannot be made"),
    "y ~ one_label": (DesignError, "one value only"),
    "k ~ x": (DesignError, r"response k is 3 in every row"),
    "y ~ inf": (DesignError, r"inf is infinite in 2 rows(.|\n)*p 0, s 4 \(row 3 .*p 8, s 3"),
    "inf ~ x": (DesignError, "inf is infinite"),
    "y ~ log(zero)": (DesignError, r"log\(zero\) is infinite"),
    "y ~ huge:huge2": (DesignError, "infinite"),
    "y ~ none": (DesignError, r"no row is left: none is missing \(240 rows\)"),
    "y ~ x + (1 | k)": (DesignError, "one level only: 3"),
    "y ~ x + (1 + x + z + pd + lag(z) + I(x*z) | p)": (DesignError, "6 random effects for each of 40 levels"),
    "y ~ x + (1 | p:s)": (DesignError, "1 random effect for each of 240 levels"),
    "y ~ a*b*C(t)*C(s)*C(pd)": (DesignError, r"fewer rows \(240\) than fixed columns"),
}


@pytest.mark.parametrize(("formula", "error"), REFUSED.items())
def test_refused(study, formula, error):
    import datetime

    inf = study["x"].copy()
    inf[[3, 50]] = np.inf
    frame = study.to_frame().with_columns(
        day=datetime.date(2026, 1, 31), one_label=pl.lit("same"), none=pl.lit(None, dtype=pl.Float64)
    )
    panel = panel_of(frame).with_columns(
        {
            "k": np.full(N, 3.0),
            "inf": inf,
            "zero": np.arange(N) * 1.0,
            "huge": study["x"] * 1e200,
            "huge2": study["z"] * 1e200,
        }
    )
    kind, says = error
    with pytest.raises(kind) as caught:
        design(panel, formula)
    assert re.search(says, str(caught.value)), str(caught.value)
    assert caught.value.remedy


def test_one_session_a_person():
    panel = panel_of({"p": range(9), "s": [1] * 9, "y": np.arange(9.0), "x": np.arange(9.0)})
    for term in ("lag(x)", "lead(within(x))", "detrend(x)"):
        with pytest.raises(DesignError, match="needs several sessions of a person, and every person has one"):
            design(panel, f"y ~ {term}")


def test_an_empty_panel(study):
    with pytest.raises(DesignError, match="no rows"):
        design(study.subset([]), "y ~ x")


# --- factors ------------------------------------------------------------------------------------


def test_every_column_is_the_product_of_its_factors():
    panel = panel_of(_many(60))
    d = design(panel, "y ~ g * x + bs(x, df=4) + C(t, contr.sum) + (1 + lag(x) | p)")
    assert set(d.factors) == set(d.names[1:])
    assert d.factors["(Intercept)"] == ()
    for name, factors in d.factors.items():
        assert ":".join(map(str, factors)) == (name if factors else "")
    of = {name: [(f.column, f.level) for f in factors] for name, factors in d.factors.items()}
    assert of["g[T.v]:x"] == [("T.v", "v"), ("", None)]
    assert of["bs(x, df=4)[2]"] == [("2", None)]
    assert of["C(t, contr.sum)[S.a]"] == [("S.a", None)]
    assert of["lag(x)"] == [("", None)]
    assert d.apply(panel).factors == d.factors


def test_a_level_is_told_whatever_its_name():
    odd = _many(60)
    odd["g"] = [{"u": "T.u", "v": "v] [T.w:x"}[g] for g in odd["g"]]
    d = design(panel_of(odd), "y ~ 0 + g")
    assert [[f.level for f in d.factors[name]] for name in d.names[1:]] == [["T.u"], ["v] [T.w:x"]]


def _many(n):
    rng = np.random.default_rng(0)
    return {
        "p": np.repeat(np.arange(n // 6), 6).tolist(),
        "s": [1, 2, 3, 4, 5, 6] * (n // 6),
        "x": rng.standard_normal(n).tolist(),
        "y": rng.standard_normal(n).tolist(),
        "g": ["u", "v"] * (n // 2),
        "t": ["a", "b", "c"] * (n // 3),
    }
