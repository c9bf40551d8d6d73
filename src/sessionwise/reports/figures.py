"""The figures of a report: which they are, and what they are called in it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from .. import plot
from ..errors import PanelError
from ..plot.caterpillar import draw_effects
from ..plot.effect_counts import draw_counts
from ..plot.impulse_responses import Response, draw_responses
from ..plot.level_effects import LevelEffects
from ..plot.simple_slopes import Slopes, draw_slopes
from ..study.records import Direction, DynamicModel, Estimand, Heterogeneity, Moderation, NotAnswered, PersonEffects
from ..study.words.phrases import before
from ..words import p_words
from .parts import FigurePart
from .passed_on import FEWEST
from .printed_tables import ShownTable, minus

if TYPE_CHECKING:
    from ..panel import Panel
    from ..study import StudyResult
#: Lines are drawn for so many moderator values; more cannot be told apart.
_MOST_LINES = 5
_POINTS = 800
#: Persons drawn by themselves beside an average.
_SINGLE = 40
#: A smaller share of missing values needs no figure.
_FEW_MISSING = 0.01


class _Named(NamedTuple):
    response: str
    x: str
    moderator: str


def forest(result: StudyResult) -> FigurePart | None:
    """Both directions by every method; None where no method could answer either."""
    sides: tuple[Literal["forward", "reverse"], ...] = ("forward", "reverse")
    estimates = [
        _estimate(row.label, result.arrow(side), getattr(row, side))
        for side in sides
        for row in result.sensitivity.rows
    ]
    if not any(e.answered for e in estimates):
        return None
    scale = "effect, in within-person SDs"
    return FigurePart("sensitivity", plot.forest(estimates, scale=scale))


def estimands(result: StudyResult) -> list[FigurePart]:
    """What precedes what: one session and the next, an arrow for each effect of the answer, and within the session."""
    names = dict(result.called)
    (outcome, _), (process, _) = result.called
    lag = result.study.lag
    waves, then = ("session", "next"), "the next"
    if lag > 1:
        waves, then = ("session", f"{lag} later"), f"{lag} sessions later"
    arrows = [_arrow(one, (outcome, process), waves) for one in result.estimands if one.key != "given_same_session"]
    if not any(one.key == "net" for one in result.estimands):
        return []
    within = any(one.key == "same_session" for one in result.estimands)
    note = f"In within-person SDs: net effects from one session to {then}"
    note += ", and within that one." if within else "."
    diagram = plot.PathDiagram((outcome, process), waves, tuple(arrows))
    return [FigurePart("estimands", plot.paths(diagram, title="What precedes what", note=note, labels=names))]


def _arrow(one: Estimand, columns: tuple[str, str], waves: tuple[str, str]) -> plot.Arrow:
    outcome, process = columns
    start, end = (process, outcome) if one.direction == "forward" else (outcome, process)
    e = one.standardised
    return plot.Arrow(start, waves[one.key == "same_session"], end, waves[1], e.value, e.low, e.high)


def courses(
    result: StudyResult, panel: Panel | None, table: ShownTable | None, *, share: bool = False
) -> list[FigurePart]:
    """Average course of both scores, with single persons unless it is to be shared."""
    if panel is None or (share and panel.n_persons < FEWEST):
        return []
    names = dict(result.called)
    made = []
    for part, column in zip(("outcome", "process"), names, strict=True):
        own = _only(table, names[column], part)
        chart = plot.trajectories(panel, column, persons=0 if share else _SINGLE, labels=names)
        made.append(FigurePart(f"course-{part}", chart, own))
    return made


def attendance(panel: Panel | None, table: ShownTable | None, *, share: bool = False) -> list[FigurePart]:
    if panel is None or (share and panel.n_persons < FEWEST):
        return []
    return [FigurePart("attendance", plot.dropout(panel, fewest=FEWEST if share else 1), table)]


def gaps(result: StudyResult, panel: Panel | None, *, share: bool = False) -> list[FigurePart]:
    """Where values are missing; nothing where hardly any is."""
    missing = result.description.missing
    shares = dict(zip(missing.columns, missing.share, strict=True))
    lacking = [n for n, share in shares.items() if share and n in result.study.columns]
    if panel is None or all(shares[n] < _FEW_MISSING for n in lacking):
        return []
    chart = plot.missing(panel, [n for n in lacking if n in panel], fewest=FEWEST if share else 1)
    return [FigurePart("missing", chart)]


def pairs(result: StudyResult, one: Direction, panel: Panel | None) -> list[FigurePart]:
    """The predictor at a session against the response at the next, within persons."""
    if panel is None:
        return []
    try:
        chart = plot.scatter(
            panel, one.response, one.predictor, result.study.lag, points=_POINTS, labels=dict(result.called)
        )
    except PanelError:  # nothing to draw
        return []
    return [FigurePart(f"{one.key}-pairs", chart)]


def slopes(result: StudyResult, one: Direction, moderation: Moderation) -> list[FigurePart]:
    """The effect at values of a moderator."""
    if not 1 < len(moderation.slopes) <= _MOST_LINES:
        return []
    names = dict(result.called)
    found = [s.estimate for s in moderation.slopes]
    sds = {result.study.outcome: result.sensitivity.sd_outcome, result.study.process: result.sensitivity.sd_process}
    record = Slopes(
        values=tuple(s.at for s in moderation.slopes),
        slope=np.array([e.value for e in found]),
        low=np.array([e.low for e in found]),
        high=np.array([e.high for e in found]),
        others={},
        mean=0.0,
        sd=sds[one.predictor],
        p=moderation.p,
    )
    lag, people = result.study.lag, f"{result.person}s"
    x = f"previous {names[one.predictor]}" if lag == 1 else f"{names[one.predictor]} {before(lag)}"
    said = _Named(names[one.response], f"{x} within {people}", moderation.moderator)
    chart = draw_slopes(record, record.values, said)
    return [FigurePart(f"{one.key}-slopes-{one.moderators.index(moderation) + 1}", chart)]


def persons(result: StudyResult, table: ShownTable | None) -> list[FigurePart]:
    """Every person's own effect."""
    found, main = result.persons, result.forward
    if isinstance(found, NotAnswered) or isinstance(main, NotAnswered):
        return []
    test = main.heterogeneity
    differ = isinstance(test, Heterogeneity) and test.p < 0.05
    process, response = _said(result)
    what = f"the effect of {process} on {response}"
    if isinstance(test, Heterogeneity) and not differ:
        title = f"{result.person.capitalize()}s were not shown to differ in {what} ({p_words(test.p)})"
    else:
        title = f"T{what[1:]} differs from the average in {found.apart:,} of {len(found.effects):,} {result.person}s"
    chart = draw_effects(_levels(found, main, differ), result.person, process, response, title=title)
    return [FigurePart("persons", chart, table)]


