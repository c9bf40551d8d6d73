"""Figures: each a function of a Panel, a Fit or plain numbers that returns an Altair chart, for notebook, page and
file alike.

One house style (style.py): the title states the finding, the subtitle says what is drawn and how its uncertainty is
shown, labels stand at the marks, colours are safe for colour-blind readers. `alt_text(chart)` says what is seen,
`figure_table(chart)` gives the rows behind it, `embed(chart)` takes it apart for a page. Save with
chart.save("figure.svg") or .png, .pdf, .html; nothing is fetched from a network.
"""

from __future__ import annotations

from .caterpillar import caterpillar, draw_effects
from .chains import chains
from .diagram import Arrow, Correlation, Intercepts, PathDiagram
from .dropout import dropout
from .episodes import episodes, write_episodes
from .expected_course import expected_course, write_expected_course
from .figure import Embedded, alt_text, embed, figure_parts, figure_table
from .fitted_paths import path_diagram
from .forest import Estimate, forest
from .impulse_responses import impulse_responses
from .level_effects import LevelEffects, level_effects
from .missing import missing
from .paths import paths
from .prior_posterior import prior_posterior
from .scatter import scatter
from .simple_slopes import Slopes, draw_slopes, simple_slopes
from .style import BLUE, GREY, INK, style
from .trajectories import FEWEST, trajectories
from .within import FEWEST_FOR_A_CLAIM
from .write import write_figures

__all__ = [
    "BLUE",
    "FEWEST",
    "FEWEST_FOR_A_CLAIM",
    "GREY",
    "INK",
    "Arrow",
    "Correlation",
    "Embedded",
    "Estimate",
    "Intercepts",
    "LevelEffects",
    "PathDiagram",
    "Slopes",
    "alt_text",
    "caterpillar",
    "chains",
    "draw_effects",
    "draw_slopes",
    "dropout",
    "embed",
    "episodes",
    "expected_course",
    "figure_parts",
    "figure_table",
    "forest",
    "impulse_responses",
    "level_effects",
    "missing",
    "path_diagram",
    "paths",
    "prior_posterior",
    "scatter",
    "simple_slopes",
    "style",
    "trajectories",
    "write_episodes",
    "write_expected_course",
    "write_figures",
]
