"""Bias: what few sessions a person do to both lagged models, and what the coefficients would be without.

The process is taken to be within persons z_t = B0 z_t + B1 z_{t-1} + e_t, stationary, with z = (outcome, process), the
same for all persons; B0 holds the path between the two scores of a session, if one is rated first. With A = (I - B0)^-1
B1, Γ(0) = A Γ(0) A' + Σ and Γ(h) = A^h Γ(0).

A model with deviations from person means (or lines) estimates M^-1 v, where M and v are sums over persons of
x'(I - P)x and x'(I - P)y; x and y are the lagged and present scores and P projects on what is taken out for each
person, 1 or (1, session). With more and more persons both tend to their expectations,

    n Γ_jk(l_k - l_j) - Σ_d w(d) Γ_jk(d + l_k - l_j),    w(d) = Σ_i Σ_{s - s' = d} P_i(s, s'),

for columns j, k at lags l_j, l_k, over the sessions s, s' that each person really has, gaps included. For one variable
this is Nickell's (1981, Econometrica 49, 1417) formula. Solving for the process whose expectations are the estimates
gives what they would be with many sessions; errors follow by the delta method.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...designs import Design

#: Pairs of sessions looked at; beyond, persons have so many sessions that the bias is negligible.
MOST_PAIRS = 20_000_000
_STATIONARY = 0.995
_STEP = 1e-5


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Sessions used, all persons together. n : how many. weights : (2 D + 1,), w(-D) .. w(D) of the module."""

    n: int
    weights: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One of the two models. response : 0 the outcome, 1 the process. columns : (variable, sessions before) each."""

    response: int
    columns: tuple[tuple[int, int], ...]
    layout: Layout


@dataclass(frozen=True, slots=True, eq=False)
class Process:
    """coefficients : of both sides' columns, one after the other. variances : of both residuals. correlation : of the
    residuals, where neither score of a session is rated first."""

    coefficients: np.ndarray
    variances: np.ndarray
    correlation: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Corrected:
    """process : whose expectations are the estimates. covariance : of its coefficients. inverse : (k, k), how these
    change with the estimates."""

    process: Process
    covariance: np.ndarray
    inverse: np.ndarray


def layout(made: Design, line: bool = False) -> Layout | None:
    """Of the rows of a design; `line`: a line over sessions is taken out, not only the mean. None if there are very
    many pairs of sessions."""
    sizes, sessions, starts = np.diff(made.starts), made.sessions, made.starts[:-1]
    if int((sizes.astype(np.float64) ** 2).sum()) > MOST_PAIRS:
        return None
    widest = int((sessions[made.starts[1:] - 1] - sessions[starts]).max())
    weights = np.zeros(2 * widest + 1)
    for size in np.unique(sizes).tolist():
        own = sessions[starts[sizes == size][:, None] + np.arange(size)].astype(np.float64)
        projected = np.full((len(own), size, size), 1 / size)
        if line and size > 1:
            away = own - own.mean(axis=1, keepdims=True)
            projected += np.einsum("ni,nj->nij", away, away) / (away**2).sum(axis=1)[:, None, None]
        apart = (own[:, :, None] - own[:, None, :]).astype(np.int64) + widest
        weights += np.bincount(apart.ravel(), projected.ravel(), minlength=len(weights))
    return Layout(len(sessions), weights)


def expected(process: Process, sides: Sequence[Side]) -> Process | None:
    """What both models tend to estimate of a process; None if it is not stationary."""
    most = max(len(side.layout.weights) // 2 for side in sides) + 1
    gamma = _autocovariances(process, sides, most)
    if gamma is None:
        return None
    found, variances = [], np.zeros(2)
    for side in sides:
        m, v, yy = _moments(side, gamma)
        b = np.linalg.solve(m, v)
        found.append(b)
        free = side.layout.n - side.layout.weights[len(side.layout.weights) // 2]
        variances[side.response] = (yy - b @ v) / free
    return Process(np.concatenate(found), variances, process.correlation)


def corrected(estimated: Process, covariance: np.ndarray, sides: Sequence[Side]) -> Corrected | None:
    """The process whose expectations are the estimates, by Newton's method; None if none is stationary."""
    target = _vector(estimated)
    at = target.copy()
    for _ in range(50):
        here = expected(_process(at, estimated), sides)
        if here is None:
            return None
        rest = target - _vector(here)
        jacobian = _jacobian(at, estimated, sides)
        if jacobian is None:
            return None
        if np.abs(rest).max() < 1e-9:
            inverse = np.linalg.inv(jacobian)[: len(covariance), : len(covariance)]
            return Corrected(_process(at, estimated), inverse @ covariance @ inverse.T, inverse)
        step = np.linalg.solve(jacobian, rest)
        while expected(_process(at + step, estimated), sides) is None:
            step /= 2
            if np.abs(step).max() < 1e-9:
                return None
        at = at + step
    return None


def _jacobian(at: np.ndarray, like: Process, sides: Sequence[Side]) -> np.ndarray | None:
    columns = []
    for i in range(len(at)):
        ends = []
        for sign in (1, -1):
            moved = at.copy()
            moved[i] += sign * _STEP
            found = expected(_process(moved, like), sides)
            if found is None:
                return None
            ends.append(_vector(found))
        columns.append((ends[0] - ends[1]) / (2 * _STEP))
    return np.array(columns).T


def _vector(process: Process) -> np.ndarray:
    return np.concatenate([process.coefficients, np.log(process.variances)])


def _process(vector: np.ndarray, like: Process) -> Process:
    return replace(like, coefficients=vector[:-2], variances=np.exp(vector[-2:]))


def _autocovariances(process: Process, sides: Sequence[Side], most: int) -> np.ndarray | None:
    """Cov(z_{t+h}, z_t), (2 most + 1, 2, 2) for h = -most .. most."""
    now, before = np.zeros((2, 2)), np.zeros((2, 2))
    at = 0
    for side in sides:
        for variable, back in side.columns:
            (before if back else now)[side.response, variable] = process.coefficients[at]
            at += 1
    inverse = np.linalg.inv(np.eye(2) - now)
    a = inverse @ before
    if np.abs(np.linalg.eigvals(a)).max() >= _STATIONARY:
        return None
    sd = np.sqrt(process.variances)
    residual = np.outer(sd, sd) * np.array([[1, process.correlation], [process.correlation, 1]])
    sigma = inverse @ residual @ inverse.T
    zero = np.linalg.solve(np.eye(4) - np.kron(a, a), sigma.ravel()).reshape(2, 2)
    gamma = np.empty((2 * most + 1, 2, 2))
    gamma[most] = zero
    for h in range(1, most + 1):
        gamma[most + h] = a @ gamma[most + h - 1]
        gamma[most - h] = gamma[most + h].T
    return gamma


def _moments(side: Side, gamma: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """M, v and y'(I - P)y of the module."""
    middle, reach = len(gamma) // 2, len(side.layout.weights) // 2
    left = {
        apart: side.layout.n * gamma[middle + apart]
        - np.tensordot(side.layout.weights, gamma[middle + apart - reach : middle + apart + reach + 1], 1)
        for apart in (-1, 0, 1)
    }
    columns = (*side.columns, (side.response, 0))
    # x_j at s is z at s - l_j: Cov(x_j(s), x_k(s')) is that of z at s - s' + l_k - l_j apart.
    whole = np.array([[left[lk - lj][j, k] for k, lk in columns] for j, lj in columns])
    return whole[:-1, :-1], whole[:-1, -1], float(whole[-1, -1])
