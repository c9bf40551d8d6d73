"""Labels of two tables are compared as values, by one rule in every place where tables meet."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sessionwise as sw
from sessionwise.panel.same_labels import positions


@pytest.mark.parametrize(
    ("known", "asked", "expected"),
    [
        ([1, 2, 3], [3, 4, 1], [2, -1, 0]),
        ([1, 2], [2.0, 1.0, 1.5], [1, 0, -1]),
        ([1, 2], ["2", "01", "x"], [1, 0, -1]),
        (["1", "2"], [2, 1, 3], [1, 0, -1]),
        (["01", "1"], ["1", "01"], [1, 0]),
        (["a", "b"], [1, 2], [-1, -1]),
        ([1000, 5], ["1_000", "nan", "inf", "5"], [-1, -1, -1, 1]),
        ([10**20], ["1" + "0" * 20], [0]),
        ([0.5], ["0.5", ".5e0"], None),
        ([1, 2], ["1", "01"], None),
        ([], [1], [-1]),
        ([True, False], ["1"], [0]),
    ],
)
def test_one_rule(known: list[object], asked: list[object], expected: list[int] | None) -> None:
    if expected is None:
        with pytest.raises(sw.PanelError, match="are one number"):
            positions(known, asked, "column 'id'")
    else:
        assert positions(known, asked, "column 'id'").tolist() == expected


@given(st.lists(st.integers(-(10**6), 10**6), unique=True, min_size=1))
def test_the_type_of_whole_numbers_does_not_matter(labels: list[int]) -> None:
    asked = labels[::-1]
    expected = list(range(len(labels)))[::-1]
    for kind in (lambda v: np.array(v, np.int64), lambda v: np.array(v, np.float64), lambda v: [str(x) for x in v]):
        assert positions(labels, kind(asked), "it").tolist() == expected
        assert positions(kind(labels), asked, "it").tolist() == expected


# --- in every place ---------------------------------------------------------------------------------------------------

KINDS: dict[str, Callable[[pd.Series], pd.Series]] = {
    "text": lambda s: s.astype(str),
    "category": lambda s: s.astype(str).astype("category"),
    "padded": lambda s: s.map(lambda i: f"{int(i):03}"),
    "decimal": lambda s: s.astype(float),
    "object": lambda s: s.astype(object),
}


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    n, t = 30, 5
    d = pd.DataFrame({"id": np.repeat(np.arange(1, n + 1), t), "session": np.tile(np.arange(1, t + 1), n)})
    d["site"], d["arm"], d["ward"] = d.id % 6, d.id % 3, (d.id + d.session) % 4
    d["x"] = rng.normal(size=len(d))
    d["y"] = d.x + 3 * rng.normal(size=n)[d.id - 1] + rng.normal(size=6)[d.site] + rng.normal(size=len(d))
    return d


def _panel(d: pd.DataFrame) -> sw.Panel:
    return sw.Panel(d, person="id", session="session", cluster="site")


@pytest.mark.parametrize("column", ["id", "site", "arm", "ward"])
@pytest.mark.parametrize("kind", KINDS)
def test_predictions_of_the_same_persons_are_the_same(table: pd.DataFrame, column: str, kind: str) -> None:
    fit = sw.MLM("y ~ x + C(arm) + (1 | id) + (1 | site) + (1 | ward)").fit(_panel(table))
    other = _panel(table.assign(**{column: KINDS[kind](table[column])}))
    np.testing.assert_allclose(np.sort(fit.predict(other)), np.sort(fit.predict(_panel(table))))  # text sorts otherwise


@pytest.mark.parametrize("kind", ["text", "padded", "decimal"])
def test_person_means_are_found(table: pd.DataFrame, kind: str) -> None:
    fit = sw.MLM("y ~ within(x) + between(x) + (1 | id)").fit(_panel(table))
    means = table.groupby("id").x.mean()
    last = _panel(table[table.session == 5])
    keys = KINDS[kind](means.index.to_series())
    given_so = {"x": dict(zip(keys, means, strict=True))}
    np.testing.assert_allclose(fit.predict(last, means=given_so), fit.predict(last, means={"x": dict(means)}))


def test_person_means_of_nobody_are_refused(table: pd.DataFrame) -> None:
    model, panel = sw.MLM("y ~ within(x) + between(x) + (1 | id)"), _panel(table)
    for ask in (
        lambda: model.fit(panel, means={"x": {"nobody": 1.0}}),
        lambda: model.fit(panel).predict(panel, means={"x": {"nobody": 1.0}}),
        lambda: model.fit(panel).predict(panel, means={"x": {}}),
    ):
        with pytest.raises(sw.DesignError, match="are of no person of the Panel"):
            ask()


def test_no_two_combinations_have_one_label() -> None:
    d = pd.DataFrame({"a": ["x:y", "x"], "b": ["z", "y:z"], "session": [1, 1], "id": [1, 2]})
    many = pd.concat([d.assign(session=s, id=d.id + 2 * i) for i in range(6) for s in range(1, 5)])
    many["y"] = np.random.default_rng(1).normal(size=len(many)) + 5 * (many.a == "x")
    fit = sw.MLM("y ~ 1 + (1 | a:b)").fit(sw.Panel(many, person="id", session="session"))
    effects = fit.ranef("a:b")
    assert len(set(effects["a:b"])) == 2
    panel = sw.Panel(many, person="id", session="session")
    apart = fit.predict(panel)[np.asarray(panel["y"]).argsort()[[0, -1]]]
    assert apart[1] - apart[0] > 3
