"""Gram: against a plain NumPy reference, and by its identities."""

from __future__ import annotations

import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sessionwise import Gram, GramError, Panel, gram

# Sums of products of up to 60 rows with |x| <= 1e3: rounding of the order 60 * 1e6 * 2^-53.
ATOL = 1e-7


def reference(columns: dict[str, np.ndarray], starts: np.ndarray, center: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """One matrix product a person."""
    x = (np.column_stack(list(columns.values())) - center) / scale
    return np.array([x[a:b].T @ x[a:b] for a, b in pairwise(starts)])


def example(seed: int, persons: int, k: int, most: int = 12) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, most + 1, persons)
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    columns = {f"x{j}": rng.normal(size=starts[-1]) for j in range(k)}
    return columns, starts, np.arange(persons)


def with_ones(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {"one": np.ones(len(next(iter(columns.values())))), **columns}


@settings(max_examples=60)
@given(st.data())
def test_equals_numpy(data: st.DataObject) -> None:
    counts = data.draw(st.lists(st.integers(0, 60), min_size=0, max_size=20))
    k = data.draw(st.integers(1, 13))
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    cells = hnp.arrays(np.float64, (k, int(starts[-1])), elements=st.floats(-1e3, 1e3))
    x = data.draw(cells)
    columns = {f"x{j}": x[j] for j in range(k)}
    center = data.draw(hnp.arrays(np.float64, k, elements=st.floats(-10, 10)))
    scale = data.draw(hnp.arrays(np.float64, k, elements=st.floats(0.5, 10)))
    g = gram(columns, starts, np.arange(len(counts)), center=center, scale=scale)
    expected = reference(columns, starts, center, scale).reshape(len(counts), k, k)
    np.testing.assert_allclose(g.matrices(), expected, rtol=1e-12, atol=4 * ATOL)
    np.testing.assert_allclose(g.total(), expected.sum(axis=0), rtol=1e-12, atol=80 * ATOL)
    np.testing.assert_array_equal(g.n, counts)


@pytest.mark.parametrize("most", [3, 16, 17, 200])
def test_equals_numpy_beyond_one_tile(most: int) -> None:
    columns, starts, persons = example(1, 101, 5, most)
    g = gram(columns, starts, persons)
    np.testing.assert_allclose(
        g.matrices(), reference(columns, starts, np.zeros(5), np.ones(5)), rtol=1e-12, atol=1e-12
    )


def test_one_long_person_among_short_ones() -> None:
    counts = [2, 500, 0, 1, 3, 16, 17, 15, 33]
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    rng = np.random.default_rng(2)
    columns = {name: rng.normal(size=starts[-1]) for name in "abc"}
    g = gram(columns, starts, np.arange(len(counts)))
    np.testing.assert_allclose(
        g.matrices(), reference(columns, starts, np.zeros(3), np.ones(3)), rtol=1e-12, atol=1e-12
    )


def test_threads_do_not_change_a_bit() -> None:
    columns, starts, persons = example(3, 30_000, 4)
    one = gram(columns, starts, persons, threads=1)
    for threads in (2, 3, 7):
        assert np.array_equal(one.packed, gram(columns, starts, persons, threads=threads).packed)


def test_lanes_beyond_the_last_person_are_zero() -> None:
    columns, starts, persons = example(4, 11, 3)
    packed = gram(columns, starts, persons).packed
    assert packed.shape == (2, 6, 8)
    assert not packed[1, :, 3:].any()


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), persons=st.integers(2, 40))
def test_split_and_add_is_the_whole(seed: int, persons: int) -> None:
    columns, starts, labels = example(seed, persons, 4)
    whole = gram(columns, starts, labels)
    mask = np.random.default_rng(seed).random(persons) < 0.5
    a, b = whole.subset(mask), whole.subset(~mask)
    for both in (a + b, b + a):
        assert both.persons.tolist() == whole.persons.tolist()
        assert np.array_equal(both.packed, whole.packed)
        assert np.array_equal(both.n, whole.n)


def test_adding_moves_the_other_centre_to_ours() -> None:
    columns, starts, labels = example(5, 30, 3)
    columns = with_ones(columns)
    center, scale = np.array([0, 1.0, -2.0, 0.5]), np.array([1, 2.0, 0.5, 3.0])
    other_center = np.array([0, -0.5, 0.25, 2.0])
    whole = gram(columns, starts, labels, center=center, scale=scale)
    other = gram(columns, starts, labels, center=other_center)
    mask = np.arange(30) % 3 == 0
    both = whole.subset(mask) + other.subset(~mask)
    np.testing.assert_allclose(both.matrices(), whole.matrices(), rtol=1e-10, atol=1e-10)
    assert np.array_equal(both.center, center)


def test_recentre_and_back() -> None:
    columns, starts, labels = example(6, 20, 3)
    columns = with_ones(columns)
    raw = gram(columns, starts, labels)
    center, scale = np.array([0, 5.0, 1.0, -1.0]), np.array([2.0, 0.1, 4.0, 1.0])
    moved = raw.recenter(center, scale)
    np.testing.assert_allclose(moved.matrices(), reference(columns, starts, center, scale), rtol=1e-9, atol=1e-9)
    back = moved.recenter(raw.center, raw.scale)
    np.testing.assert_allclose(back.matrices(), raw.matrices(), rtol=1e-9, atol=1e-9)
    assert raw.recenter(raw.center, raw.scale) is raw


