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
from .measurement import ErrorVariance, from_items, given

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
    indices of the Panel's persons that are used. predictors : names of the person-level columns but the intercept.
    predictor_means : (W,) what was taken off them, 0 for the intercept. errors : of each variable, None for none.
    trend_unit : sessions that the own course's linear column counts as 1. outcome_centre, outcome_sd : (O,) means and
    SDs of person-level outcomes. skipped : sessions within the grid with
    nothing observed. findings : what was left out or odd.
    """

    grid: Grid
    centre: np.ndarray
    sd: np.ndarray
    persons: np.ndarray
    predictors: tuple[str, ...]
    predictor_means: np.ndarray
    errors: tuple[ErrorVariance, ...] | None
    trend_unit: float
    outcome_centre: np.ndarray
    outcome_sd: np.ndarray
    skipped: int
    findings: tuple[Finding, ...]


def scaled(model: DSEM, paths: Paths, panel: Panel) -> Scaled:
    """Of the model's columns.

    Raises
    ------
    ModelError : nothing varies within persons, too few persons, a grid that is nearly empty, an impossible error.
    """
    values = np.column_stack([panel[name] for name in paths.variables])
    seen = ~np.isnan(values).all(axis=1)
    person = panel.codes
    used = np.unique(person[seen])
    centre, sd = _spread(values, person, paths, model.title)
    errors = _errors(model, paths, panel, sd)
    before = {"own": 0, "stationary": BURN_IN, "previous": 1}[model.first]
    rows = np.flatnonzero(seen)
    place = np.searchsorted(used, person[rows])
    sessions = panel.sessions[rows].astype(np.int64)
    start = np.full(len(used), np.iinfo(np.int64).max)
    end = np.full(len(used), np.iinfo(np.int64).min)
    np.minimum.at(start, place, sessions)
    np.maximum.at(end, place, sessions)
    start -= before
    lengths = np.maximum(end - start + 1, paths.lags)
    if lengths.sum() > SPARSEST * len(rows) + 1000:
        raise ModelError(
            f"Between the first and last sessions lie {int(lengths.sum())} session numbers, and {len(rows)} were held: "
            f"{panel.roles.session} counts something else than sessions.",
            where=model.title,
            remedy="Number the sessions of each person 1, 2, 3, ..., leaving a number out where one was skipped.",
        )
    first = int(start.min())
    starts = np.concatenate([[0], np.cumsum(lengths)])
    total = int(starts[-1])
    at = starts[place] + sessions - start[place]
    grid_values = np.full((total, len(paths.variables)), np.nan)
    grid_values[at] = (values[rows] - centre) / sd
    owner = np.repeat(np.arange(len(used)), lengths)
    session = np.arange(total) - starts[owner] + start[owner] - first
    count = int(session.max()) + 1
    error = None
    if errors is not None:
        error = np.ones_like(grid_values)
        error[at] = np.where(np.isnan(values[rows]), 1.0, np.column_stack([e.variance for e in errors])[rows] / sd**2)
    covariates, said = _covariates(paths, panel, rows, at, owner, total)
    predictors, names, means, more = _predictors(model, panel, used, lengths - before)
    own, unit = _own_course(model.trend, count, before)
    clusters, unclear = _clusters(model, panel, used)
    outcomes = _outcomes(model, panel, used)
    outcome_sd = np.zeros(0) if outcomes is None else np.nanstd(outcomes, axis=0)
    outcome_centre = np.zeros(0) if outcomes is None else np.nanmean(outcomes, axis=0)
    skipped = total - len(rows) - before * len(used)
    return Scaled(
        Grid(
            starts,
            session,
            grid_values,
            predictors,
            own,
            _basis(model.course, count, before),
            error,
            covariates,
            clusters,
            None if outcomes is None else (outcomes - outcome_centre) / outcome_sd,
        ),
        centre,
        sd,
        used,
        names,
        means,
        errors,
        unit,
        outcome_centre,
        outcome_sd,
        skipped,
        (*_left_out(panel, used), *said, *more, *unclear),
    )


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
    """(sessions, E): 1, then powers of the session, in units of about half the sessions; and that unit."""
    t = np.arange(count) - before
    unit = max(1.0, float(t.std()))
    degree = {None: 0, "linear": 1, "quadratic": 2}[trend]
    return np.column_stack([((t - t.mean()) / unit) ** p for p in range(degree + 1)]), unit


def _basis(course: str | None, count: int, before: int) -> np.ndarray:
    """(sessions, B): steps, or a cubic spline, both zero at the first session."""
    if course is None or count - before < 2:
        return np.zeros((count, 0))
    if count - before <= MOST_STEPS:
        steps = np.zeros((count, count - before - 1))
        steps[before + 1 :] = np.eye(count - before - 1)
        return steps
    t = np.maximum(np.arange(count) - before, 0) / (count - before - 1)
    # knots are dense where therapy changes most: early
    knots = np.linspace(0, 1, KNOTS + 2)[1:-1] ** 1.5
    return np.column_stack([t, t**2, t**3, *(np.maximum(t - knot, 0.0) ** 3 for knot in knots)])


def _covariates(
    paths: Paths, panel: Panel, rows: np.ndarray, at: np.ndarray, owner: np.ndarray, total: int
) -> tuple[np.ndarray | None, list[Finding]]:
    """(rows, X) from the grand mean; the person's mean where a session has none."""
    if not paths.covariates:
        return None, []
    out, said = np.zeros((total, len(paths.covariates))), []
    for c, name in enumerate(paths.covariates):
        column = np.full(total, np.nan)
        column[at] = panel[name][rows]
        missing = np.isnan(column)
        overall = np.nanmean(column)
        sums = np.bincount(owner, np.where(missing, 0.0, column - overall), minlength=int(owner.max()) + 1)
        counts = np.bincount(owner, ~missing, minlength=len(sums))
        means = sums / np.maximum(counts, 1)
        out[:, c] = np.where(missing, means[owner], column - overall)
        if missing.any():
            many = counted(int(missing.sum()), "session")
            what = f"{name} is taken as the person's mean at {many} where it is not known."
            said.append(Finding("note", "covariate-filled", what, count=int(missing.sum()), column=name))
    return out, said


