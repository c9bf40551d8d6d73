"""report: a study's result as one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import StudyError
from ..options import A_LIST, A_PATH, PANEL, YES_OR_NO, a_number, an_object, takes
from ..outputs import Place, check_places, write_files
from .page import html

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from ..findings import Finding
    from ..panel import Panel
    from ..study import StudyResult
    from .painter import Painter


@takes(
    StudyError,
    result=an_object("StudyResult"),
    path=A_PATH,
    panel=PANEL,
    facts=A_LIST,
    notices=A_LIST,
    read=A_LIST,
    labels=YES_OR_NO,
    share=YES_OR_NO,
    started=a_number(),
    painter=an_object("Painter"),
    overwrite=YES_OR_NO,
)
def report(
    result: StudyResult,
    path: str | PathLike[str],
    panel: Panel | None = None,
    *,
    facts: Sequence[tuple[str, str]] = (),
    notices: Sequence[str] = (),
    read: Sequence[Finding] = (),
    labels: bool = False,
    share: bool = False,
    started: float | None = None,
    painter: Painter | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a study's result as one HTML file that needs no network: the answer first, then all parts with figures.

    Parameters
    ----------
    result : of `Study.run`.
    path : the file. An earlier report that nobody has changed is written over.
    panel : the data of the study. With them the report draws single persons and sessions too: courses, the change
        within persons, drop-out, missing values. Without them it has what the result holds.
    facts : further facts for the last section, (name, value), such as the command.
    notices : sentences that stand first of all, such as that the data are simulated.
    read : findings of reading and scoring, beside those of `check`.
    labels : keep the labels of persons and clusters, and what findings tell of lines, persons and cells. Else persons
        are 1, 2, 3, ... in every file of a result, the same each time, in an order that is not that of labels or rows.
    share : leave out figures and tables of single persons, and counts below 5 with what rests on so few.
    started : time.perf_counter() when the work started; the report then has one line with the time it took.
    painter : that draws the still figures; one of its own if not given.
    overwrite : write over the file whatever it is.

    Returns
    -------
    Path : of the file. The same result, data and options give the same bytes, but for the line with the time.

    Raises
    ------
    StudyError : the panel is not the one that was analysed, or labels are to be shared.
    SessionwiseError : the file cannot be written, or is there and was not written by this package.

    >>> import tempfile, sessionwise as sw
    >>> table = sw.datasets.demo(persons=60, scale_scores=True)
    >>> panel = sw.Panel(table, person="patient", session="session")
    >>> result = sw.Study("core_om", "wai_sr").run(panel)
    >>> report(result, f"{tempfile.mkdtemp()}/report.html", panel).name
    'report.html'
    """
    place = Place(Path(path), overwrite=overwrite)
    check_places([place])
    text = html(
        result,
        panel,
        facts=facts,
        notices=notices,
        read=read,
        labels=labels,
        share=share,
        started=started,
        painter=painter,
    )
    return write_files({place: text.encode()})[0]
