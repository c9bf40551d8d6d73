"""Units, labels and columns of strangers' files: what they must not change, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest

import sessionwise as sw


def panel(sessions: Sequence[int] = range(1, 7), unit: float = 1.0, slope: float = 0.0, **columns: Any) -> sw.Panel:
    """60 persons; x moves y by .8 in the same session; columns : of persons."""
    rng = np.random.default_rng(5)
    rows = []
    for i in range(60):
        level, y, w = rng.normal(), 0.0, 0.0
        for s in sessions:
            x = rng.normal()
            w = 0.3 * w + rng.normal()
            y = 0.3 * y + 0.8 * x + rng.normal()
            rows.append((i, s, y + level + slope * s, w, unit * x))
    frame = pl.DataFrame(rows, schema=["p", "s", "y", "w", "x"], orient="row")
    return sw.Panel(
        frame.with_columns(**{k: pl.Series(np.repeat(v, len(list(sessions)))) for k, v in columns.items()}),
        person="p",
        session="s",
    )


def fitted(given: sw.Panel, size: float = 60, **options: Any) -> sw.models.DSEMFit:
    return sw.DSEM.reciprocal("y", "w", random="none", **options).fit(given, size=size)


def median(fit: sw.models.DSEMFit, name: str) -> float:
    return float(np.median(fit.draws(name)))


def test_the_unit_of_a_covariate_changes_nothing() -> None:
    model = sw.DSEM(("y ~ lag(y) + x",))
    one, small = (median(model.fit(panel(unit=u), size=60), "y ~ x") * u for u in (1.0, 1e-3))
    assert small == pytest.approx(one, rel=1e-6)
    assert one == pytest.approx(0.8, abs=0.15)


@pytest.mark.parametrize("first", ["own", "stationary", "previous", "given"])
def test_courses_are_called_by_session_numbers(first: str) -> None:
    fit = fitted(panel(range(5, 11)), first=first)
    assert [name for name in fit.reported.names if name.startswith("course(y")] == [
        f"course(y, {s})" for s in range(6, 11)
    ]
    assert not fit.findings


@pytest.mark.parametrize("first", ["own", "stationary", "previous", "given"])
def test_the_level_is_that_of_the_middle_session(first: str) -> None:
    fit = fitted(panel(slope=1.0), first=first, trend="linear", course=None)
    assert median(fit, "y") == pytest.approx(3.5, abs=0.5)
    assert median(fit, "trend(y)") == pytest.approx(1.0, abs=0.15)


def test_a_session_that_nobody_rated_has_no_level_of_its_own() -> None:
    table = panel().to_frame().with_columns(w=pl.when(pl.col("s") == 4).then(None).otherwise(pl.col("w")))
    fit = fitted(sw.Panel(table, person="p", session="s"))
    assert fit.verdict
    between = [float(np.median(fit.draws(f"course(w, {s})"))) for s in (3, 4, 5)]
    assert between[1] == pytest.approx((between[0] + between[2]) / 2, abs=0.05)


def test_equal_numbers_of_sessions_predict_nothing_and_it_is_said() -> None:
    fit = fitted(panel(), treatment_length=True)
    assert [f.code for f in fit.findings] == ["treatment-length"]
    assert not [name for name in fit.reported.names if "number of sessions" in name]


A = np.random.default_rng(1).normal(size=60)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"between": "~ a + b"}, "b is determined by the other"),
        ({"between": "~ kind"}, "kind is the same for all persons"),
        ({"between": "~ odd"}, "odd is the same for all persons, or infinite"),
        ({"outcomes": ("odd",)}, "odd is the same for all persons, or infinite"),
    ],
)
def test_columns_of_persons_that_tell_nothing_are_refused(options: dict[str, Any], said: str) -> None:
    odd = np.where(np.arange(60) == 3, np.inf, A)
    given = panel(a=A, b=2 * A, kind=np.full(60, "one"), odd=odd)
    with pytest.raises(sw.ModelError, match=said):
        fitted(given, **options)


@pytest.mark.parametrize(("column", "said"), [("y", "infinite value"), ("x", "covariate x")])
def test_what_is_infinite_is_refused(column: str, said: str) -> None:
    table = panel().to_frame()
    broken = pl.Series(column, [np.inf, *table[column].to_list()[1:]])
    given = sw.Panel(table.with_columns(broken), person="p", session="s")
    with pytest.raises(sw.ModelError, match=said):
        sw.DSEM(("y ~ lag(y) + x",)).fit(given)


def test_a_covariate_of_text_is_refused_with_what_to_do() -> None:
    given = panel(kind=np.where(A > 0, "one", "other"))
    with pytest.raises(sw.ModelError, match="kind holds no numbers") as caught:
        sw.DSEM(("y ~ lag(y) + kind",)).fit(given)
    assert "0 and 1" in caught.value.remedy


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"variances": "random"}, "innovations do not correlate"),
        ({"priors": "mplus", "effect_sd": 0.1}, "effect_sd has no meaning"),
        ({"factor": True, "correlated": "all"}, "by the factor alone"),
        ({"between": "~ o", "outcomes": ("o",)}, "an outcome and in between"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(sw.ModelError, match=said):
        sw.DSEM.reciprocal("y", "w", **options)


def alone(y: np.ndarray, **options: Any) -> sw.models.DSEMFit:
    """y : (persons, sessions), beside a w of noise."""
    persons, sessions = y.shape
    frame = pl.DataFrame(
        {
            "p": np.repeat(np.arange(persons), sessions),
            "s": np.tile(np.arange(1, sessions + 1), persons),
            "y": y.ravel(),
            "w": np.where(np.isnan(y.ravel()), np.nan, np.random.default_rng(2).standard_normal(y.size)),
        }
    )
    given = sw.Panel(frame.with_columns(pl.col("y", "w").fill_nan(None)), person="p", session="s")
    return sw.DSEM.reciprocal("y", "w", random="none", course=None, **options).fit(given, size=10, most=100, chains=2)


def test_a_process_that_runs_away_and_a_grid_that_is_nearly_empty_are_said() -> None:
    rng = np.random.default_rng(1)
    wild = rng.standard_normal((40, 12))
    for t in range(1, 12):
        wild[:, t] += 1.6 * wild[:, t - 1]
    (finding,) = [f for f in alone(wild).findings if f.code == "explosive"]
    assert finding.severity == "warning"
    assert "trend='linear'" in finding.remedy
    empty = np.where(rng.random((60, 80)) < 0.95, np.nan, rng.standard_normal((60, 80)))
    assert "nearly-empty" in [f.code for f in alone(empty).findings]
    assert not alone(rng.standard_normal((40, 6))).findings


@pytest.mark.parametrize(("persons", "said"), [(2, "2 persons cannot tell"), (40, "in too few persons")])
def test_two_persons_and_persons_with_one_session_are_refused(persons: int, said: str) -> None:
    with pytest.raises(sw.ModelError, match=said) as caught:
        alone(np.random.default_rng(1).standard_normal((persons, 20 if persons == 2 else 1)))
    assert "none" not in caught.value.remedy


def test_each_score_says_where_its_error_is_from() -> None:
    table = sw.datasets.demo(persons=60)
    scored = sw.score(sw.Panel(table, person="patient", session="session"), "core-om", "wai-sr")
    fit = sw.DSEM.reciprocal("core_om", "wai_sr", error="items", random="none").fit(scored, size=20, most=200)
    assert fit.error_said == "core_om from 34 items, wai_sr from 12 items"
