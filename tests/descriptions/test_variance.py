"""Variance components of a column: invariants, and data that do not tell. The estimates themselves:
tests/mixed/inference/test_variance_shares.py."""

from __future__ import annotations

import json
import warnings

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionwise.descriptions import describe, variance_components
from sessionwise.descriptions.variance import home
from sessionwise.panel import Panel

Z = 4.0  # Monte Carlo standard errors allowed


def simulated(
    seed: int, persons: int = 40, clusters: int = 6, sd: tuple[float, float, float] = (1.0, 2.0, 2.0), most: int = 8
) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    n = rng.integers(1, most + 1, persons)
    cluster = rng.integers(0, clusters, persons)
    level = rng.normal(0, sd[0], clusters)[cluster] + rng.normal(0, sd[1], persons)
    who = np.repeat(np.arange(persons), n)
    session = np.concatenate([np.arange(1, k + 1) for k in n])
    y = level[who] + rng.normal(0, sd[2], len(who))
    return pl.DataFrame({"person": who, "session": session, "cluster": cluster[who], "y": y})


def panel(frame: pl.DataFrame, cluster: bool = True) -> Panel:
    return Panel(frame, person="person", session="session", cluster="cluster" if cluster else None)


def numbers(frame: pl.DataFrame, cluster: bool = True) -> np.ndarray:
    c = variance_components(panel(frame, cluster), "y")
    ends = (*(c.icc_interval or ()), *(c.icc_cluster_interval or ()))
    return np.array([c.within, c.person, c.cluster if cluster else 0.0, c.icc, c.reliability, *ends], float)


@pytest.mark.slow
def test_estimates_and_intervals_over_many_samples() -> None:
    """REML is unbiased up to the boundary, here far away: within Z Monte Carlo errors (SD / √R, R = 400). The
    interval's coverage of the ICC is 0.95 within Z √(.95 × .05 / R) = 0.044."""
    got = [numbers(simulated(seed, persons=150, clusters=30)) for seed in range(400)]
    estimates = np.array([g[:3] for g in got])
    error = estimates.std(axis=0, ddof=1) / np.sqrt(len(got))
    assert np.all(np.abs(estimates.mean(axis=0) - [4.0, 4.0, 1.0]) < Z * error)
    covered = np.mean([g[5] <= 5 / 9 <= g[6] for g in got])
    assert abs(covered - 0.95) < Z * np.sqrt(0.95 * 0.05 / len(got))


seeds = st.integers(0, 10_000)


@settings(max_examples=25)
@given(seeds, st.booleans())
def test_row_order_and_labels_do_not_matter(seed: int, cluster: bool) -> None:
    frame = simulated(seed)
    other = frame.with_columns(person=9_000 - 7 * pl.col("person"), cluster=pl.col("cluster") * -3)
    shuffled = other.sample(fraction=1.0, shuffle=True, seed=seed)
    np.testing.assert_allclose(numbers(frame, cluster), numbers(shuffled, cluster), rtol=1e-5, atol=1e-6)


@settings(max_examples=25)
@given(seeds, st.floats(-1e4, 1e4), st.floats(1e-3, 1e3), st.booleans())
def test_shifting_and_scaling(seed: int, shift: float, scale: float, cluster: bool) -> None:
    frame = simulated(seed)
    a, b = numbers(frame, cluster), numbers(frame.with_columns(y=scale * (pl.col("y") + shift)), cluster)
    np.testing.assert_allclose(b[:3], a[:3] * scale**2, rtol=1e-4, atol=1e-5 * scale**2)
    np.testing.assert_allclose(b[3:], a[3:], rtol=1e-4, atol=1e-5)


def test_balanced_data_is_the_analysis_of_variance() -> None:
    rng = np.random.default_rng(5)
    y = rng.normal(0, 2, (30, 1)) + rng.normal(0, 1, (30, 6))
    frame = pl.DataFrame({"person": np.repeat(np.arange(30), 6), "session": np.tile(np.arange(6), 30), "y": y.ravel()})
    got = variance_components(panel(frame, cluster=False), "y")
    within = y.var(axis=1, ddof=1).mean()
    assert got.within == pytest.approx(within, rel=1e-6)
    assert got.person == pytest.approx(y.mean(axis=1).var(ddof=1) - within / 6, rel=1e-6)
    assert got.harmonic_n == pytest.approx(6)
    assert got.reliability == pytest.approx(1 - within / 6 / y.mean(axis=1).var(ddof=1), rel=1e-6)


def test_reliability_of_each_person() -> None:
    frame = simulated(3).with_columns(y=pl.when(pl.col("person") == 4).then(None).otherwise("y"))
    p = panel(frame)
    got = variance_components(p, "y")
    assert got.between is not None
    assert got.within is not None
    n = p.sessions_per_person
    want = got.between / (got.between + got.within / n)
    want[4] = np.nan
    np.testing.assert_allclose(got.reliability_per_person, want)
    has = np.delete(n, 4)
    assert got.harmonic_n == pytest.approx(len(has) / (1 / has).sum())


