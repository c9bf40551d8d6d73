"""Session numbers: where they begin, what is skipped, what cannot be right."""

from __future__ import annotations

import numpy as np

from ..errors import some
from ..findings import Finding
from ..panel import Panel
from ..words import agree, counted

#: A run of skipped numbers longer than this, or this many times the person's sessions, is taken for a slip ...
LONG_GAP, GAP_PER_SESSION, SHORT_GAP = 50, 10, 20
#: ... unless more than this share of the persons have one: then it is the design (follow-ups, for instance).
COMMON = 0.05


def check_sessions(panel: Panel) -> list[Finding]:
    """Findings on the session numbers."""
    return [*_negative(panel), *_gaps(panel), *_first(panel)]


def _negative(panel: Panel) -> list[Finding]:
    rows = np.flatnonzero(panel.sessions < 0)
    if not len(rows):
        return []
    what = f"{counted(len(rows), 'session number')} below 0, such as {panel.sessions[rows[0]]}."
    remedy = "Correct them; if they are codes for missing, delete the rows or fill in the numbers."
    return [Finding("warning", "negative-session", what, panel.where(rows), len(rows), remedy)]


def _gaps(panel: Panel) -> list[Finding]:
    """Skipped numbers: a note for the usual ones, a warning for those that look like slips."""
    skipped = np.diff(panel.sessions, prepend=panel.sessions[:1]) - 1
    skipped[panel.starts[:-1]] = 0
    rows = np.flatnonzero(skipped > 0)
    if not len(rows):
        return []
    codes = panel.codes[rows]
    gap, own = skipped[rows], panel.sessions_per_person[codes]
    slip = (gap > LONG_GAP) | (gap > np.maximum(GAP_PER_SESSION * own, SHORT_GAP))
    persons_with_slip = len(np.unique(codes[slip]))
    if persons_with_slip > max(1, COMMON * panel.n_persons):
        slip[:] = False
    found = []
    if slip.any():
        first = rows[slip][0]
        what = (
            f"{counted(persons_with_slip, 'person')} with an implausible jump in session numbers, "
            f"such as from {panel.sessions[first - 1]} to {panel.sessions[first]}."
        )
        remedy = "Correct the session number if it is a typing error; otherwise leave it: lags across it are missing."
        found.append(Finding("warning", "session-jump", what, panel.where(rows[slip]), int(slip.sum()), remedy))
    if not slip.all():
        gap, rows = gap[~slip], rows[~slip]
        persons = len(np.unique(codes[~slip]))
        what = (
            f"{counted(int(gap.sum()), 'session number')} {agree(int(gap.sum()), 'is', 'are')} skipped, "
            f"in {persons:,} of {counted(panel.n_persons, 'person')} (at most {gap.max()} in a row)."
        )
        remedy = "Taken as missed sessions: a lag across one is missing. Renumber the sessions if none was missed."
        longest = panel.where(rows[np.argsort(-gap, kind="stable")])
        found.append(Finding("note", "session-gaps", what, longest, int(gap.sum()), remedy))
    return found


def _first(panel: Panel) -> list[Finding]:
    """Where numbering begins."""
    first = panel.sessions[panel.starts[:-1]]
    numbers, counts = np.unique(first, return_counts=True)
    usual = int(numbers[np.argmax(counts)])
    others = np.flatnonzero(first != usual)
    if len(others):
        do = agree(len(others), "does", "do")
        what = (
            f"{len(others):,} of {counted(panel.n_persons, 'person')} {do} not begin with session {usual} "
            f"but with {some([n for n in numbers.tolist() if n != usual])}."
        )
        remedy = "Earlier sessions count as missed. If they are in another file, add them."
        rows = panel.starts[others[np.argsort(-first[others], kind="stable")]]
        return [Finding("note", "first-session", what, panel.where(rows), len(others), remedy)]
    if usual != 1:
        what = f"Every person's first session has the number {usual}."
        remedy = "Fine if meant; session 0 is then the intercept in a model with the session as a predictor."
        return [Finding("note", "first-session", what, "", panel.n_persons, remedy if usual == 0 else "Fine if meant.")]
    return []
