"""Figures of the dynamic model: the numbers are those of the fit."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import vl_convert
from scipy import stats

import sessionwise as sw
from sessionwise import plot
from sessionwise.gibbs.diagnostics import convergence
from sessionwise.models.contract import State
from sessionwise.plot.caterpillar import _DRAWN, _MOST_ROWS
from sessionwise.plot.impulse_responses import responses

EFFECT = "core_om ~ lag(wai_sr)"
LABELS = {"core_om": "symptoms", "wai_sr": "alliance"}


def test_persons_effects_are_those_of_the_fit(dsem: sw.DSEMFit) -> None:
    found = plot.level_effects(dsem, term=EFFECT, level=0.9)
    table = dsem.persons_table(level=0.9).filter(effect=EFFECT).sort("mean")
    assert found.labels.tolist() == table["patient"].to_list()
    for mine, column in ((found.value, "mean"), (found.low, "low"), (found.high, "high")):
        np.testing.assert_array_equal(mine, table[column].to_numpy())
    rows = {row["term"]: row for row in dsem.tidy(level=0.9).to_dicts()}
    assert (found.average, found.average_low, found.average_high) == pytest.approx(
        [rows[EFFECT][key] for key in ("estimate", "low", "high")]
    )
    assert (found.sd, found.sd_low, found.sd_high) == pytest.approx(
        [rows[f"sd({EFFECT})"][key] for key in ("estimate", "low", "high")]
    )
    told = plot.embed(plot.caterpillar(dsem, labels=LABELS))
    assert "effect of previous alliance on symptoms" in told.title
    assert "SD between patients" in told.subtitle
    assert len(told.rows) == dsem.npersons


def test_levels_of_the_dynamic_model_are_compared_with_the_average(dsem: sw.DSEMFit) -> None:
    found = plot.level_effects(dsem, "patient", "core_om")
    assert found.reference == found.average == pytest.approx(float(np.median(dsem.draws("core_om"))))
    assert plot.embed(plot.caterpillar(dsem, term="core_om")).title.startswith("The level of core_om differs between")


def test_persons_own_courses_deviate_from_the_common_one(panel: sw.Panel) -> None:
    model = sw.DSEM.reciprocal("core_om", "wai_sr", trend="linear", random="none")
    fit = model.fit(panel, size=20, most=100, chains=2)
    found = plot.level_effects(fit, term="trend(core_om)")
    assert found.average == found.reference == 0
    assert "own trend of core_om" in plot.embed(plot.caterpillar(fit, term="trend(core_om)")).title


def many(n: int) -> plot.LevelEffects:
    value = np.sort(np.random.default_rng(1).normal(-1.0, 0.5, n))
    labels = np.array([f"p{i}" for i in range(n)], object)
    return plot.LevelEffects(labels, value, value - 0.8, value + 0.8, -1.0, -1.1, -0.9, 0.5, 0.95, 0.0)


@pytest.mark.parametrize("n", [646, 20_000])
def test_of_many_persons_some_are_drawn_and_all_are_counted(n: int) -> None:
    found = many(n)
    chart = plot.draw_effects(found, "patient", "alliance", "symptoms")
    rows, told = plot.figure_table(chart), plot.embed(chart)
    assert len(rows) == _DRAWN
    assert (rows[0]["level"], rows[-1]["level"]) == ("p0", f"p{n - 1}")
    assert f"below zero in {found.kinds.count('below'):,}" in told.title
    assert f"{_DRAWN} of {n:,} patients are drawn, evenly by rank" in told.subtitle
    dots = [row["effect"] for row in plot.figure_table(chart, "dots")]
    assert dots == pytest.approx(np.quantile(found.value, (np.arange(100) + 0.5) / 100), rel=1e-6)
    assert len(chart.to_json()) < 100_000


def test_few_enough_are_all_drawn() -> None:
    chart = plot.draw_effects(many(_MOST_ROWS), "patient", "alliance", "symptoms")
    assert len(plot.figure_table(chart)) == _MOST_ROWS
    assert "dots" not in plot.figure_parts(chart)


def test_what_there_is_not(dsem: sw.DSEMFit) -> None:
    with pytest.raises(sw.ModelError, match="does not differ between persons"):
        plot.caterpillar(dsem, term="core_om ~ lag(core_om)")
    with pytest.raises(sw.ModelError, match="no random effects over 'therapist'"):
        plot.caterpillar(dsem, "therapist")


def test_impulse_responses_are_those_of_the_fit(dsem: sw.DSEMFit) -> None:
    rows = plot.figure_table(plot.impulse_responses(dsem, 4, level=0.9))
    inner = dsem.impulse_responses(4, level=0.5).rows(named=True)
    expected = {
        (r["outcome"], r["predictor"], r["session"]): r for r in dsem.impulse_responses(4, 0.9).rows(named=True)
    }
    half = {(r["outcome"], r["predictor"], r["session"]): r for r in inner}
    assert len(rows) == len(expected) == 4 * 5
    for row in rows:
        key = row["outcome"], row["predictor"], row["session"]
        assert [row[c] for c in ("median", "low", "high")] == pytest.approx(
            [expected[key][c] for c in ("median", "low", "high")], rel=1e-6
        )
        assert [row["low_50"], row["high_50"]] == pytest.approx([half[key]["low"], half[key]["high"]], rel=1e-6)


def test_the_title_says_how_long_effects_last(dsem: sw.DSEMFit) -> None:
    told = plot.embed(plot.impulse_responses(dsem, 6, labels=LABELS))
    clear = {(r.predictor, r.outcome): r.clear for r in responses(dsem, 6)}
    last = clear["wai_sr", "core_om"][-1]
    assert clear["wai_sr", "core_om"] == list(range(1, last + 1))
    assert f"clear of zero to session {last}" in told.title
    assert "alliance → symptoms: −" in told.title
    assert "50 % and 95 % intervals" in told.subtitle


def test_each_panel_says_its_units(dsem: sw.DSEMFit) -> None:
    spec = json.dumps(plot.impulse_responses(dsem, labels=LABELS).to_dict(), ensure_ascii=False)
    for outcome in LABELS.values():
        for predictor in LABELS.values():
            assert f"units of {outcome} for one of {predictor}" in spec


def test_one_variable_and_three(panel: sw.Panel) -> None:
    alone = sw.DSEM(("core_om ~ lag(core_om)",), course=None).fit(panel, size=20, most=100, chains=2)
    assert len(plot.figure_table(plot.impulse_responses(alone, 3))) == 4
    third = panel.with_columns({"third": np.random.default_rng(1).normal(size=len(panel))})
    three = sw.DSEM(
        (
            "core_om ~ lag(core_om) + lag(wai_sr)",
            "wai_sr ~ lag(wai_sr) + lag(third)",
            "third ~ lag(third) + lag(core_om)",
        ),
        random="none",
        course=None,
    ).fit(third, size=20, most=100, chains=2)
    chart = plot.impulse_responses(three, 3)
    assert len(plot.figure_table(chart)) == 9 * 4
    assert "of 6 effects of one score on another are clear of zero" in plot.embed(chart).title


def test_posteriors_are_of_the_draws_and_priors_in_the_data_s_units(dsem: sw.DSEMFit) -> None:
    chart = plot.prior_posterior(dsem)
    rows = {row["panel"]: row for row in plot.figure_table(chart)}
    tidy = {row["term"]: row for row in dsem.tidy().to_dicts()}
    assert set(rows) == {
        *("core_om ~ lag(core_om)", "wai_sr ~ lag(wai_sr)", EFFECT, "wai_sr ~ lag(core_om)"),
        *(f"sd({EFFECT})", "sd(wai_sr ~ lag(core_om))"),
    }
    for name, row in rows.items():
        expected = [tidy[name][key] for key in ("estimate", "low", "high")]
        assert [row["median"], row["low"], row["high"]] == pytest.approx(expected, rel=1e-6)
    unit = dsem.within_sd["core_om"] / dsem.within_sd["wai_sr"]
    curves = plot.figure_table(chart, "curves")
    at = np.array([p["value"] for p in curves if p["panel"] == f"sd({EFFECT})"])
    prior = [p["prior"] for p in curves if p["panel"] == f"sd({EFFECT})"]
    np.testing.assert_allclose(prior, 2 * stats.t(2, scale=0.3 * unit).pdf(at), rtol=1e-5)
    own = [p for p in curves if p["panel"] == "core_om ~ lag(core_om)"]
    expected = stats.norm(0, 1).pdf([p["value"] for p in own])
    np.testing.assert_allclose([p["prior"] for p in own], expected, rtol=1e-5)


def test_a_density_has_an_area_of_one_and_lies_where_the_draws_do(dsem: sw.DSEMFit) -> None:
    curves = plot.figure_table(plot.prior_posterior(dsem, ["core_om", f"sd({EFFECT})"]), "curves")
    for name in ("core_om", f"sd({EFFECT})"):
        x, p = (np.array([row[key] for row in curves if row["panel"] == name]) for key in ("value", "posterior"))
        dense = np.interp(np.linspace(x[0], x[-1], 5000), x, p)
        step = (x[-1] - x[0]) / 4999
        assert dense.sum() * step == pytest.approx(1.0, abs=0.02)
        below = dense[np.linspace(x[0], x[-1], 5000) <= np.median(dsem.draws(name))].sum() * step
        assert below == pytest.approx(0.5, abs=0.05)
    assert min(row["value"] for row in curves if row["panel"] == f"sd({EFFECT})") == 0


def test_a_flat_prior_is_said_and_not_drawn(dsem: sw.DSEMFit, panel: sw.Panel) -> None:
    chart = plot.prior_posterior(dsem, [EFFECT])
    assert plot.figure_table(chart)[0]["prior"] == "flat"
    assert all(row["prior"] is None for row in plot.figure_table(chart, "curves"))
    assert '"prior:Q"' not in json.dumps(chart.to_dict()["layer"])
    assert "Flat priors" in plot.embed(chart).title
    fit = sw.DSEM.reciprocal("core_om", "wai_sr", course=None, priors="mplus").fit(panel, size=20, most=100, chains=2)
    told = {row["panel"]: row["prior"] for row in plot.figure_table(plot.prior_posterior(fit))}
    assert told["core_om ~ lag(core_om)"] == "flat"
    assert told[f"sd({EFFECT})"] == "flat in variances"


def test_how_much_narrower_the_data_make_it(dsem: sw.DSEMFit) -> None:
    (row,) = plot.figure_table(plot.prior_posterior(dsem, "core_om ~ lag(core_om)"))
    low, high = np.quantile(dsem.draws("core_om ~ lag(core_om)"), [0.25, 0.75])
    assert row["narrower"] == pytest.approx(2 * 0.6744898 / (high - low), rel=1e-5)


def test_priors_of_matrices_are_not_drawn(dsem: sw.DSEMFit) -> None:
    with pytest.raises(sw.ModelError, match="one with others, in a matrix"):
        plot.prior_posterior(dsem, ["innovation sd(core_om)"])
    with pytest.raises(sw.ModelError, match="There is no parameter"):
        plot.prior_posterior(dsem, ["core"])
    with pytest.raises(sw.ModelError, match="no numbers to draw"):
        plot.prior_posterior(dsem, [])


def test_traces_and_ranks_are_those_of_the_draws(dsem: sw.DSEMFit) -> None:
    chart = plot.chains(dsem, ["core_om"])
    draws = dsem.draws("core_om")
    traces = plot.figure_table(chart, "traces")
    for row in traces:
        assert row["value"] == pytest.approx(draws[row["chain"] - 1, row["draw"] - 1], rel=1e-6)
    assert len(traces) <= 150 * len(draws)
    ranks = [row for row in plot.figure_table(chart, "ranks") if row["rank"] < 1]
    edges = np.quantile(draws, np.arange(1, 20) / 20)
    for c in range(len(draws)):
        share = [row["share"] for row in ranks if row["chain"] == c + 1]
        assert sum(share) == pytest.approx(1.0)
        expected = np.bincount(np.searchsorted(edges, draws[c]), minlength=20) / draws.shape[1]
        np.testing.assert_allclose(share, expected, atol=2.5 / draws.shape[1])
    (row,) = plot.figure_table(chart)
    told = next(r for r in dsem.tidy().to_dicts() if r["term"] == "core_om")
    assert row["rhat"] == pytest.approx(told["rhat"], rel=1e-6)


def test_the_numbers_least_known_come_first(dsem: sw.DSEMFit) -> None:
    shown = [row["panel"] for row in plot.figure_table(plot.chains(dsem))]
    rows = sorted(dsem.tidy().to_dicts(), key=lambda row: min(row["ess_bulk"], row["ess_tail"]))
    assert shown == [row["term"] for row in rows[:6]]


def test_chains_that_disagree_are_seen(dsem: sw.DSEMFit) -> None:
    """One chain elsewhere: its ranks are all at the top, and the panel has room for that."""
    draws = dsem.reported.draws.copy()
    draws[0] += 100 * np.abs(draws).max()
    apart = replace(
        dsem,
        reported=replace(dsem.reported, draws=draws),
        convergence=convergence(draws),
        verdict=sw.Verdict.of(State.NOT_CONVERGED, "no"),
    )
    chart = plot.chains(apart, ["core_om"])
    ranks = plot.figure_table(chart, "ranks")
    top = 20 * (len(draws) - 1) // len(draws) / 20
    assert sum(row["share"] for row in ranks if row["chain"] == 1 and top <= row["rank"] < 1) == pytest.approx(1.0)
    assert plot.embed(chart).title.startswith("The chains are not yet long enough")


def test_many_chains(panel: sw.Panel) -> None:
    model = sw.DSEM.reciprocal("core_om", "wai_sr", course=None, random="none")
    fit = model.fit(panel, size=20, most=100, chains=7)
    spec = plot.chains(fit).to_dict()
    assert "7 chains" in " ".join(spec["title"]["subtitle"])
    assert vl_convert.vegalite_to_svg(spec).startswith("<svg")


HOSTILE = ["image", "constructor", "a\nb\\", "</script><img src=http://x.example/>"]


@pytest.mark.parametrize("draw", [plot.caterpillar, plot.impulse_responses, plot.prior_posterior, plot.chains])
def test_names_from_the_file_are_text(draw: Callable[..., Any], panel: sw.Panel) -> None:
    frame = panel.to_frame().rename({"core_om": HOSTILE[2], "wai_sr": HOSTILE[3], "patient": HOSTILE[0]})
    odd = sw.Panel(frame, person="image", session="session")
    fit = sw.DSEM.reciprocal(HOSTILE[2], HOSTILE[3], course=None).fit(odd, size=20, most=100, chains=2)
    spec = draw(fit).to_dict()
    assert vl_convert.vegalite_to_svg(spec).startswith("<svg")
    titles = [t.get("title", t["field"]) for t in found_tooltips(spec)]
    assert titles
    assert not any("\\" in title or "\n" in title or title in ("image", "constructor") for title in titles)


def found_tooltips(thing: Any) -> Iterator[dict[str, Any]]:
    if isinstance(thing, dict):
        for name, value in thing.items():
            yield from value if name == "tooltip" and isinstance(value, list) else found_tooltips(value)
    elif isinstance(thing, list):
        for value in thing:
            yield from found_tooltips(value)
