"""Shares of variance and their intervals: beside brute force, beside the multilevel model, on data of known truth."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar

import sessionwise as sw
from sessionwise.mixed import MixedLikelihood, Solution, evaluate
from sessionwise.mixed.exchangeable import random_intercepts
from sessionwise.mixed.inference.variance_shares import (
    ShareIntervals,
    VarianceShares,
    share_intervals,
    solved,
    variance_shares,
)

CHI2_95 = 3.841458820694124
#: Monte Carlo standard errors allowed.
Z = 4.0


@dataclass(frozen=True, eq=False)
class Sums:
    """What a model takes of persons."""

    n: np.ndarray
    mean: np.ndarray
    within: float
    group: np.ndarray | None

    def fit(self) -> Solution:
        return solved(random_intercepts(self.n, self.mean, self.within, self.group))

    def numbers(self) -> np.ndarray:
        """Variances, shares and ends, those of groups 0 without."""
        fit = self.fit()
        shares, ends = variance_shares(fit), share_intervals(fit)
        of_group = shares.group or 0.0, shares.group_share or 0.0, *(ends.group or (0.0, 0.0))
        return np.array([shares.within, shares.person, shares.between_share, *ends.between, *of_group])


def sums(
    seed: int, persons: int = 40, groups: int = 6, sds: tuple[float, float, float] = (1.0, 2.0, 2.0), most: int = 8
) -> Sums:
    """sds : between groups, between persons, within persons. groups : 0 for none; empty ones are left out."""
    rng = np.random.default_rng(seed)
    n = rng.integers(1, most + 1, persons)
    n[0] = max(n[0], 2)
    mean = rng.normal(0, np.sqrt(sds[1] ** 2 + sds[2] ** 2 / n))
    group = None
    if groups:
        group = np.unique(rng.integers(0, groups, persons), return_inverse=True)[1]
        group[:2] = 0, group.max()
        mean = mean + rng.normal(0, sds[0], groups)[group]
    return Sums(n, mean, sds[2] ** 2 * float(rng.chisquare(n.sum() - persons)), group)


# --- beside brute force -------------------------------------------------------------------------------


def criterion(likelihood: MixedLikelihood, between: float, group: float) -> float:
    """At two shares of the total variance."""
    own = np.arcsinh(np.sqrt(max(between - group, 0.0) / (1 - between)))
    point = [np.sqrt(group / (1 - group)), own] if likelihood.n_theta else [own]
    return evaluate(likelihood, np.array(point), reml=True).criterion


def least(likelihood: MixedLikelihood, between: float | None = None, group: float | None = None) -> float:
    """The smallest criterion at a share, over what it leaves free: on a grid, then closer."""
    if not likelihood.n_theta:
        return criterion(likelihood, between or 0.0, 0.0)

    def at(f: float) -> float:
        if between is not None:
            return criterion(likelihood, between, f * between)
        return criterion(likelihood, group + f * (1 - group), group)

    grid = np.unique([0.0, *np.geomspace(1e-7, 0.5, 150), *(1 - np.geomspace(1e-9, 0.5, 150))])
    if between is not None:
        grid = np.append(grid, 1.0)
    values = [at(f) for f in grid]
    best = int(np.argmin(values))
    near = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    return min(values[best], float(minimize_scalar(at, bounds=near, method="bounded", options={"xatol": 1e-12}).fun))


@pytest.mark.parametrize("seed", range(24))
def test_no_point_is_better_than_the_optimum_and_ends_are_on_the_target(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sds = *rng.choice([0.0, 0.1, 1.0, 10.0, 300.0], 2), 1.0
    data = sums(seed, int(rng.integers(4, 200)), int(rng.choice([0, 2, 5, 30])), sds, 11)
    fit = data.fit()
    best, likelihood = fit.optimum.evaluation.criterion, fit.problem
    shares, ends = variance_shares(fit), share_intervals(fit)
    assert fit.optimum.converged
    grid = [0.0, *np.geomspace(1e-6, 0.5, 20), *(1 - np.geomspace(1e-7, 0.4, 20))]
    parts = np.linspace(0, 1, 11) if likelihood.n_theta else [0.0]
    assert best <= min(criterion(likelihood, s, f * s) for s in grid for f in parts) + 1e-9
    _on_target(likelihood, best, ends.between, shares.between_share, "between")
    if ends.group is not None:
        _on_target(likelihood, best, ends.group, shares.group_share, "group")


@settings(max_examples=60)
@example(110, 10)  # the minimum that the grid is lowest near is not the lowest
@given(st.integers(0, 10_000), st.sampled_from([0, 3, 10]))
def test_where_there_are_several_maxima_the_highest_is_found(seed: int, groups: int) -> None:
    """With one or two values a person and little between them there often are."""
    fit = sums(seed, 30, groups, (0.5, 0.0, 1.0), 2).fit()
    grid = [0.0, *np.geomspace(1e-3, 0.3, 12), *np.linspace(0.35, 0.95, 13)]
    parts = np.linspace(0, 1, 11) if groups else [0.0]
    values = [criterion(fit.problem, s, f * s) for s in grid for f in parts]
    assert fit.optimum.evaluation.criterion <= min(values) + 1e-9


def _on_target(likelihood: MixedLikelihood, best: float, ends: tuple[float, float], at: float, which: str) -> None:
    low, high = ends
    assert 0 <= low <= at <= high <= 1
    for end in ends:
        if end == 0.0:
            assert least(likelihood, **{which: 0.0}) - best <= CHI2_95 + 1e-5
        elif end < 1 - 1e-6:  # closer to 1 a share has too few digits for this
            assert least(likelihood, **{which: end}) - best == pytest.approx(CHI2_95, abs=1e-4)


def test_balanced_data_is_the_analysis_of_variance() -> None:
    rng = np.random.default_rng(5)
    y = rng.normal(0, 2, (30, 1)) + rng.normal(0, 1, (30, 6))
    within = y.var(axis=1, ddof=1).mean()
    shares = variance_shares(Sums(np.full(30, 6), y.mean(axis=1), within * 150, None).fit())
    assert shares.within == pytest.approx(within, rel=1e-10)
    assert shares.person == pytest.approx(y.mean(axis=1).var(ddof=1) - within / 6, rel=1e-10)
    assert shares.between_share == pytest.approx(shares.person / (shares.person + within), rel=1e-12)
    assert (shares.group, shares.group_share) == (None, None)


# --- beside the multilevel model ----------------------------------------------------------------------


def panel(data: Sums, seed: int) -> sw.Panel:
    """Sessions with these sums."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(len(data.n)), data.n)
    session = np.concatenate([np.arange(k) for k in data.n])
    e = rng.normal(size=len(who))
    e -= (np.bincount(who, e) / data.n)[who]
    y = data.mean[who] + e * np.sqrt(data.within / (e @ e))
    group = np.zeros(len(who)) if data.group is None else data.group[who]
    frame = pl.DataFrame({"person": who, "session": session, "group": group, "y": y})
    return sw.Panel(frame, person="person", session="session")


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("groups", [0, 8])
def test_the_multilevel_model_has_these_variances_and_this_criterion(seed: int, groups: int) -> None:
    data = sums(seed, 60, groups)
    formula = "y ~ 1 + (1 | person)" + (" + (1 | group)" if groups else "")
    theirs, mine = sw.MLM(formula).fit(panel(data, seed)), data.fit()
    shares = variance_shares(mine)
    assert mine.criterion == pytest.approx(theirs.deviance, abs=1e-7)
    assert shares.within == pytest.approx(theirs.sigma**2, rel=1e-6)
    assert shares.person == pytest.approx(theirs.varcorr["person"].cov[0, 0], rel=1e-5, abs=1e-9)
    if groups:
        assert shares.group == pytest.approx(theirs.varcorr["group"].cov[0, 0], rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_the_multilevel_models_profile_has_these_ends(seed: int) -> None:
    """Its REML criterion with theta^2 = share / (1 - share) held, solved by SciPy."""
    data = sums(seed, 60, 0, (0.0, 1.0, 2.0))
    theirs = sw.MLM("y ~ 1 + (1 | person)").fit(panel(data, seed)).solution

    def rise(share: float) -> float:
        theta = np.array([np.sqrt(share / (1 - share))])
        return evaluate(theirs.problem, theta, reml=True).criterion - theirs.optimum.evaluation.criterion - CHI2_95

    fit = data.fit()
    at, (low, high) = variance_shares(fit).between_share, share_intervals(fit).between
    assert high == pytest.approx(brentq(rise, at, 1 - 1e-9, xtol=1e-13), abs=1e-8)
    assert low == (pytest.approx(brentq(rise, 0.0, at, xtol=1e-13), abs=1e-8) if rise(0.0) > 0 else 0.0)


def test_profile_intervals_by_maximum_likelihood_of_many_persons_are_close() -> None:
    """MLM's profile is of standard deviations and by maximum likelihood: with 2000 persons and the spread within known
    to a hundredth, the share's ends are those of the SD to a few thousandths."""
    data = sums(3, 2000, 0, (0.0, 2.0, 2.0), 20)
    intervals = sw.MLM("y ~ 1 + (1 | person)").fit(panel(data, 3)).confint("profile", which=["sd", "sigma"])
    sds = intervals.filter(pl.col("parameter") == "sd_(Intercept)|person")
    fit = data.fit()
    within = variance_shares(fit).within
    sd = sds.select("low", "high").row(0)
    share = [s**2 / (s**2 + within) for s in sd]
    assert share_intervals(fit).between == pytest.approx(share, abs=0.004)


# --- what must not matter -----------------------------------------------------------------------------

seeds = st.integers(0, 10_000)
grouped = st.sampled_from([0, 6])


@settings(max_examples=25)
@given(seeds, grouped)
def test_order_of_persons_and_labels_of_groups_do_not_matter(seed: int, groups: int) -> None:
    data, rng = sums(seed, 30, groups), np.random.default_rng(seed)
    order = rng.permutation(30)
    group = None
    if data.group is not None:
        group = rng.permutation(data.group.max() + 1)[data.group][order]
    other = Sums(data.n[order], data.mean[order], data.within, group)
    np.testing.assert_allclose(other.numbers(), data.numbers(), rtol=1e-6, atol=1e-7)


@settings(max_examples=25)
@given(seeds, st.floats(-1e4, 1e4), st.floats(1e-3, 1e3), grouped)
def test_shifting_and_scaling(seed: int, shift: float, scale: float, groups: int) -> None:
    data = sums(seed, 30, groups)
    other = replace(data, mean=scale * (data.mean + shift), within=scale**2 * data.within)
    a, b = data.numbers(), other.numbers()
    squared = [0, 1, 5]
    b[squared] /= scale**2
    np.testing.assert_allclose(b, a, rtol=1e-5, atol=1e-6)


@settings(max_examples=15)
@given(seeds)
def test_groups_that_do_not_differ_leave_two_levels(seed: int) -> None:
    """With the variance between groups at 0 the rest is the model without groups; the interval may be another."""
    data = sums(seed, 40, 5, (0.0, 1.0, 1.0))
    with_groups, without = (variance_shares(d.fit()) for d in (data, replace(data, group=None)))
    if with_groups.group == 0.0:
        assert with_groups.within == pytest.approx(without.within, rel=1e-7)
        assert with_groups.between_share == pytest.approx(without.between_share, abs=1e-7)
    else:
        assert with_groups.group_share > 1e-9


# --- ends of the range --------------------------------------------------------------------------------


def of_means(mean: list[float], within: float, group: list[int] | None = None) -> tuple[VarianceShares, ShareIntervals]:
    """Three values each."""
    data = Sums(np.full(len(mean), 3), np.array(mean), within, None if group is None else np.array(group))
    fit = data.fit()
    return variance_shares(fit), share_intervals(fit)


def test_means_that_differ_less_than_by_chance_have_a_variance_of_exactly_zero() -> None:
    shares, ends = of_means([0.0, 0.1, -0.1, 0.05], 40.0)
    assert (shares.person, shares.between_share, ends.between[0]) == (0.0, 0.0, 0.0)
    assert 0 < ends.between[1] < 1
    shares, ends = of_means([0.0, 0.1, -0.1, 0.05, 0.02, 0.0], 60.0, [0, 0, 1, 1, 2, 2])
    assert (shares.person, shares.group, shares.between_share, shares.group_share) == (0.0, 0.0, 0.0, 0.0)
    assert ends.between[0] == 0.0
    assert ends.group is not None
    assert ends.group[0] == 0.0
    assert 0 < ends.group[1] < 1


def test_one_of_two_variances_is_zero() -> None:
    only_groups, ends = of_means([5.0, 5.1, -5.0, -5.1, 0.1, 0.0, 9.0, 9.1], 40.0, [0, 0, 1, 1, 2, 2, 3, 3])
    assert only_groups.person == 0.0
    assert only_groups.group_share == only_groups.between_share
    assert ends.group is not None
    assert ends.group[1] < 1
    only_persons, ends = of_means([5.0, -5.1, -5.0, 5.1, 0.1, 0.0, 9.0, -9.1], 40.0, [0, 0, 1, 1, 2, 2, 3, 3])
    assert (only_persons.group, only_persons.group_share) == (0.0, 0.0)
    assert only_persons.person > 0
    assert ends.group is not None
    assert ends.group[0] == 0.0


@pytest.mark.parametrize("tiny", [1e-4, 1e-8, 1e-12, 1e-20])
@pytest.mark.parametrize("grouped", [False, True])
def test_a_share_near_one(tiny: float, grouped: bool) -> None:
    """As little as rounding leaves of the variance within: it is found, and the rest as if there were none."""
    mean = [5.0, 3.1, -5.0, -1.1, 0.1, 0.5, 9.0, 4.1]
    group = [0, 0, 1, 1, 2, 2, 3, 3] if grouped else None
    shares, ends = of_means(mean, tiny, group)
    assert shares.within == pytest.approx(tiny / 16, rel=1e-3)
    assert shares.between_share == pytest.approx(1, abs=tiny)
    assert 1 - 30 * tiny <= ends.between[0] <= ends.between[1] <= 1
    if grouped:  # as persons' means alone have it, each once
        alone = Sums(np.full(4, 2), np.array([4.05, -3.05, 0.3, 6.55]), 0.5 * (1.9**2 + 3.9**2 + 0.4**2 + 4.9**2), None)
        assert shares.group_share == pytest.approx(variance_shares(alone.fit()).between_share, abs=1e-3)
        assert ends.group == pytest.approx(share_intervals(alone.fit()).between, abs=1e-3)


@pytest.mark.parametrize("persons", [2, 3])
def test_a_few_persons(persons: int) -> None:
    shares, ends = of_means([1.0, 4.0, 2.5][:persons], 3.0)
    assert 0 < shares.between_share < 1
    assert 0 <= ends.between[0] < shares.between_share < ends.between[1] < 1


def test_a_wider_interval_at_a_higher_level() -> None:
    fit = sums(1).fit()
    narrow, usual, wide = (share_intervals(fit, level).between for level in (0.5, 0.95, 0.999))
    assert wide[0] < usual[0] < narrow[0] < variance_shares(fit).between_share < narrow[1] < usual[1] < wide[1]
    assert usual == share_intervals(fit).between


# --- data whose truth is known ------------------------------------------------------------------------


def coverage(samples: int, persons: int, groups: int) -> np.ndarray:
    """How often the intervals hold the true shares, between and groups', of variances 4 within, 4 and 1 (persons and
    groups; 0 without groups)."""
    truth = np.array([5 / 9, 1 / 9]) if groups else np.array([4 / 8, 0.0])
    hits = np.zeros(2)
    for seed in range(samples):
        found = share_intervals(sums(seed, persons, groups).fit())
        ends = np.array([found.between, found.group or (0.0, 0.0)])
        hits += (ends[:, 0] <= truth) & (truth <= ends[:, 1])
    return np.asarray(hits / samples)


def test_coverage() -> None:
    """0.95 within Z Monte Carlo standard errors."""
    samples = 150
    covered = coverage(samples, 60, 0)[0]
    assert abs(covered - 0.95) < Z * np.sqrt(0.95 * 0.05 / samples)


@pytest.mark.slow
def test_coverage_with_groups_and_without_bias() -> None:
    """0.95 within Z Monte Carlo standard errors and 0.01, since 40 groups are not infinitely many; and REML, far from
    its boundary, is unbiased: within Z standard errors of the mean."""
    samples = 1000
    covered = coverage(samples, 200, 40)
    assert (np.abs(covered - 0.95) < 0.01 + Z * np.sqrt(0.95 * 0.05 / samples)).all()
    shares = [variance_shares(sums(seed, 200, 40).fit()) for seed in range(samples)]
    found = np.array([(s.within, s.person, s.group) for s in shares], float)
    error = found.std(axis=0, ddof=1) / np.sqrt(samples)
    assert (np.abs(found.mean(axis=0) - [4.0, 4.0, 1.0]) < Z * error).all()
