"""Drop-out: does leaving go with the last observed scores?

Discrete-time hazard (Singer & Willett 1993, J. Educ. Stat. 18, 155-195): after each attended session a person leaves or
stays; the log odds are a level of their own for each session number (neighbours joined until enough leave in each),
plus the last observed outcome and process and how far these are from the person's mean of the values before. Nothing is
known of why treatment ended: who completed it counts as having left. The last session number is left out.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import chdtrc, expit

from ..records import DropOutEffect, DropOutModel, Estimate, NotAnswered
from ..words.estimates import full

if TYPE_CHECKING:
    from ...panel import Panel
    from ..study_data import StudyData

#: A period of the baseline has at least so many who leave and so many who stay.
FEWEST_IN_PERIOD = 5
#: Events needed for four predictors.
FEWEST_EVENTS = 20


@dataclass(frozen=True, slots=True, eq=False)
class Leaving:
    """model : what is told of it. chance : (n_rows,) to leave after each session, NaN where nobody could or scores are
    not known. within : log odds for one unit more than usual in the last outcome and process."""

    model: DropOutModel
    chance: np.ndarray
    within: np.ndarray


def leaving(setting: StudyData) -> Leaving | NotAnswered:
    """Odds ratios of leaving for one SD of level and change of both scores."""
    panel, study = setting.panel, setting.study
    question = f"whether leaving goes with {setting.outcome} or {setting.process}"
    left = np.zeros(len(panel), bool)
    left[panel.starts[1:] - 1] = True
    predictors = np.column_stack([c for name in (study.outcome, study.process) for c in _level_and_change(panel, name)])
    at_risk = (panel.sessions < panel.sessions.max()) & ~np.isnan(predictors).any(axis=1)
    x, y, sessions = predictors[at_risk], left[at_risk], panel.sessions[at_risk]
    if min(y.sum(), (~y).sum()) < FEWEST_EVENTS:
        why = f"{y.sum():,} {setting.person}s left before the last session number, and {(~y).sum():,} times one stayed."
        return NotAnswered(question, why, f"At least {FEWEST_EVENTS} of each.")
    sd = x.std(axis=0)
    if (sd <= 1e-9 * np.abs(x).max(axis=0)).any():
        return NotAnswered(question, "A score, or its change, is the same at all sessions.", "Scores that vary.")
    period, baseline = _periods(sessions, y)
    columns = np.column_stack([period, (x - x.mean(axis=0)) / sd])
    fitted = _logistic(columns, y.astype(np.float64))
    if fitted is None:
        return NotAnswered(
            question, "The scores tell perfectly who leaves, or follow from each other.", f"More {setting.person}s."
        )
    k = x.shape[1]
    beta, covariance = fitted[0][-k:], fitted[1][-k:, -k:]
    effects = _effects(setting, beta, np.sqrt(covariance.diagonal()), sd)
    chi2 = float(beta @ np.linalg.solve(covariance, beta))
    chance = np.full(len(panel), np.nan)
    chance[at_risk] = expit(columns @ fitted[0])
    level_and_change = (beta / sd).reshape(2, 2).sum(axis=1)  # a score above a person's usual one changes both
    model = DropOutModel(
        persons=len(np.unique(panel.codes[at_risk])),
        sessions=len(y),
        events=int(y.sum()),
        effects=effects,
        baseline=baseline,
        words=_words(setting, effects),
        chi2=chi2,
        df=k,
        p=float(chdtrc(k, chi2)),
    )
    return Leaving(model, chance, level_and_change)


def _level_and_change(panel: Panel, name: str) -> tuple[np.ndarray, np.ndarray]:
    """The last observed value up to each session, and its distance from the mean of those before it (0 without any)."""
    values, starts = panel[name], panel.starts
    known = ~np.isnan(values)
    row = np.where(known, np.arange(len(values)), -1)
    last = np.maximum.accumulate(row)
    first = np.repeat(starts[:-1], panel.sessions_per_person)
    level = np.where(last >= first, values[np.maximum(last, 0)], np.nan)
    shift = float(values[known].mean()) if known.any() else 0.0
    total, count = np.cumsum(np.where(known, values - shift, 0.0)), np.cumsum(known)
    before = np.append(0.0, total)[first], np.append(0, count)[first]
    n = count - before[1] - (last >= first)
    earlier = (total - before[0] - np.where(last >= first, level - shift, 0.0)) / np.maximum(n, 1) + shift
    return level, np.where(np.isnan(level), np.nan, np.where(n > 0, level - earlier, 0.0))


def _periods(sessions: np.ndarray, left: np.ndarray) -> tuple[np.ndarray, tuple[tuple[int, int, int, int], ...]]:
    """An indicator (n_rows, periods) of each period, and first, last, at risk, left of each."""
    numbers, at = np.unique(sessions, return_inverse=True)
    risk, events = np.bincount(at), np.bincount(at, left).astype(np.int64)
    ends, own = [], np.zeros(2, np.int64)
    for i in range(len(numbers)):
        own += (events[i], risk[i] - events[i])
        if own.min() >= FEWEST_IN_PERIOD:
            ends.append(i)
            own[:] = 0
    ends = [*ends[:-1], len(numbers) - 1] if ends else [len(numbers) - 1]
    edges = np.array([-1, *ends])
    of_number = np.searchsorted(ends, np.arange(len(numbers)))
    told = tuple(
        (int(numbers[a + 1]), int(numbers[b]), int(risk[a + 1 : b + 1].sum()), int(events[a + 1 : b + 1].sum()))
        for a, b in itertools.pairwise(edges)
    )
    return (of_number[at][:, None] == np.arange(len(ends))).astype(np.float64), told


def _logistic(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Maximum likelihood by Newton's method: coefficients and their covariance; None where there is no maximum."""
    beta = np.zeros(x.shape[1])
    for _ in range(30):
        p = expit(x @ beta)
        information = x.T @ (x * (p * (1 - p))[:, None])
        score = x.T @ (y - p)
        try:
            step = np.linalg.solve(information, score)
        except np.linalg.LinAlgError:
            return None
        beta = beta + np.clip(step, -2, 2)
        if np.abs(beta).max() > 30:
            return None
        if step @ score < 1e-10:
            return beta, np.linalg.inv(information)
    return None


