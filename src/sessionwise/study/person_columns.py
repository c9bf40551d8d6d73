"""Person columns: characteristics of persons, which are constant within them, in all of their rows, codes of categories
as categories."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from ..errors import Argument, Wording
from ..findings import Finding
from ..panel.coded import as_categories, coded_values, said

if TYPE_CHECKING:
    import polars as pl

    from ..panel import Panel
    from .study import Study


def filled(study: Study, panel: Panel) -> Panel:
    """The Panel with moderators and covariates that are constant within persons in all rows of a person who has one,
    and labels in the place of codes.

    Such columns often hold a value at the first session only.
    """
    codes = _codes(study, panel)
    if codes:
        panel = _replaced(panel, {name: as_categories(panel, name, own) for name, own in codes.items()})
    changed = {}
    for name in chain(study.moderators, study.covariates):
        if not panel.is_constant(name):
            continue
        whole = panel.per_person(name).gather(panel.codes)
        missing = panel.labels(name).codes < 0
        if (whole.is_not_null().to_numpy() & missing).any():
            changed[name] = whole
    return _replaced(panel, changed) if changed else panel


def coded_notes(study: Study, panel: Panel) -> list[Finding]:
    """That codes are categories, and how to have them as numbers. panel : as it was given."""
    found = []
    for name, codes in _codes(study, panel).items():
        what = f"{name} is taken as categories, as its values are labelled: {said(codes)}."
        remedy = Wording("To have it as a number: ", Argument(f"as_scored=[{name!r}]", ("--as-scored", name)), ".")
        found.append(Finding("note", "coded-as-categories", what, f"column {name!r}", len(codes), remedy, name))
    return found


def _codes(study: Study, panel: Panel) -> dict[str, dict[float, str]]:
    """Column -> its codes, of moderators and covariates that hold codes and were not said to hold scores."""
    asked = (name for name in (*study.moderators, *study.covariates) if name not in study.as_scored)
    found = {name: coded_values(panel, name) for name in asked if name in panel.value_labels}
    return {name: codes for name, codes in found.items() if codes}


def _replaced(panel: Panel, columns: dict[str, pl.Series]) -> Panel:
    """The Panel with these columns (n_rows,), which keep their types."""
    import polars as pl

    from ..panel import Panel

    frame = pl.DataFrame({name: columns.get(name, panel.series(name)) for name in panel.columns})
    made = Panel(frame, **panel.roles.named())
    return made.with_columns({}, panel.findings, panel.records)
