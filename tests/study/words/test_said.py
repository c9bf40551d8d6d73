"""What is said is what was found and done: lags, losses, covariates, and effects that were not shown."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm

import sessionwise as sw
from helpers.demo import frame, panel, result
from sessionwise.study.methods import multilevel
from sessionwise.study.methods.agreement import agreement, distance
from sessionwise.study.parts.headline import NetEffects
from sessionwise.study.records import Estimate, NotAnswered
from sessionwise.study.study_data import setting
from sessionwise.study.words.answer import answers
from sessionwise.study.words.phrases import arrow, before, cluster_word, following, later
from sessionwise.study.words.results_text import results_text

STUDY = sw.Study("core_om", "wai_sr", moderators=["pd", "gender"], dynamic=False)


@cache
def given():
    return setting(STUDY, panel(), 1)


def row(found: sw.StudyResult, key: str):
    return next(r for r in found.sensitivity.rows if r.key == key)


def everything(found: sw.StudyResult) -> list[str]:
    tables = found.tables().values()
    cells = [str(cell) for table in tables for cells in table.rows for cell in cells]
    heads = [text for table in tables for text in (table.title, *table.notes)]
    said = (*found.answer, *found.methods, *found.results, *map(str, found.unanswered))
    return [*said, *cells, *heads, *(r.done for r in found.checklist)]


def said_of(directions, *, headline=None, doubts=None) -> str:
    r = result()
    found, tested = headline or r.headline, r.diagnostics if doubts is None else doubts
    texts = results_text(given(), found, directions, r.persons, r.sensitivity, r.few_sessions, r.drop_out, tested)
    return " ".join(texts)


# --- phrases ------------------------------------------------------------------------------------


def test_phrases():
    assert arrow("A", "B", 1) == "A → next B"
    assert arrow("A", "B", 2) == "A → B 2 sessions later"
    assert (following("B", 1), following("B", 3)) == ("the next B", "B 3 sessions later")
    assert (later(1), later(2)) == ("at the next session", "2 sessions later")
    assert (before(1), before(2)) == ("the session before", "2 sessions before")
    assert (cluster_word("Therapist"), cluster_word("person2")) == ("therapist", "cluster")
    assert result().arrow("reverse") == "CORE-OM → next WAI-SR"
    assert result().following("forward") == "the next CORE-OM"


def test_another_lag_is_said_everywhere():
    found = sw.Study("core_om", "wai_sr", lag=2, moderators=["pd"], dynamic=False).run(panel())
    for text in everything(found):
        for word in (
            "next",
            "the session before",
            "one session before",
            "Nickell",
            "autocovariances",
            "Bias: expected",
        ):
            assert word not in text
    assert isinstance(found.few_sessions, NotAnswered)
    assert "2 sessions later" in found.answer[0]
    assert "2 sessions before" in found.methods[1]


def test_a_bias_that_was_not_computed_is_not_said_to_be(monkeypatch):
    none = NotAnswered("bias", "No process.", "")
    monkeypatch.setattr("sessionwise.study.run.net_effects", lambda *_: NetEffects(none, none, None))
    found = STUDY.run(panel())
    for words in ("autocovariances", "Bell & McCaffrey", "net lagged effects were estimated"):
        assert words not in " ".join(found.methods)
    assert found.headline.forward.method == "multilevel model"
    assert not any(r.startswith(("Bell", "Hausman")) for r in found.references)
    for words in ("autocovariances", "Bell & McCaffrey", "Net lagged effects were estimated"):
        assert words in " ".join(result().methods)


# --- the answer ---------------------------------------------------------------------------------


def test_the_answer_has_the_panel_models_estimate():
    s = result().sensitivity
    latent = row(result(), "riclpm").forward.times(s.sd_outcome / s.sd_process)
    assert f"RI-CLPM −{abs(latent.value):.2f}, 95 % CI [" in result().answer[0]


def test_an_answer_that_is_unclear_says_what_could_hide_an_effect():
    e = result().headline.forward
    unclear = Estimate(e.value * 0.1, e.estimate.se, e.low + 1, 0.5, None, 0.8)
    found = replace(result().headline, forward=replace(e, estimate=unclear))
    told = answers(given(), found, result().sensitivity)[0]
    assert "did not clearly predict CORE-OM" in told
    assert "could hide an effect as well as make one" in told
    assert "was followed by" in result().answer[0]
    assert "could hide" not in result().answer[0]


def test_deviations_from_own_lines_are_said_to_be():
    found = replace(result().headline, own_lines=True)
    assert "a patient's own line over sessions" in answers(given(), found, result().sensitivity)[0]
    assert "a patient's usual level" in result().answer[0]


def test_a_model_that_contradicts_the_answer_is_said_first():
    first, main, *others = result().sensitivity.rows
    unclear = Estimate(main.forward.value * 0.1, main.forward.se, main.forward.low + 0.3, 0.5, None, 0.8)
    main = replace(main, forward=unclear)
    main = replace(main, apart_forward=distance(first, main, "forward"))
    told = agreement(given(), (first, main, *others))
    assert not told[0].agree
    assert "Multilevel model (main) gives" in told[0].words
    assert told[1].agree


def test_a_method_that_is_less_certain_does_not_contradict():
    first, *others = result().sensitivity.rows
    unclear = Estimate(-0.1, 0.3, -0.7, 0.5, None, 0.7)
    two = [replace(r, forward=unclear) if r.key in ("riclpm", "dpm") else r for r in others]
    two = [replace(r, apart_forward=distance(first, r, "forward")) for r in two]
    found = agreement(given(), (first, *two))[0]
    assert found.agree
    assert "the least certain is RI-CLPM, −0.10 [−0.70, 0.50]" in found.words


# --- what was not shown -------------------------------------------------------------------------


def test_an_effect_that_was_not_shown_is_not_asserted():
    nothing = Estimate(-0.01, 0.1, -0.2, 0.2, None, 0.9)
    f = result().forward
    steps = tuple(replace(s, coefficients=tuple(replace(c, estimate=nothing) for c in s.coefficients)) for s in f.steps)
    h = result().headline
    unclear = replace(h, forward=replace(h.forward, estimate=nothing))
    told = said_of((replace(f, steps=steps, between=nothing), result().reverse), headline=unclear)
    assert "mean WAI-SR was not shown to go with CORE-OM" in told
    assert "WAI-SR was not shown to predict CORE-OM at the next session" in told
    assert "WAI-SR predicted CORE-OM at the next session" in said_of((f, result().reverse))
    r = replace(result().reverse, same_session=nothing)
    assert "Within the session CORE-OM was not shown to predict WAI-SR, rated after it" in said_of((f, r))
    assert "Within the session CORE-OM predicted WAI-SR, rated after it" in said_of((f, result().reverse))


def test_a_trend_that_was_not_shown_is_not_asserted():
    found = sw.Study("core_om", "wai_sr", trend="linear", dynamic=False).run(panel())
    assert "CORE-OM changed from session to session, b = " in " ".join(found.results)
    assert "from session to session, b = " not in " ".join(result().results)  # no line is in the model
    rng = np.random.default_rng(1)
    flat = frame().with_columns(core_om=pl.Series(rng.normal(20, 3, len(frame()))))
    text = " ".join(sw.Study("core_om", "wai_sr", trend="linear", dynamic=False).run(panel(flat)).results)
    assert "CORE-OM was not shown to change from session to session" in text


def test_persons_clear_of_zero_are_counted_only_where_persons_differ():
    f, r = result().forward, result().reverse
    differ = said_of((replace(f, heterogeneity=replace(f.heterogeneity, p=0.01)), r))
    alike = said_of((replace(f, heterogeneity=replace(f.heterogeneity, p=0.06)), r))
    assert "differ from the average by more than their error" in differ
    assert "take the variances as known" in differ
    assert f"correlate by {result().persons.correlation:.2f}" in differ
    assert "were not shown to differ, none of them is told apart from it" in alike
    assert "differ from the average by more" not in alike


def test_persons_apart_from_the_average():
    found = result().persons
    fit = sw.MLM(result().forward.steps[3].formula).fit(panel())
    own = fit.effects["patient"]
    at = fit.varcorr["patient"].terms.index("within(lag(wai_sr))")
    far = np.abs(own.values[:, at]) > 1.96 * np.sqrt(own.covariance[:, at, at])
    assert found.apart == far.sum()
    f = result().forward
    differ = replace(result(), forward=replace(f, heterogeneity=replace(f.heterogeneity, p=0.01)))
    assert f"{found.apart} of {len(found.effects)} differ" in differ.tables()["person_effects"].notes[0]
    assert f.heterogeneity.p > 0.05
    assert "Patients were not shown to differ" in result().tables()["person_effects"].notes[0]
    assert found.correlation == pytest.approx(fit.varcorr["patient"].corr[0, at])


def test_within_the_session_and_the_mixture():
    text = " ".join(result().results)
    assert "With that held constant, CORE-OM of the session before had the coefficient b = " in text
    assert "which is no answer to whether the one predicts the other" in text
    said = ("Within patients, WAI-SR", "The own effects of", "Within patients, CORE-OM")
    order = [text.index(told) for told in said]
    assert order == sorted(order)  # persons' effects are of the forward direction
    assert "df = 2, p" in text
    assert "mixture of chi-squared distributions" in text
    edge = replace(result().forward, heterogeneity=replace(result().forward.heterogeneity, singular=True))
    assert "at the boundary" in said_of((edge, result().reverse))


def test_drop_out_does_not_tell_completion_from_breaking_off():
    words = result().drop_out.words
    assert "Who completed treatment counts as leaving here" in words
    assert "take it into account" not in words


# --- who is in it -------------------------------------------------------------------------------


@cache
def half_without_therapist() -> sw.StudyResult:
    gone = pl.when(pl.col("patient") % 2 == 0).then(None).otherwise("therapist").alias("therapist")
    return sw.Study("core_om", "wai_sr", moderators=["pd"], dynamic=False).run(panel(frame().with_columns(gone)))


def test_persons_lost_to_a_missing_therapist_are_said():
    found = half_without_therapist()
    lost = next(f for f in found.findings if f.code == "persons-lost")
    assert lost.severity == "warning"
    assert "therapist is missing" in lost.what
    assert lost.count + found.forward.persons == result().forward.persons
    assert f"of {found.forward.persons} patients of {found.forward.clusters} therapists" in found.methods[2]
    assert "without a known therapist" in found.methods[0]
    assert found.checklist[-1].kept == "partly"
    assert row(found, "no-cluster").persons == result().forward.persons
    assert "without a therapist" in row(found, "no-cluster").assumes.sample
    assert found.forward.moderators[0].persons == found.forward.persons
    assert not any(f.code == "persons-lost" for f in result().findings)


def test_persons_lost_to_a_covariate_are_said():
    some = pl.when(pl.col("patient") % 5 == 0).then(None).otherwise("age").alias("age")
    found = sw.Study("core_om", "wai_sr", covariates=["age"], dynamic=False).run(panel(frame().with_columns(some)))
    assert "age is missing" in next(f for f in found.findings if f.code == "persons-lost").what


def test_characteristics_known_at_the_first_session_only():
    once = [pl.when(pl.col("session") == 1).then(name).alias(name) for name in ("pd", "gender", "age")]
    whole = sw.Study("core_om", "wai_sr", moderators=["pd", "gender"], covariates=["age"], dynamic=False).run(panel())
    found = sw.Study("core_om", "wai_sr", moderators=["pd", "gender"], covariates=["age"], dynamic=False).run(
        panel(frame().with_columns(once))
    )
    assert found.forward == whole.forward
    assert not any(f.code == "persons-lost" for f in found.findings)


def test_first_sessions_are_each_persons_first():
    late = pl.col("session") + pl.when(pl.col("patient") % 2 == 0).then(100).otherwise(0)
    shifted = setting(STUDY, panel(frame().with_columns(session=late)), 1)
    kept = [
        np.isfinite(multilevel._first(s)["core_om"]).sum() for s in (shifted, replace(given(), first=shifted.first))
    ]
    assert kept[0] == kept[1]


def test_reasons_only_where_somebody_was_left_out():
    flow = result().flow
    assert flow[1].why == ""
    holes = pl.when(pl.col("session") == 2).then(None).otherwise("wai_sr").alias("wai_sr")
    why = sw.Study("core_om", "wai_sr", dynamic=False).run(panel(frame().with_columns(holes))).flow[2].why
    assert "WAI-SR" in why
    assert "wai_sr" not in why


# --- assumptions and covariates -----------------------------------------------------------------


def test_a_slope_that_could_not_be_told_is_an_assumption(monkeypatch):
    real = multilevel.tried

    def tried(panel_, formula, question, needed=(), **options):
        if options.get("residual") == "ar1" and "+ within(lag(wai_sr)) |" in formula:
            return NotAnswered(question, "It cannot.", "")
        return real(panel_, formula, question, needed, **options)

    monkeypatch.setattr(multilevel, "tried", tried)
    found = STUDY.run(panel())
    assert row(found, "mlm").assumes.effects == "patients may differ"
    assert row(found, "ar1").assumes.effects == ("forward: the same for all patients, reverse: patients may differ")
    assert row(found, "riclpm").assumes.effects == "the same for all patients"


@cache
def with_covariates() -> sw.StudyResult:
    mood = pl.Series("mood", np.random.default_rng(3).standard_normal(len(frame())))
    data = frame().with_columns(mood, one=pl.lit(1.0))
    return sw.Study("core_om", "wai_sr", covariates=["mood", "age", "one"], dynamic=False).run(panel(data))


def test_covariates_in_models_and_words():
    found = with_covariates()
    assert "within(mood) + between(mood) + age" in found.forward.steps[3].formula
    assert found.forward.covariates == ("mood", "age")
    assert "Covariates were mood and age (mood as deviations" in found.methods[2]
    assert "one does not vary" in found.methods[2]
    assert "mood" in found.checklist[0].done
    assert row(found, "mlm").assumes.covariates == "mood, age and one"
    assert row(found, "riclpm").assumes.covariates == "none"
    assert "(mood, age and one) are not in these models" in " ".join(found.methods)


def test_categories_that_change_are_partly_kept():
    phase = (
        pl.when((pl.col("session") + pl.col("patient")) % 3 == 0)
        .then(pl.lit("a"))
        .otherwise(pl.lit("b"))
        .alias("phase")
    )
    found = sw.Study("core_om", "wai_sr", covariates=["phase"], dynamic=False).run(panel(frame().with_columns(phase)))
    assert found.checklist[0].kept == "partly"


def test_a_covariate_without_values():
    found = sw.Study("core_om", "wai_sr", covariates=["empty"], dynamic=False).run(
        panel(frame().with_columns(empty=pl.lit(None, pl.Float64)))
    )
    assert isinstance(found.forward, NotAnswered)
    assert "At least" not in found.forward.needed
    assert "leave out" in found.forward.needed


# --- tables and methods -------------------------------------------------------------------------


def test_how_panel_models_and_drop_out_were_fitted():
    text = " ".join(result().methods)
    for words in (
        "full-information maximum likelihood",
        "robust",
        "sessions 1 to",
        "CFI = ",
        "RMSEA = ",
        "hazard model",
    ):
        assert words in text


def test_tables_say_what_is_compared():
    tables = result().tables()
    told = [r["at"] for r in tables["forward_slopes"].to_dicts()]
    assert "difference, pd = 1 minus pd = 0" in told
    assert "difference, gender = woman minus gender = man" in told
    assert "all predictors, trend included" in tables["forward"].notes[0]
    assert "average, −" in tables["person_effects"].notes[0]


def test_a_copy_of_the_person_as_cluster():
    data = frame().with_columns(person2=pl.col("patient"))
    found = setting(STUDY, panel(data, cluster="person2"), 1)
    assert found.no_cluster.question == "how clusters differ"


@pytest.mark.parametrize(("value", "se"), [(1.0, 0.5), (-2.0, 3.0)])
def test_normal_estimates(value: float, se: float):
    e = Estimate.normal(value, se)
    assert e.high - e.low == pytest.approx(2 * 1.959963984540054 * se)
    assert e.p == pytest.approx(2 * norm.sf(abs(value / se)))