# --- data that do not tell ----------------------------------------------------------------------------

ROWS = {"person": [1, 1, 2, 2, 3], "session": [1, 2, 1, 2, 1], "cluster": ["a", "a", "a", "b", "b"]}
CASES = {
    "no-values": [None] * 5,
    "constant": [2.5] * 5,
    "one-value-each": [1.0, None, 3.0, None, 2.0],
    "one-person": [1.0, 2.0, None, None, None],
    "no-within": [1.0, 1.0, 3.0, 3.0, 2.0],
}


@pytest.mark.parametrize("code", CASES)
def test_what_cannot_be_known_is_none_with_a_note(code: str) -> None:
    frame = pl.DataFrame(ROWS | {"y": pl.Series(CASES[code], dtype=pl.Float64)})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        got = variance_components(panel(frame), "y", cluster=False)
        whole = describe(panel(frame), ["y"])
        assert str(whole)
        json.dumps(whole.to_dict(), allow_nan=False)
    assert got.findings[0].code == code
    assert got.icc == (1.0 if code == "no-within" else None)
    if code == "one-person":
        assert got.within == pytest.approx(0.5)
    if code == "no-within":
        assert got.person == pytest.approx(1.0)
        assert got.within == 0.0
    assert got.icc_interval is None


def test_infinity_is_missing() -> None:
    frame = simulated(2).with_row_index()
    with_inf = frame.with_columns(y=pl.when(pl.col("index") == 3).then(np.inf).otherwise("y"))
    with_null = frame.with_columns(y=pl.when(pl.col("index") == 3).then(None).otherwise("y"))
    np.testing.assert_array_equal(numbers(with_inf), numbers(with_null))


def test_one_cluster_or_one_person_each_gives_two_levels() -> None:
    frame = simulated(4)
    two = variance_components(panel(frame), "y", cluster=False)
    for column, code in ((pl.lit(1), "one-cluster"), (pl.col("person"), "one-person-each")):
        got = variance_components(panel(frame.with_columns(cluster=column)), "y")
        assert (got.cluster, got.icc_cluster) == (None, None)
        assert got.person == two.person
        assert got.findings[0].code == code


def test_home_is_the_cluster_of_most_sessions_the_earliest_among_equals() -> None:
    frame = pl.DataFrame(
        {
            "person": [1, 1, 1, 2, 2, 3, 3, 4],
            "session": [1, 2, 3, 1, 2, 1, 2, 1],
            "cluster": ["a", "b", "b", "b", "a", None, "c", None],
        }
    )
    got = home(panel(frame))
    assert got is not None
    assert got.codes.tolist() == [1, 1, 2, -1]
    assert (got.moved, got.unknown) == (2, 1)


def test_a_person_without_cluster_is_a_cluster_of_one() -> None:
    frame = simulated(6, persons=30)
    lost = frame.with_columns(cluster=pl.when(pl.col("person") < 3).then(None).otherwise("cluster"))
    alone = frame.with_columns(cluster=pl.when(pl.col("person") < 3).then(100 + pl.col("person")).otherwise("cluster"))
    np.testing.assert_allclose(numbers(lost), numbers(alone), rtol=1e-6, atol=1e-7)


def test_same_in_all_sessions_with_clusters_is_reml_over_persons() -> None:
    frame = simulated(7, clusters=8)
    once = frame.with_columns(y=pl.col("y").first().over("person"))
    persons = once.unique("person", keep="first").with_columns(person="cluster", session="person", cluster=pl.lit(0))
    got = variance_components(panel(once), "y")
    want = variance_components(panel(persons), "y", cluster=False)
    assert got.within == 0.0
    assert (got.person, got.cluster) == (pytest.approx(want.within, rel=1e-6), pytest.approx(want.person, rel=1e-6))
    assert got.icc_cluster_interval == pytest.approx(want.icc_interval, abs=1e-6)


@pytest.mark.parametrize("level", [0.0, 1e6, 1e7, 1e9])
def test_a_large_mean_does_not_hide_the_variance(level: float) -> None:
    rng = np.random.default_rng(8)
    y = np.repeat(3 * rng.normal(size=40), 6) + rng.normal(size=240)
    frame = pl.DataFrame({"p": np.repeat(np.arange(40), 6), "s": np.tile(np.arange(6), 40), "y": y + level})
    found = variance_components(Panel(frame, person="p", session="s"), "y")
    assert found.within == pytest.approx(((y - np.repeat(y.reshape(40, 6).mean(axis=1), 6)) ** 2).sum() / 200, rel=1e-5)


def test_a_constant_is_constant_at_any_level() -> None:
    for level in (0.1, 1 / 3, 1e9 + 0.1, 7e15):
        frame = pl.DataFrame({"p": np.repeat(np.arange(9), 7), "s": np.tile(np.arange(7), 9), "y": np.full(63, level)})
        found = variance_components(Panel(frame, person="p", session="s"), "y")
        assert found.findings[0].code == "constant", level
