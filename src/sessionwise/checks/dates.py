"""Times against session numbers: order, repeats, dates that cannot be right. Never today's date."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from ..errors import Argument, Datum, Wording
from ..findings import Finding
from ..panel import Panel
from ..panel.episodes import episode_option
from ..words import agree, counted

_EPOCH = date(1970, 1, 1)
EARLIEST, LATEST = (date(1900, 1, 1) - _EPOCH).days, (date(2100, 1, 1) - _EPOCH).days
#: A date is far if it is more than so many days and so many robust widths away from the median.
FAR_DAYS, FAR_WIDTHS = 3653, 5.0
#: Between two sessions there may have been another treatment if there are more days than these, and than so many times
#: the usual gap.
LONG_DAYS, LONG_GAPS = 90, 10


def check_dates(panel: Panel) -> list[Finding]:
    """Findings on the time role; none without it."""
    if panel.times is None or panel.roles.time is None:
        return []
    dated = not panel.series(panel.roles.time).dtype.is_numeric()
    odd = _far(panel, panel.times) if dated else np.zeros(len(panel), bool)
    found = _missing(panel, panel.times)
    if odd.any():
        found.append(_implausible(panel, panel.times, np.flatnonzero(odd)))
    return found + _order(panel, np.where(odd, np.nan, panel.times), dated)


def _missing(panel: Panel, times: np.ndarray) -> list[Finding]:
    rows = np.flatnonzero(np.isnan(times))
    if not len(rows):
        return []
    what = f"Column {panel.roles.time!r} (time) is empty in {counted(len(rows), 'row')}."
    return [Finding("note", "time-missing", what, panel.where(rows), len(rows))]


def _far(panel: Panel, times: np.ndarray) -> np.ndarray:
    """bool (n_rows,): outside 1900 to 2100, or far from all dates, or years from the person's own."""
    import polars as pl

    with np.errstate(invalid="ignore"):
        odd = (times < EARLIEST) | (times >= LATEST)
        known = times[~np.isnan(times) & ~odd]
        if not len(known):
            return odd
        median = float(np.median(known))
        width = 1.4826 * float(np.median(np.abs(known - median)))
        odd |= np.abs(times - median) > max(FAR_DAYS, FAR_WIDTHS * width)
        if known.max() - known.min() > FAR_DAYS:
            rows = pl.DataFrame({"person": panel.codes, "t": pl.Series(times, nan_to_null=True)})
            own = rows.select(pl.col("t").median().over("person")).to_series().to_numpy()
            odd |= (np.abs(times - own) > FAR_DAYS) & (panel.sessions_per_person[panel.codes] > 2)
    return odd


def _implausible(panel: Panel, times: np.ndarray, rows: np.ndarray) -> Finding:
    what = Wording(f"{counted(len(rows), 'date')} cannot be right, such as ", Datum(_day(times[rows[0]])), ".")
    where = f"column {panel.roles.time!r}: {panel.where(rows)}"
    return Finding("warning", "implausible-date", what, where, len(rows), "Correct them, or leave them empty.")


def _day(days: float) -> str:
    try:
        return (_EPOCH + timedelta(days=float(days))).isoformat()
    except OverflowError:
        return f"{days:.0f} days after {_EPOCH}"


def _order(panel: Panel, times: np.ndarray, dated: bool) -> list[Finding]:
    """Each session against the person's one before it that has a time."""
    known = np.flatnonzero(~np.isnan(times))
    same_person = np.diff(panel.codes[known]) == 0
    step = np.diff(times[known])
    rows = known[1:]
    date, dates = ("date", "dates") if dated else ("time", "times")
    column = f"column {panel.roles.time!r}"
    if same_person.any() and not (step[same_person] != 0).any() and len(panel) > panel.n_persons:
        what = f"Every person has one and the same {date} at all sessions."
        remedy = "Name the column with the date of each session for the role time, or leave it out."
        return [Finding("warning", "time-constant", what, column, len(panel), remedy)]
    found = []
    back, same = rows[same_person & (step < 0)], rows[same_person & (step == 0)]
    if len(back):
        persons = len(np.unique(panel.codes[back]))
        what = f"{counted(len(back), 'session')} of {counted(persons, 'person')} dated before the session preceding it."
        person, time = panel.roles.named()["person"], panel.roles.time
        treatments = f", episode={panel.roles.episode!r}" if panel.roles.episode else ""
        remedy = Wording(
            f"Correct the {dates} or the session numbers, or number the sessions by {date}: ",
            Argument(
                f"number_sessions(table, person={person!r}, by={time!r}, into='session_by_date'{treatments})",
                ("--number-by", str(time), "--session", "session_by_date"),
            ),
            ".",
        )
        found.append(Finding("warning", "sessions-out-of-order", what, panel.where(back), len(back), remedy))
    if len(same):
        what = f"{counted(len(same), 'session')} with the same {date} as the person's session before."
        remedy = f"Correct the {date} if two sessions on one day are not possible, or join the two rows."
        found.append(Finding("note", "same-date", what, panel.where(same), len(same), remedy))
    return found + (_long_gaps(panel, rows, np.where(same_person, step, 0)) if dated else [])


def _long_gaps(panel: Panel, rows: np.ndarray, days: np.ndarray) -> list[Finding]:
    """Sessions so long after the one before that another treatment may have begun. days : before each of `rows`."""
    if not (days > 0).any():
        return []
    usual = float(np.median(days[days > 0]))
    long = days > max(LONG_DAYS, LONG_GAPS * usual)
    if not long.any():
        return []
    rows, days = rows[long], days[long]
    persons = len(np.unique(panel.codes[rows]))
    what = (
        f"{counted(len(rows), 'session')} of {counted(persons, 'person')} {agree(len(rows), 'comes', 'come')} "
        f"{days.min():,.0f} days or more after the session before (up to {days.max():,.0f}; usually {usual:,.0f})."
    )
    longest = panel.where(rows[np.argsort(-days, kind="stable")])
    follow_up = "If it is a follow-up, leave it out of what is about change from session to session."
    remedy: str = f"Check the dates, and the episodes in {panel.roles.episode!r}. {follow_up}"
    if panel.roles.episode is None:
        remedy = Wording(
            "If another treatment begins there, name a column that tells a person's treatments apart, so that no lag "
            "or trend goes across: ",
            episode_option(panel.columns),
            f". {follow_up}",
        )
    return [Finding("warning", "long-gap", what, longest, len(rows), remedy)]
