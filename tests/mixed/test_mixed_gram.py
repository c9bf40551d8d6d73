"""Cross-products of persons that are added are those of all persons, wherever the table was cut.

Criteria and estimates of the sum and of the whole agree to rounding: products are moved to other means and sizes.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from helpers.sessions import nested, panel_of
from sessionwise.errors import GramError
from sessionwise.mixed import Residual, Solution, optimise, problem, summed
from sessionwise.mixed.mixed_gram import MixedGram, added

CRITERION, ESTIMATE = 1e-9, 1e-6  # relative; in standard errors
TABLE = nested(3, 40, 7, attended=0.8)


def gram(table: pl.DataFrame, formula: str, kind: str) -> tuple[MixedGram, Residual]:
    design = sw.design(panel_of(table), formula)
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
    whole = solved(gram(TABLE, formula, kind)[0])
    total = solved(added([gram(cut, formula, kind)[0] for cut in cuts]))
    assert total.optimum.converged
    assert total.criterion == pytest.approx(whole.criterion, rel=CRITERION)
    np.testing.assert_allclose((total.beta - whole.beta) / np.sqrt(np.diag(whole.vcov)), 0, atol=ESTIMATE)


def test_a_person_counts_once_and_columns_are_the_same() -> None:
    one, _ = gram(TABLE, "y ~ x + (1 | p)", "independent")
    with pytest.raises(GramError):
        added([one, one])
    other, _ = gram(TABLE, "y ~ s + (1 | p)", "independent")
    with pytest.raises(GramError, match="different columns"):
        added([one, other])
