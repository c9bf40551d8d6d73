"""detect: a detector on a Panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import ModelError
from ..findings import Finding, Findings
from ..options import A_SEED, PANEL, YES_OR_NO, takes, whole_number
from ..panel.frame_kind import TableKind
from ..words import counted, percent
from .contract import Detector, in_pieces
from .episodes import Episodes
from .rates import A_DETECTOR, alarms_of
from .series import Series, rated

if TYPE_CHECKING:
    from ..panel import Panel

#: More ratings than this share at one end of the scale: a ceiling hides changes.
CEILING = 0.5


@takes(
    ModelError,
    panel=PANEL,
    detector=A_DETECTOR,
    false_alarms=YES_OR_NO,
    patients=whole_number(10, 10_000_000),
    seed=A_SEED,
)
def detect(
    panel: Panel, detector: Detector, *, false_alarms: bool = True, patients: int = 4000, seed: int = 0
) -> Episodes:
    """Find events in the persons' courses, and say how many would be found by chance.

    Parameters
    ----------
    panel : sessions nested in persons; treatments of one person (role `episode`) are apart.
    detector : the rule, such as `SuddenGain("bdi", cutoff=7)`.
    false_alarms : whether to simulate what is expected without any event.
    patients, seed : of that simulation, see `false_alarms`.

    Raises
    ------
    PanelError : no such column, or it is not numeric.
    ModelError : no ratings, or a threshold that the data and the instrument do not tell.

    >>> import sessionwise as sw
    >>> panel = sw.Panel(sw.datasets.demo(persons=60, scale_scores=True), person="patient", session="session")
    >>> found = detect(panel, sw.SuddenGain("core_om"), patients=500)
    >>> found.counts.persons
    60
    """
    series = rated(panel, detector.column)
    if not series.counts.any():
        raise ModelError(f"column {detector.column!r} has no value.", remedy="Choose another column.")
    settled = detector.settled(panel, series)
    found = in_pieces(settled, series)
    alarms = alarms_of(settled, series, patients, seed) if false_alarms else None
    findings = Findings(_odd(series, detector.column, int(found.assessed.sum())))
    roles, kind = panel.roles, TableKind.of(panel)
    return Episodes(settled, found, panel.persons, roles.person, roles.session, alarms, findings, kind)


def _odd(series: Series, column: str, assessed: int) -> list[Finding]:
    found = []
    values = series.values[np.isfinite(series.values)]
    left_out = series.persons - assessed
    if left_out:
        what = f"{counted(left_out, 'person')} of {series.persons:,} had too few ratings for the rule to find anything."
        found.append(Finding("note", "too-few-ratings", what, count=left_out))
    if (values == values[0]).all():
        what = f"All ratings of {column} are {values[0]:g}: nothing can be found."
        found.append(Finding("warning", "all-equal", what, remedy="Choose another column.", column=column))
        return found
    for end, word in ((values.max(), "highest"), (values.min(), "lowest")):
        share = float((values == end).mean())
        if share > CEILING:
            what = (
                f"{percent(share)} of the ratings of {column} are at the {word} value, {end:g}: changes beyond it "
                "cannot be seen, and the false alarms are those of ratings that were cut off."
            )
            remedy = "Read counts with care; a measure with room at its end tells more."
            found.append(Finding("warning", "at-the-end-of-the-scale", what, remedy=remedy, column=column))
    return found
