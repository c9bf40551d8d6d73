"""The sample: who is in each step from the file to the main model, and the average course of both scores."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtrit

from ..records import CoursePoint, FlowStep, NotAnswered
from .direction import FittedDirection

if TYPE_CHECKING:
    from ..study_data import StudyData


def flow(setting: StudyData, forward: FittedDirection | NotAnswered) -> tuple[FlowStep, ...]:
    """From all persons to those who inform the main model."""
    panel, study, person = setting.panel, setting.study, setting.person
    names = {study.outcome: setting.outcome, study.process: setting.process}
    outcome, process = ~np.isnan(panel[study.outcome]), ~np.isnan(panel[study.process])
    either = outcome | process
    steps = [
        FlowStep("in the data", panel.n_persons, len(panel)),
        FlowStep(f"with {setting.outcome} or {setting.process}", *_counted(setting, either), "no score in the session"),
    ]
    if isinstance(forward, NotAnswered):
        return tuple(_reasoned(steps))
    made = forward.made
    reasons = "; ".join(f"{d.reason.words(names)}: {len(d.rows):,}" for d in made.dropped if len(d.rows))
    steps.append(FlowStep("in the main model", len(made.persons), len(made.rows), reasons))
    sizes = np.diff(made.starts)
    several = sizes >= 2
    why = f"one usable session: such a {person} informs the levels, not the effect within {person}s"
    steps.append(FlowStep("informing the within effect", int(several.sum()), int(sizes[several].sum()), why))
    return tuple(_reasoned(steps))


def _reasoned(steps: list[FlowStep]) -> Iterator[FlowStep]:
    """A reason only where somebody, or some session, was left out."""
    yield steps[0]
    for before, step in itertools.pairwise(steps):
        same = (before.persons, before.sessions) == (step.persons, step.sessions)
        yield replace(step, why="") if same else step


def course(setting: StudyData) -> tuple[CoursePoint, ...]:
    """Averages by session number with t intervals over persons."""
    panel, points = setting.panel, []
    for name in (setting.study.outcome, setting.study.process):
        values = panel[name]
        known = ~np.isnan(values)
        numbers, at, counts = np.unique(panel.sessions[known], return_inverse=True, return_counts=True)
        mean = np.bincount(at, values[known]) / counts
        square = np.bincount(at, (values[known] - mean[at]) ** 2)
        for i, n in enumerate(counts.tolist()):
            half = stdtrit(n - 1, 0.975) * np.sqrt(square[i] / (n - 1) / n) if n > 1 else None
            ends = (None, None) if half is None else (float(mean[i] - half), float(mean[i] + half))
            points.append(CoursePoint(name, int(numbers[i]), n, float(mean[i]), *ends))
    return tuple(points)


def _counted(setting: StudyData, rows: np.ndarray) -> tuple[int, int]:
    """Persons and sessions among these rows."""
    return len(np.unique(setting.panel.codes[rows])), int(rows.sum())
