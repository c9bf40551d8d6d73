"""Classified: which of the four categories each person is in, from scores or from slopes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..contract import Found, in_order
from ..series import Floats, Ints, Series, first_and_last
from .indices import index
from .slopes import FEWEST, own_slopes

if TYPE_CHECKING:
    from .model import ReliableChange

RECOVERED, IMPROVED, DETERIORATED, NONE = 0, 1, 2, -1
NAMES = np.array(["recovered", "improved", "deteriorated", "unchanged"])


@dataclass(frozen=True, slots=True, eq=False)
class _Places:
    """Changes as places in the series; int64 (n,) each. base : of the score that is compared with."""

    person: Ints
    base: Ints
    start: Ints
    turning: Ints
    end: Ints
    kind: Ints


def found_by_scores(rule: ReliableChange, series: Series) -> Found:
    """Changes of the last rating, or of runs of ratings, against the first."""
    assessed = series.counts > 1
    values = series.values if series.values.shape[1] else np.full((series.persons, 1), np.nan)
    sessions = series.sessions if series.values.shape[1] else np.zeros(values.shape, np.int64)
    before = np.broadcast_to(values[:, :1], values.shape)
    z, better, worse = strength(rule, before, values)
    kind = categories(rule, before, values, better, worse)
    kind[:, 0] = NONE
    margin = np.where(kind == DETERIORATED, worse, better)
    places = _last(kind, series.counts) if rule.against == "last" else _runs(kind, margin)
    known = rule.method not in ("percentage", "anchor")
    return _found(Series(values, sessions), places, z, margin, assessed, known)


def _last(kind: Ints, counts: Ints) -> _Places:
    last = np.maximum(counts - 1, 0)
    person = (kind[np.arange(len(kind)), last] != NONE).nonzero()[0]
    first, at = np.zeros(len(person), np.int64), last[person]
    return _Places(person, first, first, at, at, kind[person, at])


def _runs(kind: Ints, margin: Floats) -> _Places:
    """Runs of ratings that are better, recovered or not, or worse; recovered if one of them is."""
    side = np.where(kind == RECOVERED, IMPROVED, kind)
    goes_on = np.zeros(kind.shape, bool)
    goes_on[:, 1:] = side[:, 1:] == side[:, :-1]
    ends = np.ones(kind.shape, bool)
    ends[:, :-1] = ~goes_on[:, 1:]
    person, start = np.nonzero((kind != NONE) & ~goes_on)
    end = np.nonzero((kind != NONE) & ends)[1]
    best, most = kind[person, start], start.copy()
    for step in range(1, int((end - start).max(initial=0)) + 1):
        at = np.minimum(start + step, end)
        best = np.minimum(best, kind[person, at])
        most = np.where(margin[person, at] > margin[person, most], at, most)
    return _Places(person, np.zeros(len(person), np.int64), start - 1, most, end, best)


def _found(
    series: Series, at: _Places, index_: Floats, margin: Floats, assessed: np.ndarray, probability: bool
) -> Found:
    before, after = series.values[at.person, at.base], series.values[at.person, at.turning]
    z = index_[at.person, at.turning]
    return in_order(
        Found(
            person=at.person,
            kind=at.kind,
            start=series.sessions[at.person, at.start],
            turning=series.sessions[at.person, at.turning],
            end=series.sessions[at.person, at.end],
            magnitude=np.abs(after - before),
            evidence=np.maximum(margin[at.person, at.turning], 1.0),
            probability=_two_sided(z) if probability else np.full(len(z), np.nan),
            assessed=assessed,
            more={"before": before, "after": after, "index": z},
        )
    )


def found_by_slope(rule: ReliableChange, series: Series) -> Found:
    """Persons whose own slope over sessions is not zero, or not the mean one; the magnitude is that of their line."""
    z, change, assessed = _slope_indices(rule, series)
    pre, post = first_and_last(series)
    kind = categories(rule, pre, post, z / rule.limit, -z / rule.limit)
    kind[~assessed] = NONE
    person = (kind != NONE).nonzero()[0]
    last = series.counts[person] - 1
    first = np.zeros(len(person), np.int64)
    places = _Places(person, first, first, last, last, kind[person])
    wide = np.broadcast_to(z[:, None], series.values.shape)
    found = _found(series, places, wide, np.abs(wide) / rule.limit, assessed, True)
    return Found(
        **{name: getattr(found, name) for name in ("person", "kind", "start", "turning", "end")},
        magnitude=np.abs(change[found.person]),
        **{name: getattr(found, name) for name in ("evidence", "probability", "assessed", "more")},
    )


def _slope_indices(rule: ReliableChange, series: Series) -> tuple[Floats, Floats, np.ndarray]:
    """Slope over its error, positive for better; change along the line; who has ratings enough."""
    assert rule.slopes is not None
    slope, sd = own_slopes(series, rule.slopes)
    if rule.slope == "own":
        slope = slope + rule.slopes.fixed[1]
    sign = 1.0 if rule.better == "higher" else -1.0
    assessed = series.counts >= FEWEST
    z = np.where(assessed & (sd > 0), sign * slope / np.where(sd > 0, sd, 1.0), 0.0)
    last = series.sessions[np.arange(series.persons), np.maximum(series.counts - 1, 0)] if assessed.any() else 0
    return z, slope * (last - series.sessions[:, :1].sum(axis=1)), assessed


def every_person(rule: ReliableChange, series: Series, labels: np.ndarray) -> dict[str, list[Any]]:
    """A table's columns: each person with ratings enough, and their category."""
    pre, post = first_and_last(series)
    if rule.slopes is not None:
        z, _, assessed = _slope_indices(rule, series)
        kind = categories(rule, pre, post, z / rule.limit, -z / rule.limit)
    else:
        assessed = series.counts > 1
        z, better, worse = strength(rule, pre, post)
        kind = categories(rule, pre, post, better, worse)
    at = assessed.nonzero()[0]
    last = series.counts[at] - 1
    return {
        "person": labels[at].tolist(),
        "first": series.sessions[at, 0].tolist() if len(at) else [],
        "last": series.sessions[at, last].tolist() if len(at) else [],
        "before": pre[at].tolist(),
        "after": post[at].tolist(),
        "index": z[at].tolist(),
        "category": NAMES[kind[at]].tolist(),
    }


