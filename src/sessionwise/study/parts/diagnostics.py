"""Diagnostics: what these data show against the answer, each by a test of its own at the same level.

What is tested is whether it matters for the effects, where that can be tested: a course that is not the one taken out,
persons' own trends, effects that go with how long persons stay. Leaving that goes with scores is tested by itself. At
this level all of them together are seldom wrong where nothing is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ...words import apa_number, p_words
from ..records import Diagnostic, DropOutModel, NotAnswered
from ..study_data import FEWEST_PERSONS, course_knots, free_course
from .equation import course_terms, quoted
from .headline import LEVEL, NetEffects, fitted
from .net_effects import FORWARD, REVERSE, Contrast, NetProcess, compared

if TYPE_CHECKING:
    from ...panel import Panel
    from ..records import DiagnosticKey
    from ..study_data import StudyData

_COURSES = {"linear": "a straight line", "quadratic": "a parabola", None: "flat"}


def diagnostics(setting: StudyData, net: NetEffects, drop_out: DropOutModel | NotAnswered) -> tuple[Diagnostic, ...]:
    """Those that can be made of these data."""
    return (*_course(setting, net), *_own_trends(setting, net), *_stay(setting, net), *_leaving(drop_out))


def _course(setting: StudyData, net: NetEffects) -> Iterator[Diagnostic]:
    """The course that was asked for, against any course."""
    if setting.study.trend == "free" or isinstance(net.means, NotAnswered) or net.means.persons < FEWEST_PERSONS:
        return
    asked, panel = _COURSES[setting.study.trend], setting.panel
    free = course_terms(free_course(panel), quoted(panel.roles.session), course_knots(panel))
    other = fitted(setting, "effects around a free course", course=free)
    test = None if isinstance(other, NotAnswered) else compared(net.means, other)
    if test is None or isinstance(other, NotAnswered):
        return
    forward, reverse = (apa_number(value) for value in _both(other))
    yield _told(
        "course",
        f"Is the course over sessions {asked}, as far as it matters for the effects?",
        test,
        f"The course over sessions is not {asked}, and that makes effects: with a free course they are {forward} "
        f"(forward) and {reverse} (reverse), in within-person SDs. Take the course as free.",
        f"Effects were not shown to change with a free course instead of one that is {asked}.",
        (f"course {asked}", net.means),
        ("free course", other),
    )


def _own_trends(setting: StudyData, net: NetEffects) -> Iterator[Diagnostic]:
    person = setting.person
    if net.apart is None or isinstance(net.means, NotAnswered) or isinstance(net.lines, NotAnswered):
        return
    forward, reverse = (apa_number(value) for value in _both(net.means))
    yield _told(
        "own-trends",
        f"Do {person}s have trends of their own that make effects?",
        net.apart,
        f"{person.capitalize()}s have trends of their own, and with {person} means alone these pass for effects "
        f"({forward} forward, {reverse} reverse, in within-person SDs): the answer is about deviations from each "
        f"{person}'s own line. Trends that are not lines are still in it.",
        f"{person.capitalize()}s were not shown to have trends of their own that matter for the effects.",
        (f"{person} means taken out", net.means),
        (f"{person}s' own lines taken out", net.lines),
    )


def _stay(setting: StudyData, net: NetEffects) -> Iterator[Diagnostic]:
    """Persons with few against those with many sessions."""
    panel, person, used = setting.panel, setting.person, net.used
    if isinstance(used, NotAnswered):
        return
    sessions = panel.sessions_per_person
    middle = float(np.median(sessions))
    long = sessions > middle
    if min(long.sum(), (~long).sum()) < FEWEST_PERSONS:
        return
    question = f"effects in {person}s who stay short and long"
    halves = [fitted(setting, question, line=used.line, panel=_only(setting, half)) for half in (~long, long)]
    short, stayed = halves
    if isinstance(short, NotAnswered) or isinstance(stayed, NotAnswered):
        return
    test = compared(short, stayed, (FORWARD, REVERSE))
    if test is None:
        return
    groups = (
        (f"{person}s with up to {middle:g} sessions", short),
        (f"{person}s with more than {middle:g} sessions", stayed),
    )
    shown = [f"{' and '.join(map(apa_number, _both(one)))} in {who}" for who, one in groups]
    yield _told(
        "stay",
        f"Are the effects the same in {person}s who stay short and long?",
        test,
        f"Effects go with how long {person}s stay ({'; '.join(shown)}; forward and reverse, in within-person SDs): an "
        f"average over sessions is no average over {person}s, and leaving may follow from the effect.",
        f"Effects were not shown to differ between {person}s who stay short and long.",
        *groups,
    )


def _both(net: NetProcess) -> tuple[float, float]:
    return float(net.coefficients[FORWARD]), float(net.coefficients[REVERSE])


def _only(setting: StudyData, persons: np.ndarray) -> Panel:
    """Scores of all other persons taken as missing."""
    panel, study = setting.panel, setting.study
    there = persons[panel.codes]
    return panel.with_columns({n: np.where(there, panel[n], np.nan) for n in (study.outcome, study.process)})


def _leaving(drop_out: DropOutModel | NotAnswered) -> Iterator[Diagnostic]:
    if isinstance(drop_out, NotAnswered):
        return
    yield _told(
        "drop-out",
        "Does leaving go with the last observed scores?",
        Contrast(drop_out.chi2, drop_out.df, drop_out.p),
        "Who leaves is told by the last scores, so that leaving may depend on scores that nobody saw as well: effects "
        "in the sessions that are there may be off.",
        "Leaving was not shown to go with the last observed scores.",
    )


def _told(
    key: DiagnosticKey, question: str, test: Contrast, alarm: str, calm: str, *of: tuple[str, NetProcess]
) -> Diagnostic:
    found = test.p < LEVEL
    numbers = f"χ²({test.df}) = {apa_number(test.chi2)}, {p_words(test.p)}"
    words = alarm if found else calm
    effects = tuple((what, *_both(net)) for what, net in of)
    return Diagnostic(key, question, test.chi2, test.df, test.p, found, f"{words[:-1]} ({numbers}).", effects)
