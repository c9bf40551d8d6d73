"""Variance components by restricted maximum likelihood, from one mean and count per person.

Model: y = mean + cluster + person + rest, each part normal and independent, with variances τc², τp² and σ²;
without clusters τc² is absent. All that the criterion needs is, for each person, the number of values and
their mean, and one pooled sum of squares within persons. With λp = τp²/σ², λc = τc²/σ² and the Woodbury
identity applied twice,

    w_i = n_i / (1 + λp n_i)          weight of person i's mean
    W_k = Σ w_i,  M_k = Σ w_i m_i / W_k    of cluster k
    v_k = W_k / (1 + λc W_k)          weight of a cluster's mean
    Q   = SSW + Σ w_i (m_i − M_k)² + Σ v_k (M_k − mean)²,   mean = Σ v_k M_k / Σ v_k
    criterion = Σ log(1 + λp n_i) + Σ log(1 + λc W_k) + log Σ v_k + (N − 1)(1 + log(2π Q / (N − 1)))

which is lme4's REML criterion (Bates et al. 2015, J Stat Softw 67(1), eq. 41) for this model; σ² = Q/(N − 1).
Searches run over λ/(1 + λ) or shares of the variance, where zero is an ordinary end of the range.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: 95 % point of χ² with one degree of freedom.
CHI2_95 = 3.841458820694124
#: Tolerance on λ/(1 + λ) at the minimum.
FINE = 1e-10
#: Tolerance on the nuisance share in intervals; its square is the error of the profile.
ROUGH = 1e-5
#: Largest share of variance that the search looks at.
MOST = 1.0 - 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """What the criterion needs; its size is clusters × different counts, however many persons there are.

    n : float64 (n_counts,) the different numbers of values that persons have, ascending, > 0.
    persons : float64 (n_counts,) how many persons have so many.
    table : float64 (n_counts, 3 n_clusters): per count and cluster the number of persons (first third of the
        columns), the sum of their means minus `base`, and the sum of the squares of that.
    base : float64 (n_clusters,) a constant near the means of each cluster.
    ssw : sum of squared deviations from the persons' means.
    values : how many values in all.
    levels : 3, or 2 without clusters (then all persons are in one, whose variance stays 0).
    """

    n: Floats
    persons: Floats
    table: Floats
    base: Floats
    ssw: float
    values: float
    levels: int


def sums(n: Floats, mean: Floats, ssw: float, cluster: Ints | None = None) -> Sums:
    """From each person's number of values and their mean, (n_persons,), and cluster code (0..K − 1) or None."""
    code = np.zeros(len(n), np.int64) if cluster is None else cluster
    clusters = int(code.max()) + 1
    counts, which = np.unique(n, return_inverse=True)
    base = np.bincount(code, mean, clusters) / np.bincount(code, minlength=clusters)
    away = mean - base[code]
    table = np.zeros((len(counts), 3, clusters))
    for part, weight in enumerate((np.ones(len(n)), away, away * away)):
        np.add.at(table[:, part], (which, code), weight)
    return Sums(
        n=counts,
        persons=np.bincount(which).astype(float),
        table=table.reshape(len(counts), 3 * clusters),
        base=base,
        ssw=ssw,
        values=float(n.sum()),
        levels=2 if cluster is None else 3,
    )


@dataclass(frozen=True, slots=True)
class Point:
    """The criterion at one pair of ratios: value, slope along λp and λc, and what it implies."""

    value: float
    slope_person: float
    slope_cluster: float
    sigma2: float
    mean: float


@dataclass(frozen=True, slots=True)
class Solution:
    """Shares of the total variance at the minimum, and the criterion there."""

    share_person: float
    share_cluster: float
    at: Point


def criterion(sums: Sums, person: float, cluster: float) -> Point:
    """The REML criterion at λp = `person`, λc = `cluster`, with its exact slopes."""
    grow = 1.0 + person * sums.n
    w = sums.n / grow
    by = np.array([w, w * w]) @ sums.table
    (big, first, second), (w2, w2first, w2second) = by.reshape(2, 3, -1)
    shift = first / big
    centre = sums.base + shift
    grow_c = 1.0 + cluster * big
    v = big / grow_c
    total = float(v.sum())
    mean = float(v @ centre) / total
    away = centre - mean
    va = v * away
    q = sums.ssw + max(0.0, float(second.sum() - shift @ first)) + float(va @ away)
    df = sums.values - 1.0
    log = float(sums.persons @ np.log(grow)) + float(np.log(grow_c).sum()) + math.log(total)
    value = log + df * (1.0 + math.log(2.0 * math.pi * q / df))
    slope_c = total - float(v @ v) / total - df / q * float(va @ va)
    # Σ (1'V⁻¹(y − mean))² over persons: own deviation plus what is left of the cluster's
    rest = away - cluster * va - shift
    quad = float(w2second.sum() + rest @ (2.0 * w2first + rest * w2))
    diagonal = float(big.sum() - (cluster / grow_c) @ w2)
    slope_p = diagonal - float(w2 @ (1.0 / grow_c**2)) / total - df / q * quad
    return Point(value, slope_p, slope_c, q / df, mean)


