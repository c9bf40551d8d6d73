"""Who is in the data: persons, their sessions, clusters and dates, and how long they stayed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .variance import Floats, Home, Ints

if TYPE_CHECKING:
    from ..panel import Panel

#: 97.5 % point of the standard normal distribution.
Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Spread:
    """How whole numbers are distributed. counts : value -> how often, ascending. sd is None for one value."""

    min: int
    q1: float
    median: float
    q3: float
    max: int
    mean: float
    sd: float | None
    counts: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Clusters:
    """number : clusters with any session. persons : spread of persons per cluster, each person counted once.
    moved : persons with sessions in more than one; unknown : persons with none."""

    number: int
    persons: Spread | None
    moved: int
    unknown: int


@dataclass(frozen=True, slots=True)
class Span:
    """first, last : dates as year-month-day, or numbers where time is a number. median_length : from a
    person's first to last session, in days or in the units of time. missing : sessions without a time."""

    first: str | float
    last: str | float
    median_length: float
    missing: int


@dataclass(frozen=True, slots=True)
class Sample:
    """persons, sessions : how many (a session is a row). per_person : sessions per person. time : None without
    the role. skipped : session numbers between a person's first and last that have no row; scheduled : all
    numbers from first to last, over persons."""

    persons: int
    sessions: int
    per_person: Spread | None
    clusters: Clusters | None
    time: Span | None
    skipped: int
    scheduled: int

    @property
    def skipped_share(self) -> float | None:
        return self.skipped / self.scheduled if self.scheduled else None


@dataclass(frozen=True, slots=True, eq=False)
class DropOut:
    """How many persons were still in treatment at each session number. Arrays (n_session_numbers,).

    A person is *still in treatment* at session s if any session numbered s or later was attended; treatment
    ends with the last session attended. All persons count in the share from the first session on. Nothing is
    said of why treatment ended (completed, dropped out, or the data end there).

    session : int64, the numbers that occur, ascending.
    persons : int64, still in treatment at s.
    share : of all persons; low, high : pointwise 95 % interval (Wilson 1927), binomial sampling of persons.
    ended : int64, persons whose last session is s.
    """

    session: Ints
    persons: Ints
    share: Floats
    low: Floats
    high: Floats
    ended: Ints


def sample(panel: Panel, homes: Home | None) -> Sample:
    """Counts of persons, sessions, clusters and dates."""
    skipped = scheduled = 0
    if len(panel):
        first, last = panel.sessions[panel.starts[:-1]], panel.sessions[panel.starts[1:] - 1]
        scheduled = int((last - first + 1).sum())
        skipped = scheduled - len(panel)
    return Sample(
        persons=panel.n_persons,
        sessions=len(panel),
        per_person=spread(panel.sessions_per_person),
        clusters=None if homes is None else _clusters(panel, homes),
        time=_span(panel),
        skipped=skipped,
        scheduled=scheduled,
    )


def drop_out(panel: Panel) -> DropOut:
    """The curve of persons still in treatment, see `DropOut`."""
    last = np.sort(panel.sessions[panel.starts[1:] - 1]) if len(panel) else np.zeros(0, np.int64)
    numbers = np.unique(panel.sessions)
    n = len(last)
    still = n - np.searchsorted(last, numbers, side="left")
    ended = np.searchsorted(last, numbers, side="right") - np.searchsorted(last, numbers, side="left")
    share = still / n if n else np.zeros(0)
    low, high = wilson(still, n)
    return DropOut(numbers, still.astype(np.int64), share, low, high, ended.astype(np.int64))


def wilson(count: Ints, n: int) -> tuple[Floats, Floats]:
    """95 % score interval of `count` of `n` (Wilson 1927, JASA 22, 209–212)."""
    if not n:
        return np.zeros(0), np.zeros(0)
    p = count / n
    centre = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * np.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    return np.where(count == 0, 0.0, centre - half), np.where(count == n, 1.0, centre + half)


def spread(values: Ints) -> Spread | None:
    """Of whole numbers; None if there are none."""
    if not len(values):
        return None
    q1, median, q3 = (float(q) for q in np.percentile(values, [25, 50, 75]))
    levels, counts = np.unique(values, return_counts=True)
    return Spread(
        min=int(values.min()),
        q1=q1,
        median=median,
        q3=q3,
        max=int(values.max()),
        mean=float(values.mean()),
        sd=float(values.std(ddof=1)) if len(values) > 1 else None,
        counts=dict(zip(levels.tolist(), counts.tolist(), strict=True)),
    )


def _clusters(panel: Panel, homes: Home) -> Clusters:
    assert panel.cluster_codes is not None
    seen = np.unique(panel.cluster_codes[panel.cluster_codes >= 0])
    persons = np.bincount(homes.codes[homes.codes >= 0], minlength=int(seen.max()) + 1)[seen] if len(seen) else seen
    return Clusters(len(seen), spread(persons), homes.moved, homes.unknown)


def _span(panel: Panel) -> Span | None:
    times, name = panel.times, panel.roles.time
    if times is None or name is None:
        return None
    known = np.isfinite(times)
    if not known.any():
        return None
    starts = panel.starts[:-1]
    low = np.minimum.reduceat(np.where(known, times, np.inf), starts)
    high = np.maximum.reduceat(np.where(known, times, -np.inf), starts)
    length = (high - low)[np.isfinite(low)]
    first, last = float(low.min()), float(high.max())
    dates = not panel.is_numeric(name)
    return Span(
        first=_date(first) if dates else first,
        last=_date(last) if dates else last,
        median_length=float(np.median(length)),
        missing=int((~known).sum()),
    )


def _date(days: float) -> str:
    return str(np.datetime64(int(days // 1), "D"))  # holds years that datetime.date does not
