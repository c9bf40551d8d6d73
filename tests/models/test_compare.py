"""Compare: effects of different models on one scale, and the scale itself."""

from __future__ import annotations

import json

import numpy as np
import pytest

import sessionwise as sw
from helpers import demo
from sessionwise.models.mlm.lagged import _within_sd

FORWARD = "core_om ~ lag(core_om) + lag(within(wai_sr)) + session + (1 | patient) + (1 | therapist)"


@pytest.fixture(scope="module")
def panel() -> sw.Panel:
    return demo.panel()


@pytest.fixture(scope="module")
def fits(panel: sw.Panel) -> list:
    models = (
        sw.MLM(FORWARD),
        sw.RICLPM("core_om", "wai_sr", waves=5),
        sw.DPM("core_om ~ pre(lag(wai_sr))", waves=5, same_wave=True),
    )
    return [model.fit(panel) for model in models]


@pytest.mark.parametrize(
    "formula",
    [
        FORWARD,
        "core_om ~ lag(core_om) + lag(wai_sr) + session + pd + (1 + session | patient)",
        "core_om ~ lag(core_om)",
        "core_om ~ session * pd + lag(detrend(wai_sr)) + (1 | patient)",
    ],
)
def test_scale_is_that_of_deviations_from_person_means(panel: sw.Panel, formula: str) -> None:
    made = sw.design(panel, formula)
    who = np.repeat(np.arange(len(made.persons)), np.diff(made.starts))
    deviations = (
        made.matrix - np.array([np.bincount(who, c) for c in made.matrix.T]).T[who] / np.bincount(who)[who, None]
    )
    expected = np.sqrt((deviations**2).sum(axis=0) / (len(who) - len(made.persons)))
    fit = sw.MLM(formula).fit(panel)
    order = [made.names.index(name) for name in (*fit.terms, made.names[0])]
    np.testing.assert_allclose(_within_sd(fit), expected[order], rtol=1e-9, atol=1e-9)


def test_effects_side_by_side(fits: list) -> None:
    found = sw.compare(*fits)
    forward = [e for e in found.effects if (e.outcome, e.predictor) == ("core_om", "wai_sr")]
    assert [e.model for e in forward] == ["(1) MLM", "(2) RI-CLPM", "(3) DPM"]
    assert forward[0].estimate == fits[0].fixef["lag(within(wai_sr))"]
    assert forward[1].estimate == fits[1].estimates["core_om ~ lag(wai_sr)"]
    for e in found.effects:
        assert e.std_low < e.standardised < e.std_high
        assert np.sign(e.standardised) == np.sign(e.estimate)
    # Cross-lags first, then autoregressions.
    assert found.effects[0].outcome != found.effects[0].predictor
    assert found.effects[-1].outcome == found.effects[-1].predictor


def test_units_do_not_count(panel: sw.Panel) -> None:
    scaled = panel.with_columns({"core_om": 10 * panel["core_om"] + 3, "wai_sr": panel["wai_sr"] / 7})
    model = sw.RICLPM("core_om", "wai_sr", waves=5)
    for one, other in zip(
        sw.compare(model.fit(panel), sw.MLM(FORWARD).fit(panel)).effects,
        sw.compare(model.fit(scaled), sw.MLM(FORWARD).fit(scaled)).effects,
        strict=True,
    ):
        assert one.standardised == pytest.approx(other.standardised, rel=1e-4)
        assert one.std_low == pytest.approx(other.std_low, rel=1e-3)


def test_panel_scale_agrees_with_the_data() -> None:
    truth = {
        "x ~ lag(x)": 0.4, "x ~ lag(y)": 0.1, "y ~ lag(x)": -0.2, "y ~ lag(y)": 0.3, "residual var(x)": 1.0,
        "residual cov(x, y)": 0.2, "residual var(y)": 4.0, "intercept var(x)": 2.0, "intercept cov(x, y)": 0.0,
        "intercept var(y)": 3.0, "mean(x)": 0.0, "mean(y)": 1.0,
    }  # fmt: skip
    model = sw.RICLPM("x", "y", waves=5)
    simulated = model.simulate(truth, 400, seed=3)
    effect = next(e for e in model.fit(simulated).lagged_effects() if (e.outcome, e.predictor) == ("y", "x"))
    x, y = (simulated[name].reshape(400, 5) for name in ("x", "y"))
    before, after = x[:, :-1] - x[:, :-1].mean(axis=0), y[:, 1:] - y[:, 1:].mean(axis=0)
    expected = before.std(axis=1, ddof=1), after.std(axis=1, ddof=1)
    ratio = np.sqrt((expected[0] ** 2).mean() / (expected[1] ** 2).mean())
    assert effect.scale == pytest.approx(ratio, rel=0.02)


def test_prints_and_travels(fits: list) -> None:
    found = sw.compare(*fits)
    text = str(found)
    assert "wai_sr → core_om" in text
    assert max(map(len, text.splitlines())) <= 80
    assert "<table>" in found._repr_html_()
    assert json.dumps(found.to_dict(), allow_nan=False)
    assert found.tidy().shape == (len(found.effects), 14)


def test_an_unreliable_fit_is_marked(fits: list, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    bad = replace(fits[1], verdict=replace(fits[1].verdict, admissible=False))
    assert "(2) RI-CLPM (!)" in str(sw.compare(fits[0], bad))


@pytest.mark.parametrize(
    "formula",
    [
        "core_om ~ session + (1 | patient)",
        "core_om ~ lag(core_om, 2) + (1 | patient)",
        "core_om ~ lag(wai_sr) * pd + (1 | patient)",
    ],
)
def test_a_model_without_such_effects_is_refused(panel: sw.Panel, formula: str) -> None:
    with pytest.raises(sw.ModelError, match="no effect of a column one session before"):
        sw.compare(sw.MLM(formula).fit(panel))


def test_nothing_and_no_fit_are_refused() -> None:
    with pytest.raises(sw.ModelError, match="nothing to compare"):
        sw.compare()
    with pytest.raises(sw.ModelError, match="a str is no fit"):
        sw.compare("fit")  # type: ignore[arg-type]