def lasting(result: StudyResult, found: DynamicModel, table: ShownTable | None) -> list[FigurePart]:
    """How long both effects last, by the dynamic model."""
    names, study = dict(result.called), result.study
    pairs = {"forward": (study.outcome, study.process), "reverse": (study.process, study.outcome)}
    made = []
    for key, (response, predictor) in pairs.items():
        rows = [r for r in found.responses if r.direction == key]
        median, low, high = (np.array([getattr(r, c) for r in rows]) for c in ("median", "low", "high"))
        low_half, high_half = (np.array([getattr(r, c) for r in rows]) for c in ("low_50", "high_50"))
        made.append(Response(response, predictor, median, low, high, low_half, high_half))
    chart = draw_responses(made, names, result.person, columns=1)  # beside each other they are too narrow on a phone
    return [FigurePart("dynamic-responses", chart, table)]


def dynamic_persons(
    result: StudyResult, found: DynamicModel, table: ShownTable | None, *, share: bool = False
) -> list[FigurePart]:
    """Every person's own effect by the dynamic model; of what is shared, how many have which."""
    process, response = _said(result)
    persons, person = found.persons, result.person
    average = persons.average, found.average_low, found.average_high
    spread = persons.sd, found.sd_low, found.sd_high
    if share:
        if not found.counts:
            return []
        effect = f"effect of {process} on {response}"
        return [FigurePart("dynamic-persons", draw_counts(found.counts, average, spread, person, effect), table)]

    def column(name: str) -> np.ndarray:
        return np.array([getattr(e, name) for e in persons.effects], np.float64)

    labels = np.array([str(e.person) for e in persons.effects], object)
    ends = column("value"), column("low"), column("high")
    effects = LevelEffects(labels, *ends, *average, persons.sd, 0.95, 0.0, True, found.sd_low, found.sd_high)
    return [FigurePart("dynamic-persons", draw_effects(effects, person, process, response), table)]


def _said(result: StudyResult) -> tuple[str, str]:
    names = dict(result.called)
    return names[result.study.process], result.following("forward")


def _levels(found: PersonEffects, main: Direction, differ: bool) -> LevelEffects:
    def column(name: str) -> np.ndarray:
        return np.array([getattr(e, name) for e in found.effects], np.float64)

    labels = np.array([str(e.person) for e in found.effects], object)
    ends = main.within.low, main.within.high
    return LevelEffects(
        labels, column("value"), column("low"), column("high"), found.average, *ends, found.sd, 0.95, 0.0, differ
    )


def _estimate(label: str, direction: str, found: Any) -> plot.Estimate:
    if isinstance(found, NotAnswered):
        return plot.Estimate(label, direction, note=minus(found.why.split(". ")[0].rstrip(".") + "."))
    return plot.Estimate(label, direction, found.value, found.low, found.high)


def _only(table: ShownTable | None, variable: str, part: str) -> ShownTable | None:
    """The rows of one variable of the table of averages. part : outcome or process."""
    if table is None:
        return None
    rows = tuple(row[1:] for row in table.rows if row[0].by == variable)
    return replace(
        table,
        name=f"{table.name}-{part}",
        title=f"{variable}: {table.title.lower()}",
        head=table.head[1:],
        rows=rows,
    )
