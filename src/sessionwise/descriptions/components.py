"""Variance components of answers (sessions × items) by Henderson's methods, every session complete.

The answers fall into session means and deviations from them (k − 1 independent contrasts each); both are
layouts of persons by sessions with at most one value a cell. For such a layout, with e the cell's own variance:

    nested  (method 1)  MS within = e;   SS between persons = (N − Σn²/N) person + (P − 1) e
    crossed (method 3)  SS within sessions = (N − T)(person + e);   SS within persons = (N − P)(session + e);
                        SS after both = (N − rank) e
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: Crossed components need a table of persons by session numbers and a square one of numbers; larger is not tried.
MOST_SESSIONS, MOST_CELLS = 2000, 20_000_000


@dataclass(frozen=True, slots=True)
class Estimates:
    """variances : by name, not below zero; negative : names of those that were; within_items : mean variance
    of a session's answers over its items (divisor k − 1)."""

    variances: Mapping[str, float]
    negative: tuple[str, ...]
    within_items: float


def nested(rows: Floats, person: Ints) -> Estimates:
    """Sessions nested in persons. rows (n, k) answers, person (n,) codes 0..P − 1; some person has two rows."""
    n, k = rows.shape
    counts = np.bincount(person).astype(float)
    persons = len(counts)
    means, deviations = _split(rows)
    both = np.column_stack([means, deviations])
    left = both - (_totals(both, person, persons) / counts[:, None])[person]
    spread = both - both.mean(axis=0)
    within = (left**2).sum(axis=0)
    between = (spread**2).sum(axis=0) - within
    size = n - (counts @ counts) / n
    e_mean, e = within[0] / (n - persons), within[1:].sum() / (n - persons) / (k - 1)
    p_mean = (between[0] - (persons - 1) * e_mean) / size
    p_item = (between[1:].sum() / (k - 1) - (persons - 1) * e) / size
    item = _item(rows, p_item * (counts @ counts) / n**2 + e / n)
    raw = {
        "person": p_mean - p_item / k,
        "item": item,
        "session": e_mean - e / k,
        "person_item": p_item,
        "residual": e,
    }
    return _estimates(raw, rows)


def crossed(rows: Floats, person: Ints, session: Ints) -> Estimates | None:
    """Session numbers common to all persons. None if the layout does not tell the components apart."""
    n, k = rows.shape
    numbers, session = np.unique(session, return_inverse=True)
    times, counts = len(numbers), np.bincount(person).astype(float)
    persons, held = len(counts), np.bincount(session).astype(float)
    if times < 2 or times > MOST_SESSIONS or persons * times > MOST_CELLS or n <= max(persons, times):
        return None
    means, deviations = _split(rows)
    both = np.column_stack([means, deviations])
    by_session = both - (_totals(both, session, times) / held[:, None])[session]
    by_person = both - (_totals(both, person, persons) / counts[:, None])[person]
    after, rank = _after_both(by_person, person, session, counts, times)
    if n <= rank:
        return None
    ss_person = (by_session**2).sum(axis=0) / (n - times)
    ss_session = (by_person**2).sum(axis=0) / (n - persons)
    cell = after / (n - rank)
    p, s, e = (_mean_and_rest(v, k) for v in (ss_person - cell, ss_session - cell, cell))
    item = _item(rows, p[1] * (counts @ counts) / n**2 + s[1] * (held @ held) / n**2 + e[1] / n)
    raw = {
        "person": p[0] - p[1] / k,
        "session": s[0] - s[1] / k,
        "item": item,
        "person_session": e[0] - e[1] / k,
        "person_item": p[1],
        "session_item": s[1],
        "residual": e[1],
    }
    return _estimates(raw, rows)


def _after_both(left: Floats, person: Ints, session: Ints, counts: Floats, times: int) -> tuple[Floats, int]:
    """Sums of squares (columns of `left`) after persons and sessions, and the rank of both.

    `left` is free of persons' means. Sessions' effects solve C b = Z'left, C = diag(held) − Σ_p z z'/n_p.
    """
    table = np.zeros((len(counts), times))
    table[person, session] = 1.0
    c = np.diag(table.sum(axis=0)) - table.T @ (table / counts[:, None])
    values, vectors = np.linalg.eigh(c)
    good = values > 1e-9 * max(1.0, float(values[-1]))
    right = vectors[:, good].T @ _totals(left, session, times)
    explained = (right**2 / values[good][:, None]).sum(axis=0)
    return np.maximum((left**2).sum(axis=0) - explained, 0.0), len(counts) + int(good.sum())


def _split(rows: Floats) -> tuple[Floats, Floats]:
    means = rows.mean(axis=1)
    return means, rows - means[:, None]


def _mean_and_rest(v: Floats, k: int) -> tuple[float, float]:
    return float(v[0]), float(v[1:].sum() / (k - 1))


def _item(rows: Floats, noise: float) -> float:
    """Variance of the items' means, less what chance adds to it."""
    return float(rows.mean(axis=0).var(ddof=1)) - noise


def _totals(values: Floats, codes: Ints, size: int) -> Floats:
    """Sums (size, columns) of the rows of each code."""
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(size))
    out: Floats = np.add.reduceat(values[order], starts, axis=0)
    return out


def _estimates(raw: Mapping[str, float], rows: Floats) -> Estimates:
    size = 1e-13 * float((rows**2).mean())  # below this a negative value is rounding
    negative = tuple(name for name, v in raw.items() if v < -size)
    within = float(rows.var(axis=1, ddof=1).mean())
    return Estimates({name: max(0.0, float(v)) for name, v in raw.items()}, negative, within)
