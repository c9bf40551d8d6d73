"""Caterpillar and simple slopes: the numbers are those of the fit."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from sessionwise import plot


def test_caterpillar_is_average_plus_deviation(fit: sw.MLMFit) -> None:
    found = plot.level_effects(fit, "patient", "within(wai_sr)")
    table = nw.from_native(fit.ranef("patient"))
    deviation = dict(zip(table["patient"].to_list(), table["within(wai_sr)"].to_list(), strict=True))
    error = dict(zip(table["patient"].to_list(), table["se within(wai_sr)"].to_list(), strict=True))
    average, se = fit.fixef["within(wai_sr)"], fit.se["within(wai_sr)"]
    for label, value, high in zip(found.labels.tolist(), found.value, found.high, strict=True):
        assert value == pytest.approx(average + deviation[label])
        assert high - value == pytest.approx(1.959964 * np.hypot(error[label], se), rel=1e-6)
    assert (np.diff(found.value) >= -1e-9).all()
    rows = plot.figure_table(plot.caterpillar(fit, "patient"))
    assert [row["interval"] for row in rows] == found.kinds


def test_caterpillar_of_levels_compares_with_the_average(fit: sw.MLMFit) -> None:
    found = plot.level_effects(fit, "therapist")
    assert found.reference == fit.fixef["(Intercept)"]
    told = plot.embed(plot.caterpillar(fit, "therapist"))
    assert told.title.startswith("The level of core_om differs between therapists")


def test_no_variance_is_said() -> None:
    """Everybody has the same slope, and the noise is even: the variance is estimated as zero."""
    s, p = np.tile(np.arange(6), 12), np.repeat(np.arange(12), 6)
    y = 2.0 * s + np.tile([1, -1, -1, 1, 1, -1], 12) + p
    panel = sw.Panel(pl.DataFrame({"p": p, "s": s, "y": y}), person="p", session="s")
    fit = sw.MLM("y ~ s + (1 | p) + (0 + s | p)").fit(panel)
    assert "no more than chance" in plot.embed(plot.caterpillar(fit, "p", "s")).title


def test_caterpillar_errors(fit: sw.MLMFit, panel: sw.Panel) -> None:
    with pytest.raises(sw.ModelError, match="Did you mean 'patient'"):
        plot.caterpillar(fit, "patients")
    with pytest.raises(sw.ModelError, match="no grouping factor was named"):
        plot.caterpillar(fit)
    with pytest.raises(sw.ModelError, match="no random effect over patient"):
        plot.caterpillar(fit, "patient", "session")
    with pytest.raises(sw.ModelError, match="level is 95"):
        plot.caterpillar(fit, "patient", level=95)
    with pytest.raises(sw.ModelError, match="no random effects"):
        plot.caterpillar(sw.MLM("core_om ~ session").fit(panel))


def test_simple_slopes_are_those_of_the_fit(fit: sw.MLMFit) -> None:
    chart = plot.simple_slopes(fit, "within(wai_sr)", labels={"pd=1": "problems"})
    rows, expected = plot.figure_table(chart), nw.from_native(fit.slopes("within(wai_sr)"))
    for name, column in (("slope", "estimate"), ("low", "low"), ("high", "high")):
        assert [row[name] for row in rows] == pytest.approx(expected[column].to_list(), rel=1e-6)
    assert [row["at"] for row in rows] == ["pd 0", "problems"]
    lines = plot.figure_table(chart, "lines")
    assert lines[20]["difference"] / lines[20]["x"] == pytest.approx(rows[0]["slope"], rel=1e-4)  # x is centred


def test_title_follows_the_test_of_the_interaction(panel: sw.Panel) -> None:
    rng = np.random.default_rng(1)
    g, x = (np.arange(panel.n_persons) % 2)[panel.codes].astype(float), rng.normal(size=len(panel))
    noise = rng.normal(size=len(panel))
    made = panel.with_columns({"g": g, "x": x, "yes": x * g + noise, "no": x + noise})
    differs = sw.MLM("yes ~ x * g + (1 | patient)").fit(made)
    same = sw.MLM("no ~ x * g + (1 | patient)").fit(made)
    assert "differs: " in plot.embed(plot.simple_slopes(differs, "x")).title
    assert "does not clearly differ by g" in plot.embed(plot.simple_slopes(same, "x")).title


def test_others_are_held(panel: sw.Panel) -> None:
    fit = sw.MLM("core_om ~ session * age + session * gender + (1 | patient)").fit(panel)
    told = plot.embed(plot.simple_slopes(fit, "session", "age", over=(1, 10)))
    assert len(told.rows) == 3
    assert "gender is held at man" in told.subtitle
    with pytest.raises(sw.ModelError, match="several moderators"):
        plot.simple_slopes(fit, "session")
    with pytest.raises(sw.ModelError, match="no moderator of session"):
        plot.simple_slopes(fit, "session", "pd")
    with pytest.raises(sw.ModelError, match="7 lines"):
        plot.simple_slopes(fit, "session", "age", {"age": list(range(20, 27))})
    with pytest.raises(sw.ModelError, match="no line over"):
        plot.simple_slopes(fit, "session", "age", over=(3, 3))


def test_simple_slopes_errors(fit: sw.MLMFit) -> None:
    with pytest.raises(sw.ModelError, match="session has no moderator"):
        plot.simple_slopes(fit, "session")
    with pytest.raises(sw.ModelError, match="no predictor"):
        plot.simple_slopes(fit, "sessions")
