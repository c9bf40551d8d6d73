"""MixedGram: sums of products against plain NumPy, what is kept of groups, and sums over persons wherever they are cut.

Criteria and estimates of the sum and of the whole agree to rounding: products are moved to other means and sizes.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from helpers.sessions import nested, panel_of
from sessionwise.errors import GramError
from sessionwise.mixed import MixedGram, Residual, Solution, added, optimise, problem, summed
from sessionwise.mixed.dependence import combinations
from sessionwise.mixed.groups import Groups, together
from sessionwise.mixed.mixed_gram import label
from sessionwise.mixed.residuals import independent
from sessionwise.mixed.structure import structure

CRITERION, ESTIMATE = 1e-9, 1e-6  # relative; in standard errors
TABLE = nested(3, 40, 7, attended=0.8)


def table(seed: int = 1) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    n = rng.integers(1, 7, 30)
    p = np.repeat(np.arange(30), n)
    s = np.concatenate([np.arange(k) for k in n])
    x, y = rng.standard_normal((2, len(p)))
    return pl.DataFrame({"p": p, "s": s, "x": 50 + x + p, "y": y - 20, "g": p // 5, "h": (p + s // 2) % 4})


def gram_of(frame: pl.DataFrame, formula: str) -> tuple[sw.Design, MixedGram]:
    design = sw.design(panel_of(frame), formula)
    return design, summed(design, independent(len(design.rows)), partial=True)


FORMULA = "y ~ x + (1 + x | p) + (1 + x | h) + (0 + x | g)"


@pytest.mark.parametrize("parts", [1, 2, 5])
def test_products_are_numpys(parts: int) -> None:
    """Of columns centred at the means of all rows, at each position of a level within a person."""
    frame = table()
    design, whole = gram_of(frame, FORMULA)
    made = added([gram_of(frame.filter(pl.col("p") % parts == i), FORMULA)[1] for i in range(parts)])
    person = np.repeat(design.persons, np.diff(design.starts))
    h = design.grouping("h")
    levels = h.levels[h.codes]
    position = np.array([sorted(set(levels[person == q])).index(v) for q, v in zip(person, levels, strict=True)])
    x, y, one = design.columns["x"], design.columns["y"], np.ones(len(person))
    columns = {
        "(Intercept)": one,
        "x - mean": x - x.mean(),
        "y ~ - mean": y - y.mean(),
        "x": x,
        **{f"(Intercept) | h {j}": 1.0 * (position == j) for j in range(position.max() + 1)},
        **{f"x - mean | h {j}": (x - x.mean()) * (position == j) for j in range(position.max() + 1)},
    }
    assert set(made.head.columns) == set(whole.head.columns) == set(columns)
    z = np.column_stack([columns[name] for name in made.head.columns]) / made.head.scale
    expected = np.array([z[person == q].T @ z[person == q] for q in made.persons])
    np.testing.assert_allclose(made.parts[0].gram.matrices(), expected, rtol=1e-10, atol=1e-9)
    again = whole.parts[0].gram.select(made.head.columns)
    np.testing.assert_allclose(made.head.center, again.center, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(made.head.scale, again.scale, rtol=1e-12)
    np.testing.assert_allclose(made.parts[0].gram.matrices(), again.matrices(), rtol=1e-10, atol=1e-9)


def test_one_way_to_the_columns_of_a_structure() -> None:
    _, made = gram_of(table(), FORMULA)
    needed = structure(made.fitted, made.groups, made.persons).columns
    assert {label(s, made.fitted) for s in needed} <= set(made.head.columns)


def test_groups_of_several() -> None:
    """Levels that both have are one; a person's positions stay, whoever has most."""
    one = Groups("g", np.array(["a", "c"]), np.array([[0, 1], [1, -1]]), False)
    other = Groups("g", np.array(["b", "c"]), np.array([[0], [1], [1]]), False)
    made = together([one, other])
    assert made.labels.tolist() == ["a", "b", "c"]
    assert made.codes.tolist() == [[0, 2], [2, -1], [1, -1], [2, -1], [2, -1]]
    assert not made.is_person
    assert not made.within_persons
    assert not made.constant


def test_levels_that_are_persons_only_in_a_part() -> None:
    """Two clinics with one patient a therapist each, of whom one works in both."""
    one = Groups("g", np.array(["a", "b"]), np.array([[0], [1]]), True)
    made = together([one, Groups("g", np.array(["b", "c"]), np.array([[1], [0]]), True)])
    assert made.codes.tolist() == [[0], [1], [2], [1]]
    assert not made.is_person
    both = together([one, Groups("g", np.array(["d", "c"]), np.array([[0], [1]]), True)])
    assert both.is_person
    turned = both.ordered(np.array([3, 0, 1, 2]))
    assert turned.labels.tolist() == ["c", "a", "b", "d"]
    assert turned.codes.ravel().tolist() == [0, 1, 2, 3]


