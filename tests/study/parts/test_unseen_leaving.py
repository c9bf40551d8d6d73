"""What leaving because of unseen scores does to net effects, where it is known how persons left."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from sessionwise.study.parts.drop_out import Leaving, leaving
from sessionwise.study.parts.headline import NetEffects, net_effects
from sessionwise.study.parts.net_effects import FORWARD, REVERSE, NetProcess
from sessionwise.study.records import Estimate
from sessionwise.study.study_data import StudyData, setting


def _study(seed: int, persons: int, unseen: tuple[float, float] | None) -> StudyData:
    """Zero effects both ways, autoregressions of .5; persons leave by these log odds of the scores that come next, or
    at random."""
    rng = np.random.default_rng(seed)
    rows = []
    for p in range(persons):
        level = rng.standard_normal(2)
        z = rng.standard_normal(2) / np.sqrt(0.75)
        for s in range(1, 11):
            e = rng.standard_normal()
            z = 0.5 * z + np.array([e, -0.4 * e + np.sqrt(0.84) * rng.standard_normal()])
            odds = -2.0 + (0.0 if unseen is None else float(np.dot(unseen, z)))
            if s > 2 and rng.random() < 1 / (1 + np.exp(-odds)):
                break
            rows.append((p, s, level[0] + z[0], level[1] + z[1]))
    table = pl.DataFrame(rows, schema=["p", "s", "y", "w"], orient="row")
    return setting(sw.Study("y", "w", dynamic=False), sw.Panel(table, person="p", session="s"), 1)


def _net(given: StudyData) -> tuple[NetEffects, NetProcess, Leaving]:
    left = leaving(given)
    assert isinstance(left, Leaving)
    net = net_effects(given, left)
    assert isinstance(net.used, NetProcess)
    return net, net.used, left


def test_what_it_takes_off_is_the_bias() -> None:
    """3,000 persons: without the shift effects are off by many errors, with it they are within 3 of zero."""
    net, used, _ = _net(_study(1, 3000, (1.0, -0.8)))
    for at, shift in ((FORWARD, net.unseen[0]), (REVERSE, net.unseen[1])):
        e = used.estimate(at)
        assert abs(e.value) > 3 * e.se
        assert abs(e.value - shift) < 3 * e.se
    both = net.estimates(used)
    assert all(e.low < 0 < e.high for e in both)


def test_where_leaving_is_at_random_it_takes_nothing_off() -> None:
    net, used, _ = _net(_study(2, 1500, None))
    for at, shift in ((FORWARD, net.unseen[0]), (REVERSE, net.unseen[1])):
        assert abs(shift) < 0.1 * used.estimate(at).se


def test_chances_are_those_of_the_rows_at_risk() -> None:
    given = _study(3, 300, (1.0, -0.8))
    left = leaving(given)
    assert isinstance(left, Leaving)
    at_risk = given.panel.sessions < given.panel.sessions.max()
    assert np.isnan(left.chance[~at_risk]).all()
    assert ((left.chance[at_risk] > 0) & (left.chance[at_risk] < 1)).all()
    assert left.chance[at_risk].sum() == pytest.approx(left.model.events, rel=1e-6)  # of a logistic model


@pytest.mark.parametrize(
    ("shift", "low", "high", "p"), [(0.0, -1, 3, None), (0.5, -1.5, 3, None), (-2.0, -1, 5, None), (1.5, -2.5, 3, 1.0)]
)
def test_an_interval_that_spans_both(shift: float, low: float, high: float, p: float | None) -> None:
    e = Estimate(1.0, 1.0, -1.0, 3.0, 20.0, 0.33)
    found = e.spanning(shift)
    assert (found.low, found.high) == (low, high)
    assert found.value == 1.0
    if p is not None:
        assert found.p == p
    elif shift <= 0:
        assert found.p == pytest.approx(Estimate.t(1.0, 1.0, 20).p)
    else:
        assert found.p == pytest.approx(Estimate.t(1.0 - shift, 1.0, 20).p)
