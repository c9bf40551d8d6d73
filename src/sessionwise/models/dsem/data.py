"""Data: a Panel on the grid of session numbers, each variable in SDs within persons from the grand mean.

Sessions between a person's first and last observed ones that were skipped are there, with nothing observed.
Person-level predictors are centred, so that what is said of an effect is said of the average person.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...errors import ModelError
from ...findings import Finding
from ...gibbs.specification import Grid
from ...words import counted, num
from .measurement import ErrorVariance, estimated, from_items, given
from .person_columns import Source, person_clusters, person_outcomes, person_predictors

if TYPE_CHECKING:
    from ...panel import Panel
    from .model import DSEM
    from .paths import Paths

#: Up to so many session numbers each has a level of its own in the common course; beyond, a cubic spline.
MOST_STEPS = 15
#: Inner knots of the spline.
KNOTS = 4
#: More sessions on the grid than this for each observed one: session numbers are something else.
SPARSEST = 20
#: Sessions before the first, so that the process is stationary when it begins.
BURN_IN = 8


@dataclass(frozen=True, slots=True, eq=False)
class Scaled:
    """What the chains take, and the way back.

    grid : in standard units. centre, sd : (K,) grand means and SDs within persons, of the data's units. persons :
    indices of the Panel's persons that are used. predictors : names of the person-level columns but the intercept;
    sources : of each. predictor_means : (W,) what was taken off them, 0 for the intercept. errors : of each variable,
    None for none.
    trend_unit : sessions that the own course's linear column counts as 1. covariate_centre, covariate_sd : (X,) means
    and SDs. outcome_centre, outcome_sd : (O,) means and SDs of person-level outcomes. skipped : sessions between first
    and last ones with nothing observed. before : sessions that the grid begins before a person's first. first : session
    number of the grid's index 0. findings : what was left out or odd.
    """

    grid: Grid
    centre: np.ndarray
    sd: np.ndarray
    persons: np.ndarray
    predictors: tuple[str, ...]
    sources: tuple[Source, ...]
    predictor_means: np.ndarray
    errors: tuple[ErrorVariance, ...] | None
    trend_unit: float
    covariate_centre: np.ndarray
    covariate_sd: np.ndarray
    outcome_centre: np.ndarray
    outcome_sd: np.ndarray
    skipped: int
    before: int
    first: int
    findings: tuple[Finding, ...]


def scaled(model: DSEM, paths: Paths, panel: Panel) -> Scaled:
    """Of the model's columns.

    Raises
    ------
    ModelError : nothing varies within persons, too few persons, a grid that is nearly empty, an impossible error.
    """
    values = np.column_stack([panel[name] for name in paths.variables])
    _finite(paths, values, model.title)
    seen = ~np.isnan(values).all(axis=1)
    person = panel.codes
    used = np.unique(person[seen])
    centre, sd = _spread(values, person, paths, model.title)
    errors = _errors(model, paths, panel, sd)
    before = {"own": 0, "given": 0, "stationary": BURN_IN, "previous": paths.lags}[model.first]
    placed = place_sessions(panel, seen, used, before, paths.lags, model.title)
    rows, at, place, owner, session = placed.rows, placed.at, placed.place, placed.owner, placed.session
    starts, first, total = placed.starts, placed.first, len(placed.session)
    grid_values = np.full((total, len(paths.variables)), np.nan)
    grid_values[at] = (values[rows] - centre) / sd
    count = int(session.max()) + 1
    error = None
    if errors is not None:
        error = np.ones_like(grid_values)
        error[at] = np.where(np.isnan(values[rows]), 1.0, np.column_stack([e.variance for e in errors])[rows] / sd**2)
    covariates, covariate_centre, covariate_sd, said = _covariates(paths, panel, rows, at, owner, total, model.title)
    predictors, names, sources, means, more = person_predictors(
        model, panel, used, np.bincount(place, minlength=len(used))
    )
    own, unit = _own_course(model.trend, count, before)
    clusters, unclear = person_clusters(model, panel, used)
    outcomes = person_outcomes(model, panel, used)
    outcome_sd = np.zeros(0) if outcomes is None else np.nanstd(outcomes, axis=0)
    outcome_centre = np.zeros(0) if outcomes is None else np.nanmean(outcomes, axis=0)
    skipped = placed.held - len(rows) - before * len(used)
    return Scaled(
        Grid(
            starts,
            session,
            grid_values,
            predictors,
            own,
            _basis(model.course, _known_sessions(grid_values, session, count), count, before),
            error,
            covariates,
            clusters,
            None if outcomes is None else (outcomes - outcome_centre) / outcome_sd,
        ),
        centre,
        sd,
        used,
        names,
        sources,
        means,
        errors,
        unit,
        covariate_centre,
        covariate_sd,
        outcome_centre,
        outcome_sd,
        skipped,
        before,
        first,
        (*_left_out(panel, used), *said, *more, *unclear),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """Where rows of a Panel stand on the grid of session numbers.

    rows : of the Panel, those with a score. at : (rows,) their places on the grid. place : (rows,) index of each one's
    person. starts : (persons + 1,) of the grid. owner, session : (grid,) index of the person, and of the session number
    from `first` on. held : sessions of the grid but those added for persons with fewer than lags.
    """

    rows: np.ndarray
    at: np.ndarray
    place: np.ndarray
    starts: np.ndarray
    owner: np.ndarray
    session: np.ndarray
    first: int
    held: int


def place_sessions(panel: Panel, seen: np.ndarray, used: np.ndarray, before: int, lags: int, title: str) -> Placed:
    """seen : (rows of the Panel,) whether a score is observed. used : indices of the persons of whom one is. before :
    sessions that the grid begins before a person's first.

    Raises
    ------
    ModelError : a grid that is nearly empty.
    """
    rows = np.flatnonzero(seen)
    place = np.searchsorted(used, panel.codes[rows])
    sessions = panel.sessions[rows].astype(np.int64)
    start = np.full(len(used), np.iinfo(np.int64).max)
    end = np.full(len(used), np.iinfo(np.int64).min)
    np.minimum.at(start, place, sessions)
    np.maximum.at(end, place, sessions)
    start -= before
    held = end - start + 1
    lengths = np.maximum(held, lags)
    if lengths.sum() > SPARSEST * len(rows) + 1000:
        raise ModelError(
            f"Between the first and last sessions lie {int(lengths.sum())} session numbers, and {len(rows)} were held: "
            f"{panel.roles.session} counts something else than sessions.",
            where=title,
            remedy="Number the sessions of each person 1, 2, 3, ..., leaving a number out where one was skipped.",
        )
    first = int(start.min())
    starts = np.concatenate([[0], np.cumsum(lengths)])
    owner = np.repeat(np.arange(len(used)), lengths)
    session = np.arange(int(starts[-1])) - starts[owner] + start[owner] - first
    at = starts[place] + sessions - start[place]
    return Placed(rows, at, place, starts, owner, session, first, int(held.sum()))


def _spread(values: np.ndarray, person: np.ndarray, paths: Paths, title: str) -> tuple[np.ndarray, np.ndarray]:
    """(K,) grand means and pooled SDs within persons."""
    centre, sd = np.zeros(values.shape[1]), np.zeros(values.shape[1])
    for k, name in enumerate(paths.variables):
        there = ~np.isnan(values[:, k])
        column, owner = values[there, k], person[there]
        _, place, counts = np.unique(owner, return_inverse=True, return_counts=True)
        freedom = int(np.sum(counts - 1))
        if freedom < 3:
            raise ModelError(
                f"{name} is measured at two or more sessions in too few persons to tell change from level.",
                where=title,
                remedy="Use a column that is measured session by session.",
            )
        centre[k] = column.mean()
        deviation = column - centre[k]
        means = np.bincount(place, deviation) / counts
        sd[k] = np.sqrt(np.sum((deviation - means[place]) ** 2) / freedom)
        if not sd[k] > 1e-9 * max(np.abs(column).max(), 1e-300):
            raise ModelError(
                f"{name} does not change within any person, so nothing can go before or after a change in it.",
                where=title,
                remedy="Use it in between='~ ...', or use a column that changes from session to session.",
            )
    return centre, sd


def _errors(model: DSEM, paths: Paths, panel: Panel, sd: np.ndarray) -> tuple[ErrorVariance, ...] | None:
    if model.error is None:
        return None
    if model.error == "estimated":
        return tuple(estimated(panel, v, float(width**2)) for v, width in zip(paths.variables, sd, strict=True))
    if isinstance(model.error, str):
        found = tuple(from_items(panel, name) for name in paths.variables)
        for name, e, width in zip(paths.variables, found, sd, strict=True):
            mean = float(np.nanmean(e.variance))
            if mean >= width**2:
                raise ModelError(
                    f"The items of {name} disagree so much that its error variance, {num(mean)}, is no smaller than "
                    f"all that varies within persons, {num(width**2)}: no change is left.",
                    where=model.title,
                    remedy="Look whether items are reversed rightly with `describe`, or use error=None.",
                )
        return found
    known = dict(model.error)
    return tuple(
        given(panel, v, float(known.get(v, 0.0)), float(width**2)) for v, width in zip(paths.variables, sd, strict=True)
    )


def _own_course(trend: str | None, count: int, before: int) -> tuple[np.ndarray, float]:
    """(sessions, E): 1, then powers of the session from the middle one, in SDs of the session numbers; and that SD."""
    t = np.arange(count) - before
    held = t[before:]
    unit = max(1.0, float(held.std()))
    degree = {None: 0, "linear": 1, "quadratic": 2}[trend]
    return np.column_stack([((t - held.mean()) / unit) ** p for p in range(degree + 1)]), unit


def _known_sessions(values: np.ndarray, session: np.ndarray, count: int) -> np.ndarray:
    """Indices of sessions at which every variable was observed of somebody."""
    seen = np.zeros((count, values.shape[1]), dtype=bool)
    for k in range(values.shape[1]):
        seen[session[~np.isnan(values[:, k])], k] = True
    return np.flatnonzero(seen.all(axis=1))


def _basis(course: str | None, known: np.ndarray, count: int, before: int) -> np.ndarray:
    """(sessions, B): a step for each known session but the first, joined by lines where a session is not known; or a
    cubic spline. Both are zero at the first session."""
    if course is None or len(known) < 2:
        return np.zeros((count, 0))
    if count - before <= MOST_STEPS:
        steps = np.eye(len(known))[1:]
        return np.column_stack([np.interp(np.arange(count), known, step) for step in steps])
    t = np.maximum(np.arange(count) - before, 0) / (count - before - 1)
    # knots are dense where therapy changes most: early
    knots = np.linspace(0, 1, KNOTS + 2)[1:-1] ** 1.5
    return np.column_stack([t, t**2, t**3, *(np.maximum(t - knot, 0.0) ** 3 for knot in knots)])


def _finite(paths: Paths, values: np.ndarray, title: str) -> None:
    for name, column in zip(paths.variables, values.T, strict=True):
        if np.isinf(column).any():
            raise ModelError(
                f"{name} has {counted(int(np.isinf(column).sum()), 'infinite value')}.",
                where=title,
                remedy="Correct them, or take them as missing when reading.",
            )


def _covariates(
    paths: Paths, panel: Panel, rows: np.ndarray, at: np.ndarray, owner: np.ndarray, total: int, title: str
) -> tuple[np.ndarray | None, np.ndarray, np.ndarray, list[Finding]]:
    """(rows, X) in SDs from the grand mean, the means, the SDs; the person's mean where a session has none."""
    if not paths.covariates:
        return None, np.zeros(0), np.zeros(0), []
    count = len(paths.covariates)
    out, centres, sds, said = np.zeros((total, count)), np.zeros(count), np.zeros(count), []
    for c, name in enumerate(paths.covariates):
        if not panel.is_numeric(name):
            raise ModelError(
                f"The covariate {name} holds no numbers.",
                where=title,
                remedy=f"Make 0 and 1 of it in the file, one column for each kind but one, or leave {name} out.",
            )
        given = panel[name][rows]
        there = given[~np.isnan(given)]
        if len(there) < 2 or not np.isfinite(there).all() or not there.std() > 0:
            raise ModelError(
                f"The covariate {name} is missing everywhere, the same everywhere, or infinite somewhere.",
                where=title,
                remedy=f"Leave {name} out, or correct it.",
            )
        centres[c], sds[c] = there.mean(), there.std()
        column = np.full(total, np.nan)
        column[at] = (given - centres[c]) / sds[c]
        missing = np.isnan(column)
        sums = np.bincount(owner, np.where(missing, 0.0, column), minlength=int(owner.max()) + 1)
        means = sums / np.maximum(np.bincount(owner, ~missing, minlength=len(sums)), 1)
        out[:, c] = np.where(missing, means[owner], column)
        if count := int(np.isnan(given).sum()):
            what = f"{name} is taken as the person's mean at {counted(count, 'session')} where it is not known."
            said.append(Finding("note", "covariate-filled", what, count=count, column=name))
    return out, centres, sds, said


def _left_out(panel: Panel, used: np.ndarray) -> list[Finding]:
    gone = panel.n_persons - len(used)
    if not gone:
        return []
    what = f"{counted(gone, 'person')} left out: none of the scores is observed."
    return [Finding("note", "persons-left-out", what, count=gone)]
