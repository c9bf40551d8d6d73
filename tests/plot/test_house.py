"""What holds for every figure: it renders, says what is seen, gives its rows, and fits a page in light and dark."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import altair as alt
import pytest
import vl_convert

import sessionwise as sw
from sessionwise import plot
from sessionwise.plot.figure import shortened, wrapped
from sessionwise.plot.style import PAPER, TONES
from sessionwise.plot.words import words

ESTIMATES = [
    plot.Estimate("Multilevel model", "alliance → symptoms", -0.1, -0.15, -0.05),
    plot.Estimate("RI-CLPM", "alliance → symptoms", note="fewer than three waves"),
]
DIAGRAM = plot.PathDiagram(("a", "b"), ("1", "2"), (plot.Arrow("a", "1", "b", "2", 0.2, 0.1, 0.3),))
FIGURES: dict[str, Callable[..., Any]] = {
    "trajectories": lambda panel, fit, dsem, **k: plot.trajectories(panel, "core_om", **k),
    "dropout": lambda panel, fit, dsem, **k: plot.dropout(panel, **k),
    "episodes": lambda panel, fit, dsem, **k: plot.episodes(
        panel, sw.detect(panel, sw.SuddenGain("core_om"), patients=100), **k
    ),
    "expected_course": lambda panel, fit, dsem, **k: plot.expected_course(
        sw.ExpectedCourse("core_om").fit(panel).track(panel), persons=panel.persons[:4].tolist(), **k
    ),
    "missing": lambda panel, fit, dsem, **k: plot.missing(panel, **k),
    "scatter": lambda panel, fit, dsem, **k: plot.scatter(panel, "core_om", "wai_sr", **k),
    "caterpillar": lambda panel, fit, dsem, **k: plot.caterpillar(fit, "patient", **k),
    "persons' effects": lambda panel, fit, dsem, **k: plot.caterpillar(dsem, **k),
    "impulse_responses": lambda panel, fit, dsem, **k: plot.impulse_responses(dsem, **k),
    "prior_posterior": lambda panel, fit, dsem, **k: plot.prior_posterior(dsem, **k),
    "chains": lambda panel, fit, dsem, **k: plot.chains(dsem, **k),
    "simple_slopes": lambda panel, fit, dsem, **k: plot.simple_slopes(fit, "within(wai_sr)", **k),
    "forest": lambda panel, fit, dsem, **k: plot.forest(ESTIMATES, **k),
    "paths": lambda panel, fit, dsem, **k: plot.paths(DIAGRAM, **k),
}


@pytest.fixture(params=FIGURES)
def draw(request: pytest.FixtureRequest, panel: sw.Panel, fit: sw.MLMFit, dsem: sw.DSEMFit) -> Callable[..., Any]:
    return lambda **k: FIGURES[request.param](panel, fit, dsem, **k)


@pytest.mark.parametrize("width", [640, 360])
def test_renders_as_wide_as_asked(draw: Callable[..., Any], width: int) -> None:
    svg = vl_convert.vegalite_to_svg(draw(width=width).to_dict())
    assert re.search(rf'<svg[^>]* width="{width}"', svg)


def test_words(draw: Callable[..., Any]) -> None:
    chart = draw(note="Simulated data.")
    told = plot.embed(chart)
    assert told.title in plot.alt_text(chart) == told.description == chart.to_dict()["description"]
    assert told.subtitle.endswith("Simulated data.")
    head = chart.to_dict()["title"]
    assert "".join(head["text"]).replace(" ", "") == told.title.replace(" ", "")
    assert all(len(line) < 125 for line in head["subtitle"])


def test_rows_are_plain(draw: Callable[..., Any]) -> None:
    chart = draw()
    for part in plot.figure_parts(chart):
        rows = plot.figure_table(chart, part)
        assert not any(name.startswith("_") for row in rows for name in row)
        assert json.loads(json.dumps(rows, allow_nan=False)) == rows
    assert plot.figure_table(chart)


def test_same_again(draw: Callable[..., Any]) -> None:
    assert draw().to_json() == draw().to_json()


def colours(thing: Any) -> Iterator[str]:
    if isinstance(thing, dict):
        for name, value in thing.items():
            if name != "datasets":
                yield from colours(value)
    elif isinstance(thing, list):
        for value in thing:
            yield from colours(value)
    elif isinstance(thing, str) and re.fullmatch("#[0-9a-fA-F]{6}", thing):
        yield thing


def test_marks_hold_no_colour_of_their_own(draw: Callable[..., Any]) -> None:
    """So that the config alone makes it light or dark, and each name of a mark is known there."""
    spec = plot.embed(draw()).spec
    assert not list(colours(spec))
    named = set(re.findall(r'"style": "([^"]+)"', json.dumps(spec)))
    assert named <= set(plot.style()["style"])
    assert spec["background"] == "transparent"
    assert spec["width"] == "container"
    assert "title" not in spec
    vl_convert.vegalite_to_svg({**spec, "width": 500, "config": plot.style(dark=True)})


def test_uncertainty_is_named(draw: Callable[..., Any]) -> None:
    assert re.search("interval|sampling error", plot.embed(draw()).subtitle)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("dark", [False, True])
def test_contrast(dark: bool) -> None:
    """WCAG 2.2: 4.5 for text, 3 for marks (that of Okabe and Ito's purple on white is 2.9; its label is dark)."""
    for name, tones in TONES.items():
        for colour, least in ((tones[dark].text, 4.5), (tones[dark].mark, 2.8)):
            low, high = sorted((luminance(colour), luminance(PAPER[dark])))
            assert (high + 0.05) / (low + 0.05) >= least, (name, colour)


def test_errors(panel: sw.Panel) -> None:
    with pytest.raises(sw.ModelError, match="did not draw"):
        plot.alt_text(alt.Chart())
    with pytest.raises(sw.ModelError, match="Did you mean 'average'"):
        plot.figure_table(plot.trajectories(panel, "core_om"), "averages")


def test_terms_in_words() -> None:
    formula = sw.parse_formula(
        "y ~ lag(within(x)) + lead(x, k=2) + lag(x, k=3) + between(x) + I(x^2) + C(g) + detrend(x)"
    )
    said = [words(v, {"x": "alliance"}) for v in formula.variables[1:]]
    assert said[:3] == ["previous alliance within persons", "alliance 2 sessions later", "alliance 3 sessions before"]
    assert said[3:] == ["alliance of persons", "I(x^2)", "g", "detrended alliance"]
    assert words(formula.variables[1], {"lag(within(x))": "bond"}) == "bond"


def test_long_words() -> None:
    assert shortened("Patient with a long label 17", 20) == "Patient w…g label 17"
    assert wrapped("a_very_long_column_name", 10) == ["a_very_lon", "g_column_n", "ame"]
