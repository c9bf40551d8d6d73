"""Person columns: characteristics of persons, which are constant within them, in all of their rows."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from ..panel import Panel
    from .study import Study


def filled(study: Study, panel: Panel) -> Panel:
    """The Panel with moderators and covariates that are constant within persons in all rows of a person who has one.

    Such columns often hold a value at the first session only.
    """
    changed = {}
    for name in chain(study.moderators, study.covariates):
        if not panel.is_constant(name):
            continue
        whole = panel.per_person(name).gather(panel.codes)
        missing = panel.labels(name).codes < 0
        if (whole.is_not_null().to_numpy() & missing).any():
            changed[name] = whole
    return _replaced(panel, changed) if changed else panel


def _replaced(panel: Panel, columns: dict[str, pl.Series]) -> Panel:
    """The Panel with these columns (n_rows,), which keep their types."""
    import polars as pl

    from ..panel import Panel

    frame = pl.DataFrame({name: columns.get(name, panel.series(name)) for name in panel.columns})
    made = Panel(frame, **panel.roles.named())
    return made.with_columns({}, panel.findings, panel.records)
