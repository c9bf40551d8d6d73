"""write_figures: the figures that describe a Panel, as files."""

from __future__ import annotations

import io
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from ..errors import PanelError
from ..options import A_PATH, NAMES, PANEL, takes
from ..outputs import Place, check_places, write_files
from ..panel import Panel
from .dropout import dropout
from .missing import missing
from .trajectories import trajectories

#: Pixels of a PNG for one of the figure.
SCALE = 2


@takes(PanelError, panel=PANEL, folder=A_PATH, columns=NAMES)
def write_figures(panel: Panel, folder: str | PathLike[str], columns: Sequence[str] | None = None) -> tuple[Path, ...]:
    """The figures that describe a Panel as FOLDER/NAME.png: the course of each column, drop-out, missing values.

    columns : whose courses are drawn; None for the totals of the instruments that were scored.

    The folder is made if need be; all files are written, or none.

    Raises
    ------
    SessionwiseError : the folder holds a file of such a name that this package did not write, or cannot be written.

    >>> import tempfile, sessionwise as sw
    >>> panel = sw.Panel(sw.datasets.demo(persons=40, scale_scores=True), person="patient", session="session")
    >>> [path.name for path in write_figures(panel, tempfile.mkdtemp(), ["core_om"])]
    ['trajectories-core_om.png', 'drop-out.png', 'missing.png']
    """
    names = figure_names(panel, columns)
    charts: dict[str, Any] = {name: trajectories(panel, column) for column, name in names.items()}
    charts |= {"drop-out": dropout(panel), "missing": missing(panel)}
    places = {name: _place(Path(folder), name) for name in charts}
    check_places(places.values())
    return write_files({places[name]: _png(chart) for name, chart in charts.items()})


def figure_names(panel: Panel, columns: Sequence[str] | None = None) -> dict[str, str]:
    """Column -> name of the figure of its course, without an ending; no two are one file, in small letters or great."""
    if columns is None:
        columns = [record.key.columns[0] for record in panel.records]
    names: dict[str, str] = {}
    taken = {"drop-out", "missing"}
    for column in dict.fromkeys(columns):
        first = name = f"trajectories-{_file_name(column)}"
        more = 1
        while name.casefold() in taken:
            more += 1
            name = f"{first}-{more}"
        taken.add(name.casefold())
        names[column] = name
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
