"""The likelihood of a mean, persons and groups from sums over persons: beside the covariance matrix written out, and
beside the multilevel model's own way."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sessionwise as sw
from helpers.dense import Dense
from sessionwise.mixed import MixedLikelihood, evaluate, problem, summed
from sessionwise.mixed.exchangeable import random_intercepts
from sessionwise.mixed.residuals import independent


def rows(seed: int, persons: int = 12, groups: int = 3) -> pl.DataFrame:
    """Sessions of persons, those of a group one after the other; some persons have one."""
    rng = np.random.default_rng(seed)
    n = rng.integers(1, 6, persons)
    group = np.sort(np.append(np.arange(groups), rng.integers(0, groups, persons - groups)))
    who = np.repeat(np.arange(persons), n)
    session = np.concatenate([np.arange(k) for k in n])
    y = 7 + rng.normal(size=groups)[group][who] + rng.normal(size=persons)[who] + 3 * rng.normal(size=len(who))
    return pl.DataFrame({"person": who, "session": session, "group": group[who], "y": y})


def likelihood(frame: pl.DataFrame, grouped: bool = True) -> MixedLikelihood:
    by = frame.group_by("person", maintain_order=True).agg(
        pl.len().alias("n"), pl.mean("y"), pl.first("group"), ((pl.col("y") - pl.mean("y")) ** 2).sum().alias("ss")
    )
    group = by["group"].to_numpy() if grouped else None
    n = by["n"].to_numpy().astype(np.int64)
    return problem(random_intercepts(n, by["y"].to_numpy(), float(by["ss"].sum()), group))


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("grouped", [True, False])
def test_the_criterion_is_the_density_written_out(grouped: bool, reml: bool) -> None:
    frame = rows(1)
    y, who, group = (frame[c].to_numpy() for c in ("y", "person", "group"))
    rho, g = 0.8, 0.7 if grouped else 0.0
    c = np.tanh(rho) ** 2
    v = (1 - c) * np.eye(len(y)) + c * (who[:, None] == who) + g**2 * (group[:, None] == group)
    plain = Dense(np.ones((len(y), 1)), y, v)
    made = likelihood(frame, grouped)
    point = evaluate(made, np.array([g, rho] if grouped else [rho]), reml=reml)
    assert point.criterion + made.offset(reml) == pytest.approx(plain.criterion(reml), rel=1e-12)
    assert point.rss * made.transform.width**2 == pytest.approx(plain.quadratic, rel=1e-12)
    assert made.transform.width * point.beta()[0] + made.transform.shift[0] == pytest.approx(plain.beta[0], rel=1e-12)


@given(st.integers(0, 10_000), st.floats(-3, 3), st.floats(-3, 3))
def test_the_gradient_is_that_of_the_criterion(seed: int, g: float, rho: float) -> None:
    made, at, h = likelihood(rows(seed)), np.array([g, rho]), 1e-5
    slopes = [
        (evaluate(made, at + step, reml=True).criterion - evaluate(made, at - step, reml=True).criterion) / (2 * h)
        for step in h * np.eye(2)
    ]
    np.testing.assert_allclose(evaluate(made, at, reml=True).gradient, slopes, rtol=1e-5, atol=1e-5)


@given(st.integers(0, 10_000), st.floats(0, 3), st.floats(-3, 3))
def test_it_is_the_likelihood_of_random_intercepts(seed: int, g: float, rho: float) -> None:
    """theta is relative to the standard deviation within persons there, to that within groups here."""
    frame = rows(seed)
    panel = sw.Panel(frame, person="person", session="session")
    design = sw.design(panel, "y ~ 1 + (1 | person) + (1 | group)")
    theirs = problem(summed(design, independent(len(design.rows))))
    theta = {"person": np.sinh(rho), "group": g * np.cosh(rho)}
    there = evaluate(theirs, np.array([theta[b.group] for b in theirs.blocks]), reml=True)
    mine = likelihood(frame)
    here = evaluate(mine, np.array([g, rho]), reml=True)
    assert here.criterion + mine.offset(True) == pytest.approx(there.criterion + theirs.offset(True), rel=1e-9)


def test_a_correlation_near_one_costs_no_digits() -> None:
    """Of 5 persons with 3 sessions each that differ by a part of 1e-10 of the persons' spread: as if scaled up."""
    n, mean = np.full(5, 3), np.array([-1.0, 0.4, 2.0, 0.1, -0.7])
    tiny = problem(random_intercepts(n, mean, 2e-20))
    points = [evaluate(tiny, np.array([np.arccosh(x**-0.5)]), reml=True) for x in (1e-12, 1e-13)]
    # -2 log likelihood but for a constant, with c = 1 - x: log |R| + nu log(rss)
    between = 3 * float(((mean - mean.mean()) ** 2).sum())

    def plain(x: float) -> float:
        return (
            5 * (np.log(3 - 2 * x) + 2 * np.log(x)) + 14 * np.log(2e-20 / x + between / (3 - 2 * x)) - np.log(3 - 2 * x)
        )

    difference = points[0].criterion - points[1].criterion
    assert difference == pytest.approx(plain(1e-12) - plain(1e-13), rel=1e-10)


def test_more_groups_than_a_block_holds() -> None:
    """Groups beyond a block of eight stand where they should."""
    frame = rows(5, persons=40, groups=19)
    y, group = frame["y"].to_numpy(), frame["group"].to_numpy()
    who = frame["person"].to_numpy()
    c = np.tanh(0.5) ** 2
    v = (1 - c) * np.eye(len(y)) + c * (who[:, None] == who) + 4 * (group[:, None] == group)
    made = likelihood(frame)
    found = evaluate(made, np.array([2.0, 0.5]), reml=True).criterion + made.offset(True)
    assert found == pytest.approx(Dense(np.ones((len(y), 1)), y, v).criterion(True), rel=1e-12)
