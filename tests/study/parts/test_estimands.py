"""Estimands: each number says what it is of; and the three effects are what they are said to be."""

from __future__ import annotations

from functools import cache

import pytest

import sessionwise as sw
from helpers.demo import result
from helpers.two_scores import Shape, panel_of, two_scores

#: Nothing lags between the scores; w, rated after y, follows it within the session.
WITHIN = Shape(y=0.4, w=0.2, same=-0.6)


@cache
def found(order: str) -> sw.StudyResult:
    return sw.Study("y", "w", order=order, dynamic=False).run(panel_of(two_scores(0, WITHIN, persons=120, longest=30)))


@pytest.mark.parametrize(
    ("order", "within"),
    [("outcome first", "reverse"), ("process first", "forward"), ("together", None)],
)
def test_which_there_are(order, within):
    told = [(one.key, one.direction) for one in found(order).estimands]
    net = [("net", "forward"), ("net", "reverse")]
    assert told == net + ([("same_session", within), ("given_same_session", within)] if within else [])


def test_numbers_are_those_of_the_records():
    r = result()
    forward, reverse, same, given = r.estimands
    assert (forward.estimate, reverse.estimate) == (r.headline.forward.estimate, r.headline.reverse.estimate)
    assert forward.robustness == r.headline.forward.robustness
    assert (same.estimate, given.estimate) == (r.reverse.same_session, r.reverse.given_same_session)
    assert same.robustness is None
    scale = r.sensitivity.sd_outcome / r.sensitivity.sd_process
    assert same.standardised.value == pytest.approx(same.estimate.value * scale)
    assert [one.label for one in r.estimands] == [
        "WAI-SR → next CORE-OM",
        "CORE-OM → next WAI-SR",
        "CORE-OM → WAI-SR, same session",
        "CORE-OM → next WAI-SR, given the same session",
    ]
    assert given.held == "WAI-SR, the session before; CORE-OM, same session"


def test_given_the_same_session_is_not_zero_where_nothing_lags():
    """But minus the effect within the session times the autoregression: .6 x .4."""
    _, net, same, given = found("outcome first").estimands
    assert abs(net.estimate.value) < 3 * net.estimate.se
    assert same.estimate.value == pytest.approx(-0.6, abs=3 * same.estimate.se)
    assert given.estimate.low > 0.1
    assert given.estimate.value == pytest.approx(0.24, abs=0.08)  # few sessions still leave the autoregression low


def test_the_table_has_them_all():
    table = result().tables()["answer"]
    rows = table.to_dicts()
    assert [row["effect"] for row in rows] == [one.label for one in result().estimands]
    for row, one in zip(rows, result().estimands, strict=True):
        assert (row["estimate"], row["low"], row["high"], row["p"]) == (
            one.estimate.value,
            one.estimate.low,
            one.estimate.high,
            one.estimate.p,
        )
        assert row["held"] == one.held
        assert row["robustness"] == one.robustness
