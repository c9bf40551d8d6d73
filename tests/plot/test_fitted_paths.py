"""The path diagram of a fitted panel model."""

from __future__ import annotations

import pytest

import sessionwise as sw


@pytest.fixture(scope="module")
def panel() -> sw.Panel:
    return sw.Panel(sw.datasets.demo(persons=400, scale_scores=True), person="patient", session="session")


@pytest.mark.parametrize(
    "model", [sw.RICLPM("core_om", "wai_sr", waves=4, lags="free"), sw.CLPM("core_om", "wai_sr", waves=4)]
)
def test_what_is_drawn_is_what_was_fitted(panel: sw.Panel, model) -> None:
    fit = model.fit(panel)
    drawn = sw.plot.path_diagram(fit)
    assert drawn.variables == ("core_om", "wai_sr")
    assert drawn.waves == ("1", "2", "3", "4")
    assert len(drawn.arrows) == 4 * 3
    suffix = " [3]" if model.lags == "free" else ""
    arrow = next(a for a in drawn.arrows if (a.from_variable, a.to_variable, a.to_wave) == ("wai_sr", "core_om", "3"))
    assert arrow.estimate == pytest.approx(fit.estimates[f"core_om ~ lag(wai_sr){suffix}"])
    first = fit.within()
    assert drawn.correlations[0].estimate == pytest.approx(first["r core_om wai_sr"][0])
    e = fit.estimates
    residual = (
        e["residual cov(core_om, wai_sr) [4]"] / (e["residual var(core_om) [4]"] * e["residual var(wai_sr) [4]"]) ** 0.5
    )
    assert drawn.correlations[3].estimate == pytest.approx(residual)
    assert drawn.correlations[3].low < residual < drawn.correlations[3].high
    if isinstance(model, sw.CLPM):
        assert drawn.intercepts is None
    else:
        assert drawn.intercepts is not None
        assert drawn.intercepts.variances[1] == pytest.approx(e["intercept var(wai_sr)"])
    assert sw.plot.alt_text(sw.plot.paths(fit))


def test_one_of_several_groups(panel: sw.Panel) -> None:
    fit = sw.RICLPM("core_om", "wai_sr", waves=4, group="gender", same=("lag",)).fit(panel)
    drawn = sw.plot.path_diagram(fit, "man")
    assert {a.estimate for a in drawn.arrows if a.from_variable == a.to_variable == "core_om"} == {
        fit.estimates["core_om ~ lag(core_om)"]
    }
    with pytest.raises(sw.ModelError, match="Did you mean 'woman'"):
        sw.plot.path_diagram(fit, "women")
    with pytest.raises(sw.ModelError, match="the fit has groups man, woman"):
        sw.plot.paths(fit)


def test_other_models_are_refused(panel: sw.Panel) -> None:
    fit = sw.DPM("core_om ~ pre(lag(wai_sr))", waves=4, same_wave=True).fit(panel)
    with pytest.raises(sw.ModelError, match="cross-lagged model of two variables"):
        sw.plot.path_diagram(fit)