def solve(sums: Sums) -> Solution:
    """The minimum over λp and, with three levels, λc.

    The best λc is found for each λp, then the best λp: both searches are one-dimensional, in λ/(1 + λ), and
    bounded, so that a variance of zero is found as an end of its range.
    """
    clusters = _Warm(0.1, FINE)

    def given(a: float) -> _Found:
        ratio = a / (1.0 - a)

        def cluster(b: float) -> _Found:
            other = b / (1.0 - b)
            point = criterion(sums, ratio, other)
            return _Found(b, point.value, point.slope_cluster * (1.0 + other) ** 2, (other, point))

        found = cluster(0.0) if sums.levels == 2 else clusters.minimum(cluster, MOST)
        point = found.extra[1]
        return _Found(a, point.value, point.slope_person * (1.0 + ratio) ** 2, found.extra)

    looks = [(criterion(sums, x / (1.0 - x), 0.1).value, x) for x in (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98)]
    best = _minimum(given, 0.0, MOST, min(looks)[1], 0.05, FINE)
    person, (cluster, point) = best.x / (1.0 - best.x), best.extra
    total = 1.0 + person + cluster
    return Solution(person / total, cluster / total, point)


def intervals(sums: Sums, best: Solution) -> tuple[tuple[float, float], tuple[float, float] | None]:
    """95 % profile likelihood intervals of the between share, and of the cluster's share (None: two levels).

    The ends are where the criterion, minimised over everything else, is 3.84 above its minimum.
    """
    share = best.share_person + best.share_cluster
    tolerance = ROUGH * min(1.0, 10.0 * (1.0 - share))
    part = best.share_cluster / share if share else 0.2
    between = _interval(_between(sums, part, tolerance), share, best.at.value)
    if sums.levels == 2:
        return between, None
    part = best.share_person / (1.0 - best.share_cluster)
    return between, _interval(_cluster(sums, part, tolerance), best.share_cluster, best.at.value)


# --- profiles: share -> (criterion, slope, what else was found there) --------------------------------

Extra = tuple[float, Point]


@dataclass(frozen=True, slots=True)
class _Found:
    x: float
    value: float
    slope: float
    extra: Extra


def _at(sums: Sums, person: float, cluster: float) -> tuple[Point, float, float]:
    """The criterion at two shares, with its slopes along them."""
    rest = max(1.0 - person - cluster, 1.0 - MOST)
    p, c = person / rest, cluster / rest
    point = criterion(sums, p, c)
    # ∂λp/∂share_p = (rest + p)/rest², ∂λc/∂share_p = c/rest², and the other way round
    common = (p * point.slope_person + c * point.slope_cluster) / rest
    return point, point.slope_person / rest + common, point.slope_cluster / rest + common


def _between(sums: Sums, start: float, tolerance: float) -> Callable[[float], _Found]:
    """Profile of the between share; extra: the cluster's part of it."""
    nuisance = _Warm(start, tolerance)

    def profile(share: float) -> _Found:
        if sums.levels == 2:
            point, slope, _ = _at(sums, share, 0.0)
            return _Found(share, point.value, slope, (0.0, point))
        if share == 0.0:  # nothing to divide; the slope is that of the better direction to leave in
            point, along_p, along_c = _at(sums, 0.0, 0.0)
            return _Found(share, point.value, min(along_p, along_c), (0.0, point))

        def divided(fraction: float) -> _Found:
            part = fraction * share
            point, along_p, along_c = _at(sums, share - part, part)
            slope = along_p * (1.0 - fraction) + along_c * fraction
            return _Found(fraction, point.value, (along_c - along_p) * share, (slope, point))

        found = nuisance.minimum(divided, 1.0)
        slope, point = found.extra
        return _Found(share, found.value, slope, (found.x * share, point))

    return profile


def _cluster(sums: Sums, start: float, tolerance: float) -> Callable[[float], _Found]:
    """Profile of the cluster's share; the person's share is a fraction of what is left."""
    nuisance = _Warm(start, tolerance)

    def profile(share: float) -> _Found:
        left = MOST - share

        def divided(fraction: float) -> _Found:
            point, along_p, along_c = _at(sums, fraction * left, share)
            return _Found(fraction, point.value, along_p * left, (along_c - along_p * fraction, point))

        found = nuisance.minimum(divided, MOST)
        return _Found(share, found.value, found.extra[0], found.extra)

    return profile


