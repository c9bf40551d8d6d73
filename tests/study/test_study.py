"""Study: what comes out of the demo data, against their truth, and what must not matter to it."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from functools import cache

import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from helpers.demo import frame, panel, result
from sessionwise.study.records import (
    Direction,
    DropOutModel,
    Estimate,
    FewSessions,
    Heterogeneity,
    NotAnswered,
    PersonEffects,
    Step,
)

TRUTH = sw.datasets.Truth()


#: The net effects.
NET = {"forward": TRUTH.b0 + TRUTH.pd_share * TRUTH.b_pd, "reverse": TRUTH.c}


def within_a_session() -> tuple[float, float]:
    """Symptoms on the alliance of the same session, rated after them; and of the session before, given these."""
    variance, covariance, _ = TRUTH.innovation_cov
    return covariance / variance, TRUTH.c - covariance / variance * TRUTH.a_y


@cache
def result_of_net() -> sw.StudyResult:
    """Without moderators."""
    return sw.Study("core_om", "wai_sr", dynamic=False).run(panel())


def row(found: sw.StudyResult, key: str):
    return next(r for r in found.sensitivity.rows if r.key == key)


def close(a: Estimate, b: Estimate, factor: float = 1.0, rel: float = 1e-6) -> None:
    for name in ("value", "se", "low", "high"):
        assert getattr(b, name) == pytest.approx(factor * getattr(a, name), rel=rel, abs=1e-9)


# --- against the truth --------------------------------------------------------------------------


def test_corrected_effects_are_near_the_truth():
    """The answer, within 3 errors; the coverage over many studies is a slow test."""
    for key, true in NET.items():
        effect = getattr(result().headline, key)
        assert "corrected for few sessions" in effect.method
        assert abs(effect.value - true) < 3 * effect.estimate.se
        assert effect.low < true < effect.high  # holds in these data; not in 1 of 20
        close(effect.standardised, getattr(row(result(), "net"), key))
    s = result().sensitivity
    close(result().headline.forward.estimate, row(result(), "net").forward, s.sd_process / s.sd_outcome)


def test_effects_within_the_session_are_near_theirs():
    """The bias that few sessions bring to these is a tenth of an error."""
    reverse = result().reverse
    same, given = within_a_session()
    assert abs(reverse.same_session.value - same) < 3 * reverse.same_session.se
    assert abs(reverse.given_same_session.value - given) < 3 * reverse.given_same_session.se
    assert abs(reverse.within.value - TRUTH.c) < 3 * reverse.within.se


def test_the_expected_bias_explains_the_autoregression():
    """The true one is .3; a within estimate from so few sessions is far below, by what was expected."""
    few = result().few_sessions
    assert isinstance(few, FewSessions)
    own = next(c for c in few.coefficients if c.direction == "forward" and c.key == "previous")
    assert own.estimate < 0.2
    assert own.without == pytest.approx(TRUTH.a_y, abs=0.08)


def test_moderator_and_growth():
    forward = result().forward
    pd = forward.moderators[0]
    assert pd.moderator == "pd"
    assert pd.slopes[0].estimate.value > pd.slopes[1].estimate.value  # stronger (more negative) with problems
    assert pd.slopes[1].estimate.value == pytest.approx(
        pd.slopes[0].estimate.value + pd.interactions[0].estimate.value, rel=1e-9
    )
    lines = sw.Study("core_om", "wai_sr", trend="linear", dynamic=False).run(panel()).forward
    growth = next(s for s in lines.steps if s.key == "growth")
    slope = next(c for c in growth.coefficients if c.term == "session")
    assert slope.estimate.low < TRUTH.trend_y < slope.estimate.high


def test_drop_out_goes_with_the_alliance():
    """Its true log odds, for a point of level and of change, within 3 errors of what was found."""
    found = sw.Study("core_om", "wai_sr", dynamic=False).run(panel(sw.datasets.demo(scale_scores=True).frame)).drop_out
    assert isinstance(found, DropOutModel)
    effects = {e.key: e for e in found.effects}
    assert effects["process_change"].odds_ratio.high < 1
    assert effects["process_level"].odds_ratio.value < 1
    assert effects["outcome_level"].odds_ratio.p > 0.01


def test_heterogeneity_and_persons_belong_together():
    h, persons = result().forward.heterogeneity, result().persons
    assert isinstance(h, Heterogeneity)
    assert isinstance(persons, PersonEffects)
    assert h.low < h.mean < h.high
    assert h.direction == "negative"
    assert 0.5 < h.expected <= 1
    assert "50:50 mixture" in h.reference
    values = np.array([e.value for e in persons.effects])
    assert (np.diff(values) >= 0).all()
    assert values.std() < persons.sd  # shrunken
    assert values.mean() == pytest.approx(persons.average, abs=0.2 * persons.sd)
    assert all(e.low < e.value < e.high for e in persons.effects)
    assert len(persons.effects) == result().flow[3].persons  # one lagged pair tells nothing of an effect within
    assert all(e.pairs >= 2 for e in persons.effects)
    wide = [e.high - e.low for e in persons.effects]
    pairs = [e.pairs for e in persons.effects]
    assert np.corrcoef(wide, pairs)[0, 1] < -0.3


def test_person_effects_cover_the_true_ones():
    true = sw.datasets.demo_truth(persons=300).persons
    b = dict(zip(true["patient"].to_list(), true["b"].to_list(), strict=True))
    bias = next(c for c in result().few_sessions.coefficients if c.direction == "forward" and c.key == "effect").bias
    covered = np.mean([e.low - bias <= b[e.person] <= e.high - bias for e in result().persons.effects])
    assert covered > 0.85


# --- formulas and order -------------------------------------------------------------------------


def test_models_in_order():
    forward = result().forward
    assert [s.key for s in forward.steps] == ["null", "growth", "effect", "slope"]
    assert forward.main == "slope"
    assert forward.steps[3].formula == (
        "core_om ~ within(lag(core_om)) + within(lag(wai_sr)) + between(wai_sr) + session + I(session^2) + I(session^3)"
        " + I((session > 2) * (session - 2)^3) + I((session > 5) * (session - 5)^3)"
        " + I((session > 7) * (session - 7)^3) + (1 + within(lag(wai_sr)) | patient) + (1 | therapist)"
    )
    assert all(isinstance(s, Step) and s.converged for s in forward.steps)
    reverse = result().reverse
    assert [s.key for s in reverse.steps] == ["null", "growth", "effect", "slope", "same_session"]
    assert "within(core_om)" not in reverse.steps[3].formula  # the main model does not hold it constant
    assert "within(core_om)" in reverse.steps[4].formula


@pytest.mark.parametrize(
    ("order", "held"), [("outcome first", "reverse"), ("process first", "forward"), ("together", "")]
)
def test_the_same_session_is_held_constant_where_it_came_before(order, held):
    found = sw.Study("core_om", "wai_sr", order=order, dynamic=False).run(panel())
    for key in ("forward", "reverse"):
        one = getattr(found, key)
        assert (one.same_session is not None) == (one.given_same_session is not None) == (key == held)
        assert (one.steps[-1].key == "same_session") == (key == held)
        assert getattr(found.headline, key) == getattr(result_of_net().headline, key)  # whatever the order
    assert any(order.split()[0] in r.done or "same time" in r.done or "before" in r.done for r in found.checklist)


def test_the_main_effect_is_the_fits():
    forward = result().forward
    fit = sw.MLM(forward.steps[3].formula).fit(panel())
    term = "within(lag(wai_sr))"
    assert forward.within.value == pytest.approx(fit.fixef[term], rel=1e-9)
    assert forward.within.df == pytest.approx(fit.df[term], rel=1e-6)
    s = result().sensitivity
    close(forward.within, forward.standardised, s.sd_process / s.sd_outcome)
    close(forward.standardised, row(result(), "mlm").forward)


def test_trend_lag_covariates():
    found = sw.Study("core_om", "wai_sr", trend="quadratic", covariates=["age", "gender"], dynamic=False).run(panel())
    assert "within(session) + within(I(session^2)) + age + gender" in found.forward.steps[3].formula
    found = sw.Study("core_om", "wai_sr", trend=None, lag=2, dynamic=False).run(panel())
    assert "within(lag(wai_sr, k=2))" in found.forward.steps[2].formula
    assert "session" not in found.forward.steps[2].formula
    assert {r.key for r in found.sensitivity.rows} >= {"mlm", "linear-trend", "free-trend"}
    assert "net" not in {r.key for r in found.sensitivity.rows}
    assert isinstance(found.few_sessions, NotAnswered)
    assert found.headline.forward.method == "multilevel model"
    close(found.headline.forward.estimate, found.forward.within)


def test_expected_direction():
    higher = frame().with_columns(ors=40 - pl.col("core_om"))
    assert sw.Study("ors", "wai_sr", dynamic=False).run(panel(higher)).forward.heterogeneity.direction == "positive"
    assert (
        sw.Study("core_om", "wai_sr", expected="positive", dynamic=False).run(panel()).forward.heterogeneity.expected
        < 0.5
    )


# --- what must not matter -----------------------------------------------------------------------


def test_the_same_twice():
    again = sw.Study("core_om", "wai_sr", moderators=["pd", "gender"], dynamic=False).run(panel())
    assert json.dumps(again.to_dict()) == json.dumps(result().to_dict())
    assert str(again) == str(result())


def test_order_of_rows_does_not_matter():
    shuffled = frame().sample(fraction=1.0, shuffle=True, seed=3)
    again = sw.Study("core_om", "wai_sr", moderators=["pd", "gender"], dynamic=False).run(panel(shuffled))
    assert again.fingerprint == result().fingerprint
    assert json.dumps(again.to_dict()["forward"]) == json.dumps(result().to_dict()["forward"])


def test_names_of_persons_do_not_matter():
    renamed = frame().with_columns(patient=("P" + (9999 - pl.col("patient")).cast(pl.String)))
    again = sw.Study("core_om", "wai_sr", moderators=["pd", "gender"], dynamic=False).run(panel(renamed))
    assert again.fingerprint != result().fingerprint
    close(result().forward.within, again.forward.within, rel=1e-5)
    close(row(result(), "own-trend").reverse, row(again, "own-trend").reverse, rel=1e-4)
    assert again.drop_out.effects[2].odds_ratio.value == pytest.approx(result().drop_out.effects[2].odds_ratio.value)


def test_units_scale_effects_and_not_standardised_ones():
    scaled = frame().with_columns(core_om=pl.col("core_om") * 10 + 3)
    again = sw.Study("core_om", "wai_sr", moderators=["pd", "gender"], dynamic=False).run(panel(scaled))
    close(result().forward.within, again.forward.within, 10, rel=1e-5)
    close(result().reverse.within, again.reverse.within, 0.1, rel=1e-5)
    for one, other in zip(result().sensitivity.rows, again.sensitivity.rows, strict=True):
        close(one.forward, other.forward, rel=1e-3)
        if one.bias_forward:
            assert other.bias_forward == pytest.approx(one.bias_forward, rel=1e-3)
    assert again.drop_out.effects[0].odds_ratio.value == pytest.approx(result().drop_out.effects[0].odds_ratio.value)
    assert again.fingerprint != result().fingerprint


def test_fingerprint_looks_at_the_columns_used():
    print_ = result().fingerprint
    assert len(print_) == 128
    more = sw.Study("core_om", "wai_sr", moderators=["pd", "gender"], dynamic=False).run(
        panel(frame().with_columns(z=pl.lit(1.0)))
    )
    assert more.fingerprint == print_
    changed = frame().with_columns(pd=pl.when(pl.col("patient") == 1001).then(1 - pl.col("pd")).otherwise("pd"))
    assert (
        sw.Study("core_om", "wai_sr", moderators=["pd", "gender"], dynamic=False).run(panel(changed)).fingerprint
        != print_
    )


def test_any_dataframe():
    pandas = pytest.importorskip("pandas")
    again = sw.Study("core_om", "wai_sr", moderators=["pd", "gender"], dynamic=False).run(
        panel(pandas.DataFrame(frame().to_dict()))
    )
    close(result().forward.within, again.forward.within)


def test_odd_names():
    renamed = frame().rename(
        {"core_om": "Symptoms (total)", "wai_sr": "WAI total", "pd": "a b", "session": "Sitzung Nr"}
    )
    study = sw.Study("Symptoms (total)", "WAI total", moderators="a b", dynamic=False)
    found = study.run(panel(renamed, session="Sitzung Nr"))
    close(result().forward.within, found.forward.within)
    assert found.forward.moderators[0].slopes[0].at == "a b = 0"


# --- how it shows -------------------------------------------------------------------------------


def test_tables():
    tables = result().tables()
    names = list(tables)
    assert names == [
        "answer",
        "diagnostics",
        "diagnostic_effects",
        "flow",
        "sessions",
        "scales",
        "course",
        "drop_out_model",
        "forward_models",
        "forward",
        "forward_differences",
        "forward_slopes",
        "reverse_models",
        "reverse",
        "reverse_differences",
        "reverse_slopes",
        "sensitivity",
        "sensitivity_units",
        "few_sessions",
        "person_effects",
        "checklist",
    ]
    for name, table in tables.items():
        assert table.name == name
        assert all(len(cells) == len(table.head) for cells in table.shown)
        for cell in (c for cells in table.rows for c in cells):
            assert cell is None or type(cell) in (str, int, float)
            assert not isinstance(cell, float) or math.isfinite(cell)
        assert len({c.key for c in table.columns}) == len(table.columns)


def test_models_side_by_side():
    table = result().tables()["forward_models"]
    told = {row["parameter"]: row for row in table.to_dicts()}
    within = told["WAI-SR, the session before (within)"]
    assert within["null"] is None
    assert within["slope"] == result().forward.within.value
    assert told["Sessions"]["null"] == len(panel())
    assert told["SD patient: WAI-SR, the session before (within)"]["slope"] == result().forward.heterogeneity.sd
    assert table.head[:3] == ("", "Null", "95 % interval")


def test_json_is_plain():
    told = json.loads(json.dumps(result().to_dict(), allow_nan=False))
    assert told["forward"]["within"]["value"] == result().forward.within.value
    assert told["description"]["sample"]["persons"] == 300
    assert told["study"]["moderators"] == ["pd", "gender"]


def test_terminal_and_notebook():
    text = str(result())
    lines = " ".join(text.split())
    assert lines.startswith(f"Caution: {result().caution} Within patients, WAI-SR one point above")
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    assert result()._repr_html_().startswith("<p><b>Caution: Who leaves is told by the last scores")
    assert "300 persons" in repr(result())


def test_answers_have_the_numbers():
    forward, main = result().headline.forward, result().forward.within
    assert f"b = −{abs(forward.value):.2f}, 95 % CI [−{abs(forward.low):.2f}, −" in result().answer[0]
    assert f"multilevel model −{abs(main.value):.2f}, 95 % CI [−" in result().answer[0]
    assert f"explain {100 * forward.robustness:.1f} % of what varies" in result().answer[0]
    assert result().answer[1].startswith("The other way round, within patients, CORE-OM")
    assert "explain" in result().answer[1]
    assert eval(result().call.split(".run(")[0], {"Study": sw.Study}) == result().study


def test_a_disagreement_is_said_first():
    """And what diagnostics found, before it."""
    alarms = [one.words for one in result().diagnostics if one.alarm]
    assert [one.key for one in result().diagnostics if one.alarm] == ["drop-out"]  # the demo's persons do leave so
    assert result().sensitivity.agree
    assert result().caution == alarms[0]
    words = ("Methods disagree on this.",)
    opposite = replace(result().sensitivity, agree=False, words=(*words, "Methods agree on that."), disagree=words)
    other = replace(result(), sensitivity=opposite)
    assert other.caution == f"{alarms[0]} Methods disagree on this."
    text = " ".join(str(other).split())
    assert text.startswith(f"Caution: {other.caution} {other.answer[0]}")
    assert text.count("Methods disagree on this.") == text.count("Methods agree on that.") == 1
    assert replace(other, diagnostics=()).caution == "Methods disagree on this."
    assert replace(result(), diagnostics=()).caution == ""


def test_checklist_and_references():
    assert [r.kept for r in result().checklist[:3]] == ["yes", "yes", "yes"]
    assert list(result().references) == sorted(result().references)
    assert all("(" in r and ")." in r for r in result().references)
    assert any(r.startswith("Nickell") for r in result().references)


def test_progress_names_each_part():
    told: list[tuple[str, int, int]] = []
    sw.Study("core_om", "wai_sr", dynamic=False).run(panel(), progress=lambda *args: told.append(args))
    assert [i for _, i, _ in told] == list(range(len(told)))
    assert all(n == len(told) for _, _, n in told)


def test_flow_counts_down():
    flow = result().flow
    assert [s.persons for s in flow] == sorted((s.persons for s in flow), reverse=True)
    assert flow[0].sessions == len(panel())
    assert flow[2].sessions == result().forward.sessions
    assert isinstance(result().forward, Direction)


@pytest.mark.slow
def test_coverage_over_regenerated_studies():
    """60 studies of 646 persons: corrected effects cover the truth; the stated bias is what is seen.

    Binomial error of a coverage of .95 is .028, so .87 to 1; means within 3 Monte Carlo errors, or 12 % of the bias,
    since persons' own effects are not in the formula.
    """
    seen: dict[str, list[list[float]]] = {"forward": [], "reverse": []}
    for seed in range(1, 61):
        found = sw.Study("core_om", "wai_sr", dynamic=False).run(panel(sw.datasets.demo(seed, scale_scores=True).frame))
        s = found.sensitivity
        for side, scale in (("forward", s.sd_process / s.sd_outcome), ("reverse", s.sd_outcome / s.sd_process)):
            free, main = getattr(row(found, "net"), side), row(found, "mlm")
            inside = free.low / scale <= NET[side] <= free.high / scale
            numbers = [free.value, getattr(main, side).value, getattr(main, f"bias_{side}")]
            seen[side].append([inside, *(n / scale for n in numbers)])
    for side, told in seen.items():
        inside, free, main, bias = np.array(told).T
        error = free.std() / np.sqrt(len(free))
        assert inside.mean() >= 0.87
        assert abs(free.mean() - NET[side]) < 3 * error + 0.12 * abs(bias.mean())
        assert abs(main.mean() - NET[side] - bias.mean()) < 3 * error + 0.12 * abs(bias.mean())


def test_the_whole_demo_is_answered() -> None:
    """With as many sessions as it has, its course is a smooth curve; nothing is left open for that."""
    table = sw.datasets.demo(scale_scores=True)
    data = sw.Panel(table, person="patient", session="session", cluster="therapist")
    found = sw.Study("core_om", "wai_sr", moderators=["pd"], dynamic=False).run(data)
    assert found.unanswered == ()
    assert found.headline.forward.low < -1.36 < found.headline.forward.high
    assert [m.moderator for m in found.forward.moderators] == ["pd"]
