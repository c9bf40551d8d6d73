"""On grid: a Panel on a fit's grid of session numbers, in the fit's standard units.

A fit holds no session row: what is about single sessions takes the Panel again, the fit's own or another one with the
same columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from ...errors import Argument, ModelError, Wording, some
from .data import place_sessions
from .kept import Kept
from .measurement import answered

if TYPE_CHECKING:
    from ...panel import Panel
    from .fit import DSEMFit
    from .model import DSEM
    from .paths import Paths


@dataclass(frozen=True, slots=True, eq=False)
class Together:
    """Persons with the same number of sessions on the grid.

    persons : (n,) indices of the OnGrid's persons. rows : (n, T) of the grid. values : (n, T, K) in the fit's
    standard units, NaN where not observed. error : (n, T, K), None for none. session : (n, T) index of the session
    number, 0 for the fit's first. own_course : (n, T, E). covariates : (n, T, X). predictors : (n, W).
    """

    persons: np.ndarray
    rows: np.ndarray
    values: np.ndarray
    error: np.ndarray | None
    session: np.ndarray
    own_course: np.ndarray
    covariates: np.ndarray
    predictors: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class OnGrid:
    """A Panel on a fit's grid. persons : labels of those of whom a score is observed. starts : (persons + 1,) rows.
    session, values, error, covariates : by row, see Together. panel_row : (rows,) of the Panel, -1 for none.
    predictors : (persons, W)."""

    persons: np.ndarray
    starts: np.ndarray
    session: np.ndarray
    values: np.ndarray
    error: np.ndarray | None
    own_course: np.ndarray
    covariates: np.ndarray
    predictors: np.ndarray
    panel_row: np.ndarray

    def together(self, most: int) -> Iterator[Together]:
        """All persons, by number of sessions, at most so many at once."""
        lengths = np.diff(self.starts)
        for length in np.unique(lengths):
            group = np.flatnonzero(lengths == length)
            for at in range(0, len(group), most):
                yield self._together(group[at : at + most], int(length))

    def _together(self, persons: np.ndarray, length: int) -> Together:
        rows = self.starts[persons][:, None] + np.arange(length)
        return Together(
            persons,
            rows,
            self.values[rows],
            None if self.error is None else self.error[rows],
            self.session[rows],
            self.own_course[rows],
            self.covariates[rows],
            self.predictors[persons],
        )


def on_grid(model: DSEM, kept: Kept, panel: Panel, *, ahead: bool = False) -> OnGrid:
    """A Panel with the model's columns.

    ahead : a covariate that is missing is the mean of the person's sessions so far, as if later ones were not yet
    there; else that of all the person's sessions, as in the fit.

    Raises
    ------
    ModelError : no score is observed, a column that is not there or holds no numbers, an infinite value.
    """
    if model.first == "given":
        raise ModelError(
            "first='given' says nothing of where a person begins, so that the scores have no likelihood.",
            where=model.title,
            remedy=Wording("Fit the model with ", Argument("first='own'", ("--first", "own")), " for this."),
        )
    paths = model.paths
    values = np.column_stack([_numbers(panel, name, model.title) for name in paths.variables])
    seen = ~np.isnan(values).all(axis=1)
    if not seen.any():
        raise ModelError("No score of the model is observed.", where=model.title, remedy="Give a Panel with scores.")
    used = np.unique(panel.codes[seen])
    placed = place_sessions(panel, seen, used, kept.before, paths.lags, model.title)
    total = len(placed.session)
    panel_row = np.full(total, -1)
    panel_row[placed.at] = placed.rows
    grid = np.full((total, len(paths.variables)), np.nan)
    grid[placed.at] = (values[placed.rows] - kept.centre) / kept.sd
    error = None
    if kept.error_complete is not None:
        error = np.ones_like(grid)
        known = _errors(kept, paths, panel)[placed.rows] / kept.sd**2
        error[placed.at] = np.where(np.isnan(values[placed.rows]), 1.0, known)
    session = placed.session + placed.first - kept.first
    t = (session - kept.before - (kept.sessions - 1 - kept.before) / 2) / kept.trend_unit
    covariates = np.zeros((total, len(paths.covariates)))
    for c, name in enumerate(paths.covariates):
        column = np.full(total, np.nan)
        given = _numbers(panel, name, model.title)[placed.rows]
        column[placed.at] = (given - kept.covariate_centre[c]) / kept.covariate_sd[c]
        covariates[:, c] = _filled(column, placed.starts, ahead)
    return OnGrid(
        panel.persons[used],
        placed.starts,
        session,
        grid,
        error,
        np.column_stack([t**p for p in range(kept.structure.own_columns)]),
        covariates,
        _predictors(model, kept, panel, used, np.bincount(placed.place, minlength=len(used))),
        panel_row,
    )


def own_grid(fit: DSEMFit, panel: Panel) -> OnGrid:
    """The Panel that was fitted.

    Raises
    ------
    ModelError : another one.
    """
    model, kept = fit.model, fit.kept
    grid = on_grid(model, kept, panel)
    values = np.column_stack([panel[name] for name in model.paths.variables])
    same = (
        grid.persons.tolist() == fit.persons.tolist()
        and int((~np.isnan(grid.values).all(axis=1)).sum()) == fit.nobs
        and bool(np.allclose(np.nanmean(values, axis=0), kept.centre, rtol=1e-9, atol=1e-9 * float(kept.sd.max())))
    )
    if not same:
        raise ModelError(
            "These are not the data that the model was fitted to: persons, sessions or scores differ.",
            where=fit.title,
            remedy="Give the Panel that `fit` was given.",
        )
    return grid


def _numbers(panel: Panel, name: str, title: str) -> np.ndarray:
    if not panel.is_numeric(name):
        raise ModelError(f"{name} holds no numbers.", where=title, remedy="Give columns as the model was fitted to.")
    column = np.asarray(panel[name], dtype=np.float64)
    if np.isinf(column).any():
        raise ModelError(f"{name} holds infinite values.", where=title, remedy="Take them as missing when reading.")
    return column


def _errors(kept: Kept, paths: Paths, panel: Panel) -> np.ndarray:
    """(rows of the Panel, K) error variances in squared units: by the items answered where the Panel holds items, as if
    all were answered where it holds scores alone."""
    assert kept.error_complete is not None
    out = np.tile(kept.error_complete, (len(panel.codes), 1))
    for k, name in enumerate(paths.variables):
        if kept.items[k]:
            try:
                count = answered(panel, name)
            except ModelError:
                continue
            out[:, k] *= kept.items[k] / np.maximum(count, 1)
    return out


def _filled(column: np.ndarray, starts: np.ndarray, ahead: bool) -> np.ndarray:
    """By the person's mean, so far or of all sessions; 0, the mean of all persons in the fit, where there is none."""
    out = column.copy()
    for start, end in pairwise(starts.tolist()):
        own = column[start:end]
        missing = np.isnan(own)
        if missing.any():
            sums, counts = np.cumsum(np.where(missing, 0.0, own)), np.cumsum(~missing)
            mean = sums / np.maximum(counts, 1)
            out[start:end] = np.where(missing, mean if ahead else mean[-1], own)
    return out


def _predictors(model: DSEM, kept: Kept, panel: Panel, used: np.ndarray, sessions: np.ndarray) -> np.ndarray:
    """(persons, W), the intercept first; what is not known is the fit's mean."""
    columns = [np.ones(len(used))]
    for source, mean in zip(kept.sources, kept.predictor_means[1:], strict=True):
        if source.column is None:
            columns.append(sessions - mean)
            continue
        series = panel.per_person(source.column)
        if source.kind is None:
            if not panel.is_numeric(source.column):
                _other_kind(source.column, model)
            values = series.to_numpy().astype(float)[used]
        else:
            texts = series.to_list()
            values = np.array([np.nan if texts[i] is None else float(texts[i] == source.kind) for i in used])
        columns.append(np.where(np.isnan(values), 0.0, values - mean))
    return np.column_stack(columns)


def _other_kind(name: str, model: DSEM) -> None:
    raise ModelError(
        f"{name} held numbers in the fit, and holds text here.",
        where=model.title,
        remedy=f"Give columns of the kind that the model was fitted to: {some(model.predictors)}.",
    )