def test_recentring_needs_the_constant_column() -> None:
    columns, starts, labels = example(7, 5, 2)
    columns["sign"] = np.where(np.arange(starts[-1]) % 2, 1.0, -1.0)  # squares of a constant, but is none
    g = gram(columns, starts, labels)
    assert not g.constants
    with pytest.raises(GramError, match="constant column"):
        g.recenter(np.ones(3), np.ones(3))
    np.testing.assert_allclose(g.recenter(np.zeros(3), np.full(3, 2.0)).matrices(), g.matrices() / 4)


def test_select_reorders_and_drops() -> None:
    columns, starts, labels = example(8, 9, 5)
    g = gram(with_ones(columns), starts, labels)
    chosen = g.select(["x3", "one", "x0"])
    order = [4, 0, 1]
    assert np.array_equal(chosen.matrices(), g.matrices()[:, order][:, :, order])
    assert chosen.constants == {"one"}
    assert not g.select(["x1"]).constants


def test_row_order_of_the_file_does_not_matter() -> None:
    import polars as pl

    rng = np.random.default_rng(9)
    frame = pl.DataFrame(
        {
            "p": np.repeat(np.arange(50), 4),
            "s": np.tile(np.arange(4), 50),
            "x": rng.normal(size=200),
            "y": rng.normal(size=200),
        }
    )
    grams = []
    for seed in (None, 1, 2):
        shuffled = frame if seed is None else frame.sample(fraction=1, shuffle=True, seed=seed)
        panel = Panel(shuffled, person="p", session="s")
        grams.append(gram({"x": panel["x"], "y": panel["y"]}, panel.starts, panel.persons))
    for g in grams[1:]:
        assert np.array_equal(g.packed, grams[0].packed)


def test_read_only_and_pickles() -> None:
    g = gram({"x": np.ones(3)}, np.array([0, 3]), np.array(["a"]))
    with pytest.raises(ValueError, match="read-only"):
        g.packed[0, 0, 0] = 1
    again = pickle.loads(pickle.dumps(g))
    assert isinstance(again, Gram)
    assert np.array_equal(again.packed, g.packed)
    assert repr(g) == "<Gram of x; 1 persons, 3 rows>"


def test_errors_say_what_and_where() -> None:
    columns, starts, labels = example(10, 6, 2)
    g = gram(columns, starts, labels)
    bad = {name: x.copy() for name, x in columns.items()}
    row = int(starts[4])
    bad["x1"][row] = np.nan
    with pytest.raises(GramError, match=r"'x1' has a missing or infinite cell[\s\S]*person 4, row 0"):
        gram(bad, starts, labels)
    with pytest.raises(GramError, match="overflow"):
        gram({"x": np.full(2, 1e200)}, np.array([0, 2]), np.array([1]))
    with pytest.raises(GramError, match="has shape"):
        gram({"x": np.ones(3)}, np.array([0, 2]), np.array([1]))
    with pytest.raises(GramError, match="starts for"):
        gram({"x": np.ones(2)}, np.array([0, 2]), np.array([1, 2]))
    with pytest.raises(GramError, match="scale above zero"):
        gram({"x": np.ones(2)}, np.array([0, 2]), np.array([1]), scale=[0.0])
    with pytest.raises(GramError, match="no column 'x7'"):
        g.select(["x7"])
    with pytest.raises(GramError, match="named twice"):
        g.select(["x0", "x0"])
    with pytest.raises(GramError, match="6 persons are in more than one Gram"):
        g + g
    with pytest.raises(GramError, match="different columns"):
        g + gram({"x0": np.ones(2)}, np.array([0, 2]), np.array([99]))
    with pytest.raises(GramError, match="text in another"):
        g + gram({"x0": np.ones(2), "x1": np.ones(2)}, np.array([0, 2]), np.array(["a"]))


def test_a_centred_constant_is_constant_no_longer() -> None:
    columns, starts, labels = example(11, 12, 1)
    raw = gram(with_ones(columns), starts, labels)
    moved = raw.recenter([1.0, 0.5], [1.0, 1.0])
    assert not moved.constants
    with pytest.raises(GramError, match="constant column"):
        moved.recenter(raw.center, raw.scale)


def test_clinics_with_different_columns_of_ones_add_up() -> None:
    columns, starts, labels = example(12, 20, 2)
    columns = with_ones(columns)
    rows = len(columns["one"])
    women = {**columns, "female": np.ones(rows)}
    mixed = {**columns, "female": (np.arange(rows) % 2).astype(float)}
    both = gram(women, starts, labels) + gram(mixed, starts, labels + 100, center=[0, 1.0, 2.0, 0])
    assert both.constants == {"one"}
    nobody = gram({name: x[:0] for name, x in columns.items()}, np.array([0]), labels[:0])
    assert (gram(columns, starts, labels) + nobody).constants == {"one"}


@pytest.mark.parametrize(("center", "scale"), [([0, 0], [1, 0]), ([0, np.nan], [1, 1]), ([0], [1, 1]), ([0, 0], [1])])
def test_recentre_refuses_what_gram_refuses(center: list[float], scale: list[float]) -> None:
    g = gram({"one": np.ones(2), "x": np.arange(2.0)}, np.array([0, 2]), np.array([1]))
    with pytest.raises(GramError, match="2 finite numbers each"):
        g.recenter(np.array(center), np.array(scale))


@pytest.mark.parametrize("starts", [[1, 3], [0, 3, 2, 3], [-1, 3]])
def test_starts_ascend_from_zero(starts: list[int]) -> None:
    with pytest.raises(GramError, match="ascend from 0"):
        gram({"x": np.arange(3.0)}, np.array(starts), np.arange(len(starts) - 1))
