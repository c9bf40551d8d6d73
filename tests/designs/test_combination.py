"""A column that was left out of a fit, in data where it no longer follows from the others: nothing is predicted there.

lme4 predicts such rows without a word, and R's lm does with a warning (lme4's issue 303, on new data whose
interactions were left out of the fit).
"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from sessionwise.designs import design
from sessionwise.designs.rank import aliases

PERSONS, SESSIONS = 12, 6


def rows():
    rng = np.random.default_rng(3)
    n = PERSONS * SESSIONS
    s = np.tile(np.arange(1, SESSIONS + 1), PERSONS)
    first = np.arange(n) < 1
    return pl.DataFrame(
        {
            "p": np.repeat(np.arange(PERSONS), SESSIONS),
            "s": s,
            "y": rng.normal(size=n),
            "x": rng.normal(size=n),
            "arm": np.where(first, "a", np.where(np.arange(n) % 2, "b", "c")),
            "c": np.repeat(rng.normal(size=PERSONS), SESSIONS),
        }
    ).with_columns(z=2 * pl.col("x"), w=pl.col("x") - pl.col("c"), year=2000 + pl.col("s"), four=pl.lit(4.0))


def panel(table):
    return sw.Panel(table, person="p", session="s")


#: formula, the column that is left out, and what makes the last row one that it does not follow in.
CASES = [
    ("y ~ x + z", "z", pl.col("z") + 0.5),
    ("y ~ x + c + w", "w", pl.col("w") * 1.5),
    ("y ~ s + year", "year", pl.col("year") + 1),
    ("y ~ x + four", "four", pl.lit(5.0)),
    ("y ~ x + within(c)", "within(c)", pl.col("c") + 1),
    ("y ~ arm * x", "arm[T.c]:x", None),
    ("y ~ 0 + x + z", "z", pl.col("z") + 0.5),
]


def changed(formula, column, into):
    table = rows()
    last = pl.int_range(pl.len()) == pl.len() - 1
    if into is None:
        return table.with_columns(arm=pl.when(last).then(pl.lit("a")).otherwise("arm"))
    name = column.removeprefix("within(").rstrip(")")
    return table.with_columns(pl.when(last).then(into).otherwise(pl.col(name)).alias(name))


@pytest.mark.parametrize("in_grams", [False, True])
@pytest.mark.parametrize(("formula", "column", "into"), CASES)
def test_a_row_that_nothing_is_known_about_is_not_predicted(formula, column, into, in_grams):
    data = panel(rows())
    model = sw.MLM(f"{formula} + (1 | p)", "ML")
    if in_grams:
        first = model.gram(data.subset(data.persons[:6]))
        fit = model.fit([first, model.gram(data.subset(data.persons[6:]), like=first)])
    else:
        fit = model.fit(data)
    assert fit.recipe.design.aliased == (column,)
    usual = fit.predict(data, "population")
    assert np.isfinite(usual).all()
    np.testing.assert_array_equal(fit.fitted(data), fit.predict(data))
    new = panel(changed(formula, column, into))
    with pytest.raises(sw.errors.DesignError, match="nothing is known") as caught:
        fit.predict(new, "population")
    assert column in str(caught.value)
    assert "p 11, s 6" in str(caught.value) or column == "within(c)"  # there it is the person's every session
    known = new.subset(new.persons[:-1])
    np.testing.assert_allclose(fit.predict(known, "population"), usual[: len(known)], rtol=1e-12)


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_rounding_is_no_departure(size):
    table = rows().with_columns(x=pl.col("x") * size, z=pl.col("x") * size / 3 + 1e5 * size)
    d = design(panel(table), "y ~ x + z")
    assert d.aliased == ("z",)
    again = table.with_columns(x=(pl.col("x") * 1.1), z=pl.col("x") * 1.1 / 3 + 1e5 * size)
    assert d.apply(panel(again)).names == d.names


def test_what_is_left_of_a_column_in_many_rows_is_no_departure():
    rng = np.random.default_rng(5)
    n = 100_000
    x = rng.normal(size=n)
    almost = x + 9e-8 * np.sqrt(n) * (np.arange(n) == n - 1)  # all of what the tolerance of rank allows, in one row
    (found,) = aliases(np.column_stack([np.ones(n), x, almost]), 0)
    assert found.spread == pytest.approx(x.std())
    table = pl.DataFrame(
        {"p": np.arange(n) // 10, "s": np.arange(n) % 10, "y": rng.normal(size=n), "x": x, "z": almost}
    )
    d = design(panel(table), "y ~ x + z")
    assert d.apply(panel(table), response=True).names == d.names
