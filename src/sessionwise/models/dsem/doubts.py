"""Doubts: what data or draws say against relying on a fit, beside its verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...errors import Argument, Wording
from ...findings import Finding
from ...words import counted
from .dynamics import explosive_share
from .priors import FEWEST_SESSIONS

if TYPE_CHECKING:
    from .data import Scaled
    from .model import DSEM
    from .reported import Reported

#: A share of sessions with nothing observed, between first and last ones, beyond which scores are mostly the model's.
MOSTLY_SKIPPED = 0.9


def doubts(model: DSEM, data: Scaled, reported: Reported) -> list[Finding]:
    """Notes and warnings."""
    return [*_grid(data), *_error_or_process(model, data), *_explosive(model, reported)]


def _grid(data: Scaled) -> list[Finding]:
    if not data.skipped:
        return []
    what = (
        f"{counted(data.skipped, 'skipped session')} between first and last ones: scores there are unobserved, "
        "not left out."
    )
    found = [Finding("note", "skipped-sessions", what, count=data.skipped)]
    held = int(np.sum(~np.isnan(data.grid.values).all(axis=1)))
    if data.skipped > MOSTLY_SKIPPED * (data.skipped + held):
        what = f"Of {data.skipped + held} sessions on the grid {held} were rated: most of the process is unobserved."
        remedy = "Look whether sessions are numbered by what they count, and use persons with more ratings in a row."
        found.append(Finding("warning", "nearly-empty", what, count=held, remedy=remedy))
    return found


def _explosive(model: DSEM, reported: Reported) -> list[Finding]:
    share = explosive_share(model.paths, reported)
    if share < 0.5:
        return []
    what = (
        f"In {share:.0%} of the draws the average person's scores run away: the process has no level to come back to."
    )
    remedy = Wording(
        "Take lasting changes out: ",
        Argument("trend='linear'", ("--trend", "linear")),
        ", or the free common course, and look for values that are errors.",
    )
    return [Finding("warning", "explosive", what, remedy=remedy)]


def _error_or_process(model: DSEM, data: Scaled) -> list[Finding]:
    """A warning where an error that is estimated beside the process cannot be told from it."""
    if model.error != "estimated":
        return []
    seen = ~np.isnan(data.grid.values).all(axis=1)
    median = float(np.median(np.bincount(data.grid.person[seen], minlength=data.grid.persons)))
    if median >= FEWEST_SESSIONS:
        return []
    what = (
        f"Persons have {median:.0f} sessions (median): below {FEWEST_SESSIONS}, error and process are hardly told "
        "apart, and both the error and the autoregressions come out too large."
    )
    remedy = Wording(
        "Take the error from items: ",
        Argument("error='items'", ("--error", "items")),
        ", or give a known variance.",
    )
    return [Finding("warning", "error-or-process", what, remedy=remedy)]
