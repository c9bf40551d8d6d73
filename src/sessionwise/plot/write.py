"""write_figures: the figures that describe a Panel, or those of a fit, as files."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from itertools import groupby
from os import PathLike
from pathlib import Path
from typing import Any

from ..errors import PanelError
from ..models import DSEMFit, MLMFit, SEMFit
from ..options import A_PATH, NAMES, PANEL, an_object, takes
from ..outputs import Place, check_places, write_files
from ..panel import Panel
from .caterpillar import caterpillar
from .chains import chains
from .dropout import dropout
from .impulse_responses import impulse_responses
from .missing import missing
from .paths import paths
from .prior_posterior import prior_posterior
from .trajectories import trajectories

#: Pixels of a PNG for one of the figure.
SCALE = 2


@takes(PanelError, panel_or_fit=PANEL | an_object("MLMFit", "SEMFit", "DSEMFit"), folder=A_PATH, columns=NAMES)
def write_figures(
    panel_or_fit: Panel | MLMFit | SEMFit | DSEMFit, folder: str | PathLike[str], columns: Sequence[str] | None = None
) -> tuple[Path, ...]:
    """The figures of a Panel or a fit as FOLDER/NAME.png.

    Of a Panel: the course of each column, drop-out, missing values. Of a multilevel model: each random effect. Of a
    RICLPM or CLPM: the path diagram, of each group. Of a dynamic model: impulse responses, persons' effects, prior and
    posterior, chains.

    columns : of a Panel, whose courses are drawn; None for the totals of the instruments that were scored.

    The folder is made if need be; all files are written, or none.

    Raises
    ------
    SessionwiseError : the folder holds a file of such a name that this package did not write, or cannot be written;
        columns for a fit; a model that no figure is of.

    >>> import tempfile, sessionwise as sw
    >>> panel = sw.Panel(sw.datasets.demo(persons=40, scale_scores=True), person="patient", session="session")
    >>> [path.name for path in write_figures(panel, tempfile.mkdtemp(), ["core_om"])]
    ['trajectories-core_om.png', 'drop-out.png', 'missing.png']
    """
    if isinstance(panel_or_fit, Panel):
        names = figure_names(panel_or_fit, columns)
        charts: dict[str, Any] = {name: trajectories(panel_or_fit, column) for column, name in names.items()}
        charts |= {"drop-out": dropout(panel_or_fit), "missing": missing(panel_or_fit)}
    elif columns is not None:
        raise PanelError("columns are of a Panel's figures, and this is a fit.", remedy="Leave them out.")
    else:
        charts = fit_figures(panel_or_fit)
    places = {name: _place(Path(folder), name) for name in charts}
    check_places(places.values())
    return write_files({places[name]: _png(chart) for name, chart in charts.items()})


def figure_names(panel: Panel, columns: Sequence[str] | None = None) -> dict[str, str]:
    """Column -> name of the figure of its course, without an ending; no two are one file, in small letters or great."""
    if columns is None:
        columns = [record.key.columns[0] for record in panel.records]
    wanted = {column: f"trajectories-{_file_name(column)}" for column in dict.fromkeys(columns)}
    return dict(zip(wanted, _apart(wanted.values(), {"drop-out", "missing"}), strict=True))


def fit_figures(fit: MLMFit | SEMFit | DSEMFit) -> dict[str, Any]:
    """Name of a file, without an ending -> figure.

    Raises
    ------
    ModelError : a model that no figure is of.
    """
    if isinstance(fit, DSEMFit):
        effects = [path.name for path in fit.effects.random]
        wanted = [f"persons-{_term_name(name)}" for name in effects]
        persons = {name: caterpillar(fit, term=effect) for name, effect in zip(_apart(wanted), effects, strict=True)}
        others = {"prior-posterior": prior_posterior(fit), "chains": chains(fit)}
        return {"impulse-responses": impulse_responses(fit), **persons, **others}
    if isinstance(fit, MLMFit):
        pairs = [(group, term) for group, level in fit.varcorr.items() for term in level.terms]
        wanted = [f"caterpillar-{_term_name(group)}-{_term_name(term)}" for group, term in pairs]
        return {name: caterpillar(fit, *pair) for name, pair in zip(_apart(wanted), pairs, strict=True)}
    groups = fit.solution.grouped.labels
    if not groups:
        return {"paths": paths(fit)}
    wanted = [f"paths-{_file_name(str(group))}" for group in groups]
    return {name: paths(fit, group=group) for name, group in zip(_apart(wanted), groups, strict=True)}


def _apart(wanted: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """Names of which no two are one file, in small letters or great."""
    found = {name.casefold() for name in taken}
    names = []
    for first in wanted:
        name, more = first, 1
        while name.casefold() in found:
            more += 1
            name = f"{first}-{more}"
        found.add(name.casefold())
        names.append(name)
    return names


def _place(folder: Path, name: str) -> Place:
    return Place(folder / f"{name}.png", named=False, folder=True)


def _png(chart: Any) -> bytes:
    file = io.BytesIO()
    chart.save(file, format="png", scale_factor=SCALE)
    return file.getvalue()


def _file_name(column: str) -> str:
    """Letters, digits and a few signs, no longer than a file's name may be."""
    return "".join(c if c.isalnum() or c in "_-." else "_" for c in column)[:60]


def _term_name(term: str) -> str:
    """As `_file_name`, of what is written with spaces and brackets: 'core_om ~ lag(wai_sr)' is core_om_lag_wai_sr."""
    runs = groupby(term, key=lambda c: c.isalnum() or c in "_-.")
    return _file_name("".join("".join(run) if kept else "_" for kept, run in runs).strip("_"))
