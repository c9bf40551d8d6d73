"""Filtered: the Kalman filter over a person's sessions, given a draw's parameters and the person's own coefficients.

State: deviations of the last P sessions, newest first, then the person's level (and own course) of each variable, which
do not change: so levels are integrated out, not conditioned on. Scores are observed with error or not at all. Durbin &
Koopman (2012), Time Series Analysis by State Space Methods, ch. 4 and 6.4 (one scalar observation after another).

Every number of the filter is an array (persons, nodes, draws), persons of equally many sessions together; matrices are
lists of lists of such arrays, so that NumPy's loops run over all of them at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .on_grid import Together

#: Numbers at once: as many as stay in a processor's cache.
AT_ONCE = 8192

Matrix = list[list[Any]]
#: Called before a session's scores are taken in: its index, the log-likelihood so far (persons, nodes, draws), and for
#: each variable mean and variance of its score.
Seer = Callable[[int, np.ndarray, Sequence[tuple[np.ndarray, np.ndarray]]], None]


@dataclass(frozen=True, slots=True, eq=False)
class Process:
    """Arrays that broadcast to (persons, nodes, draws), 0.0 where a number is zero everywhere.

    transition : (K, P K) z_t on the states before. noise : (K, K). inputs : (K, X) z_t on covariates. first : (P K, P
    K) of the first P sessions, newest first. level : (L,) means, level_covariance : (L, L). error : (K,) factors of
    error variances. course : (S, K, D).
    """

    transition: Matrix
    noise: Matrix
    inputs: Matrix
    first: Matrix
    level: list[Any]
    level_covariance: Matrix
    error: list[Any]
    course: np.ndarray


@np.errstate(over="ignore", invalid="ignore")
def filtered(
    data: Together, process: Process, shape: tuple[int, int, int], until: int | None = None, see: Seer | None = None
) -> np.ndarray:
    """(persons, nodes, draws) log-likelihood of the sessions before `until`, in standard units.

    A process that runs away beyond the range of numbers has likelihood 0.

    shape : persons, nodes, draws. see : called at every session at which a score is observed, before it is taken in.
    """
    k_count, m = len(process.transition), len(process.first)
    lags, width = m // k_count, data.own_course.shape[2]
    n = m + len(process.level)
    total = np.zeros(shape)
    a = [np.zeros(shape) for _ in range(m)] + [np.zeros(shape) + x for x in process.level]
    p = _start(process, shape)
    seen = ~np.isnan(data.values)
    values = np.where(seen, data.values, 0.0)
    session = np.clip(data.session, 0, len(process.course) - 1)
    for t in range(data.values.shape[1] if until is None else until):
        if t >= lags:
            a, p = _ahead(a, p, process, data.covariates[:, t])
        offset = max(lags - 1 - t, 0) * k_count
        if not seen[:, t].any():
            continue
        own = data.own_course[:, t, :, None, None]
        where = [[(offset + k, None), *((m + k * width + e, own[:, e]) for e in range(width))] for k in range(k_count)]
        course = [process.course[session[:, t], k][:, None, :] for k in range(k_count)]
        errors = [
            0.0 if data.error is None else data.error[:, t, k, None, None] * process.error[k] for k in range(k_count)
        ]
        if see is not None:
            predicted = []
            for k in range(k_count):
                line = _times(p, where[k], n)
                predicted.append((course[k] + _sum(a, where[k]), _sum(line, where[k]) + errors[k]))
            see(t, np.where(np.isnan(total), -np.inf, total), predicted)
        for k in range(k_count):
            there = seen[:, t, k]
            if not there.any():
                continue
            line = _times(p, where[k], n)
            variance = _sum(line, where[k]) + errors[k]
            off = values[:, t, k, None, None] - course[k] - _sum(a, where[k])
            inverse = 1.0 / variance
            if there.all():
                total -= 0.5 * (np.log(2 * np.pi * variance) + off * off * inverse)
            else:
                mask = there[:, None, None]
                total -= np.where(mask, 0.5 * (np.log(2 * np.pi * variance) + off * off * inverse), 0.0)
                inverse = np.where(mask, inverse, 0.0)
            _take_in(a, p, line, inverse, off)
    return np.where(np.isnan(total), -np.inf, total)


def _start(process: Process, shape: tuple[int, int, int]) -> Matrix:
    """Covariance of the state before the first session; symmetric entries are one array."""
    m, n = len(process.first), len(process.first) + len(process.level)
    p: Matrix = [[None] * n for _ in range(n)]
    for i in range(n):
        for j in range(i + 1):
            x = np.zeros(shape)
            if i < m:
                x += process.first[i][j]
            elif j >= m:
                x += process.level_covariance[i - m][j - m]
            p[i][j] = p[j][i] = x
    return p


def _ahead(a: list[Any], p: Matrix, process: Process, covariates: np.ndarray) -> tuple[list[Any], Matrix]:
    """The state at the next session."""
    f, k_count, m, n = process.transition, len(process.transition), len(process.first), len(a)
    mean = [_dot(f[i], a) for i in range(k_count)]
    for i in range(k_count):
        for c, slope in enumerate(process.inputs[i]):
            if not _zero(slope):
                mean[i] = mean[i] + slope * covariates[:, c, None, None]
    fp = [[_dot(f[i], [p[j][c] for j in range(m)]) for c in range(n)] for i in range(k_count)]
    out: Matrix = [[None] * n for _ in range(n)]
    for i in range(k_count):
        for j in range(i + 1):
            out[i][j] = out[j][i] = _dot(f[j], fp[i][:m]) + process.noise[i][j]
    for i in range(k_count, n):  # what was the newest becomes older; levels stay
        before = i - k_count if i < m else i
        for j in range(k_count):
            out[i][j] = out[j][i] = fp[j][before]
        for j in range(k_count, i + 1):
            out[i][j] = out[j][i] = p[before][j - k_count if j < m else j]
    return [*mean, *a[: m - k_count], *a[m:]], out


def _take_in(a: list[Any], p: Matrix, line: list[Any], inverse: np.ndarray, off: np.ndarray) -> None:
    """One scalar observation. line : covariance of the state with it."""
    n = len(a)
    for i in range(n):
        gain = line[i] * inverse
        a[i] += gain * off
        for j in range(i + 1):
            p[i][j] -= gain * line[j]


def _times(p: Matrix, where: list[tuple[int, Any]], n: int) -> list[Any]:
    return [_sum(p[i], where) for i in range(n)]


def _sum(a: list[Any], where: list[tuple[int, Any]]) -> Any:
    """Over the state's places that make a score, each with its weight (None: 1)."""
    (first, _), (level, _), *powers = where  # the deviation and the level, whose weight is 1
    out = a[first] + a[level]
    for place, weight in powers:
        out = out + a[place] * weight
    return out


def _dot(weights: list[Any], a: list[Any]) -> Any:
    out: Any = None
    for weight, x in zip(weights, a, strict=False):
        if not _zero(weight):
            out = weight * x if out is None else out + weight * x
    return np.zeros_like(a[0]) if out is None else out


def _zero(x: Any) -> bool:
    return isinstance(x, float) and x == 0.0
