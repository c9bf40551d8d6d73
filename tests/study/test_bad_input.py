"""Bad input: a refusal that says what, where and what to do, or a result that says what cannot be answered."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from helpers.demo import few, frame, panel
from sessionwise.study.records import DropOutModel, Estimate, NotAnswered

STUDY = sw.Study("core_om", "wai_sr", moderators=["pd"], dynamic=False)


def whole(found: sw.StudyResult) -> sw.StudyResult:
    """Everything that shows it works."""
    assert found.to_dict()
    assert found.tables()
    assert str(found)
    assert found._repr_html_()
    assert len(found.answer) == 2
    return found


def refused(study_or_error, data, *words: str, **roles: str) -> None:
    with pytest.raises(sw.SessionwiseError) as error:
        study_or_error.run(panel(data, **roles))
    for word in words:
        assert word in str(error.value)
    assert error.value.remedy


# --- options ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"process": "core_om"}, "same column"),
        ({"moderators": ["core_om"]}, "is the outcome already"),
        ({"covariates": "wai_sr"}, "is the process already"),
        ({"moderators": "pd", "covariates": "pd"}, "is a moderator already"),
        ({"trend": "liner"}, "Did you mean 'linear'?"),
        ({"order": "outcome last"}, "Did you mean 'outcome first'?"),
        ({"expected": "down"}, "expected is 'down'"),
        ({"lag": 0}, "lag is 0"),
        ({"lag": 1.5}, "lag is 1.5"),
        ({"first_sessions": 2}, "first_sessions is 2"),
    ],
)
def test_options(options, words):
    with pytest.raises(sw.StudyError, match="remedy") as error:
        sw.Study(**({"outcome": "core_om", "process": "wai_sr"} | options))
    assert words in str(error.value)


def test_repr_is_how_it_is_written():
    study = sw.Study("a", "b", moderators=["c", "c"], trend=None, lag=2)
    assert repr(study) == "Study(outcome='a', process='b', moderators=['c'], trend=None, lag=2)"
    assert eval(repr(study), {"Study": sw.Study}) == study
    assert repr(sw.Study("a", "b")) == "Study(outcome='a', process='b')"
    assert hash(study) == hash(sw.Study("a", "b", moderators="c", trend=None, lag=2))


# --- refused ------------------------------------------------------------------------------------


def test_constant_within_persons():
    data = frame().with_columns(wai_sr=pl.col("wai_sr").mean().over("patient"))
    refused(STUDY, data, "process 'wai_sr' is the same in all sessions of each person")
    data = frame().with_columns(core_om=pl.lit(3.0))
    refused(STUDY, data, "outcome 'core_om' is the same in all sessions of each person")


def test_impossible_values():
    odd = pl.Series(np.random.default_rng(1).random(len(frame())) < 0.3)
    for value, shown in ((999.0, "999"), (float("inf"), "inf"), (-1e9, "-1e+09")):
        data = frame().with_columns(core_om=pl.when(odd).then(value).otherwise("core_om"))
        refused(STUDY, data, "impossible values in", shown, "patient 1001")


def test_columns():
    refused(sw.Study("core_on", "wai_sr", dynamic=False), frame(), "Did you mean 'core_om'?")
    refused(sw.Study("core_om", "session", dynamic=False), frame(), "says which session a row is of")
    refused(sw.Study("core_om", "gender", dynamic=False), frame(), "holds text")
    refused(STUDY, frame().with_columns(wai_sr=pl.lit(None, pl.Float64)), "has no value in any session")
    with pytest.raises(sw.StudyError, match="is no Panel"):
        STUDY.run(frame())
    with pytest.raises(sw.StudyError, match="there are no sessions"):
        STUDY.run(panel().subset([]))


# --- answered in part ---------------------------------------------------------------------------


def test_fewer_than_20_persons():
    found = whole(STUDY.run(panel(few(15))))
    assert isinstance(found.forward.within, Estimate)
    assert isinstance(found.forward.heterogeneity, NotAnswered)
    assert isinstance(found.forward.moderators[0], NotAnswered)
    assert isinstance(found.persons, NotAnswered)
    assert isinstance(found.drop_out, NotAnswered)
    assert any(f.code == "few-persons" for f in found.findings)
    assert "not_answered" in found.tables()


@pytest.mark.parametrize("persons", [1, 2, 3, 6])
def test_hardly_anybody(persons):
    found = whole(STUDY.run(panel(few(persons))))
    assert found.unanswered


def test_two_sessions_each():
    found = whole(STUDY.run(panel(frame().filter(pl.col("session") <= 2))))
    assert isinstance(found.forward, NotAnswered)
    assert "No patient has two lagged pairs" in found.forward.why
    assert "3 sessions in a row" in found.forward.needed
    assert found.answer[0].startswith("Whether WAI-SR predicts the next CORE-OM cannot be told from these data: no ")
    assert found.sensitivity.agree
    assert found.course
    assert len(found.flow) == 2


def test_no_two_sessions_in_a_row():
    found = whole(STUDY.run(panel(frame().filter(pl.col("session") % 2 == 1))))
    assert isinstance(found.forward, NotAnswered)
    assert "previous session was skipped" in found.forward.why
    assert isinstance(found.drop_out, DropOutModel)


def test_a_moderator_with_one_level_and_one_that_varies():
    data = frame().with_columns(pd=pl.lit(1), mood=pl.col("session") * 1.0, empty=pl.lit(None, pl.Float64))
    found = whole(sw.Study("core_om", "wai_sr", moderators=["pd", "mood", "empty"], dynamic=False).run(panel(data)))
    one, other, none = found.forward.moderators
    assert one.why == "pd is the same for all patients."
    assert other.why == "mood changes from session to session within patients."
    assert none.why == "empty has no value."
    assert "forward_slopes" not in found.tables()


def test_therapists_equal_to_persons():
    found = whole(STUDY.run(panel(frame().with_columns(therapist=pl.col("patient")))))
    assert "Every therapist has one patient" in found.no_cluster.why
    assert found.no_cluster in found.unanswered
    assert "therapist" not in found.forward.steps[0].formula
    found = whole(STUDY.run(panel(frame().with_columns(therapist=pl.lit("T")))))
    assert found.no_cluster.why == "There is 1 therapist."


def test_outcome_and_process_that_are_one_thing():
    data = frame().with_columns(alliance=2 * pl.col("core_om") + 1)
    found = whole(sw.Study("core_om", "alliance", dynamic=False).run(panel(data)))
    assert isinstance(found.forward, NotAnswered)
    assert isinstance(found.reverse, NotAnswered)
    assert isinstance(found.drop_out, NotAnswered)


@pytest.mark.parametrize(("seed", "expected"), [(5, 1.0), (13, 0.0)])
def test_persons_who_do_not_differ(seed, expected):
    """A slope variance of zero is a result: nobody has an effect of their own. Noise, in which these seeds have one."""
    data, rng = few(100), np.random.default_rng(seed)
    noise = {name: pl.Series(rng.standard_normal(len(data))) for name in ("y", "w")}
    found = whole(sw.Study("y", "w", dynamic=False).run(panel(data.with_columns(**noise))))
    slope = found.forward.heterogeneity
    assert (slope.sd, slope.low, slope.expected) == (0, slope.mean, expected)
    assert "its variance is estimated as zero" in found.persons.why


def test_everybody_stays_to_the_end():
    data = frame().filter(pl.col("session") <= 3)
    whole_ = data.filter(pl.col("session").len().over("patient") == 3)
    found = whole(STUDY.run(panel(whole_)))
    assert isinstance(found.drop_out, NotAnswered)
    assert "0 patients left" in found.drop_out.why


def test_missing_scores():
    rng = np.random.default_rng(2)
    holes = {
        name: pl.when(pl.Series(rng.random(len(frame())) < 0.3)).then(None).otherwise(pl.col(name))
        for name in ("core_om", "wai_sr")
    }
    found = whole(STUDY.run(panel(frame().with_columns(**holes))))
    assert found.forward.sessions < 0.6 * len(frame())
    assert any("missing at the previous session" in reason for reason, _ in found.forward.dropped)
