"""write_figures: the figures that describe a Panel, as files."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from ..panel import Panel
from .dropout import dropout
from .missing import missing
from .trajectories import trajectories

#: Pixels of a PNG for one of the figure.
SCALE = 2


def write_figures(panel: Panel, folder: str | PathLike[str], columns: Sequence[str] | None = None) -> tuple[Path, ...]:
    """The figures that describe a Panel as FOLDER/NAME.png: the course of each column, drop-out, missing values.

    columns : whose courses are drawn; None for the totals of the instruments that were scored.

    The folder is made if need be; other files in it are left alone.

    >>> import tempfile, sessionwise as sw
    >>> panel = sw.Panel(sw.datasets.demo(persons=40, scale_scores=True), person="patient", session="session")
    >>> [path.name for path in write_figures(panel, tempfile.mkdtemp(), ["core_om"])]
    ['trajectories-core_om.png', 'drop-out.png', 'missing.png']
    """
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    if columns is None:
        columns = [record.key.columns[0] for record in panel.records]
    charts = {f"trajectories-{_file_name(name)}": trajectories(panel, name) for name in columns}
    charts |= {"drop-out": dropout(panel), "missing": missing(panel)}
    paths = []
    for name, chart in charts.items():
        paths.append(place / f"{name}.png")
        chart.save(paths[-1], scale_factor=SCALE)
    return tuple(paths)


def _file_name(column: str) -> str:
    return "".join(c if c.isalnum() or c in "_-." else "_" for c in column)
