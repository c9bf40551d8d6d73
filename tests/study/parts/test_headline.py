"""The headline: which estimate it is of, and that a course which all share makes no effect."""

from __future__ import annotations

import pytest
from scipy.special import stdtrit

import sessionwise as sw
from helpers.demo import panel, result
from helpers.two_scores import Shape, panel_of, two_scores
from sessionwise.study.parts.confounding import robustness
from sessionwise.study.parts.drop_out import leaving
from sessionwise.study.parts.headline import LEVEL, NetEffects, headline, net_effects
from sessionwise.study.parts.net_effects import FORWARD, REVERSE, NetProcess, net_process
from sessionwise.study.records import HeadlineEffect, NotAnswered
from sessionwise.study.study_data import StudyData, setting

#: Both scores improve along one curve, the same for all; neither does anything to the other.
CURVE = Shape(course=5.0)
STUDIES = 40


def claims(course: str) -> tuple[int, int]:
    """In how many of the studies the interval leaves out zero, forward and reverse."""
    found = [
        net_process(panel_of(two_scores(seed, CURVE)), ("y", "w"), (course,), (1.0, 1.0), "q")
        for seed in range(STUDIES)
    ]
    assert all(isinstance(one, NetProcess) for one in found)
    return tuple(sum(one.estimate(at).significant for one in found) for at in (FORWARD, REVERSE))


def test_a_common_curve_makes_no_effect_around_a_free_course():
    """At 5 %, 7 of 40 or more are 0.3 % by chance."""
    assert max(claims("C(s)")) <= 6


def test_a_common_curve_makes_effects_around_a_line():
    assert min(claims("s")) > STUDIES / 2


def _net(given: StudyData) -> NetEffects:
    return net_effects(given, leaving(given))


def test_the_studys_course_is_the_free_one():
    data = panel_of(two_scores(1, CURVE))
    free, line = (sw.Study("y", "w", dynamic=False, **k).run(data).headline for k in ({}, {"trend": "linear"}))
    assert not free.forward.estimate.significant
    assert line.forward.estimate.significant


# --- which estimate -----------------------------------------------------------------------------


def test_own_lines_where_they_matter():
    given = setting(sw.Study("y", "w", dynamic=False), panel_of(two_scores(0, Shape(own=0.3))), 1)
    net = _net(given)
    none = NotAnswered("", "", "")
    assert net.apart.p < LEVEL
    assert net.used is net.lines
    found = headline(given, net, none, none)
    assert found.own_lines
    assert found.forward.method == "regressions within persons' own lines, corrected for few sessions"
    assert found.forward.standardised.value == pytest.approx(net.lines.coefficients[FORWARD])


def test_means_where_own_lines_do_not_matter():
    given = setting(sw.Study("y", "w", dynamic=False), panel_of(two_scores(1)), 1)
    net = _net(given)
    assert net.apart.p > LEVEL
    assert net.used is net.means


def test_robustness_of_the_demo():
    e = result().headline.forward
    net = _net(setting(result().study, panel(), 1)).used
    critical = stdtrit(net.persons - 1, 0.975)
    for at, key in ((FORWARD, "forward"), (REVERSE, "reverse")):
        e = getattr(result().headline, key)
        freedom = net.freedom[0 if at == FORWARD else 1]
        assert e.robustness == pytest.approx(robustness(e.value, e.estimate.se, freedom), rel=1e-9)
        nearer = e.low if e.value > 0 else e.high
        assert abs(nearer - e.value) >= critical * e.estimate.se * (1 - 1e-12)
        wanted = robustness(e.value, e.estimate.se, freedom, critical=abs(nearer - e.value) / e.estimate.se)
        assert e.robustness_interval == pytest.approx(wanted, rel=1e-6)
        assert 0 < e.robustness_interval < e.robustness < 1


def test_the_multilevel_model_where_the_net_effect_cannot_be_had():
    found = sw.Study("y", "w", lag=2, dynamic=False).run(panel_of(two_scores(0)))
    assert isinstance(found.headline.forward, HeadlineEffect)
    assert found.headline.forward.estimate == found.forward.within
    assert found.headline.forward.method == "multilevel model"
    assert not found.headline.own_lines
    assert found.headline.forward.robustness is not None


def test_few_persons():
    """No test of own trends in so few; no errors by the spread over persons of fewer than five."""
    fifteen, four = (
        _net(setting(sw.Study("y", "w", dynamic=False), panel_of(two_scores(0, persons=n)), 1)) for n in (15, 4)
    )
    assert fifteen.used is fifteen.means
    assert fifteen.apart is None
    assert isinstance(four.used, NotAnswered)
    assert "cannot be had of 4" in four.used.why
    found = sw.Study("y", "w", dynamic=False).run(panel_of(two_scores(0, persons=4)))
    assert isinstance(found.headline.forward, NotAnswered)
    assert found.caution == ""


def test_what_cannot_be_told_says_why():
    short = two_scores(0).filter(two_scores(0)["s"] <= 2)
    found = sw.Study("y", "w", dynamic=False).run(panel_of(short))
    assert isinstance(found.headline.forward, NotAnswered)
    assert found.headline.forward == found.forward
    assert found.answer[0].startswith("Whether w predicts the next y cannot be told from these data")
    assert found.estimands == ()
    assert "answer" not in found.tables()