class _Warm:
    """The minimum over [0, high], begun where the last one ended, with a step like the last move."""

    def __init__(self, start: float, tolerance: float) -> None:
        self.start, self.step, self.tolerance = start, 0.05, tolerance

    def minimum(self, f: Callable[[float], _Found], high: float) -> _Found:
        found = _minimum(f, 0.0, high, self.start, self.step, self.tolerance)
        self.step = min(max(2.0 * abs(found.x - self.start), 1e-4), 0.1)
        self.start = found.x
        return found


def _minimum(
    f: Callable[[float], _Found], low: float, high: float, start: float, step: float, tolerance: float
) -> _Found:
    """The minimum of a function with slope on [low, high], ends included.

    Walks downhill from `start` to a bracket in which the slope changes sign, then closes in by the secant,
    halving where the secant does not keep up.
    """
    if high <= low:
        return f(low)
    a, b = _bracket(f, f(min(max(start, low), high)), low, high, step)
    return a if a is b else _close_in(f, a, b, tolerance * (high - low))


def _bracket(
    f: Callable[[float], _Found], middle: _Found, low: float, high: float, step: float
) -> tuple[_Found, _Found]:
    """Two points with slopes below and above zero, or twice the end at which the minimum is."""
    point = middle
    sign = -1.0 if middle.slope > 0 else 1.0
    while True:
        end = high if sign > 0 else low
        if point.x == end:
            return point, point
        x = point.x + sign * step
        # close to an end the end itself is looked at: zero is a frequent answer
        x = end if (x - end) * sign >= -step else x
        new = f(x)
        if new.slope * sign >= 0:
            return (point, new) if sign > 0 else (new, point)
        point, step = new, 4.0 * step


def _close_in(f: Callable[[float], _Found], a: _Found, b: _Found, tolerance: float) -> _Found:
    """Zero of the slope between a (slope < 0) and b (slope >= 0): Brent (1973, ch. 4), with a step no smaller
    than `tolerance`."""
    best, other, before = (a, b, b) if -a.slope < b.slope else (b, a, a)
    step = last = other.x - best.x
    for _ in range(100):
        half = 0.5 * (other.x - best.x)
        if abs(half) <= tolerance or best.slope == 0.0:
            break
        wanted = _interpolated(best, other, before)
        if abs(last) < tolerance or not 0.0 < wanted / half < 1.5 or abs(wanted) >= 0.5 * abs(last):
            step = last = half
        else:
            step, last = wanted, step
        before, best = best, f(best.x + (step if abs(step) > tolerance else math.copysign(tolerance, half)))
        if (best.slope < 0) == (other.slope < 0):
            other, step = before, best.x - before.x
            last = step
        if abs(other.slope) < abs(best.slope):
            before, best, other = best, other, best
    return best


def _interpolated(best: _Found, other: _Found, before: _Found) -> float:
    """Step to the zero of the slope through two points (secant) or three (inverse quadratic); NaN: none."""
    fa, fb, fc = before.slope, best.slope, other.slope
    if fa in (fb, fc):
        return -fb * (other.x - best.x) / (fc - fb) if fc != fb else math.nan
    q, r, s = fa / fc, fb / fc, fb / fa
    p = s * ((other.x - best.x) * q * (q - r) - (best.x - before.x) * (r - 1.0))
    d = -(q - 1.0) * (r - 1.0) * (s - 1.0)
    return p / d if d != 0.0 else math.nan


def _interval(profile: Callable[[float], _Found], best: float, least: float) -> tuple[float, float]:
    high = _end(profile, best, least, MOST, best + 0.2 * (MOST - best))
    return _end(profile, best, least, 0.0, max(2.0 * best - high, 0.5 * best)), high


def _end(profile: Callable[[float], _Found], best: float, least: float, end: float, x: float) -> float:
    """Where the profile is `CHI2_95` above its minimum, between there and `end`; `end` if it is nowhere.

    Newton's steps from `x` on √(criterion − minimum), which is nearly straight, kept within a bracket.
    """
    if best == end:
        return end
    inside, outside, sure = best, end, False  # sure: `outside` is known to lie above the target
    for _ in range(80):
        p = profile(x)
        over = p.value - least
        if abs(over - CHI2_95) < 1e-5 or abs(outside - inside) < 1e-12:
            return x
        if over < CHI2_95:
            if x == end:
                return end
            inside = x
        else:
            outside, sure = x, True
        root = math.sqrt(max(over, 1e-12))
        slope = p.slope / (2.0 * root)
        x += (math.sqrt(CHI2_95) - root) / slope if slope != 0.0 and math.isfinite(slope) else math.inf
        if not min(inside, outside) < x < max(inside, outside):
            x = 0.5 * (inside + outside) if sure else end
    return x