def test_labels_that_do_not_ascend_keep_their_order() -> None:
    one = Groups("g", np.array(["low", "high"], object), np.array([[0], [1]]), False)
    made = together([one, Groups("g", np.array(["high", "top"], object), np.array([[1], [0], [0]]), False)])
    assert made.labels.tolist() == ["low", "high", "top"]


@pytest.mark.parametrize(
    ("column", "of"),
    [
        (2 * pl.col("x") - 3, ["(Intercept)", "x"]),
        (pl.lit(7.0), ["(Intercept)"]),
        (pl.lit(0.0), []),
        (2 * pl.col("x") - 3 + 1e-4 * (pl.col("p") % 2) * pl.col("s"), None),
        (pl.col("p") % 2 * pl.col("x"), None),
    ],
)
def test_which_columns_follow_from_others_in_all_parts(column: pl.Expr, of: list[str] | None) -> None:
    """In each part alone z follows from the constant and x."""
    frame = table().with_columns(z=column)
    parts = []
    for i in range(2):
        rows = frame.filter(pl.col("p") % 2 == i)
        made = sw.designs.partial_design(panel_of(rows), "y ~ x + z")
        aliased = made.aliased or ("z",)  # as if it followed
        parts.append(summed(made.design, independent(len(made.design.rows)), partial=True, aliased=aliased))
    found = combinations(added(parts))
    assert {one.column: list(one.of) for one in found} == ({} if of is None else {"z": of})
    of_all = sw.designs.design(panel_of(frame), "y ~ x + z").learned.aliased
    for one, other in zip(found, of_all, strict=True):
        np.testing.assert_allclose(one.weights, other.weights, rtol=1e-9)
        assert one.spread == pytest.approx(other.spread, rel=0.2)


def test_strata_in_order() -> None:
    """9 before 10, as they stand in a Panel."""
    grams = []
    for values in ((10, 11), (9, 10)):
        frame = table().with_columns(b=pl.col("s") % 2, p=pl.col("p") + 100 * values[0])
        design = sw.design(panel_of(frame), "y ~ x")
        strata = frame["b"].to_numpy().astype(np.int64)
        residual = Residual("independent", np.full(len(strata), np.nan), strata, tuple(f"b={v}" for v in values))
        grams.append(summed(design, residual, partial=True))
    made = added(grams)
    assert made.residual.labels == ("b=9", "b=10", "b=11")
    assert [p.strata for p in made.parts] == [(0, 0), (1, 1), (2, 2)]
    assert [p.gram.n_rows for p in made.parts] == [
        grams[1].parts[0].gram.n_rows,
        grams[0].parts[0].gram.n_rows + grams[1].parts[1].gram.n_rows,
        grams[0].parts[1].gram.n_rows,
    ]


# --- sums ---------------------------------------------------------------------------------------------


def solvable(rows: pl.DataFrame, formula: str, kind: str) -> tuple[MixedGram, Residual]:
    design = sw.design(panel_of(rows), formula)
    gaps = np.diff(design.sessions.astype(float), prepend=np.nan)
    gaps[design.starts[:-1]] = np.nan
    residual = Residual(kind, gaps, np.zeros(len(gaps), int))
    return summed(design, residual), residual


def solved(products: MixedGram) -> Solution:
    made = problem(products)
    return Solution(made, optimise(made, reml=True), True)


@pytest.mark.parametrize("kind", ["independent", "ar1"])
@pytest.mark.parametrize("formula", ["y ~ x + s + (1 + x | p)", "y ~ x + (1 | p) + (1 | g)"])
@pytest.mark.parametrize("parts", [2, 3, 5])
def test_the_sum_is_the_whole(formula: str, kind: str, parts: int) -> None:
    persons = TABLE["p"].unique(maintain_order=True).to_list()
    cuts = [TABLE.filter(pl.col("p").is_in(persons[i::parts])) for i in range(parts)]
    whole = solved(solvable(TABLE, formula, kind)[0])
    total = solved(added([solvable(cut, formula, kind)[0] for cut in cuts]))
    assert total.optimum.converged
    assert total.criterion == pytest.approx(whole.criterion, rel=CRITERION)
    np.testing.assert_allclose((total.beta - whole.beta) / np.sqrt(np.diag(whole.vcov)), 0, atol=ESTIMATE)


def test_a_person_counts_once_and_columns_are_the_same() -> None:
    one, _ = solvable(TABLE, "y ~ x + (1 | p)", "independent")
    with pytest.raises(GramError):
        added([one, one])
    other, _ = solvable(TABLE, "y ~ s + (1 | p)", "independent")
    with pytest.raises(GramError, match="different columns"):
        added([one, other])