def _predictors(
    model: DSEM, panel: Panel, used: np.ndarray, sessions: np.ndarray
) -> tuple[np.ndarray, tuple[str, ...], np.ndarray, list[Finding]]:
    """(persons, W), the intercept first, the others centred."""
    columns, names, said = [np.ones(len(used))], [], []
    for name in model.predictors:
        if panel.is_numeric(name):
            series = panel.per_person(name).to_numpy().astype(float)[used]
            parts = [(name, series)]
        else:
            labels = panel.per_person(name)
            texts = labels.to_list()
            values = [texts[i] for i in used]
            kinds = sorted({v for v in values if v is not None}, key=str)
            if len(kinds) > 10:
                raise ModelError(
                    f"{name} has {len(kinds)} values; as a predictor of persons it can have ten kinds at most.",
                    where=model.title,
                    remedy="Use a numeric column, or fewer kinds.",
                )
            parts = [
                (f"{name}[{kind}]", np.array([np.nan if v is None else float(v == kind) for v in values]))
                for kind in kinds[1:]
            ]
        for label, series in parts:
            missing = np.isnan(series)
            if missing.all() or np.nanstd(series) == 0:
                raise ModelError(
                    f"{label} is the same for all persons.", where=model.title, remedy=f"Leave {name} out of between."
                )
            if missing.any():
                what = f"{label} is not known of {counted(int(missing.sum()), 'person')}; the mean is used there."
                said.append(Finding("note", "predictor-filled", what, count=int(missing.sum()), column=name))
            columns.append(np.where(missing, np.nanmean(series), series))
            names.append(label)
    if model.treatment_length:
        columns.append(sessions.astype(float))
        names.append("number of sessions")
    table = np.column_stack(columns)
    means = table.mean(axis=0)
    means[0] = 0.0
    return table - means, tuple(names), means, said


def _outcomes(model: DSEM, panel: Panel, used: np.ndarray) -> np.ndarray | None:
    if not model.outcomes:
        return None
    columns = []
    for name in model.outcomes:
        numeric = panel.is_numeric(name)
        column = panel.per_person(name).to_numpy().astype(float)[used] if numeric else np.zeros(1)
        if np.isnan(column).all() or not np.nanstd(column) > 0:
            raise ModelError(
                f"{name} is {'the same for all persons' if numeric else 'no number'}, so nothing predicts it.",
                where=model.title,
                remedy="Give a numeric column that differs between persons as an outcome.",
            )
        columns.append(column)
    return np.column_stack(columns)


def _clusters(model: DSEM, panel: Panel, used: np.ndarray) -> tuple[np.ndarray | None, list[Finding]]:
    """Each person's first cluster."""
    if not model.clusters:
        return None, []
    codes = panel.cluster_codes
    if codes is None:
        raise ModelError(
            "clusters=True, and the Panel has no cluster.",
            where=model.title,
            remedy="Build it with sw.Panel(..., cluster='therapist'), or leave clusters out.",
        )
    firsts, changing = np.empty(len(used), dtype=np.int64), 0
    extra = int(codes.max()) + 1
    for i, p in enumerate(used):
        own = codes[panel.starts[p] : panel.starts[p + 1]]
        own = own[own >= 0]
        if len(own) == 0:
            firsts[i], extra = extra, extra + 1
            continue
        firsts[i] = own[0]
        changing += bool((own != own[0]).any())
    said = []
    if changing:
        what = f"{counted(changing, 'person')} changed {panel.roles.cluster}; the first one is used for all sessions."
        said.append(Finding("note", "cluster-changes", what, count=changing))
    return np.unique(firsts, return_inverse=True)[1], said


def _left_out(panel: Panel, used: np.ndarray) -> list[Finding]:
    gone = panel.n_persons - len(used)
    if not gone:
        return []
    what = f"{counted(gone, 'person')} left out: none of the scores is observed."
    return [Finding("note", "persons-left-out", what, count=gone)]
