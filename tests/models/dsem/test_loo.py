"""Leave one person out: against refits without the person; comparisons; what is refused."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl
import pytest
from scipy import special

import sessionwise as sw
from helpers.dynamic import fitted, gappy
from sessionwise.models.dsem import LOO
from sessionwise.models.dsem.on_grid import on_grid
from sessionwise.models.dsem.parameters import parameters, spaced
from sessionwise.models.dsem.person_likelihood import log_likelihoods

MODEL = sw.DSEM.reciprocal("y", "w", random=("y ~ lag(w)",), course=None)
TRUTH = {"y ~ lag(y)": 0.3, "y ~ lag(w)": -0.4, "w ~ lag(w)": 0.3, "sd(y)": 1.0, "sd(w)": 1.0, "sd(y ~ lag(w))": 0.1}


@cache
def drawn() -> sw.Panel:
    return MODEL.simulate(TRUTH, 60, 8, seed=1)


@cache
def compared() -> tuple[LOO, LOO]:
    """Of the true model, and of one without the effect of w."""
    without = sw.DSEM(("w ~ lag(w) + lag(y)", "y ~ lag(y)"), random="none", course=None)
    one, other = (m.fit(drawn(), seed=1, size=50, most=2000, chains=2) for m in (MODEL, without))
    return one.loo(drawn()), other.loo(drawn())


def test_it_is_what_a_fit_without_the_person_predicts() -> None:
    """Monte Carlo errors: of a mean of 400 likelihoods whose logarithms differ by 0.4 about 0.02, twice; and k."""
    fit = MODEL.fit(gappy(), seed=1, size=150, most=4000)
    found = fit.loo(gappy())
    reliable = np.flatnonzero(found.k < 0.5)
    assert len(reliable) > 30
    for person in reliable[[0, -1]].tolist():
        label = gappy().persons[person]
        rest = gappy().subset([p for p in gappy().persons.tolist() if p != label])
        again = MODEL.fit(rest, seed=2, size=150, most=4000)
        draws = parameters(again, spaced(400, again.reported.draws[..., 0].size))
        alone = log_likelihoods(again, on_grid(MODEL, again.kept, gappy().subset([label])), draws)[:, 0]
        assert found.elpd_persons[person] == pytest.approx(special.logsumexp(alone) - np.log(len(alone)), abs=0.12)


def test_numbers_hang_together() -> None:
    loo, _ = compared()
    table = loo.tidy()
    assert table.columns == ["person", "elpd", "p_loo", "k"]
    assert table["elpd"].sum() == pytest.approx(loo.elpd)
    assert loo.se == pytest.approx(np.sqrt(60) * table["elpd"].std())
    assert 5 < loo.p_loo < 20  # 14 parameters, levels and effects integrated out
    assert loo.unreliable == table.filter(pl.col("k") > 1 - 1 / np.log10(400))["person"].to_list()
    shown = str(loo)
    assert "Leaving one person out" in shown
    assert f"Pareto k is above 0.62 for {len(loo.unreliable)} person" in shown
    assert loo.to_dict()["elpd"] == loo.elpd


def test_the_model_with_the_effect_predicts_better() -> None:
    loo, without = compared()
    better = loo.difference(without)
    assert better.elpd > 2 * better.se > 0
    assert better.elpd == pytest.approx(loo.elpd - without.elpd)
    assert without.difference(loo).elpd == -better.elpd
    assert "The first fit" not in str(without.difference(loo))
    assert "predicts persons better who were left out" in str(better)
    assert "equally well" in str(loo.difference(loo))


def test_units_do_not_matter_to_a_difference_and_shift_elpd_by_their_logarithm() -> None:
    scaled = sw.Panel(drawn().to_frame().with_columns(pl.col("y") * 10), person="person", session="session")
    found = MODEL.fit(scaled, seed=1, size=50, most=2000, chains=2).loo(scaled)
    assert found.elpd == pytest.approx(compared()[0].elpd - 480 * np.log(10), abs=1e-6)


def test_what_is_refused() -> None:
    loo, _ = compared()
    fit = fitted(MODEL)
    with pytest.raises(sw.ModelError, match="not of the same scores"):
        loo.difference(fit.loo(gappy()))
    with pytest.raises(sw.ModelError, match="is no LOO"):
        loo.difference(fit)  # type: ignore[arg-type]
    with pytest.raises(sw.ModelError, match="not the data that the model was fitted to"):
        fit.loo(gappy().subset(gappy().persons[:-1]))
    clusters = fitted(sw.DSEM.reciprocal("y", "w", random="none", first="stationary", clusters=True))
    with pytest.raises(sw.ModelError, match="not independent") as caught:
        clusters.loo(gappy())
    assert "without clusters" in caught.value.remedy


def test_a_person_who_shapes_the_fit_is_named() -> None:
    table = gappy().to_frame()
    odd = table.with_columns(
        y=pl.when(pl.col("person") == 5).then(pl.col("y") * 12 + pl.col("session") * 9).otherwise(pl.col("y"))
    )
    panel = sw.Panel(odd, person="person", session="session")
    loo = MODEL.fit(panel, seed=1, size=20, most=400, chains=2).loo(panel)
    assert 5 in loo.unreliable
    assert "(!) Pareto k is above" in str(loo)