def strength(rule: ReliableChange, before: Floats, after: Floats) -> tuple[Floats, Floats, Floats]:
    """Of each pair of scores: the index, positive for better; how many times the threshold is reached for better, and
    for worse."""
    sign = 1.0 if rule.better == "higher" else -1.0
    change = sign * (after - before)
    with np.errstate(divide="ignore", invalid="ignore"):
        if rule.method == "percentage":
            share = change / np.abs(before - rule.best)
            return share, share / rule.percentage, -share / (rule.worsening or rule.percentage)
        if rule.method == "anchor":
            assert rule.difference is not None
            z = change / rule.difference
            return z, z, -z
        if rule.change is not None:
            z = 1.96 * change / rule.change
        else:
            assert rule.sample is not None
            assert rule.reliability is not None
            z = sign * index(rule.method, before, after, rule.sample, rule.reliability, rule.reliability_post)
    return z, z / rule.limit, -z / rule.limit


def categories(rule: ReliableChange, before: Floats, after: Floats, better: Floats, worse: Floats) -> Ints:
    """int64 of the pairs' shape; the last of `NAMES` is −1.

    An index must exceed its critical value; a share, a difference, and the change that an instrument's key calls
    reliable need only be reached.
    """
    reached = rule.method in ("percentage", "anchor") or rule.change is not None

    def passed(margin: Floats) -> np.ndarray:
        with np.errstate(invalid="ignore"):
            return np.asarray(margin >= 1 - 1e-12 if reached else margin > 1)

    up = passed(better)
    return np.select([up & crossed(rule, before, after), up, passed(worse)], [RECOVERED, IMPROVED, DETERIORATED], NONE)


def crossed(rule: ReliableChange, before: Floats, after: Floats) -> np.ndarray:
    """Whether each pair goes from the patients' side of the cut-off to the other.

    A score at the cut-off is a patient's where lower is better, and not where higher is, as in the keys of
    instruments. Hageman & Arrindell (1999) ask that the true score at the end be beyond it by the critical value times
    its error.
    """
    if rule.cutoff is None:
        return np.zeros(np.shape(before), bool)
    border = float(rule.cutoff)
    with np.errstate(invalid="ignore"):
        if rule.method == "hageman-arrindell":
            return _true_score_crossed(rule, before, after, border)
        if rule.better == "higher":
            return np.asarray((before < border) & (after >= border))
        return np.asarray((before >= border) & (after < border))


def _true_score_crossed(rule: ReliableChange, before: Floats, after: Floats, border: float) -> np.ndarray:
    s, r = rule.sample, rule.reliability
    assert s is not None
    assert r is not None
    error = s.sd**2 * (1 - r)
    r_post = 1 - error / s.sd_post**2 if s.sd_post > 0 else math.nan
    if not r_post > 0:
        return np.zeros(np.shape(before), bool)
    sign = 1.0 if rule.better == "higher" else -1.0
    true = s.mean_post + (after - s.mean_post) * r_post
    z = sign * (true - border) / math.sqrt(r_post * error)
    return np.asarray((sign * (before - border) < 0) & (z > rule.limit))


def _two_sided(z: Floats) -> Floats:
    from scipy.special import ndtr

    return np.asarray(2 * ndtr(-np.abs(z)))
