"""The house style: colours, type and line widths, in one place.

No figure holds a colour. Its marks are named (`average-line`, `person-line`, `above-point`, ...) and the names are
given colours here, so that the same chart is right on white paper and on a dark page: put `style(dark=True)` in place
of its `config`. Hues are those of Okabe & Ito (2008), safe for colour-blind readers; text in a hue is darker (on dark
pages lighter), so that it has a contrast of 4.5 : 1 or more.
"""

from __future__ import annotations

from typing import Any, NamedTuple

FONT = "Helvetica, Arial, 'Liberation Sans', sans-serif"
BLUE, GREY, INK = "#0072B2", "#8a8a8a", "#222222"
#: Paper of light and dark pages: also what stands behind a label that crosses a line.
PAPER = {False: "#ffffff", True: "#161616"}


class _Tone(NamedTuple):
    """Colour of marks and colour of text."""

    mark: str
    text: str


#: What a colour means, and the colour: on white and on dark.
TONES: dict[str, dict[bool, _Tone]] = {
    "average": {False: _Tone(BLUE, "#0069a4"), True: _Tone("#56B4E9", "#56B4E9")},
    "below": {False: _Tone(BLUE, "#0069a4"), True: _Tone("#56B4E9", "#56B4E9")},
    "above": {False: _Tone("#D55E00", "#b04c00"), True: _Tone("#E69F00", "#E69F00")},
    "neither": {False: _Tone(GREY, "#5f5f5f"), True: _Tone("#9a9a9a", "#b8b8b8")},
    "first": {False: _Tone(BLUE, "#0069a4"), True: _Tone("#56B4E9", "#56B4E9")},
    "second": {False: _Tone("#D55E00", "#b04c00"), True: _Tone("#E69F00", "#E69F00")},
    "third": {False: _Tone("#009E73", "#00775a"), True: _Tone("#2bb98f", "#2bb98f")},
    "fourth": {False: _Tone("#CC79A7", "#96466f"), True: _Tone("#CC79A7", "#dc9dbf")},
    "fifth": {False: _Tone(INK, INK), True: _Tone("#e4e4e4", "#e4e4e4")},
    "person": {False: _Tone(GREY, "#5f5f5f"), True: _Tone("#9a9a9a", "#b8b8b8")},
    "plain": {False: _Tone(INK, INK), True: _Tone("#e4e4e4", "#e4e4e4")},
}
_RAMP = {False: ["#f2f2f2", BLUE, "#00243a"], True: ["#2b2b2b", "#2f8fc7", "#e3f3ff"]}


def style(dark: bool = False, *, paper: str | None = None) -> dict[str, Any]:
    """The `config` of a Vega-Lite figure: colours, type, axes.

    dark : for a dark page. paper : colour of the page where it is not the usual one; it is drawn behind labels that
    cross a line. The figure's own background is transparent on dark pages and white on light ones, so that a figure
    saved to a file can be read wherever it is put; `embed` leaves it out.
    """
    ink, faint = TONES["plain"][dark].text, TONES["neither"][dark].text
    line, grid = ("#6f6f6f", "#333333") if dark else ("#999999", "#e8e8e8")
    behind = paper or PAPER[dark]
    return {
        "background": "transparent" if dark else "white",
        "font": FONT,
        "view": {"stroke": None},
        "title": {
            "anchor": "start",
            "frame": "bounds",
            "color": ink,
            "subtitleColor": faint,
            "fontSize": 16,
            "lineHeight": 20,
            "subtitleFontSize": 11,
            "subtitleLineHeight": 15,
            "subtitlePadding": 4,
            "offset": 12,
        },
        "axis": {
            "gridColor": grid,
            "domainColor": line,
            "tickColor": line,
            "titleColor": ink,
            "labelColor": ink,
            "titleFontWeight": "normal",
            "labelFontSize": 11,
            "titleFontSize": 12,
            "titlePadding": 6,
            "labelLimit": 220,
        },
        "legend": {"labelColor": ink, "titleColor": ink, "titleFontWeight": "normal"},
        "range": {"ramp": _RAMP[dark]},
        "style": _marks(dark, ink, faint, behind),
    }


def _marks(dark: bool, ink: str, faint: str, behind: str) -> dict[str, Any]:
    """Every name of a mark and how it looks."""
    looks: dict[str, Any] = {
        "zero-line": {"color": "#8a8a8a" if dark else "#777777", "strokeWidth": 1},
        "row-line": {"color": faint, "strokeWidth": 0.5, "opacity": 0.5},
        "heading": {"color": ink, "fontSize": 12, "fontWeight": "bold"},
        "remark": {"color": faint, "fontSize": 11, "fontStyle": "italic"},
        "small-text": {"color": ink, "fontSize": 11},
        "halo": {"color": behind, "stroke": behind, "strokeWidth": 7, "strokeJoin": "round", "fontSize": 11},
        "node": {"color": behind, "stroke": ink, "strokeWidth": 1.2, "opacity": 1},
        "hollow": {"color": behind, "stroke": TONES["neither"][dark].mark, "strokeWidth": 2, "opacity": 1},
        "node-impossible": {"color": behind, "stroke": TONES["above"][dark].mark, "strokeWidth": 2, "opacity": 1},
        "loading": {"color": faint, "strokeWidth": 0.8, "opacity": 0.6},
    }
    for name, tones in TONES.items():
        tone = tones[dark]
        looks[f"{name}-line"] = {"color": tone.mark, "strokeWidth": 2.5}
        looks[f"{name}-band"] = {"color": tone.mark, "opacity": 0.25}
        looks[f"{name}-point"] = {"color": tone.mark, "filled": True, "opacity": 1, "size": 36}
        looks[f"{name}-text"] = {"color": tone.text, "fontSize": 12, "fontWeight": "bold"}
    looks["person-line"] |= {"strokeWidth": 0.8, "opacity": 0.4}
    looks["person-point"] |= {"size": 8, "opacity": 0.35}
    return looks