def _effects(setting: StudyData, beta: np.ndarray, se: np.ndarray, sd: np.ndarray) -> tuple[DropOutEffect, ...]:
    keys = ("outcome_level", "outcome_change", "process_level", "process_change")
    labels = [f"{name}, {what}" for name in (setting.outcome, setting.process) for what in ("last", "change to last")]
    found = []
    for i, (key, label) in enumerate(zip(keys, labels, strict=True)):
        b, s = float(beta[i]), float(se[i])
        log = Estimate.normal(b, s)
        ratio, low, high = (float(np.exp(v)) for v in (log.value, log.low, log.high))
        found.append(DropOutEffect(key, label, float(sd[i]), Estimate(ratio, ratio * s, low, high, None, log.p)))  # type: ignore[arg-type]
    return tuple(found)


def _words(setting: StudyData, effects: tuple[DropOutEffect, ...]) -> str:
    told = [e for e in effects if e.odds_ratio.p < 0.05]
    who = "Who completed treatment counts as leaving here, as nothing is known of why it ended."
    if not told:
        scores = f"{setting.outcome} or {setting.process}"
        return f"Leaving was not shown to go with the last observed {scores}, nor with how they changed. {who}"
    said = [f"{e.label}, one SD more: {full(e.odds_ratio, 'odds ratio')}" for e in told]
    return (
        f"Leaving goes with observed scores ({'; '.join(said)}). {who} The models hold some of these scores constant, "
        "which guards against bias only as far as leaving depends on nothing else; complete-case results are not "
        "guarded."
    )
