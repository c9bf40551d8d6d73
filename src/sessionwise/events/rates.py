"""Rates: how often a detector finds something where nothing happened, and how often it finds what did, by simulation.

`false_alarms` draws courses without any event that are like the data: the sessions at which persons were rated, their
levels and trends, the fluctuation and its autocorrelation (null_course.py). `error_rates` does it for measures and
courses that are described (`Setting`), and puts an event in. Every rate has its Monte Carlo error.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ModelError
from ..options import A_LIST, A_SEED, PANEL, a_number, an_object, fields_of_kind, one_of, takes, whole_number
from ..show import Grid, Note, Part, Shown, plain_dict
from ..words import num, percent
from .contract import Detector, in_pieces
from .null_course import SHAPES, NullCourse, Shape, drawn, fitted_course
from .series import Series, rated

if TYPE_CHECKING:
    import polars as pl

    from ..panel import Panel

A_DETECTOR = an_object("Detector")


@dataclass(frozen=True, slots=True)
class Alarms:
    """What a detector finds in courses of one shape without any event.

    share : of the persons, with one event or more; se : its Monte Carlo error. events : a person. by_kind : share of
    persons by kind of event. course : what was drawn. false : whether all of it is a false alarm; a reliable change in
    a course that falls is none.
    """

    shape: Shape
    share: float
    se: float
    events: float
    by_kind: Mapping[str, float]
    course: NullCourse
    false: bool


@dataclass(frozen=True, slots=True, eq=False)
class FalseAlarms(Shown):
    """Expected findings without any event, for each shape of the courses.

    alarms : flat, linear, log-linear. best : the shape that the data are nearest to, about which they vary least.
    patients : how many were drawn of each. seed : of the draws.
    """

    alarms: tuple[Alarms, ...]
    best: Shape
    patients: int
    seed: int

    def __getitem__(self, shape: str) -> Alarms:
        one_of("shape", shape, SHAPES)
        return next(one for one in self.alarms if one.shape == shape)

    @property
    def expected(self) -> Alarms:
        """Of the shape that the data are nearest to, if all found there is false; else of flat courses."""
        best = self[self.best]
        return best if best.false else self["flat"]

    @property
    def grid(self) -> Grid:
        rows = tuple(
            (
                one.shape + (" *" if one.shape == self.best else ""),
                percent(one.share),
                f"±{percent(one.se, 1)}",
                num(one.events),
                "yes" if one.false else "no",
            )
            for one in self.alarms
        )
        head = ("course", "persons", "MC error", "events each", "false")
        return Grid(f"Found where nothing happened ({self.patients:,} simulated persons each)", head, rows)

    @property
    def note(self) -> Note:
        """What the grid's signs mean."""
        real = "" if all(one.false for one in self.alarms) else " Not false: in such courses persons do change."
        return Note(f"*: the data are nearest to it.{real}")

    def parts(self) -> list[Part]:
        one = self.expected
        what = f"{percent(one.share)} (±{percent(one.se, 1)}) of persons without any event are found"
        return [what, self.grid, self.note]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and text."""
        return plain_dict(self)


@takes(ModelError, detector=A_DETECTOR, panel=PANEL, patients=whole_number(10, 10_000_000), seed=A_SEED)
def false_alarms(detector: Detector, panel: Panel, *, patients: int = 4000, seed: int = 0) -> FalseAlarms:
    """What a detector is expected to find in data like these if no event ever happened.

    Parameters
    ----------
    detector, panel : as for `detect`; what is left to the data is taken from them.
    patients : drawn for each shape of course: each has the sessions of a person of the data.
    seed : equal seeds give equal rates.

    Raises
    ------
    PanelError : no such numeric column. ModelError : no ratings, or the detector cannot be settled on these data.
    """
    series = rated(panel, detector.column)
    return alarms_of(detector.settled(panel, series), series, patients, seed)


def alarms_of(detector: Detector, series: Series, patients: int, seed: int) -> FalseAlarms:
    """Of a detector that is settled."""
    able = (series.counts > 0).nonzero()[0]
    if not len(able):
        raise ModelError(f"column {detector.column!r} has no value.", remedy="Choose another column.")
    fits = {shape: fitted_course(series, shape, seed) for shape in SHAPES[1:]}
    best: Shape = min(fits, key=lambda shape: fits[shape][1])
    courses = {"flat": fits[best][0].flat()} | {shape: course for shape, (course, _) in fits.items()}
    rng = np.random.default_rng(seed)
    who = rng.choice(able, patients)
    sessions, known = series.sessions[who], np.isfinite(series.values[who])
    alarms = [_alarms(detector, drawn(course, sessions, known, rng), course) for course in courses.values()]
    return FalseAlarms(tuple(alarms), best, patients, seed)


def _alarms(detector: Detector, series: Series, course: NullCourse) -> Alarms:
    found = in_pieces(detector.refitted(series), series)
    n = series.persons
    share = len(found.persons) / n
    kinds = {
        kind: len(np.unique(found.person[found.kind == k])) / n
        for k, kind in enumerate(detector.kinds)
        if (found.kind == k).any()
    }
    false = course.shape in detector.event_free
    return Alarms(course.shape, share, _mc_error(share, n), len(found) / n, kinds, course, false)


def _mc_error(share: float, n: int) -> float:
    """Of a share; by one more and one less where it is 0 or 1, so that no rate seems to be exact."""
    shrunk = min(max(share, 1 / (n + 2)), 1 - 1 / (n + 2))
    return math.sqrt(shrunk * (1 - shrunk) / n)


@dataclass(frozen=True, slots=True)
class Setting:
    """A measure and courses to be simulated.

    sessions : each person's, none missing. reliability : share of variance between persons at the start, the retest
    correlation without change. course : 'flat', 'linear', 'log-linear'. mean, sd : of ratings at the start. change :
    from the first session to the last, added to the mean. autocorrelation : of the fluctuation, whose variance is
    sd²·(1 − reliability).
    """

    sessions: int = 10
    reliability: float = 0.9
    course: Shape = "flat"
    mean: float = 0.0
    sd: float = 1.0
    change: float = 0.0
    autocorrelation: float = 0.0

    def __post_init__(self) -> None:
        fields_of_kind(
            self,
            sessions=whole_number(1, 10_000),
            reliability=a_number(above=0, below=1),
            mean=a_number(),
            sd=a_number(above=0),
            change=a_number(),
            autocorrelation=a_number(above=-1, below=1),
        )
        one_of("course", self.course, SHAPES)

    @property
    def null_course(self) -> NullCourse:
        span = {"flat": 1.0, "linear": max(1, self.sessions - 1), "log-linear": math.log(max(2, self.sessions))}
        slope = 0.0 if self.course == "flat" else self.change / span[self.course]
        between, within = (self.sd * math.sqrt(share) for share in (self.reliability, 1 - self.reliability))
        return NullCourse(self.course, self.mean, slope, between, 0.0, 0.0, within, self.autocorrelation)


@dataclass(frozen=True, slots=True)
class ErrorRate:
    """Of one detector in one setting. false_alarm, hit : shares of persons, with Monte Carlo errors; `hit`: an event of
    `size` at its own session, found as one that begins there."""

    detector: Detector
    setting: Setting
    false_alarm: float
    false_alarm_se: float
    hit: float
    hit_se: float
    size: float


@takes(
    ModelError,
    detectors=A_DETECTOR | A_LIST,
    settings=an_object("Setting") | A_LIST,
    size=a_number(),
    patients=whole_number(10, 10_000_000),
    seed=A_SEED,
)
def error_rates(
    detectors: Detector | Sequence[Detector],
    settings: Setting | Sequence[Setting],
    *,
    size: float,
    patients: int = 4000,
    seed: int = 0,
) -> tuple[ErrorRate, ...]:
    """False-alarm and hit rates, every detector in every setting.

    Parameters
    ----------
    size : of the event that is put in for the hit rate, in the measure's units, added to the ratings: from one session
        on for detectors of changes that last, at one session alone for the others. It comes at a session drawn for each
        person among those that have two before and two after.
    patients : drawn for each rate. seed : equal seeds give equal rates.

    Raises
    ------
    ModelError : fewer than five sessions give no place for an event: the hit rate is NaN there, and nothing is raised;
        what cannot be settled without the user's thresholds is.
    """
    rules = [detectors] if isinstance(detectors, Detector) else list(detectors)
    cases = [settings] if isinstance(settings, Setting) else list(settings)
    for what, things in (("a Detector", rules), ("a Setting", cases)):
        kind = Detector if what == "a Detector" else Setting
        if not all(isinstance(one, kind) for one in things):
            raise ModelError(f"not everything given is {what}.", remedy=f"Give {what}, or a list of them.")
    return tuple(_rate(rule, case, size, patients, seed) for rule in rules for case in cases)


def _rate(detector: Detector, setting: Setting, size: float, patients: int, seed: int) -> ErrorRate:
    rng = np.random.default_rng(seed)
    sessions = np.tile(np.arange(1, setting.sessions + 1), (patients, 1))
    series = drawn(setting.null_course, sessions, np.ones(sessions.shape, bool), rng)
    settled = detector.settled(_as_panel(series, detector.column), series)
    alarm = len(in_pieces(settled, series).persons) / patients
    hit = math.nan
    if setting.sessions >= 5:
        at = rng.integers(2, setting.sessions - 2, patients)
        place = np.arange(setting.sessions)[None, :]
        there = place >= at[:, None] if detector.lasting else place == at[:, None]
        found = in_pieces(settled, replace(series, values=series.values + size * there))
        turned = found.turning - 1 >= at[found.person] if detector.kinds[0] == "recovered" else None
        right = found.turning - 1 == at[found.person] if turned is None else turned
        hit = len(np.unique(found.person[right])) / patients
    hit_se = math.nan if math.isnan(hit) else _mc_error(hit, patients)
    return ErrorRate(detector, setting, alarm, _mc_error(alarm, patients), hit, hit_se, size)


def _as_panel(series: Series, column: str) -> Panel:
    import polars as pl

    from ..panel import Panel

    person, place = np.nonzero(np.isfinite(series.values))
    named = [name if name != column else f"{name}_" for name in ("person", "session")]
    table: pl.DataFrame = pl.DataFrame(
        {named[0]: person, named[1]: series.sessions[person, place], column: series.values[person, place]}
    )
    return Panel(table, person=named[0], session=named[1])
