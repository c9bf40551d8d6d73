"""Codes for 'missing' that stand as scores, and ranges of known scales."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from helpers.demo import frame, panel
from sessionwise.cli.remedies import in_options
from sessionwise.study.refusals import known
from sessionwise.study.study_data import setting

OTHER = {"core_om": "symptoms", "wai_sr": "alliance"}


def coded(name: str, code: float, share: float = 0.3, data: pl.DataFrame | None = None) -> pl.DataFrame:
    data = frame() if data is None else data
    odd = pl.Series(np.random.default_rng(1).random(len(data)) < share)
    return data.with_columns(pl.when(odd).then(code).otherwise(name).alias(name))


def refusal(study: sw.Study, data: pl.DataFrame) -> str:
    return str(refused(study, data))


def refused(study: sw.Study, data: pl.DataFrame) -> sw.StudyError:
    with pytest.raises(sw.StudyError, match="impossible values") as error:
        setting(study, panel(data), 1)
    return error.value


@pytest.mark.parametrize("share", [0.3, 0.02])
@pytest.mark.parametrize(("name", "code"), [("core_om", -9), ("core_om", 99), ("wai_sr", 9), ("wai_sr", -9)])
def test_a_code_in_a_known_scale(name: str, code: float, share: float) -> None:
    error = refused(sw.Study("core_om", "wai_sr", dynamic=False), coded(name, code, share))
    said = str(error)
    assert f"{code} (" in said
    assert f"missing={{'{name}': [{code}]}}" in said
    assert f"--missing {name}={code}." in in_options(error).remedy
    assert "patient 1001" in said
    assert "The scale goes from" in said


@pytest.mark.parametrize(
    ("name", "code"), [("symptoms", -9), ("symptoms", 99), ("symptoms", 999), ("alliance", 9), ("alliance", -9)]
)
def test_a_code_in_another_column(name: str, code: float) -> None:
    data = coded(name, code, data=frame().rename(OTHER))
    said = refusal(sw.Study("symptoms", "alliance", dynamic=False), data)
    assert f"missing={{'{name}': [{code}]}}" in said
    assert "goes from" not in said


@pytest.mark.parametrize(
    "change",
    [
        pl.col("core_om").clip(0, 40),
        pl.col("core_om").clip(0, 40) / 10,
        pl.col("core_om").clip(0, 40) * 3.4,
        pl.col("core_om").clip(0, 9).round(),
        pl.col("core_om").clip(0, 10).round() / 2,
    ],
)
@pytest.mark.parametrize("name", ["core_om", "symptoms"])
def test_scores_as_they_are(change: pl.Expr, name: str) -> None:
    """Clinical scores, item means, sums; short scales that end in a number that elsewhere is a code."""
    data = frame().with_columns(change.alias(name))
    assert setting(sw.Study(name, "wai_sr", dynamic=False), panel(data), 1)


@pytest.mark.parametrize("change", [pl.col("wai_sr").clip(1, 5), (pl.col("wai_sr") * 1.4).clip(1, 7).round()])
def test_both_ranges_of_answers(change: pl.Expr) -> None:
    assert setting(sw.Study("core_om", "wai_sr", dynamic=False), panel(frame().with_columns(wai_sr=change)), 1)


def test_a_single_value_outside_is_a_warning() -> None:
    data = frame().with_columns(core_om=pl.col("core_om").clip(0, 40))
    data = data.with_columns(core_om=pl.when(pl.int_range(pl.len()) == 5).then(44.0).otherwise("core_om"))
    found = [
        f for f in sw.Study("core_om", "wai_sr", dynamic=False).run(panel(data)).findings if f.code == "outside-range"
    ]
    assert [f.count for f in found if f.what.startswith("core_om")] == [1]


def test_a_scale_is_known_by_its_column() -> None:
    instrument, scale = known("core_om_risk")
    assert (instrument.name, scale.name) == ("core-om", "risk")
    assert known("symptoms") is None


def test_text_is_no_score() -> None:
    with pytest.raises(sw.StudyError, match="the outcome must be a numeric score") as error:
        setting(sw.Study("gender", "wai_sr", dynamic=False), panel(), 1)
    assert "labels" not in error.value.remedy


def test_odd_scores_that_are_scores() -> None:
    """A scale with a gap below its highest score is refused, until it is said that these are scores."""
    mood = pl.Series("symptoms", np.random.default_rng(0).choice([1.0, 2.0, 3.0, 4.0, 8.0], len(frame())))
    data = frame().rename(OTHER).with_columns(mood)
    error = refused(sw.Study("symptoms", "alliance", dynamic=False), data)
    assert "as_scored=['symptoms']." in error.remedy
    assert "--as-scored symptoms." in in_options(error).remedy
    assert setting(sw.Study("symptoms", "alliance", as_scored="symptoms", dynamic=False), panel(data), 1)
    endless = data.with_columns(symptoms=pl.when(pl.int_range(pl.len()) == 3).then(np.inf).otherwise("symptoms"))
    with pytest.raises(sw.StudyError, match="infinity"):
        setting(sw.Study("symptoms", "alliance", as_scored="symptoms", dynamic=False), panel(endless), 1)
    with pytest.raises(sw.StudyError, match="no column of the study"):
        sw.Study("symptoms", "alliance", as_scored="pd", dynamic=False)


def at_some_sessions(name: str, numbers: tuple[int, ...]) -> pl.DataFrame:
    """One of the scores measured at some sessions only."""
    return frame().rename(OTHER).with_columns(pl.when(pl.col("session").is_in(numbers)).then(name).alias(name))


def test_an_outcome_measured_at_some_sessions_is_refused_at_once_with_what_can_be_had() -> None:
    data = at_some_sessions("symptoms", (1, 4, 8))
    with pytest.raises(sw.StudyError) as caught:
        sw.Study("symptoms", "alliance", dynamic=False).run(panel(data))
    error = caught.value
    assert error.what.startswith("symptoms has a value in ")
    assert "nothing can be said of change from session to session" in error.what
    assert "session 1, 4, 8; sessions with both are 3 to " in error.where
    assert "number_sessions(kept, person='patient', by='session', into='measurement')" in error.remedy
    assert "--number-by session --session measurement" in in_options(error).remedy
    kept = data.drop_nulls(["symptoms", "alliance"])
    anew = sw.number_sessions(kept, person="patient", by="session", into="measurement")
    made = sw.Panel(anew, person="patient", session="measurement")
    assert setting(sw.Study("symptoms", "alliance", dynamic=False), made, 1)


def test_what_can_be_answered_of_scores_at_some_sessions_is_not_refused() -> None:
    """A process at some sessions still predicts the next outcome; an outcome does where it is not held constant too."""
    for name, order in (("alliance", "outcome first"), ("symptoms", "together")):
        data = at_some_sessions(name, (1, 4, 8))
        assert setting(sw.Study("symptoms", "alliance", order=order, dynamic=False), panel(data), 1)
