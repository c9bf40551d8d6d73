"""Person columns: characteristics of persons, which have one value in all of a person's sessions."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ..panel import Panel
    from .study import Study


def is_fixed(name: str, panel: Panel) -> bool:
    """Whether a column has one value in all sessions of a person that have a value."""
    codes = panel.labels(name).codes
    there = codes >= 0
    return len(np.unique(np.column_stack([panel.codes[there], codes[there]]), axis=0)) == len(
        np.unique(panel.codes[there])
    )


def filled(study: Study, panel: Panel) -> Panel:
    """The Panel with moderators and covariates that are fixed for a person in all rows of a person who has one.

    Such columns often hold a value at the first session only.
    """
    changed = {}
    for name in chain(study.moderators, study.covariates):
        codes = panel.labels(name).codes
        best = np.full(panel.n_persons, -1)
        np.maximum.at(best, panel.codes, codes)
        if is_fixed(name, panel) and (best[panel.codes] != codes).any():
            first = np.full(panel.n_persons, len(codes))
            np.minimum.at(first, panel.codes[codes >= 0], np.flatnonzero(codes >= 0))
            changed[name] = first[panel.codes]
    return _gathered(panel, changed) if changed else panel


def _gathered(panel: Panel, rows: dict[str, np.ndarray]) -> Panel:
    """Columns taken from other rows; a row number past the end is a missing value."""
    import polars as pl

    from ..panel import Panel

    columns = {name: panel.series(name) for name in panel.columns}
    for name, at in rows.items():
        index = pl.Series(np.where(at < len(panel), at, -1)).cast(pl.Int64)
        columns[name] = columns[name].gather(index.set(index < 0, None))
    made = Panel(pl.DataFrame(columns), **panel.roles.named())
    return made.with_columns({}, panel.findings, panel.records)
